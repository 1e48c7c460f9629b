//! The alert of an old key, beside the ages of the keys that may be in use.

use super::OLD;
use super::ages::{DAY_S, Key, TOLERANCE, age_at_first, keys};
use crate::case::Case;
use crate::guarantees::evidence::alerts::{self, About, Part, Sample};
use crate::guarantees::evidence::rotations::{self, Turn};
use crate::history::Change;
use crate::plan::AlertKind;
use mock_server::clock::Moment;
use std::time::Duration;

/// The alert beside the keys.
pub(super) fn judged(case: &Case, turns: &[Turn<'_>]) -> Part {
    Part::of(case, &about(case), || signal(case, turns))
}

/// What the alert is about: the key's age in seconds, which need not last.
pub(super) fn about(case: &Case) -> About {
    let old = case.time(&OLD).as_secs();
    let lasts = alerts::lasts(case);
    About {
        kind: AlertKind::KeyAge,
        loud_above: old,
        quiet_to: old,
        near_from: old / 4 * 3,
        lasts,
        near_for: lasts + alerts::delay(case),
        words: |seconds| format!("{}.{} days", seconds / DAY_S, seconds % DAY_S * 10 / DAY_S),
    }
}

/// Of the first key: whether it is old from the start, or nearly so.
pub(super) fn first_is(case: &Case) -> [bool; 2] {
    let (about, age) = (about(case), age_at_first(case).as_secs());
    [age > about.loud_above, (about.near_from..about.quiet_to).contains(&age)]
}

/// The least and the greatest age of a key that may be in use. Nobody knows one before the first process
/// is ready.
fn signal(case: &Case, turns: &[Turn<'_>]) -> Vec<Sample> {
    let keys = keys(case, turns);
    let ready = case.target.processes.iter().find(|process| process.change == Change::Ready);
    let ready = ready.map_or(case.harness.armed, |process| process.at);
    let tolerance = TOLERANCE + rotations::pickup(case) + case.harness.delta;
    let sample = |at: Moment| {
        let in_use = || keys.iter().filter(|key| key.is_in_use(case, at, at));
        let age = |key: &Key| key.age(at);
        let least = in_use().map(age).min().unwrap_or(Duration::ZERO).saturating_sub(tolerance);
        let most = in_use().map(age).max().unwrap_or(Duration::ZERO) + tolerance;
        Sample { at, lo: if at < ready { 0 } else { least.as_secs() }, hi: most.as_secs() }
    };
    alerts::moments(case).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind::Control;
    use crate::testing::History;

    fn history(age_days: u32) -> History {
        let mut history = History::over(&[(Control, 0, 100)]).declaring(|of| of.alert_delay_ms = 0);
        history.case.plan.key.age_days = Some(age_days);
        history
    }

    #[test]
    fn a_key_is_old_after_ninety_days_and_nearly_so_from_three_quarters_of_them_on() {
        let is = |days| first_is(&history(days).case);
        assert_eq!([91, 90].map(is), [[true, false], [false, false]]);
        assert_eq!([89, 68, 67].map(is), [[false, true], [false, true], [false, false]]);
    }

    #[test]
    fn an_age_is_known_from_when_the_first_process_is_ready_but_for_the_pick_up_and_whole_seconds()
    {
        let at = |history: &History, ms| {
            let signal = signal(&history.case, &[]);
            let sample = signal.into_iter().find(|one| one.at == Moment::from_ms(ms)).unwrap();
            (sample.lo, sample.hi)
        };
        // A minute, two seconds and δ.
        let (lo, hi) = (91 * DAY_S - 63, 91 * DAY_S + 62);
        assert_eq!(at(&history(91), 0), (lo, hi));
        assert_eq!(at(&history(91), 10_000), (lo + 10, hi + 10));
        let mut later = history(91).standing(5_000);
        later.case.ready();
        assert_eq!([4_900, 5_000].map(|ms| at(&later, ms).0), [0, lo + 5]);
    }
}

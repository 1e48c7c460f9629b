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

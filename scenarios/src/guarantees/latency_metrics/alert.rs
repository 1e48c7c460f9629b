//! The alert on latency: it fires when one call in twenty takes longer than its bound, and rests while only
//! one in thirty does.
//!
//! Whoever looks at the slowest call, or at the 99th percentile, fires too early; whoever looks at the mean,
//! or counts pages that needed no call, does not fire at all.

use super::ALERT;
use crate::case::Case;
use crate::guarantees::evidence::alerts::{self, About, Compared, compare_where};
use crate::guarantees::evidence::slowness::Slowness;
use crate::measure::humane;
use crate::plan::{AlertKind, contract_time};
use crate::strength::Minimum;
use std::time::Duration;

pub const LOUD: Minimum =
    Minimum { name: "stretches of slow calls that called for the alert", least: 1 };
pub const NEAR: Minimum =
    Minimum { name: "stretches in which only the slowest calls were too slow", least: 1 };

/// The alert beside how slow calls were.
pub fn compared(case: &Case) -> Compared {
    let is_named = case.alert_names.contains_key(&AlertKind::Latency);
    let slowness = is_named.then(|| Slowness::of(case, window(case), case.time(&ALERT)));
    let slowness = slowness.unwrap_or_default();
    compare_where(case, &about(case), &slowness.signal, |one| slowness.has_tail(one.at))
}

/// What is promised of it.
pub fn rule(case: &Case) -> String {
    let about = about(case);
    format!(
        "the alert fires when p95 of {} is above {} for {}, and not while it is at most {}",
        humane(window(case)),
        (about.words)(about.loud_above),
        humane(about.near_for),
        (about.words)(about.quiet_to),
    )
}

fn window(case: &Case) -> Duration {
    contract_time(case.declared.latency_window_ms, case.time_scale)
}

fn about(case: &Case) -> About {
    // No bound that can be promised has more milliseconds than that.
    let bound = u64::try_from(case.time(&ALERT).as_millis()).unwrap_or(u64::MAX / 11);
    let lasts = alerts::lasts(case);
    About {
        kind: AlertKind::Latency,
        loud_above: bound * 11 / 10,
        quiet_to: bound * 9 / 10,
        near_from: 0,
        lasts,
        near_for: lasts + alerts::delay(case),
        words: |ms| match ms {
            u64::MAX => "of any length".to_owned(),
            ms => humane(Duration::from_millis(ms)),
        },
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::plan::AlertName;
    use crate::plan::PhaseKind::{Control, Storm};
    use crate::testing::{Decides, History, pushed, read};
    use mock_server::clock::Moment;
    use mock_server::history::exchange::Exchange;

    /// Fifty calls a minute for twenty minutes: one in 37 is slow, and one in four from 600 s to 900 s.
    fn calls() -> History {
        let call = |n: u64| {
            let quick = read(&format!("page-{n}"), n * 1_200);
            let one_in = if (500..750).contains(&n) { 4 } else { 37 };
            if !n.is_multiple_of(one_in) {
                return quick;
            }
            let end = Moment::from_ms(n * 1_200 + 1_500);
            Exchange { t_first: Some(end), t_w: Some(end), t_end: end, ..quick }
        };
        let mut history =
            History::over(&[(Control, 0, 600), (Storm, 600, 1_200)]).exchanges((0..980).map(call));
        history.case.alert_names.insert(AlertKind::Latency, AlertName::plain("Slow"));
        history
    }

    /// Without an alert it is violated by the usual bound, and by a larger one nothing called for it.
    pub fn decided() -> Vec<Decides> {
        vec![Decides { bound: &ALERT, value: 5_000, history: calls }]
    }

    #[track_caller]
    fn check(fired_s: &[u64], offences: u64) -> Compared {
        let history =
            fired_s.iter().fold(calls(), |history, s| history.alert(pushed("Slow", s * 1_000)));
        let mut case = history.case;
        case.ready();
        let compared = compared(&case);
        assert_eq!(compared.offences.count(), offences, "{compared:?}");
        let strength = compared.strength_of([LOUD, NEAR]);
        assert!(strength.iter().all(|one| !one.is_short()), "{strength:?}");
        compared
    }

    #[test]
    fn it_fires_when_many_calls_are_slow_and_only_then() {
        check(&[690], 0);
        // By the percentile of a histogram with fine buckets, before one with coarse buckets shows it.
        check(&[650], 0);
        check(&[715], 1);
        check(&[], 1);
        check(&[400, 690], 1);
        check(&[300, 690], 1);
    }

    #[test]
    fn what_is_too_slow_is_real_time_at_every_scale() {
        let mut case = calls().scaled(10).case;
        case.ready();
        let about = about(&case);
        assert_eq!((about.loud_above, about.quiet_to), (550, 450));
        assert!(rule(&case).starts_with("the alert fires when p95 of 30 s is above 550 ms for"));
    }
}

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
use mock_server::faults::{Fault, Latency, Rule};
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

/// Whether the plan makes calls too slow for so long that the alert must fire: only then is anything asked of
/// it. Slow they are by the usual bound; whoever promises less must not hold because nobody asks.
pub fn is_called_for(case: &Case) -> bool {
    let about = about_bound(case, ALERT.default);
    let slows = |rule: &Rule| {
        let lasts = Duration::from_millis(rule.window.until_ms.saturating_sub(rule.window.from_ms));
        at_least_ms(&rule.fault) > about.loud_above && lasts > about.near_for
    };
    case.plan.decides(super::PROMISE.id) && case.plan.faults.iter().any(slows)
}

/// By how many milliseconds a fault slows each call that it hits.
const fn at_least_ms(fault: &Fault) -> u64 {
    match fault {
        Fault::Latency(Latency::Constant { ms }) => *ms,
        Fault::Latency(Latency::Uniform { min_ms, .. } | Latency::LongTail { min_ms, .. }) => {
            *min_ms
        }
        // What stalls, or comes slowly, does so by what is asked for and by who gives up when.
        _ => 0,
    }
}

fn window(case: &Case) -> Duration {
    contract_time(case.declared.latency_window_ms, case.time_scale)
}

fn about(case: &Case) -> About {
    // No bound that can be promised has more milliseconds than that.
    about_bound(case, u64::try_from(case.time(&ALERT).as_millis()).unwrap_or(u64::MAX / 11))
}

/// Of a bound of so many milliseconds.
fn about_bound(case: &Case, bound: u64) -> About {
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
    use mock_server::faults::{Matcher, Pick, Window};
    use mock_server::history::exchange::Exchange;

    /// The same history, of a plan in which this fault hits calls for so many seconds.
    pub fn slowed(mut history: History, fault: Fault, seconds: u64) -> History {
        let plan = &mut history.case.plan;
        plan.guarantees = vec!["latency-metrics".into()];
        plan.faults.push(Rule {
            id: "slow".into(),
            window: Window { from_ms: 600_000, until_ms: 600_000 + seconds * 1_000 },
            matcher: Matcher::default(),
            pick: Pick::All,
            fault,
        });
        history
    }

    /// That calls for the alert.
    pub fn called(history: History) -> History {
        slowed(history, Fault::Latency(Latency::Constant { ms: 1_500 }), 300)
    }

    /// Fifty calls a minute for twenty minutes: one in 37 is slow, and one in four from 600 s to 900 s.
    pub fn calls() -> History {
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
    fn a_plan_calls_for_it_that_slows_calls_beyond_its_bound_for_longer_than_it_may_take() {
        let check = |fault: Latency, seconds, expected: bool| {
            let history = slowed(History::over(&[]), Fault::Latency(fault), seconds);
            assert_eq!(is_called_for(&history.case), expected, "{fault:?} for {seconds} s");
        };
        let constant = |ms| Latency::Constant { ms };
        check(constant(551), 33, true);
        check(constant(550), 33, false);
        // 30 s of delay, and 2 s for scrapes.
        check(constant(551), 32, false);
        check(Latency::Uniform { min_ms: 551, max_ms: 900 }, 33, true);
        check(Latency::Uniform { min_ms: 50, max_ms: 900 }, 33, false);
        check(Latency::LongTail { min_ms: 551, alpha_milli: 1_200, max_ms: 900 }, 33, true);
        let some = Latency::Lognormal { median_ms: 600, sigma_milli: 900, max_ms: 900 };
        check(some, 33, false);
        let mut watched = called(History::over(&[]));
        assert!(is_called_for(&watched.case));
        watched.case.plan.only_watch("latency-metrics");
        assert!(!is_called_for(&watched.case));
        // Whoever promises less is asked all the same.
        let lenient = called(History::over(&[])).promising(&ALERT, 5_000);
        assert!(is_called_for(&lenient.case));
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

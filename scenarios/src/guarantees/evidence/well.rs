//! When Linktree is well: no fault of the plan fails attempts, nor did one until just before.

use super::super::breaker_recovers;
use crate::case::Case;
use crate::guarantees::profile_timeout;
use crate::plan::PhaseKind;
use crate::spans::Spans;
use mock_server::clock::Moment;
use mock_server::faults::{Harm, Rule};
use std::time::Duration;

/// The parts of control, storm and heal in which nothing that an integration does badly is Linktree's
/// doing: from the last failing rule, or the last wait that Linktree asked for, the declared open time
/// and the time of a recovery have passed.
#[must_use]
pub fn spans(case: &Case) -> Spans {
    let recovery = case.times.breaker_open_longest + case.time(&breaker_recovers::WITHIN);
    let rules = case.plan.faults.iter().filter(|rule| may_fail(case, rule));
    let ill =
        rules.map(|rule| (case.moment(rule.window.from_ms), case.moment(rule.window.until_ms)));
    // What the limiter itself refuses is the integration's own doing.
    let asked = case.linktree.exchanges.iter().filter(|one| !one.over_limit);
    let waits = asked.filter_map(|one| Some((one.t_req, one.retry_after.as_ref()?.until?)));
    let ill = ill.chain(waits).map(|(from, until)| (from, until.plus(recovery))).collect();
    let ill = Spans::joined(ill, Duration::ZERO);
    let judged = case.phases_that(|kind| match kind {
        PhaseKind::Control | PhaseKind::Storm | PhaseKind::Heal => true,
        PhaseKind::Warmup
        | PhaseKind::Outage
        | PhaseKind::Settle
        | PhaseKind::RetryGaps
        | PhaseKind::BreakerProbe => false,
    });
    let judged = Spans::joined(judged, Duration::ZERO);
    Spans::joined(
        judged.all().iter().flat_map(|span| without(*span, &ill)).collect(),
        Duration::ZERO,
    )
}

/// What is left of a span.
fn without(span: (Moment, Moment), taken: &Spans) -> Vec<(Moment, Moment)> {
    let (mut left, mut from) = (Vec::new(), span.0);
    for (begin, end) in taken.all() {
        left.push((from, span.1.min(*begin)));
        from = from.max(*end);
    }
    left.push((from, span.1));
    left.retain(|(from, until)| from < until);
    left
}

fn may_fail(case: &Case, rule: &Rule) -> bool {
    match rule.fault.harm() {
        Harm::Fails | Harm::MayFail => true,
        Harm::Slows { most } => most >= case.time(&profile_timeout::WITHIN),
        Harm::None | Harm::HitsNone => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind::{Control, Heal, Outage, Storm, Warmup};
    use crate::testing::{History, asked_to_wait, refused};
    use mock_server::history::exchange::Exchange;

    /// The well spans in seconds.
    #[track_caller]
    fn check(mut history: History, expected: &[(u64, u64)]) {
        history.case.ready();
        let second = |moment: Moment| moment.0 / 1_000_000_000;
        let spans = spans(&history.case);
        let seen: Vec<_> =
            spans.all().iter().map(|span| (second(span.0), second(span.1))).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn control_storm_and_heal_are_well_where_nothing_fails() {
        check(History::over(&[(Warmup, 0, 5), (Control, 5, 10), (Storm, 10, 20)]), &[(5, 20)]);
    }

    #[test]
    fn an_outage_takes_its_recovery_with_it() {
        let phases = [(Control, 0, 10), (Outage, 10, 20), (Heal, 20, 100)];
        check(History::over(&phases), &[(0, 10), (65, 100)]);
        check(History::over(&[(Outage, 10, 20), (Heal, 20, 65)]), &[]);
        let apart =
            [(Control, 0, 10), (Warmup, 10, 20), (Outage, 20, 30), (Heal, 30, 75), (Storm, 75, 80)];
        check(History::over(&apart), &[(0, 10), (75, 80)]);
    }

    #[test]
    fn answers_that_take_as_long_as_a_timeout_are_no_health() {
        let slow = |ms| {
            let mut history = History::over(&[(Control, 0, 100)]);
            let rule = serde_json::from_value(serde_json::json!({
                "id": "slow",
                "window": { "from_ms": 10_000, "until_ms": 20_000 },
                "fault": { "kind": "latency", "distribution": "constant", "ms": ms },
            }));
            history.case.plan.faults = vec![rule.unwrap()];
            history
        };
        check(slow(9_999), &[(0, 100)]);
        check(slow(10_000), &[(0, 10), (65, 100)]);
    }

    #[test]
    fn a_wait_that_linktree_asked_for_is_no_health_unless_its_limiter_was_provoked() {
        let phases = [(Control, 0, 100)];
        let waits = asked_to_wait("ann", 10_000, 429, 5);
        let provoked = Exchange { over_limit: true, ..waits.clone() };
        check(History::over(&phases).exchange(waits), &[(0, 10), (60, 100)]);
        check(History::over(&phases).exchange(provoked), &[(0, 100)]);
        check(History::over(&phases).exchange(refused("ann", 10_000, 500)), &[(0, 100)]);
    }
}

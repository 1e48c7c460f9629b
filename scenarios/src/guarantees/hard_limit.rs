//! The server's own limit is never reached.
//!
//! Blind to: requests that never arrived. Broken by: `no-limiter`, `limiter-forgets-on-restart`.

use super::evidence::rate::{Rate, Restarts};
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::strength::Minimum;
use crate::verdict::Verdict;

/// Judged from arrivals alone, key by key and across restarts, as a server counts; refusals of the
/// mock's limiter are reported beside it.
pub struct HardLimit;

/// Half of what the contract allows, so that the limit was worth keeping.
const NEAR: Minimum = Minimum { name: "requests in one window, of one key", least: 50 };

const PROMISE: Promise = Promise {
    id: "hard-limit",
    statement: "The 100 a minute limit is never reached: no 429 that the fault plan did not inject.",
    priority: Priority::Critical,
    source: "assumed contract, limit.requests in limit.window_ms, sliding and for each key",
    why: "refused calls lose data, and a key that keeps running into the limit may be blocked",
    usual_fix: "keep a client-side limiter well below the server's number, shared by every worker, and \
                let what it has counted survive a restart, or start with an empty bucket",
    blind_to: "a limiter of the real service that counts otherwise than over a sliding window",
    bounds: &[],
    minimums: &[NEAR],
    // A refusal is one, whoever came; none shows something only if visitors asked for more.
    when_late: Stands::IfViolated,
    when_overloaded: Stands::IfViolated,
    needs: &[],
    sees: &[Sight::Upstream],
};

impl Guarantee for HardLimit {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

fn judge(case: &Case) -> Verdict {
    let limit = case.contract.limit.requests as usize;
    let organic = case.linktree.exchanges.iter().filter(|exchange| exchange.over_limit).count();
    let rate = Rate::of_each_key(case, limit, Restarts::Count);
    let mut verdict = rate.verdict(NEAR.of(rate.peak, limit as u64 / 2));
    verdict.observed.push_str(&format!("; refused by the limiter itself: {organic}"));
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, read, refused};
    use crate::verdict::VerdictKind::*;
    use mock_server::history::exchange::Exchange;

    fn steady(count: u64, every_ms: u64) -> Vec<Exchange> {
        (0..count).map(|i| read("ann", i * every_ms)).collect()
    }

    fn organic(at_ms: u64) -> Exchange {
        Exchange { over_limit: true, ..refused("ann", at_ms, 429) }
    }

    #[test]
    fn half_the_limit_and_no_more_than_it_holds() {
        let verdict = History::over(&[]).exchanges(steady(300, 800)).judged_by(&HardLimit);
        assert_eq!(verdict.kind, Held);
        assert!(verdict.observed.ends_with("refused by the limiter itself: 0"));
    }

    #[test]
    fn a_hundred_and_one_in_a_window_violate_and_name_the_refusal() {
        let history = History::over(&[]).exchanges(steady(100, 100)).exchange(organic(10_000));
        let verdict = history.judged_by(&HardLimit);
        assert_eq!((verdict.kind, verdict.violations), (Violated, 1));
        assert!(verdict.witnesses[0].story[2].ends_with("limiter itself: 1"));
    }

    #[test]
    fn a_refusal_without_such_a_window_is_reported_and_not_blamed() {
        let history = History::over(&[]).exchanges(steady(100, 100)).exchange(organic(59_950));
        let verdict = history.judged_by(&HardLimit);
        assert_eq!(verdict.kind, Held);
        assert!(verdict.observed.ends_with("refused by the limiter itself: 1"));
    }

    #[test]
    fn a_server_counts_on_across_a_restart_but_a_pause_may_let_go_late() {
        let burst = || History::over(&[]).exchanges(steady(101, 100));
        let verdict = burst().killed_until(5_000, 6_000).judged_by(&HardLimit);
        assert_eq!(verdict.kind, Violated);
        let story = verdict.witnesses[0].story.join("; ");
        assert!(story.contains("5.000 s the process ended, 6.000 s a new one"), "{story}");
        assert_eq!(burst().paused(5_000, 6_000).judged_by(&HardLimit).kind, Held);
    }

    #[test]
    fn each_key_has_a_limit_of_its_own() {
        let keyed = |labels: [&str; 2], ids: [Option<&str>; 2]| {
            let one = |(n, request): (usize, Exchange)| Exchange {
                token: labels[n % 2].into(),
                key_id: ids[n % 2].map(str::to_owned),
                ..request
            };
            History::over(&[]).exchanges(steady(140, 100).into_iter().enumerate().map(one))
        };
        let judged = |labels, ids| keyed(labels, ids).judged_by(&HardLimit).kind;
        assert_eq!(judged(["live", "test"], [None; 2]), Held);
        assert_eq!(judged(["live", "live"], [None; 2]), Violated);
        assert_eq!(judged(["live", "previous"], [Some("k1"); 2]), Violated, "after a rotation");
    }

    #[test]
    fn the_tightest_burst_is_shown_first() {
        let tight = (0..101).map(|i| read("ann", 100_000 + i * 10));
        let verdict = History::over(&[]).exchanges(steady(101, 100)).exchanges(tight);
        let verdict = verdict.judged_by(&HardLimit);
        assert_eq!(verdict.violations, 2);
        assert_eq!(verdict.witnesses[0].what, "101 requests within 1 s");
    }

    #[test]
    fn a_quiet_history_is_inconclusive() {
        let verdict = History::over(&[]).exchanges(steady(49, 10)).judged_by(&HardLimit);
        assert_eq!(verdict.kind, Inconclusive);
    }
}

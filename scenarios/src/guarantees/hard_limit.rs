//! The server's own limit is never reached.
//!
//! Blind to: requests that never arrived. Broken by: `no-limiter`.

use super::evidence::rate::Rate;
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight};
use crate::case::Case;
use crate::verdict::Verdict;

/// Judged from arrivals alone; refusals of the mock's limiter are reported beside it.
pub struct HardLimit;

const PROMISE: Promise = Promise {
    id: "hard-limit",
    statement: "The 100 a minute limit is never reached: no 429 that the fault plan did not inject.",
    priority: Priority::Critical,
    source: "assumed contract, limit.requests in limit.window_ms, sliding and for each key",
    why: "refused calls lose data, and a key that keeps running into the limit may be blocked",
    usual_fix: "keep a client-side limiter well below the server's number, shared by every worker",
    blind_to: "a limiter of the real service that counts otherwise than over a sliding window",
    bounds: &[],
    minimums: &[],
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
    let mut verdict = Rate::of(case, limit).verdict(limit / 2);
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
    fn a_quiet_history_is_inconclusive() {
        let verdict = History::over(&[]).exchanges(steady(49, 10)).judged_by(&HardLimit);
        assert_eq!(verdict.kind, Inconclusive);
    }
}

//! No more than the client's own cap leaves for Linktree in any sliding window.
//!
//! Blind to: requests that never arrived. Broken by: `limiter-fixed-window`,
//! `limiter-per-route`, `retries-bypass-limiter`, `rush-after-the-wait`.

use super::evidence::cold::Cold;
use super::evidence::rate::{self, Rate, Restarts};
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::history::Operation;
use crate::measure::so_many;
use crate::strength::Minimum;
use crate::verdict::Verdict;

/// Every request counts: retries, probes, aborted ones and those outside the contract.
pub struct ClientRateCap;

/// Four fifths of the cap, so that there was something to hold back. Where visitors asked for twice as
/// much (predicates B1), as much of what is not kept for clicks; and a third of all where no cap is
/// declared, since a client may keep a lower one of its own.
const NEAR: Minimum = Minimum { name: "requests in one window", least: 72 };

pub(crate) const REQUESTS: Bound = Bound {
    of: "client-rate-cap",
    name: "requests",
    what: "most requests that may leave in any window of the limit",
    unit: Unit::Count,
    default: 90,
};

const PROMISE: Promise = Promise {
    id: "client-rate-cap",
    statement: "At most 90 requests a minute leave for Linktree, retries and probes included, \
                whatever the visitors do.",
    priority: Priority::Critical,
    source: "assumed contract: `requests` in limit.window_ms, or `rate_cap` of [declared] where that is \
             lower; over all keys together, as one client; sliding, since a limiter of fixed windows or \
             token buckets lets through up to twice its number",
    why: "a storm of 429s during a viral spike, and with it lost data",
    usual_fix: "one sliding-log limiter in front of the socket, asked by every attempt and not by \
                every call",
    blind_to: "requests that never reached the mock; several instances of the integration that each \
               keep their own count, unless they run together here",
    bounds: &[REQUESTS],
    minimums: &[NEAR],
    // Too many calls are too many, whoever came; few show something only if visitors asked for more.
    when_late: Stands::IfViolated,
    when_overloaded: Stands::IfViolated,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

impl Guarantee for ClientRateCap {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Capping { case, cold: Cold::over(case) })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

struct Capping<'c> {
    case: &'c Case,
    cold: Cold<'c>,
}

impl Judge for Capping<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.cold.note(operation);
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let (cap, declared) = (rate::cap(self.case), &self.case.declared);
        let (rate, cold) = (Rate::of_all(self.case, cap, Restarts::Excuse), self.cold.peak());
        let pages = cap.saturating_sub(declared.click_slots as usize);
        let near = match cold >= cap * 2 {
            true if declared.rate_cap.is_none() => cap / 3,
            true => (pages * 4 / 5).max(1),
            false => (cap * 4 / 5).max(1),
        };
        let mut verdict = rate.verdict(NEAR.of(rate.peak, near as u64));
        let asked = format!(
            "; all keys are counted together; visitors asked for {} not kept",
            so_many(cold, "page in one window that was", "pages in one window that were")
        );
        verdict.observed.push_str(&asked);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Decides, History, read};
    use crate::verdict::VerdictKind::*;
    use mock_server::contract::Route;
    use mock_server::history::exchange::Exchange;

    /// `count` requests, one every `every_ms` from `from_ms` on.
    fn steady(count: u64, from_ms: u64, every_ms: u64) -> Vec<Exchange> {
        (0..count).map(|i| read("ann", from_ms + i * every_ms)).collect()
    }

    fn judged(history: History) -> Verdict {
        history.judged_by(&ClientRateCap)
    }

    pub(super) fn decided() -> Vec<Decides> {
        let history = || History::over(&[]).exchanges(steady(400, 0, 667));
        vec![Decides { bound: &REQUESTS, value: 80, history }]
    }

    #[test]
    fn ninety_in_every_minute_hold() {
        let verdict = judged(History::over(&[]).exchanges(steady(400, 0, 667)));
        assert_eq!((verdict.kind, verdict.seen), (Held, 400));
        let observed = "requests in one window: 90; 90 arrived in one window, and 400 in all";
        assert!(verdict.observed.starts_with(observed), "{}", verdict.observed);
    }

    #[test]
    fn delivery_jitter_is_no_violation() {
        let burst = steady(90, 99, 1);
        let later = steady(90, 60_000, 1);
        assert_eq!(judged(History::over(&[]).exchanges(burst).exchanges(later)).kind, Held);
    }

    #[test]
    fn a_window_of_ninety_one_violates_and_shows_its_tightest_witness() {
        let probe = Exchange { route: Route::Health, ..read("ann", 50_000) };
        let verdict = judged(History::over(&[]).exchanges(steady(90, 0, 500)).exchange(probe));
        assert_eq!((verdict.kind, verdict.violations), (Violated, 1));
        assert_eq!(verdict.witnesses[0].what, "91 requests within 50 s");
        assert!(verdict.witnesses[0].story[2].contains("by route: health 1, profile 90;"));
    }

    #[test]
    fn two_fixed_windows_back_to_back_violate() {
        let bursts = steady(90, 59_000, 10).into_iter().chain(steady(90, 60_000, 10));
        let verdict = judged(History::over(&[]).exchanges(bursts));
        assert_eq!((verdict.kind, verdict.violations), (Violated, 1));
    }

    #[test]
    fn a_lower_cap_of_its_own_is_shown_by_visitors_who_asked_for_twice_as_much() {
        let asked = |pages: u64, requests: u64| {
            let visit = |n: u64| crate::history::Operation {
                handle: format!("p{n}").into(),
                ..crate::testing::page("-", 60_000 + n * 100, 60_010 + n * 100, "-")
            };
            let every = 60_000 / requests;
            let history = History::over(&[]).exchanges(steady(requests * 5, 0, every));
            judged(history.operations((0..pages).map(visit))).kind
        };
        assert_eq!(asked(180, 60), Held);
        assert_eq!(asked(179, 60), Inconclusive);
        assert_eq!(asked(180, 40), Held, "a third of all is enough where no cap is declared");
        assert_eq!(asked(180, 28), Inconclusive, "something else held them back");
    }

    #[test]
    fn a_declared_cap_is_kept_and_shown_like_the_contracts() {
        let with = |cap: u32, slots: u32, every: u64, pages: u64| {
            let visit = |n: u64| crate::history::Operation {
                handle: format!("p{n}").into(),
                ..crate::testing::page("-", 60_000 + n * 100, 60_010 + n * 100, "-")
            };
            let mut history = History::over(&[]).exchanges(steady(300, 0, every));
            history.case.declared.rate_cap = Some(cap);
            history.case.declared.click_slots = slots;
            judged(history.operations((0..pages).map(visit)))
        };
        let verdict = with(60, 10, 1_000, 0);
        assert_eq!((verdict.kind, verdict.promised.contains("at most 60")), (Held, true));
        assert_eq!(
            with(60, 10, 980, 0).kind,
            Violated,
            "it says that it stays below the contract's"
        );
        assert_eq!(with(60, 10, 1_300, 0).kind, Inconclusive);
        assert_eq!(with(60, 10, 1_500, 120).kind, Held, "four fifths of the pages' fifty");
        assert_eq!(with(60, 10, 1_500, 119).kind, Inconclusive);
        assert_eq!(with(60, 10, 1_700, 120).kind, Inconclusive, "a third is too few of one's own");
        assert_eq!(with(200, 10, 667, 0).kind, Held, "never more than the contract's");
        assert_eq!(with(200, 10, 650, 0).kind, Violated);
    }

    #[test]
    fn little_traffic_is_inconclusive_and_four_fifths_of_the_cap_are_enough() {
        assert_eq!(judged(History::over(&[]).exchanges(steady(400, 0, 800))).kind, Held);
        assert_eq!(judged(History::over(&[]).exchanges(steady(400, 0, 900))).kind, Inconclusive);
        assert_eq!(judged(History::over(&[])).kind, Inconclusive);
    }

    #[test]
    fn a_late_harness_and_a_restart_excuse_and_are_counted() {
        let late = judged(History::over(&[]).exchanges(steady(91, 0, 500)).lag(20_000, 900));
        assert_eq!(late.kind, Held);
        assert!(late.observed.contains("1 windows while the harness"), "{}", late.observed);
        let restart = judged(History::over(&[]).exchanges(steady(91, 0, 500)).killed(20_000));
        assert_eq!(restart.kind, Held);
        assert!(restart.observed.contains("1 across a restart"), "{}", restart.observed);
        let paused =
            |from, until| History::over(&[]).exchanges(steady(91, 0, 500)).paused(from, until);
        assert_eq!(judged(paused(20_000, 21_000)).kind, Held);
        assert_eq!(judged(paused(50_000, 51_000)).kind, Violated, "after the burst");
    }

    #[test]
    fn a_window_too_short_for_the_tolerance_is_inconclusive() {
        let mut history = History::over(&[]).exchanges(steady(90, 0, 10));
        history.case.times.window = std::time::Duration::from_millis(900);
        assert_eq!(judged(history).kind, Inconclusive);
    }
}

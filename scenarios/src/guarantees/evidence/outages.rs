//! Whether a total outage came to pass, or only stands in the plan.
//!
//! The plan's word is checked before a run; but an outage that nobody met shows nothing, and one in
//! which an attempt succeeded was none.

use super::circuit::is_guarded;
use crate::case::{Case, JudgedExchange};
use crate::plan::PhaseKind;
use crate::spans::Spans;
use mock_server::clock::Moment;
use std::time::Duration;

/// The total outages of a plan, and why some of them are none.
#[derive(Clone, Debug)]
pub struct Outages {
    all: Vec<((Moment, Moment), Option<Doubt>)>,
}

/// Why an outage was none, in words.
#[derive(Clone, Debug)]
enum Doubt {
    /// An attempt succeeded in it.
    Succeeded(String),
    /// No attempt failed in it.
    Unmet(String),
}

impl Outages {
    /// The phases of which this is true; those that follow each other are one outage.
    #[must_use]
    pub fn of(case: &Case, is_one: impl Fn(PhaseKind) -> bool) -> Self {
        let spans = Spans::joined(case.phases_that(is_one), Duration::ZERO);
        let all = spans.all().iter().map(|span| (*span, doubt(case, *span)));
        Self { all: all.collect() }
    }

    /// Those in which attempts failed and none succeeded.
    #[must_use]
    pub fn met(&self) -> Spans {
        let met = self.all.iter().filter(|(_, doubt)| doubt.is_none());
        Spans::joined(met.map(|(span, _)| *span).collect(), Duration::ZERO)
    }

    /// Why those that share a moment with this span were none: an attempt succeeded in one of them, or none
    /// failed in any. One that a breaker slept through may follow one that opened it.
    #[must_use]
    pub fn doubt_within(&self, from: Moment, until: Moment) -> Option<&str> {
        let within = || self.all.iter().filter(|(span, _)| span.0 < until && from < span.1);
        let doubts = || within().filter_map(|(_, doubt)| doubt.as_ref());
        let succeeded = doubts().find_map(|doubt| match doubt {
            Doubt::Succeeded(words) => Some(words.as_str()),
            Doubt::Unmet(_) => None,
        });
        let met = within().any(|(_, doubt)| doubt.is_none());
        let unmet = doubts().find_map(|doubt| match doubt {
            Doubt::Unmet(words) => Some(words.as_str()),
            Doubt::Succeeded(_) => None,
        });
        succeeded.or(unmet.filter(|_| !met))
    }

    /// Why they were none, all of them together.
    #[must_use]
    pub fn doubt(&self) -> Option<&str> {
        self.doubt_within(Moment::ZERO, Moment(u64::MAX))
    }
}

fn doubt(case: &Case, (from, until): (Moment, Moment)) -> Option<Doubt> {
    let sent = |one: &&JudgedExchange| from <= one.t_req && one.t_req < until && is_guarded(one);
    let attempts = || case.linktree.exchanges.iter().filter(sent);
    // At its edges a clock may be off by as much as everything else.
    let inside = |one: &&JudgedExchange| {
        from.plus(case.harness.delta) <= one.t_req && one.t_req.plus(case.harness.delta) < until
    };
    let outage = || format!("the outage from {} to {}", case.at(from), case.at(until));
    if let Some(success) = attempts().filter(inside).find(|one| one.is_success()) {
        return Some(Doubt::Succeeded(format!("{} was none: {}", outage(), case.tell(success))));
    }
    let met = attempts().any(|one| one.is_definite_failure());
    (!met).then(|| Doubt::Unmet(format!("in {} no attempt failed", outage())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, read, refused};
    use mock_server::history::exchange::Exchange;

    const MS: fn(u64) -> Moment = Moment::from_ms;

    fn outages(exchanges: impl IntoIterator<Item = Exchange>) -> Outages {
        let phases =
            [(PhaseKind::Control, 0, 10), (PhaseKind::Outage, 10, 20), (PhaseKind::Heal, 20, 30)];
        let mut history = History::over(&phases).exchanges(exchanges);
        history.case.ready();
        Outages::of(&history.case, PhaseKind::is_total_outage)
    }

    #[track_caller]
    fn check(exchanges: impl IntoIterator<Item = Exchange>, expected: Option<&str>) {
        let outages = outages(exchanges);
        match (outages.doubt(), expected) {
            (None, None) => assert_eq!(outages.met().all(), [(MS(10_000), MS(20_000))]),
            (Some(doubt), Some(expected)) => {
                assert!(doubt.contains(expected), "{doubt}");
                assert_eq!(outages.met().all(), []);
            }
            (doubt, expected) => panic!("{doubt:?}, {expected:?}"),
        }
    }

    #[test]
    fn an_outage_is_met_by_attempts_that_fail_in_it() {
        check([refused("ann", 10_000, 503)], None);
        check([], Some("from 10.000 s to 20.000 s no attempt failed"));
        check([refused("ann", 9_999, 503), refused("ann", 20_000, 503)], Some("no attempt failed"));
        check([refused("ann", 12_000, 429)], Some("no attempt failed"));
    }

    #[test]
    fn an_outage_in_which_an_attempt_succeeds_is_none() {
        let failed = || refused("ann", 12_000, 503);
        check([failed(), read("ann", 13_000)], Some("was none: 13.000 s upstream"));
        check([failed(), read("ann", 10_099), read("ann", 19_900)], None);
        check([failed(), read("ann", 10_100)], Some("was none: 10.100 s upstream"));
        check([failed(), read("ann", 19_899)], Some("was none: 19.899 s upstream"));
        check([failed(), read("ann", 9_000), read("ann", 21_000)], None);
        let health =
            Exchange { route: mock_server::contract::Route::Health, ..read("ann", 15_000) };
        check([failed(), health], None);
        check([failed(), Exchange { method: "HEAD".into(), ..read("ann", 15_000) }], None);
    }

    #[test]
    fn phases_that_follow_each_other_are_one_outage() {
        let phases = [(PhaseKind::Outage, 0, 10), (PhaseKind::BreakerProbe, 10, 20)];
        let mut history = History::over(&phases).exchange(refused("ann", 12_000, 503));
        history.case.ready();
        let outages = Outages::of(&history.case, PhaseKind::is_total_outage);
        assert_eq!(outages.met().all(), [(MS(0), MS(20_000))]);
        let outages = Outages::of(&history.case, |kind| kind == PhaseKind::Outage);
        assert!(outages.doubt_within(MS(9_000), MS(9_001)).is_some());
        assert_eq!(outages.doubt_within(MS(10_000), MS(11_000)), None);
    }

    #[test]
    fn an_outage_that_nobody_met_is_no_doubt_beside_one_that_was_met() {
        let phases =
            [(PhaseKind::Outage, 0, 10), (PhaseKind::Heal, 10, 12), (PhaseKind::Outage, 12, 20)];
        let doubt = |exchanges: Vec<Exchange>| {
            let mut history = History::over(&phases).exchanges(exchanges);
            history.case.ready();
            let outages = Outages::of(&history.case, PhaseKind::is_total_outage);
            let whole = outages.doubt_within(MS(0), MS(20_000)).map(str::to_owned);
            (whole, outages.doubt_within(MS(12_000), MS(20_000)).is_some())
        };
        assert_eq!(doubt(vec![refused("ann", 5_000, 503)]), (None, true));
        let (whole, last) = doubt(vec![refused("ann", 5_000, 503), read("ann", 15_000)]);
        assert!(whole.unwrap().contains("was none: 15.000 s") && last);
        assert!(doubt(vec![]).0.unwrap().contains("from 0.000 s to 10.000 s no attempt failed"));
    }

    #[test]
    fn a_doubt_concerns_what_shares_a_moment_with_its_outage() {
        let outages = outages([]);
        let doubted = |(from, until)| outages.doubt_within(MS(from), MS(until)).is_some();
        assert_eq!([(9_000, 10_001), (19_999, 21_000)].map(doubted), [true, true]);
        assert_eq!([(9_000, 10_000), (20_000, 21_000)].map(doubted), [false, false]);
    }
}

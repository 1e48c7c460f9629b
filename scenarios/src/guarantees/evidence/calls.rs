//! How many upstream calls were seen, and of how many of the kinds that the plan's visitors provoke.

use crate::case::{Case, JudgedExchange};
use crate::front_door::FrontRoute;
use crate::strength::{Minimum, Strength};
use mock_server::contract::Route;

/// Upstream calls.
pub const CALLS: Minimum = Minimum { name: "upstream calls", least: 20 };
/// Reads of profiles, reads of links, and deliveries of clicks where visitors click.
pub const KINDS: Minimum = Minimum { name: "kinds of upstream calls", least: 3 };

/// What was seen of both among the calls that count.
#[must_use]
pub fn strength(case: &Case, counts: impl Fn(&JudgedExchange) -> bool) -> [Strength; 2] {
    let calls = || case.linktree.exchanges.iter().filter(|exchange| counts(exchange));
    let of = |is_one: fn(Route) -> bool| usize::from(calls().any(|one| is_one(one.route)));
    let profiles = of(|route| route == Route::Profile);
    let links = of(|route| matches!(route, Route::ProfileLinks | Route::Links));
    let clicks = of(Route::is_click);
    let steps = || case.plan.traffic.iter().flat_map(|traffic| &traffic.does);
    let clickers = steps().any(|step| step.action.info().needs == Some(FrontRoute::Clicks));
    let provoked = KINDS.least - u64::from(!clickers && !case.plan.traffic.is_empty());
    [CALLS.seen(calls().count()), KINDS.of(profiles + links + clicks, provoked)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Creators, Pace, Step, Traffic};
    use crate::testing::{History, links, read, sent_batch};
    use crate::traffic::actions::Action;
    use mock_server::history::exchange::Exchange;

    fn seen(history: &History) -> Vec<u64> {
        strength(&history.case, |one| one.head.token == "live").iter().map(|one| one.seen).collect()
    }

    #[test]
    fn calls_and_their_kinds_are_counted() {
        let mut history = History::over(&[]).exchanges([read("ann", 0), read("ann", 9)]);
        assert_eq!(seen(&history), [2, 1]);
        history = history.exchange(links("ann", 20));
        let batch =
            |token: &str| Exchange { token: token.into(), ..sent_batch(&["a", "b"], 30, 202) };
        history = history.exchange(batch("live"));
        assert_eq!(seen(&history), [4, 3]);
        history.judged().pop();
        history = history.exchange(batch("test"));
        assert_eq!(seen(&history), [3, 2]);
    }

    #[test]
    fn deliveries_are_expected_where_visitors_click() {
        let kinds = |visits: &[Action]| {
            let mut history = History::over(&[]);
            let stream = |action: &Action| Traffic {
                id: "visitors".into(),
                from_ms: 0,
                until_ms: 1_000,
                pace: Pace::Sequential { calls: 1, gap_ms: 0 },
                creators: Creators::InTurn { group: "page".into() },
                does: vec![Step::always(*action)],
            };
            history.case.plan.traffic = visits.iter().map(stream).collect();
            strength(&history.case, |_| true)[1].least
        };
        assert_eq!(kinds(&[Action::Page]), 2);
        assert_eq!([kinds(&[Action::Click]), kinds(&[Action::Page, Action::Click])], [3, 3]);
        assert_eq!(kinds(&[]), 3, "who comes is not known");
    }
}

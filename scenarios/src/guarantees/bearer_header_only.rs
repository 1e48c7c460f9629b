//! The key travels in `Authorization: Bearer` and nowhere else.
//!
//! Blind to: keys in traffic that does not pass the mock. Broken by:
//! `key-in-query-on-links`, `key-in-second-header-on-clicks`.

use super::evidence::calls;
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, JudgedExchange};
use crate::measure::Gauge;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::contract::Route;
use mock_server::history::exchange::KeyPlace;

const PROMISE: Promise = Promise {
    id: "bearer-header-only",
    statement: "The key travels in `Authorization: Bearer` and never in a URL, a query or a body.",
    priority: Priority::Critical,
    source: "checklist; RFC 6750 section 5.3: bearer tokens must not be passed in page URLs",
    why: "URLs and bodies end up in access logs, proxies and traces, and the key with them: a full \
          account takeover.",
    usual_fix: "Set the header once, in the one client that all calls share, and delete every other \
                place where the key is read.",
    blind_to: "Keys that are sent to other hosts, or encoded so that the scanner does not know them.",
    bounds: &[],
    minimums: &[calls::CALLS, calls::KINDS],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[],
    sees: &[Sight::Upstream],
};

/// See the module.
pub struct BearerHeaderOnly;

impl Guarantee for BearerHeaderOnly {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

fn judge(case: &Case) -> Verdict {
    let mut offences = Offences::default();
    let (mut with_key, mut without) = (0, 0);
    for exchange in case.linktree.exchanges.iter() {
        if exchange.head.key_places.contains(&KeyPlace::BearerHeader) {
            with_key += 1;
        }
        if let Some(wrong) = wrong(exchange) {
            let what = format!("a call to {} {wrong}", exchange.target);
            offences.add(exchange.t_req, || {
                Witness::new(exchange.t_req, what).line(case.tell(exchange))
            });
        } else if needs_key(exchange.route) {
            without += 1;
        }
    }
    let all = case.linktree.exchanges.len();
    let wrong = Gauge::none_of("calls with the key elsewhere or without it");
    let wrong = wrong.counted(offences.count(), without);
    offences
        .verdict(without, "calls that need a key")
        .at_least(calls::strength(case, |exchange| needs_key(exchange.route)))
        .measured(
            [wrong],
            format!("{with_key} of {all} upstream calls bore the key as a bearer"),
            "the key in `Authorization: Bearer`, and nowhere else, on every call",
        )
}

fn wrong(exchange: &JudgedExchange) -> Option<&'static str> {
    let elsewhere = exchange.head.key_places.iter().find_map(|place| match place {
        KeyPlace::BearerHeader => None,
        KeyPlace::OtherHeader => Some("sent the key in another header"),
        KeyPlace::Path => Some("sent the key in the path"),
        KeyPlace::Query => Some("sent the key in the query"),
        KeyPlace::Body => Some("sent the key in the body"),
    });
    let missing = exchange.head.key_places.is_empty() && needs_key(exchange.route);
    elsewhere.or(missing.then_some("sent no key"))
}

/// Health needs none, and of an unknown route nobody can say.
const fn needs_key(route: Route) -> bool {
    !matches!(route, Route::Health | Route::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, ordinary_calls, read};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::history::exchange::Exchange;

    #[track_caller]
    fn check(route: Route, key_places: &[KeyPlace], expected: VerdictKind) {
        let exchange = Exchange { route, key_places: key_places.to_vec(), ..read("ann", 10) };
        let day = ordinary_calls();
        let verdict = History::over(&[]).exchanges(day).exchange(exchange);
        let verdict = verdict.judged_by(&BearerHeaderOnly);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    #[test]
    fn the_bearer_header_alone_holds() {
        check(Route::Profile, &[KeyPlace::BearerHeader], Held);
    }

    #[test]
    fn every_other_place_is_violated_even_beside_the_header() {
        use KeyPlace::{BearerHeader, Body, OtherHeader, Path, Query};
        for place in [OtherHeader, Path, Query, Body] {
            check(Route::Profile, &[place], Violated);
            check(Route::ClicksBatch, &[BearerHeader, place], Violated);
        }
        check(Route::Health, &[Query], Violated);
        check(Route::Unknown, &[Path], Violated);
    }

    #[test]
    fn a_missing_key_is_violated_where_one_is_needed() {
        check(Route::Me, &[], Violated);
        check(Route::Health, &[], Held);
        check(Route::Unknown, &[], Held);
    }

    #[test]
    fn few_calls_or_one_kind_of_them_prove_little() {
        let kind = |calls: Vec<Exchange>| {
            History::over(&[]).exchanges(calls).judged_by(&BearerHeaderOnly).kind
        };
        assert_eq!(kind(ordinary_calls()), Held);
        let all = History::over(&[]).exchanges(ordinary_calls()).judged_by(&BearerHeaderOnly);
        assert!(all.observed.starts_with(
            "calls with the key elsewhere or without it: 0; 30 of 30 upstream calls bore the key"
        ), "{all:?}");
        assert_eq!(kind(ordinary_calls().into_iter().take(19).collect()), Inconclusive);
        assert_eq!(kind((0..40).map(|n| read("ann", n)).collect()), Inconclusive);
    }

    #[test]
    fn an_empty_history_is_inconclusive() {
        assert_eq!(History::over(&[]).judged_by(&BearerHeaderOnly).kind, Inconclusive);
    }
}

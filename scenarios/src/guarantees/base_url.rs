//! Every upstream call goes to the configured base, under `/v1`.
//!
//! Blind to: calls to other hosts, which never reach the mock. Broken by: `base-without-v1-on-links`,
//! `links-route-guessed`.

use super::evidence::calls;
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, JudgedExchange};
use crate::measure::Gauge;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::contract::Route;

const PROMISE: Promise = Promise {
    id: "base-url",
    statement: "Every upstream call goes to the configured base, under `/v1`.",
    priority: Priority::Standard,
    source: "checklist; assumed contract (`windthrow explain contract`): every route lies under `/v1`",
    why: "A call beside the versioned base meets another contract, or none, on the day that the \
          unversioned routes are moved.",
    usual_fix: "Read the base URL from the configuration once, and join paths in one place.",
    blind_to: "Calls that go to another host altogether.",
    bounds: &[],
    minimums: &[calls::CALLS, calls::KINDS],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[],
    sees: &[Sight::Upstream],
};

/// See the module.
pub struct BaseUrl;

impl Guarantee for BaseUrl {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

fn judge(case: &Case) -> Verdict {
    let base = case.harness.mock_url.as_deref();
    let host = base.map(|url| url.split_once("://").map_or(url, |(_, rest)| rest));
    let host = host.map(|rest| rest.trim_end_matches('/'));
    let mut offences = Offences::default();
    for exchange in case.linktree.exchanges.iter() {
        if let Some(wrong) = wrong(exchange, host) {
            offences.add(exchange.t_req, || {
                Witness::new(exchange.t_req, wrong).line(case.tell(exchange))
            });
        }
    }
    let all = case.linktree.exchanges.len();
    let beside = Gauge::none_of("calls beside the base").counted(offences.count(), all);
    let rule = format!("every call below {}/v1/", base.unwrap_or("the base URL, "));
    offences.verdict(all, "upstream calls").at_least(calls::strength(case, |_| true)).measured(
        [beside],
        format!("{all} upstream calls in all"),
        rule,
    )
}

fn wrong(exchange: &JudgedExchange, host: Option<&str>) -> Option<String> {
    if !exchange.target.starts_with("/v1/") {
        return Some(format!("a call to {} is not below /v1/", exchange.target));
    }
    if let Some(host) = host
        && !exchange.head.host.as_deref().is_some_and(|named| named.eq_ignore_ascii_case(host))
    {
        let named = exchange.head.host.as_deref().unwrap_or("no host");
        return Some(format!("a call names {named} instead of {host}"));
    }
    (exchange.route == Route::Unknown).then(|| {
        format!("{} {} is no route of the contract", exchange.head.method, exchange.target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, ordinary_calls, read};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::history::exchange::Exchange;

    #[track_caller]
    fn check(exchange: Exchange, expected: VerdictKind) {
        let mut history = History::over(&[]).exchanges(ordinary_calls()).exchange(exchange);
        history.case.harness.mock_url = Some("http://127.0.0.1:1".into());
        let verdict = history.judged_by(&BaseUrl);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    fn to(target: &str, route: Route) -> Exchange {
        Exchange { target: target.into(), route, ..read("ann", 10) }
    }

    #[test]
    fn calls_below_the_base_hold() {
        check(read("ann", 10), Held);
        check(to("/v1/webhooks", Route::Webhooks), Held);
        check(to("/v1/links?cursor=x", Route::Links), Held);
        check(Exchange { method: "HEAD".into(), ..to("/v1/health", Route::Health) }, Held);
        check(to("/v1/profiles/../me", Route::Me), Held);
    }

    #[test]
    fn other_prefixes_and_routes_are_violated() {
        check(to("/profiles/ann", Route::Unknown), Violated);
        check(to("/v2/profiles/ann", Route::Unknown), Violated);
        check(to("/v1/v1/profiles/ann", Route::Unknown), Violated);
        check(to("/v11/me", Route::Unknown), Violated);
        check(to("/v1/links/profiles/ann", Route::Unknown), Violated);
        check(to("/v1/analytics", Route::Unknown), Violated);
        check(to("/v1/profiles/../../me", Route::Unknown), Violated);
    }

    #[test]
    fn another_host_is_violated() {
        check(Exchange { host: Some("linktr.ee".into()), ..read("ann", 10) }, Violated);
        check(Exchange { host: None, ..read("ann", 10) }, Violated);
        check(
            Exchange { host: Some("127.0.0.1:1, linktr.ee".into()), ..read("ann", 10) },
            Violated,
        );
    }

    #[test]
    fn without_the_head_of_the_history_only_the_path_is_judged() {
        let elsewhere = Exchange { host: Some("linktr.ee".into()), ..read("ann", 10) };
        let history = History::over(&[]).exchanges(ordinary_calls()).exchange(elsewhere);
        assert_eq!(history.judged_by(&BaseUrl).kind, Held);
        assert_eq!(History::over(&[]).judged_by(&BaseUrl).kind, Inconclusive);
    }
}

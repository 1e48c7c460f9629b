//! Every upstream request says that it speaks JSON.
//!
//! Blind to: whether the bodies are JSON. Broken by: `accept-missing-on-links`,
//! `content-type-missing-on-clicks`.

use super::evidence::calls;
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, JudgedExchange};
use crate::measure::Gauge;
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};

const PROMISE: Promise = Promise {
    id: "json-headers",
    statement: "`Content-Type: application/json` (where there is a body) and `Accept` are on every \
                upstream request.",
    priority: Priority::Standard,
    source: "checklist; RFC 9110 sections 8.3 and 12.5.1; `Accept` must name JSON, since many \
             clients send `*/*` without having been told to",
    why: "A service may answer an error page in HTML to whoever does not ask for JSON, and refuse a \
          body without a type.",
    usual_fix: "Set both as default headers of the one client that all calls share.",
    blind_to: "Whether the bodies are what the headers say.",
    bounds: &[],
    minimums: &[calls::CALLS, calls::KINDS, BODIES],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[],
    sees: &[Sight::Upstream],
};

/// Where there is no body, no `Content-Type` is needed.
const BODIES: Minimum = Minimum { name: "calls with a body", least: 5 };

/// See the module.
pub struct JsonHeaders;

impl Guarantee for JsonHeaders {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

fn judge(case: &Case) -> Verdict {
    let mut offences = Offences::default();
    for exchange in case.linktree.exchanges.iter() {
        if let Some(wrong) = wrong(exchange) {
            offences.add(exchange.t_req, || {
                Witness::new(exchange.t_req, wrong).line(case.tell(exchange))
            });
        }
    }
    let all = case.linktree.exchanges.len();
    let with_body = case.linktree.exchanges.iter().filter(|exchange| exchange.has_body).count();
    let lacking = Gauge::none_of("calls that lack a header").counted(offences.count(), all);
    let [calls, kinds] = calls::strength(case, |_| true);
    offences
        .verdict(all, "upstream calls")
        .at_least([calls, kinds, BODIES.seen(with_body)])
        .measured(
            [lacking],
            format!("{all} upstream calls in all, {with_body} with a body"),
            "`Accept` names JSON, and `Content-Type: application/json` stands beside every body",
        )
}

fn wrong(exchange: &JudgedExchange) -> Option<String> {
    let Some(accept) = exchange.head.accept.as_deref() else {
        return Some(format!("{} {} has no Accept", exchange.head.method, exchange.target));
    };
    if !accept.split(',').any(accepts_json) {
        return Some(format!("`Accept: {accept}` does not name JSON"));
    }
    match exchange.head.content_type.as_deref() {
        _ if !exchange.has_body => None,
        None => Some(format!("{} {} has a body of no type", exchange.head.method, exchange.target)),
        Some(given) if !media_type(given).eq_ignore_ascii_case("application/json") => {
            Some(format!("a body has `Content-Type: {given}`"))
        }
        Some(_) => None,
    }
}

fn accepts_json(range: &str) -> bool {
    let kind = media_type(range);
    let suffix = kind.get(kind.len().saturating_sub(5)..).unwrap_or_default();
    let json =
        kind.eq_ignore_ascii_case("application/json") || suffix.eq_ignore_ascii_case("+json");
    let weight = range.split(';').skip(1).find_map(|parameter| parameter.trim().strip_prefix("q="));
    json && weight.and_then(|weight| weight.parse::<f32>().ok()) != Some(0.0)
}

fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, ordinary_calls, read, sent_click};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::history::exchange::Exchange;

    #[track_caller]
    fn check(accept: &str, content_type: Option<&str>, expected: VerdictKind) {
        let exchange = Exchange {
            accept: (!accept.is_empty()).then(|| accept.into()),
            content_type: content_type.map(str::to_owned),
            ..sent_click("a", 10, 202)
        };
        let day = ordinary_calls();
        let verdict = History::over(&[]).exchanges(day).exchange(exchange).judged_by(&JsonHeaders);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    #[test]
    fn json_in_any_lawful_spelling_holds() {
        check("application/json", Some("application/json"), Held);
        check(
            "text/html;q=0.1, Application/JSON; q=0.9",
            Some("application/json; charset=utf-8"),
            Held,
        );
        // Two lines are one list, which the mock has joined.
        check("text/plain, application/json", Some("application/json"), Held);
        check("application/vnd.linktree+json", Some("APPLICATION/JSON"), Held);
    }

    #[test]
    fn a_missing_or_other_header_is_violated() {
        check("", Some("application/json"), Violated);
        check("*/*", Some("application/json"), Violated);
        check("application/json;q=0", Some("application/json"), Violated);
        check("application/json", None, Violated);
        check("application/json", Some("text/plain"), Violated);
    }

    #[test]
    fn a_call_without_a_body_needs_no_type_but_proves_little() {
        let kind =
            |calls: Vec<Exchange>| History::over(&[]).exchanges(calls).judged_by(&JsonHeaders).kind;
        assert_eq!(kind(ordinary_calls()), Held);
        let bodiless = |call: Exchange| Exchange { body_bytes: 0, content_type: None, ..call };
        assert_eq!(kind(ordinary_calls().into_iter().map(bodiless).collect()), Inconclusive);
        assert_eq!(kind((0..40).map(|n| read("ann", n)).collect()), Inconclusive);
        assert_eq!(kind(vec![]), Inconclusive);
    }
}

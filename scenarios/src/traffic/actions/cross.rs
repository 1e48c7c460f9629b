//! Asks the API as a browser does for a page of another origin: the allowed one's, and those of look-alikes.

use super::click::{event_prefix, link_id};
use super::{Act, ActionInfo, Connection, Visit};
use crate::front_door::{ALLOWED_ORIGIN, ClickValues, FrontRoute};
use crate::history::{self, Asked, Did, Origin};
use crate::traffic::Answer;
use reqwest::{Client, Method, RequestBuilder};
use std::borrow::Cow;

/// Asks for a page of another origin.
pub struct Cross;

/// Of each header as much as is recorded, characters.
const LONGEST: usize = 256;

/// What one visitor asks, of which route, for a page of which origin: each visitor has the next.
fn chosen(visit: &Visit<'_>) -> (FrontRoute, Asked, Origin) {
    let routes = visit.front.cross_origin_routes();
    let of = |route: FrontRoute| asks(route).iter().map(move |asked| (route, *asked));
    let asked: Vec<_> = routes.into_iter().flat_map(of).collect();
    let nth = visit.nth as usize;
    let origin = Origin::ALL[nth % Origin::ALL.len()];
    // Without a route, nobody comes.
    let (route, asked) = *asked
        .get(nth / Origin::ALL.len() % asked.len().max(1))
        .unwrap_or(&(FrontRoute::Clicks, Asked::Preflight));
    (route, asked, origin)
}

/// What may be asked of a route without doing more than a click.
const fn asks(route: FrontRoute) -> &'static [Asked] {
    match route {
        FrontRoute::Clicks => &[Asked::Preflight, Asked::Request, Asked::Refused, Asked::Get],
        FrontRoute::Analytics => &[Asked::Preflight, Asked::Get],
        FrontRoute::Metrics
        | FrontRoute::Campaigns
        | FrontRoute::Webhooks
        | FrontRoute::CrossOrigin => &[],
    }
}

/// The method by which a route is used, and its path.
fn spelled(visit: &Visit<'_>, route: FrontRoute) -> (Method, String) {
    let front = visit.front;
    match route {
        FrontRoute::Clicks => (front.click_method.method(), visit.url(&front.clicks)),
        // Nobody who has no session is shown any figures.
        FrontRoute::Analytics => {
            (Method::GET, visit.url(&front.analytics_of(visit.handle, "2026-01-01", "2026-01-31")))
        }
        FrontRoute::Metrics
        | FrontRoute::Campaigns
        | FrontRoute::Webhooks
        | FrontRoute::CrossOrigin => (Method::GET, visit.url(&front.metrics)),
    }
}

impl Act for Cross {
    const INFO: ActionInfo = ActionInfo {
        id: "cross",
        noun: "request of another origin",
        story: "page of another origin asks of",
        lines: None,
        dice: "other origins",
        needs: Some(FrontRoute::CrossOrigin),
        connection: Connection::Own,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        let (route, asked, origin) = chosen(visit);
        let (method, url) = spelled(visit, route);
        let request = match asked {
            Asked::Preflight => client
                .request(Method::OPTIONS, url)
                .header("access-control-request-method", method.as_str())
                .header("access-control-request-headers", "content-type"),
            Asked::Request => {
                let body = visit.front.click_fields.body(&ClickValues {
                    event_id: &event_id(visit),
                    handle: visit.handle,
                    link_id: &link_id(visit),
                    occurred_at: &visit.calendar(),
                    ip: &visit.visitor.ip(),
                    user_agent: &visit.habits.browser,
                });
                client.request(method, url).json(&body)
            }
            Asked::Refused => client.request(method, url).json(&serde_json::json!({})),
            Asked::Get => client.get(url),
        };
        request.header("origin", origin.of(ALLOWED_ORIGIN))
    }

    fn notes(visit: &mut Visit<'_>, answer: &Answer) -> Did<'static> {
        let (route, asked, from) = chosen(visit);
        let header = |name: &str| {
            let lines = answer.headers.get_all(name).iter();
            let lines: Vec<_> = lines.map(|one| String::from_utf8_lossy(one.as_bytes())).collect();
            let list: String = lines.join(", ").chars().take(LONGEST).collect();
            (!lines.is_empty()).then_some(Cow::Owned(list))
        };
        let credentials = header("access-control-allow-credentials");
        Did::Cross(history::Cross {
            route,
            asked,
            from,
            origin: from.of(ALLOWED_ORIGIN).into(),
            acao: header("access-control-allow-origin"),
            credentials: credentials.is_some_and(|value| value.eq_ignore_ascii_case("true")),
            vary: header("vary"),
            methods: header("access-control-allow-methods"),
            event_id: (asked == Asked::Request).then(|| event_id(visit).into()),
        })
    }
}

/// The same seed and index always give the same id, which no click has.
fn event_id(visit: &Visit<'_>) -> String {
    format!("{}{}-cross", event_prefix(visit.visitor.seed), visit.visitor.arrival)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::actions::testing;
    use std::collections::BTreeSet;

    #[test]
    fn each_visitor_asks_for_the_next_origin_and_then_something_else() {
        let mut seen = BTreeSet::new();
        for nth in 0..52 {
            let mut visit = Visit { nth, ..testing::visit() };
            let request = Cross::sends(&visit, &Client::new()).build().unwrap();
            let Did::Cross(noted) = Cross::notes(&mut visit, &Answer::default()) else {
                panic!("a request of another origin notes one");
            };
            assert_eq!(request.headers()["origin"], noted.origin.as_ref());
            let method = match noted.asked {
                Asked::Preflight => "OPTIONS",
                Asked::Request | Asked::Refused => "POST",
                Asked::Get => "GET",
            };
            assert_eq!((request.url().path(), request.method().as_str()), ("/api/clicks", method));
            assert_eq!(noted.event_id.is_some(), noted.asked == Asked::Request);
            seen.insert((noted.asked, noted.from));
        }
        assert_eq!(seen.len(), 52);
    }

    #[test]
    fn what_the_answer_allows_is_noted_with_all_its_lines() {
        let mut answer = Answer::default();
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example.org"),
            ("access-control-allow-credentials", "true"),
            ("vary", "accept-encoding"),
            ("vary", "Origin"),
        ] {
            answer.headers.append(name, value.parse().unwrap());
        }
        let Did::Cross(noted) = Cross::notes(&mut testing::visit(), &answer) else {
            panic!("a request of another origin notes one");
        };
        assert_eq!(noted.acao.as_deref(), Some(ALLOWED_ORIGIN));
        assert_eq!(noted.vary.as_deref(), Some("accept-encoding, Origin"));
        assert!(noted.credentials && noted.methods.is_none());
    }
}

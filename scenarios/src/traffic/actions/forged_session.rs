//! Somebody looks at a creator's figures with a token that nobody was given, or with a good one in a
//! disguise.

use super::analytics::{address, look, seen};
use super::{Act, ActionInfo, Connection, Visit};
use crate::front_door::FrontRoute;
use crate::history::{Did, Session};
use crate::traffic::Answer;
use reqwest::{Client, RequestBuilder};

/// Looks at figures with a forged session.
pub struct ForgedSession;

/// Each visitor of a stream comes with the next.
const KINDS: [Session; 8] = Session::FORGED;
/// What is left of a code that was cut: half of it, which whoever compares prefixes takes for all.
const LEFT: usize = 32;

impl Act for ForgedSession {
    const INFO: ActionInfo = ActionInfo {
        id: "forged-session",
        noun: "look with a forged session",
        story: "look with a forged session at the figures of",
        lines: None,
        dice: "forged-session",
        needs: Some(FrontRoute::Analytics),
        connection: Connection::Own,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        let (sessions, handle) = (visit.sessions, visit.handle);
        let another = sessions.another(handle);
        let plain = address(visit, handle);
        let with = |token: &str| look(visit, client, &plain, Some(token));
        let disguised =
            |address: &str| look(visit, client, address, Some(&sessions.token(another)));
        match visit.in_turn(&KINDS) {
            Session::OthersMac => with(&format!("{handle}.{}", sessions.mac(another))),
            Session::CutMac => with(&format!("{handle}.{}", &sessions.mac(handle)[..LEFT])),
            Session::EmptyMac => with(&format!("{handle}.")),
            Session::Absent => look(visit, client, &plain, None),
            Session::WrongSecret => with(&format!("{handle}.{}", sessions.wrong_mac(handle))),
            Session::OtherCase => disguised(&address(visit, &handle.to_ascii_uppercase())),
            Session::EncodedDot => disguised(&address(visit, &format!("{handle}%2e"))),
            Session::HandleInQuery => {
                let own = address(visit, another);
                let joint = if own.contains('?') { '&' } else { '?' };
                disguised(&format!("{own}{joint}handle={handle}"))
            }
            Session::Own | Session::Another => disguised(&plain),
        }
    }

    fn notes(visit: &mut Visit<'_>, answer: &Answer) -> Did<'static> {
        let session = visit.in_turn(&KINDS);
        let principal = session.is_good().then(|| visit.sessions.another(visit.handle));
        Did::ForgedSession(seen(visit, answer, session, principal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run_plan;
    use crate::traffic::actions::testing;
    use crate::traffic::sessions::Sessions;

    #[test]
    fn each_visitor_forges_in_the_next_way() {
        let handles = ["ann", "bob"].map(str::to_owned).to_vec().into();
        let sessions = Sessions::of(&run_plan(&[]).scenarios[0], &handles, "secret");
        let good = sessions.token("bob");
        let expected = [
            ("/api/analytics/ann", Some(format!("ann.{}", sessions.mac("bob"))), None),
            ("/api/analytics/ann", Some(sessions.token("ann")[..4 + LEFT].to_owned()), None),
            ("/api/analytics/ann", Some("ann.".to_owned()), None),
            ("/api/analytics/ann", None, None),
            ("/api/analytics/ann", Some(format!("ann.{}", sessions.wrong_mac("ann"))), None),
            ("/api/analytics/ANN", Some(good.clone()), Some("bob")),
            ("/api/analytics/ann%2e", Some(good.clone()), Some("bob")),
            ("/api/analytics/bob?handle=ann", Some(good), Some("bob")),
        ];
        for (nth, (path, token, principal)) in (0..).zip(expected) {
            let mut visit = Visit { nth, sessions: &sessions, ..testing::visit() };
            let request = ForgedSession::sends(&visit, &Client::new()).build().unwrap();
            assert!(request.url().as_str().ends_with(path), "{} {path}", request.url());
            let shown = request.headers().get("authorization").map(|it| it.to_str().unwrap());
            assert_eq!(shown.map(str::to_owned), token.map(|token| format!("Bearer {token}")));
            let Did::ForgedSession(look) = ForgedSession::notes(&mut visit, &Answer::default())
            else {
                panic!("a forged look notes a forged look");
            };
            assert_eq!((look.session, look.principal.as_deref()), (KINDS[nth as usize], principal));
        }
    }
}

//! A creator with a good session looks at the figures of another.

use super::analytics::{address, look, seen};
use super::{Act, ActionInfo, Connection, Visit};
use crate::front_door::FrontRoute;
use crate::history::{Did, Session};
use crate::traffic::Answer;
use reqwest::{Client, RequestBuilder};

/// Looks at another's figures.
pub struct ForeignAnalytics;

impl Act for ForeignAnalytics {
    const INFO: ActionInfo = ActionInfo {
        id: "foreign-analytics",
        noun: "look at another's figures",
        story: "look of another at the figures of",
        lines: None,
        dice: "foreign-analytics",
        needs: Some(FrontRoute::Analytics),
        connection: Connection::Own,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        let token = visit.sessions.token(visit.sessions.another(visit.handle));
        look(visit, client, &address(visit, visit.handle), Some(&token))
    }

    fn notes(visit: &mut Visit<'_>, answer: &Answer) -> Did<'static> {
        let principal = visit.sessions.another(visit.handle);
        Did::ForeignAnalytics(seen(visit, answer, Session::Another, Some(principal)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run_plan;
    use crate::traffic::actions::testing;
    use crate::traffic::sessions::Sessions;

    #[test]
    fn the_path_names_one_and_the_token_another() {
        let handles = ["ann", "bob"].map(str::to_owned).to_vec().into();
        let sessions = Sessions::of(&run_plan(&[]).scenarios[0], &handles, "secret");
        let visit = Visit { sessions: &sessions, ..testing::visit() };
        let request = ForeignAnalytics::sends(&visit, &Client::new()).build().unwrap();
        assert_eq!(request.url().path(), "/api/analytics/ann");
        let shown = request.headers()["authorization"].to_str().unwrap();
        assert_eq!(shown, format!("Bearer {}", sessions.token("bob")));
    }
}

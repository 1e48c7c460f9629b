//! What a visitor can do at the front door, one action a file.
//!
//! An action says what it sends, given the front door and who the visitor is, and what it notes of
//! the answer; what it reads there it may leave in the [`Visit`] for the steps that follow. Everything
//! else follows from the registry: plans name it in `does`, its share has dice of its own, steps whose
//! route an integration lacks are left out, and stories, charts and the search for leaks know it by
//! its [`ActionInfo`].
//!
//! # A new action
//!
//! `click.rs` is the smallest example. A new action touches
//!
//! 1. `actions/<name>.rs`: a unit struct with its [`Act`];
//! 2. this file: its `mod` line and its line in `actions!`;
//! 3. `history/did.rs`: the variant of [`Did`] that carries what it notes, with an arm in each match.
//!
//! What sane visitors do and what they send by mistake are actions alike, but judges must never take
//! one for the other: that is why each has its own [`Did`].
//!
//! An action at a route that integrations may lack also names that route in
//! [`FrontRoute`], and its spelling in [`FrontDoor`].

mod analytics;
mod campaign;
mod click;
mod cross;
mod foreign_analytics;
mod forged_session;
mod garbled_click;
mod head;
mod nobody;
mod odd_click;
mod page;
mod wrong_method;

pub use analytics::Analytics;
pub use campaign::Campaign;
pub use click::{Click, event_prefix};
pub use cross::Cross;
pub use foreign_analytics::ForeignAnalytics;
pub use forged_session::ForgedSession;
pub use garbled_click::GarbledClick;
pub use head::Head;
pub use nobody::Nobody;
pub use odd_click::OddClick;
pub use page::Page;
pub use wrong_method::WrongMethod;

use super::campaigns::Campaigns;
use super::page::{Page as ReadPage, Pages};
use super::sessions::Sessions;
use super::{Answer, Habits, Visitor};
use crate::front_door::{FrontDoor, FrontRoute};
use crate::history::Did;
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a reader needs to know of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionInfo {
    /// As in a plan; the file's name with `-` for `_`.
    pub id: &'static str,
    /// What it is, in a word or two.
    pub noun: &'static str,
    /// What a witness's story calls it; the creator's handle follows.
    pub story: &'static str,
    /// The lines of the chart: how many were begun, and how many were answered well. What has none
    /// is no part of the load, nor of how long visitors wait.
    pub lines: Option<[&'static str; 2]>,
    /// Names the random numbers that choose whose visits have it.
    pub dice: &'static str,
    /// The route without which it cannot be done; every integration has pages.
    pub needs: Option<FrontRoute>,
    /// Over which connection it goes.
    pub connection: Connection,
}

/// Over which connection a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// One that visitors keep and use again, as browsers do.
    Kept,
    /// One of its own that nobody uses afterwards. A server may hang up on whoever makes mistakes, and
    /// need not announce it; the next visitor on that connection would have no answer, through no
    /// fault of the integration.
    Own,
}

/// One thing that a visitor can do.
pub trait Act {
    /// What a reader needs to know of it.
    const INFO: ActionInfo;

    /// What is sent. The visitor's address and browser are put into the head of every request.
    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder;

    /// What the history notes, and what the visitor learns, once there is an answer, of which the
    /// body may have broken off, or none at all.
    fn notes(visit: &mut Visit<'_>, answer: &Answer) -> Did<'static>;
}

/// A visit to one creator, as its actions see it.
#[derive(Clone, Debug)]
pub struct Visit<'a> {
    /// `http://host:port` of the integration.
    pub front_url: &'a str,
    /// How its routes are spelled.
    pub front: &'a FrontDoor,
    /// Who visits.
    pub visitor: Visitor,
    /// How this visitor comes.
    pub habits: Habits,
    /// Which of its stream's visitors it is, from 0: what comes in kinds comes in turn.
    pub nth: u32,
    /// Whom.
    pub handle: &'a str,
    /// When the present step was meant to begin, milliseconds since the Unix epoch.
    pub intended_unix_ms: i64,
    /// The pages that were read.
    pub pages: &'a Pages,
    /// Creators' sessions.
    pub sessions: &'a Sessions,
    /// What creators launch.
    pub campaigns: &'a Campaigns,
    /// The page that an earlier step opened, as it was read.
    pub page: Option<Arc<ReadPage>>,
}

impl Visit<'_> {
    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.front_url)
    }

    /// The address of somebody's page, as this visitor comes to it.
    #[must_use]
    pub fn page_url(&self, handle: &str) -> String {
        let page = self.url(&self.front.page_of(handle));
        match self.habits.query.as_str() {
            "" => page,
            query if page.contains('?') => format!("{page}&{query}"),
            query => format!("{page}?{query}"),
        }
    }

    /// The creator's private address, which visitors may know and nobody may log.
    #[must_use]
    pub fn email(&self) -> String {
        mock_server::world::population::email(self.visitor.seed, self.handle)
    }

    /// The day so many days before the present step was meant to begin, UTC.
    #[must_use]
    pub fn day(&self, before: i64) -> String {
        let ms = self.intended_unix_ms.saturating_sub(before.saturating_mul(86_400_000));
        let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        time.strftime("%Y-%m-%d").to_string()
    }

    /// One of these kinds: each visitor of a stream has the next.
    ///
    /// # Panics
    ///
    /// When there are none.
    #[must_use]
    pub const fn in_turn<T: Copy>(&self, kinds: &[T]) -> T {
        kinds[self.nth as usize % kinds.len()]
    }

    /// The calendar time at which the present step was meant to begin, RFC 3339.
    #[must_use]
    pub fn calendar(&self) -> String {
        let time = Timestamp::from_millisecond(self.intended_unix_ms);
        format!("{:.3}", time.unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

/// Names every action once; the enum, its dispatch and the registry follow.
macro_rules! actions {
    ($($name:ident)*) => {
        /// Every action, as a plan names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Action {
            $(#[doc = concat!("See [`", stringify!($name), "`](struct@", stringify!($name), ").")]
            $name,)*
        }

        /// Every action, in reading order.
        pub const ACTIONS: &[Action] = &[$(Action::$name),*];

        impl Action {
            /// What a reader needs to know of it.
            #[must_use]
            pub const fn info(self) -> ActionInfo {
                match self { $(Self::$name => $name::INFO,)* }
            }

            /// What is sent.
            pub fn sends(self, visit: &Visit<'_>, client: &Client) -> RequestBuilder {
                match self { $(Self::$name => $name::sends(visit, client),)* }
            }

            /// What the history notes, and what the visitor learns.
            #[must_use]
            pub fn notes(self, visit: &mut Visit<'_>, answer: &Answer) -> Did<'static> {
                match self { $(Self::$name => $name::notes(visit, answer),)* }
            }
        }
    };
}

actions! {
    Page
    Click
    Head
    Nobody
    WrongMethod
    GarbledClick
    OddClick
    Analytics
    ForeignAnalytics
    ForgedSession
    Cross
    Campaign
}

/// What the actions' own tests share.
#[cfg(test)]
mod testing {
    use super::*;
    use std::sync::LazyLock;

    /// A visit to `ann`, a second and a half after the epoch.
    pub fn visit() -> Visit<'static> {
        static FRONT: LazyLock<FrontDoor> = LazyLock::new(FrontDoor::default);
        static PAGES: LazyLock<Pages> = LazyLock::new(Pages::default);
        static SESSIONS: LazyLock<Sessions> = LazyLock::new(Sessions::default);
        static CAMPAIGNS: LazyLock<Campaigns> = LazyLock::new(Campaigns::default);
        Visit {
            front_url: "http://127.0.0.1:1",
            front: &FRONT,
            visitor: Visitor { seed: 7, arrival: 0 },
            habits: Habits::default(),
            nth: 0,
            handle: "ann",
            intended_unix_ms: 1_500,
            pages: &PAGES,
            sessions: &SESSIONS,
            campaigns: &CAMPAIGNS,
            page: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_is_named_like_its_file_and_notes_what_it_did() {
        for action in ACTIONS {
            let info = action.info();
            assert_eq!(serde_json::to_value(action).unwrap(), info.id);
            assert_eq!(action.notes(&mut testing::visit(), &Answer::default()).action(), *action);
        }
        let dice: BTreeSet<_> = ACTIONS.iter().map(|action| action.info().dice).collect();
        assert_eq!(dice.len(), ACTIONS.len(), "each action has dice of its own");
    }

    #[test]
    fn routes_may_be_spelled_otherwise_by_anybody_who_comes() {
        let front = FrontDoor {
            page: "/p?of={handle}".into(),
            clicks: "/track".into(),
            analytics: "/stats?of={handle}".into(),
            campaigns: "/launches".into(),
            click_method: crate::front_door::ClickMethod::Put,
            ..FrontDoor::default()
        };
        let habits = Habits { query: "utm_source=x".into(), ..Habits::default() };
        for action in ACTIONS {
            let visit = Visit { front: &front, habits: habits.clone(), ..testing::visit() };
            let request = action.sends(&visit, &Client::new()).build().unwrap();
            let (path, query) = (request.url().path(), request.url().query().unwrap_or_default());
            match action.info().needs {
                Some(FrontRoute::CrossOrigin) => assert_eq!(path, "/track"),
                Some(FrontRoute::Campaigns) => assert_eq!(path, "/launches"),
                Some(FrontRoute::Clicks) => {
                    assert_eq!((path, request.method().as_str()), ("/track", "PUT"))
                }
                Some(FrontRoute::Analytics) => {
                    assert_eq!((path, request.method().as_str()), ("/stats", "GET"));
                    assert!(query.starts_with("of="), "{query}");
                }
                _ => {
                    assert_eq!(path, "/p");
                    assert!(
                        query.starts_with("of=") && query.ends_with("&utm_source=x"),
                        "{query}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_listed_and_opens_with_a_sentence() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/traffic/actions");
        let mut stems = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue; // parts of the action of the same name
            }
            let stem = path.file_stem().unwrap().to_str().unwrap().replace('_', "-");
            assert!(std::fs::read_to_string(&path).unwrap().starts_with("//! "), "{stem}");
            stems.insert(stem);
        }
        assert!(stems.remove("mod"));
        assert_eq!(stems, ACTIONS.iter().map(|action| action.info().id.to_owned()).collect());
    }
}

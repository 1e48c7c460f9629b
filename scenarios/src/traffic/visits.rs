//! Visits at the front door: one step after the other, and what happened is recorded.

use super::actions::{Action, Connection, Visit};
use super::campaigns::Campaigns;
use super::page::{Page, Pages};
use super::run::OperationSink;
use super::schedule::{Planned, Schedule};
use super::sessions::Sessions;
use super::{Habits, Visitor};
use crate::front_door::FrontDoor;
use crate::history::{BodyHash, Did, OpFailure, Operation};
use mock_server::clock::{Clock, Moment};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, REFERER, USER_AGENT};
use reqwest::{Client, RequestBuilder};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// As much of a body as is looked at; all of it is read.
const BODY_LOOK: usize = 256 * 1024;

/// What every visitor of a storm shares.
pub struct Shared {
    /// `http://host:port` of the integration.
    pub front_url: String,
    /// How its routes are spelled.
    pub front: Arc<FrontDoor>,
    /// Who arrives when.
    pub schedule: Arc<Schedule>,
    /// The plan's seed.
    pub seed: u64,
    /// Keeps no connection: each request has one of its own.
    pub odd_client: Client,
    /// Millisecond 0 of the plan.
    pub armed: Moment,
    /// The calendar time of `armed`, milliseconds since the Unix epoch.
    pub armed_unix_ms: i64,
    /// The pages that were read.
    pub pages: Pages,
    /// Creators' sessions.
    pub sessions: Sessions,
    /// What creators launch.
    pub campaigns: Campaigns,
    /// The run's clock.
    pub clock: Clock,
    /// Where operations are recorded.
    pub sink: Arc<dyn OperationSink>,
    /// Becomes true when all visitors shall go home at once.
    pub over: watch::Receiver<bool>,
    /// Visits that were begun.
    pub begun: AtomicU64,
}

/// An answer of the front door; empty when there was none.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Its headers.
    pub headers: HeaderMap,
    /// The beginning of the body.
    pub body: Vec<u8>,
    /// Length of the body, as far as it came, bytes.
    pub bytes: u64,
    /// The hash of the body, as far as it came.
    pub hash: BodyHash,
    /// Whether all of it came.
    pub whole: bool,
    /// What was read in it, if it is a page.
    pub page: Option<Arc<Page>>,
}

impl Answer {
    /// A header's value, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The headers as `name: value` lines.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let length =
            |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 3;
        let mut head = Vec::with_capacity(self.headers.iter().map(length).sum());
        for (name, value) in &self.headers {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
                head.extend_from_slice(part);
            }
        }
        head
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("front_url", &self.front_url).finish_non_exhaustive()
    }
}

impl Shared {
    /// Makes a visit: what was chosen for it, one step after the other. Gives its end.
    pub async fn visit(
        &self,
        client: &Client,
        arrival: u64,
        planned: Planned,
        intended: Moment,
    ) -> Moment {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let visitor = Visitor { seed: self.seed, arrival };
        let handle = self.schedule.handle(planned.creator);
        let mut visit = Visit {
            front_url: &self.front_url,
            front: &self.front,
            visitor,
            habits: Habits::of(visitor, handle),
            nth: planned.nth,
            handle,
            intended_unix_ms: 0,
            pages: &self.pages,
            sessions: &self.sessions,
            campaigns: &self.campaigns,
            page: None,
        };
        let mut end = intended;
        for action in self.schedule.actions(planned.does) {
            end = self.step(client, *action, &mut visit, end).await;
        }
        end
    }

    /// One step: sends it, and records how it was answered. Gives its end.
    async fn step(
        &self,
        client: &Client,
        action: Action,
        visit: &mut Visit<'_>,
        intended: Moment,
    ) -> Moment {
        visit.intended_unix_ms = self.unix_ms(intended);
        let client = match action.info().connection {
            Connection::Kept => client,
            Connection::Own => &self.odd_client,
        };
        let mut request = action
            .sends(visit, client)
            .header(USER_AGENT, &*visit.habits.browser)
            .header("x-forwarded-for", visit.visitor.ip());
        if let Some(referer) = &visit.habits.referer {
            request = request.header(REFERER, referer);
        }
        let sent = self.clock.now();
        let mut met = Met::default();
        let failure = tokio::select! {
            outcome = met.exchange(request, self.clock) => {
                outcome.err().map(|error| failure(&error))
            }
            // Whoever is sent home gives up, like any visitor who closes the page.
            () = self.over() => Some(OpFailure::Timeout),
        };
        let last = self.clock.now();
        let Met { first, status, mut answer, digest } = met;
        answer.hash = BodyHash::finish(digest);
        answer.whole = failure.is_none();
        if action == Action::Page {
            self.pages.read_apart(&mut answer, &self.front).await;
        }
        let operation = Operation {
            arrival: visit.visitor.arrival,
            handle: Cow::Owned(visit.handle.to_owned()),
            intended,
            sent,
            first,
            last,
            status,
            failure,
            did: action.notes(visit, &answer),
        };
        if let Did::Page(_) = operation.did {
            answer.page = visit.page.clone();
        }
        if operation.status.is_some() {
            self.sink.answer(&operation, &answer);
        }
        self.sink.operation(operation);
        last
    }

    /// Sleeps until a moment; false when the visitors were sent home before.
    pub async fn sleep_until(&self, moment: Moment) -> bool {
        let until = tokio::time::Instant::from_std(self.clock.instant(moment));
        tokio::select! {
            () = tokio::time::sleep_until(until) => true,
            () = self.over() => false,
        }
    }

    async fn over(&self) {
        // An error means that the storm itself is gone, which is an end as well.
        let _ = self.over.clone().wait_for(|over| *over).await;
    }

    /// The calendar time of a moment, milliseconds since the Unix epoch.
    fn unix_ms(&self, moment: Moment) -> i64 {
        let since = i64::try_from(moment.since(self.armed).as_millis()).unwrap_or(0);
        self.armed_unix_ms.saturating_add(since)
    }
}

/// What a visitor met so far.
#[derive(Default)]
struct Met {
    first: Option<Moment>,
    status: Option<u16>,
    answer: Answer,
    digest: Sha256,
}

impl Met {
    async fn exchange(
        &mut self,
        request: RequestBuilder,
        clock: Clock,
    ) -> Result<(), reqwest::Error> {
        let mut response = request.send().await?;
        self.first = Some(clock.now());
        self.status = Some(response.status().as_u16());
        self.answer.headers = std::mem::take(response.headers_mut());
        let answer = &mut self.answer;
        while let Some(chunk) = response.chunk().await? {
            self.digest.update(&chunk);
            answer.bytes += chunk.len() as u64;
            let room = BODY_LOOK.saturating_sub(answer.body.len());
            answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(())
    }
}

/// A connection that takes too long to open counts as given up.
fn failure(error: &reqwest::Error) -> OpFailure {
    if error.is_timeout() {
        OpFailure::Timeout
    } else if error.is_connect() {
        OpFailure::Connect
    } else {
        OpFailure::Broken
    }
}

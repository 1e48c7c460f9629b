//! Before any storm: one visitor opens a page, and the mock must see a request for it.
//!
//! Nothing that a target shows is worth anything if it does not call the mock. The page is of a
//! creator whom nobody else visits, so that the probe changes nothing for the storm.

use mock_server::clock::Clock;
use mock_server::history::handshake::HandshakeEnd;
use mock_server::history::record::Record;
use mock_server::world::population::{Group, Population};
use scenarios::front_door::FrontDoor;
use scenarios::observed::Reach;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long after the answer a request may still arrive, for those who fill pages afterwards.
const ARRIVES_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The creator whom only the probe visits, in its own group.
///
/// What runs already may have kept the page of an earlier probe, so each has a creator of its own.
fn group() -> Group {
    let prefix = format!("windthrow-{:x}", std::process::id());
    Group { prefix, count: 1, min_links: 1, max_links: 1, ..Group::default() }
}

/// The plan's population, and the creator of the probe.
#[must_use]
pub fn with_probe(population: &Population) -> Population {
    let mut population = population.clone();
    population.groups.push(group());
    population
}

/// Counts what arrives at the mock.
#[derive(Debug)]
pub struct Arrivals {
    /// The creator of the probe.
    pub handle: String,
    all: AtomicU64,
    for_the_probe: AtomicU64,
    /// Handshakes with a good certificate that came to nothing.
    handshakes: AtomicU64,
}

impl Default for Arrivals {
    fn default() -> Self {
        let own = Population { groups: vec![group()] };
        let handle = own.first_handle().expect("the group has a creator");
        let (all, for_the_probe, handshakes) = Default::default();
        Self { handle, all, for_the_probe, handshakes }
    }
}

impl Arrivals {
    /// Counts a record, if it is a request of the integration.
    pub fn note(&self, record: &Record) {
        if let Record::Handshake(handshake) = record
            && handshake.end != HandshakeEnd::Completed
        {
            self.handshakes.fetch_add(1, Ordering::Release);
        }
        let Record::Exchange(exchange) = record else { return };
        if exchange.is_connection_only() {
            return;
        }
        self.all.fetch_add(1, Ordering::Release);
        // Also where the base address is wrong, and no route is known.
        if exchange.target.contains(&self.handle) {
            self.for_the_probe.fetch_add(1, Ordering::Release);
        }
    }
}

/// Opens the page and waits for its request; what was seen, and why it did not arrive.
///
/// # Errors
///
/// In words what was seen instead, and what to change.
pub async fn probe(
    url: &str,
    front: &FrontDoor,
    patience: Duration,
    arrivals: &Arrivals,
    client: &reqwest::Client,
    clock: Clock,
) -> (Reach, Result<(), String>) {
    let path = front.page_of(&arrivals.handle);
    let sent = clock.now();
    let answer = client.get(format!("{url}{path}")).timeout(patience).send().await;
    let last = clock.now();
    let arrived = || arrivals.for_the_probe.load(Ordering::Acquire);
    let by = last.plus(ARRIVES_WITHIN);
    while arrived() == 0 && clock.now() < by {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
    let (arrived, requests) = (arrived(), arrivals.all.load(Ordering::Acquire));
    let reach = Reach { sent, last, status, arrived, requests, lacks: Vec::new() };
    let outcome = match (arrived, arrivals.handshakes.load(Ordering::Acquire)) {
        (1.., _) => Ok(()),
        (0, 0) => Err(why(&reach, &path, front)),
        (0, failed) => Err(format!("{}{}", why(&reach, &path, front), untrusting(failed))),
    };
    (reach, outcome)
}

/// Before a storm every certificate is good.
fn untrusting(failed: u64) -> String {
    format!(
        "; {failed} of its connections broke off in the TLS handshake, or did not begin one: have it \
         trust the authority in {{ca_file}}, as in SSL_CERT_FILE = \"{{ca_file}}\""
    )
}

fn why(reach: &Reach, path: &str, front: &FrontDoor) -> String {
    let Reach { status, requests, .. } = reach;
    let answered = match status {
        Some(status) => format!("GET {path} was answered {status}"),
        None => {
            let waited = reach.last.since(reach.sent);
            return format!(
                "GET {path} was not answered within {waited:?}: does the readiness route answer \
                 before pages can be served? (target.spawn.ready)"
            );
        }
    };
    match (status, requests) {
        (Some(300..=499), 0) => format!(
            "{answered}, and the mock saw no request: say where pages are (front_door.page is {:?}), \
             and hand the mock's address to the integration, as in LINKTREE_URL = \"{{mock.url}}\"",
            front.page,
        ),
        (_, 0) => format!(
            "{answered}, and the mock saw no request: hand its address to the integration, as in \
             [target.spawn.env] LINKTREE_URL = \"{{mock.url}}\", or check mock_port for what runs \
             already"
        ),
        (Some(300..=499), n) => format!(
            "{answered}, and of the {n} requests that the mock saw none was for this page: say where \
             pages are (front_door.page is {:?})",
            front.page,
        ),
        (_, n) => format!(
            "{answered}, and of the {n} requests that the mock saw none was for this page: the \
             integration must fill pages from {{mock.url}}, and not from a copy of its own"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::clock::Moment;

    #[test]
    fn every_failure_says_what_to_change() {
        let check = |status: Option<u16>, requests: u64, expected: &str| {
            let (sent, last) = (Moment::ZERO, Moment::from_ms(8_000));
            let reach = Reach { sent, last, status, arrived: 0, requests, lacks: Vec::new() };
            let why = why(&reach, "/windthrow-1-0001", &FrontDoor::default());
            assert!(why.contains(expected), "{why}");
        };
        check(None, 0, "target.spawn.ready");
        check(Some(404), 0, "front_door.page is \"/{handle}\"");
        check(Some(404), 3, "front_door.page is \"/{handle}\"");
        check(Some(200), 0, "LINKTREE_URL = \"{mock.url}\"");
        check(Some(503), 0, "LINKTREE_URL = \"{mock.url}\"");
        check(Some(200), 2, "not from a copy of its own");
    }

    #[test]
    fn the_creator_of_the_probe_is_one_more_and_the_first_stays_the_first() {
        let group = Group {
            prefix: "page".into(),
            count: 2,
            min_links: 1,
            max_links: 2,
            ..Group::default()
        };
        let population = with_probe(&Population { groups: vec![group] });
        let probe = Arrivals::default().handle;
        assert_eq!(population.handles(), ["page-0001", "page-0002", probe.as_str()]);
        assert!(population.check().is_ok());
    }
}

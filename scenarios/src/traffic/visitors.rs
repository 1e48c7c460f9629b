//! One visitor's calls at the front door: opens a page, clicks a link, and records what happened.

use super::page;
use super::run::{Answer, OperationSink};
use super::schedule::Schedule;
use crate::front_door::{ClickValues, FrontDoor};
use crate::history::{Op, OpFailure, Operation};
use jiff::Timestamp;
use mock_server::clock::{Clock, Moment};
use mock_server::history::exchange::click_payload;
use mock_server::seed;
use reqwest::{Client, RequestBuilder, Response};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// As much of a page as is looked at; all of it is read.
const PAGE_LOOK: usize = 256 * 1024;

const BROWSERS: [&str; 3] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/137.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
];

/// What every visitor of a storm shares.
pub struct Street {
    /// `http://host:port` of the integration.
    pub front_url: String,
    /// How its routes are spelled.
    pub front: FrontDoor,
    /// Who arrives when.
    pub schedule: Arc<Schedule>,
    /// The plan's seed.
    pub seed: u64,
    /// Millisecond 0 of the plan.
    pub armed: Moment,
    /// The calendar time of `armed`, milliseconds since the Unix epoch.
    pub armed_unix_ms: i64,
    /// The run's clock.
    pub clock: Clock,
    /// Where operations are recorded.
    pub sink: Arc<dyn OperationSink>,
    /// Becomes true when all visitors shall go home at once.
    pub over: watch::Receiver<bool>,
    /// Arrivals of which the first call was sent.
    pub sent: AtomicU64,
}

/// One visitor, known by the index of the arrival.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    street: &'a Street,
    client: &'a Client,
    arrival: u64,
    handle: &'a str,
}

/// The end of a page view: when, and a link that was on the page.
#[derive(Clone, Debug)]
pub struct PageEnd {
    /// The last byte, or when it was given up.
    pub at: Moment,
    /// The id of a link on the page, if it names any.
    pub link_id: Option<String>,
}

/// The id of the click of an arrival: the same seed and index always give the same id.
#[must_use]
pub fn event_id(seed: u64, arrival: u64) -> String {
    format!("{}{arrival}", event_prefix(seed))
}

/// What the ids of all clicks with this seed begin with.
#[must_use]
pub fn event_prefix(seed: u64) -> String {
    format!("ev-{:08x}-", seed >> 32)
}

/// The networks that are reserved for documentation (RFC 5737): nobody else's address is in them.
const NETWORKS: [&str; 3] = ["192.0.2", "198.51.100", "203.0.113"];
/// Hosts in each of them.
const HOSTS: u16 = 254;

/// The address of a visitor.
#[must_use]
pub fn visitor_ip(seed: u64, arrival: u64) -> String {
    let roll = seed::derive(seed, &["visitor", &arrival.to_string()]);
    let net = NETWORKS[usize::from(roll[0]) % NETWORKS.len()];
    format!("{net}.{}", 1 + u16::from(roll[1]) % HOSTS)
}

/// Every address that a visitor may have.
pub fn visitor_addresses() -> impl Iterator<Item = String> {
    NETWORKS.iter().flat_map(|net| (1..=HOSTS).map(move |host| format!("{net}.{host}")))
}

impl std::fmt::Debug for Street {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Street").field("front_url", &self.front_url).finish_non_exhaustive()
    }
}

impl Street {
    /// The visitor of an arrival.
    #[must_use]
    pub fn visitor<'a>(&'a self, client: &'a Client, arrival: u64, creator: u32) -> Visitor<'a> {
        Visitor { street: self, client, arrival, handle: self.schedule.handle(creator) }
    }

    /// Whether all visitors have been sent home.
    #[must_use]
    pub fn is_over(&self) -> bool {
        *self.over.borrow()
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
}

impl Visitor<'_> {
    /// Opens the creator's page.
    pub async fn open_page(&self, intended: Moment) -> PageEnd {
        let (url, front) = (&self.street.front_url, &self.street.front);
        let request = self.client.get(format!("{url}{}", front.page_of(self.handle)));
        let mut operation = self.operation(Op::Page, intended);
        self.street.sent.fetch_add(1, Ordering::Relaxed);
        let answer = self.send(request, &mut operation).await;
        let html = String::from_utf8_lossy(&answer.body);
        if operation.version.is_none() {
            let version = page::meta_version(&html, &front.version_meta);
            operation.version = version.map(|text| Cow::Owned(text.to_owned()));
        }
        let link_id = page::link_id(&html, &front.link_id_attribute, self.arrival);
        let link_id = link_id.map(str::to_owned);
        let at = operation.last;
        self.street.sink.operation(operation);
        PageEnd { at, link_id }
    }

    /// Clicks a link: one that was on the page, or `{handle}-l1`.
    pub async fn click(&self, intended: Moment, link_id: Option<String>) -> Moment {
        let street = self.street;
        let event_id = event_id(street.seed, self.arrival);
        let link_id = link_id.unwrap_or_else(|| format!("{}-l1", self.handle));
        let occurred_at = street.calendar(intended);
        let ip = visitor_ip(street.seed, self.arrival);
        let body = street.front.click_fields.body(&ClickValues {
            event_id: &event_id,
            handle: self.handle,
            link_id: &link_id,
            occurred_at: &occurred_at,
            ip: &ip,
            user_agent: self.browser(),
        });
        let url = format!("{}{}", street.front_url, street.front.clicks);
        let request = self.client.request(street.front.click_method.method(), url).json(&body);
        let mut operation = self.operation(Op::Click, intended);
        operation.payload = Some(Cow::Owned(click_payload(self.handle, &link_id, &occurred_at)));
        operation.event_id = Some(Cow::Owned(event_id));
        self.send(request, &mut operation).await;
        let at = operation.last;
        street.sink.operation(operation);
        at
    }

    const fn browser(&self) -> &'static str {
        BROWSERS[(self.arrival % 3) as usize]
    }

    fn operation(&self, op: Op, intended: Moment) -> Operation<'static> {
        let now = self.street.clock.now();
        Operation {
            arrival: self.arrival,
            op,
            handle: Cow::Owned(self.handle.to_owned()),
            event_id: None,
            payload: None,
            intended,
            sent: now,
            first: None,
            last: now,
            status: None,
            failure: None,
            version: None,
            cache_status: None,
        }
    }

    /// Makes the call and fills in what happened; gives what was answered.
    async fn send(&self, request: RequestBuilder, operation: &mut Operation<'static>) -> Answer {
        let ip = visitor_ip(self.street.seed, self.arrival);
        let request = request.header("user-agent", self.browser()).header("x-forwarded-for", ip);
        let mut answer = Answer::default();
        operation.sent = self.street.clock.now();
        let failure = tokio::select! {
            outcome = exchange(request, operation, &mut answer, self.street) => {
                outcome.err().map(|error| failure(&error))
            }
            // Whoever is sent home gives up, like any visitor who closes the page.
            () = self.street.over() => Some(OpFailure::Timeout),
        };
        operation.last = self.street.clock.now();
        operation.failure = failure;
        if operation.status.is_some() {
            self.street.sink.answer(operation, &answer);
        }
        answer
    }
}

impl Street {
    /// The calendar time of a moment, as clicks carry it.
    fn calendar(&self, moment: Moment) -> String {
        let since = i64::try_from(moment.since(self.armed).as_millis()).unwrap_or(0);
        let time = Timestamp::from_millisecond(self.armed_unix_ms.saturating_add(since));
        format!("{:.3}", time.unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

async fn exchange(
    request: RequestBuilder,
    operation: &mut Operation<'static>,
    answer: &mut Answer,
    street: &Street,
) -> Result<(), reqwest::Error> {
    let mut response = request.send().await?;
    operation.first = Some(street.clock.now());
    operation.status = Some(response.status().as_u16());
    operation.version = header(&response, &street.front.version_header);
    operation.cache_status = header(&response, "cache-status");
    for (name, value) in response.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            answer.head.extend_from_slice(part);
        }
    }
    let body = &mut answer.body;
    while let Some(chunk) = response.chunk().await? {
        let room = PAGE_LOOK.saturating_sub(body.len());
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(())
}

fn header(response: &Response, name: &str) -> Option<Cow<'static, str>> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(Cow::Owned(value.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_addresses_are_fixed_by_seed_and_index() {
        assert_eq!(event_id(0xfeed_beef_0000_0001, 42), "ev-feedbeef-42");
        assert_eq!(visitor_ip(7, 1), visitor_ip(7, 1));
        let reserved: Vec<String> = visitor_addresses().collect();
        for arrival in 0..200 {
            let ip = visitor_ip(7, arrival);
            assert!(reserved.contains(&ip), "{ip}");
            assert!(ip.parse::<std::net::Ipv4Addr>().is_ok(), "{ip}");
        }
    }
}

//! What all deliveries share: the plan, the secrets, the client, and the records of every attempt.

use super::address::LOCALHOST;
use super::effect::{DeliveryEffect, seal};
use super::forgery::Sealing;
use super::message::Message;
use super::oracle::{Oracle, unix_now};
use super::queue::Queue;
use super::registrations::Destination;
use super::schedule::Schedule;
use super::schemes::Scheme;
use super::signing::{Letter, Stamp};
use crate::clock::{Clock, Moment};
use crate::faults::FaultMark;
use crate::history::record::{Delivery, Reachability, Record, Recorder};
use crate::overload::Overloads;
use crate::profile::Webhooks;
use crate::routes::Shared;
use crate::seed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Response};
use sha2::{Digest, Sha256};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// Attempts on the wire at once.
const SLOTS: usize = 64;

/// Deliveries that may be under way, retries and held ones included; more are dropped, and the
/// history says so.
const MOST_UNDER_WAY: usize = 10_000;

/// The account's active secrets at a moment, newest first.
pub(crate) type SigningSecrets = Box<dyn Fn(Moment) -> Vec<String> + Send>;

/// Everything that the sender's tasks share; all on one thread.
pub(super) struct Context {
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub schedule: Schedule,
    pub slots: Semaphore,
    pub overloads: Overloads,
    recorder: Arc<dyn Recorder>,
    secrets: SigningSecrets,
    client: Client,
    stranger: String,
    under_way: Cell<usize>,
    held: RefCell<Vec<Postponed>>,
}

/// A delivery that waits for later ones.
struct Postponed {
    webhook: String,
    number: u64,
    behind: u32,
    release: oneshot::Sender<()>,
}

/// One sealed attempt.
pub(super) struct Attempt<'a> {
    pub message: &'a Message,
    pub webhook: &'a str,
    pub destination: &'a Destination,
    pub letter: &'a Letter,
    pub attempt: u32,
    pub marks: Vec<FaultMark>,
    /// Whether nobody can process what it says.
    pub is_poison: bool,
}

impl Context {
    pub fn new(
        shared: Arc<Shared>,
        clock: Clock,
        recorder: Arc<dyn Recorder>,
        secrets: SigningSecrets,
        time_scale: u32,
    ) -> reqwest::Result<Self> {
        let schedule = Schedule::new(&shared.world.profile.webhooks, time_scale);
        // A redirect or a proxy would lead away from who may be called, and a kept connection may die
        // with a restart of the receiver, which would not be the receiver's failure to answer.
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .resolve_to_addrs("localhost", &LOCALHOST)
            .timeout(schedule.timeout)
            .user_agent("linktree-webhooks (assumed)")
            .build()?;
        let stranger = seed::derive(shared.world.seed, &["secret", "webhook-stranger"]);
        Ok(Self {
            shared,
            clock,
            schedule,
            slots: Semaphore::new(SLOTS),
            overloads: Overloads::new(clock, Arc::clone(&recorder)),
            recorder,
            secrets,
            client,
            stranger: format!("whsec_{}", STANDARD.encode(stranger)),
            under_way: Cell::new(0),
            held: RefCell::default(),
        })
    }

    pub fn recorder(&self) -> &dyn Recorder {
        &*self.recorder
    }

    pub fn queue(&self) -> &Queue {
        &self.shared.world.webhooks
    }

    fn contract(&self) -> &Webhooks {
        &self.shared.world.profile.webhooks
    }

    fn scheme(&self) -> &'static dyn Scheme {
        self.contract().scheme.scheme()
    }

    fn secrets_for(&self, destination: &Destination) -> Vec<String> {
        match &destination.secret {
            Some(own) => vec![own.clone()],
            None => (self.secrets)(self.clock.now()),
        }
    }

    /// Seals a message for now; false when the scheme has no room for the effect.
    pub fn seal(
        &self,
        message: &Message,
        destination: &Destination,
        effect: Option<DeliveryEffect>,
    ) -> (Letter, bool) {
        let stamp =
            Stamp { id: message.id.clone(), timestamp: unix_now().to_string(), signatures: None };
        let mut letter = Letter { stamp, event: message.event, body: message.body.clone() };
        let secrets = self.secrets_for(destination);
        let scheme = self.scheme();
        let sealing = Sealing { scheme, secrets: &secrets, stranger: &self.stranger };
        let done = seal(&mut letter, &sealing, effect);
        (letter, done)
    }

    /// Makes one attempt and records what came of it; the answer's status, if there was one.
    pub async fn send(&self, this: Attempt<'_>) -> Option<u16> {
        let Attempt { message, webhook, destination, letter, attempt, marks, is_poison } = this;
        let headers = letter.headers(self.scheme());
        let mut request = self
            .client
            .post(destination.url.as_str())
            .header("content-type", self.contract().content_type(message.number))
            .body(letter.body.clone());
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let secrets = self.secrets_for(destination);
        let contract = self.contract();
        let oracle = Oracle {
            scheme: contract.scheme,
            secrets: &secrets,
            now_s: unix_now(),
            tolerance_s: contract.tolerance_s,
        };
        let t_sent = self.clock.now();
        let in_flight = InFlight {
            context: self,
            delivery: Some(Delivery {
                id: letter.stamp.id.clone(),
                webhook: webhook.to_owned(),
                webhook_event: message.event,
                handle: message.handle.clone(),
                attempt,
                url: self.clean(&destination.url),
                body_sha256: hex::encode(Sha256::digest(&letter.body)),
                authentic: oracle.verify(&headers, &letter.body).is_ok(),
                t_sent,
                t_end: t_sent,
                status: None,
                failure: None,
                faults: marks,
                poison: is_poison.then(|| letter.body.as_slice().into()),
            }),
        };
        in_flight.end(self.outcome(request.send().await))
    }

    /// An address as it may be recorded: a credential in it would be the integration's leak.
    fn clean(&self, url: &str) -> String {
        self.shared.world.keys.ring().scanner().redacted(url).into_owned()
    }

    /// Looks whether an address answers to `HEAD`, and records it.
    pub async fn look(&self, webhook: String, url: String) {
        let Ok(_slot) = self.slots.acquire().await else { return };
        let answer = self.outcome(self.client.head(url.as_str()).send().await);
        let is_there = |status: &u16| *status < 500 && ![404, 410].contains(status);
        self.queue().note_reachable(&webhook, answer.as_ref().is_ok_and(is_there));
        let (status, failure) = (answer.as_ref().ok().copied(), answer.err());
        let (at, url) = (self.clock.now(), self.clean(&url));
        let look = Reachability { at, webhook, url, status, failure };
        self.recorder.record(Record::Reachability(look));
    }

    fn outcome(&self, answer: reqwest::Result<Response>) -> Result<u16, String> {
        answer.map(|answer| answer.status().as_u16()).map_err(|error| {
            let mut root: &dyn std::error::Error = &error;
            while let Some(deeper) = root.source() {
                root = deeper;
            }
            if error.is_timeout() {
                format!("no answer within {} ms", self.schedule.timeout.as_millis())
            } else if error.is_connect() {
                format!("failed to connect: {root}")
            } else {
                format!("failed to get an answer: {root}")
            }
        })
    }

    /// Counts a delivery as under way; false when there are too many.
    pub fn admit(&self) -> bool {
        let under_way = self.under_way.get();
        if under_way >= MOST_UNDER_WAY {
            self.overloads.say("webhooks are dropped: too many deliveries are under way");
            return false;
        }
        self.under_way.set(under_way + 1);
        true
    }

    pub fn leave(&self) {
        self.under_way.set(self.under_way.get() - 1);
    }

    /// Waits until `behind` later messages had their first attempt at this registration, or
    /// `at_most` has passed.
    pub async fn hold(&self, webhook: &str, number: u64, behind: u32, at_most: Duration) {
        let (release, released) = oneshot::channel();
        let webhook = webhook.to_owned();
        self.held.borrow_mut().push(Postponed { webhook, number, behind: behind.max(1), release });
        let _ = tokio::time::timeout(at_most, released).await;
    }

    /// A message had its first attempt: those that wait for it may go.
    pub fn passed(&self, webhook: &str, number: u64) {
        let mut held = self.held.borrow_mut();
        for one in held.iter_mut().filter(|one| one.webhook == webhook && one.number < number) {
            one.behind = one.behind.saturating_sub(1);
        }
        let gone = |one: &mut Postponed| one.behind == 0 || one.release.is_closed();
        for one in held.extract_if(.., gone) {
            // It fails when the time has passed meanwhile.
            let _ = one.release.send(());
        }
    }
}

/// An attempt on the wire. If it is dropped there, it is recorded as such.
struct InFlight<'a> {
    context: &'a Context,
    delivery: Option<Delivery>,
}

impl InFlight<'_> {
    fn end(mut self, outcome: Result<u16, String>) -> Option<u16> {
        let status = outcome.as_ref().ok().copied();
        self.finish(status, outcome.err());
        status
    }

    fn finish(&mut self, status: Option<u16>, failure: Option<String>) {
        if let Some(mut delivery) = self.delivery.take() {
            delivery.t_end = self.context.clock.now();
            delivery.status = status;
            delivery.failure = failure;
            self.context.recorder.record(Record::Delivery(Box::new(delivery)));
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.finish(None, Some("the mock stopped before an answer came".to_owned()));
    }
}

//! What edge and routes hand each other about one exchange, beside the wire and never on it.

use crate::clock::Moment;
use crate::contract::Route;
use crate::faults::{DateFlaw, Effect, FaultMark, RetryAfterSpec};
use crate::history::exchange::{ClickReceipt, Denied, LinkReceipt, Listed, RegistrationReceipt};
use crate::keyring::Token;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The private request header that names the exchange between edge and routes.
pub(crate) const EXCHANGE_HEADER: &str = "x-windthrow-exchange";

/// Headers with this prefix are private: the edge takes them out in both directions.
pub(crate) const PRIVATE_PREFIX: &str = "x-windthrow-";

/// What the edge knows of a request before anything is decided.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub id: u64,
    pub t_req: Moment,
    pub route: Route,
    pub handle: Option<String>,
    pub token: Token,
    pub method: String,
    /// The path without query, dot segments and credentials.
    pub path: String,
    pub idempotency_key: Option<String>,
}

impl Ticket {
    /// The stable key that fault decisions hash.
    pub fn request_key(&self) -> String {
        match &self.idempotency_key {
            Some(key) if self.route != Route::ClicksBatch => {
                [&self.method, " ", &self.path, " ", key].concat()
            }
            _ => [&self.method, " ", &self.path].concat(),
        }
    }
}

/// What the routes decided, for the edge to execute and to record.
#[derive(Clone, Debug)]
pub(crate) struct Instructions {
    pub delay_us: u64,
    pub effect: Effect,
    /// Of faults that happened with the decision.
    pub marks: Vec<FaultMark>,
    /// Of changes to the answer, which happen only if it is sent.
    pub answer_marks: Vec<FaultMark>,
    /// Of the effect, if it is up to the edge.
    pub effect_mark: Option<FaultMark>,
    /// What is wrong with the answer's `Date`.
    pub date: Option<DateFlaw>,
    /// See [`crate::history::exchange::Exchange::doubtful`].
    pub doubtful: bool,
    pub retry_after: Option<RetryAfterSpec>,
    pub clicks: Vec<ClickReceipt>,
    pub links: Vec<LinkReceipt>,
    pub listed: Option<Box<Listed>>,
    pub registration: Option<Box<RegistrationReceipt>>,
    pub version: Option<String>,
    pub nonce: Option<String>,
    pub denied: Option<Denied>,
    pub over_limit: bool,
}

impl Default for Instructions {
    fn default() -> Self {
        Self {
            delay_us: 0,
            effect: Effect::Pass,
            marks: Vec::new(),
            answer_marks: Vec::new(),
            effect_mark: None,
            date: None,
            doubtful: false,
            retry_after: None,
            clicks: Vec::new(),
            links: Vec::new(),
            listed: None,
            registration: None,
            version: None,
            nonce: None,
            denied: None,
            over_limit: false,
        }
    }
}

enum Slot {
    Asked(Ticket),
    Taken,
    Decided(Box<Instructions>),
}

/// The table of exchanges that are with the routes just now.
#[derive(Default)]
pub(crate) struct Rendezvous(Mutex<HashMap<u64, Slot>>);

impl Rendezvous {
    fn slots(&self) -> MutexGuard<'_, HashMap<u64, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The edge lays down a ticket.
    pub fn ask(&self, ticket: Ticket) {
        self.slots().insert(ticket.id, Slot::Asked(ticket));
    }

    /// A route takes the ticket, once.
    pub fn take(&self, id: u64) -> Option<Ticket> {
        let mut slots = self.slots();
        let slot = slots.get_mut(&id)?;
        match std::mem::replace(slot, Slot::Taken) {
            Slot::Asked(ticket) => Some(ticket),
            other => {
                *slot = other;
                None
            }
        }
    }

    /// A route lays down what it decided.
    pub fn decide(&self, id: u64, instructions: Instructions) {
        if let Some(slot) = self.slots().get_mut(&id) {
            *slot = Slot::Decided(Box::new(instructions));
        }
    }

    /// Whether no route has seen the ticket yet, so that forwarding again is harmless.
    pub fn is_untouched(&self, id: u64) -> bool {
        matches!(self.slots().get(&id), Some(Slot::Asked(_)))
    }

    /// The route of a ticket that no route has taken yet.
    pub fn route(&self, id: u64) -> Option<Route> {
        match self.slots().get(&id)? {
            Slot::Asked(ticket) => Some(ticket.route),
            Slot::Taken | Slot::Decided(_) => None,
        }
    }

    /// How many places are taken.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.slots().len()
    }

    /// The edge clears the place.
    pub fn collect(&self, id: u64) -> Option<Box<Instructions>> {
        match self.slots().remove(&id) {
            Some(Slot::Decided(instructions)) => Some(instructions),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_taken_once_and_its_outcome_collected_once() {
        let rendezvous = Rendezvous::default();
        rendezvous.ask(Ticket {
            id: 3,
            t_req: Moment::ZERO,
            route: Route::Clicks,
            handle: None,
            token: Token::absent(),
            method: "POST".into(),
            path: "/v1/clicks".into(),
            idempotency_key: Some("k".into()),
        });
        assert!(rendezvous.is_untouched(3));
        assert_eq!((rendezvous.route(3), rendezvous.route(4)), (Some(Route::Clicks), None));
        assert_eq!(rendezvous.take(3).unwrap().request_key(), "POST /v1/clicks k");
        assert!(rendezvous.take(3).is_none());
        assert!(!rendezvous.is_untouched(3) && rendezvous.route(3).is_none());
        rendezvous.decide(3, Instructions { over_limit: true, ..Instructions::default() });
        assert!(rendezvous.take(3).is_none());
        assert!(rendezvous.collect(3).unwrap().over_limit);
        assert!(rendezvous.collect(3).is_none());
    }
}

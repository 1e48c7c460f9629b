//! An upstream exchange as judges see it: what they read of it, and what many have in common kept once.
//!
//! A history may hold a million of them, each for as long as it is judged: so what no judge reads is
//! left out, and a test holds its size.

use super::payload::Payload;
use super::pool::{Pool, Text};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::{Caution, FaultKind};
use mock_server::history::exchange::{
    ClickReceipt, Denied, End, Exchange, KeyPlace, RetryAfter, RetryAfterForm,
};
use std::ops::Deref;
use std::sync::Arc;

/// One upstream exchange, with what is [`Shared`] as if it were its own. What is not described here is as
/// in [`Exchange`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedExchange {
    /// Unique in the run, in order of arrival.
    pub id: u64,
    /// The connection, unique in the run.
    pub conn: u64,
    /// Connection accepted.
    pub t_conn: Moment,
    /// First byte of the request head.
    pub t_head: Moment,
    /// Last byte of the request.
    pub t_req: Moment,
    /// First byte of the answer written.
    pub t_first: Option<Moment>,
    /// When the exchange was over, whatever way.
    pub t_end: Moment,
    t_known: Moment,
    shared: Arc<Shared>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<Text>,
    /// The `Retry-After` that was written.
    pub retry_after: Option<Box<AskedToWait>>,
    /// The clicks that the request delivered.
    pub clicks: Box<[Receipt]>,
    /// Position on its connection, from 0.
    pub conn_seq: u32,
    /// The status that was written, if a head was written.
    pub status: Option<u16>,
    /// The route of the contract.
    pub route: Route,
    /// How it ended.
    pub end: End,
    /// Whether one client may rightly take the answer for a success and another for a failure.
    pub doubtful: bool,
    /// Whether the mock's own limiter refused.
    pub over_limit: bool,
    /// What the key was not good for.
    pub denied: Option<Denied>,
    /// Whether the request has a body.
    pub has_body: bool,
    /// Whether the request asks for writes of links.
    pub writes_links: bool,
}

/// What many exchanges of a history have in common, kept once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    /// What the request says that others of the same client say too.
    pub head: Arc<Head>,
    /// Path and query.
    pub target: Text,
    /// The creator, where the route names one.
    pub handle: Option<Text>,
    /// The version in the answer's body.
    pub version: Option<Text>,
    /// The faults that shaped the answer.
    pub faults: Arc<Vec<Mark>>,
}

/// What a request says that others of the same client say too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// The method.
    pub method: String,
    /// The `Host` header.
    pub host: Option<String>,
    /// Label of the credential, as [`Exchange::token`].
    pub token: String,
    /// The key's id, where the key is known.
    pub key_id: Option<String>,
    /// Everywhere that an API key was found.
    pub key_places: Vec<KeyPlace>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
}

/// What one click in a delivery met, as [`ClickReceipt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The click's id.
    pub event_id: Text,
    /// Hashes of what the click says.
    pub payload: Payload,
    /// Status for this click.
    pub status: u16,
    /// Whether this delivery had the effect.
    pub effect: bool,
}

/// A `Retry-After` as it was sent, as [`RetryAfter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedToWait {
    /// The header's value, to the letter.
    pub value: Text,
    /// The form of the value.
    pub form: RetryAfterForm,
    /// The moment that it names; none when malformed.
    pub until: Option<Moment>,
}

/// A fault that shaped an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The rule's id in the plan.
    pub rule: String,
    /// The fault's kind.
    pub kind: FaultKind,
}

impl JudgedExchange {
    /// When the client may first have known the outcome: last byte written, or the end.
    #[must_use]
    pub fn t_known(&self) -> Moment {
        #[cfg(test)]
        super::looks::add(1);
        self.t_known
    }

    /// A fault hit the connection before any request was read from it. It is evidence of what a
    /// client met, and no request.
    #[must_use]
    pub fn is_connection_only(&self) -> bool {
        self.head.method.is_empty() && !self.faults.is_empty()
    }

    /// It asks whether something is there, and gets none of it (RFC 9110 section 9.3.2).
    #[must_use]
    pub fn is_head(&self) -> bool {
        #[cfg(test)]
        super::looks::add(1);
        self.head.method == "HEAD"
    }

    /// A read of a creator's page that can fill a cache.
    #[must_use]
    pub fn is_page_read(&self) -> bool {
        self.route.is_page_read() && !self.is_head()
    }

    /// As [`Exchange::is_success`].
    #[must_use]
    pub fn is_success(&self) -> bool {
        #[cfg(test)]
        super::looks::add(1);
        self.end.is_success(self.status, self.doubtful)
    }

    /// As [`Exchange::is_definite_failure`].
    #[must_use]
    pub fn is_definite_failure(&self) -> bool {
        self.end.is_definite_failure(self.status)
    }

    /// Whether a fault hit it of which judges must bear this in mind.
    #[must_use]
    pub fn calls_for(&self, caution: Caution) -> bool {
        self.faults.iter().any(|mark| mark.kind.info().calls_for(caution))
    }

    /// The logical request that this is an attempt of: method, target and idempotency key.
    #[must_use]
    pub fn logical_key(&self) -> LogicalKey<'_> {
        #[cfg(test)]
        super::looks::add(1);
        LogicalKey {
            method: &self.head.method,
            target: &self.target,
            idempotency_key: self.idempotency_key.as_deref().unwrap_or("-"),
        }
    }
}

/// What attempts of one logical request have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogicalKey<'x> {
    method: &'x str,
    target: &'x str,
    idempotency_key: &'x str,
}

impl Deref for JudgedExchange {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

#[cfg(test)]
impl std::ops::DerefMut for JudgedExchange {
    fn deref_mut(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.shared)
    }
}

impl From<Exchange> for JudgedExchange {
    fn from(exchange: Exchange) -> Self {
        Common::default().judged(exchange)
    }
}

/// What exchanges have in common, while they are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Common {
    texts: Pool<Box<str>>,
    heads: Pool<Head>,
    faults: Pool<Vec<Mark>>,
    shared: Pool<Shared>,
}

impl Common {
    /// The judges' view of an exchange.
    pub(super) fn judged(&mut self, exchange: Exchange) -> JudgedExchange {
        let t_known = exchange.t_known();
        let head = Head {
            method: exchange.method,
            host: exchange.host,
            token: exchange.token,
            key_id: exchange.key_id,
            key_places: exchange.key_places,
            accept: exchange.accept,
            content_type: exchange.content_type,
        };
        let marks = exchange.faults.into_iter();
        let marks = marks.map(|mark| Mark { rule: mark.rule, kind: mark.kind }).collect();
        let clicks = exchange.clicks.into_iter().map(|click| self.receipt(click)).collect();
        let retry_after = exchange.retry_after.map(|after| Box::new(self.asked_to_wait(after)));
        let shared = Shared {
            head: self.heads.one_of(head),
            target: self.text(exchange.target),
            handle: exchange.handle.map(|handle| self.text(handle)),
            version: exchange.version.map(|version| self.text(version)),
            faults: self.faults.one_of(marks),
        };
        JudgedExchange {
            id: exchange.id,
            conn: exchange.conn,
            t_conn: exchange.t_conn,
            t_head: exchange.t_head,
            t_req: exchange.t_req,
            t_first: exchange.t_first,
            t_end: exchange.t_end,
            t_known,
            shared: self.shared.one_of(shared),
            idempotency_key: exchange.idempotency_key.map(|key| self.text(key)),
            retry_after,
            clicks,
            conn_seq: exchange.conn_seq,
            status: exchange.status,
            route: exchange.route,
            end: exchange.end,
            doubtful: exchange.doubtful,
            over_limit: exchange.over_limit,
            denied: exchange.denied,
            has_body: exchange.body_bytes > 0,
            writes_links: !exchange.links.is_empty(),
        }
    }

    fn text(&mut self, text: String) -> Text {
        Text::of(&mut self.texts, text)
    }

    fn receipt(&mut self, click: ClickReceipt) -> Receipt {
        Receipt {
            event_id: self.text(click.event_id),
            payload: match Payload::hashes(&click.payload) {
                Some(hashes) => hashes,
                None => Payload::Other(self.text(click.payload)),
            },
            status: click.status,
            effect: click.effect,
        }
    }

    fn asked_to_wait(&mut self, after: RetryAfter) -> AskedToWait {
        let value = self.text(after.value);
        AskedToWait { value, form: after.form, until: after.until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{asked_to_wait, hit_by, read, sent_click};

    #[test]
    fn an_exchange_takes_128_bytes_a_click_32_more_and_what_is_in_common_none() {
        assert!(size_of::<JudgedExchange>() <= 128, "{}", size_of::<JudgedExchange>());
        assert!(size_of::<Receipt>() <= 32, "{}", size_of::<Receipt>());
        let mut common = Common::default();
        let [one, other] = [0, 9].map(|at| common.judged(hit_by("status", read("ann", at))));
        assert!(Arc::ptr_eq(&one.shared, &other.shared));
        let [one, other] = ["ann", "bob"].map(|handle| common.judged(read(handle, 0)));
        assert!(Arc::ptr_eq(&one.head, &other.head) && Arc::ptr_eq(&one.faults, &other.faults));
        let [one, other] =
            [(7, "e"), (9, "e")].map(|(at, id)| common.judged(sent_click(id, at, 503)));
        let id = |of: &JudgedExchange| of.clicks[0].event_id.as_ptr();
        assert_eq!(id(&one), id(&other));
    }

    #[test]
    fn judges_read_what_was_recorded() {
        let click = JudgedExchange::from(sent_click("e", 7, 202));
        assert_eq!((&*click.clicks[0].event_id, click.clicks[0].effect), ("e", true));
        assert!(click.has_body && !click.writes_links && click.is_success());
        let same = JudgedExchange::from(sent_click("e", 9, 503));
        let other = JudgedExchange::from(sent_click("f", 9, 503));
        assert!(click.logical_key() == same.logical_key());
        assert!(click.logical_key() != other.logical_key());
        let refused = JudgedExchange::from(hit_by("status", asked_to_wait("ann", 7, 503, 2)));
        assert!(refused.is_definite_failure() && !refused.is_connection_only());
        assert_eq!(&*refused.retry_after.as_ref().unwrap().value, "2");
        assert_eq!(
            (&*refused.faults[0].rule, refused.t_known),
            ("rule-status", Moment::from_ms(12))
        );
        let head = Exchange { method: "HEAD".into(), t_w: None, ..read("ann", 7) };
        let head = JudgedExchange::from(head);
        assert!(head.is_head() && !head.is_page_read());
        assert_eq!(head.t_known(), head.t_end);
    }
}

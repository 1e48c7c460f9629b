//! An exchange while it is under way: it is recorded exactly once, at its end or when all is over.

use super::Edge;
use super::scan::Scanner;
use crate::clock::Moment;
use crate::history::exchange::{End, Exchange, RetryAfterForm};
use crate::history::record::Record;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Dropping it unfinished records [`End::Open`], which is what a shutdown does, or a reset, if all
/// connections were broken off meanwhile.
pub(super) struct OpenExchange {
    /// There until it is recorded.
    exchange: Option<Box<Exchange>>,
    edge: Rc<Edge>,
    /// How often all connections had been broken off when it began.
    broken: u64,
}

impl OpenExchange {
    pub fn new(edge: &Rc<Edge>, exchange: Box<Exchange>) -> Self {
        edge.gauges.in_flight.fetch_add(1, Ordering::AcqRel);
        let broken = edge.breaking.times();
        Self { exchange: Some(exchange), edge: Rc::clone(edge), broken }
    }

    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Records how it ended, now.
    pub fn finish(mut self, end: End) {
        self.record(end);
    }

    fn record(&mut self, end: End) {
        let Some(mut exchange) = self.exchange.take() else { return };
        let now = self.edge.clock.now();
        exchange.end = end;
        exchange.t_end = now;
        exchange.t_w = (end == End::Complete).then_some(now);
        if exchange.t_first.is_none() {
            // Nothing of the answer was written, so nothing of it may be recorded as sent.
            exchange.status = None;
            exchange.retry_after = None;
            exchange.version = None;
            exchange.nonce = None;
            exchange.doubtful = false;
        }
        if let Some(after) = &mut exchange.retry_after
            && after.form == RetryAfterForm::Seconds
        {
            // All digits: what does not fit is only too large.
            let seconds = after.value.parse().unwrap_or(u64::MAX);
            after.until = Some(now.plus(Duration::from_secs(seconds)));
        }
        Scanner::clean_receipts(&self.edge.shared.world.keys, &mut exchange);
        self.edge.recorder.record(Record::Exchange(exchange));
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        self.edge.gauges.in_flight.fetch_sub(1, Ordering::AcqRel);
        let Some(exchange) = &mut self.exchange else { return };
        // The routes may have done their work, even if their answer was still on its way.
        if let Some(instructions) = self.edge.shared.rendezvous.collect(exchange.id) {
            exchange.clicks = instructions.clicks;
            exchange.faults = instructions.marks;
            exchange.over_limit = instructions.over_limit;
            exchange.denied = instructions.denied;
        }
        let marks = self.edge.breaking.marks_since(self.broken);
        let end = if marks.is_some() { End::ServerReset } else { End::Open };
        exchange.faults.extend(marks.into_iter().flatten());
        self.record(end);
    }
}

impl Deref for OpenExchange {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        self.exchange.as_deref().expect("only its end takes it")
    }
}

impl DerefMut for OpenExchange {
    fn deref_mut(&mut self) -> &mut Exchange {
        self.exchange.as_deref_mut().expect("only its end takes it")
    }
}

/// An exchange of which nothing is known yet.
pub(super) fn blank(id: u64, conn: u64, conn_seq: u32) -> Box<Exchange> {
    Box::new(Exchange {
        id,
        conn,
        conn_seq,
        method: String::new(),
        target: String::new(),
        route: crate::contract::Route::Unknown,
        handle: None,
        host: None,
        token: crate::keyring::Token::absent().label,
        key_id: None,
        key_places: Vec::new(),
        secret_places: Vec::new(),
        accept: None,
        content_type: None,
        idempotency_key: None,
        body_bytes: 0,
        clicks: Vec::new(),
        listed: None,
        links: Vec::new(),
        registration: None,
        t_conn: Moment::ZERO,
        t_head: Moment::ZERO,
        t_req: Moment::ZERO,
        t_first: None,
        t_w: None,
        t_end: Moment::ZERO,
        end: End::Open,
        status: None,
        retry_after: None,
        version: None,
        nonce: None,
        faults: Vec::new(),
        doubtful: false,
        over_limit: false,
        denied: None,
    })
}

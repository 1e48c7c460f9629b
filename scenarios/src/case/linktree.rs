//! What Linktree saw of the integration: its calls, its connections, its reads of the vault.

use super::exchanges::Exchanges;
use super::indexes::{Clicks, PageFills, PageReads};
use super::judged_exchange::{Common, JudgedExchange, Receipt};
use super::link_write::LinkWrite;
use super::listing::Listing;
use crate::observed::FIRST_CLICK;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::Caution;
use mock_server::history::exchange::{End, Exchange, RegistrationReceipt};
use mock_server::history::handshake::Handshake;
use mock_server::history::record::{Delivery, Happened, Reachability, SecretRead};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// What arrived at the mock.
#[derive(Clone, Debug, Default)]
pub struct LinktreeSide {
    /// Upstream exchanges in order of arrival of their last request byte; a copy of the case shares them.
    pub exchanges: Arc<Exchanges>,
    /// Connections that a fault broke off before a request was read, and spans in which they were
    /// refused. A client may have met a failure, but nobody can say for which request.
    pub connections: Vec<JudgedExchange>,
    /// Connections to servers that speak TLS.
    pub handshakes: Vec<Handshake>,
    /// Reads of the vault.
    pub secret_reads: Vec<SecretRead>,
    /// What happened in Linktree's world, in order of time.
    pub happened: Vec<Happened>,
    /// Pages of lists of links, in the order of `exchanges`, where a promise is judged by them.
    pub listings: Vec<Listing>,
    /// Requests that asked for writes of links, in the order of `exchanges`, where a promise is judged by
    /// them.
    pub link_writes: Vec<LinkWrite>,
    /// Whose figures the answer with each nonce held.
    figures: HashMap<String, String>,
    /// Attempts to deliver webhooks, in order of their beginnings.
    pub deliveries: Vec<Delivery>,
    /// Looks at the addresses of registered webhooks.
    pub looks: Vec<Reachability>,
    /// When Linktree forgot who was registered.
    pub forgotten: Vec<Moment>,
    /// Calls about registrations, in order of arrival.
    pub registrations: Vec<RegistrationCall>,
    common: Common,
    found: Arc<Found>,
}

/// A call that asked for registrations of webhooks, made one, or removed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationCall {
    /// The exchange.
    pub id: u64,
    /// The method.
    pub method: String,
    /// The path: that of a removal ends with the registration's id.
    pub path: String,
    /// Last byte of the request.
    pub t_req: Moment,
    /// When the client may first have known the outcome.
    pub t_known: Moment,
    /// The status that was written, if a head was written.
    pub status: Option<u16>,
    /// Whether a whole answer was written.
    pub is_complete: bool,
    /// The time that a `Retry-After` named.
    pub retry_after: Option<Moment>,
    /// What it registered, whatever became of the answer.
    pub made: Option<RegistrationReceipt>,
}

impl RegistrationCall {
    fn of(exchange: &Exchange) -> Option<Self> {
        (exchange.route == Route::Webhooks && !exchange.is_connection_only()).then(|| Self {
            id: exchange.id,
            method: exchange.method.clone(),
            path: exchange.target.split('?').next().unwrap_or_default().to_owned(),
            t_req: exchange.t_req,
            t_known: exchange.t_known(),
            status: exchange.status,
            is_complete: exchange.end == End::Complete,
            retry_after: exchange.retry_after.as_ref().and_then(|after| after.until),
            made: exchange.registration.as_deref().cloned(),
        })
    }
}

/// What is looked up again and again, once somebody asks.
#[derive(Debug, Default)]
struct Found {
    page_reads: OnceLock<PageReads>,
    page_fills: OnceLock<PageFills>,
    clicks: OnceLock<Clicks>,
}

impl LinktreeSide {
    /// Takes in what arrived, in any order.
    pub fn exchange(&mut self, mut exchange: Exchange) {
        exchange.clicks.retain(|click| !click.event_id.starts_with(FIRST_CLICK));
        if exchange.route == Route::Analytics
            && let Some((nonce, handle)) = exchange.nonce.take().zip(exchange.handle.clone())
        {
            self.figures.insert(nonce, handle);
        }
        self.registrations.extend(RegistrationCall::of(&exchange));
        self.listings.extend(Listing::of(&mut exchange));
        self.link_writes.extend(LinkWrite::of(&exchange));
        let no_request = exchange.is_connection_only();
        let exchange = self.common.judged(exchange);
        let all = Arc::make_mut(&mut self.exchanges);
        if no_request { &mut self.connections } else { all }.push(exchange);
        // What was found before is not all any more.
        match Arc::get_mut(&mut self.found) {
            Some(Found { page_reads, page_fills, clicks }) => {
                page_reads.take();
                page_fills.take();
                clicks.take();
            }
            None => self.found = Arc::default(),
        }
    }

    /// Puts everything in order of time.
    pub(super) fn ready(&mut self) {
        // In place: a stable sort would need half as much memory again.
        Arc::make_mut(&mut self.exchanges)
            .sort_unstable_by_key(|exchange| (exchange.t_req, exchange.id));
        self.connections.sort_by_key(|connection| (connection.t_end, connection.id));
        self.handshakes.sort_by_key(|one| (one.t_conn, one.conn, one.t_end));
        self.secret_reads.sort_by_key(|read| read.at);
        self.happened.sort_by_key(|happened| happened.at);
        self.deliveries.sort_by_key(|delivery| (delivery.t_sent, delivery.attempt));
        self.looks.sort_by_key(|look| look.at);
        self.forgotten.sort_unstable();
        self.registrations.sort_by_key(|call| (call.t_req, call.id));
        self.listings.sort_by_key(|listing| (listing.t_req, listing.id));
        self.link_writes.sort_by_key(|write| (write.t_req, write.id));
        self.common = Common::default();
        self.found = Arc::default();
    }

    /// The exchange that asked for these writes.
    #[must_use]
    pub fn exchange_of(&self, write: &LinkWrite) -> Option<&JudgedExchange> {
        let key = (write.t_req, write.id);
        let place = self.exchanges.partition_point(|one| (one.t_req, one.id) < key);
        self.exchanges.get(place).filter(|one| one.id == write.id)
    }

    /// Whose figures the answer with this nonce held; none where it held nobody's.
    #[must_use]
    pub fn figures_of(&self, nonce: &str) -> Option<&str> {
        self.figures.get(nonce).map(String::as_str)
    }

    /// The exchanges that arrived at `from` or later, and before `until`, in order of arrival.
    #[must_use]
    pub fn arrived(&self, from: Moment, until: Moment) -> &[JudgedExchange] {
        let place = |at: Moment| self.exchanges.partition_point(|one| one.t_req < at);
        self.exchanges.get(place(from)..place(until)).unwrap_or_default()
    }

    /// When connections were refused altogether.
    pub fn refusals(&self) -> impl Iterator<Item = (Moment, Moment)> {
        let refused = |one: &&JudgedExchange| one.calls_for(Caution::RefusesConnections);
        self.connections.iter().filter(refused).map(|one| (one.t_conn, one.t_end))
    }

    /// Whatever asked for each page, be it only whether it is there, by the page's handle, in order of
    /// arrival.
    pub fn page_reads(
        &self,
    ) -> impl Iterator<Item = (&str, impl Iterator<Item = &JudgedExchange>)> {
        self.reads().by_handle().map(|(handle, places)| (handle, self.at(places)))
    }

    /// Whatever asked for this page, be it only whether it is there, in order of arrival.
    pub fn page_reads_of(&self, handle: &str) -> impl Iterator<Item = &JudgedExchange> {
        self.at(self.reads().of_handle(handle).map_or(&[], |page| &page.places))
    }

    /// The last to be known of those that asked for this page, be it only whether it is there, and had
    /// come by `at`.
    #[must_use]
    pub fn last_asked_for(&self, handle: &str, at: Moment) -> Option<&JudgedExchange> {
        self.reads().of_handle(handle)?.last(&self.exchanges, at, false)
    }

    /// The same of reads of the page itself.
    #[must_use]
    pub fn last_read(&self, handle: &str, at: Moment) -> Option<&JudgedExchange> {
        self.reads().of_handle(handle)?.last(&self.exchanges, at, true)
    }

    fn reads(&self) -> &PageReads {
        self.found.page_reads.get_or_init(|| PageReads::of(&self.exchanges))
    }

    /// For each page when it was answered well, ascending.
    pub fn page_fills(&self) -> impl Iterator<Item = &[Moment]> {
        self.fills().all()
    }

    /// When this page was answered well, ascending.
    #[must_use]
    pub fn page_fills_of(&self, handle: &str) -> &[Moment] {
        self.fills().of_handle(handle)
    }

    /// Whether this page was ever answered with 404.
    #[must_use]
    pub fn is_unknown_page(&self, handle: &str) -> bool {
        self.fills().is_unknown(handle)
    }

    fn fills(&self) -> &PageFills {
        self.found.page_fills.get_or_init(|| PageFills::of(&self.exchanges))
    }

    fn at(&self, places: &[u32]) -> impl Iterator<Item = &JudgedExchange> {
        places.iter().map(|place| &self.exchanges[*place as usize])
    }

    /// How many clicks were delivered, or tried to be.
    #[must_use]
    pub fn click_count(&self) -> usize {
        self.delivered().count()
    }

    /// The place of a click among them, in the order of their first attempts.
    #[must_use]
    pub fn click_place(&self, event_id: &str) -> Option<usize> {
        self.delivered().place(event_id)
    }

    /// The attempts to deliver the click at a place, in order of arrival; never none.
    pub fn click_attempts(
        &self,
        place: usize,
    ) -> impl Iterator<Item = (&JudgedExchange, &Receipt)> {
        self.delivered().attempts(place).iter().map(|(exchange, receipt)| {
            let exchange = &self.exchanges[*exchange as usize];
            (exchange, &exchange.clicks[*receipt as usize])
        })
    }

    /// The first attempt to deliver the click at a place that arrived after a moment.
    #[must_use]
    pub fn next_attempt(&self, place: usize, after: Moment) -> Option<&JudgedExchange> {
        let attempts = self.delivered().attempts(place);
        let next = attempts.partition_point(|(at, _)| self.exchanges[*at as usize].t_req <= after);
        attempts.get(next).map(|(at, _)| &self.exchanges[*at as usize])
    }

    fn delivered(&self) -> &Clicks {
        self.found.clicks.get_or_init(|| Clicks::of(&self.exchanges))
    }

    /// The last position on each connection, to see whether a client used it again.
    #[must_use]
    pub fn last_use_of_connections(&self) -> HashMap<u64, u32> {
        let mut last = HashMap::new();
        for exchange in self.exchanges.iter() {
            let seq = last.entry(exchange.conn).or_insert(exchange.conn_seq);
            *seq = (*seq).max(exchange.conn_seq);
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{sent_batch, sent_click};

    #[test]
    fn the_click_before_the_storm_is_nobodys_and_the_others_of_its_batch_are_kept() {
        let first = format!("{FIRST_CLICK}1f");
        let mut side = LinktreeSide::default();
        side.exchange(sent_click(&first, 0, 202));
        side.exchange(sent_batch(&["a", &first, "b"], 10, 202));
        let ids = |exchange: &JudgedExchange| -> Vec<String> {
            exchange.clicks.iter().map(|click| click.event_id.to_string()).collect()
        };
        let seen: Vec<_> = side.exchanges.iter().map(ids).collect();
        assert_eq!(seen, [vec![], vec!["a".to_owned(), "b".to_owned()]]);
    }
}

//! What Linktree saw of the integration: its calls, its connections, its reads of the vault.

use crate::observed::FIRST_CLICK;
use mock_server::clock::Moment;
use mock_server::faults::Caution;
use mock_server::history::exchange::Exchange;
use mock_server::history::handshake::Handshake;
use mock_server::history::record::SecretRead;
use std::collections::HashMap;

/// What arrived at the mock.
#[derive(Clone, Debug, Default)]
pub struct LinktreeSide {
    /// Upstream exchanges in order of arrival of their last request byte.
    pub exchanges: Vec<Exchange>,
    /// Connections that a fault broke off before a request was read, and spans in which they were
    /// refused. A client may have met a failure, but nobody can say for which request.
    pub connections: Vec<Exchange>,
    /// Connections to servers that speak TLS.
    pub handshakes: Vec<Handshake>,
    /// Reads of the vault.
    pub secret_reads: Vec<SecretRead>,
}

impl LinktreeSide {
    /// Takes in what arrived, in any order.
    pub fn exchange(&mut self, mut exchange: Exchange) {
        exchange.clicks.retain(|click| !click.event_id.starts_with(FIRST_CLICK));
        let no_request = exchange.is_connection_only();
        let list = if no_request { &mut self.connections } else { &mut self.exchanges };
        list.push(exchange);
    }

    /// Puts everything in order of time.
    pub(super) fn ready(&mut self) {
        self.exchanges.sort_by_key(|exchange| (exchange.t_req, exchange.id));
        self.connections.sort_by_key(|connection| (connection.t_end, connection.id));
        self.handshakes.sort_by_key(|one| (one.t_conn, one.conn, one.t_end));
        self.secret_reads.sort_by_key(|read| read.at);
    }

    /// When connections were refused altogether.
    pub fn refusals(&self) -> impl Iterator<Item = (Moment, Moment)> {
        let refused = |one: &&Exchange| one.calls_for(Caution::RefusesConnections);
        self.connections.iter().filter(refused).map(|one| (one.t_conn, one.t_end))
    }

    /// The exchanges that `counts` takes, in order of arrival, by the handle that they are about.
    #[must_use]
    pub fn by_handle(&self, counts: impl Fn(&Exchange) -> bool) -> HashMap<&str, Vec<&Exchange>> {
        let mut all: HashMap<&str, Vec<&Exchange>> = HashMap::new();
        for exchange in self.exchanges.iter().filter(|exchange| counts(exchange)) {
            all.entry(exchange.handle.as_deref().unwrap_or_default()).or_default().push(exchange);
        }
        all
    }

    /// The last position on each connection, to see whether a client used it again.
    #[must_use]
    pub fn last_use_of_connections(&self) -> HashMap<u64, u32> {
        let mut last = HashMap::new();
        for exchange in &self.exchanges {
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
        let ids = |exchange: &Exchange| -> Vec<String> {
            exchange.clicks.iter().map(|click| click.event_id.clone()).collect()
        };
        let seen: Vec<_> = side.exchanges.iter().map(ids).collect();
        assert_eq!(seen, [vec![], vec!["a".to_owned(), "b".to_owned()]]);
    }
}

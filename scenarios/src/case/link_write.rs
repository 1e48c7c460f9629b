//! Writes of links as Linktree met them.

use mock_server::clock::Moment;
use mock_server::history::exchange::{Exchange, LinkReceipt};

/// A request that asked for writes of links.
#[derive(Clone, Debug)]
pub struct LinkWrite {
    /// The exchange.
    pub id: u64,
    /// Last byte of the request.
    pub t_req: Moment,
    /// What became of each link.
    pub links: Vec<LinkReceipt>,
}

impl LinkWrite {
    /// The writes in an exchange, if it asked for any.
    pub(super) fn of(exchange: &Exchange) -> Option<Self> {
        (!exchange.links.is_empty()).then(|| Self {
            id: exchange.id,
            t_req: exchange.t_req,
            links: exchange.links.clone(),
        })
    }
}

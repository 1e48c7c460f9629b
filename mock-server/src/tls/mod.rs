//! TLS for everything that listens: a run's own authority, handshakes, and what goes wrong in them.
//!
//! Connections are never resumed, so that each client sees the certificate of each connection, and
//! whoever sends something over one with a bad certificate has not looked.

mod accept;
mod authority;
mod open;
mod past;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use accept::Broken;
pub use authority::{Authority, AuthorityError};
pub(crate) use open::BrokenBy;
pub(crate) use stream::Stream;

use crate::clock::Clock;
use crate::history::record::Recorder;
use crate::routes::Shared;
use std::sync::Arc;

/// What the handshakes of all listeners share.
pub(crate) struct Tls {
    pub authority: Authority,
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub recorder: Arc<dyn Recorder>,
}

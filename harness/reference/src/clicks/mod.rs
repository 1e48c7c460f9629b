//! Clicks: taken in durably, delivered in order, each with one effect.

pub mod delivery;
mod event;
mod lag;
mod sqlite;
pub mod wire;

pub use event::Click;
pub use lag::LagPolicy;
pub use sqlite::SqliteStore;

use crate::clock;
use std::{future::Future, pin::Pin, time::Duration};

/// What an operation of the queue returns.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The queue failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("failed to use the click queue: {0}")]
pub struct StoreError(pub String);

/// What became of a click.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Linktree has it.
    Delivered,
    /// Linktree refused it for good, with this status; it is kept.
    Refused(u16),
}

/// The clicks that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many.
    pub depth: u64,
    /// When the oldest was accepted, in milliseconds since 1970.
    pub oldest_ms: Option<i64>,
}

impl Backlog {
    /// How long the oldest has been waiting.
    pub fn age(&self) -> Duration {
        let waited_ms = self.oldest_ms.map_or(0, |oldest| clock::wall_ms() - oldest);
        Duration::from_millis(u64::try_from(waited_ms).unwrap_or(0))
    }
}

/// The queue between the front door and the delivery.
pub trait ClickStore: Send + Sync {
    /// Takes a click in; when this returns, it is safe. The same event id again changes nothing.
    fn enqueue(&self, click: Click) -> StoreFuture<'_, ()>;

    /// The oldest waiting clicks, in order.
    fn pending(&self, limit: usize) -> StoreFuture<'_, Vec<Click>>;

    /// Takes clicks out.
    fn settle(&self, fates: Vec<(String, Fate)>) -> StoreFuture<'_, ()>;

    /// How much waits.
    fn backlog(&self) -> StoreFuture<'_, Backlog>;
}

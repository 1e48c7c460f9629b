//! Keeps the newest records in memory, for assertions and for whoever follows them live.
//!
//! An answer reaches its client a moment before it is recorded, because only then is it known how
//! it ended. So an assertion first waits for [`History::settled`] or [`History::wait_for`].

pub mod exchange;
mod file;
mod follow;
pub mod handshake;
pub mod record;

pub use file::RecordFile;
pub use follow::{Batch, Follower};

use crate::contract::Route;
use crate::history::exchange::Exchange;
use crate::history::record::{Alert, Delivery, Record, Recorder};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How many records are kept unless somebody says otherwise: 90 MB of profile reads, as measured.
pub const KEPT: usize = 100_000;

/// The newest records of one mock, each under a sequence number that is never given twice.
///
/// It is bounded: the oldest records make room for new ones, and are counted. A record that
/// carries receipts, such as a batch of clicks, takes one place for each of them and one for
/// itself. Clones are the same history.
#[derive(Clone)]
pub struct History {
    inner: Arc<Inner>,
}

struct Inner {
    capacity: usize,
    onward: Option<Arc<dyn Recorder>>,
    begun: Arc<AtomicU64>,
    ring: Mutex<Ring>,
    changed: Notify,
}

#[derive(Default)]
struct Ring {
    kept: VecDeque<Arc<Record>>,
    /// The sequence number of the oldest record kept, or of the next one.
    first: u64,
    places: usize,
    dropped: u64,
    /// Exchanges recorded ever.
    exchanges: u64,
    closed: bool,
}

/// Not so many came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to see {wanted} such records: {came} came within {within:?}")]
pub struct TooFew {
    /// How many were waited for.
    pub wanted: usize,
    /// How many there were.
    pub came: usize,
    /// How long was waited.
    pub within: Duration,
}

impl History {
    /// A history that keeps about `capacity` records, and hands each on as well.
    #[must_use]
    pub fn new(capacity: usize, onward: Option<Arc<dyn Recorder>>) -> Self {
        let inner = Inner {
            capacity,
            onward,
            begun: Arc::default(),
            ring: Mutex::default(),
            changed: Notify::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The records kept, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.picked(|record| Some(record.clone()))
    }

    /// The upstream exchanges kept, in the order in which they ended.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges_where(|_| true)
    }

    /// The exchanges of one route of the contract; own routes are [`Route::Unknown`].
    #[must_use]
    pub fn to(&self, route: Route) -> Vec<Exchange> {
        self.exchanges_where(|exchange| exchange.route == route)
    }

    /// The exchanges that the rule with this id hit.
    #[must_use]
    pub fn hit_by(&self, rule: &str) -> Vec<Exchange> {
        self.exchanges_where(|exchange| exchange.faults.iter().any(|mark| mark.rule == rule))
    }

    /// The exchanges for which this holds.
    pub fn exchanges_where(&self, holds: impl Fn(&Exchange) -> bool) -> Vec<Exchange> {
        self.picked(|record| match record {
            Record::Exchange(exchange) if holds(exchange) => Some((**exchange).clone()),
            _ => None,
        })
    }

    /// The attempts to deliver webhooks.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.picked(|record| match record {
            Record::Delivery(delivery) => Some((**delivery).clone()),
            _ => None,
        })
    }

    /// The alerts that came in.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        self.picked(|record| match record {
            Record::Alert(alert) => Some(alert.clone()),
            _ => None,
        })
    }

    fn picked<T>(&self, pick: impl Fn(&Record) -> Option<T>) -> Vec<T> {
        // Cloned outside the lock: who records does not wait for it.
        let kept: Vec<_> = self.ring().kept.iter().cloned().collect();
        kept.iter().filter_map(|record| pick(record)).collect()
    }

    /// How many records have made room for newer ones since the start or the last
    /// [`Self::clear`].
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.ring().dropped
    }

    /// The sequence numbers of the records kept.
    #[must_use]
    pub fn kept(&self) -> std::ops::Range<u64> {
        let ring = self.ring();
        ring.first..ring.next()
    }

    /// Forgets all records. Sequence numbers go on, so that a follower is not confused.
    pub fn clear(&self) {
        let mut ring = self.ring();
        ring.first = ring.next();
        ring.kept.clear();
        ring.places = 0;
        ring.dropped = 0;
    }

    /// Waits until no exchange is under way, and says whether that came true in time.
    ///
    /// A stalled or held exchange is under way until its client has gone or it is released, and a
    /// port that refuses connections until it opens again.
    #[must_use = "when it is false, exchanges are missing"]
    pub async fn settled(&self, within: Duration) -> bool {
        let settled = self.until(|| (self.under_way() == 0).then_some(()));
        tokio::time::timeout(within, settled).await.is_ok()
    }

    /// How many exchanges have begun and are not yet recorded.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        // Read in this order, a late beginning can make the difference too large, never too small.
        let ended = self.ring().exchanges;
        self.inner.begun.load(Ordering::Acquire).saturating_sub(ended)
    }

    /// The exchanges kept, once there are at least `count`.
    ///
    /// # Errors
    ///
    /// [`TooFew`] when they do not come in time.
    pub async fn wait_for(&self, count: usize, within: Duration) -> Result<Vec<Exchange>, TooFew> {
        let is_exchange = |record: &Record| matches!(record, Record::Exchange(_));
        self.wait_for_records(count, within, is_exchange).await?;
        Ok(self.exchanges())
    }

    /// The first `count` kept records for which this holds, once there are so many.
    ///
    /// # Errors
    ///
    /// [`TooFew`] when they do not come in time.
    pub async fn wait_for_records(
        &self,
        count: usize,
        within: Duration,
        holds: impl Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, TooFew> {
        let mut found = Vec::new();
        let mut follower = self.follow(None);
        let collect = async {
            while found.len() < count {
                let Some(batch) = follower.next().await else { return };
                found.extend(batch.records.iter().filter(|record| holds(record)).cloned());
            }
        };
        // When time is up, what was found by then decides.
        let _ = tokio::time::timeout(within, collect).await;
        if found.len() < count {
            return Err(TooFew { wanted: count, came: found.len(), within });
        }
        found.truncate(count);
        Ok(found.iter().map(|record| (**record).clone()).collect())
    }

    /// Waits, without polling, until `check` finds something.
    async fn until<T>(&self, check: impl Fn() -> Option<T>) -> T {
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed, whatever happens before the wait.
            changed.as_mut().enable();
            if let Some(found) = check() {
                return found;
            }
            changed.await;
        }
    }

    /// Counts the exchanges that begin.
    pub(crate) fn begun(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.inner.begun)
    }

    /// No more records will come: followers end when they have read everything.
    pub(crate) fn close(&self) {
        self.ring().closed = true;
        self.inner.changed.notify_waiters();
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.inner.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder for History {
    fn record(&self, record: Record) {
        let inner = &*self.inner;
        let is_exchange = matches!(record, Record::Exchange(_));
        let kept = match &inner.onward {
            Some(onward) if inner.capacity == 0 => {
                onward.record(record);
                None
            }
            Some(onward) => {
                onward.record(record.clone());
                Some(record)
            }
            None => Some(record),
        };
        let mut ring = self.ring();
        ring.exchanges += u64::from(is_exchange);
        ring.push(kept, inner.capacity);
        drop(ring);
        inner.changed.notify_waiters();
    }
}

impl Ring {
    fn next(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn push(&mut self, record: Option<Record>, capacity: usize) {
        let Some(record) = record.filter(|_| capacity > 0) else {
            self.first += 1;
            self.dropped += 1;
            return;
        };
        self.places += places(&record);
        self.kept.push_back(Arc::new(record));
        // The newest stays, however large it is.
        while self.places > capacity && self.kept.len() > 1 {
            if let Some(oldest) = self.kept.pop_front() {
                self.places -= places(&oldest);
                self.first += 1;
                self.dropped += 1;
            }
        }
    }
}

fn places(record: &Record) -> usize {
    match record {
        Record::Exchange(exchange) => 1 + exchange.clicks.len() + exchange.links.len(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;

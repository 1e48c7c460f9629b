//! Answers that are held back: who waits, and how they are released.

use crate::clock::Moment;
use crate::contract::Route;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// An exchange whose answer is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The rule that holds it.
    pub rule: String,
    /// The exchange's id, as it will stand in the history.
    pub exchange: u64,
    /// The method.
    pub method: String,
    /// Path and query, with credentials replaced by `[key]`.
    pub target: String,
    /// The route of the contract.
    pub route: Route,
    /// When the holding began.
    pub since: Moment,
}

type Waiting = BTreeMap<u64, (Held, oneshot::Sender<()>)>;

/// Everything that is held at present, by exchange.
#[derive(Clone, Default)]
pub(crate) struct Holds(Arc<Mutex<Waiting>>);

/// A hold from the side of who waits. Dropping it takes it off the list.
pub(crate) struct HoldGuard {
    holds: Holds,
    exchange: u64,
    released: oneshot::Receiver<()>,
}

impl Holds {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an exchange on the list.
    pub fn hold(&self, held: Held) -> HoldGuard {
        let (release, released) = oneshot::channel();
        let exchange = held.exchange;
        self.waiting().insert(exchange, (held, release));
        HoldGuard { holds: self.clone(), exchange, released }
    }

    /// The list, in order of arrival.
    pub fn held(&self) -> Vec<Held> {
        self.waiting().values().map(|(held, _)| held.clone()).collect()
    }

    /// Releases what a rule holds, and counts what was still waiting.
    pub fn release(&self, rule: &str) -> usize {
        let mut waiting = self.waiting();
        let ids: Vec<u64> =
            waiting.iter().filter(|(_, (held, _))| held.rule == rule).map(|(id, _)| *id).collect();
        let released = ids.into_iter().filter_map(|id| waiting.remove(&id));
        released.filter_map(|(_, release)| release.send(()).ok()).count()
    }
}

impl HoldGuard {
    /// Waits for the release.
    pub async fn released(&mut self) {
        // The other end is dropped only after it has released.
        let _ = (&mut self.released).await;
    }
}

impl Drop for HoldGuard {
    fn drop(&mut self) {
        self.holds.waiting().remove(&self.exchange);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(exchange: u64, rule: &str) -> Held {
        Held {
            rule: rule.into(),
            exchange,
            method: "GET".into(),
            target: "/v1/me".into(),
            route: Route::Me,
            since: Moment::ZERO,
        }
    }

    #[test]
    fn a_release_concerns_one_rule_and_those_who_still_wait() {
        let holds = Holds::default();
        let mut first = holds.hold(held(1, "a"));
        let left = holds.hold(held(2, "a"));
        let other = holds.hold(held(3, "b"));
        let ids = || holds.held().iter().map(|held| held.exchange).collect::<Vec<_>>();
        assert_eq!(ids(), [1, 2, 3]);
        drop(left);
        assert_eq!(ids(), [1, 3]);
        assert_eq!(holds.release("a"), 1);
        assert_eq!(first.released.try_recv(), Ok(()));
        assert_eq!((ids(), holds.release("a")), (vec![3], 0));
        drop(other);
        assert_eq!(ids(), Vec::<u64>::new());
    }
}

//! Sends waiting changes, oldest first and one call at a time, until each is made or refused for good.
//!
//! Only what failed is sent again. One call at a time, since two that change the same link must not pass
//! each other on their way.

use super::{ChangeStore, Fate, StoreError, Waiting, wire};
use crate::{
    clock,
    linktree::{Answer, Failure},
    upstream::Upstream,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

/// How campaigns are sent.
#[derive(Clone, Copy)]
pub struct CampaignPolicy {
    /// Whether Linktree is told of them.
    pub sends: bool,
    /// Links in one call; Linktree takes a hundred.
    pub batch: usize,
    /// Whether the results of a batch are read one by one.
    pub reads_results: bool,
    /// Whether of a batch only those links go again that failed.
    pub only_failed: bool,
}

impl Default for CampaignPolicy {
    fn default() -> Self {
        Self { sends: true, batch: 100, reads_results: true, only_failed: true }
    }
}

/// How long the table is not looked at while nothing arrives.
const IDLE: Duration = Duration::from_secs(1);
/// A rest before a closed barrier is so long at the most: it may open earlier than it looks now.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// The worker that sends campaigns.
pub struct Launcher {
    store: ChangeStore,
    upstream: Arc<Upstream>,
    arrived: Arc<Notify>,
    policy: CampaignPolicy,
    /// Links that failed, by the number of their change: how often, and until when they wait.
    deferred: HashMap<i64, (u32, Instant)>,
    /// Links that go in one call: fewer after a batch was refused whole.
    most: usize,
    failures: u32,
}

impl Launcher {
    /// A worker that takes from `store`, and wakes when a campaign `arrived`.
    pub fn new(
        store: ChangeStore,
        upstream: Arc<Upstream>,
        arrived: Arc<Notify>,
        policy: CampaignPolicy,
    ) -> Self {
        let (deferred, most) = (HashMap::new(), policy.batch);
        Self { store, upstream, arrived, policy, deferred, most, failures: 0 }
    }

    /// Works until `stop` turns true; a call on its way is finished first.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow_and_update() {
            let rest = self.step().await.unwrap_or_else(|error| {
                tracing::error!(%error, "campaigns pause");
                IDLE
            });
            tokio::select! {
                () = sleep(rest) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Makes one call at most; returns how long to rest.
    async fn step(&mut self) -> Result<Duration, StoreError> {
        let now = clock::now();
        let mut waiting = self.store.waiting(self.policy.batch + self.deferred.len()).await?;
        if waiting.is_empty() {
            self.deferred.clear();
            let _ = timeout(IDLE, self.arrived.notified()).await;
            return Ok(Duration::ZERO);
        }
        if !self.policy.sends {
            let made = waiting.iter().map(|one| (one.number, Fate::Made)).collect();
            self.store.settle(made).await?;
            return Ok(Duration::ZERO);
        }
        let is_due =
            |one: &Waiting| self.deferred.get(&one.number).is_none_or(|(_, until)| *until <= now);
        waiting.retain(is_due);
        waiting.truncate(self.most);
        if waiting.is_empty() {
            return Ok(LONGEST_REST / 5);
        }
        let changes: Vec<_> = waiting.iter().map(|one| &one.change).collect();
        let call = wire::call(&changes, self.policy.batch == 1);
        match self.upstream.attempt_unbarred(&call, self.failures + 1).await {
            Ok(answer) => self.answered(&waiting, &answer).await,
            Err(Failure::Barred(barrier)) => {
                Ok(barrier.rest(clock::now()).clamp(Duration::from_millis(5), LONGEST_REST))
            }
            Err(failure) => self.failed(&waiting, &failure).await,
        }
    }

    async fn answered(
        &mut self,
        waiting: &[Waiting],
        answer: &Answer,
    ) -> Result<Duration, StoreError> {
        self.failures = 0;
        self.most = (self.most * 2).min(self.policy.batch);
        let known =
            (self.policy.reads_results && self.policy.batch > 1).then(|| wire::statuses(answer));
        let status = |one: &Waiting| match &known {
            Some(known) => known.get(&one.change.id).copied(),
            None => Some(answer.status),
        };
        let fates: Vec<_> = waiting.iter().map(|one| (one.number, fate(status(one)))).collect();
        let failed = fates.iter().filter(|(_, fate)| fate.is_none()).count();
        // Those that fail together wait together, so that they go in one call again.
        let tries = |number| self.deferred.get(number).map_or(0, |(tries, _)| *tries) + 1;
        let tries =
            fates.iter().filter(|(_, fate)| fate.is_none()).map(|(number, _)| tries(number));
        let tries = tries.max().unwrap_or(1);
        let until = clock::now() + self.upstream.backoff(tries);
        let whole = failed > 0 && !self.policy.only_failed;
        let mut settled = Vec::new();
        for (number, fate) in fates {
            match fate.filter(|_| !whole) {
                Some(fate) => {
                    self.deferred.remove(&number);
                    settled.push((number, fate));
                }
                None => drop(self.deferred.insert(number, (tries, until))),
            }
        }
        self.store.settle(settled).await?;
        Ok(Duration::ZERO)
    }

    async fn failed(
        &mut self,
        waiting: &[Waiting],
        failure: &Failure,
    ) -> Result<Duration, StoreError> {
        if let Failure::Status(status) = failure
            && Failure::refuses_batch(*status)
        {
            // One bad link must not take the others with it: halves, until it stands alone.
            if let [one] = waiting {
                tracing::warn!(status, "linktree refused a link's change; it is kept");
                self.store.settle(vec![(one.number, Fate::Refused(*status))]).await?;
            }
            self.most = waiting.len().div_ceil(2);
            return Ok(Duration::ZERO);
        }
        self.failures += 1;
        Ok(self.upstream.backoff(self.failures))
    }
}

/// What a status means to a change; none when it is to be sent again.
fn fate(status: Option<u16>) -> Option<Fate> {
    match status? {
        200..=299 => Some(Fate::Made),
        status if Failure::refuses_item(status) => Some(Fate::Refused(status)),
        _ => None,
    }
}

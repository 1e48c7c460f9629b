//! A batch is taken out of the queue when it is taken up, and only memory knows of it meanwhile.

use super::Mutant;
use crate::clicks::{Backlog, Click, ClickStore, Fate, SqliteStore, StoreError, StoreFuture};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};

pub const MUTANT: Mutant = Mutant {
    id: "in-flight-forgotten",
    summary: "clicks are marked as sent before the answer, so a replay forgets those in flight",
    breaks: "clicks-survive-crash",
    may_also_break: &["clicks-delivered", "click-lag"],
    shown_by: "crash-and-replay",
    apply: |seams| seams.store = |folder| Ok(Arc::new(TakenOut::open(folder)?)),
};

struct TakenOut {
    queue: SqliteStore,
    /// Marked as sent, and not yet answered: tried again, as long as the process lives.
    taken: Mutex<Vec<Click>>,
}

impl TakenOut {
    fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { queue: SqliteStore::open(folder)?, taken: Mutex::default() })
    }
}

impl ClickStore for TakenOut {
    fn enqueue(&self, click: Click) -> StoreFuture<'_, ()> {
        self.queue.enqueue(click)
    }

    fn pending(&self, limit: usize) -> StoreFuture<'_, Vec<Click>> {
        Box::pin(async move {
            let room = limit.saturating_sub(self.taken.lock().unwrap().len());
            let more = self.queue.pending(room).await?;
            let sent = more.iter().map(|click| (click.event_id.clone(), Fate::Delivered));
            self.queue.settle(sent.collect()).await?;
            let mut taken = self.taken.lock().unwrap();
            taken.extend(more);
            Ok(taken.iter().take(limit).cloned().collect())
        })
    }

    fn settle(&self, fates: Vec<(String, Fate)>) -> StoreFuture<'_, ()> {
        let settled = |click: &Click| fates.iter().any(|(event_id, _)| *event_id == click.event_id);
        self.taken.lock().unwrap().retain(|click| !settled(click));
        self.queue.settle(fates)
    }

    fn backlog(&self) -> StoreFuture<'_, Backlog> {
        Box::pin(async move {
            let waiting = self.queue.backlog().await?;
            let taken = self.taken.lock().unwrap().len() as u64;
            Ok(Backlog { depth: waiting.depth + taken, ..waiting })
        })
    }
}

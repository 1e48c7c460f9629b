//! The queue is on disk, but what is written to it waits in a buffer of the process.

use super::Mutant;
use crate::{
    clicks::{Backlog, Click, ClickStore, Fate, SqliteStore, StoreError, StoreFuture},
    clock,
};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

pub const MUTANT: Mutant = Mutant {
    id: "queue-without-sync",
    summary: "clicks are acknowledged into a buffer that is written to the queue every three seconds",
    breaks: "clicks-survive-crash",
    may_also_break: &["clicks-delivered", "click-lag"],
    shown_by: "crash-and-replay",
    apply: |seams| seams.store = |folder| Ok(Arc::new(Buffered::open(folder)?)),
};

/// Of real time, as buffers have it; shorter than a click may be late.
const WRITE_EVERY: Duration = Duration::from_secs(3);

struct Buffered {
    queue: Arc<SqliteStore>,
    buffer: Arc<Mutex<Vec<(Click, i64)>>>,
}

impl Buffered {
    fn open(folder: &Path) -> Result<Self, StoreError> {
        let store = Self { queue: Arc::new(SqliteStore::open(folder)?), buffer: Arc::default() };
        let (queue, buffer) = (store.queue.clone(), store.buffer.clone());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WRITE_EVERY).await;
                let waiting = std::mem::take(&mut *buffer.lock().unwrap());
                for (click, _) in waiting {
                    if let Err(error) = queue.enqueue(click).await {
                        tracing::error!(%error, "a click was not written");
                    }
                }
            }
        });
        Ok(store)
    }
}

impl ClickStore for Buffered {
    fn enqueue(&self, click: Click) -> StoreFuture<'_, ()> {
        self.buffer.lock().unwrap().push((click, clock::wall_ms()));
        Box::pin(std::future::ready(Ok(())))
    }

    fn pending(&self, limit: usize) -> StoreFuture<'_, Vec<Click>> {
        self.queue.pending(limit)
    }

    fn settle(&self, fates: Vec<(String, Fate)>) -> StoreFuture<'_, ()> {
        self.queue.settle(fates)
    }

    fn backlog(&self) -> StoreFuture<'_, Backlog> {
        Box::pin(async move {
            let written = self.queue.backlog().await?;
            let buffer = self.buffer.lock().unwrap();
            let first = buffer.first().map(|(_, accepted_ms)| *accepted_ms);
            let depth = written.depth + buffer.len() as u64;
            Ok(Backlog { depth, oldest_ms: written.oldest_ms.or(first) })
        })
    }
}

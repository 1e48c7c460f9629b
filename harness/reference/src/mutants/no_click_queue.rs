//! A click is passed on while its visitor waits, and refused when that fails.

use super::Mutant;
use crate::{
    clicks::{Backlog, Click, ClickStore, Fate, StoreError, StoreFuture},
    clock,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::oneshot;

pub const MUTANT: Mutant = Mutant {
    id: "no-click-queue",
    summary: "there is no queue: a click is acknowledged once Linktree has it, and refused otherwise",
    breaks: "clicks-delivered",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.store = |_| Ok(Arc::new(HandedOn::default())),
};

/// How long a visitor waits for Linktree, of real time.
const PATIENCE: Duration = Duration::from_millis(600);

#[derive(Default)]
struct HandedOn(Mutex<Vec<Waiting>>);

struct Waiting {
    click: Click,
    since_ms: i64,
    done: oneshot::Sender<()>,
}

impl ClickStore for HandedOn {
    fn enqueue(&self, click: Click) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let (done, heard) = oneshot::channel();
            let event_id = click.event_id.clone();
            self.0.lock().unwrap().push(Waiting { click, since_ms: clock::wall_ms(), done });
            let heard = tokio::time::timeout(PATIENCE, heard).await;
            self.0.lock().unwrap().retain(|waiting| waiting.click.event_id != event_id);
            match heard {
                Ok(Ok(())) => Ok(()),
                _ => Err(StoreError("linktree did not take the click".into())),
            }
        })
    }

    fn pending(&self, limit: usize) -> StoreFuture<'_, Vec<Click>> {
        let waiting = self.0.lock().unwrap();
        let oldest = waiting.iter().take(limit).map(|one| one.click.clone()).collect();
        Box::pin(std::future::ready(Ok(oldest)))
    }

    fn settle(&self, fates: Vec<(String, Fate)>) -> StoreFuture<'_, ()> {
        let settled = |one: &mut Waiting| fates.iter().any(|(id, _)| *id == one.click.event_id);
        let gone: Vec<_> = self.0.lock().unwrap().extract_if(.., settled).collect();
        for one in gone {
            let _ = one.done.send(());
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn backlog(&self) -> StoreFuture<'_, Backlog> {
        let waiting = self.0.lock().unwrap();
        let oldest_ms = waiting.first().map(|one| one.since_ms);
        Box::pin(std::future::ready(Ok(Backlog { depth: waiting.len() as u64, oldest_ms })))
    }
}

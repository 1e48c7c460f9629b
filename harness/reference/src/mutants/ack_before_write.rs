//! The queue is a buffer in memory: quick, and full after sixteen clicks.

use super::Mutant;
use crate::{
    clicks::{Backlog, Click, ClickStore, Fate, StoreFuture},
    clock,
};
use std::{
    collections::VecDeque,
    future::ready,
    sync::{Arc, Mutex},
};

pub const MUTANT: Mutant = Mutant {
    id: "ack-before-write",
    summary: "clicks are acknowledged into a small buffer that silently forgets the oldest",
    breaks: "clicks-delivered",
    may_also_break: &["clicks-survive-crash", "click-lag"],
    shown_by: "outage-and-replay",
    apply: |seams| seams.store = |_| Ok(Arc::new(Buffer::default())),
};

const CAPACITY: usize = 16;

#[derive(Default)]
struct Buffer(Mutex<VecDeque<(Click, i64)>>);

impl ClickStore for Buffer {
    fn enqueue(&self, click: Click) -> StoreFuture<'_, ()> {
        let mut waiting = self.0.lock().unwrap();
        if waiting.iter().all(|(known, _)| known.event_id != click.event_id) {
            waiting.push_back((click, clock::wall_ms()));
        }
        if waiting.len() > CAPACITY {
            waiting.pop_front();
        }
        Box::pin(ready(Ok(())))
    }

    fn pending(&self, limit: usize) -> StoreFuture<'_, Vec<Click>> {
        let waiting = self.0.lock().unwrap();
        let oldest = waiting.iter().take(limit).map(|(click, _)| click.clone()).collect();
        Box::pin(ready(Ok(oldest)))
    }

    fn settle(&self, fates: Vec<(String, Fate)>) -> StoreFuture<'_, ()> {
        let settled = |click: &Click| fates.iter().any(|(event_id, _)| *event_id == click.event_id);
        self.0.lock().unwrap().retain(|(click, _)| !settled(click));
        Box::pin(ready(Ok(())))
    }

    fn backlog(&self) -> StoreFuture<'_, Backlog> {
        let waiting = self.0.lock().unwrap();
        let oldest_ms = waiting.front().map(|(_, accepted_ms)| *accepted_ms);
        Box::pin(ready(Ok(Backlog { depth: waiting.len() as u64, oldest_ms })))
    }
}

//! What a visitor reads in a page, as a browser would: the upstream version that it shows, and its
//! links.

pub(crate) mod dom;
mod hostile;
mod reading;
#[cfg(test)]
mod tests;

use super::Answer;
use crate::front_door::FrontDoor;
use crate::history::{BodyHash, Hostile, Shown};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Pages that are remembered. A scenario has some hundred creators, with a few versions each.
const REMEMBERED: usize = 4_096;

/// What was read in one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What the first `<meta name="{version_meta}" content="…">` says, if there is one.
    pub version: Option<String>,
    /// What elements carry as `{link_id_attribute}="…"`: each id once, in the order of the page.
    pub links: Vec<String>,
    /// Those links, short enough to be noted of every view.
    pub shown: Shown,
    /// What became of a hostile creator's words.
    pub hostile: Hostile,
    /// Those that come again after others, or more often than others do, each once.
    pub repeated: Vec<String>,
}

impl Page {
    /// Reads a page with an HTML parser, which takes tens of microseconds for a page of 2 kB.
    #[must_use]
    pub fn read(body: &[u8], front: &FrontDoor) -> Self {
        let page = reading::read(body, front);
        let shown = Shown::of(page.links.iter().map(String::as_str));
        Self { hostile: hostile::read(body), shown, ..page }
    }
}

/// A page that somebody reads or has read.
type Reading = Arc<OnceCell<Arc<Page>>>;

/// The pages that visitors were shown, each read once: during a spike thousands are shown the same.
#[derive(Debug, Default)]
pub struct Pages {
    readings: Mutex<HashMap<BodyHash, Reading>>,
}

impl Pages {
    /// What stands in this answer.
    #[must_use]
    pub fn read(&self, answer: &Answer, front: &FrontDoor) -> Arc<Page> {
        let reading = self.reading(answer.hash);
        if let Some(page) = reading.get() {
            return Arc::clone(page);
        }
        let page = Arc::new(Page::read(&answer.body, front));
        // Whoever was faster has read the same.
        let _ = reading.set(Arc::clone(&page));
        page
    }

    /// Reads what stands in this answer on another thread, if nobody has read it before: a page takes as
    /// long as several visits, and all other visitors would wait for it. [`Pages::read`] has it then.
    pub async fn read_apart(&self, answer: &mut Answer, front: &Arc<FrontDoor>) {
        let reading = self.reading(answer.hash);
        if reading.initialized() {
            return;
        }
        let (body, front) = (std::mem::take(&mut answer.body), Arc::clone(front));
        let body = Arc::new(body);
        let shared = Arc::clone(&body);
        let read = move || Arc::new(Page::read(&shared, &front));
        reading
            .get_or_init(|| async {
                let read = tokio::task::spawn_blocking(read).await;
                // It is as if it had been read here.
                read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
            })
            .await;
        answer.body = Arc::unwrap_or_clone(body);
    }

    fn reading(&self, hash: BodyHash) -> Reading {
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        if readings.len() >= REMEMBERED && !readings.contains_key(&hash) {
            readings.clear();
        }
        Arc::clone(readings.entry(hash).or_default())
    }
}

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

/// The pages that visitors were shown, each read once: during a spike thousands are shown the same.
#[derive(Debug, Default)]
pub struct Pages {
    read: Mutex<HashMap<BodyHash, Arc<Page>>>,
}

impl Pages {
    /// What stands in this answer.
    #[must_use]
    pub fn read(&self, answer: &Answer, front: &FrontDoor) -> Arc<Page> {
        let remembered = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = remembered().get(&answer.hash) {
            return Arc::clone(page);
        }
        let page = Arc::new(Page::read(&answer.body, front));
        let mut remembered = remembered();
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(answer.hash, Arc::clone(&page));
        page
    }
}

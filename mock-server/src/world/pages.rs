//! Pages as they were made last: one that nobody has changed since is not made again for each who reads it.

use crate::clock::Moment;
use crate::world::population::Creator;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Pages and links that are kept in all; when there are more, all make room.
const KEPT: usize = 20_000;

/// A creator's page as of some state.
#[derive(Debug)]
pub(crate) struct Page {
    pub creator: Creator,
    /// What whoever answers with it has made of it: the bytes before and after what differs from answer to
    /// answer; none where that cannot be told apart.
    pub rendered: OnceLock<Option<[Vec<u8>; 2]>>,
}

/// All that a page depends on, besides what never changes: the same state, the same page. Edits until a
/// moment are told by their number, as long as no other edit has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub armed: Option<Moment>,
    /// How many planned edits of the page have happened.
    pub planned: usize,
    /// How many edits there are beside the plan, of whatever page.
    pub steered: usize,
    /// How many of them were of this page, and have happened.
    pub steered_done: usize,
    pub writes: u32,
}

/// The pages that were made last.
#[derive(Default)]
pub(super) struct Pages {
    made: HashMap<String, (State, Arc<Page>)>,
    places: usize,
}

impl Pages {
    /// The page with this handle in this state; made only if it is not there.
    pub fn get(
        &mut self,
        handle: &str,
        state: State,
        make: impl FnOnce() -> Option<Creator>,
    ) -> Option<Arc<Page>> {
        if let Some((known, page)) = self.made.get(handle)
            && *known == state
        {
            return Some(Arc::clone(page));
        }
        let page = Arc::new(Page { creator: make()?, rendered: OnceLock::new() });
        self.places += places(&page);
        if self.places > KEPT {
            self.made.clear();
            self.places = places(&page);
        }
        let before = self.made.insert(handle.to_owned(), (state, Arc::clone(&page)));
        self.places -= before.map_or(0, |(_, page)| places(&page));
        Some(page)
    }
}

fn places(page: &Page) -> usize {
    1 + page.creator.links.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::population::{Group, Population};

    #[test]
    fn what_is_kept_is_bounded_and_what_made_room_is_made_again() {
        let links = 999;
        let group = Group {
            prefix: "a".into(),
            count: 30,
            min_links: links,
            max_links: links,
            ..Group::default()
        };
        let population = Population { groups: vec![group] };
        let state = State { armed: None, planned: 0, steered: 0, steered_done: 0, writes: 0 };
        let mut pages = Pages::default();
        let mut made = 0;
        for round in 0..2 {
            for handle in population.handles() {
                let make = || {
                    made += 1;
                    population.creator(7, &handle)
                };
                let page = pages.get(&handle, state, make).unwrap();
                assert_eq!(page.creator.handle, handle, "{round}");
                assert!(pages.places <= KEPT && pages.made.len() <= 20);
            }
        }
        assert_eq!(made, 60);
        let again = pages.get("a-0030", state, || None).unwrap();
        assert_eq!(again.creator.links.len(), links as usize);
        assert!(pages.get("nobody", state, || None).is_none());
    }
}

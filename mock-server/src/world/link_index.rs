//! Whose link an id is: for every link that any creator has, had or will have.

use crate::world::edits::{PageChange, handle_matches};
use crate::world::link::Link;
use crate::world::population::Population;
use std::collections::HashMap;

/// It takes 20 to 40 bytes for each link and a walk over the whole population, so it is made when
/// the first link is written.
pub(crate) struct LinkIndex {
    seed: u64,
    handles: Vec<String>,
    owners: HashMap<u64, u32>,
}

impl LinkIndex {
    /// The links that creators have before any edit.
    pub fn new(seed: u64, population: &Population) -> Self {
        let mut index = Self { seed, handles: population.handles(), owners: HashMap::new() };
        for (owner, handle) in (0..).zip(&index.handles) {
            let links = population.creator(seed, handle).map(|creator| creator.links);
            let keys = links.iter().flatten().filter_map(|link| Link::key(&link.id));
            index.owners.extend(keys.map(|key| (key, owner)));
        }
        index
    }

    /// Adds the links that an edit inserts.
    pub fn add(&mut self, name: &str, handles: &str, change: PageChange) {
        for (owner, handle) in (0..).zip(&self.handles) {
            if handle_matches(handles, handle) {
                let keys =
                    change.inserted_ids(self.seed, handle, name).filter_map(|id| Link::key(&id));
                self.owners.extend(keys.map(|key| (key, owner)));
            }
        }
    }

    /// The handle of the creator whose link this is.
    pub fn owner(&self, id: &str) -> Option<&str> {
        let owner = *self.owners.get(&Link::key(id)?)?;
        self.handles.get(owner as usize).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::edits::{Done, creator};
    use crate::world::population::Group;

    #[test]
    fn every_link_of_every_creator_is_found_and_no_other() {
        let group = |prefix: &str| Group {
            prefix: prefix.into(),
            count: 3,
            min_links: 2,
            max_links: 9,
            ..Group::default()
        };
        let population = Population { groups: vec![group("a"), group("b")] };
        let mut index = LinkIndex::new(7, &population);
        let change = PageChange::Insert { count: 5 };
        let done = [Done { name: "plan 0".into(), change }];
        let new = creator(&population, 7, "b-0002", &done).unwrap().links;
        let inserted = new.iter().find(|link| link.updated_s > 0).unwrap();
        assert_eq!(index.owner(&inserted.id), None);
        index.add("plan 0", "b-*", change);
        for handle in population.handles() {
            let links =
                creator(&population, 7, &handle, if handle.starts_with('b') { &done } else { &[] });
            for link in links.unwrap().links {
                assert_eq!(index.owner(&link.id), Some(handle.as_str()));
            }
        }
        for stranger in
            ["", "lnk_", "lnk_000000000000", "lnk_zzzzzzzzzzzz", &inserted.id.to_uppercase()]
        {
            assert_eq!(index.owner(stranger), None, "{stranger}");
        }
    }
}

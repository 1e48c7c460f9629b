//! What requests have written into links, laid over what their creators made of them.

use crate::world::link::Link;
use crate::world::link_change::LinkChange;
use crate::world::population::{Creator, version};
use std::collections::HashMap;

/// What was written into one creator's links. A written field keeps its value whatever edits do to
/// the others, until it is written again. There is at most one entry for each link.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    writes: u32,
    links: HashMap<String, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    change: LinkChange,
    updated_s: u64,
}

impl Writes {
    /// Notes a write that had an effect on a link of a page with so many edits; gives its stamp.
    pub fn note(&mut self, id: &str, change: &LinkChange, edit: u32) -> u64 {
        self.writes = self.writes.saturating_add(1);
        let entry = self.links.entry(id.to_owned()).or_default();
        entry.change.follow_with(change);
        entry.updated_s = Creator::stamp(edit, self.writes);
        entry.updated_s
    }

    /// How many writes had an effect.
    pub fn count(&self) -> u32 {
        self.writes
    }

    /// The version of the page after so many edits and these writes.
    pub fn version(&self, seed: u64, handle: &str, edit: u32) -> String {
        version(seed, handle, edit, self.writes)
    }

    /// Makes the link what it is after these writes.
    pub fn apply_to(&self, link: &mut Link) {
        if let Some(entry) = self.links.get(&link.id) {
            entry.change.apply(link);
            link.updated_s = link.updated_s.max(entry.updated_s);
        }
    }

    /// Makes the creator what it is after these writes.
    pub fn apply(&self, creator: &mut Creator, seed: u64) {
        creator.links.iter_mut().for_each(|link| self.apply_to(link));
        creator.updated_s = Creator::stamp(creator.edit, self.writes);
        creator.version = self.version(seed, &creator.handle, creator.edit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::population::{Group, Population};

    #[test]
    fn a_written_field_stays_under_later_edits_and_each_write_is_a_version() {
        let group =
            Group { prefix: "a".into(), count: 1, min_links: 3, max_links: 3, ..Group::default() };
        let population = Population { groups: vec![group] };
        let mut written = Writes::default();
        let after = |written: &Writes, edit| {
            let mut creator = population.creator_after(7, "a-0001", edit).unwrap();
            written.apply(&mut creator, 7);
            creator
        };
        let plain = population.creator(7, "a-0001").unwrap();
        assert_eq!(after(&written, 0), plain, "nothing was written");
        let title = |text: &str| LinkChange { title: Some(text.into()), ..LinkChange::default() };
        let mut versions = vec![plain.version.clone()];
        for text in ["one", "two", "one"] {
            written.note(&plain.links[0].id, &title(text), 0);
            versions.push(after(&written, 0).version);
            versions.push(after(&written, 1).version);
        }
        let edited = after(&written, 1);
        assert_eq!(edited.links[0].title, "one", "though the edit gave it another");
        assert_eq!(edited.links[0].url, plain.links[0].url);
        assert_eq!(edited.links[1], plain.links[1]);
        assert_ne!(edited.bio, plain.bio);
        assert!(edited.version.starts_with("v1.3-"));
        assert_eq!((edited.updated_s, edited.links[0].updated_s), (63, 60));
        let count = versions.len();
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), count, "no version stands for two states");
    }
}

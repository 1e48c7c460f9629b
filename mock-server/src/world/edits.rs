//! Creators change their pages: texts change, links come and go, at planned times or when somebody steers them.

use crate::seed;
use crate::world::link::{Link, RANK_STEP};
use crate::world::population::{Creator, Population, version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A planned edit of some pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// Real milliseconds since the traffic began.
    pub at_ms: u64,
    /// A handle, or a prefix of handles ending in `*`.
    pub handles: String,
    pub change: PageChange,
}

/// What an edit changes on a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum PageChange {
    /// The bio and the first link's title.
    #[default]
    Text,
    /// New links come, at places in the listing that the seed chooses.
    Insert {
        /// How many on each page.
        #[schemars(range(min = 0, max = MAX_COUNT))]
        count: u16,
    },
    /// Links go; the seed chooses which.
    Remove {
        /// How many on each page, at most as many as there are.
        #[schemars(range(min = 0, max = MAX_COUNT))]
        count: u16,
    },
}

/// The most links that come or go with one edit: each page that is read replays all its edits.
pub const MAX_COUNT: u16 = 1_000;
/// Edits that a running mock takes beside its plan.
pub const MAX_STEERED: usize = 10_000;

/// True when `pattern` is this handle, or a prefix of it ending in `*`.
#[must_use]
pub fn handle_matches(pattern: &str, handle: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => handle.starts_with(prefix),
        None => pattern == handle,
    }
}

/// An edit that has happened. Its name is the same in every run with the same plan, and with it
/// everything that the edit makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub name: String,
    pub change: PageChange,
}

impl PageChange {
    pub(crate) fn is_text(&self) -> bool {
        *self == Self::Text
    }

    /// How many links come or go on each page; none when texts change.
    pub(crate) const fn count(self) -> Option<u16> {
        match self {
            Self::Text => None,
            Self::Insert { count } | Self::Remove { count } => Some(count),
        }
    }

    /// The ids of the links that this edit, of this name, inserts on a page.
    pub(crate) fn inserted_ids(
        self,
        seed: u64,
        handle: &str,
        name: &str,
    ) -> impl Iterator<Item = String> {
        let count = if let Self::Insert { count } = self { count } else { 0 };
        (0..count).map(move |nth| Link::id(seed, &[handle, name, &nth.to_string()]))
    }
}

/// The creator after these edits, in this order; none when nobody has this handle.
pub(crate) fn creator(
    population: &Population,
    seed: u64,
    handle: &str,
    done: &[Done],
) -> Option<Creator> {
    let count = |done: usize| u32::try_from(done).unwrap_or(u32::MAX);
    let texts = done.iter().filter(|done| done.change.is_text()).count();
    let mut creator = population.creator_after(seed, handle, count(texts))?;
    let originally = count(creator.links.len());
    let mut inserted = 0;
    let mut taken: HashSet<u64> = creator.links.iter().map(|link| link.rank).collect();
    for (nth, Done { name, change }) in done.iter().enumerate() {
        let updated_s = Creator::stamp(count(nth + 1), 0);
        match *change {
            PageChange::Text => {
                if let Some(first) = creator.links.iter_mut().find(|link| link.is_first()) {
                    first.updated_s = updated_s;
                }
            }
            PageChange::Insert { .. } => {
                for id in change.inserted_ids(seed, handle, name) {
                    let position = originally.saturating_add(inserted);
                    inserted += 1;
                    let mut link = Link::inserted(seed, handle, id, position, updated_s);
                    link.rank = free_rank(link.rank, u64::from(originally) + 1, &mut taken);
                    creator.links.push(link);
                }
                creator.links.sort_unstable_by_key(|link| link.rank);
            }
            PageChange::Remove { count } => remove(&mut creator.links, seed, name, count),
        }
    }
    creator.edit = count(done.len());
    creator.updated_s = Creator::stamp(creator.edit, 0);
    creator.version = version(seed, handle, creator.edit, 0);
    Some(creator)
}

/// A rank of its own for a new link, anywhere among `steps` ranks of original links. Ranks of links
/// that are gone stay taken.
fn free_rank(any: u64, steps: u64, taken: &mut HashSet<u64>) -> u64 {
    // Rank 0 is before the first link.
    let mut rank = (any % steps.saturating_mul(RANK_STEP)).max(1);
    while !taken.insert(rank) {
        rank += 1;
    }
    rank
}

fn remove(links: &mut Vec<Link>, seed: u64, name: &str, count: u16) {
    let mut order: Vec<_> = links
        .iter()
        .map(|link| (seed::derive(seed, &["remove", name, &link.id]), link.rank))
        .collect();
    order.sort_unstable();
    let gone: HashSet<_> = order.into_iter().take(count.into()).map(|(_, rank)| rank).collect();
    links.retain(|link| !gone.contains(&link.rank));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::population::Group;
    use std::collections::BTreeSet;

    const TEXT: PageChange = PageChange::Text;
    const INSERT: PageChange = PageChange::Insert { count: 4 };
    const REMOVE: PageChange = PageChange::Remove { count: 3 };

    fn after(seed: u64, changes: &[PageChange]) -> Creator {
        let group =
            Group { prefix: "a".into(), count: 1, min_links: 6, max_links: 6, ..Group::default() };
        let done: Vec<_> = changes
            .iter()
            .enumerate()
            .map(|(nth, &change)| Done { name: format!("plan {nth}"), change })
            .collect();
        creator(&Population { groups: vec![group] }, seed, "a-0001", &done).unwrap()
    }

    fn ids(creator: &Creator) -> BTreeSet<&str> {
        creator.links.iter().map(|link| link.id.as_str()).collect()
    }

    #[test]
    fn edits_of_texts_alone_make_the_same_creator_as_ever() {
        let group =
            Group { prefix: "a".into(), count: 1, min_links: 6, max_links: 6, ..Group::default() };
        let twice = after(7, &[TEXT, TEXT]);
        let plain = Population { groups: vec![group] }.creator_after(7, "a-0001", 2).unwrap();
        assert_eq!((&twice.version, &twice.bio), (&plain.version, &plain.bio));
        assert_eq!(twice.links[0].title, plain.links[0].title);
        assert_eq!((twice.links[0].updated_s, twice.links[1].updated_s), (120, 0));
    }

    #[test]
    fn links_come_and_go_while_the_others_stay_as_they_were() {
        let (plain, more) = (after(7, &[]), after(7, &[INSERT]));
        assert!(more.version.starts_with("v1-"));
        assert_eq!(more.links.len(), 10);
        assert_eq!(ids(&more).len(), 10, "ids are unique");
        let kept: Vec<_> = more.links.iter().filter(|link| link.position < 6).cloned().collect();
        assert_eq!(kept, plain.links);
        assert_ne!(more.links[6..], more.links[6..].iter().rev().cloned().collect::<Vec<_>>());
        let fewer = after(7, &[INSERT, REMOVE]);
        assert!(ids(&fewer).is_subset(&ids(&more)));
        assert_eq!(fewer.links.len(), 7);
        assert!(fewer.links.iter().all(|link| more.links.contains(link)));
        assert_eq!(after(7, &[REMOVE, REMOVE, REMOVE]).links, []);
    }

    #[test]
    fn ranks_ascend_and_new_links_come_between_old_ones() {
        let links = after(7, &[INSERT, INSERT, REMOVE, INSERT]).links;
        assert!(links.iter().zip(&links[1..]).all(|(one, next)| one.rank < next.rank));
        let places: Vec<_> = links.iter().map(|link| link.position >= 6).collect();
        assert!(!places.is_sorted(), "some new link has an old one behind it: {places:?}");
    }

    #[test]
    fn which_links_come_and_go_follows_the_seed_and_the_edit() {
        let changes = [INSERT, REMOVE, INSERT];
        assert_eq!(after(7, &changes), after(7, &changes));
        let places = |seed| after(seed, &changes).links.iter().map(|l| l.rank).collect::<Vec<_>>();
        assert_ne!(places(7), places(8));
        assert_eq!(ids(&after(7, &[INSERT, INSERT])).len(), 14, "each edit makes its own links");
    }

    #[test]
    fn a_taken_rank_moves_up_to_the_next_free_one() {
        let mut taken = HashSet::from([5, 6]);
        let ranks = [5, 5, 9 * RANK_STEP + 5, 0].map(|any| free_rank(any, 9, &mut taken));
        assert_eq!(ranks, [7, 8, 9, 1]);
    }
}

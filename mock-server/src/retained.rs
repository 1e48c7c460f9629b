//! A map that forgets its oldest entries, so that a long run needs no more memory than a short one.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// At most `capacity` entries; a further one pushes out the one that came first. Reading or
/// changing an entry does not make it younger.
#[derive(Debug)]
pub(crate) struct Retained<K, V> {
    capacity: usize,
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Copy + Eq + Hash, V> Retained<K, V> {
    /// An empty map; a capacity of 0 counts as 1. Memory is taken as entries come.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), entries: HashMap::new(), order: VecDeque::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// The entry for `key`, made by `first` if there is none.
    pub fn or_insert_with(&mut self, key: K, first: impl FnOnce() -> V) -> &mut V {
        if !self.entries.contains_key(&key) {
            while self.order.len() >= self.capacity {
                if let Some(oldest) = self.order.pop_front() {
                    self.entries.remove(&oldest);
                }
            }
            self.order.push_back(key);
        }
        self.entries.entry(key).or_insert_with(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_oldest_entry_goes_first_even_when_it_was_used_last() {
        let mut map = Retained::new(2);
        *map.or_insert_with(1, || 10) += 1;
        map.or_insert_with(2, || 20);
        *map.or_insert_with(1, || 0) += 1;
        assert_eq!(map.get(&1), Some(&12));
        map.or_insert_with(3, || 30);
        assert_eq!((map.get(&1), map.get(&2), map.get(&3)), (None, Some(&20), Some(&30)));
        assert_eq!(*map.or_insert_with(1, || 7), 7, "it starts anew");
    }

    #[test]
    fn many_keys_leave_no_more_than_the_capacity() {
        let mut map = Retained::new(1_000);
        for key in 0..100_000_u32 {
            map.or_insert_with(key, || ());
        }
        assert_eq!((map.entries.len(), map.order.len()), (1_000, 1_000));
        assert!(map.entries.capacity() < 8_000 && map.order.capacity() < 8_000);
        assert!(map.get(&98_999).is_none() && map.get(&99_000).is_some());
    }

    proptest! {
        /// Whatever is asked for, the map holds exactly the last distinct keys that were new.
        #[test]
        fn it_agrees_with_a_naive_list(
            capacity in 0usize..6,
            keys in proptest::collection::vec(0u8..12, 0..80),
        ) {
            let mut map = Retained::new(capacity);
            let mut list: Vec<(u8, usize)> = Vec::new();
            for (nth, key) in keys.into_iter().enumerate() {
                if !list.iter().any(|(known, _)| *known == key) {
                    list.push((key, nth));
                    if list.len() > capacity.max(1) {
                        list.remove(0);
                    }
                }
                map.or_insert_with(key, || nth);
                for key in 0..12 {
                    let expected = list.iter().find(|(known, _)| *known == key);
                    prop_assert_eq!(map.get(&key), expected.map(|(_, nth)| nth));
                }
            }
        }
    }
}

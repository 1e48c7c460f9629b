//! Attempts in the order of their ends, of which those are found that came long before without a look at
//! each: a history may hold a million of them, and thousands of open times.

use crate::case::JudgedExchange;
use mock_server::clock::Moment;

/// So many are passed over at once.
const BLOCK: usize = 256;

/// In the order of their ends.
pub struct Known<'c> {
    all: Vec<&'c JudgedExchange>,
    /// Of each block when the first of its attempts came.
    came: Vec<Moment>,
}

impl<'c> Known<'c> {
    /// Takes them in any order; those that end at once stay as they are.
    pub fn of(mut all: Vec<&'c JudgedExchange>) -> Self {
        all.sort_by_key(|one| one.t_known());
        let first = |block: &[&JudgedExchange]| block.iter().map(|one| one.t_req).min();
        let came = all.chunks(BLOCK).filter_map(first).collect();
        Self { all, came }
    }

    pub fn all(&self) -> &[&'c JudgedExchange] {
        &self.all
    }

    /// Those that end after a moment.
    pub fn after(&self, moment: Moment) -> &[&'c JudgedExchange] {
        &self.all[self.all.partition_point(|one| one.t_known() <= moment)..]
    }

    /// Those that end at `since` or later and had come by `by`.
    pub fn late(&self, since: Moment, by: Moment) -> impl Iterator<Item = &'c JudgedExchange> {
        let first = self.all.partition_point(|one| one.t_known() < since);
        let blocks = (first / BLOCK..self.came.len()).filter(move |block| self.came[*block] <= by);
        let places = blocks.flat_map(move |block| {
            (block * BLOCK).max(first)..((block + 1) * BLOCK).min(self.all.len())
        });
        places.map(|place| self.all[place]).filter(move |one| one.t_req <= by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, given_up, read};

    #[test]
    fn whoever_came_before_and_ended_after_is_found_among_many() {
        // Each takes 5 ms but one, which came at 100 ms and ended 9 s later.
        let many = (0..2_000).map(|n| read("ann", n * 10));
        let history = History::over(&[]).exchanges(many).exchange(given_up("bob", 100, 9_100));
        let all: Vec<_> = history.case.linktree.exchanges.iter().collect();
        let known = Known::of(all.clone());
        assert!(known.all().is_sorted_by_key(|one| one.t_known()));
        for (since, by) in [(0, 0), (95, 100), (96, 100), (9_100, 100), (9_101, 100), (50, 19_990)]
        {
            let [since, by] = [since, by].map(Moment::from_ms);
            let found: Vec<u64> = known.late(since, by).map(|one| one.id).collect();
            let is_late = |one: &&&JudgedExchange| since <= one.t_known() && one.t_req <= by;
            let expected: Vec<u64> = known.all().iter().filter(is_late).map(|one| one.id).collect();
            assert_eq!(found, expected, "{since:?} {by:?}");
            let after = known.all().iter().filter(|one| one.t_known() > since).count();
            assert_eq!(known.after(since).len(), after);
        }
    }
}

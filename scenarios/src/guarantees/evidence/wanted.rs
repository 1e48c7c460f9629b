//! What visitors asked for, and whether all of it could have been fetched within the rate cap.
//!
//! Nothing of it depends on what the integration did: an integration that fails every page is wanted
//! as much as one that serves them all.

use crate::case::Case;
use crate::guarantees::evidence::rate;
use crate::history::Operation;
use mock_server::clock::Moment;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// Parts of a limit window in which views of one page count as one.
const PARTS: u32 = 12;

/// Page views and clicks by parts of the limit window, so that memory does not grow with visitors.
pub struct Wanted<'c> {
    case: &'c Case,
    part: Duration,
    pages: HashMap<String, BTreeSet<u64>>,
    clicks: BTreeMap<u64, usize>,
}

impl<'c> Wanted<'c> {
    /// Nobody has come yet.
    #[must_use]
    pub fn over(case: &'c Case) -> Self {
        let part = (case.times.window / PARTS).max(Duration::from_millis(1));
        Self { case, part, pages: HashMap::new(), clicks: BTreeMap::new() }
    }

    /// Takes in a front-door operation.
    pub fn note(&mut self, operation: &Operation<'_>) {
        let part = self.part_of(operation.sent);
        if operation.click().is_some() {
            *self.clicks.entry(part).or_default() += 1;
        } else if operation.page().is_some() {
            if let Some(parts) = self.pages.get_mut(operation.handle.as_ref()) {
                parts.insert(part);
            } else {
                self.pages.insert(operation.handle.to_string(), BTreeSet::from([part]));
            }
        }
    }

    /// The part of the limit window in which a moment lies.
    #[must_use]
    pub fn part_of(&self, moment: Moment) -> u64 {
        let part = moment.0 as u128 / self.part.as_nanos().max(1);
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    /// The parts in which everything that was asked for within the limit window before fits under the
    /// rate cap, for half a limit window on end.
    #[must_use]
    pub fn feasible(&self) -> Feasible {
        let all = || self.pages.values().flatten().chain(self.clicks.keys());
        let (first, last) = (all().min().copied(), all().max().copied());
        let (Some(first), Some(last)) = (first, last) else { return Feasible::default() };
        let half = u64::from(PARTS / 2);
        let lasting = self.fitting(first, last).into_iter().filter_map(|(from, until)| {
            let last = until.checked_sub(half)?;
            (from <= last).then_some((from, last))
        });
        Feasible { since: lasting.collect(), half }
    }

    /// From which part on a page could have been there: half a limit window after visitors first asked
    /// for it at a time when all that was asked for could be fetched.
    #[must_use]
    pub fn could_be_filled_from(&self, handle: &str, feasible: &Feasible) -> Option<u64> {
        let first = self.pages.get(handle)?.iter().find(|part| feasible.contains(**part))?;
        Some(first + feasible.half + 1)
    }

    /// From which part to which, between these two, the window that ends with each asks for no more than
    /// the cap. What a window asks for changes where a view enters or leaves it, and only there.
    fn fitting(&self, first: u64, last: u64) -> Vec<(u64, u64)> {
        let mut changes: BTreeMap<u64, (i64, i64)> = BTreeMap::new();
        for (handle, parts) in &self.pages {
            let (calls, mut before) = (self.calls_of_a_fill(handle), 0);
            let left = parts.iter().map(|part| part.saturating_add(u64::from(PARTS) + 1));
            let edges: BTreeSet<u64> = parts.iter().copied().chain(left).collect();
            for part in edges {
                let now = self.fetches(parts, part);
                changes.entry(part).or_default().0 += (now - before) * calls;
                before = now;
            }
        }
        for (part, clicks) in &self.clicks {
            let clicks = i64::try_from(*clicks).unwrap_or(i64::MAX);
            changes.entry(*part).or_default().1 += clicks;
            changes.entry(part.saturating_add(u64::from(PARTS) + 1)).or_default().1 -= clicks;
        }
        let cap = i64::try_from(rate::cap(self.case)).unwrap_or(i64::MAX);
        let slots = i64::from(self.case.declared.click_slots);
        let (mut pages, mut clicks, mut since) = (0, 0, None);
        let mut fitting = Vec::new();
        for (part, change) in changes.range(first..=last) {
            pages += change.0;
            clicks += change.1;
            if pages + clicks.min(slots) <= cap {
                since.get_or_insert(*part);
            } else if let Some(since) = since.take() {
                fitting.push((since, part - 1));
            }
        }
        fitting.extend(since.map(|since| (since, last)));
        fitting
    }

    /// How often a page that is asked for in these parts is fetched in the window that ends with this one:
    /// anew whenever it has expired.
    fn fetches(&self, parts: &BTreeSet<u64>, part: u64) -> i64 {
        let from = part.saturating_sub(PARTS.into());
        let age = self.case.max_age().as_nanos() / self.part.as_nanos().max(1);
        let age = u64::try_from(age).unwrap_or(u64::MAX).max(1);
        let (mut fetches, mut fresh_until) = (0, 0);
        for asked in parts.range(from..=part) {
            if *asked >= fresh_until {
                fetches += 1;
                fresh_until = asked.saturating_add(age);
            }
        }
        fetches
    }

    /// The profile, and the parts of the longest list of links that the creator may have.
    fn calls_of_a_fill(&self, handle: &str) -> i64 {
        let links = self.case.plan.population.most_links(handle);
        let parts = links.unwrap_or(0).div_ceil(self.case.contract.pages.default_limit.max(1));
        1 + i64::from(parts.max(1))
    }
}

/// Since when, by parts of the limit window, everything could be fetched for half a window on end.
#[derive(Clone, Debug, Default)]
pub struct Feasible {
    /// From which part to which, ascending.
    since: Vec<(u64, u64)>,
    half: u64,
}

impl Feasible {
    fn contains(&self, part: u64) -> bool {
        let next = self.since.partition_point(|span| span.1 < part);
        self.since.get(next).is_some_and(|span| span.0 <= part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::client_rate_cap;
    use crate::testing::{History, click, page};
    use proptest::prelude::*;
    use std::ops::Range;

    /// From which second on Ann's page could have been there, when each of these is visited every second
    /// of a span, under a cap of five requests a minute.
    fn from_second(
        max_age_s: u32,
        visits: &[(&'static str, Range<u64>)],
        clicks: usize,
    ) -> Option<u64> {
        let mut history = History::over(&[]).promising(&client_rate_cap::REQUESTS, 5);
        history.case.contract.cache.max_age_s = max_age_s;
        history.case.ready();
        let mut wanted = Wanted::over(&history.case);
        for (name, seconds) in visits {
            for at in seconds.clone().map(|second| second * 1_000) {
                wanted.note(&page(name, at, at + 1, "v"));
                (0..clicks).for_each(|_| wanted.note(&click("c", at, at + 1)));
            }
        }
        let part = wanted.could_be_filled_from("ann", &wanted.feasible())?;
        Some(part * 5)
    }

    #[test]
    fn what_is_asked_for_within_the_cap_could_be_there_after_half_a_window() {
        assert_eq!(from_second(60, &[("ann", 0..120)], 0), Some(35));
        let two = [("ann", 0..40), ("bob", 0..40)];
        assert_eq!(from_second(60, &two, 0), Some(35), "two calls for each of two pages");
    }

    #[test]
    fn what_is_asked_for_beyond_the_cap_could_not() {
        let three = ["ann", "bob", "carl"].map(|name| (name, 0..120));
        assert_eq!(from_second(60, &three, 0), None);
        assert_eq!(from_second(60, &three[..1], 9), None, "a fetch, and the clicks' slots");
        assert_eq!(from_second(60, &[], 0), None, "nobody asked");
    }

    #[test]
    fn a_page_that_expires_is_fetched_again_and_again() {
        let late = [("bob", 0..120), ("ann", 65..120)];
        assert_eq!(from_second(60, &late[1..], 0), Some(100));
        assert_eq!(from_second(20, &late, 0), None, "Bob's takes four fetches a minute");
    }

    #[test]
    fn a_time_within_the_cap_counts_when_it_lasts_for_half_a_window() {
        let until = |others| {
            let all = [("ann", 10..120), ("bob", others..120), ("carl", others..120)];
            from_second(60, &all, 0)
        };
        assert_eq!((until(40), until(45)), (None, Some(45)));
    }

    /// Whether the window that ends with this part asks for no more than the cap, counted view by view.
    fn fits(wanted: &Wanted<'_>, part: u64) -> bool {
        let window = part.saturating_sub(PARTS.into())..=part;
        let pages = wanted
            .pages
            .iter()
            .map(|(handle, parts)| wanted.fetches(parts, part) * wanted.calls_of_a_fill(handle));
        let clicks: usize = wanted.clicks.range(window).map(|(_, clicks)| clicks).sum();
        let slots = usize::try_from(wanted.case.declared.click_slots).unwrap();
        let clicks = i64::try_from(clicks.min(slots)).unwrap();
        pages.sum::<i64>() + clicks <= i64::try_from(rate::cap(wanted.case)).unwrap()
    }

    proptest! {
        /// What is only looked at where it changes comes to what a look at each part comes to, however
        /// seldom somebody comes.
        #[test]
        fn between_changes_everything_stays_as_it_is(
            visits in prop::collection::vec((0..4_usize, 0..900_u64), 0..30),
            clicks in prop::collection::vec(0..900_u64, 0..10),
            max_age_s in 5..120_u32,
        ) {
            let mut history = History::over(&[]).promising(&client_rate_cap::REQUESTS, 5);
            history.case.contract.cache.max_age_s = max_age_s;
            history.case.ready();
            let mut wanted = Wanted::over(&history.case);
            for (name, second) in visits {
                let name = ["ann", "bob", "carl", "dora"][name];
                wanted.note(&page(name, second * 1_000, second * 1_000 + 1, "v"));
            }
            for second in clicks {
                wanted.note(&click("c", second * 1_000, second * 1_000 + 1));
            }
            let feasible = wanted.feasible();
            let all = || wanted.pages.values().flatten().chain(wanted.clicks.keys()).copied();
            let (first, last) = (all().min().unwrap_or(1), all().max().unwrap_or(0));
            for part in 0..200 {
                let until = part + u64::from(PARTS / 2);
                let lasts = first <= part && until <= last && (part..=until).all(|one| fits(&wanted, one));
                prop_assert_eq!(feasible.contains(part), lasts, "part {}", part);
            }
        }
    }
}

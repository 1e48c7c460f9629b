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

/// Of so many views in a limit window one is of a page that must be among what is fetched first. Under the
/// usual cap and limit some twenty fetches or more are let through meanwhile: whoever takes the first visitor,
/// the last one or any of them takes one of this page's, but once in three hundred times.
const MUCH: usize = 4;

/// Views of one page, by parts of the limit window.
type Views = BTreeMap<u64, usize>;

/// Page views and clicks by parts of the limit window, so that memory does not grow with visitors.
pub struct Wanted<'c> {
    case: &'c Case,
    part: Duration,
    pages: HashMap<String, Views>,
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
            let views = match self.pages.get_mut(operation.handle.as_ref()) {
                Some(views) => views,
                None => self.pages.entry(operation.handle.to_string()).or_default(),
            };
            *views.entry(part).or_default() += 1;
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
        let all = || self.pages.values().flat_map(Views::keys).chain(self.clicks.keys());
        let (first, last) = (all().min().copied(), all().max().copied());
        let (Some(first), Some(last)) = (first, last) else { return Feasible::default() };
        let half = u64::from(PARTS / 2);
        let lasting = self.fitting(first, last).into_iter().filter_map(|(from, until)| {
            let last = until.checked_sub(half)?;
            (from <= last).then_some((from, last))
        });
        let mut views = Views::new();
        for (part, count) in self.pages.values().flatten() {
            *views.entry(*part).or_default() += count;
        }
        Feasible { since: lasting.collect(), half, views }
    }

    /// From which part on a page could have been there: half a limit window after visitors first asked
    /// for it at a time when all that was asked for could be fetched, or after a whole one in which so
    /// many asked for it that whoever fetches anything fetches this page.
    #[must_use]
    pub fn could_be_filled_from(&self, handle: &str, feasible: &Feasible) -> Option<u64> {
        let views = self.pages.get(handle)?;
        let first = views.keys().find(|part| feasible.contains(**part));
        let fitting = first.map(|first| first + feasible.half + 1);
        [fitting, self.much_wanted_from(handle, views, feasible)].into_iter().flatten().min()
    }

    /// The first part before which visitors asked for a page all through a limit window, and made up a
    /// quarter of all who asked for any; one of which a few fill the cap is none of these.
    fn much_wanted_from(&self, handle: &str, views: &Views, feasible: &Feasible) -> Option<u64> {
        let room = rate::cap(self.case).saturating_sub(self.case.declared.click_slots as usize);
        let calls = usize::try_from(self.calls_of_a_fill(handle)).unwrap_or(usize::MAX);
        if calls.saturating_mul(MUCH * MUCH) > room {
            return None;
        }
        let window = u64::from(PARTS);
        let is_much = |last: u64| {
            let parts = (last + 1).saturating_sub(window)..=last;
            let of_all: usize = feasible.views.range(parts.clone()).map(|(_, count)| count).sum();
            let of_it = views.range(parts);
            let (asked, count) = of_it.fold((0, 0), |sum, (_, count)| (sum.0 + 1, sum.1 + count));
            asked == window && count * MUCH >= of_all
        };
        views.keys().find(|last| is_much(**last)).map(|last| last + 1)
    }

    /// From which part to which, between these two, the window that ends with each asks for no more than
    /// the cap. What a window asks for changes where a view enters or leaves it, and only there.
    fn fitting(&self, first: u64, last: u64) -> Vec<(u64, u64)> {
        let mut changes: BTreeMap<u64, (i64, i64)> = BTreeMap::new();
        for (handle, views) in &self.pages {
            let (calls, mut before) = (self.calls_of_a_fill(handle), 0);
            let left = views.keys().map(|part| part.saturating_add(u64::from(PARTS) + 1));
            let edges: BTreeSet<u64> = views.keys().copied().chain(left).collect();
            for part in edges {
                let now = self.fetches(views, part);
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
    fn fetches(&self, views: &Views, part: u64) -> i64 {
        let from = part.saturating_sub(PARTS.into());
        let age = self.case.max_age().as_nanos() / self.part.as_nanos().max(1);
        let age = u64::try_from(age).unwrap_or(u64::MAX).max(1);
        let (mut fetches, mut fresh_until) = (0, 0);
        for asked in views.range(from..=part).map(|(asked, _)| asked) {
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
    /// Of all pages together.
    views: Views,
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

    /// From which second on Ann's page could have been there, where so many others beside it, each of one
    /// visitor, are asked for in each second from `from` on, of a hundred; under a cap of `cap` a minute.
    fn beside(others: u64, from: u64, cap: u64) -> Option<u64> {
        let mut history = History::over(&[]).promising(&client_rate_cap::REQUESTS, cap);
        history.case.declared.click_slots = 0;
        history.case.ready();
        let mut wanted = Wanted::over(&history.case);
        for second in from..200 {
            let at = second * 1_000;
            wanted.note(&page("ann", at, at + 1, "v"));
            for other in 0..others {
                let handle = Box::leak(format!("other-{second}-{other}").into_boxed_str());
                wanted.note(&page(handle, at, at + 1, "v"));
            }
        }
        Some(wanted.could_be_filled_from("ann", &wanted.feasible())? * 5)
    }

    #[test]
    fn whom_a_quarter_of_all_visitors_ask_for_could_be_there_after_a_window_whatever_else_is_wanted()
     {
        assert_eq!(beside(3, 0, 90), Some(60));
        assert_eq!(beside(3, 42, 90), Some(100), "asked for from 42 s on");
        assert_eq!(beside(4, 0, 90), None, "a fifth");
        assert_eq!(beside(3, 0, 31), None, "sixteen fills are more than the cap");
    }

    #[test]
    fn whoever_is_not_asked_for_all_through_a_window_is_not_much_wanted() {
        let mut history = History::over(&[]).promising(&client_rate_cap::REQUESTS, 90);
        history.case.declared.click_slots = 0;
        history.case.ready();
        let mut wanted = Wanted::over(&history.case);
        for second in (0..200_u64).filter(|second| second % 60 >= 10) {
            for n in 0..4 {
                let (at, other) = (second * 1_000, format!("other-{second}-{n}"));
                wanted.note(&page("ann", at, at + 1, "v"));
                wanted.note(&page(Box::leak(other.into_boxed_str()), at, at + 1, "v"));
            }
        }
        assert_eq!(wanted.could_be_filled_from("ann", &wanted.feasible()), None);
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
            .map(|(handle, views)| wanted.fetches(views, part) * wanted.calls_of_a_fill(handle));
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
            let pages = || wanted.pages.values().flat_map(Views::keys);
            let all = || pages().chain(wanted.clicks.keys()).copied();
            let (first, last) = (all().min().unwrap_or(1), all().max().unwrap_or(0));
            for part in 0..200 {
                let until = part + u64::from(PARTS / 2);
                let lasts = first <= part && until <= last && (part..=until).all(|one| fits(&wanted, one));
                prop_assert_eq!(feasible.contains(part), lasts, "part {}", part);
            }
        }
    }
}

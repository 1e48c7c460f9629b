//! Where exchanges are found that judges ask for again and again: by the page that they read, and by
//! the click that they deliver. Made once, when a judge first asks, and shared by all.

use super::judged_exchange::JudgedExchange;
use super::pool::Text;
use mock_server::clock::Moment;
use std::collections::{HashMap, HashSet};

/// Reads of pages by the handle that they are about.
#[derive(Debug, Default)]
pub(super) struct PageReads(HashMap<Text, ReadsOfPage>);

/// Whatever asked for one page, be it only whether it is there. Exchanges are named by their places.
#[derive(Debug, Default)]
pub(super) struct ReadsOfPage {
    /// In order of arrival.
    pub(super) places: Vec<u32>,
    /// Of each and those that came before it the one that was known last.
    last: Vec<u32>,
    /// The same of those that ask for the page itself, where there are others.
    last_of_whole: Option<Vec<u32>>,
}

/// None of the exchanges.
const NONE: u32 = u32::MAX;

/// So many exchanges as have no place fit into no memory.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}

impl PageReads {
    pub(super) fn of(exchanges: &[JudgedExchange]) -> Self {
        let mut all: HashMap<Text, ReadsOfPage> = HashMap::new();
        for (at, one) in exchanges.iter().enumerate().filter(|(_, one)| one.route.is_page_read()) {
            all.entry(one.handle.clone().unwrap_or_default()).or_default().places.push(place(at));
        }
        all.values_mut().for_each(|page| page.look_up(exchanges));
        Self(all)
    }

    pub(super) fn by_handle(&self) -> impl Iterator<Item = (&str, &[u32])> {
        self.0.iter().map(|(handle, page)| (&**handle, page.places.as_slice()))
    }

    pub(super) fn of_handle(&self, handle: &str) -> Option<&ReadsOfPage> {
        self.0.get(handle)
    }
}

impl ReadsOfPage {
    fn look_up(&mut self, exchanges: &[JudgedExchange]) {
        self.places.shrink_to_fit();
        let so_far = |counts: fn(&JudgedExchange) -> bool| {
            let known = |place: u32| exchanges.get(place as usize).map(JudgedExchange::t_known);
            let last = self.places.iter().scan(NONE, |last, place| {
                let is_last = known(*last).is_none_or(|before| Some(before) <= known(*place));
                if counts(&exchanges[*place as usize]) && is_last {
                    *last = *place;
                }
                Some(*last)
            });
            last.collect::<Vec<_>>()
        };
        let others = self.places.iter().any(|place| exchanges[*place as usize].is_head());
        self.last_of_whole = others.then(|| so_far(JudgedExchange::is_page_read));
        self.last = so_far(|_| true);
    }

    /// The one that was known last of those that came at `at` or before: of all, or of those that ask for
    /// the page itself.
    pub(super) fn last<'x>(
        &self,
        exchanges: &'x [JudgedExchange],
        at: Moment,
        whole: bool,
    ) -> Option<&'x JudgedExchange> {
        let come = self.places.partition_point(|place| exchanges[*place as usize].t_req <= at);
        let last = self.last_of_whole.as_ref().filter(|_| whole).unwrap_or(&self.last);
        exchanges.get(last[come.checked_sub(1)?] as usize)
    }
}

/// When pages were answered well, by handle.
#[derive(Debug, Default)]
pub(super) struct PageFills {
    /// Ascending.
    filled: HashMap<Text, Vec<Moment>>,
    /// Answered with 404.
    unknown: HashSet<Text>,
}

impl PageFills {
    pub(super) fn of(exchanges: &[JudgedExchange]) -> Self {
        let mut all = Self::default();
        for read in exchanges.iter().filter(|read| read.is_page_read()) {
            let handle = read.handle.clone().unwrap_or_default();
            if read.is_success() {
                all.filled.entry(handle).or_default().push(read.t_known());
            } else if read.status == Some(404) {
                all.unknown.insert(handle);
            }
        }
        for times in all.filled.values_mut() {
            times.sort_unstable();
            times.shrink_to_fit();
        }
        all
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &[Moment]> {
        self.filled.values().map(Vec::as_slice)
    }

    pub(super) fn of_handle(&self, handle: &str) -> &[Moment] {
        self.filled.get(handle).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_unknown(&self, handle: &str) -> bool {
        self.unknown.contains(handle)
    }
}

/// Clicks by their ids, in the order of their first attempts, with all their attempts.
#[derive(Debug, Default)]
pub(super) struct Clicks {
    places: HashMap<Text, usize>,
    /// Of each click where its attempts begin, and at last where all of them end.
    begins: Vec<usize>,
    /// Exchange and receipt in it, click by click, in order of arrival.
    attempts: Vec<(u32, u32)>,
}

impl Clicks {
    pub(super) fn of(exchanges: &[JudgedExchange]) -> Self {
        let mut places: HashMap<Text, usize> = HashMap::new();
        let mut counts: Vec<usize> = Vec::new();
        // Of each receipt, in order, the place of its click.
        let mut order: Vec<usize> = Vec::new();
        let delivering = || exchanges.iter().enumerate().filter(|(_, one)| one.route.is_click());
        for receipt in delivering().flat_map(|(_, one)| &one.clicks) {
            let next = counts.len();
            let place = *places.entry(receipt.event_id.clone()).or_insert(next);
            if place == next {
                counts.push(0);
            }
            counts[place] += 1;
            order.push(place);
        }
        let mut begins = Vec::with_capacity(counts.len() + 1);
        begins.push(0);
        for (place, count) in counts.into_iter().enumerate() {
            begins.push(begins[place] + count);
        }
        let mut free = begins.clone();
        let mut attempts = vec![(0, 0); order.len()];
        let receipts = delivering().flat_map(|(at, one)| {
            (0..one.clicks.len()).map(move |receipt| (place(at), place(receipt)))
        });
        for (click, attempt) in order.into_iter().zip(receipts) {
            attempts[free[click]] = attempt;
            free[click] += 1;
        }
        Self { places, begins, attempts }
    }

    pub(super) fn count(&self) -> usize {
        self.begins.len().saturating_sub(1)
    }

    pub(super) fn place(&self, event_id: &str) -> Option<usize> {
        self.places.get(event_id).copied()
    }

    pub(super) fn attempts(&self, place: usize) -> &[(u32, u32)] {
        &self.attempts[self.begins[place]..self.begins[place + 1]]
    }
}

//! The cache hit ratio that the metrics expose, against what visitors and the mock saw.
//!
//! A read of a fresh page that no upstream call for it overlaps was a hit. The first call for a page
//! that is sent during a read is that read's doing: a miss. In between are reads of which only the
//! integration knows (some count a lookup of an expired page as a miss, whatever comes of it), so that
//! the true ratio is an interval (predicates B7).

use super::scrapes::{self, Life};
use crate::case::{Case, JudgedExchange};
use crate::history::Operation;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use std::collections::HashMap;

/// Gathers what happened between the scrapes of each life of the process.
pub struct ExposedRatio<'c> {
    case: &'c Case,
    lives: Vec<Counting<'c>>,
    calls: HashMap<&'c str, Calls>,
}

/// When a page was asked for upstream.
struct Calls {
    first: Moment,
    /// When links first came.
    linked: Option<Moment>,
}

impl Calls {
    /// Whether this creator's page was surely whole and fresh all through this span, and nobody asked for
    /// it.
    fn is_fresh(&self, case: &Case, handle: &str, from: Moment, until: Moment) -> bool {
        let delta = case.harness.delta;
        let last = case.linktree.last_read(handle, until.plus(delta));
        let Some(last) = last.filter(|last| last.t_known() < from.minus(delta)) else {
            return false;
        };
        let fills = case.fills();
        let vouched = fills.place(handle).and_then(|of| fills.creator(of).validated_before(from));
        let is_fresh = |at: Moment| until.plus(delta) < at.plus(case.max_age());
        last.is_success()
            && vouched.is_some_and(is_fresh)
            && self.linked.is_some_and(|at| at < from)
    }
}

struct Counting<'c> {
    life: Life<'c>,
    /// Reads that may be counted.
    reads: u64,
    /// Of which surely hits.
    free: u64,
    /// Pages whose first call was sent during a read.
    cold: HashMap<String, Moment>,
}

impl<'c> ExposedRatio<'c> {
    /// Begins to count for a case.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        let new = |life| Counting { life, reads: 0, free: 0, cold: HashMap::new() };
        let lives: Vec<_> = scrapes::lives(case).into_iter().map(new).collect();
        // Without metrics nothing is counted.
        let pages = case.linktree.page_reads().filter(|_| !lives.is_empty());
        let calls = pages.filter_map(|(handle, calls)| {
            let mut whole =
                calls.filter(|call| call.is_page_read() && call.handle.is_some()).peekable();
            let first = whole.peek()?.t_req;
            let links = whole.filter(|call| call.route == Route::ProfileLinks);
            let links = links.filter(|call| call.is_success());
            let linked = links.map(JudgedExchange::t_known).min();
            Some((handle, Calls { first, linked }))
        });
        let calls = calls.collect();
        Self { case, lives, calls }
    }

    /// Sees one front-door operation.
    pub fn operation(&mut self, operation: &Operation<'_>) {
        if operation.page().is_none() && !operation.did.may_count_as_read() {
            return;
        }
        let (delta, handle) = (self.case.harness.delta, operation.handle.as_ref());
        let (from, until) = (operation.sent, operation.last);
        let calls = self.calls.get(handle);
        for counting in &mut self.lives {
            let Life { first, last } = counting.life;
            if until < first.sent || from > last.last {
                continue;
            }
            counting.reads += 1;
            let surely = from > first.last && until.plus(delta) < last.sent;
            if !surely || !operation.is_ok() || operation.page().is_none() {
                continue;
            }
            let Some(calls) = calls else { continue };
            let first = calls.first;
            if from <= first && first <= until {
                counting.cold.entry(handle.to_owned()).or_insert(first);
            } else if calls.is_fresh(self.case, handle, from, until) {
                counting.free += 1;
            }
        }
    }

    /// Why the ratio of some life cannot be told from its counters, though it is exposed.
    #[must_use]
    pub fn fell(&self) -> Option<String> {
        let exposed = |counting: &&Counting<'_>| counting.life.grown(|f| f.cache_hits).is_some();
        self.lives.iter().filter(exposed).find_map(|counting| counting.life.fell(self.case))
    }

    /// Exposed ratios outside of the interval; and, where a ratio is exposed, in words what was
    /// compared and by how many thousandths it was outside at most. Lives in which a counter fell are
    /// left out.
    #[must_use]
    pub fn compare(&self) -> (Offences, Option<(String, u64)>) {
        let (mut offences, mut in_words, mut off) = (Offences::default(), Vec::new(), 0);
        for Counting { life, reads, free, cold } in &self.lives {
            let (reads, free) = (*reads, *free);
            let counted = (life.grown(|f| f.cache_hits), life.grown(|f| f.cache_misses));
            // Services without a life for expired pages have no such counter.
            let stale = life.grown(|f| f.cache_stale).unwrap_or(0.0);
            let (Some(hits), misses) = (counted.0, counted.1.unwrap_or(0.0)) else { continue };
            let all = hits + misses + stale;
            if reads == 0 || all <= 0.0 || life.fell(self.case).is_some() {
                continue;
            }
            let (least, most) = (share(free, reads), 1.0 - share(cold.len() as u64, reads));
            let (strict, lenient) = (hits / all, (hits + stale) / all);
            let words = format!(
                "exposed as {:.1} % (with expired pages {:.1} %), was {:.1} % to {:.1} %",
                strict * 1e2,
                lenient * 1e2,
                least * 1e2,
                most * 1e2,
            );
            if strict > most || lenient < least {
                let first = cold.values().min().copied().unwrap_or(life.last.sent);
                let what = format!("the cache hit ratio is {words}");
                let cold = cold.len();
                offences.add(first, || {
                    Witness::new(first, what)
                        .line(format!("{reads} page reads between the scrapes"))
                        .line(format!("{free} of them of a fresh page, without any call for it"))
                        .line(format!("{cold} of them brought the first call for their page about"))
                        .line(format!("counted: {hits} hits, {misses} misses, {stale} stale"))
                });
            }
            off = off.max(thousandths((strict - most).max(least - lenient)));
            in_words.push(words);
        }
        (offences, (!in_words.is_empty()).then(|| (in_words.join(", then "), off)))
    }
}

/// A part of one counts as a whole one, so that what is outside by less does not look inside.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // no fraction and no sign is left
fn thousandths(share: f64) -> u64 {
    (share.max(0.0) * 1e3).ceil() as u64
}

/// Counts of a run are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn share(part: u64, of: u64) -> f64 {
    part as f64 / of.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Did, PageView};
    use crate::observed::Figures;
    use crate::testing::{History, click, links, page, read, refused, scrape};
    use mock_server::history::exchange::Exchange;

    /// Ten reads of each of two creators within `max-age`, each first one cold; what the metrics
    /// count of them.
    #[track_caller]
    fn check(hits: f64, misses: f64, stale: f64, expected_wrong: u64, expected_off: u64) {
        let figures = Figures {
            cache_hits: Some(hits),
            cache_misses: Some(misses),
            cache_stale: Some(stale),
            ..Figures::default()
        };
        let reads = |handle: &'static str| {
            (0..10).map(move |n| page(handle, 1_000 + n * 200, 1_020 + n * 200, "v"))
        };
        let mut history = History::over(&[])
            .scrape(scrape(0, Figures::default()))
            .exchange(read("ann", 1_005))
            .exchange(read("bob", 1_006))
            .exchanges(["ann", "bob"].map(|handle| links(handle, 1_012)))
            .scrape(scrape(20_000, figures));
        history.case.ready();
        let mut ratio = ExposedRatio::of(&history.case);
        reads("ann").chain(reads("bob")).for_each(|one| ratio.operation(&one));
        let (offences, in_words) = ratio.compare();
        assert_eq!(offences.count(), expected_wrong, "{in_words:?}");
        assert_eq!(in_words.map(|(_, off)| off), Some(expected_off));
    }

    #[test]
    fn the_true_ratio_and_what_nobody_can_tell_from_it_are_right() {
        check(18.0, 2.0, 0.0, 0, 0);
        check(36.0, 4.0, 0.0, 0, 0); // counted for each of two layers
        check(9.0, 2.0, 9.0, 0, 0);
    }

    #[test]
    fn misses_counted_as_hits_and_hits_as_misses_are_wrong() {
        check(20.0, 0.0, 0.0, 1, 100);
        check(19.0, 1.0, 0.0, 1, 50);
        check(2.0, 18.0, 0.0, 1, 800);
    }

    #[test]
    fn a_lookup_of_an_expired_page_may_be_counted_as_a_miss() {
        for (hits, misses) in [(0.0, 4.0), (3.0, 1.0)] {
            let (cache_hits, cache_misses) = (Some(hits), Some(misses));
            let figures = Figures { cache_hits, cache_misses, ..Figures::default() };
            let mut history = History::over(&[])
                .scrape(scrape(0, Figures::default()))
                .exchanges([read("ann", 1_005), links("ann", 1_012)])
                .scrape(scrape(90_000, figures));
            history.case.ready();
            let mut ratio = ExposedRatio::of(&history.case);
            for at in [1_000, 60_000, 60_100, 60_200] {
                ratio.operation(&page("ann", at, at + 20, "v"));
            }
            assert_eq!(ratio.compare().0.count(), 0, "{hits} hits");
        }
    }

    #[test]
    fn reads_beside_other_calls_may_be_either() {
        let figures = |hits, misses| Figures {
            cache_hits: Some(hits),
            cache_misses: Some(misses),
            ..Figures::default()
        };
        for (hits, misses) in [(3.0, 1.0), (1.0, 3.0)] {
            let mut history = History::over(&[])
                .scrape(scrape(0, Figures::default()))
                .exchanges([1_005, 2_005, 3_005].map(|at| read("ann", at)))
                .scrape(scrape(20_000, figures(hits, misses)));
            history.case.ready();
            let mut ratio = ExposedRatio::of(&history.case);
            for at in [1_000, 2_000, 3_000, 4_000] {
                ratio.operation(&page("ann", at, at + 20, "v"));
            }
            assert_eq!(ratio.compare().0.count(), 0, "{hits} hits");
        }
    }

    #[test]
    fn a_page_is_surely_fresh_when_whole_unexpired_and_left_alone() {
        // Over calls for Ann's page; `max-age` is 4 s, δ is 100 ms.
        let fresh = |calls: &[Exchange], from, until| {
            let mut history = History::over(&[]).exchanges(calls.iter().cloned());
            for at in [0, 9_000] {
                history = history.scrape(scrape(at, Figures::default()));
            }
            let (from, until) = (Moment::from_ms(from), Moment::from_ms(until));
            let ratio = ExposedRatio::of(&history.case);
            ratio.calls["ann"].is_fresh(&history.case, "ann", from, until)
        };
        let whole = [read("ann", 0), links("ann", 10)];
        assert!(fresh(&whole, 116, 200), "its last call is known at 15 ms");
        assert!(!fresh(&whole, 115, 200), "it may have been answered meanwhile");
        assert!(fresh(&whole, 1_000, 3_904) && !fresh(&whole, 1_000, 3_905), "to its last moment");
        assert!(
            !fresh(&whole[..1], 116, 200) && !fresh(&whole[1..], 116, 200),
            "a part is missing"
        );
        let [vouched, refused] = [304, 503].map(|status| refused("ann", 2_000, status));
        assert!(
            !fresh(&[&whole[..], std::slice::from_ref(&refused)].concat(), 2_200, 2_210),
            "it failed last"
        );
        assert!(!fresh(&[refused, links("ann", 2_010)], 2_200, 2_210), "it never came");
        assert!(fresh(&[&whole[..], &[vouched]].concat(), 5_000, 5_010), "by a 304");
    }

    /// What this operation counts for: reads, surely hits, first calls. Scrapes are from 1,000 ms to 1,005 ms and
    /// from 3,000 ms to 3,005 ms, Ann's page is fresh all the time, and Bob's is first asked for at 1,500 ms.
    #[track_caller]
    fn counts(operation: Operation<'static>, expected: (u64, u64, usize)) {
        let mut history = History::over(&[])
            .exchanges([read("ann", 500), links("ann", 510), read("bob", 1_500)])
            .scrape(scrape(1_000, Figures::default()))
            .scrape(scrape(3_000, Figures::default()));
        history.case.ready();
        let mut ratio = ExposedRatio::of(&history.case);
        ratio.operation(&operation);
        let Counting { reads, free, cold, .. } = &ratio.lives[0];
        assert_eq!((*reads, *free, cold.len()), expected, "{operation:?}");
    }

    #[test]
    fn reads_within_both_scrapes_count_surely_and_those_at_their_edges_perhaps() {
        for (from, until, expected) in [
            (900, 999, (0, 0, 0)),
            (900, 1_000, (1, 0, 0)),
            (1_005, 1_010, (1, 0, 0)),
            (1_006, 1_010, (1, 1, 0)),
            (2_890, 2_899, (1, 1, 0)),
            (2_890, 2_900, (1, 0, 0)),
            (3_005, 3_010, (1, 0, 0)),
            (3_006, 3_010, (0, 0, 0)),
        ] {
            counts(page("ann", from, until, "v"), expected);
        }
        counts(page("bob", 1_490, 1_510, "v"), (1, 0, 1));
        counts(page("carl", 1_490, 1_510, "v"), (1, 0, 0));
    }

    #[test]
    fn what_showed_no_page_may_be_counted_and_a_click_is_no_read() {
        let read = |of| Operation { did: of, ..page("ann", 2_000, 2_010, "v") };
        counts(Operation { status: Some(503), ..page("ann", 2_000, 2_010, "v") }, (1, 0, 0));
        counts(read(Did::Head(PageView::default())), (1, 0, 0));
        counts(click("c", 2_000, 2_010), (0, 0, 0));
    }

    #[test]
    fn counters_that_stand_still_and_times_without_reads_are_not_compared() {
        let compared = |hits, read: bool| {
            let figures = Figures { cache_hits: Some(hits), ..Figures::default() };
            let mut history = History::over(&[])
                .scrape(scrape(0, Figures::default()))
                .scrape(scrape(9_000, figures));
            history.case.ready();
            let mut ratio = ExposedRatio::of(&history.case);
            if read {
                ratio.operation(&page("ann", 2_000, 2_010, "v"));
            }
            ratio.compare().1.is_some()
        };
        assert!(compared(1.0, true) && !compared(0.0, true) && !compared(1.0, false));
    }

    #[test]
    fn without_a_ratio_there_is_nothing_to_compare() {
        let mut history = History::over(&[]).scrape(scrape(0, Figures::default()));
        history.case.ready();
        let mut ratio = ExposedRatio::of(&history.case);
        ratio.operation(&page("ann", 0, 5, "v"));
        assert_eq!(ratio.compare().1, None);
    }
}

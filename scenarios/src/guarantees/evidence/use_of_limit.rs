//! How much of the rate limit is used at each moment, at the least and at the most.
//!
//! Who wants to know may count the requests of the last minute, or those of the clock's last whole one,
//! may believe what Linktree's last answer said is left, or, where nothing of it is exposed, may stretch
//! what a monitor scraped within a minute to all of it; of each key, or of all together.

use super::alerts::{SCRAPE, Sample, moments};
use super::window::{Memory, between};
use crate::case::{Case, JudgedExchange};
use crate::spans::Spans;
use mock_server::clock::Moment;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Nobody knows how many a client counts that were refused before they were requests.
const UNKNOWN: u64 = u32::MAX as u64;

/// The requests of a case.
pub struct UseOfLimit<'c> {
    case: &'c Case,
    /// Of each key, in order of time.
    keys: Vec<Vec<Moment>>,
    /// Of all of them, with connections on which none was read.
    all: Vec<Moment>,
    refused: Spans,
    memory: Memory,
    /// Whether use is exposed, so that no monitor has to take rates over the few scrapes of a minute, which
    /// in quick time are too few for that.
    exposed: bool,
}

/// A span in which requests are counted, and of how many of these a minute consists.
#[derive(Clone, Copy)]
struct Counted {
    span: Duration,
    stretched: bool,
}

impl<'c> UseOfLimit<'c> {
    /// Takes in what Linktree saw.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        let mut keys: BTreeMap<&str, Vec<Moment>> = BTreeMap::new();
        for one in case.linktree.exchanges.iter() {
            let key = one.head.key_id.as_deref().unwrap_or(&one.head.token);
            keys.entry(key).or_default().push(one.t_req);
        }
        let ends = |one: &JudgedExchange| one.t_end;
        let mut all: Vec<Moment> = keys.values().flatten().copied().collect();
        all.extend(case.linktree.connections.iter().map(ends));
        all.sort_unstable();
        let refused = case.linktree.refusals();
        let refused = refused.map(|(from, until)| (from, until.plus(case.times.window)));
        let refused = Spans::joined(refused.collect(), Duration::ZERO);
        let keys = keys.into_values().collect();
        let exposed = case.target.scrapes.iter().any(|one| one.figures.rate_used.is_some());
        Self { case, keys, all, refused, memory: Memory::of(case), exposed }
    }

    /// The requests in a minute that ends at each moment.
    #[must_use]
    pub fn signal(&self) -> Vec<Sample> {
        let mut before = Moment::ZERO;
        let now = moments(self.case).map(|at| {
            let since = std::mem::replace(&mut before, at);
            Sample { at, lo: self.lowest(since, at), hi: self.highest(since, at) }
        });
        // The clock's last whole minute may have ended at any moment of this one.
        let whole = self.case.times.window + self.case.harness.delta;
        let mut ended: VecDeque<Sample> = VecDeque::new();
        let widened = |one: Sample| {
            ended.push_back(one);
            while ended.front().is_some_and(|first| first.at.plus(whole) < one.at) {
                ended.pop_front();
            }
            let lo = ended.iter().map(|one| one.lo).min().unwrap_or_default();
            let hi = ended.iter().map(|one| one.hi).max().unwrap_or_default();
            Sample { at: one.at, lo, hi }
        };
        now.map(widened).collect()
    }

    /// A minute, and what lies between the first and the last scrape in it, which is known to be stretched.
    fn counted(&self) -> impl Iterator<Item = Counted> {
        let window = self.case.times.window;
        let scrapes = (window.as_nanos() - 1) / SCRAPE.as_nanos();
        let scraped = SCRAPE * u32::try_from(scrapes).unwrap_or(u32::MAX);
        let stretched = Counted { span: scraped, stretched: true };
        let whole = Counted { span: window, stretched: false };
        [Some(whole), (scrapes > 0).then_some(stretched)].into_iter().flatten()
    }

    /// So many in a minute, of so many in a span.
    fn in_a_minute(&self, of: usize, counted: Counted) -> u64 {
        let (of, window, span) =
            (of as u128, self.case.times.window.as_nanos(), counted.span.as_nanos());
        u64::try_from(of * window / span.max(1)).unwrap_or(u64::MAX)
    }

    /// The least between two moments: fewest are known where one has just left.
    fn lowest(&self, since: Moment, until: Moment) -> u64 {
        let delta = self.case.harness.delta;
        let of = |counted: Counted| {
            let span = counted.span.saturating_sub(delta);
            let left = between(&self.all, since.minus(span), until.minus(span));
            let left = left.iter().map(|request| request.plus(span));
            let least = left.chain([until]).map(|at| {
                let from = self.memory.since(at.minus(span), at);
                let of = self.keys.iter().map(|key| between(key, from, at).len()).max();
                self.in_a_minute(of.unwrap_or_default(), counted)
            });
            least.min().unwrap_or_default()
        };
        let lawful = self.counted().filter(|one| !(one.stretched && self.exposed));
        lawful.map(of).min().unwrap_or_default()
    }

    /// The most between two moments: it is reached as one leaves the client, and where no other comes an
    /// answer's word stands.
    fn highest(&self, since: Moment, until: Moment) -> u64 {
        if self.refused.touch(since, until) {
            return UNKNOWN;
        }
        let delta = self.case.harness.delta;
        let come = between(&self.all, since.plus(delta), until.plus(delta)).iter();
        let last = between(&self.all, Moment::ZERO, until).last().copied();
        let most = come.map(|at| at.minus(delta)).chain([until]).chain(last);
        let most = most.flat_map(|at| {
            self.counted().map(move |counted| {
                let of = between(&self.all, at.minus(counted.span + delta), at.plus(delta)).len();
                self.in_a_minute(of, counted)
            })
        });
        most.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Figures;
    use crate::plan::PhaseKind::Control;
    use crate::testing::{History, read, scrape};
    use mock_server::history::exchange::Exchange;

    /// Five minutes with a request at each of these tenths of a second.
    fn history(tenths: impl IntoIterator<Item = u64>) -> History {
        let calls = tenths.into_iter().map(|tenth| read("ann", tenth * 100));
        History::over(&[(Control, 0, 300)]).declaring(|one| one.alert_delay_ms = 0).exchanges(calls)
    }

    /// One a second for three minutes.
    fn steady() -> History {
        history((5..180 * 10).step_by(10))
    }

    fn at(mut history: History, tenth: u64) -> (u64, u64) {
        history.case.ready();
        let signal = UseOfLimit::of(&history.case).signal();
        let at = Moment::from_ms(tenth * 100);
        let sample = signal.iter().find(|one| one.at == at).unwrap();
        (sample.lo, sample.hi)
    }

    #[test]
    fn a_steady_use_is_known_but_for_delivery_and_scrapes() {
        let (lo, hi) = at(steady(), 1_500);
        assert!((58..=60).contains(&lo) && (60..=62).contains(&hi), "{lo} {hi}");
        assert_eq!(at(history([]), 1_500), (0, 0));
    }

    #[test]
    fn what_just_began_is_in_no_whole_minute_and_what_ended_is_in_the_last_one() {
        assert_eq!(at(steady(), 600).0, 0);
        let (lo, hi) = at(steady(), 300);
        assert!(lo == 0 && (30..=32).contains(&hi), "{lo} {hi}");
        assert!(at(steady(), 2_380).1 >= 60);
        let (lo, hi) = at(steady(), 2_700);
        assert!(lo == 0 && hi >= 58, "the last answer said so: {lo} {hi}");
    }

    #[test]
    fn what_comes_and_goes_between_two_looks_is_seen() {
        // Sixty at once, which leave the minute at once, and ten that come as these leave.
        let crowd = (0..60).map(|_| 1_000).chain((0..10).map(|_| 1_600));
        let crowd = history(crowd);
        assert!(at(crowd, 1_610).1 >= 70);
    }

    #[test]
    fn between_the_first_and_the_last_scrape_of_a_minute_more_may_have_come_than_in_all_of_it() {
        // Fifty-nine seconds with sixty requests are 61 a minute.
        let full = (0..3).flat_map(|minute| (0..60).map(move |n| minute * 600 + 5 + n * 9));
        let (lo, hi) = at(history(full), 1_300);
        assert!(lo <= 60 && hi >= 61, "{lo} {hi}");
    }

    #[test]
    fn where_use_is_exposed_nobody_needs_rates_over_few_scrapes() {
        // Of six seconds all come in half a one, which the first and the last scrape need not enclose.
        let uneven =
            || history((0..20).flat_map(|n| (0..50).map(move |k| n * 60 + k % 5))).scaled(10);
        assert_eq!(at(uneven(), 300).0, 0);
        let exposed = Figures { rate_used: Some(50.0), ..Figures::default() };
        assert_eq!(at(uneven().scrape(scrape(1_000, exposed)), 300).0, 40);
    }

    #[test]
    fn of_two_keys_the_busier_one_counts_at_the_least_and_both_at_the_most() {
        let other = |n: u64| Exchange { key_id: Some("b".into()), ..read("bob", n * 3_000 + 200) };
        let both = steady().exchanges((0..60).map(other));
        let (lo, hi) = at(both, 1_500);
        assert!((58..=60).contains(&lo) && (80..=83).contains(&hi), "{lo} {hi}");
    }

    #[test]
    fn a_process_that_began_anew_has_counted_nothing() {
        assert_eq!(at(steady().killed_until(100_000, 100_500), 1_590).0, 0);
        assert_eq!(at(steady().killed_until(30_000, 30_500), 1_590).0, 58);
    }

    #[test]
    fn what_was_used_may_be_told_for_another_minute_and_the_tolerance() {
        // Until the next answer, at 170 s, the word of the last one stands.
        let crowd = || history((0..70).map(|_| 1_000).chain([1_700]));
        assert!(at(crowd(), 2_300).1 >= 70);
        assert!(at(crowd(), 2_301).1 < 70);
    }

    #[test]
    fn a_window_of_less_than_a_scrape_is_not_stretched() {
        assert_eq!(at(history([5]).scaled(61), 5).1, 1);
    }
}

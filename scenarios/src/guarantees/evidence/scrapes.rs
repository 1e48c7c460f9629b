//! Scrapes of the metrics, by the lives of the process: a counter begins anew with each, and that of a
//! worker which is replaced begins anew within one.

use crate::case::{Case, JudgedExchange};
use crate::observed::{Figures, Scrape};
use mock_server::clock::Moment;

/// The first and the last good scrape within one life of the process.
#[derive(Clone, Copy, Debug)]
pub struct Life<'c> {
    /// The first.
    pub first: &'c Scrape,
    /// The last, another one.
    pub last: &'c Scrape,
}

/// Every life with at least two good scrapes, in order.
#[must_use]
pub fn lives(case: &Case) -> Vec<Life<'_>> {
    let mut lives: Vec<Life<'_>> = Vec::new();
    let mut first: Option<&Scrape> = None;
    for scrape in case.target.scrapes.iter().filter(|scrape| scrape.is_ok()) {
        let begun = first.filter(|begun| case.target.lived_through(begun.sent, scrape.last));
        match begun {
            None => first = Some(scrape),
            Some(begun) => {
                let goes_on = |life: &&mut Life<'_>| life.first.sent == begun.sent;
                match lives.last_mut().filter(goes_on) {
                    Some(life) => life.last = scrape,
                    None => lives.push(Life { first: begun, last: scrape }),
                }
            }
        }
    }
    lives
}

impl Life<'_> {
    /// How much a counter has grown; a counter that was not there at first began at zero. None when
    /// it is not exposed.
    #[must_use]
    pub fn grown(&self, figure: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
        Some(figure(&self.last.figures)? - figure(&self.first.figures).unwrap_or(0.0))
    }

    /// Why nothing can be told from how much counters have grown, if one of them fell meanwhile, though
    /// the process lived on: it began anew, as those of worker processes do that are replaced, or each
    /// scrape was answered by another worker that counts for itself.
    #[must_use]
    pub fn fell(&self, case: &Case) -> Option<String> {
        let inside = |scrape: &&Scrape| {
            scrape.is_ok() && self.first.sent <= scrape.sent && scrape.sent <= self.last.sent
        };
        let mut known = self.first.figures.counters();
        for scrape in case.target.scrapes.iter().filter(inside) {
            for (before, (name, now)) in known.iter_mut().zip(scrape.figures.counters()) {
                if let (Some(was), Some(is)) = (before.1, now)
                    && is < was
                {
                    return Some(format!(
                        "the count of {name} fell from {was} to {is} by {}, though the process lived \
                         on: it began anew, or several workers each count for themselves. Let one \
                         scrape tell the sum over all of them, also of those that have ended",
                        case.at(scrape.last),
                    ));
                }
                before.1 = now.or(before.1);
            }
        }
        None
    }

    /// Whether what ended at `at` is counted in between, whatever took its time (predicates B10).
    #[must_use]
    pub fn surely_holds(&self, case: &Case, at: Moment) -> bool {
        at > self.first.last.plus(case.harness.delta)
            && at.plus(case.harness.delta) < self.last.sent
    }

    /// Whether what ended at `at` may be counted in between.
    #[must_use]
    pub fn may_hold(&self, case: &Case, at: Moment) -> bool {
        at.plus(case.harness.delta) >= self.first.sent
            && at <= self.last.last.plus(case.harness.delta)
    }

    /// Whether the integration may know of this exchange's end in between.
    #[must_use]
    pub fn may_count(&self, case: &Case, exchange: &JudgedExchange) -> bool {
        self.may_hold(case, exchange.t_known())
    }
}

/// Why nothing could be compared: no scrape was good, or the figures were not among them.
#[must_use]
pub fn why_unseen(case: &Case, key: &str) -> String {
    let Some(scrape) = case.target.scrapes.last() else {
        return "the metrics were not scraped".to_owned();
    };
    if let Some(why) = key.split(" and ").find_map(|name| unread(case, name)) {
        return why;
    }
    match (case.target.scrapes.iter().any(Scrape::is_ok), scrape.status) {
        (true, _) => format!(
            "what [observe.metrics] names for {key} is not exposed: name it as your service does"
        ),
        (false, Some(status)) => format!(
            "the metrics answer {status}: set front_door.metrics, or without = [\"metrics\"]"
        ),
        (false, None) => "the metrics did not answer a scrape".to_owned(),
    }
}

/// Why a figure that is there could not be told from the last scrape, if so.
#[must_use]
pub fn unread(case: &Case, key: &str) -> Option<String> {
    let why = case.target.scrapes.last()?.figures.unread.get(key)?;
    Some(format!("what [observe.metrics] names for {key} cannot be told: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, read, scrape};

    fn spans(history: &mut History) -> Vec<(u64, u64)> {
        history.case.ready();
        let ms = |moment: Moment| moment.0 / 1_000_000;
        lives(&history.case).iter().map(|life| (ms(life.first.sent), ms(life.last.sent))).collect()
    }

    #[test]
    fn a_life_ends_with_its_process_and_needs_two_good_scrapes() {
        let figures = Figures::default;
        let at = |ms| scrape(ms, figures());
        let mut history = History::over(&[]).scrape(at(0)).scrape(at(1_000)).scrape(at(2_000));
        assert_eq!(spans(&mut history), [(0, 2_000)]);
        let mut history = history.killed(2_500).scrape(at(3_000)).scrape(at(4_000));
        assert_eq!(spans(&mut history), [(0, 2_000), (3_000, 4_000)]);
        let broken = Scrape { status: Some(500), ..at(5_000) };
        let mut history = history.scrape(broken).killed(6_000).scrape(at(7_000));
        assert_eq!(spans(&mut history), [(0, 2_000), (3_000, 4_000)]);
    }

    /// What a counter reads one second after the other, and whether it fell.
    #[track_caller]
    fn check(readings: &[Option<f64>], expected: Option<&str>) {
        let mut at = 0;
        let mut scraped = |cache_hits: &Option<f64>| {
            at += 1_000;
            scrape(at, Figures { cache_hits: *cache_hits, ..Figures::default() })
        };
        let mut history = History::over(&[]);
        history.case.target.scrapes = readings.iter().map(&mut scraped).collect();
        history.case.ready();
        let fell = lives(&history.case)[0].fell(&history.case);
        assert_eq!(fell.is_some(), expected.is_some(), "{fell:?}");
        assert!(expected.is_none_or(|words| fell.unwrap().contains(words)));
    }

    #[test]
    fn a_counter_that_falls_while_its_process_lives_is_told() {
        check(&[Some(5.0), Some(5.0), Some(9.0)], None);
        check(&[None, Some(5.0), None, Some(9.0)], None);
        check(&[Some(5.0), Some(2.0), Some(9.0)], Some("cache hits fell from 5 to 2 by 2.0"));
        check(&[Some(5.0), None, Some(2.0)], Some("cache hits fell from 5 to 2 by 3.0"));
    }

    #[test]
    fn a_counter_that_came_later_began_at_zero() {
        let with = |timeouts| Figures { timeouts, ..Figures::default() };
        let (first, last) = (scrape(0, with(None)), scrape(1_000, with(Some(3.0))));
        let life = Life { first: &first, last: &last };
        assert_eq!(life.grown(|figures| figures.timeouts), Some(3.0));
        assert_eq!(life.grown(|figures| figures.auth_errors), None);
        let later = scrape(2_000, with(Some(5.0)));
        let grown = Life { first: &last, last: &later }.grown(|figures| figures.timeouts);
        assert_eq!(grown, Some(2.0));
    }

    #[test]
    fn what_ends_near_a_scrape_may_be_counted_and_what_ends_well_inside_surely_is() {
        // From 1,000 ms to 1,005 ms, and from 3,000 ms to 3,005 ms; δ is 100 ms.
        let [first, last] = [1_000, 3_000].map(|at| scrape(at, Figures::default()));
        let (life, case) = (Life { first: &first, last: &last }, History::over(&[]).case);
        let surely = |ms| life.surely_holds(&case, Moment::from_ms(ms));
        let perhaps = |ms| life.may_hold(&case, Moment::from_ms(ms));
        assert_eq!([1_105, 1_106, 2_899, 2_900].map(surely), [false, true, true, false]);
        assert_eq!([899, 900, 3_105, 3_106].map(perhaps), [false, true, true, false]);
        let counts = |ms| life.may_count(&case, &read("ann", ms).into()); // for 5 ms
        assert_eq!([894, 895, 3_100, 3_101].map(counts), [false, true, true, false]);
    }

    #[test]
    fn why_nothing_was_seen_says_what_to_do() {
        let check = |scrapes: &[Scrape], expected: &str| {
            let mut history = History::over(&[]);
            history.case.target.scrapes = scrapes.to_vec();
            let why = why_unseen(&history.case, "cache_hits");
            assert!(why.contains(expected), "{why}");
        };
        let good = scrape(0, Figures::default());
        let (refused, silent) =
            (Scrape { status: Some(404), ..good.clone() }, Scrape { status: None, ..good.clone() });
        check(&[], "the metrics were not scraped");
        let mut untold = good.clone();
        untold.figures.unread.insert("cache_hits".into(), "it is sampled".into());
        check(&[good.clone(), untold], "names for cache_hits cannot be told: it is sampled");
        check(&[good, refused.clone()], "[observe.metrics] names for cache_hits is not exposed");
        check(&[refused], "the metrics answer 404: set front_door.metrics");
        check(&[silent], "the metrics did not answer a scrape");
    }
}

//! Demand: when a visitor asked for something that only Linktree could give.

use crate::case::Case;
use crate::history::{Op, Operation};
use mock_server::clock::Moment;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

const TICK_NS: u64 = 10_000_000;

/// Every click, and every page whose last good answer was older than its `max-age`, kept as ticks of
/// ten milliseconds so that memory does not grow with visitors.
pub struct Demand<'c> {
    fills: HashMap<&'c str, Vec<Moment>>,
    fresh: Duration,
    pages: BTreeSet<u64>,
    clicks: BTreeSet<u64>,
}

impl<'c> Demand<'c> {
    /// No demand yet, over this case's page reads.
    #[must_use]
    pub fn over(case: &'c Case) -> Self {
        let mut fills: HashMap<&str, Vec<Moment>> = HashMap::new();
        for read in &case.exchanges {
            if let Some(handle) = read.handle.as_deref()
                && read.route.is_page_read()
                && read.is_success()
            {
                fills.entry(handle).or_default().push(read.t_known());
            }
        }
        fills.values_mut().for_each(|times| times.sort_unstable());
        let fresh = Duration::from_secs(u64::from(case.contract.cache.max_age_s));
        Self { fills, fresh, pages: BTreeSet::new(), clicks: BTreeSet::new() }
    }

    /// Whether a page of this creator, asked for at `moment`, was never filled or has expired.
    #[must_use]
    pub fn is_due(&self, handle: &str, moment: Moment) -> bool {
        self.fills.get(handle).is_none_or(|times| {
            let before = times.partition_point(|filled| *filled <= moment);
            before == 0 || times[before - 1].plus(self.fresh) < moment
        })
    }

    /// Takes in a front-door operation.
    pub fn note(&mut self, operation: &Operation<'_>) {
        let tick = operation.sent.0 / TICK_NS;
        match operation.op {
            Op::Click => _ = self.clicks.insert(tick),
            Op::Page if self.is_due(&operation.handle, operation.sent) => {
                self.pages.insert(tick);
            }
            Op::Page => {}
        }
    }

    /// Whether a due page was asked for within this span.
    #[must_use]
    pub fn of_pages(&self, from: Moment, until: Moment) -> bool {
        within(&self.pages, from, until)
    }

    /// Whether anything that needs Linktree was asked for within this span.
    #[must_use]
    pub fn of_anything(&self, from: Moment, until: Moment) -> bool {
        self.of_pages(from, until) || within(&self.clicks, from, until)
    }
}

fn within(ticks: &BTreeSet<u64>, from: Moment, until: Moment) -> bool {
    from < until
        && ticks.range(from.0.div_ceil(TICK_NS)..until.0.div_ceil(TICK_NS)).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, click, page, read, refused};

    #[test]
    fn only_expired_and_unknown_pages_and_clicks_are_demand() {
        let history = History::over(&[]).exchange(read("ann", 0)).exchange(refused("bob", 0, 503));
        let mut demand = Demand::over(&history.case);
        demand.note(&page("ann", 3_000, 3_010, "v"));
        let second = |s: u64| Moment::from_ms(s * 1_000);
        assert!(!demand.of_pages(second(2), second(4)), "within max-age");
        demand.note(&page("ann", 6_000, 6_010, "v"));
        assert!(demand.of_pages(second(6), second(7)) && !demand.of_pages(second(4), second(6)));
        demand.note(&page("bob", 1_000, 1_010, "v"));
        assert!(demand.of_pages(second(1), second(2)));
        demand.note(&click("c", 8_000, 8_010));
        assert!(demand.of_anything(second(8), second(9)));
        assert!(
            !demand.of_pages(second(8), second(9)) && !demand.of_anything(second(9), second(8))
        );
    }
}

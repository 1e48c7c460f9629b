//! Demand: when a visitor asked for something that only Linktree could give.

use super::ticks::Ticks;
use crate::case::Case;
use crate::history::Operation;
use mock_server::clock::Moment;
use std::time::Duration;

const TICK_NS: u64 = 10_000_000;

/// Every click, and every page that was never filled or has expired, kept as ticks of ten milliseconds
/// so that memory does not grow with visitors. Expired pages are demand only for an integration that
/// was seen to fetch some page again soon after its `max-age`: caches may keep pages longer.
pub struct Demand<'c> {
    case: &'c Case,
    fresh: Duration,
    refreshes: bool,
    pages: Ticks,
    clicks: Ticks,
}

impl<'c> Demand<'c> {
    /// No demand yet, over this case's page reads.
    #[must_use]
    pub fn over(case: &'c Case) -> Self {
        let fresh = case.max_age();
        let soon = fresh / 2..fresh * 2 + Duration::from_secs(1);
        let again =
            |times: &[Moment]| times.windows(2).any(|two| soon.contains(&two[1].since(two[0])));
        let refreshes = case.linktree.page_fills().any(again);
        Self { case, fresh, refreshes, pages: Ticks::none(), clicks: Ticks::none() }
    }

    /// Whether a page of this creator, asked for at `moment`, was never filled or has expired.
    #[must_use]
    pub fn is_due(&self, handle: &str, moment: Moment) -> bool {
        let times = self.case.linktree.page_fills_of(handle);
        let before = times.partition_point(|filled| *filled <= moment);
        let is_filled =
            before > 0 && (!self.refreshes || moment <= times[before - 1].plus(self.fresh));
        // Where it was answered with 404 there is nothing to fetch.
        !is_filled && !self.case.linktree.is_unknown_page(handle)
    }

    /// Whether a page of this creator was filled within this span.
    #[must_use]
    pub fn is_filled_within(&self, handle: &str, from: Moment, until: Moment) -> bool {
        let times = self.case.linktree.page_fills_of(handle);
        let next = times.partition_point(|filled| *filled < from);
        times.get(next).is_some_and(|filled| *filled <= until)
    }

    /// Takes in a front-door operation.
    pub fn note(&mut self, operation: &Operation<'_>) {
        let tick = operation.sent.0 / TICK_NS;
        if operation.click().is_some() {
            self.clicks.insert(tick);
        } else if operation.page().is_some() && self.is_due(&operation.handle, operation.sent) {
            self.pages.insert(tick);
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

fn within(ticks: &Ticks, from: Moment, until: Moment) -> bool {
    !ticks.within(from.0.div_ceil(TICK_NS), until.0.div_ceil(TICK_NS)).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, click, page, read, refused};

    fn second(second: u64) -> Moment {
        Moment::from_ms(second * 1_000)
    }

    #[test]
    fn expired_and_never_filled_pages_and_clicks_are_demand() {
        let history = History::over(&[])
            .exchanges([read("ann", 0), read("ann", 5_000)])
            .exchange(refused("bob", 0, 503))
            .exchange(refused("carl", 0, 404));
        let mut demand = Demand::over(&history.case);
        demand.note(&page("ann", 8_000, 8_010, "v"));
        demand.note(&page("carl", 8_000, 8_010, "v"));
        assert!(!demand.of_pages(second(7), second(9)), "within max-age, or unknown");
        demand.note(&page("ann", 16_000, 16_010, "v"));
        assert!(demand.of_pages(second(16), second(17)) && !demand.of_pages(second(9), second(16)));
        demand.note(&page("bob", 1_000, 1_010, "v"));
        assert!(demand.of_pages(second(1), second(2)));
        demand.note(&click("c", 18_000, 18_010));
        assert!(demand.of_anything(second(18), second(19)));
        assert!(!demand.of_pages(second(18), second(19)));
        assert!(!demand.of_anything(second(19), second(18)));
        assert!(demand.is_filled_within("ann", second(5), second(6)));
    }

    #[test]
    fn a_cache_that_never_refreshes_has_no_expired_pages() {
        let history = History::over(&[]).exchange(read("ann", 0));
        let demand = Demand::over(&history.case);
        assert!(!demand.is_due("ann", second(60)) && demand.is_due("bob", second(60)));
    }

    #[test]
    fn a_cache_refreshes_when_a_page_comes_again_soon_after_its_max_age() {
        let refreshes = |gap_ms| {
            let history = History::over(&[]).exchanges([read("ann", 0), read("ann", gap_ms)]);
            Demand::over(&history.case).is_due("ann", second(60))
        };
        let gaps = [1_999, 2_000, 8_999, 9_000];
        assert_eq!(gaps.map(refreshes), [false, true, true, false]);
    }
}

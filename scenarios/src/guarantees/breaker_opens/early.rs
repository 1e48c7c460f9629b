//! The near side of the threshold: below the declared number of failures calls go through.

use super::super::evidence::circuit::is_guarded_like_pages;
use super::super::evidence::rate::is_limited;
use super::super::evidence::threshold::Threshold;
use crate::case::{Case, JudgedExchange};
use crate::history::Operation;
use crate::plan::PhaseKind;
use crate::spans::Lasting;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use std::collections::HashMap;

/// Visitors of pages never asked for, while the breaker must be closed.
pub struct Early<'c> {
    case: &'c Case,
    threshold: Threshold,
    /// When each page was first asked for.
    asked: HashMap<&'c str, Moment>,
    /// When Linktree told everybody to wait, and until when.
    waits: Lasting,
    /// Attempts that were let through after at least one failure.
    pub let_through: usize,
    /// Visitors for whom nothing was sent.
    pub refused: Offences,
}

impl<'c> Early<'c> {
    pub fn of(case: &'c Case) -> Self {
        let threshold = Threshold::of(case);
        let mut asked = HashMap::new();
        for call in case.linktree.exchanges.iter().filter(|one| one.is_page_read()) {
            asked.entry(call.handle.as_deref().unwrap_or_default()).or_insert(call.t_req);
        }
        let wait = |one: &JudgedExchange| Some((one.t_known(), one.retry_after.as_ref()?.until?));
        let waits = Lasting::of(case.linktree.exchanges.iter().filter_map(wait));
        let goes_through = |one: &&JudgedExchange| {
            let failures = threshold.failures_while_closed(one.t_req, one.t_req);
            is_guarded_like_pages(case, one) && failures.is_some_and(|failures| failures > 0)
        };
        let let_through = case.linktree.exchanges.iter().filter(goes_through).count();
        Self { case, threshold, asked, waits, let_through, refused: Offences::default() }
    }

    /// Sees a page view. Only where visitors come one after the other is it certain that nothing but
    /// the breaker keeps a call back.
    pub fn operation(&mut self, view: &Operation<'_>) {
        let case = self.case;
        let phase = case.phase_at(view.sent).map(|phase| phase.kind);
        let one_by_one = matches!(phase, Some(PhaseKind::BreakerProbe | PhaseKind::RetryGaps));
        let (from, until) =
            (view.sent.minus(case.harness.delta), view.last.plus(case.harness.delta));
        let was_asked = self.asked.get(view.handle.as_ref()).is_some_and(|at| *at <= until);
        if !one_by_one || was_asked || !case.plan.population.contains(&view.handle) {
            return;
        }
        let Some(failures) = self.threshold.failures_while_closed(from, until) else { return };
        let held_back = self.waits.begun_by(until).is_some_and(|over| from < over)
            || is_limited(case, view.sent)
            || is_limited(case, view.last)
            || case.target.disturbed_within(from, until)
            || case.harness.too_slow_within(from, until);
        if failures > 0 && !held_back {
            self.refused.add(view.sent, || {
                let what = format!(
                    "after {failures} failures nothing was sent for a visitor: the breaker is declared to \
                     open after {}",
                    case.declared.breaker_failures,
                );
                let before = case.linktree.exchanges.iter().rev();
                let before = before.filter(|one| is_guarded_like_pages(case, one) && one.t_known() <= until);
                let mut lines: Vec<String> =
                    before.take(failures).map(|one| case.tell(one)).collect();
                lines.reverse();
                lines.push(case.tell_operation(view));
                lines.into_iter().fold(Witness::new(view.sent, what), Witness::line)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, asked_to_wait, page, read, refused};
    use mock_server::contract::Route;
    use mock_server::history::exchange::Exchange;
    use mock_server::world::population::{Group, Population};

    /// After twenty successes come these failures, in seconds, and then a visitor of a page that was
    /// never asked for; how many visitors were refused, and how many attempts were let through.
    #[track_caller]
    fn check(history: History, failures: &[u64], expected: (u64, usize)) {
        check_at(20_000, history, failures, expected);
    }

    #[track_caller]
    fn check_at(ms: u64, history: History, failures: &[u64], expected: (u64, usize)) {
        let mut history = history
            .exchanges((0..20).map(|n| read("calm", n * 100)))
            .exchanges(failures.iter().map(|second| refused("ann", second * 1_000, 503)));
        let group = Group {
            prefix: "bob".into(),
            count: 1,
            min_links: 1,
            max_links: 1,
            ..Group::default()
        };
        history.case.plan.population = Population { groups: vec![group] };
        history.case.ready();
        let mut early = Early::of(&history.case);
        early.operation(&page("bob-0001", ms, ms + 10, "-"));
        early.operation(&page("nobody", ms, ms + 10, "-"));
        assert_eq!((early.refused.count(), early.let_through), expected);
        // The last failures that were known by then, and the visitor.
        for refused in early.refused.into_witnesses() {
            let (visitor, failed) = refused.story.split_last().unwrap();
            let last = format!("{}.000 s ", failures.last().unwrap());
            assert!(visitor.contains("bob-0001") && failed.last().unwrap().starts_with(&last));
            assert!(failed.iter().all(|line| line.contains("→ 503")), "{refused:?}");
        }
    }

    fn history() -> History {
        History::over(&[(PhaseKind::Control, 0, 10), (PhaseKind::BreakerProbe, 10, 60)])
    }

    #[test]
    fn below_the_threshold_every_visitor_is_worth_a_call() {
        check(history(), &[11, 12, 13], (1, 2));
        check(history(), &[11, 12, 13, 14], (1, 3));
        let later = Exchange { route: Route::Health, ..read("calm", 15_000) };
        check(history().exchanges([later, refused("ann", 25_000, 503)]), &[11, 12, 13], (1, 3));
        check(history(), &[11, 12, 13, 14, 15], (0, 4));
        check(history(), &[], (0, 0));
        check(history().exchange(read("bob-0001", 20_005)), &[11, 12, 13], (0, 3));
    }

    #[test]
    fn a_wait_a_pause_or_visitors_at_once_excuse() {
        check(history().exchange(asked_to_wait("ann", 10_500, 503, 30)), &[11, 12], (0, 2));
        check(history().paused(19_000, 21_000), &[11, 12, 13], (0, 2));
        let crowd = History::over(&[(PhaseKind::Control, 0, 10), (PhaseKind::Storm, 10, 60)]);
        check(crowd, &[11, 12, 13], (0, 2));
    }

    #[test]
    fn the_clients_own_limiter_may_hold_back_as_long_as_the_visitor_waits() {
        // Sixty of one window are nine tenths of what is left for pages. Twenty-three are there.
        let look = |ms| Exchange { route: Route::Health, ..read("calm", ms) };
        let at_its_end = |last| history().exchanges([5_000; 36].map(look)).exchange(look(last));
        check(at_its_end(20_009), &[11, 12, 13], (0, 2));
        check(at_its_end(20_010), &[11, 12, 13], (1, 2));
        // Three of them are left a minute later.
        let phases = [(PhaseKind::Control, 0, 10), (PhaseKind::BreakerProbe, 10, 100)];
        let history = || History::over(&phases).exchanges([20_000; 56].map(look));
        let at_first = |first| history().exchange(look(first));
        check_at(70_000, at_first(10_000), &[11, 12, 13], (0, 2));
        check_at(70_000, at_first(9_999), &[11, 12, 13], (1, 2));
    }

    #[test]
    fn a_call_for_the_page_and_a_told_wait_count_up_to_the_last_moment() {
        let called = |ms| history().exchange(read("bob-0001", ms));
        check(called(20_110), &[11, 12, 13], (0, 3));
        check(called(20_111), &[11, 12, 13], (1, 3));
        let told = |ms, seconds| history().exchange(asked_to_wait("ann", ms, 503, seconds));
        check(told(10_500, 9), &[11, 12], (1, 2));
        check(told(10_500, 10), &[11, 12], (0, 2));
        check(told(10_895, 9), &[11, 12], (1, 2));
        check(told(10_896, 9), &[11, 12], (0, 2));
        check(told(20_105, 9), &[11, 12, 13], (0, 3));
        check(told(20_106, 9), &[11, 12, 13], (1, 3));
    }

    #[test]
    fn a_full_limiter_or_a_late_harness_excuses() {
        let busy = |more: u64| history().exchanges((0..more).map(|n| read("calm", 2_000 + n * 50)));
        check(busy(36), &[11, 12, 13], (1, 2));
        check(busy(37), &[11, 12, 13], (0, 2));
        check(history().lag(20_000, 500), &[11, 12, 13], (0, 2));
    }
}

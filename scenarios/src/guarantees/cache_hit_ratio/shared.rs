//! Visitors who come while a page is being fetched share that fetch.
//!
//! What lies between the begin of a fetch and the end of the last one that overlaps it is one episode.
//! One fetch serves all who come in it; whoever sends one for each visitor spends the rate cap of all
//! pages on the one that goes viral.

use crate::case::{Case, JudgedExchange};
use crate::history::Operation;
use crate::plan::Plan;
use crate::spans::Spans;
use crate::verdict::Witness;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::{Fault, Rule};
use std::collections::HashMap;

/// Fetches at once that are no herd: of several instances, of one that has given up waiting, or of
/// visitors who happened to come within one quick fetch. A tenth of the contract's client cap.
const FEW: usize = 9;

/// The episodes of every page.
pub struct Shared<'c> {
    case: &'c Case,
    pages: HashMap<&'c str, Vec<Episode>>,
}

/// A time in which a page was fetched all the while.
pub struct Episode {
    pub from: Moment,
    until: Moment,
    /// Reads of the profile, without retries.
    fetches: u32,
    reads: u32,
}

impl<'c> Shared<'c> {
    /// The episodes that begin in a judged span.
    pub fn of(case: &'c Case, judged: &Spans) -> Self {
        let pages = case.linktree.page_reads().map(|(handle, _)| {
            let calls = || case.linktree.page_reads_of(handle).filter(|call| call.is_page_read());
            let spans = calls().map(|call| (call.t_head, call.t_known())).collect();
            let spans = Spans::joined(spans, case.harness.epsilon);
            let of =
                |&(from, until): &(Moment, Moment)| Episode { from, until, fetches: 0, reads: 0 };
            let mut episodes: Vec<Episode> = spans.all().iter().map(of).collect();
            for fetch in fetches(calls()) {
                let at = episodes.partition_point(|episode| episode.until < fetch.t_head);
                episodes[at].fetches += 1;
            }
            episodes.retain(|episode| judged.well_inside(episode.from, case.harness.delta));
            (handle, episodes)
        });
        Self { case, pages: pages.collect() }
    }

    /// Sees a page view.
    pub fn operation(&mut self, view: &Operation<'_>) {
        let Some(episodes) = self.pages.get_mut(view.handle.as_ref()) else { return };
        let at = episodes.partition_point(|episode| episode.until < view.sent);
        if let Some(episode) = episodes.get_mut(at)
            && episode.from <= view.last
        {
            episode.reads += 1;
        }
    }

    /// How many views of a page came while it was fetched; and each episode with needless fetches, with
    /// their number.
    pub fn of_page(&self, handle: &str, percent: u64) -> (usize, Vec<(usize, &Episode)>) {
        let Some(episodes) = self.pages.get(handle) else { return (0, Vec::new()) };
        let reads = episodes.iter().map(|episode| episode.reads as usize).sum();
        let needless = episodes.iter().filter_map(|episode| {
            let bearable = (episode.reads as usize * (100 - percent as usize) / 100).max(FEW);
            let needless = (episode.fetches as usize).saturating_sub(bearable);
            let disturbed = self.case.target.disturbed_within(episode.from, episode.until);
            (needless > 0 && !disturbed).then_some((needless, episode))
        });
        (reads, needless.collect())
    }

    /// What shows that fetches of an episode were needless.
    pub fn witness(&self, handle: &str, episode: &Episode) -> Witness {
        let what = format!(
            "{} fetches of {handle}'s page overlapped, for {} visitors who came meanwhile",
            episode.fetches, episode.reads,
        );
        let span = episode.from..=episode.until;
        let shown = fetches(self.case.linktree.page_reads_of(handle))
            .filter(|fetch| span.contains(&fetch.t_head))
            .take(super::SHOWN);
        let lines = shown.map(|fetch| self.case.tell(fetch));
        lines.fold(Witness::new(episode.from, what), Witness::line)
    }

    /// Whether the plan slows reads of pages down, so that visitors must meet them.
    pub fn are_slowed(&self) -> bool {
        slows(&self.case.plan)
    }
}

/// Reads of the profile among these calls for one page, without retries.
fn fetches<'c>(
    calls: impl Iterator<Item = &'c JudgedExchange>,
) -> impl Iterator<Item = &'c JudgedExchange> {
    let mut failed: Option<Moment> = None;
    let fetches = calls.filter(|call| call.route == Route::Profile && !call.is_head());
    fetches.filter(move |call| {
        let is_retry = failed.is_some_and(|at| at <= call.t_req);
        failed = (!call.is_success()).then(|| call.t_known());
        !is_retry
    })
}

fn slows(plan: &Plan) -> bool {
    let slow = |rule: &Rule| {
        let routes = &rule.matcher.routes;
        let hits = routes.is_empty() || routes.contains(&Route::Profile);
        hits && matches!(rule.fault, Fault::Latency(_))
    };
    plan.faults.iter().any(slow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind;
    use crate::testing::{History, page, read, refused};
    use mock_server::history::exchange::Exchange;
    use std::time::Duration;

    /// Needless fetches where so many of 200 ms begin within a tenth of a second, beside 40 visitors.
    #[track_caller]
    fn check(fetches: u64, expected: usize) {
        beside(40, fetches, expected);
    }

    #[track_caller]
    fn beside(visitors: u64, fetches: u64, expected: usize) {
        let slow = |n: u64| {
            let end = Moment::from_ms(5_200 + n);
            Exchange { t_w: Some(end), t_end: end, ..read("ann", 5_000 + n) }
        };
        let mut history =
            History::over(&[(PhaseKind::Storm, 0, 10)]).exchanges((0..fetches).map(slow));
        history.case.ready();
        let judged = Spans::joined(history.case.phases_that(|_| true), Duration::ZERO);
        let mut shared = Shared::of(&history.case, &judged);
        (0..visitors).for_each(|n| shared.operation(&page("ann", 5_010 + n % 40, 5_210, "v")));
        shared.operation(&page("ann", 9_000, 9_001, "v"));
        let (reads, needless) = shared.of_page("ann", 90);
        let needless = needless.iter().map(|one| one.0).sum::<usize>();
        assert_eq!((reads as u64, needless), (visitors, expected));
    }

    #[test]
    fn one_fetch_serves_all_who_come_meanwhile_and_a_few_are_no_herd() {
        check(1, 0);
        check(9, 0);
        check(10, 1);
        check(30, 21);
        // Of many visitors one in ten may need a fetch.
        beside(200, 20, 0);
        beside(200, 21, 1);
    }

    /// Fetches without retries, and reads, of the episodes in which these calls and views are.
    #[track_caller]
    fn episodes(calls: Vec<Exchange>, views: &[u64], expected: &[(u32, u32)]) {
        let mut history = History::over(&[(PhaseKind::Storm, 0, 10)]).exchanges(calls);
        history.case.ready();
        let judged = Spans::joined(history.case.phases_that(|_| true), Duration::ZERO);
        let mut shared = Shared::of(&history.case, &judged);
        views.iter().for_each(|at| shared.operation(&page("ann", *at, *at + 1, "v")));
        let seen = |episode: &Episode| (episode.fetches, episode.reads);
        assert_eq!(shared.pages["ann"].iter().map(seen).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_episode_has_the_fetches_that_are_no_retries_and_the_views_that_came_in_it() {
        let failed = || refused("ann", 1_000, 503); // known at 1,005 ms
        episodes(vec![failed(), read("ann", 1_004)], &[], &[(2, 0)]);
        episodes(vec![failed(), read("ann", 1_005)], &[], &[(1, 0)]);
        episodes(vec![read("ann", 1_000), read("ann", 1_010)], &[], &[(2, 0)]);
        let calls = || vec![read("ann", 1_000), read("ann", 3_000)];
        episodes(calls(), &[1_005, 1_006, 2_998, 2_999, 3_003], &[(1, 1), (1, 2)]);
        let at_once = Exchange { t_w: None, t_end: Moment::from_ms(1_000), ..read("ann", 1_000) };
        episodes(vec![at_once, read("ann", 3_000)], &[], &[(1, 0), (1, 0)]);
    }

    #[test]
    fn page_reads_are_slowed_by_latency_that_hits_them() {
        use mock_server::faults::{EmptyReply, Latency};
        let slow = |routes: &[Route], fault: Fault| {
            let mut plan = History::over(&[]).case.plan;
            plan.faults = vec![routes.iter().copied().fold(Rule::new("slow", fault), Rule::on)];
            slows(&plan)
        };
        let latency = || Fault::Latency(Latency::Constant { ms: 5 });
        assert!(slow(&[], latency()) && slow(&[Route::Clicks, Route::Profile], latency()));
        assert!(!slow(&[Route::Clicks], latency()) && !slow(&[], Fault::EmptyReply(EmptyReply {})));
        assert!(!slows(&History::over(&[]).case.plan));
    }
}

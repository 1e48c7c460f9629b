//! Chains of attempts: what was tried again, and after how long.

use crate::case::{Case, JudgedExchange, LogicalKey};
use crate::plan::PhaseKind;
use mock_server::clock::Moment;
use mock_server::history::exchange::End;
use std::collections::BTreeMap;

/// The attempts of one logical request until it succeeded.
pub struct Chain<'c> {
    /// In order of time, at least two.
    pub attempts: Vec<&'c JudgedExchange>,
    /// Seconds from each known failure to the next attempt: never shorter than the delay chosen,
    /// since limiters and queues only lengthen it.
    pub gaps: Vec<f64>,
    /// Whether it lies in a phase that is for reading gaps: one visitor after another there.
    pub sequential: bool,
}

/// Every chain of page reads and click deliveries, and how many more were left out because the
/// harness was late or the target restarted or was paused.
///
/// A failure with `Retry-After` ends a chain, since it sets the delay. So does a reset: HTTP libraries
/// repeat a request on another connection by themselves.
#[must_use]
pub fn chains(case: &Case) -> (Vec<Chain<'_>>, usize) {
    let spans = case.phases(PhaseKind::RetryGaps);
    let is_retried = |chain: &Chain<'_>| !chain.gaps.is_empty();
    let inside = |at: Moment| spans.iter().any(|(from, until)| *from <= at && at < *until);
    let mut open: BTreeMap<(Request<'_>, bool), Chain<'_>> = BTreeMap::new();
    let mut done = Vec::new();
    for attempt in case.linktree.exchanges.iter() {
        let Some(name) = name(attempt) else { continue };
        let sequential = inside(attempt.t_req);
        let key = (name, sequential);
        let chain = open.entry(key).or_insert_with(|| Chain {
            attempts: Vec::new(),
            gaps: Vec::new(),
            sequential,
        });
        if let Some(before) = chain.attempts.last() {
            chain.gaps.push(attempt.t_req.since(before.t_known()).as_secs_f64());
        }
        chain.attempts.push(attempt);
        if !calls_for_backoff(attempt) || attempt.end == End::ServerReset {
            done.extend(open.remove(&key).filter(is_retried));
        }
    }
    done.extend(open.into_values().filter(is_retried));
    let all = done.len();
    done.retain(|chain| {
        let (from, until) = chain.span();
        !case.harness.too_slow_within(from, until)
            && !case
                .target
                .disturbed_within(from.minus(case.harness.delta), until.plus(case.harness.delta))
    });
    done.sort_by_key(|chain| chain.span());
    let left_out = all - done.len();
    (done, left_out)
}

/// Whether it failed, and nobody said how long to wait.
#[must_use]
pub fn calls_for_backoff(attempt: &JudgedExchange) -> bool {
    let failed = attempt.is_definite_failure() || attempt.status == Some(429);
    failed && attempt.retry_after.is_none()
}

impl Chain<'_> {
    /// From the first attempt to the last.
    #[must_use]
    pub fn span(&self) -> (Moment, Moment) {
        (self.attempts[0].t_req, self.attempts[self.gaps.len()].t_req)
    }
}

/// What is tried again: a page read by its address, a delivery by its key or its first click.
fn name(attempt: &JudgedExchange) -> Option<Request<'_>> {
    let tells = attempt.route.is_page_read()
        || attempt.idempotency_key.is_some()
        || attempt.route.is_click() && !attempt.clicks.is_empty();
    tells.then(|| request(attempt))
}

/// What attempts of one request have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request<'x> {
    key: LogicalKey<'x>,
    /// Deliveries without a key all look alike but for their clicks.
    first_click: &'x str,
}

/// The logical request that this is an attempt of.
#[must_use]
pub fn request(attempt: &JudgedExchange) -> Request<'_> {
    let first = attempt.clicks.first().filter(|_| attempt.idempotency_key.is_none());
    let first_click = first.map_or("-", |click| &*click.event_id);
    Request { key: attempt.logical_key(), first_click }
}

/// The middle of sorted values.
#[must_use]
pub fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, asked_to_wait, read, refused, sent_batch, sent_click};
    use mock_server::history::exchange::Exchange;

    #[test]
    fn chains_end_with_success_and_leave_out_waits_that_were_told() {
        let history = History::over(&[(PhaseKind::RetryGaps, 0, 100)])
            .exchange(refused("ann", 1_000, 500))
            .exchange(refused("bob", 1_100, 500))
            .exchange(refused("ann", 2_005, 429))
            .exchange(read("ann", 4_010))
            .exchange(read("ann", 9_000))
            .exchange(asked_to_wait("bob", 1_600, 503, 1))
            .exchange(read("bob", 3_000));
        let mut case = history.case;
        case.ready();
        let (chains, left_out) = chains(&case);
        let gaps: Vec<&[f64]> = chains.iter().map(|chain| chain.gaps.as_slice()).collect();
        assert_eq!(gaps, [[1.0, 2.0].as_slice(), [0.495].as_slice()]);
        assert_eq!(left_out, 0);
        assert!(chains.iter().all(|chain| chain.sequential));
    }

    /// Whether each chain of a case lies in the phase for gaps, from 10 s to 20 s, and its attempts.
    #[track_caller]
    fn check(attempts: impl IntoIterator<Item = Exchange>, expected: &[(bool, usize)]) {
        let history = History::over(&[(PhaseKind::RetryGaps, 10, 20)]).exchanges(attempts);
        let (chains, _) = chains(&history.case);
        let seen: Vec<_> =
            chains.iter().map(|chain| (chain.sequential, chain.attempts.len())).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_chain_lies_within_the_phase_for_gaps_or_outside() {
        let at = [8_000, 9_999, 10_000, 19_999, 20_000, 21_000];
        check(at.map(|at| refused("ann", at, 500)), &[(false, 4), (true, 2)]);
    }

    #[test]
    fn deliveries_are_told_apart_by_their_key_or_their_first_click() {
        check([1_000, 2_000].map(|at| sent_click("a", at, 503)), &[(false, 2)]);
        check([1_000, 2_000].map(|at| sent_batch(&["a"], at, 503)), &[(false, 2)]);
        check([sent_batch(&["a"], 1_000, 503), sent_batch(&["b"], 2_000, 503)], &[]);
        check([1_000, 2_000].map(|at| sent_batch(&[], at, 503)), &[]);
    }
}

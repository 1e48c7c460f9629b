//! How many of the calls in a window failed, at the least and at the most.
//!
//! What a call is, is a client's own choice: each attempt, or a request with all its attempts, of every
//! route or of pages alone. So is whether a refusal counts as a failure: 429, a refused key, and what its
//! own breaker or limiter did not let out. Of all these readings the attempts with every doubt against
//! them are the highest, and the requests that failed for good, among all attempts, the lowest: an
//! attempt that failed and was made up for adds as much to both sides of the fraction.

use super::alerts::{SCRAPE, Sample, moments};
use super::circuit::calls::longest_delay;
use super::window::{Memory, count};
use super::{may_refuse, rate, retries};
use crate::case::{Case, JudgedExchange};
use crate::spans::Spans;
use mock_server::clock::Moment;
use std::collections::HashMap;
use std::time::Duration;

/// One call in a hundred, in the signal's unit.
pub const PER_CENT: u64 = 10_000;
/// The signal is in millionths.
const WHOLE: u64 = 1_000_000;

/// What a window can hold: moments in order of time.
#[derive(Debug, Default)]
struct Counted {
    /// Attempts that ended.
    ended: Vec<Moment>,
    /// Of these, those that may count as failures.
    may_fail: Vec<Moment>,
}

/// When a service may have refused calls by itself.
pub struct ErrorRate<'c> {
    case: &'c Case,
    may_refuse: Spans,
    refused: Vec<Moment>,
}

/// The calls of a case, and what was refused beside them.
struct Calls<'c> {
    case: &'c Case,
    all: Counted,
    pages: Counted,
    /// Requests that failed for good.
    failed: Vec<Moment>,
    refused: Vec<Moment>,
}

impl<'c> ErrorRate<'c> {
    /// Nobody has come yet.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        Self { case, may_refuse: may_refuse::spans(case), refused: Vec::new() }
    }

    /// Takes in when a visitor came for a page, of nobody's without a handle: where it is not fresh, the
    /// service may have refused a call for it by itself.
    pub fn visited(&mut self, handle: Option<&str>, at: Moment) {
        let case = self.case;
        if !self.may_refuse.touch(at, at) && !rate::is_limited(case, at) {
            return;
        }
        let fills = handle.map_or(&[][..], |handle| case.linktree.page_fills_of(handle));
        let last = fills[..fills.partition_point(|fill| *fill <= at)].last();
        let fresh = case.max_age().saturating_sub(case.harness.delta);
        if last.is_none_or(|fill| at.since(*fill) >= fresh) {
            self.refused.push(at);
        }
    }

    /// The share of failures in the window that ends at each moment, in millionths. In a window with
    /// fewer calls than are declared anything may be said.
    #[must_use]
    pub fn signal(self, window: Duration) -> Vec<Sample> {
        let (memory, case) = (Memory::of(self.case), self.case);
        let calls = Calls::of(self);
        moments(case).map(|at| calls.sample(at, window, &memory)).collect()
    }
}

impl<'c> Calls<'c> {
    /// Takes in what Linktree saw.
    fn of(ErrorRate { case, mut refused, .. }: ErrorRate<'c>) -> Self {
        refused.sort_unstable();
        let (mut all, mut pages) = (Counted::default(), Counted::default());
        for one in case.linktree.exchanges.iter().chain(&case.linktree.connections) {
            let counted = [Some(&mut all), one.is_page_read().then_some(&mut pages)];
            for counted in counted.into_iter().flatten() {
                counted.ended.push(one.t_known());
                if may_fail(one) {
                    counted.may_fail.push(one.t_known());
                }
            }
        }
        for counted in [&mut all, &mut pages] {
            counted.ended.sort_unstable();
            counted.may_fail.sort_unstable();
        }
        Self { case, all, pages, failed: failed_for_good(case), refused }
    }

    fn sample(&self, at: Moment, window: Duration, memory: &Memory) -> Sample {
        let whole = at.minus(window);
        let begun = memory.since(whole, at);
        // What counts in memory begins with its process, what a monitor counts does not; where both begin
        // together they count the same.
        let from = [Some(whole), (begun > whole).then_some(begun)];
        let shares = from.into_iter().flatten().map(|from| self.shares(from, at));
        let (lo, hi) =
            shares.fold((WHOLE, 0), |known, one| (known.0.min(one.0), known.1.max(one.1)));
        Sample { at, lo, hi }
    }

    /// The least and the greatest share between these moments.
    fn shares(&self, from: Moment, until: Moment) -> (u64, u64) {
        // A window may begin and end with a scrape, and what happened is known δ later.
        let edge = self.case.harness.delta + SCRAPE;
        let sure = |of: &[Moment]| count(of, from.plus(edge), until.minus(edge));
        let possible = |of: &[Moment]| count(of, from.minus(edge), until.plus(edge));
        let calls = sure(&self.all.ended);
        if calls < u64::from(self.case.declared.alert_min_calls) {
            return (0, WHOLE);
        }
        let refused = possible(&self.refused);
        let most = [&self.all, &self.pages].map(|counted| {
            share(possible(&counted.may_fail) + refused, sure(&counted.ended) + refused)
        });
        let least = share(sure(&self.failed), possible(&self.all.ended) + refused);
        (least, most.into_iter().max().unwrap_or(WHOLE))
    }
}

fn share(of: u64, all: u64) -> u64 {
    match all {
        0 if of == 0 => 0,
        0 => WHOLE,
        _ => (of * WHOLE / all).min(WHOLE),
    }
}

/// Whether somebody may count it as a failure.
fn may_fail(one: &JudgedExchange) -> bool {
    !one.is_success() && !matches!(one.status, Some(400 | 404..=428 | 430..=499)) || one.doubtful
}

/// When each request failed for good: its last attempt, and none came after it.
fn failed_for_good(case: &Case) -> Vec<Moment> {
    let mut last: HashMap<retries::Request<'_>, &JudgedExchange> = HashMap::new();
    let mut failed = Vec::new();
    for one in case.linktree.exchanges.iter() {
        let before = last.insert(retries::request(one), one);
        // What is asked for again after so long is another request.
        let rested = longest_delay(case) + case.times.breaker_open_longest + case.harness.delta;
        failed.extend(before.filter(|before| one.t_req.since(before.t_known()) > rested));
    }
    failed.extend(last.into_values());
    failed.retain(|one| one.is_definite_failure() && !one.doubtful);
    let mut failed: Vec<Moment> = seen_as_they_grow(case, failed).collect();
    failed.sort_unstable();
    failed
}

/// Leaves out what a monitor may have met together with the first of its kind: a series that was not
/// exposed before comes with its first value, of which no rate tells.
fn seen_as_they_grow<'c>(
    case: &'c Case,
    failed: Vec<&'c JudgedExchange>,
) -> impl Iterator<Item = Moment> {
    let memory = Memory::of(case);
    let life = move |one: &JudgedExchange| memory.life(one.t_known());
    let series = |one: &JudgedExchange| (one.route, one.status, format!("{:?}", one.end));
    // A series of attempts begins with an attempt, one of requests with the first that failed for good.
    let mut first: HashMap<_, Moment> = HashMap::new();
    let attempts =
        case.linktree.exchanges.iter().filter(|one| may_fail(one)).map(|one| (false, one));
    for (of_requests, one) in attempts.chain(failed.iter().map(|one| (true, *one))) {
        let known = first.entry((of_requests, life(one), series(one))).or_insert(one.t_known());
        *known = one.t_known().min(*known);
    }
    let met = SCRAPE + case.harness.delta;
    failed.into_iter().filter_map(move |one| {
        let grows = |of_requests| {
            let first = first.get(&(of_requests, life(one), series(one)));
            first.is_some_and(|first| one.t_known().since(*first) > met)
        };
        (grows(false) && grows(true)).then_some(one.t_known())
    })
}

#[cfg(test)]
mod tests;

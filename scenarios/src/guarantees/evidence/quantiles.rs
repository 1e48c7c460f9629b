//! Quantiles of upstream durations: as they may have been, and as a histogram exposes them.
//!
//! What a client measures is its own choice: every attempt, those that were answered or succeeded, or
//! whole calls with their retries; of all routes, or of pages alone. Each choice is a [`Reading`], with
//! its own number of observations, so that the histogram's count tells which it may be. Whoever leaves
//! timeouts out, or the time of the body, tells an untrue latency once these are a twentieth of what
//! there was (predicates, 4): such readings are then none.

use super::circuit::calls::longest_delay;
use super::retries::{Request, request};
use super::scrapes::Life;
use crate::case::{Case, JudgedExchange};
use crate::observed::Histogram;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::history::exchange::End;
use std::collections::HashMap;

/// One in so many makes a figure untrue that leaves it out.
const MATTERS: usize = 20;

/// A quantile lies between these, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Between {
    /// Not below.
    pub low: f64,
    /// Not above; infinite where nothing is known.
    pub high: f64,
}

impl Between {
    /// How far another interval is from this one; nothing where they share a value.
    #[must_use]
    pub fn gap(self, other: Self) -> f64 {
        (other.low - self.high).max(self.low - other.high).max(0.0)
    }

    /// Whether a figure that is untrue by its own size, or by twice as much as the measurement's own
    /// error, would lie outside.
    #[must_use]
    pub fn tells(self, error: f64) -> bool {
        self.high - self.low <= self.low.max(2.0 * error)
    }
}

/// How long a client may have measured one attempt, or one call.
#[derive(Clone, Copy, Debug)]
struct Sample {
    between: Between,
    route: Route,
    answered: bool,
    success: bool,
    timeout: bool,
    long_body: bool,
    /// Refused for what it asked: many clients do not measure these.
    refused: bool,
    /// Whether it surely ended between the two scrapes.
    surely: bool,
    /// Whether it may have ended between them.
    possibly: bool,
}

/// Whether a sample is measured.
type Is = fn(&Sample) -> bool;

/// The durations that a histogram may hold.
#[derive(Clone, Debug)]
pub struct Durations {
    attempts: Vec<Sample>,
    calls: Vec<Sample>,
    /// Connections that were broken off before a request, and that a client may have measured.
    broken_off: usize,
    /// Whether connections were refused, which nobody can count.
    refused: bool,
    timeouts_matter: bool,
}

/// One way to measure.
#[derive(Clone, Debug)]
pub struct Reading<'d> {
    /// What it measures, in words.
    pub what: String,
    /// Attempts or calls, of which those are measured of whom both is true.
    all: &'d [Sample],
    measured: [Is; 2],
    /// What may be counted besides.
    besides: usize,
}

impl Durations {
    /// Those of the attempts that may have ended between two scrapes.
    #[must_use]
    pub fn of(case: &Case, life: Life<'_>) -> Self {
        let counted = || case.linktree.exchanges.iter().filter(|one| life.may_count(case, one));
        let long = counted().filter(|one| has_long_body(case, one)).count();
        let bodies_matter = long * MATTERS >= counted().count().max(1);
        let sample = |one: &JudgedExchange| sample(case, life, one, bodies_matter);
        let mut attempts = Vec::with_capacity(counted().count());
        attempts.extend(counted().map(sample));
        let timeouts = attempts.iter().filter(|one| one.timeout).count();
        let broken =
            case.linktree.connections.iter().filter(|one| life.may_count(case, one)).count();
        let refused = case
            .linktree
            .refusals()
            .any(|(from, until)| life.may_hold(case, from) || life.may_hold(case, until));
        Self {
            timeouts_matter: timeouts * MATTERS >= attempts.len().max(1),
            calls: calls(case, life, bodies_matter),
            attempts,
            broken_off: broken,
            refused,
        }
    }

    /// Attempts that surely ended between the scrapes; of these, those that were given up, and those
    /// whose body took long.
    #[must_use]
    pub fn surely(&self) -> [usize; 3] {
        let sure = || self.attempts.iter().filter(|one| one.surely);
        [
            sure().count(),
            sure().filter(|one| one.timeout).count(),
            sure().filter(|one| one.long_body).count(),
        ]
    }

    /// Every way to measure that tells a true latency.
    #[must_use]
    pub fn readings(&self) -> Vec<Reading<'_>> {
        let scopes: [(&str, Is); 3] = [
            ("", |_| true),
            (" of pages", |one| one.route.is_page_read()),
            (" of profiles", |one| one.route == Route::Profile),
        ];
        let of_all: [(&str, &[Sample], Is); 4] = [
            ("attempts", &self.attempts, |_| true),
            ("answered attempts", &self.attempts, |one| one.answered),
            ("successes", &self.attempts, |one| one.success),
            ("calls", &self.calls, |_| true),
        ];
        let tells = |what: &str| !self.timeouts_matter || matches!(what, "attempts" | "calls");
        let besides = if self.refused { usize::MAX / 2 } else { self.broken_off };
        let mut readings = Vec::new();
        for (of, within) in scopes {
            for (what, all, is) in of_all.into_iter().filter(|(what, ..)| tells(what)) {
                let (what, measured) = (format!("{what}{of}"), [within, is]);
                readings.push(Reading { what, all, measured, besides });
            }
        }
        readings
    }

    /// More observations than these there cannot have been, whatever is measured.
    #[must_use]
    pub fn at_most(&self) -> usize {
        if self.refused {
            return usize::MAX;
        }
        self.attempts.len() + self.broken_off + unsent(self.attempts.len())
    }
}

impl Reading<'_> {
    fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.all.iter().filter(|one| self.measured.iter().all(|is| is(one)))
    }

    /// How many observations there must and may be.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let sure = self.samples().filter(|one| one.surely && !one.refused).count();
        let all = self.samples().count();
        (sure, all + self.besides + unsent(all))
    }

    /// Where a quantile lies, of so many observations: of calls that were never sent nobody knows how
    /// long they took.
    #[must_use]
    pub fn quantile(&self, share: f64, counted: usize) -> Option<Between> {
        let all = self.samples().count();
        let last = all.checked_sub(1)?;
        // One for the various definitions of a quantile, and one for each that may be missing, or that
        // may be there without a sample.
        let unsure = self.samples().filter(|one| !one.surely || one.refused).count();
        let more = counted.saturating_sub(all).min(unsent(all));
        let (at, slack) = (rank(all, share), 1 + unsure + more);
        let ranked = |bound: fn(&Sample) -> f64, rank: usize| {
            let mut bounds = Vec::with_capacity(all);
            bounds.extend(self.samples().map(bound));
            *bounds.select_nth_unstable_by(rank, f64::total_cmp).1
        };
        let low = ranked(|one| one.between.low, at.saturating_sub(slack));
        Some(Between { low, high: ranked(|one| one.between.high, (at + slack).min(last)) })
    }
}

/// So many calls that its own breaker or limiter refused may be measured beside these: one observation
/// in twenty, and two in any case, since of a few calls chance makes more of them.
fn unsent(samples: usize) -> usize {
    (samples / (MATTERS - 1)).max(2)
}

/// Nearest rank, from 0.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rank(count: usize, share: f64) -> usize {
    ((count as f64 * share).ceil() as usize).clamp(1, count.max(1)) - 1
}

/// From the answer's first byte on it took longer than all that may go wrong with the clocks.
fn has_long_body(case: &Case, one: &JudgedExchange) -> bool {
    one.t_first.is_some_and(|first| one.t_known().since(first) > case.harness.delta * 2)
}

/// A client's own clock starts before the request is here and stops when it has the answer, or its
/// head where bodies do not matter; both are within δ of what the edge saw. What stands still measures
/// longer.
fn sample(case: &Case, life: Life<'_>, one: &JudgedExchange, bodies_matter: bool) -> Sample {
    let delta = case.harness.delta.as_secs_f64();
    let end = one.t_known();
    let stalled = case.harness.stalled_within(one.t_head, end).as_secs_f64();
    let first = if bodies_matter { end } else { one.t_first.unwrap_or(end).min(end) };
    let low = first.since(one.t_req).as_secs_f64() - delta - stalled;
    let unsure = one.end == End::Open
        || case
            .target
            .disturbed_within(one.t_head.minus(case.harness.delta), end.plus(case.harness.delta));
    let longest = end.since(one.t_head).as_secs_f64() + 2.0 * delta + stalled;
    let high = if unsure { f64::INFINITY } else { longest };
    Sample {
        between: Between { low: low.max(0.0), high },
        route: one.route,
        answered: one.status.is_some() && one.end == End::Complete,
        success: one.is_success(),
        timeout: one.end == End::ClientAbort,
        long_body: has_long_body(case, one),
        refused: one.status.is_some_and(|status| (400..500).contains(&status)),
        surely: life.surely_holds(case, end),
        possibly: life.may_hold(case, end),
    }
}

/// Each call that may have ended between the scrapes, with all its attempts, be some of them before: an
/// attempt goes on with the call whose last attempt for the same thing failed. A call takes at least as
/// long as the longest of its attempts, and at most from the first one's start to the last one's end.
fn calls(case: &Case, life: Life<'_>, bodies_matter: bool) -> Vec<Sample> {
    let (first, last) = (life.first.sent, life.last.last);
    let of_this_life = |one: &&JudgedExchange| {
        case.target.lived_through(one.t_head.min(first), one.t_head.max(last))
    };
    let attempts = || case.linktree.exchanges.iter().filter(of_this_life);
    let mut calls: Vec<Sample> = Vec::with_capacity(attempts().count());
    let mut unfinished: HashMap<Request<'_>, Unfinished> = HashMap::new();
    for attempt in attempts() {
        let (sample, end) = (sample(case, life, attempt, bodies_matter), attempt.t_known());
        let key = request(attempt);
        let before = unfinished.remove(&key).map(|before| (before.call, before.begun));
        let (call, begun) = before.unwrap_or_else(|| {
            calls.push(sample);
            (calls.len() - 1, attempt.t_head)
        });
        let until = attempt.t_head.since(begun).as_secs_f64() + sample.between.high;
        let low = calls[call].between.low.max(sample.between.low);
        calls[call] = Sample { between: Between { low, high: until }, ..sample };
        if !attempt.is_success() {
            unfinished.insert(key, Unfinished { call, begun, end });
        }
    }
    // A process that dies takes along calls that wait for their next attempt: nobody measures them.
    if let Some(death) = case.target.deaths().find(|death| *death >= last) {
        for Unfinished { call, end, .. } in unfinished.into_values() {
            let waits = end.plus(longest_delay(case) + case.harness.delta);
            calls[call].surely &= waits < death;
        }
    }
    calls.retain(|call| call.possibly);
    calls
}

/// A call whose last attempt failed.
struct Unfinished {
    /// Its place among the calls.
    call: usize,
    /// When its first attempt began.
    begun: Moment,
    /// When its last attempt ended.
    end: Moment,
}

/// What was added to a histogram from one scrape to the other.
#[must_use]
pub fn added(first: Option<&Histogram>, last: &Histogram) -> Histogram {
    let Some(first) = first else { return last.clone() };
    let mut known = first.buckets.clone();
    known.sort_by(|one, other| one.0.total_cmp(&other.0));
    let before = |bound: f64| {
        let next = known.partition_point(|bucket| bucket.0.total_cmp(&bound).is_lt());
        let same = known.get(next).filter(|bucket| bucket.0.total_cmp(&bound).is_eq());
        same.map_or(0.0, |bucket| bucket.1)
    };
    let buckets = last.buckets.iter().map(|&(bound, count)| (bound, count - before(bound)));
    Histogram { buckets: buckets.collect(), count: last.count - first.count }
}

/// Where a histogram says that a quantile lies: from the bucket of the rank before to that of the
/// rank after.
#[must_use]
pub fn exposed(histogram: &Histogram, share: f64) -> Between {
    let rank = (histogram.count * share).ceil().clamp(1.0, histogram.count.max(1.0));
    let (before, after) = ((rank - 1.0).max(1.0), (rank + 1.0).min(histogram.count));
    let below = histogram.buckets.iter().take_while(|bucket| bucket.1 < before).last();
    let above = histogram.buckets.iter().find(|bucket| bucket.1 >= after);
    Between {
        low: below.map_or(0.0, |bucket| bucket.0),
        high: above.map_or(f64::INFINITY, |bucket| bucket.0),
    }
}

#[cfg(test)]
mod tests;

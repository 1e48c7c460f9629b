//! Quantiles of upstream durations: as they may have been, and as a histogram exposes them.

use super::scrapes::Life;
use crate::case::Case;
use crate::observed::Histogram;
use mock_server::clock::Moment;
use mock_server::history::exchange::{End, Exchange};
use std::collections::HashMap;

/// A quantile lies between these, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Between {
    /// Not below.
    pub low: f64,
    /// Not above; infinite where nothing is known.
    pub high: f64,
}

/// How long a client may have measured one attempt.
#[derive(Clone, Copy, Debug)]
struct Duration {
    between: Between,
    answered: bool,
    success: bool,
    page: bool,
    /// Whether it surely ended between the two scrapes.
    surely: bool,
}

/// The durations that a histogram may hold.
#[derive(Clone, Debug)]
pub struct Durations {
    all: Vec<Duration>,
    /// Upper bounds of whole calls, from the first attempt's start to the last one's end.
    calls: Vec<f64>,
    /// Connections that were broken off before a request, and that a client may have measured.
    broken_off: usize,
    /// Whether connections were refused, which nobody can count.
    pub refused: bool,
}

impl Durations {
    /// Those of the attempts that may have ended between two scrapes.
    #[must_use]
    pub fn of(case: &Case, life: Life<'_>) -> Self {
        let counted = case.linktree.exchanges.iter().filter(|one| life.may_count(case, one));
        let all: Vec<Duration> = counted.map(|one| duration(case, life, one)).collect();
        let mut calls = calls(case, life);
        calls.sort_by(f64::total_cmp);
        let broken =
            case.linktree.connections.iter().filter(|one| life.may_count(case, one)).count();
        let refused = case
            .linktree
            .refusals()
            .any(|(from, until)| life.may_hold(case, from) || life.may_hold(case, until));
        Self { all, calls, broken_off: broken, refused }
    }

    /// More than these cannot have been measured.
    #[must_use]
    pub fn at_most(&self) -> usize {
        self.all.len() + self.broken_off
    }

    /// Successes that surely ended between the scrapes.
    #[must_use]
    pub fn sure_successes(&self) -> usize {
        self.all.iter().filter(|one| one.success && one.surely).count()
    }

    /// Where a quantile lies, whichever attempts are measured: all of them, those that were
    /// answered, those that succeeded, or the reads of pages among these; or whole calls with all
    /// their attempts, which can only take longer.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Between> {
        let readings: [fn(&Duration) -> bool; 4] =
            [|_| true, |one| one.answered, |one| one.success, |one| one.success && one.page];
        let between = readings.into_iter().filter_map(|counts| self.of_reading(counts, share));
        let widest =
            between.reduce(|a, b| Between { low: a.low.min(b.low), high: a.high.max(b.high) })?;
        let last = self.calls.len().saturating_sub(1);
        let slack = 1 + self.all.iter().filter(|one| !one.surely).count();
        let call = self.calls.get((rank(self.calls.len(), share) + slack).min(last));
        Some(Between { high: call.map_or(widest.high, |call| call.max(widest.high)), ..widest })
    }

    fn of_reading(&self, counts: fn(&Duration) -> bool, share: f64) -> Option<Between> {
        let chosen: Vec<&Duration> = self.all.iter().filter(|one| counts(one)).collect();
        let last = chosen.len().checked_sub(1)?;
        // One for the various definitions of a quantile, and one for each that may be missing.
        let slack = 1 + chosen.iter().filter(|one| !one.surely).count();
        let at = rank(chosen.len(), share);
        let sorted = |bound: fn(&Duration) -> f64| {
            let mut all: Vec<f64> = chosen.iter().map(|one| bound(one)).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let (lows, highs) = (sorted(|one| one.between.low), sorted(|one| one.between.high));
        Some(Between { low: lows[at.saturating_sub(slack)], high: highs[(at + slack).min(last)] })
    }
}

/// Nearest rank, from 0.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rank(count: usize, share: f64) -> usize {
    ((count as f64 * share).ceil() as usize).clamp(1, count.max(1)) - 1
}

/// A client's own clock starts before the request is here and stops when it has the answer, or its
/// head; both are within δ of what the edge saw. What stands still measures longer.
fn duration(case: &Case, life: Life<'_>, one: &Exchange) -> Duration {
    let delta = case.harness.delta.as_secs_f64();
    let end = one.t_known();
    let stalled = case.harness.stalled_within(one.t_head, end).as_secs_f64();
    let first = one.t_first.unwrap_or(end).min(end);
    let low = first.since(one.t_req).as_secs_f64() - delta - stalled;
    let unsure = one.end == End::Open
        || case
            .target
            .disturbed_within(one.t_head.minus(case.harness.delta), end.plus(case.harness.delta));
    let longest = end.since(one.t_head).as_secs_f64() + 2.0 * delta + stalled;
    let high = if unsure { f64::INFINITY } else { longest };
    Duration {
        between: Between { low: low.max(0.0), high },
        answered: one.status.is_some() && one.end == End::Complete,
        success: one.is_success(),
        page: one.route.is_page_read(),
        surely: life.surely_holds(case, end),
    }
}

/// How long each call may have taken with all its attempts: an attempt goes on with the call whose
/// last attempt for the same thing failed.
fn calls(case: &Case, life: Life<'_>) -> Vec<f64> {
    let mut calls: Vec<f64> = Vec::new();
    let mut unfinished: HashMap<String, (usize, f64)> = HashMap::new();
    for attempt in case.linktree.exchanges.iter().filter(|one| life.may_count(case, one)) {
        let begun = seconds(attempt.t_head);
        let took = duration(case, life, attempt).between.high;
        let key = attempt.logical_key();
        let (call, begun) = unfinished.remove(&key).unwrap_or_else(|| {
            calls.push(0.0);
            (calls.len() - 1, begun)
        });
        calls[call] = seconds(attempt.t_head) - begun + took;
        if !attempt.is_success() {
            unfinished.insert(key, (call, begun));
        }
    }
    calls
}

fn seconds(moment: Moment) -> f64 {
    moment.since(Moment::ZERO).as_secs_f64()
}

/// What was added to a histogram from one scrape to the other.
#[must_use]
pub fn added(first: Option<&Histogram>, last: &Histogram) -> Histogram {
    let Some(first) = first else { return last.clone() };
    let before = |bound: f64| {
        let known = first.buckets.iter().find(|bucket| bucket.0.total_cmp(&bound).is_eq());
        known.map_or(0.0, |bucket| bucket.1)
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
mod tests {
    use super::*;

    fn histogram(buckets: &[(f64, f64)], count: f64) -> Histogram {
        Histogram { buckets: buckets.to_vec(), count }
    }

    #[test]
    fn a_quantile_lies_in_the_bucket_of_its_rank_and_its_neighbours() {
        let spread = histogram(&[(0.1, 50.0), (0.5, 90.0), (1.0, 100.0)], 100.0);
        let at = |share| (exposed(&spread, share).low, exposed(&spread, share).high);
        assert_eq!(at(0.25), (0.0, 0.1));
        assert_eq!(at(0.5), (0.0, 0.5)); // rank 50 and its neighbour
        assert_eq!(at(0.95), (0.5, 1.0));
        let beyond = histogram(&[(0.1, 0.0)], 10.0);
        assert_eq!(exposed(&beyond, 0.5), Between { low: 0.1, high: f64::INFINITY });
    }

    #[test]
    fn what_was_there_before_is_taken_off() {
        let first = histogram(&[(0.1, 2.0)], 3.0);
        let last = histogram(&[(0.1, 5.0), (1.0, 9.0)], 10.0);
        assert_eq!(added(Some(&first), &last), histogram(&[(0.1, 3.0), (1.0, 9.0)], 7.0));
        assert_eq!(added(None, &last), last);
    }

    #[test]
    fn ranks_are_the_nearest() {
        assert_eq!([rank(1, 0.5), rank(20, 0.95), rank(100, 0.99), rank(3, 0.5)], [0, 18, 98, 1]);
    }
}

//! How slow upstream calls were in a window: their 95th percentile, at the least and at the most.
//!
//! What is measured is a client's own choice, as for the metrics: attempts, those that were answered or
//! succeeded, or whole requests; of every route, of pages, or of one route of these. Analytics is slow by
//! design and is none of them. Nobody can count better than scrapes do: what ended beside the window's edge
//! may be in it or not. And who takes a percentile from a histogram knows it within a bucket alone, that is
//! told apart at half the alert's bound at the least: above that it may seem as slow as the next bound, and what is
//! slow may seem as fast as its share of a bucket.

use super::alerts::{SCRAPE, Sample, moments};
use super::rate;
use super::retries::{Request, request};
use super::window::Memory;
use crate::case::{Case, JudgedExchange};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::history::exchange::End;
use std::collections::HashMap;
use std::time::Duration;

/// Anything may be said.
const ANYTHING: (u64, u64) = (0, u64::MAX);

/// Durations are counted in steps of so many milliseconds, the last of which has no end.
const STEP_MS: u64 = 20;
const STEPS: usize = 128;
/// Every route, pages, profiles, lists of links; of attempts, answers, successes and requests.
const SCOPES: usize = 4;
const READINGS: usize = 4 * SCOPES;
/// The bits of every scope of requests.
const REQUESTS: u16 = 0b1111 << (3 * SCOPES);
/// Of so many one may have been measured that never left.
const UNSENT: usize = 19;

/// What may have been measured.
#[derive(Clone, Copy, Debug)]
struct Timed {
    /// When it ended.
    at: Moment,
    /// A bit for each way to measure of which it is a sample.
    readings: u16,
    /// Steps, not below and not above.
    low: u8,
    high: u8,
    /// Whether everybody who measures so measures this.
    surely: bool,
}

/// How often each duration was measured, each way.
#[derive(Clone, Debug)]
struct Counts {
    low: Box<[[u32; STEPS]; READINGS]>,
    high: Box<[[u32; STEPS]; READINGS]>,
    /// Of each reading.
    all: [usize; READINGS],
}

/// What ended in a window that moves on.
#[derive(Clone, Debug)]
struct Window {
    first: usize,
    next: usize,
    counts: Counts,
}

/// The 95th percentile of calls over time, and whether there was more beyond it.
#[derive(Clone, Debug, Default)]
pub struct Slowness {
    /// In milliseconds.
    pub signal: Vec<Sample>,
    /// When more than one call in a hundred was slower than the bound.
    tails: Vec<Moment>,
}

impl Slowness {
    /// That of each window of this length, beside a bound.
    #[must_use]
    pub fn of(case: &Case, window: Duration, bound: Duration) -> Self {
        let timed = timed(case);
        // What a process keeps in memory begins with it; what a monitor keeps does not.
        let memory = Memory::of(case);
        let [mut whole, mut lived] = [(); 2].map(|()| [(); 2].map(|()| Window::new()));
        let (edge, mut limited) = (case.harness.delta + SCRAPE, None::<Moment>);
        let mut slowness = Self::default();
        let slow = step(bound.as_secs_f64());
        // A lawful histogram has a bound from here up to the alert's, or it could not tell slow from fast.
        let bucket_ms = u64::try_from(bound.as_millis() / 2).unwrap_or(u64::MAX);
        for at in moments(case) {
            let from = at.minus(window);
            let born = memory.since(from, at);
            let (mut lo, mut hi, mut last) = (u64::MAX, 0, Moment(u64::MAX));
            for (windows, from) in [(&mut whole, from), (&mut lived, born)] {
                let [sure, possible] = windows;
                sure.move_to(&timed, from.plus(edge), at.minus(edge), |one| one.surely);
                possible.move_to(&timed, from.minus(edge), at.plus(edge), |_| true);
                // Nothing else is kept where nothing began meanwhile.
                if from == last {
                    continue;
                }
                last = from;
                let of_this = bounds(case, &sure.counts, &possible.counts, bucket_ms);
                (lo, hi) = (lo.min(of_this.0), hi.max(of_this.1));
            }
            if rate::is_limited(case, at) {
                limited = Some(at);
            }
            // Who waits for its own limiter may measure that, too.
            if limited.is_some_and(|limited| from.minus(edge) <= limited) {
                hi = u64::MAX;
            }
            slowness.signal.push(Sample { at, lo, hi });
            if whole[0].counts.slower(slow) * 100 > whole[1].counts.all() {
                slowness.tails.push(at);
            }
        }
        slowness
    }

    /// Whether a percentile further up than the 95th was above the bound at the moment of a sample.
    #[must_use]
    pub fn has_tail(&self, at: Moment) -> bool {
        self.tails.binary_search(&at).is_ok()
    }
}

impl Counts {
    fn slower(&self, step: u8) -> usize {
        self.low[0][usize::from(step)..].iter().map(|count| *count as usize).sum()
    }

    const fn all(&self) -> usize {
        self.all[0]
    }
}

impl Window {
    fn new() -> Self {
        let none = || Box::new([[0; STEPS]; READINGS]);
        Self { first: 0, next: 0, counts: Counts { low: none(), high: none(), all: [0; READINGS] } }
    }

    /// After `from`, up to `until`; neither ever goes back.
    fn move_to(
        &mut self,
        timed: &[Timed],
        from: Moment,
        until: Moment,
        counts: impl Fn(&Timed) -> bool,
    ) {
        while let Some(one) = timed.get(self.next).filter(|one| one.at <= until) {
            if counts(one) {
                self.counts.each(one, |count| *count += 1, |all| *all += 1);
            }
            self.next += 1;
        }
        while self.first < self.next && timed[self.first].at <= from {
            let one = &timed[self.first];
            if counts(one) {
                self.counts.each(one, |count| *count -= 1, |all| *all -= 1);
            }
            self.first += 1;
        }
    }
}

impl Counts {
    fn each(&mut self, one: &Timed, change: impl Fn(&mut u32), change_all: impl Fn(&mut usize)) {
        for reading in (0..READINGS).filter(|reading| (one.readings >> reading) & 1 == 1) {
            change(&mut self.low[reading][usize::from(one.low)]);
            change(&mut self.high[reading][usize::from(one.high)]);
            change_all(&mut self.all[reading]);
        }
    }
}

/// The least and the greatest 95th percentile that anybody may measure, of what surely is in a window and of
/// what may be.
fn bounds(case: &Case, sure: &Counts, possible: &Counts, bucket_ms: u64) -> (u64, u64) {
    let least_calls = case.declared.alert_min_calls as usize;
    if sure.all() < least_calls {
        return ANYTHING;
    }
    let mut range = (u64::MAX, 0);
    // Of a route that is hardly called nobody takes a percentile.
    let is_taken = |reading: &usize| sure.all[*reading] * SCOPES >= least_calls;
    for reading in (0..READINGS).filter(is_taken) {
        let (all, maybe) = (sure.all[reading], possible.all[reading] - sure.all[reading]);
        let lo = least(all, &sure.low[reading], &possible.low[reading], bucket_ms);
        let hi = most((all, maybe), &sure.high[reading], &possible.high[reading], bucket_ms);
        range = (range.0.min(lo), range.1.max(hi));
    }
    range
}

/// With everything besides that makes it less: what is fast and may be measured, or never left. The rank may
/// be one less, by definition.
fn least(all: usize, sure: &[u32; STEPS], possible: &[u32; STEPS], bucket_ms: u64) -> u64 {
    let besides = (all / UNSENT).max(2) + 1;
    let (mut fast, mut more, mut below) = (besides, 0, besides);
    for step in 0..STEPS {
        let maybe = (possible[step] - sure[step]) as usize;
        (fast, more) = (fast + sure[step] as usize + maybe, more + maybe);
        let (rank, total) = ((all + besides + more) * 95, all + besides + more);
        let ms = step as u64 * STEP_MS;
        if ms <= bucket_ms {
            below = fast;
        }
        if fast * 100 >= rank {
            // In a bucket that begins at the least bound it is as far up as its share of those in it.
            let (over, within) = ((rank / 100).saturating_sub(below), total - below.min(total));
            let rises = ms.saturating_sub(bucket_ms) * over as u64 / within.max(1) as u64;
            return ms.min(bucket_ms + rises);
        }
    }
    STEPS as u64 * STEP_MS
}

/// With everything besides that makes it more; beyond the least bound it may be in a bucket of any length.
fn most(
    (all, mut maybe): (usize, usize),
    sure: &[u32; STEPS],
    possible: &[u32; STEPS],
    bucket_ms: u64,
) -> u64 {
    let mut fast = 0;
    for step in 0..STEPS {
        (fast, maybe) =
            (fast + sure[step] as usize, maybe - (possible[step] - sure[step]) as usize);
        let ms = (step as u64 + 1) * STEP_MS;
        if ms > bucket_ms {
            return u64::MAX;
        }
        if fast.saturating_sub(1) * 100 >= (all + maybe) * 95 {
            return ms;
        }
    }
    u64::MAX
}

/// The step in which so many seconds are.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn step(seconds: f64) -> u8 {
    (seconds * 1e3 / STEP_MS as f64).clamp(0.0, (STEPS - 1) as f64) as u8
}

/// Everything that may have been measured, in order of its end.
fn timed(case: &Case) -> Vec<Timed> {
    let mut timed = Vec::new();
    let mut unfinished: HashMap<Request<'_>, (Moment, Timed)> = HashMap::new();
    let prompt = |one: &&JudgedExchange| one.route != Route::Analytics;
    for one in case.linktree.exchanges.iter().filter(prompt) {
        let (attempt, [low, high]) = attempt(case, one);
        timed.push(attempt);
        // A request lasts at least as long as its longest attempt, and goes on until one succeeds.
        let key = request(one);
        let begun = unfinished.remove(&key);
        let (since, low) = match begun {
            Some((since, before)) => (since, step(low).max(before.low)),
            None => (one.t_head, step(low)),
        };
        let waited = one.t_head.since(since).as_secs_f64();
        let scopes = attempt.readings & 0b1111;
        let whole =
            Timed { readings: scopes << (3 * SCOPES), low, high: step(waited + high), ..attempt };
        if one.is_success() {
            timed.push(whole);
        } else {
            unfinished.insert(key, (since, whole));
        }
    }
    let given_up = unfinished.into_values().map(|(_, whole)| whole);
    // Whether it was given up then, or would have been tried again, nobody knows.
    timed.extend(given_up.map(|whole| Timed { surely: false, ..whole }));
    timed.sort_by_key(|one| (one.at, one.readings & REQUESTS));
    timed
}

/// One attempt, and how long it took at the least and at the most, in seconds. A client's clock starts
/// before the request is here and stops when it has the answer, or its head; both within δ.
fn attempt(case: &Case, one: &JudgedExchange) -> (Timed, [f64; 2]) {
    let delta = case.harness.delta;
    let end = one.t_known();
    let stalled = case.harness.stalled_within(one.t_head, end).as_secs_f64();
    let first = one.t_first.unwrap_or(end).min(end);
    let low = first.since(one.t_req).as_secs_f64() - delta.as_secs_f64() - stalled;
    let high = end.since(one.t_head).as_secs_f64() + 2.0 * delta.as_secs_f64() + stalled;
    let unsure = one.end == End::Open
        || case.target.disturbed_within(one.t_head.minus(delta), end.plus(delta));
    let high = if unsure { f64::INFINITY } else { high };
    let kinds = [true, one.status.is_some() && one.end == End::Complete, one.is_success()];
    let scopes = [
        true,
        one.route.is_page_read(),
        one.route == Route::Profile,
        one.route == Route::ProfileLinks,
    ];
    // Each bit stands once.
    let bits = |all: &[bool]| {
        all.iter().enumerate().fold(0u16, |bits, (nth, is)| bits | (u16::from(*is) << nth))
    };
    let of_each = kinds.iter().enumerate().filter(|(_, is)| **is);
    let readings = of_each.fold(0, |all, (nth, _)| all | (bits(&scopes) << (nth * SCOPES)));
    // Refused for what it asked: many clients do not measure these.
    let refused = one.status.is_some_and(|status| (400..500).contains(&status));
    let surely = !refused && !unsure;
    (Timed { at: end, readings, low: step(low), high: step(high), surely }, [low, high])
}

#[cfg(test)]
mod counting_tests;
#[cfg(test)]
mod tests;

//! Simulated clients that retry page reads and deliver clicks again, in every usual fashion of backoff.

use super::{Tally, judged};
use crate::plan::{Declared, PhaseKind};
use crate::testing::{History, read, refused, sent_batch, sent_click};
use mock_server::history::exchange::{End, Exchange};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Families of delays, as libraries draw them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Family {
    /// AWS: U(0, v).
    Full,
    /// AWS: v / 2 + U(0, v / 2).
    Equal,
    /// AWS: U(base, 3 · the last one).
    Decorrelated,
    /// Polly's `DecorrelatedJitterV2`: differences of 2ᵗ · tanh √(4 t), over 1.4.
    PollyV2,
    /// tower: v · (1 + 0.99 · U).
    Tower,
    /// Google Cloud, tenacity: v + U(0, base).
    Additive,
    /// The first retry at once, full jitter from the second on.
    FirstAtOnce,
    /// None: v.
    Lockstep,
    /// U(0, base) for ever.
    Constant,
    /// No delay.
    AtOnce,
}

const LAWFUL: [Family; 7] = [
    Family::Full,
    Family::Equal,
    Family::Decorrelated,
    Family::PollyV2,
    Family::Tower,
    Family::Additive,
    Family::FirstAtOnce,
];

/// The delays of one call or counter.
#[derive(Clone, Copy)]
struct Delays {
    family: Family,
    base: f64,
    factor: f64,
    cap: f64,
    retry: i32,
    last: f64,
}

impl Delays {
    /// The next one, in milliseconds.
    fn next(&mut self, random: &mut ChaCha8Rng) -> u64 {
        let bound = |retry: i32| (self.base * self.factor.powi(retry)).min(self.cap);
        let (full, base) = (bound(self.retry), self.base);
        let mut unit = || random.random_range(0.0..1.0);
        let delay = match self.family {
            Family::Full => full * unit(),
            Family::Equal => full * (0.5 + unit() / 2.0),
            Family::Decorrelated => (base + (3.0 * self.last - base) * unit()).min(self.cap),
            Family::PollyV2 => {
                let reached = |t: f64| t.exp2() * (4.0 * t).sqrt().tanh();
                // Its own state is what the formula had reached, in units of the base.
                let reached = reached(f64::from(self.retry) + unit());
                let step = (reached - if self.retry == 0 { 0.0 } else { self.last }) / 1.4;
                self.last = reached;
                (base * step).clamp(0.0, self.cap)
            }
            Family::Tower => full * (1.0 + 0.99 * unit()),
            Family::Additive => full + base * unit(),
            Family::FirstAtOnce if self.retry == 0 => 0.0,
            Family::FirstAtOnce => bound(self.retry - 1) * unit(),
            Family::Lockstep => full,
            Family::Constant => base * unit(),
            Family::AtOnce => 0.0,
        };
        if self.family == Family::Decorrelated {
            self.last = delay;
        }
        self.retry += 1;
        whole(delay)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(ms: f64) -> u64 {
    ms as u64
}

/// How clicks are delivered.
#[derive(Clone, Copy, Debug)]
enum Queue {
    /// Each alone, with a counter of its own.
    Single,
    /// One worker with one counter, whose batch is cut anew for each attempt.
    Batch,
    /// Three workers, each with a counter, who keep what they took until it is delivered.
    Workers,
    /// Batches of those clicks that are due, each with a counter of its own.
    Due,
}

const QUEUES: [Queue; 4] = [Queue::Single, Queue::Batch, Queue::Workers, Queue::Due];

/// A client, in milliseconds.
#[derive(Clone, Copy)]
struct Client {
    reads: Family,
    clicks: Family,
    queue: Queue,
    base: u64,
    factor_milli: u32,
    attempts: u32,
    /// Attempts beyond those that it declares.
    beyond: u32,
}

impl Client {
    /// With everything drawn in which lawful clients differ.
    fn drawn(family: Family, random: &mut ChaCha8Rng) -> Self {
        let polly = family == Family::PollyV2;
        let factors = [1_500, 2_000, 3_000];
        Self {
            reads: family,
            clicks: family,
            queue: QUEUES[random.random_range(0..4)],
            base: [100, 250, 500, 1_000, 2_000][random.random_range(0..5)],
            factor_milli: if polly { 2_000 } else { factors[random.random_range(0..3)] },
            attempts: random.random_range(2..=5),
            beyond: 0,
        }
    }

    fn delays(&self, family: Family) -> Delays {
        let base = self.base as f64;
        let factor = f64::from(self.factor_milli) / 1_000.0;
        Delays { family, base, factor, cap: 30_000.0, retry: 0, last: base }
    }
}

/// Waits for limiter, queue and processor, on top of a delay.
fn overhead(random: &mut ChaCha8Rng) -> u64 {
    let long = random.random_range(0..10) == 0;
    random.random_range(0..5) + if long { random.random_range(0..2_000) } else { 0 }
}

/// An answer takes as long.
const ANSWERED: u64 = 5;
/// Between calls that come one after the other.
const PAUSE: u64 = 1_000;
/// So long no click is taken, at the end: five caps.
const REFUSED: u64 = 150_000;

fn simulated(random: &mut ChaCha8Rng, client: Client) -> History {
    let declared = Declared {
        max_attempts: client.attempts,
        backoff_base_ms: client.base,
        backoff_factor_milli: client.factor_milli,
        ..Declared::default()
    };
    let mut seen = Vec::new();
    let mut at = PAUSE;
    for call in 0..declared.retried_calls() {
        at = read_page(random, &client, &declared, &format!("creator{call}"), at, &mut seen);
    }
    for call in 0..24 {
        at = deliver_once(random, &client, &format!("single{call}"), at, &mut seen);
    }
    deliver_refused(random, &client, at, &mut seen);
    let end_s = (at + REFUSED) / 1_000 + 1;
    let history = History::over(&[(PhaseKind::RetryGaps, 0, end_s)]).exchanges(seen);
    history.declaring(|own| *own = declared)
}

/// A call that fails as often as the plan lets it, and then succeeds; when the next may come.
fn read_page(
    random: &mut ChaCha8Rng,
    client: &Client,
    declared: &Declared,
    handle: &str,
    mut at: u64,
    seen: &mut Vec<Exchange>,
) -> u64 {
    let mut delays = client.delays(client.reads);
    for _ in 0..declared.spared_failures() + client.beyond {
        // Its library repeats by itself what was reset, on another connection.
        if random.random_range(0..200) == 0 {
            seen.push(Exchange { end: End::ServerReset, ..refused(handle, at, 503) });
            at += ANSWERED + random.random_range(1..5);
        }
        seen.push(Exchange { conn: 2, ..refused(handle, at, 503) });
        at += ANSWERED + delays.next(random) + overhead(random);
    }
    seen.push(read(handle, at));
    at + PAUSE
}

/// A click that is refused once and then taken.
fn deliver_once(
    random: &mut ChaCha8Rng,
    client: &Client,
    id: &str,
    at: u64,
    seen: &mut Vec<Exchange>,
) -> u64 {
    let again = at + ANSWERED + client.delays(client.clicks).next(random) + overhead(random);
    if matches!(client.queue, Queue::Single | Queue::Workers) {
        seen.extend([sent_click(id, at, 503), sent_click(id, again, 202)]);
    } else {
        seen.extend([sent_batch(&[id], at, 503), sent_batch(&[id], again, 202)]);
    }
    again + PAUSE
}

/// Clicks that come for a while and are refused to the end.
fn deliver_refused(random: &mut ChaCha8Rng, client: &Client, from: u64, seen: &mut Vec<Exchange>) {
    let end = from + REFUSED;
    let clicks: Vec<(String, u64)> =
        (0..12).map(|n| (format!("late{n}"), from + n * random.random_range(1..3_000))).collect();
    let attempt = |ids: &[&str], at: u64| match ids {
        [one] => sent_click(one, at, 429),
        many => sent_batch(many, at, 429),
    };
    // A worker with what has come to it until then.
    let mut worker = |mine: &[(String, u64)], most: usize| {
        let (mut delays, mut at) = (client.delays(client.clicks), mine[0].1);
        while at < end && seen.len() < 3_000 {
            let come = mine.iter().filter(|click| click.1 <= at).take(most);
            let ids: Vec<&str> = come.map(|click| click.0.as_str()).collect();
            seen.push(attempt(&ids, at));
            at += ANSWERED + delays.next(random) + overhead(random);
        }
    };
    match client.queue {
        Queue::Single => clicks.iter().for_each(|one| worker(std::slice::from_ref(one), 1)),
        Queue::Batch => worker(&clicks, 100),
        Queue::Workers => clicks.chunks(4).for_each(|mine| worker(mine, 2)),
        Queue::Due => {
            let mut due: Vec<(&str, u64, Delays)> = clicks
                .iter()
                .map(|(id, at)| (id.as_str(), *at, client.delays(client.clicks)))
                .collect();
            let mut at = from;
            while at < end && seen.len() < 3_000 {
                let now: Vec<usize> = (0..due.len()).filter(|one| due[*one].1 <= at).collect();
                let ids: Vec<&str> = now.iter().map(|one| due[*one].0).collect();
                if !ids.is_empty() {
                    seen.push(attempt(&ids, at));
                }
                for one in now {
                    due[one].1 = at + ANSWERED + due[one].2.next(random);
                }
                at += ANSWERED + random.random_range(5..50);
            }
        }
    }
}

fn outcome(client: impl Fn(&mut ChaCha8Rng) -> Client) -> Tally {
    judged("backoff-grows", |random| {
        let client = client(random);
        simulated(random, client)
    })
}

#[test]
fn every_usual_backoff_of_reads_and_clicks_is_never_blamed() {
    for family in LAWFUL {
        let tally = outcome(|random| Client::drawn(family, random));
        tally.is_never_blamed(&format!("{family:?}"), 90);
    }
}

#[test]
fn a_call_that_is_repeated_more_often_than_declared_is_caught() {
    let check = |family, beyond| {
        outcome(|random| Client { beyond, ..Client::drawn(family, random) })
            .is_caught(&format!("{beyond} more, {family:?}"), 100);
    };
    check(Family::Full, 2);
    check(Family::Equal, 5);
}

#[test]
fn reads_and_clicks_without_jitter_growth_or_delay_are_caught() {
    let usual = |random: &mut ChaCha8Rng| Client {
        base: 1_000,
        factor_milli: 2_000,
        ..Client::drawn(Family::Full, random)
    };
    for family in [Family::Lockstep, Family::Constant, Family::AtOnce] {
        // A single retry shows no growth.
        let reads = |random: &mut ChaCha8Rng| {
            let attempts = random.random_range(3..=5);
            Client { reads: family, attempts, ..usual(random) }
        };
        // With two retries, waits for the limiter hide how short the second is.
        outcome(reads).is_caught(&format!("reads, {family:?}"), 80);
        let clicks = |random: &mut ChaCha8Rng| Client { clicks: family, ..usual(random) };
        // Waits for the limiter spread what is in lockstep.
        outcome(clicks).is_caught(&format!("clicks, {family:?}"), 95);
    }
}

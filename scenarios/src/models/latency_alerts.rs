//! Simulated alerts on latency: by percentiles of a window or of a histogram, of attempts or of requests,
//! sound and not.

use super::notifier::Notifier;
use super::{Tally, judged};
use crate::observed::{Figures, Histogram};
use crate::plan::PhaseKind::{Control, Storm};
use crate::plan::{AlertKind, AlertName};
use crate::testing::{History, given_up, links, read, refused, scrape};
use mock_server::clock::Moment;
use mock_server::history::exchange::Exchange;
use mock_server::history::record::Alert;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// All of this is counted in milliseconds.
const WINDOW: u64 = 300_000;
const END: u64 = 1_100_000;
/// Many calls are slow from here on, for a while.
const STORM: u64 = 550_000;
const BOUND: f64 = 500.0;

/// Bounds of histograms that tell fast calls from slow ones: one lies between half the alert's bound and it.
const BUCKETS: [&[f64]; 4] = [
    &[5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0],
    &[16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0],
    &[300.0, 500.0, 1_500.0, 20_000.0],
    &[50.0, 250.0, 30_000.0],
];

/// What is compared with the bound.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    /// The 95th percentile of what was kept.
    Kept,
    /// That of a histogram with the buckets of this number.
    Buckets(usize),
}

/// What is wrong with the alert.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    NeverFires,
    Mean,
    Slowest,
    P99,
    CountsHits,
    TwoSeconds,
}

/// Who watches, and how.
#[derive(Clone, Copy, Debug)]
struct Watch {
    of: Of,
    /// A monitor takes what it scrapes once a second.
    by_rules: bool,
    /// A request counts once, with all its attempts and waits.
    of_requests: bool,
    /// Calls that time out, and those that are refused, are not measured.
    of_answers: bool,
    every: u64,
    lasts: u64,
    killed: bool,
    flaw: Flaw,
}

const PUSHES: Watch = Watch {
    of: Of::Kept,
    by_rules: false,
    of_requests: false,
    of_answers: false,
    every: 5_000,
    lasts: 0,
    killed: false,
    flaw: Flaw::None,
};
const RULES: Watch = Watch { of: Of::Buckets(0), by_rules: true, every: 1_000, ..PUSHES };

/// When something was measured, and how long it took.
type Measured = (u64, u64);

/// Calls of twenty minutes, and what the watcher measures of them.
fn calls(random: &mut ChaCha8Rng, watch: Watch) -> (Vec<Exchange>, Vec<Measured>) {
    let (mut seen, mut measured, mut now) = (Vec::new(), Vec::new(), 0);
    let (slow_ms, share) = (random.random_range(1_200..1_500), random.random_range(18..28));
    let lasts = random.random_range(250_000..350_000);
    // Not before a window holds enough calls that one of them is no matter of taste.
    let mut hangs_at = random.random_range(200_000..240_000);
    for n in 0u64.. {
        now += random.random_range(1_100..1_400);
        if now >= END - 20_000 {
            break;
        }
        let name = format!("page-{n}");
        let of = |at: u64| if n % 2 == 0 { read(&name, at) } else { links(&name, at) };
        let (begun, mut at) = (now, now + random.random_range(0..20));
        let hangs = now > hangs_at;
        if hangs {
            hangs_at += random.random_range(50_000..70_000);
            seen.push(given_up(&name, at, at + 10_000));
            if n % 2 == 1 {
                let last = seen.last_mut().expect("it was pushed");
                *last = Exchange {
                    route: links(&name, at).route,
                    target: of(at).target,
                    ..last.clone()
                };
            }
            if !watch.of_requests && !watch.of_answers {
                measured.push((at + 10_010, 10_010));
            }
            at += 10_000 + random.random_range(500..1_500);
        }
        if random.random_range(0..300) == 0 {
            seen.push(refused(&name, at, 404));
            if !watch.of_answers {
                measured.push((at + 15, 15));
            }
            continue;
        }
        let stormy = (STORM..STORM + lasts).contains(&now);
        let is_slow = stormy && random.random_range(0..100) < share;
        let took = if is_slow { slow_ms } else { random.random_range(3..40) };
        // Some bodies are long at the end, or nobody could tell whether they are measured.
        let long = if now > STORM + lasts && n % 10 == 0 { 400 } else { 0 };
        let first = Moment::from_ms(at + took);
        let took = took + long;
        let end = Moment::from_ms(at + took);
        seen.push(Exchange { t_first: Some(first), t_w: Some(end), t_end: end, ..of(at) });
        let known = at + took + random.random_range(0..20);
        let since = if watch.of_requests { begun } else { at.saturating_sub(10).max(begun) };
        measured.push((known, known - since));
    }
    measured.sort_unstable();
    (seen, measured)
}

/// A percentile as Prometheus takes it from a histogram: as far up its bucket as its rank is. Beside what took
/// so long, so many hits took no time.
#[allow(clippy::cast_precision_loss)] // a few hundred
fn interpolated((took, hits): (&[u64], usize), bounds: &[f64], share: f64) -> f64 {
    let below = |bound: f64| (hits + took.iter().filter(|ms| **ms as f64 <= bound).count()) as f64;
    let rank = (hits + took.len()) as f64 * share;
    let (mut from, mut before) = (0.0, 0.0);
    for bound in bounds {
        let until = below(*bound);
        if until >= rank {
            return from + (bound - from) * (rank - before) / (until - before).max(1.0);
        }
        (from, before) = (*bound, until);
    }
    from
}

/// The same of what was kept.
#[allow(clippy::cast_precision_loss)] // a few thousand
fn percentile((took, hits): (&mut [u64], usize), per_cent: usize) -> f64 {
    let nth = ((took.len() + hits) * per_cent).div_ceil(100) - 1;
    nth.checked_sub(hits).map_or(0.0, |nth| *took.select_nth_unstable(nth).1 as f64)
}

/// Whether the alert's condition holds at a moment, by what was measured until then, in order of time.
#[allow(clippy::cast_precision_loss)] // a few hundred
fn holds(measured: &[Measured], at: u64, born: u64, watch: Watch) -> bool {
    let (mut from, mut until) = (at.saturating_sub(WINDOW).max(born), at);
    if watch.by_rules {
        (from, until) = (from.div_ceil(1_000) * 1_000, until / 1_000 * 1_000);
    }
    let place = |at: u64| measured.partition_point(|(known, _)| *known < at);
    let within = measured.get(place(from)..place(until)).unwrap_or_default();
    let mut took: Vec<u64> = within.iter().map(|(_, took)| *took).collect();
    if took.len() < 100 {
        return false;
    }
    let hits = if watch.flaw == Flaw::CountsHits { 9_000 } else { 0 };
    let value = match (watch.flaw, watch.of) {
        (Flaw::NeverFires, _) => 0.0,
        (Flaw::Mean, _) => took.iter().sum::<u64>() as f64 / took.len() as f64,
        (Flaw::Slowest, _) => percentile((took.as_mut_slice(), hits), 100),
        (Flaw::P99, _) => percentile((took.as_mut_slice(), hits), 99),
        (Flaw::TwoSeconds, _) => percentile((took.as_mut_slice(), hits), 95) / 4.0,
        (_, Of::Kept) => percentile((took.as_mut_slice(), hits), 95),
        (_, Of::Buckets(nth)) => interpolated((took.as_slice(), hits), BUCKETS[nth], 0.95),
    };
    value > BOUND
}

fn alerts(
    random: &mut ChaCha8Rng,
    measured: &[Measured],
    gone: (u64, u64),
    watch: Watch,
) -> Vec<Alert> {
    let in_memory = watch.killed && !watch.by_rules;
    let holds = |at: u64| {
        let dead = in_memory && (gone.0..gone.1).contains(&at);
        let born = if in_memory && at >= gone.1 { gone.1 } else { 0 };
        (!dead).then(|| holds(measured, at, born, watch))
    };
    let Watch { every, lasts, .. } = watch;
    Notifier { name: "Slow", every, lasts, tells_ends: true }.alerts(random, END, holds)
}

/// What true metrics tell of the attempts that ended between two scrapes.
#[allow(clippy::cast_precision_loss)] // a few hundred
fn told(seen: &[Exchange], from: u64, until: u64) -> Figures {
    let within =
        |one: &&Exchange| (Moment::from_ms(from)..Moment::from_ms(until)).contains(&one.t_known());
    let took = |one: &Exchange| one.t_known().since(one.t_head).as_secs_f64() + 0.005;
    let took: Vec<f64> = seen.iter().filter(within).map(took).collect();
    let below = |ms: &f64| (ms / 1e3, took.iter().filter(|took| **took <= ms / 1e3).count() as f64);
    let buckets = BUCKETS[0].iter().chain(&[30_000.0]).map(below).collect();
    let latency = Some(Histogram { buckets, count: took.len() as f64 });
    Figures { latency, ..Figures::default() }
}

fn simulated(random: &mut ChaCha8Rng, watch: Watch) -> History {
    let (mut seen, mut measured) = calls(random, watch);
    let gone = random.random_range(300_000..900_000);
    let gone = (gone, gone + random.random_range(500..4_000));
    if watch.killed {
        let lives = |from: u64, until: u64| until < gone.0 - 200 || gone.1 + 200 < from;
        let ms = |at: Moment| at.0 / 1_000_000;
        seen.retain(|one| lives(ms(one.t_head), ms(one.t_end)));
        measured.retain(|(known, took)| lives(known - took, *known));
    }
    let alerts = alerts(random, &measured, gone, watch);
    let phases = [(Control, 0, STORM / 1_000), (Storm, STORM / 1_000, END / 1_000)];
    let mut lives = vec![(0, gone.0 - 1_000), (gone.1 + 100, END)];
    if !watch.killed {
        lives = vec![(0, END)];
    }
    let mut history = History::over(&phases);
    for (from, until) in lives {
        history = history
            .scrape(scrape(from, told(&seen, from, from)))
            .scrape(scrape(until, told(&seen, from, until)));
    }
    history = alerts.into_iter().fold(history.exchanges(seen), History::alert);
    history = history.declaring(|one| one.alert_for_ms = watch.lasts);
    history.case.alert_names.insert(AlertKind::Latency, AlertName::plain("Slow"));
    if watch.killed { history.killed_until(gone.0, gone.1) } else { history }
}

fn outcome(watch: Watch) -> Tally {
    judged("latency-metrics", |random| simulated(random, watch))
}

#[test]
fn alerts_by_any_percentile_are_never_blamed() {
    let check = |watch, percent| outcome(watch).is_never_blamed(&format!("{watch:?}"), percent);
    check(PUSHES, 90);
    check(Watch { of_requests: true, every: 15_000, ..PUSHES }, 80);
    check(Watch { of_answers: true, lasts: 60_000, ..PUSHES }, 80);
    check(Watch { lasts: 30_000, of: Of::Buckets(3), ..PUSHES }, 80);
    for nth in 0..BUCKETS.len() {
        check(Watch { of: Of::Buckets(nth), ..RULES }, 90);
    }
    check(Watch { of: Of::Buckets(1), of_requests: true, lasts: 60_000, ..RULES }, 80);
    check(Watch { killed: true, ..PUSHES }, 0);
}

#[test]
fn alerts_on_something_else_are_caught() {
    let check = |watch: Watch, flaw, percent| {
        let watch = Watch { flaw, ..watch };
        outcome(watch).is_caught(&format!("{watch:?}"), percent);
    };
    for watch in [PUSHES, RULES] {
        check(watch, Flaw::NeverFires, 90);
        check(watch, Flaw::CountsHits, 90);
        check(watch, Flaw::TwoSeconds, 90);
        check(watch, Flaw::Slowest, 90);
        check(watch, Flaw::P99, 90);
    }
    check(Watch { of_answers: true, ..PUSHES }, Flaw::Mean, 90);
}

//! Simulated metrics of upstream calls, true and untrue, of one worker and of several.

use super::{Tally, judged};
use crate::observed::{Figures, Histogram};
use crate::plan::PhaseKind::{Control, Storm};
use crate::testing::{History, given_up, read, refused, scrape};
use mock_server::clock::Moment;
use mock_server::history::exchange::{End, Exchange};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// All of this is counted in milliseconds. Calls hang in the first half, and bodies are long in the second.
const HALF: u64 = 100_000;
const END: u64 = 200_000;
const TIMEOUT: u64 = 10_000;

const BOUNDS: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0, 12.0, 30.0];

/// What is wrong with the metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    LeavesTimeoutsOut,
    Milliseconds,
    ToFirstByte,
    CacheHitsToo,
    /// One attempt in three is not measured.
    Samples,
    TimeoutsAsRefusals,
    RefusalsAsTimeouts,
    /// One timeout in three is not counted.
    ForgetsTimeouts,
}

/// Whose counters a scrape tells.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Workers {
    One,
    /// The sum of two.
    Summed,
    /// Those of the one that happens to answer.
    AnyOfTwo,
    /// The sum of two, of which one is replaced, with its counters.
    Replaced,
}

#[derive(Clone, Copy, Debug)]
struct Metrics {
    /// Whole calls with their retries are measured, not attempts.
    of_calls: bool,
    workers: Workers,
    /// One in so many calls is refused by its own breaker or limiter, and measured all the same.
    local_one_in: Option<u32>,
    counts_403: bool,
    /// What waits too long for a connection of its own pool counts as a timeout.
    counts_own_waits: bool,
    killed: bool,
    paused: bool,
    flaw: Flaw,
}

const SOUND: Metrics = Metrics {
    of_calls: false,
    workers: Workers::One,
    local_one_in: None,
    counts_403: false,
    counts_own_waits: false,
    killed: false,
    paused: false,
    flaw: Flaw::None,
};

/// What the client noted when.
#[derive(Clone, Copy)]
struct Noted {
    at: u64,
    worker: usize,
    ms: Option<u64>,
    timeouts: u32,
    refusals: u32,
}

fn figures(noted: &[Noted], flaw: Flaw) -> Figures {
    let unit = if flaw == Flaw::Milliseconds { 1.0 } else { 1e-3 };
    let sum = |of: fn(&Noted) -> u32| Some(f64::from(noted.iter().map(of).sum::<u32>()));
    #[allow(clippy::cast_precision_loss)] // a few seconds
    let took: Vec<f64> = noted.iter().filter_map(|one| Some(one.ms? as f64 * unit)).collect();
    #[allow(clippy::cast_precision_loss)] // a few hundred
    let below = |bound: f64| (bound, took.iter().filter(|took| **took <= bound).count() as f64);
    let (_, count) = below(f64::INFINITY);
    let latency = Some(Histogram { buckets: BOUNDS.map(below).to_vec(), count });
    let (timeouts, auth_errors) = (sum(|one| one.timeouts), sum(|one| one.refusals));
    Figures { timeouts, auth_errors, latency, ..Figures::default() }
}

/// Two hundred seconds of calls, one each second or so, of which a tenth is tried again.
fn simulated(random: &mut ChaCha8Rng, metrics: Metrics) -> History {
    let Metrics { of_calls, workers, flaw, .. } = metrics;
    let mut history = History::over(&[(Control, 0, 100), (Storm, 100, 200)]);
    let gone = random.random_range(40_000..150_000);
    let gone = (gone, gone + random.random_range(500..4_000));
    let standing_still = |at: u64| metrics.paused && (gone.0..gone.1).contains(&at);
    let dead = |at: u64| metrics.killed && (gone.0..gone.1).contains(&at);
    let crosses = |from: u64, to: u64| metrics.killed && from < gone.0 && gone.0 <= to;
    let (mut noted, mut now, mut seen): (Vec<Noted>, u64, Vec<Exchange>) =
        (Vec::new(), 0, Vec::new());
    let once_in = |random: &mut ChaCha8Rng, times: u32| random.random_range(0..times) == 0;
    for n in 0.. {
        now += random.random_range(200..1_600);
        if now >= END {
            break;
        }
        if standing_still(now) || dead(now) {
            continue;
        }
        let worker = match workers {
            Workers::One => 0,
            Workers::Summed | Workers::Replaced => random.random_range(0..2),
            // One has more to do, as it is where they accept in turn from one socket. Two that count alike
            // never seem to begin anew: then half of the calls is missing for whoever reads them.
            Workers::AnyOfTwo => usize::from(random.random_range(0..4) == 0),
        };
        let name = format!("page-{n}");
        let (mut sent, begun) = (now, now);
        loop {
            let arrived = sent + random.random_range(0..20);
            let is_late = sent >= HALF;
            let quick = random.random_range(3..200);
            let (mut call, first, known) = match random.random_range(0..100) {
                0..13 if !is_late => {
                    (given_up(&name, arrived, sent + TIMEOUT), TIMEOUT, sent + TIMEOUT)
                }
                13..16 => (refused(&name, arrived, 401), quick, arrived + quick),
                16 => (refused(&name, arrived, 403), quick, arrived + quick),
                17..26 => (refused(&name, arrived, 503), quick, arrived + quick),
                26..60 if is_late => (read(&name, arrived), quick, arrived + quick + 3_000),
                26..40 => (read(&name, arrived), 900, arrived + 900),
                _ => (read(&name, arrived), quick, arrived + quick),
            };
            let mut heard = known + random.random_range(0..20);
            if standing_still(heard) {
                heard = gone.1 + random.random_range(0..5);
            }
            let hung = call.end == End::ClientAbort;
            if hung {
                call.t_end = Moment::from_ms(heard);
            } else {
                let at = |ms| Some(Moment::from_ms(ms));
                (call.t_first, call.t_w) = (at(arrived + first), at(known));
                call.t_end = Moment::from_ms(known);
            }
            let is_cut = crosses(sent, heard);
            if is_cut && known > gone.0 {
                (call.end, call.status, call.t_first, call.t_w) =
                    (End::ClientAbort, None, None, None);
                call.t_end = Moment::from_ms(gone.0);
            }
            let status = call.status.unwrap_or_default();
            let again = status == 503 && sent - begun < 4_000 && !is_cut;
            let pause = random.random_range(300..2_000);
            seen.push(call);
            if is_cut {
                break;
            }
            let since = if of_calls { begun } else { sent };
            let took =
                if flaw == Flaw::ToFirstByte { (arrived - sent) + first } else { heard - since };
            let left_out = hung && flaw == Flaw::LeavesTimeoutsOut
                || flaw == Flaw::Samples && once_in(random, 3);
            let is_measured = !(left_out || of_calls && again);
            let ms = is_measured.then_some(took);
            let is_refusal = status == 401 || status == 403 && metrics.counts_403;
            let forgotten = flaw == Flaw::ForgetsTimeouts && once_in(random, 3);
            let (timed_out, refused) = match flaw {
                Flaw::TimeoutsAsRefusals => (false, is_refusal || hung),
                Flaw::RefusalsAsTimeouts => (hung || is_refusal, false),
                _ => (hung && !forgotten, is_refusal),
            };
            let (timeouts, refusals) = (u32::from(timed_out), u32::from(refused));
            noted.push(Noted { at: heard, worker, ms, timeouts, refusals });
            if !again || dead(heard + pause) || crosses(heard, heard + pause) {
                // A call that the process took with it was never measured.
                break;
            }
            sent = heard + pause;
            if standing_still(sent) {
                sent = gone.1 + random.random_range(0..5);
            }
        }
        let local = metrics.local_one_in.is_some_and(|times| n % times == times - 1);
        let own_wait = metrics.counts_own_waits && once_in(random, 20);
        let hits = if flaw == Flaw::CacheHitsToo { 8 } else { 0 };
        for _ in 0..hits + u32::from(local) {
            noted.push(Noted { at: now, worker, ms: Some(0), timeouts: 0, refusals: 0 });
        }
        if own_wait {
            noted.push(Noted { at: now, worker, ms: None, timeouts: 1, refusals: 0 });
        }
    }
    let replaced = random.random_range(80_000..140_000);
    for at in (500..END + 12_000).step_by(10_000) {
        if standing_still(at) || dead(at) {
            continue;
        }
        let answers = random.random_range(0..2);
        let tells = |one: &&Noted| {
            let lives = !(metrics.killed && at >= gone.1 && one.at < gone.1);
            let is_told = match workers {
                Workers::One | Workers::Summed => true,
                Workers::AnyOfTwo => one.worker == answers,
                Workers::Replaced => one.worker == 0 || at < replaced || one.at >= replaced,
            };
            one.at <= at && lives && is_told
        };
        let told: Vec<Noted> = noted.iter().filter(tells).copied().collect();
        history = history.scrape(scrape(at, figures(&told, flaw)));
    }
    history = history.exchanges(seen);
    history.case.harness.closed = Moment::from_ms(END + 12_000);
    history = if metrics.paused { history.paused(gone.0, gone.1) } else { history };
    if metrics.killed { history.killed_until(gone.0, gone.1) } else { history }
}

fn outcome(promise: &str, metrics: Metrics) -> Tally {
    judged(promise, |random| simulated(random, metrics))
}

const PROMISES: [&str; 2] = ["latency-metrics", "timeout-not-auth"];

#[test]
fn true_metrics_are_never_blamed() {
    let check = |metrics: Metrics, percent| {
        for promise in PROMISES {
            outcome(promise, metrics).is_never_blamed(&format!("{promise}, {metrics:?}"), percent);
        }
    };
    check(SOUND, 90);
    check(Metrics { of_calls: true, ..SOUND }, 80);
    check(Metrics { local_one_in: Some(40), ..SOUND }, 80);
    check(Metrics { counts_403: true, counts_own_waits: true, ..SOUND }, 80);
    check(Metrics { workers: Workers::Summed, ..SOUND }, 80);
    // Nothing can be told from counters that begin anew, and the verdict says so.
    check(Metrics { workers: Workers::Replaced, ..SOUND }, 0);
    check(Metrics { workers: Workers::AnyOfTwo, ..SOUND }, 0);
    check(Metrics { killed: true, ..SOUND }, 50);
    check(Metrics { paused: true, ..SOUND }, 50);
    check(Metrics { killed: true, of_calls: true, local_one_in: Some(40), ..SOUND }, 0);
}

#[test]
fn untrue_metrics_are_caught() {
    let [latency, outcomes] = PROMISES;
    let check = |promise: &str, flaw, percent| {
        let metrics = Metrics { flaw, ..SOUND };
        outcome(promise, metrics).is_caught(&format!("{promise}, {metrics:?}"), percent);
    };
    check(latency, Flaw::LeavesTimeoutsOut, 85);
    check(latency, Flaw::Milliseconds, 95);
    check(latency, Flaw::ToFirstByte, 90);
    check(latency, Flaw::CacheHitsToo, 95);
    check(latency, Flaw::Samples, 90);
    check(outcomes, Flaw::TimeoutsAsRefusals, 95);
    check(outcomes, Flaw::RefusalsAsTimeouts, 95);
    check(outcomes, Flaw::ForgetsTimeouts, 90);
}

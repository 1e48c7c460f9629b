//! Simulated alerts on how much of the limit is used: by a sliding minute, the clock's, or rates; sound and not.

use super::limiter::{Limiter, log};
use super::notifier::Notifier;
use super::{Tally, judged};
use crate::plan::PhaseKind::{Control, Storm};
use crate::plan::{AlertKind, AlertName};
use crate::testing::{History, read};
use mock_server::history::exchange::Exchange;
use mock_server::history::record::Alert;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// All of this is counted in milliseconds.
const MINUTE: u64 = 60_000;
/// A burst comes here, then silence, and soon all of the limit is used until the last.
const BURST: u64 = 300_000;
const FULL: u64 = 340_000;
const END: u64 = 800_000;
const ALL: u64 = 900_000;

/// What is known of the requests.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    /// The client's own log of the last minute, or a gauge that shows it.
    Sliding,
    /// The last whole minute of a clock.
    WholeMinutes,
    /// What Linktree's last answer said is left.
    Header,
    /// The increase between the first and the last scrape of a minute, stretched to all of it.
    Rates,
}

/// What is wrong with the alert.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    NeverFires,
    AtOnce,
    CountsViews,
    OwnShare,
    AboveTheCap,
}

#[derive(Clone, Copy, Debug)]
struct Watch {
    source: Source,
    every: u64,
    lasts: u64,
    tells_ends: bool,
    /// A key is rotated before the burst, and the use of the busier one counts.
    by_key: bool,
    flaw: Flaw,
}

const PUSHES: Watch = Watch {
    source: Source::Sliding,
    every: 5_000,
    lasts: 66_000,
    tells_ends: true,
    by_key: false,
    flaw: Flaw::None,
};
const RULES: Watch = Watch { source: Source::Rates, every: 1_000, tells_ends: false, ..PUSHES };

/// When requests left: at an even pace, all at once, and then as fast as a limiter lets them.
fn sent(random: &mut ChaCha8Rng) -> Vec<u64> {
    let gap = random.random_range(950..1_100);
    let mut limiter: Limiter = log(90);
    let (mut all, mut now) = (Vec::new(), 0);
    while now < BURST {
        all.push(now);
        now += gap + random.random_range(0..100);
    }
    let crowd = random.random_range(28..35);
    all.extend((0..crowd).map(|n| BURST + n * 12));
    all.iter().for_each(|at| _ = limiter.permits(*at));
    now = FULL;
    while now < END {
        if limiter.permits(now) {
            all.push(now);
        }
        // A minute at an even pace, and then whenever a slot is free.
        now += if now < FULL + MINUTE { 660 } else { random.random_range(20..150) };
    }
    all
}

/// Requests after `from`, up to `until`.
fn count(sent: &[u64], from: u64, until: u64) -> u64 {
    let up_to = |at: u64| sent.partition_point(|one| *one <= at);
    (up_to(until).saturating_sub(up_to(from))) as u64
}

/// What is believed to be used at a moment.
fn used(sent: &[u64], at: u64, phase: u64, watch: Watch) -> u64 {
    let minute = |at: u64| count(sent, at.saturating_sub(MINUTE), at);
    match watch.source {
        Source::Sliding => minute(at),
        Source::WholeMinutes => {
            let ended = (at + MINUTE - phase) / MINUTE * MINUTE + phase;
            ended.checked_sub(MINUTE).map_or(0, minute)
        }
        Source::Header => {
            let last = sent.partition_point(|one| *one + 30 <= at);
            last.checked_sub(1).map_or(0, |last| minute(sent[last]))
        }
        Source::Rates => {
            let last = at.saturating_sub(phase % 1_000) / 1_000 * 1_000 + phase % 1_000;
            count(sent, last.saturating_sub(MINUTE - 1_000), last) * 60 / 59
        }
    }
}

fn alerts(random: &mut ChaCha8Rng, keys: &[Vec<u64>], watch: Watch) -> Vec<Alert> {
    let phase = random.random_range(0..MINUTE);
    let (lasts, bound) = match watch.flaw {
        Flaw::AtOnce => (0, 80),
        Flaw::OwnShare => (watch.lasts, 36),
        Flaw::AboveTheCap => (watch.lasts, 90),
        _ => (watch.lasts, 80),
    };
    let views = if watch.flaw == Flaw::CountsViews { 120 } else { 0 };
    let holds = |at: u64| {
        let each = keys.iter().map(|sent| used(sent, at, phase, watch));
        let known = if watch.by_key { each.max().unwrap_or(0) } else { each.sum() };
        Some(known + views > bound)
    };
    let end = if watch.flaw == Flaw::NeverFires { 0 } else { ALL };
    let Watch { every, tells_ends, .. } = watch;
    Notifier { name: "Near", every, lasts, tells_ends }.alerts(random, end, holds)
}

fn simulated(random: &mut ChaCha8Rng, watch: Watch) -> History {
    let sent = sent(random);
    let rotated = if watch.by_key { random.random_range(60_000..BURST - 30_000) } else { 0 };
    let (old, new): (Vec<u64>, Vec<u64>) = sent.iter().partition(|at| **at < rotated);
    let alerts = alerts(random, &[old, new], watch);
    let calls = sent.iter().map(|at| {
        let key_id = Some(if *at < rotated { "old" } else { "new" }.to_owned());
        // Delivery takes a while.
        Exchange { key_id, ..read("ann", at + random.random_range(0..20)) }
    });
    let history =
        History::over(&[(Control, 0, BURST / 1_000), (Storm, BURST / 1_000, ALL / 1_000)]);
    let history = history.exchanges(calls.collect::<Vec<_>>());
    let mut history = alerts.into_iter().fold(history, History::alert);
    history = history.declaring(|one| one.headroom_for_ms = watch.lasts);
    history.case.alert_names.insert(AlertKind::Headroom, AlertName::plain("Near"));
    history
}

fn outcome(watch: Watch) -> Tally {
    judged("headroom-alert", |random| simulated(random, watch))
}

#[test]
fn alerts_by_any_lawful_minute_are_never_blamed() {
    let check = |watch| outcome(watch).is_never_blamed(&format!("{watch:?}"), 90);
    for source in [Source::Sliding, Source::WholeMinutes, Source::Header, Source::Rates] {
        for lasts in [0, 30_000, 66_000, 120_000] {
            let how = if lasts % 60_000 == 0 { PUSHES } else { RULES };
            check(Watch { source, lasts, ..how });
        }
    }
    check(Watch { every: 15_000, tells_ends: false, ..PUSHES });
    check(Watch { by_key: true, ..PUSHES });
}

#[test]
fn alerts_that_sleep_or_cry_wolf_are_caught() {
    let check = |watch: Watch, flaw, percent| {
        let watch = Watch { flaw, ..watch };
        outcome(watch).is_caught(&format!("{watch:?}"), percent);
    };
    for watch in [PUSHES, RULES, Watch { source: Source::Sliding, ..RULES }] {
        check(watch, Flaw::NeverFires, 100);
        check(watch, Flaw::AboveTheCap, 100);
        check(watch, Flaw::CountsViews, 100);
        check(watch, Flaw::OwnShare, 90);
        check(watch, Flaw::AtOnce, 80);
    }
}

//! Simulated alerts on a failure rate: by the service itself or by rules over what it exposes, sound and not.

use super::notifier::Notifier;
use super::{Tally, judged};
use crate::plan::PhaseKind::{Control, Storm};
use crate::plan::{AlertKind, AlertName};
use crate::testing::{History, read, refused};
use mock_server::history::exchange::Exchange;
use mock_server::history::record::Alert;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// All of this is counted in milliseconds.
const WINDOW: u64 = 300_000;
const END: u64 = 1_200_000;
/// Every attempt of some requests fails from here on, for a while.
const STORM: u64 = 600_000;

/// What is wrong with the alert.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    NeverFires,
    TenPercent,
    HalfAPercent,
    OfHalfAMinute,
    HitsInTheDenominator,
}

/// Who watches, and how.
#[derive(Clone, Copy, Debug)]
struct Watch {
    /// A monitor takes rates of what it scrapes once a second; otherwise each attempt is known as it ends.
    by_rules: bool,
    /// A request counts once, with its last attempt.
    of_requests: bool,
    counts_429: bool,
    /// How often it is looked, and for how long the condition must hold.
    every: u64,
    lasts: u64,
    tells_ends: bool,
    killed: bool,
    flaw: Flaw,
}

const PUSHES: Watch = Watch {
    by_rules: false,
    of_requests: false,
    counts_429: false,
    every: 5_000,
    lasts: 0,
    tells_ends: true,
    killed: false,
    flaw: Flaw::None,
};
const RULES: Watch = Watch { by_rules: true, every: 1_000, tells_ends: false, ..PUSHES };

/// When something was counted, and how many had failed up to it.
type Counted = (u64, u32);

/// Twenty minutes of about two calls a second; returns also what the watcher counts.
fn calls(random: &mut ChaCha8Rng, watch: Watch) -> (Vec<Exchange>, Vec<Counted>) {
    let share = random.random_range(20..90); // of a thousand requests, in the storm
    let lasts = random.random_range(150_000..400_000);
    let (mut seen, mut counted, mut now) = (Vec::new(), Vec::new(), 0);
    let mut single = random.random_range(150_000..170_000);
    for n in 0.. {
        now += random.random_range(300..700);
        if now >= END - 20_000 {
            break;
        }
        let name = format!("page-{n}");
        let stormy = (STORM..STORM + lasts).contains(&now);
        let hopeless = stormy && random.random_range(0..1_000) < share;
        let once = !hopeless && now > single;
        if once {
            single += random.random_range(75_000..90_000);
        }
        let mut at = now + random.random_range(0..15);
        let attempts = if hopeless { random.random_range(1..=5) } else { 1 + u64::from(once) };
        for attempt in 1..=attempts {
            let fails = hopeless || (once && attempt == 1);
            let limited = !fails && random.random_range(0..4_000) == 0;
            seen.push(match (fails, limited) {
                (true, _) => refused(&name, at, 500),
                (_, true) => refused(&name, at, 429),
                _ => read(&name, at),
            });
            let known = at + 5 + random.random_range(0..20);
            let failed = fails || limited && watch.counts_429;
            if !watch.of_requests || attempt == attempts {
                counted.push((known, failed));
            }
            at = known + random.random_range(200..1_500);
        }
    }
    counted.sort_unstable();
    let mut failures = 0;
    let counted = counted.into_iter().map(|(at, failed)| {
        failures += u32::from(failed);
        (at, failures)
    });
    (seen, counted.collect())
}

/// Failures and calls in the window that ends at `at`, of what was counted since `born`.
fn counts(counted: &[Counted], at: u64, born: u64, watch: Watch) -> (f64, f64) {
    let window = if watch.flaw == Flaw::OfHalfAMinute { WINDOW / 10 } else { WINDOW };
    let (from, until) = (at.saturating_sub(window), at);
    let within = |from: u64, until: u64| {
        let up_to = |at: u64| counted.partition_point(|one| one.0 <= at);
        let failures = |up_to: usize| up_to.checked_sub(1).map_or(0, |last| counted[last].1);
        let (from, until) = (up_to(from.max(born)), up_to(until));
        let all = u32::try_from(until.saturating_sub(from)).unwrap_or(u32::MAX);
        (f64::from(failures(until).saturating_sub(failures(from))), f64::from(all))
    };
    if !watch.by_rules {
        return within(from, until);
    }
    // The first and the last scrape of the window, and what lies between is stretched to all of it. A
    // series of failures is there from its first value on, which counts for nothing.
    let (first, last) = (from.div_ceil(1_000) * 1_000, until / 1_000 * 1_000);
    let none = counted.partition_point(|one| one.1 == 0);
    let seen = counted.get(none).map_or(last, |one| one.0);
    let (failed, all) = within(first, last);
    let missed = seen.div_ceil(1_000) * 1_000;
    let unseen = if first < missed { within(first, missed.min(last)).0 } else { 0.0 };
    (failed - unseen, all)
}

fn alerts(
    random: &mut ChaCha8Rng,
    counted: &[Counted],
    gone: (u64, u64),
    watch: Watch,
) -> Vec<Alert> {
    let Watch { flaw, every, .. } = watch;
    let percent = match flaw {
        Flaw::TenPercent => 10.0,
        Flaw::HalfAPercent => 0.5,
        _ => 1.0,
    };
    let holds = |at: u64| {
        let dead = watch.killed && (gone.0..gone.1).contains(&at) && !watch.by_rules;
        let born = if watch.killed && at >= gone.1 && !watch.by_rules { gone.1 } else { 0 };
        let (failed, mut all) = counts(counted, at, born, watch);
        let least = if flaw == Flaw::OfHalfAMinute { 20.0 } else { 100.0 };
        if flaw == Flaw::HitsInTheDenominator {
            all += 9_000.0;
        }
        Some(!dead && all >= least && failed * 100.0 > all * percent)
    };
    let end = if flaw == Flaw::NeverFires { 0 } else { END };
    let Watch { lasts, tells_ends, .. } = watch;
    Notifier { name: "Errors", every, lasts, tells_ends }.alerts(random, end, holds)
}

fn simulated(random: &mut ChaCha8Rng, watch: Watch) -> History {
    let (seen, counted) = calls(random, watch);
    let gone = random.random_range(300_000..1_000_000);
    let gone = (gone, gone + random.random_range(500..4_000));
    let alerts = alerts(random, &counted, gone, watch);
    let history =
        History::over(&[(Control, 0, STORM / 1_000), (Storm, STORM / 1_000, END / 1_000)]);
    let mut history = alerts.into_iter().fold(history.exchanges(seen), History::alert);
    history = history.declaring(|one| one.alert_for_ms = watch.lasts);
    history.case.alert_names.insert(AlertKind::ErrorRate, AlertName::plain("Errors"));
    if watch.killed { history.killed_until(gone.0, gone.1) } else { history }
}

fn outcome(watch: Watch) -> Tally {
    judged("error-rate-alert", |random| simulated(random, watch))
}

#[test]
fn alerts_by_push_or_by_rules_are_never_blamed() {
    let check = |watch, percent| outcome(watch).is_never_blamed(&format!("{watch:?}"), percent);
    check(PUSHES, 90);
    check(Watch { every: 15_000, tells_ends: false, ..PUSHES }, 90);
    check(Watch { of_requests: true, lasts: 60_000, ..PUSHES }, 50);
    check(Watch { counts_429: true, lasts: 30_000, ..PUSHES }, 60);
    check(RULES, 90);
    check(Watch { every: 5_000, lasts: 60_000, tells_ends: true, ..RULES }, 60);
    check(Watch { of_requests: true, counts_429: true, ..RULES }, 60);
    check(Watch { killed: true, ..PUSHES }, 30);
}

/// Whoever looks less often than every fifteen seconds may be late by more than the declared delay.
#[test]
fn alerts_that_wait_for_any_time_are_never_blamed() {
    let any = |random: &mut ChaCha8Rng| {
        let by_rules = random.random_range(0..2) == 0;
        let watch = Watch {
            by_rules,
            of_requests: random.random_range(0..2) == 0,
            counts_429: random.random_range(0..2) == 0,
            every: [1_000, 2_500, 5_000, 15_000][random.random_range(0..4)],
            lasts: random.random_range(0..150_000),
            tells_ends: random.random_range(0..2) == 0,
            killed: random.random_range(0..3) == 0,
            flaw: Flaw::None,
        };
        simulated(random, watch)
    };
    judged("error-rate-alert", any).is_never_blamed("any lawful watch", 20);
}

#[test]
fn alerts_that_sleep_or_cry_wolf_are_caught() {
    let check = |watch: Watch, flaw, percent| {
        let watch = Watch { flaw, ..watch };
        outcome(watch).is_caught(&format!("{watch:?}"), percent);
    };
    for watch in [PUSHES, RULES] {
        check(watch, Flaw::NeverFires, 90);
        check(watch, Flaw::HitsInTheDenominator, 80);
        check(watch, Flaw::OfHalfAMinute, 80);
    }
    check(Watch { of_requests: true, ..PUSHES }, Flaw::TenPercent, 80);
    check(PUSHES, Flaw::HalfAPercent, 60);
}

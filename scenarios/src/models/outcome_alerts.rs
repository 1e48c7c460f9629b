//! Simulated alerts on timeouts and on refused keys, told apart and not.

use super::notifier::Notifier;
use super::{Tally, judged};
use crate::observed::Figures;
use crate::plan::PhaseKind::{Control, Storm};
use crate::plan::{AlertKind, AlertName};
use crate::testing::{History, given_up, read, refused, scrape};
use mock_server::history::exchange::Exchange;
use mock_server::history::record::Alert;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// All of this is counted in milliseconds.
const WINDOW: u64 = 300_000;
const END: u64 = 1_000_000;
/// Calls hang from here on, and the key is refused from there on, each for a while.
const SILENT: u64 = 60_000;
const LOCKED: u64 = 600_000;

/// What is wrong with the alerts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    OneForBoth,
    Swapped,
    NoneOnTimeouts,
    NoneOnRefusals,
}

/// Who watches, and how.
#[derive(Clone, Copy, Debug)]
struct Watch {
    /// A monitor sees counters grow once a second; otherwise each attempt is known as it ends.
    by_rules: bool,
    /// So many of a kind are too many, and so many are declared.
    alike: u32,
    /// Broken connections and bad gateways are timeouts to it, and 403 is a refused key.
    counts_more: bool,
    every: u64,
    lasts: u64,
    killed: bool,
    flaw: Flaw,
}

const PUSHES: Watch = Watch {
    by_rules: false,
    alike: 3,
    counts_more: false,
    every: 5_000,
    lasts: 0,
    killed: false,
    flaw: Flaw::None,
};
const RULES: Watch = Watch { by_rules: true, every: 1_000, ..PUSHES };

/// What a call was counted as.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Timeout,
    Refusal,
    Gateway,
}

/// Calls of a quarter of an hour, and what the watcher counts of them.
fn calls(random: &mut ChaCha8Rng) -> (Vec<Exchange>, Vec<(u64, Kind)>) {
    let (mut seen, mut counted, mut now, mut n) = (Vec::new(), Vec::new(), 0, 0);
    while now < END - 20_000 {
        now += random.random_range(500..1_500);
        n += 1;
        let at = now + random.random_range(0..20);
        let name = format!("page-{n}");
        let told = |after: u64, random: &mut ChaCha8Rng| at + after + random.random_range(0..20);
        match random.random_range(0..10) {
            0 | 1 if (SILENT..SILENT + 80_000).contains(&now) => {
                seen.push(given_up(&name, at, at + 10_000));
                counted.push((told(10_000, random), Kind::Timeout));
            }
            0 | 1 if (LOCKED..LOCKED + 80_000).contains(&now) => {
                seen.push(refused(&name, at, 401));
                counted.push((told(5, random), Kind::Refusal));
            }
            2 if (SILENT..SILENT + 80_000).contains(&now) => {
                seen.push(refused(&name, at, 502));
                counted.push((told(5, random), Kind::Gateway));
            }
            _ => seen.push(read(&name, at)),
        }
    }
    counted.sort_unstable_by_key(|one| one.0);
    (seen, counted)
}

fn alerts(
    random: &mut ChaCha8Rng,
    counted: &[(u64, Kind)],
    gone: (u64, u64),
    watch: Watch,
    (name, kinds): (&'static str, &[Kind]),
) -> Vec<Alert> {
    let in_memory = watch.killed && !watch.by_rules;
    let holds = |at: u64| {
        let dead = in_memory && (gone.0..gone.1).contains(&at);
        let born = if in_memory && at >= gone.1 { gone.1 } else { 0 };
        let (mut from, mut until) = (at.saturating_sub(WINDOW).max(born), at);
        if watch.by_rules {
            (from, until) = (from.div_ceil(1_000) * 1_000, until / 1_000 * 1_000);
        }
        let count = |kind: &Kind| {
            let of_kind = || counted.iter().filter(|one| one.1 == *kind).map(|one| one.0);
            // A series is met with its first value, which counts for nothing.
            let met = of_kind().next().map_or(0, |first| first.div_ceil(1_000) * 1_000);
            let grows = |known: &u64| !watch.by_rules || *known > met;
            of_kind().filter(|known| (from..until).contains(known)).filter(grows).count()
        };
        (!dead).then(|| kinds.iter().map(count).sum::<usize>() >= watch.alike as usize)
    };
    let Watch { every, lasts, .. } = watch;
    Notifier { name, every, lasts, tells_ends: true }.alerts(random, END, holds)
}

fn simulated(random: &mut ChaCha8Rng, watch: Watch) -> History {
    let (mut seen, mut counted) = calls(random);
    // Between the two, so that each life has counters of its own kind.
    let gone = random.random_range(250_000..550_000);
    let gone = (gone, gone + random.random_range(500..4_000));
    if watch.killed {
        let lives = |from: u64, until: u64| until < gone.0 - 200 || gone.1 + 200 < from;
        seen.retain(|one| lives(one.t_head.0 / 1_000_000, one.t_end.0 / 1_000_000));
        counted.retain(|(known, _)| lives(*known, *known));
    }
    let timeouts: &[Kind] =
        if watch.counts_more { &[Kind::Timeout, Kind::Gateway] } else { &[Kind::Timeout] };
    let both: &[Kind] = &[Kind::Timeout, Kind::Refusal];
    let refusals: &[Kind] = &[Kind::Refusal];
    let [late, denied] = match watch.flaw {
        Flaw::None => [timeouts, refusals],
        Flaw::OneForBoth => [both, both],
        Flaw::Swapped => [refusals, timeouts],
        Flaw::NoneOnTimeouts => [&[], refusals],
        Flaw::NoneOnRefusals => [timeouts, &[]],
    };
    let mut came = alerts(random, &counted, gone, watch, ("Late", late));
    came.extend(alerts(random, &counted, gone, watch, ("Denied", denied)));
    let lives =
        if watch.killed { vec![(0, gone.0 - 1_000), (gone.1 + 100, END)] } else { vec![(0, END)] };
    let mut history = History::over(&[(Control, 0, 50), (Storm, 50, END / 1_000)]);
    for (from, until) in lives {
        #[allow(clippy::cast_precision_loss)] // a few dozen
        let told = |until: u64, kind: Kind| {
            let of_kind = counted.iter().filter(|one| one.1 == kind);
            Some(of_kind.filter(|one| (from..until).contains(&one.0)).count() as f64)
        };
        for at in [from, until] {
            let (timeouts, auth_errors) = (told(at, Kind::Timeout), told(at, Kind::Refusal));
            let figures = Figures { timeouts, auth_errors, ..Figures::default() };
            history = history.scrape(scrape(at, figures));
        }
    }
    history = came.into_iter().fold(history.exchanges(seen), History::alert);
    history = history.declaring(|one| {
        (one.alert_for_ms, one.alert_alike) = (watch.lasts, watch.alike);
    });
    for (kind, name) in [(AlertKind::Timeouts, "Late"), (AlertKind::AuthErrors, "Denied")] {
        history.case.alert_names.insert(kind, AlertName::plain(name));
    }
    if watch.killed { history.killed_until(gone.0, gone.1) } else { history }
}

fn outcome(watch: Watch) -> Tally {
    judged("timeout-not-auth", |random| simulated(random, watch))
}

#[test]
fn alerts_that_are_told_apart_are_never_blamed() {
    let check = |watch, percent| outcome(watch).is_never_blamed(&format!("{watch:?}"), percent);
    check(PUSHES, 90);
    check(Watch { alike: 1, every: 15_000, ..PUSHES }, 90);
    check(Watch { counts_more: true, lasts: 30_000, ..PUSHES }, 90);
    check(RULES, 90);
    check(Watch { alike: 5, every: 5_000, lasts: 60_000, ..RULES }, 80);
    check(Watch { counts_more: true, ..RULES }, 90);
    check(Watch { killed: true, ..PUSHES }, 80);
}

#[test]
fn alerts_that_are_one_or_none_are_caught() {
    for watch in [PUSHES, RULES] {
        for flaw in [Flaw::OneForBoth, Flaw::Swapped, Flaw::NoneOnTimeouts, Flaw::NoneOnRefusals] {
            let watch = Watch { flaw, ..watch };
            outcome(watch).is_caught(&format!("{watch:?}"), 90);
        }
    }
}

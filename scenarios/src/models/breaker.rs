//! Simulated clients behind breakers, sound and broken, under concurrent load and mixed failures.

use super::{Tally, judged};
use crate::guarantees::evidence::circuit::Class;
use crate::guarantees::find;
use crate::plan::PhaseKind;
use crate::testing::{History, given_up, page, read, refused};
use mock_server::clock::Moment;
use mock_server::history::exchange::{End, Exchange};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A breaker in milliseconds, with the points in which libraries differ.
#[derive(Clone, Copy)]
struct Breaker {
    threshold: u32,
    open_ms: u64,
    probes: u32,
    /// 429 and 404 count as failures, instead of being ignored.
    strict: bool,
    /// Results of attempts sent before the trip are heard: a success closes.
    hears_late: bool,
    counts_timeouts: bool,
    failures: u32,
    /// When it opened; `None` while closed.
    opened: Option<u64>,
    /// Probes in the air or judged since it was half-open.
    let_through: u32,
}

const SOUND: Breaker = Breaker {
    threshold: 5,
    open_ms: 30_000,
    probes: 1,
    strict: false,
    hears_late: false,
    counts_timeouts: true,
    failures: 0,
    opened: None,
    let_through: 0,
};

impl Breaker {
    fn permits(&mut self, now: u64) -> bool {
        let Some(opened) = self.opened else { return true };
        let allowed = now >= opened + self.open_ms && self.let_through < self.probes;
        self.let_through += u32::from(allowed);
        allowed
    }

    fn hear(&mut self, now: u64, sent: u64, class: Class, timeout: bool) {
        let probe = self.opened.is_some_and(|opened| sent >= opened + self.open_ms);
        let failed = class == Class::Failure && (self.counts_timeouts || !timeout)
            || class == Class::Unclear && self.strict;
        if self.opened.is_some() && !probe && !(self.hears_late && class == Class::Success) {
            return;
        }
        if class == Class::Success {
            (self.opened, self.failures, self.let_through) = (None, 0, 0);
        } else if failed {
            self.failures += 1;
            if probe || self.failures >= self.threshold {
                (self.opened, self.let_through) = (Some(now), 0);
            }
        } else if probe {
            self.let_through -= 1;
        }
    }
}

/// When, which client, and what it hears: when that was sent, and its index.
type Step = (u64, u64, Option<(u64, usize)>);

/// What happens to the process about every 35 s.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Chaos {
    Nothing,
    Kills,
    Pauses,
}

/// `clients` callers: 5 s are fine, then an outage until 205 s, then fine until 225 s.
fn simulated(
    random: &mut ChaCha8Rng,
    clients: u64,
    pause_ms: u64,
    mut breaker: Breaker,
    chaos: Chaos,
) -> History {
    let fresh = breaker;
    let mut disturb = |n: u64| {
        let from = n * 35_000 + random.random_range(0..20_000);
        (from, from + random.random_range(100..3_000))
    };
    let mut disturbed: Vec<(u64, u64)> = (0..6).map(&mut disturb).collect();
    disturbed.retain(|_| chaos != Chaos::Nothing);
    let mut died = 0;
    let mut history = History::over(&[
        (PhaseKind::Control, 0, 5),
        (PhaseKind::Outage, 5, 205),
        (PhaseKind::Heal, 205, 225),
    ]);
    let mut agenda: BinaryHeap<Reverse<Step>> = BinaryHeap::new();
    (0..clients).for_each(|client| agenda.push(Reverse((client, client, None))));
    let mut seen: Vec<(Exchange, Class)> = Vec::new();
    while let Some(Reverse((now, client, heard))) = agenda.pop() {
        let (from, until) =
            disturbed.iter().rev().find(|span| span.0 <= now).copied().unwrap_or_default();
        if chaos == Chaos::Kills && died != from {
            (breaker, died) = (fresh, from);
        }
        if now < until {
            let heard = heard.filter(|_| chaos == Chaos::Pauses);
            agenda.push(Reverse((until + random.random_range(0..20), client, heard)));
        } else if let Some((sent, index)) = heard.filter(|heard| heard.0 >= died) {
            let (exchange, class) = &seen[index];
            breaker.hear(now, sent, *class, exchange.end == End::ClientAbort);
            let pause = random.random_range(pause_ms..pause_ms * 2);
            agenda.push(Reverse((now + pause, client, None)));
        } else if now > 225_000 {
        } else if breaker.permits(now) {
            let arrived = now + random.random_range(0..20);
            let out = (5_000..205_000).contains(&arrived);
            let (exchange, class, known) = match (out, random.random_range(0..20)) {
                (true, 0) => (refused("ann", arrived, 429), Class::Unclear, arrived + 5),
                (true, 1) => (given_up("ann", arrived, now + 10_015), Class::Failure, now + 10_000),
                (true, 2) => {
                    let reset = Exchange { end: End::ServerReset, ..refused("ann", arrived, 500) };
                    (reset, Class::Failure, arrived + 5)
                }
                (true, _) | (false, 0) => {
                    (refused("ann", arrived, 503), Class::Failure, arrived + 5)
                }
                _ => (read("ann", arrived), Class::Success, arrived + 5),
            };
            let known = known + random.random_range(0..20);
            agenda.push(Reverse((known, client, Some((now, seen.len())))));
            seen.push((exchange, class));
        } else {
            agenda.push(Reverse((now + random.random_range(50..250), client, None)));
        }
    }
    for (from, until) in disturbed {
        let ms = Moment::from_ms;
        let cut = |one: &&mut Exchange| one.t_req < ms(from) && one.t_known() > ms(from);
        if chaos == Chaos::Kills {
            for (one, _) in seen.iter_mut().map(|(one, class)| (one, class)) {
                if cut(&one) {
                    *one =
                        Exchange { id: one.id, ..given_up("ann", one.t_req.0 / 1_000_000, from) };
                }
            }
            history = history.killed_until(from, until);
        } else {
            history = history.paused(from, until);
        }
    }
    history = history.exchanges(seen.into_iter().map(|(exchange, _)| exchange));
    // A visitor every second, each answered within 10 ms.
    history.operations((1..200).map(|n| page("bob", n * 1_000, n * 1_000 + 10, "-")))
}

fn outcome(clients: u64, pause_ms: u64, breaker: Breaker, chaos: Chaos) -> Tally {
    let judge = find("breaker-opens").unwrap();
    judged(judge, |random| simulated(random, clients, pause_ms, breaker, chaos))
}

#[test]
fn sound_breakers_are_never_blamed_whatever_their_fashion() {
    for (clients, pause) in [(1, 250), (4, 400), (16, 100)] {
        for (strict, hears_late) in [(false, false), (true, false), (false, true), (true, true)] {
            let breaker = Breaker { strict, hears_late, ..SOUND };
            let disturbances = [Chaos::Nothing, Chaos::Kills, Chaos::Pauses];
            for &chaos in &disturbances[..if clients == 4 { 3 } else { 1 }] {
                let what =
                    format!("{clients} clients, {pause} ms, {strict}, {hears_late}, {chaos:?}");
                // In an outage little is certain of a breaker that stood still.
                let conclusive = if chaos == Chaos::Pauses { 0 } else { 50 };
                outcome(clients, pause, breaker, chaos).is_never_blamed(&what, conclusive);
            }
        }
    }
}

#[test]
fn broken_breakers_are_caught() {
    let check = |name: &str, broken: Breaker, percent| {
        for chaos in [Chaos::Nothing, Chaos::Kills] {
            let what = format!("{name}, {chaos:?}");
            outcome(1, 250, broken, chaos).is_caught(&what, percent);
        }
    };
    // A twentieth of the answers is a 429, which makes many a row uncertain.
    check("opens at the sixth", Breaker { threshold: 6, ..SOUND }, 50);
    check("never opens", Breaker { threshold: u32::MAX, ..SOUND }, 100);
    check("half the open time", Breaker { open_ms: 15_000, ..SOUND }, 90);
    let floods = Breaker { probes: u32::MAX, ..SOUND };
    outcome(16, 100, floods, Chaos::Nothing).is_caught("half-open floodgate", 70);
}

//! Simulated services through two rotations of their key: pollers, those who ask when they are refused, several
//! workers, and those who forget a part of it.

use super::{Tally, judged};
use crate::history::{Click, Did, Operation};
use crate::observed::Figures;
use crate::plan::PhaseKind::{Control, Settle, Storm};
use crate::plan::{AlertKind, AlertName};
use crate::testing::{
    FIRST_KEY_AGE_MS, History, click, page, pushed, read, refused, resolved, rotated, scrape,
    sent_click, with_key,
};
use mock_server::history::exchange::Exchange;
use mock_server::history::record::Alert;
use mock_server::keyring::Environment;
use mock_server::world::population::{Group, Population};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// The rotations, in the milliseconds in which all of this is counted, and their overlaps.
const TURNS: [(u64, u64); 2] = [(100_000, 75_000), (300_000, 0)];
/// When nothing happens any more.
const END: u64 = 520_000;
/// The declared pick-up.
const PICKUP: u64 = 60_000;

/// What is wrong with a service.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// The key is read once.
    NeverReads,
    /// Clicks go with the first key for ever.
    ClicksKeepTheFirst,
    /// A page is not shown while calls are refused.
    NoPageWhileRefused,
    /// A click is dropped when it is refused.
    DropsRefusedClicks,
    AgeOfTheFirst,
    AgeInDays,
    NeverAlerts,
    /// The alert goes by the age that the first key would have, and tells it anew from time to time.
    AlertsOfTheFirst,
    /// Reads are tried again and again while they are refused.
    Hammers,
    /// In an overlap no page is shown that was not there before.
    NoNewcomersInTheOverlap,
}

#[derive(Clone, Copy, Debug)]
struct Service {
    workers: usize,
    /// Asks the vault so often.
    polls: u64,
    /// Asks it when a call is refused, and tries that call once more.
    asks_when_refused: bool,
    /// Of several calls at once, both keys may be in use.
    at_once: u64,
    flaw: Flaw,
}

const SOUND: Service =
    Service { workers: 1, polls: 15_000, asks_when_refused: true, at_once: 1, flaw: Flaw::None };

/// Which keys a worker has and had.
struct Worker {
    first_poll: u64,
    /// The number of the key in use, after each time at which it was learnt.
    key: u64,
    next_poll: u64,
}

/// The newest key at a time.
fn newest(at: u64) -> u64 {
    TURNS.iter().filter(|turn| turn.0 <= at).count() as u64
}

/// What the record says of a key at a time.
fn label(key: u64, at: u64) -> &'static str {
    match TURNS.get(key as usize) {
        Some((end, overlap)) if at >= end + overlap => "revoked",
        Some((end, _)) if at >= *end => "previous",
        _ => "live",
    }
}

impl Worker {
    fn new(random: &mut ChaCha8Rng, service: Service) -> Self {
        let first_poll = random.random_range(0..service.polls);
        Self { first_poll, key: 0, next_poll: first_poll }
    }

    /// What it has learnt by now of its own accord.
    fn polled(&mut self, now: u64, service: Service) {
        while service.flaw != Flaw::NeverReads && self.next_poll <= now {
            self.key = newest(self.next_poll);
            self.next_poll += service.polls;
        }
    }
}

/// One call at `now` with its repetition, and whether it was good in the end, and when.
fn call(
    worker: &mut Worker,
    service: Service,
    now: u64,
    (is_click, make): (bool, &dyn Fn(u64, u16) -> Exchange),
    calls: &mut Vec<Exchange>,
) -> Option<u64> {
    worker.polled(now, service);
    let first_key = is_click && service.flaw == Flaw::ClicksKeepTheFirst;
    let key = if first_key { 0 } else { worker.key };
    if label(key, now) != "revoked" {
        calls.push(with_key(key, label(key, now), make(now, 202)));
        return Some(now + 5);
    }
    let times = if service.flaw == Flaw::Hammers { 4 } else { 1 };
    for n in 0..times {
        let at = now + n * 150;
        calls.push(with_key(key, "revoked", make(at, 401)));
    }
    if !service.asks_when_refused || service.flaw == Flaw::NeverReads || first_key {
        return None;
    }
    worker.key = newest(now);
    let again = now + 30;
    calls.push(with_key(worker.key, label(worker.key, again), make(again, 202)));
    Some(again + 5)
}

fn simulated(random: &mut ChaCha8Rng, service: Service) -> History {
    let mut history = History::over(&[(Control, 0, 100), (Storm, 100, 400), (Settle, 400, 560)]);
    for (nth, (at, overlap)) in (1..).zip(TURNS) {
        history = history.happened(rotated(nth, at, overlap));
    }
    history = history.declaring(|of| of.instances = u32::try_from(service.workers).unwrap_or(1));
    let group =
        Group { prefix: "ann".into(), count: 999, min_links: 1, max_links: 2, ..Group::default() };
    history.case.plan.population = Population { groups: vec![group] };
    let mut workers: Vec<_> = (0..service.workers).map(|_| Worker::new(random, service)).collect();
    let (mut calls, mut now, mut waiting) = (Vec::new(), 500, Vec::<String>::new());
    // One in five visitors opens a page that nobody has opened yet.
    let mut opened = 3;
    while now < END {
        now += random.random_range(800..4_000);
        let worker = &mut workers[random.random_range(0..service.workers)];
        let is_new = random.random_range(0..5) == 0;
        opened += u32::from(is_new);
        let nth = if is_new { opened } else { random.random_range(1..4) };
        let handle = format!("ann-{nth:04}");
        let make = |at, status: u16| match status {
            202 => read(&handle, at),
            status => refused(&handle, at, status),
        };
        let mut filled = None;
        for n in 0..random.random_range(1..=service.at_once) {
            filled = call(worker, service, now + n * 3, (false, &make), &mut calls);
        }
        let in_overlap = TURNS.iter().any(|(at, overlap)| (*at..at + overlap).contains(&now));
        let is_dark = match service.flaw {
            Flaw::NoPageWhileRefused => filled.is_none(),
            Flaw::NoNewcomersInTheOverlap => is_new && (filled.is_none() || in_overlap),
            _ => is_new && filled.is_none(),
        };
        let view = Operation { handle: handle.clone().into(), ..page("-", now, now + 45, "v0") };
        let status = if is_dark { Some(503) } else { Some(200) };
        history = history.operation(Operation { status, ..view });
        if random.random_range(0..4) == 0 {
            let id = format!("c{now}");
            let did = Did::Click(Click { event_id: id.clone().into(), payload: "p".into() });
            history = history.operation(Operation { did, ..click("-", now, now + 5) });
            waiting.push(id);
        }
        let sent_at = now + 60;
        waiting.retain(|id| {
            let make = |at, status| sent_click(id, at, status);
            let arrived = call(worker, service, sent_at, (true, &make), &mut calls).is_some();
            !arrived && service.flaw != Flaw::DropsRefusedClicks
        });
    }
    for second in (5..500_u64).step_by(7) {
        let at = second * 1_000;
        let polled = workers[0].first_poll % service.polls;
        // What the first worker knew by then of its own accord, at the latest.
        let known = at.checked_sub(polled).map_or(0, |since| newest(at - since % service.polls));
        let key = if service.flaw == Flaw::AgeOfTheFirst { 0 } else { known };
        let ms = match key {
            0 => FIRST_KEY_AGE_MS + at - TURNS[0].0,
            key => at - TURNS[key as usize - 1].0,
        };
        let unit = if service.flaw == Flaw::AgeInDays { 86_400.0 } else { 1.0 };
        let age = Duration::from_millis(ms).as_secs_f64().floor() / unit;
        history = history.scrape(scrape(at, Figures { key_age: Some(age), ..Figures::default() }));
    }
    history.case.plan.key.age_days = Some(91);
    history.case.alert_names.insert(AlertKind::KeyAge, AlertName::plain("Old"));
    alerts(random, &workers[0], service).into_iter().fold(history, History::alert).exchanges(calls)
}

/// The word that the key is old, which goes on until another one is known.
fn alerts(random: &mut ChaCha8Rng, worker: &Worker, service: Service) -> Vec<Alert> {
    let Service { flaw, polls, .. } = service;
    let (mut alerts, mut fires) = (Vec::new(), false);
    for at in (random.random_range(500..5_000)..END).step_by(5_000) {
        let polled = at.checked_sub(worker.first_poll % polls);
        let known = polled.map_or(0, |since| newest(at - since % polls));
        let is_old = match flaw {
            Flaw::NeverAlerts => false,
            Flaw::AlertsOfTheFirst => at / 100_000 % 2 == 0,
            _ => known == 0,
        };
        let arrives = at + random.random_range(5..400);
        match (is_old, fires) {
            (true, _) => alerts.push(pushed("Old", arrives)),
            (false, true) => alerts.push(resolved("Old", arrives)),
            (false, false) => {}
        }
        fires = is_old;
    }
    alerts
}

fn outcome(service: Service) -> Tally {
    judged("key-rotation", |random| simulated(random, service))
}

#[test]
fn services_that_pick_a_key_up_are_never_blamed() {
    let asks = |polls| Service { polls, ..SOUND };
    for service in [
        SOUND,
        asks(1_000),
        asks(PICKUP - 1_000),
        Service { workers: 4, ..SOUND },
        Service { workers: 3, at_once: 4, ..asks(50_000) },
        // Whoever only polls does so more often than calls come.
        Service { asks_when_refused: false, ..asks(200) },
    ] {
        outcome(service).is_never_blamed(&format!("{service:?}"), 95);
    }
}

#[test]
fn services_that_forget_a_part_of_it_are_caught() {
    for (flaw, percent) in [
        (Flaw::NeverReads, 100),
        (Flaw::ClicksKeepTheFirst, 100),
        (Flaw::AgeOfTheFirst, 100),
        (Flaw::AgeInDays, 100),
        (Flaw::NeverAlerts, 100),
        (Flaw::AlertsOfTheFirst, 100),
        (Flaw::NoNewcomersInTheOverlap, 95),
    ] {
        outcome(Service { flaw, ..SOUND }).is_caught(&format!("{flaw:?}"), percent);
    }
    // Asked once in half an hour, and at a refusal: most of these meet one with the overlap behind them.
    outcome(Service { polls: 1_800_000, ..SOUND }).is_caught("it polls too seldom", 90);
    // These show where the vault is not asked at a refusal.
    for flaw in [Flaw::NoPageWhileRefused, Flaw::DropsRefusedClicks, Flaw::Hammers] {
        let service = Service { asks_when_refused: false, polls: 55_000, flaw, ..SOUND };
        outcome(service).is_caught(&format!("{flaw:?}"), 80);
    }
}

/// A service that may stop calling, fall back on the key of the other environment, or use it for what nobody
/// counts.
fn separated(random: &mut ChaCha8Rng, how: Separation, environment: Environment) -> History {
    let mut history = History::over(&[(Control, 0, 100), (Storm, 100, 200), (Settle, 200, 300)])
        .happened(rotated(1, 120_000, 10_000));
    history.case.plan.key.environment = Some(environment);
    // In staging all keys of its own are called so, whatever became of them.
    let is_live = environment.is_live();
    let other = if is_live { "test" } else { "live" };
    let mut now = 1_000;
    while now < 290_000 {
        now += random.random_range(500..3_000);
        let is_sealed = (100_000..200_000).contains(&now);
        if random.random_range(0..3) == 0 || is_sealed && random.random_range(0..2) == 0 {
            history = history.vault_read(now, if is_sealed { 503 } else { 200 });
        }
        if how == Separation::StopsWhenSealed && is_sealed {
            continue;
        }
        let (key, label) = match now {
            130_000..205_000 => (0, "revoked"),
            205_000.. => (1, "live"),
            _ => (0, "live"),
        };
        let call = match label {
            "revoked" => refused("ann", now, 401),
            _ => read("ann", now),
        };
        let falls_back = how == Separation::FallsBack && is_sealed && now > 130_000;
        let is_probe = how == Separation::OnlyProbes && random.random_range(0..20) == 0;
        let call = with_key(key, if is_live { label } else { "test" }, call);
        let call = if falls_back || is_probe {
            Exchange { token: other.into(), key_id: Some("key-t".into()), ..call }
        } else {
            call
        };
        history = history.exchange(call);
    }
    history
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Separation {
    KeepsTheLastGood,
    StopsWhenSealed,
    FallsBack,
    OnlyProbes,
}

#[test]
fn keys_stay_where_they_belong() {
    for environment in [Environment::Live, Environment::Test] {
        let outcome = |how| {
            judged("environment-separation", move |random| separated(random, how, environment))
        };
        for how in [Separation::KeepsTheLastGood, Separation::StopsWhenSealed] {
            outcome(how).is_never_blamed(&format!("{how:?} in {environment:?}"), 95);
        }
        for how in [Separation::FallsBack, Separation::OnlyProbes] {
            outcome(how).is_caught(&format!("{how:?} in {environment:?}"), 95);
        }
    }
}

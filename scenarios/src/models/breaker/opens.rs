//! Whatever its fashion, a sound breaker opens as declared, and a broken one is caught.

use super::circuit::{Fashion, Probes, SOUND, Trips};
use super::{Service, USUAL, Weather, declared};
use crate::models::{Chaos, Tally, judged};
use crate::plan::{BreakerCounting, BreakerScope};

fn outcome(service: Service) -> Tally {
    probing(service, SOUND.probes)
}

/// The same where so many probes are declared.
fn probing(service: Service, probes: usize) -> Tally {
    judged("breaker-opens", |random| {
        declared(random, service).declaring(|declared| declared.half_open_probes = probes as u32)
    })
}

const CROWD: Service = Service { clients: 16, pause_ms: 200, unclear: 1, ..USUAL };
const CALLS: Service =
    Service { counting: BreakerCounting::Call, attempts: 3, unclear: 1, ..USUAL };
const ROUTES: Service = Service { scope: BreakerScope::Route, ..USUAL };
const TWO: Service = Service { instances: 2, unclear: 1, ..USUAL };
/// Visitors come later than what may have been on its way, of which a single one is a doubt.
const APART: Service = Service { pause_ms: 600, ..USUAL };
const QUIET: Weather = Weather { fine: 20_000, out: 45_000, heal: 155_000, end: 165_000 };
const COLD: Weather = Weather { fine: 0, out: 0, heal: 110_000, end: 120_000 };

fn with(service: Service, breaker: Fashion) -> Service {
    Service { breaker, ..service }
}

fn windowed(trips: Trips, weather: Weather) -> Service {
    Service { unclear: 1, weather, ..with(USUAL, Fashion { trips, ..SOUND }) }
}

#[test]
fn sound_breakers_are_never_blamed_whatever_their_fashion() {
    const LATE: [Chaos; 3] = [Chaos::Nothing, Chaos::Kills, Chaos::Pauses];
    for (strict, hears_late) in [(false, true), (true, false)] {
        let breaker = Fashion { strict, hears_late, ..SOUND };
        let four = LATE.map(|chaos| Service { clients: 4, pause_ms: 400, chaos, ..USUAL });
        for service in [USUAL, CROWD].into_iter().chain(four) {
            let Service { clients, chaos, .. } = service;
            let what = format!("{clients} clients, {strict}, {hears_late}, {chaos:?}");
            // In an outage little is certain of a breaker that stood still, or of whoever never rests.
            let conclusive = match (clients, chaos) {
                (_, Chaos::Pauses) => 0,
                (16, _) => 25,
                _ => 50,
            };
            outcome(with(service, breaker)).is_never_blamed(&what, conclusive);
        }
    }
}

#[test]
fn other_scopes_countings_and_windows_are_judged_as_declared() {
    let check = |name: &str, service: Service, percent| {
        let breaker = Fashion { hears_late: true, ..service.breaker };
        outcome(Service { breaker, ..service }).is_never_blamed(name, percent);
    };
    check("each route", ROUTES, 50);
    check("each route, four clients", Service { clients: 4, pause_ms: 400, ..ROUTES }, 50);
    check("calls", CALLS, 50);
    // How many calls are under way is not certain enough there.
    check("calls, four clients", Service { clients: 4, pause_ms: 400, ..CALLS }, 0);
    check("what a library repeats", Service { repeats: true, ..USUAL }, 50);
    check("two instances", TWO, 50);
    check("two instances, calls", Service { instances: 2, ..CALLS }, 30);
    check("two instances, a crowd", Service { instances: 2, ..CROWD }, 30);
    let grows = Fashion { growth: 200, cap_ms: 90_000, ..SOUND };
    check("growing open time", with(USUAL, grows), 50);
    let ratio = |percent| Trips::Ratio { percent, within: 20_000 };
    check("a sliding window", windowed(Trips::Within(20_000), QUIET), 50);
    check("a sliding window, warm", windowed(Trips::Within(20_000), USUAL.weather), 0);
    check("a tumbling window", windowed(Trips::Tumbling(20_000), QUIET), 50);
    check("a ratio from quiet", windowed(ratio(100), QUIET), 30);
    check("a ratio, warm", windowed(ratio(100), USUAL.weather), 0);
    check("half of all, from cold", windowed(ratio(50), COLD), 30);
}

#[test]
fn three_probes_are_judged_as_declared() {
    for judges in [Probes::Each, Probes::All, Probes::Share] {
        let crowd = (judges == Probes::Each).then_some(CROWD);
        for service in [USUAL, CALLS].into_iter().chain(crowd) {
            let breaker = Fashion { probes: 3, judges, ..SOUND };
            let percent = if service.attempts == USUAL.attempts { 40 } else { 20 };
            let Service { clients, counting, .. } = service;
            let what = format!("three probes, {judges:?}, {clients} clients, {counting:?}");
            probing(with(service, breaker), 3).is_never_blamed(&what, percent);
        }
    }
}

#[test]
fn broken_breakers_are_caught() {
    let check = |name: &str, broken: Fashion, percent| {
        for chaos in [Chaos::Nothing, Chaos::Kills] {
            let what = format!("{name}, {chaos:?}");
            outcome(Service { chaos, ..with(APART, broken) }).is_caught(&what, percent);
        }
    };
    // A twentieth of the answers is a 429, which makes many a row uncertain.
    check("opens at the sixth", Fashion { threshold: 6, ..SOUND }, 40);
    check("opens at the tenth", Fashion { threshold: 10, ..SOUND }, 50);
    check("never opens", Fashion { threshold: usize::MAX, ..SOUND }, 98);
    let check = |name: &str, broken: Fashion, percent| {
        outcome(with(APART, broken)).is_caught(name, percent);
    };
    check("half the open time", Fashion { open_ms: 15_000, cap_ms: 15_000, ..SOUND }, 80);
    check("ever shorter open times", Fashion { growth: 50, ..SOUND }, 70);
    check("a failed probe has no effect", Fashion { judges: Probes::WithoutEffect, ..SOUND }, 70);
    check("a probe too many", Fashion { probes: 2, judges: Probes::Share, ..SOUND }, 50);
    check("timeouts are no failures", Fashion { counts_timeouts: false, ..SOUND }, 10);
    // Whoever comes after twenty successes and three failures must be worth a call.
    let weather = Weather { fine: 40_000, out: 40_000, heal: 150_000, end: 160_000 };
    let steady = Service { flaky: 0, pause_ms: 1_500, weather, ..USUAL };
    outcome(with(steady, Fashion { threshold: 3, ..SOUND })).is_caught("opens at the third", 50);
    outcome(Service { leaks: 5, ..USUAL }).is_caught("one in twenty leaks", 60);
    let floods = Fashion { probes: usize::MAX, ..SOUND };
    outcome(with(CROWD, floods)).is_caught("half-open floodgate", 20);
}

#[test]
fn breakers_of_every_declared_kind_are_caught_where_they_are_broken() {
    let threshold = |service: Service, threshold| {
        let breaker = Fashion { threshold, ..service.breaker };
        outcome(Service { breaker, ..service })
    };
    let never = |name: &str, service: Service, percent| {
        threshold(service, usize::MAX).is_caught(&format!("{name}: never opens"), percent);
    };
    let check = |name: &str, service: Service, percent| {
        never(name, service, 80);
        let half = Fashion { open_ms: 15_000, cap_ms: 15_000, ..service.breaker };
        outcome(with(service, half)).is_caught(&format!("{name}: half the time"), percent);
        threshold(service, 10).is_caught(&format!("{name}: opens at the tenth"), percent);
    };
    check("each route", ROUTES, 30);
    check("calls", CALLS, 50);
    check("what a library repeats", Service { repeats: true, ..USUAL }, 30);
    check("a sliding window", windowed(Trips::Within(20_000), QUIET), 50);
    // Of these only a budget is certain, or twice the failures.
    never("two instances", TWO, 80);
    never("a tumbling window", windowed(Trips::Tumbling(20_000), QUIET), 20);
}

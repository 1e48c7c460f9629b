//! Whatever its fashion, a sound breaker is back in time after an outage, and a broken one is caught.

use super::circuit::{Fashion, Probes, SOUND, Trips};
use super::{Service, USUAL, Weather, declared};
use crate::models::{Tally, judged};
use crate::plan::{BreakerCounting, BreakerScope};

/// Few come after the heal, so that no limiter would be in their way, and there is time for the longest
/// open time.
const SLOW: Service = Service {
    pause_ms: 2_000,
    unclear: 1,
    flaky: 1,
    weather: Weather { fine: 20_000, out: 20_000, heal: 120_000, end: 330_000 },
    ..USUAL
};

fn outcome(service: Service, probes: usize) -> Tally {
    judged("breaker-recovers", |random| {
        declared(random, service).declaring(|declared| declared.half_open_probes = probes as u32)
    })
}

fn with(breaker: Fashion) -> Service {
    Service { breaker, ..SLOW }
}

#[test]
fn sound_breakers_are_never_blamed_whatever_their_fashion() {
    let check = |name: &str, service: Service| outcome(service, 1).is_never_blamed(name, 80);
    check("in a row", SLOW);
    check("hears late", with(Fashion { hears_late: true, strict: true, ..SOUND }));
    check("each route", Service { scope: BreakerScope::Route, ..SLOW });
    check("calls", Service { counting: BreakerCounting::Call, attempts: 3, ..SLOW });
    check("two instances", Service { instances: 2, pause_ms: 4_000, ..SLOW });
    check("what a library repeats", Service { repeats: true, ..SLOW });
    check("growing open time", with(Fashion { growth: 200, cap_ms: 90_000, ..SOUND }));
    check("a sliding window", with(Fashion { trips: Trips::Within(20_000), ..SOUND }));
    check("a tumbling window", with(Fashion { trips: Trips::Tumbling(20_000), ..SOUND }));
    for percent in [50, 100] {
        let trips = Trips::Ratio { percent, within: 20_000 };
        check(&format!("{percent} % of them"), with(Fashion { trips, ..SOUND }));
    }
    for judges in [Probes::Each, Probes::All, Probes::Share] {
        let three = with(Fashion { probes: 3, judges, ..SOUND });
        outcome(three, 3).is_never_blamed(&format!("three probes, {judges:?}"), 80);
    }
}

#[test]
fn broken_breakers_are_caught() {
    let check = |name: &str, broken: Fashion| outcome(with(broken), 1).is_caught(name, 90);
    check("never closes", Fashion { never_closes: true, ..SOUND });
    check("never probes", Fashion { probes: 0, ..SOUND });
    check("open for ever", Fashion { open_ms: 1_000_000, cap_ms: 1_000_000, ..SOUND });
    // What was declared not to grow.
    let grows = with(Fashion { growth: 400, cap_ms: 480_000, ..SOUND });
    let undeclared = judged("breaker-recovers", |random| {
        declared(random, grows).declaring(|declared| declared.breaker_open_factor_milli = 1_000)
    });
    undeclared.is_caught("an open time that grows, undeclared", 50);
}

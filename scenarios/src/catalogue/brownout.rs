//! Linktree half works: slow, flaky and cut answers, lost click receipts, and reads that stall.

use super::parts::{
    CLICKS, PAGE_READS, Timeline, group, in_turn, pages, pages_and_clicks, profiles_of, routes,
    rule, share, status, zipf,
};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{
    Fault, Latency, LoseAnswer, Pick, Reset, ResetAt, Rule, Stall, StallAt, Truncate, Window,
};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "brownout",
    summary: "Linktree half works: slow, flaky and cut answers, lost receipts, stalled reads",
    tags: &["errors", "timeouts", "retries", "clicks"],
    guarantees: &[
        "profile-timeout",
        "clicks-counted-once",
        "latency-metrics",
        "no-pii-in-logs",
        "no-secret-leaked",
        "bearer-header-only",
        "json-headers",
        "base-url",
    ],
    build,
};

/// Few, so that the stalled reads find room under the cap.
const CREATORS: u32 = 8;
/// Creators whose profile read stalls the first time: (group, where).
const STALLS: [(&str, StallAt); 3] = [
    ("silent", StallAt::BeforeHead),
    ("headonly", StallAt::BeforeBody),
    ("trickle", StallAt::Trickle { every_ms: 200 }),
];

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_500);
    timeline.phase(PhaseKind::Control, "an ordinary day", settings.stretch(1_500));
    // Room for six timeouts of 10 s in each stalled stream, with a retry after each.
    let storm_ms = settings.stretch(9_000).max(settings.contract(90_000));
    let storm = timeline.phase(PhaseKind::Storm, "half broken", storm_ms);
    let heal = timeline.phase(PhaseKind::Heal, "all is well again", 1_500);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
    let mut groups = vec![group("page", CREATORS)];
    groups.extend(STALLS.map(|(prefix, _)| group(prefix, 6)));
    let mut traffic = vec![Traffic {
        id: "visitors".into(),
        from_ms: warmup.from_ms,
        until_ms: heal.until_ms,
        pace: Pace::Open { shape: Shape::Steady { rate: 60 } },
        creators: zipf("page", 1_100),
        does: pages_and_clicks(150),
    }];
    traffic.extend(STALLS.map(|(prefix, _)| Traffic {
        id: format!("{prefix}-reader"),
        from_ms: storm.from_ms,
        // The last call has its timeout inside the storm.
        until_ms: storm.until_ms - settings.contract(15_000),
        pace: Pace::Sequential { calls: 40, gap_ms: settings.contract(2_000) },
        creators: in_turn(prefix),
        does: pages(),
    }));
    Plan {
        population: Population { groups },
        traffic,
        faults: half_broken(storm),
        generator: settings.generator(300),
        ..INFO.skeleton(settings, timeline)
    }
}

/// Of the rules that hit a request the first one wins (latency adds up), so the rare come first.
/// Together they fail about a quarter, which seldom makes five failures in a row.
fn half_broken(storm: Window) -> Vec<Rule> {
    let stall = |(prefix, at)| {
        let fault = Fault::Stall(Stall { at });
        let first = Pick::Nth { from: 0, until: 1 };
        rule(&format!("stall-{prefix}"), storm, profiles_of(prefix), first, fault)
    };
    let mut rules: Vec<Rule> = STALLS.map(stall).into();
    let slow = Latency::Lognormal { median_ms: 60, sigma_milli: 900, max_ms: 800 };
    let cut = Fault::Truncate(Truncate { percent: 60 });
    let all = [PAGE_READS, CLICKS].concat();
    rules.extend([
        rule("slow", storm, routes(&all), Pick::All, Fault::Latency(slow)),
        rule(
            "lost-receipt",
            storm,
            routes(&CLICKS),
            share(3, 20),
            Fault::LoseAnswer(LoseAnswer {}),
        ),
        rule("reset", storm, routes(&PAGE_READS), share(1, 25), reset(ResetAt::MidBody)),
        rule("cut", storm, routes(&PAGE_READS), share(1, 25), cut),
        rule("flaky", storm, routes(&all), share(1, 5), status(&[500, 502, 503])),
    ]);
    rules
}

const fn reset(at: ResetAt) -> Fault {
    Fault::Reset(Reset { at })
}

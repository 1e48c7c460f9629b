//! Linktree half works: slow, flaky and cut answers, lost click receipts, and reads that stall.

use super::parts::{
    CLICKS, PAGE_READS, Timeline, first_profile_read, group, in_turn, pages, pages_and_clicks,
    routes, rule, share, status, zipf,
};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{
    Bandwidth, Fault, Latency, LoseAnswer, Matcher, Pick, Reset, ResetAt, Rule, Stall, StallAt,
    Truncate, Window,
};
use mock_server::world::population::{Group, Population};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "brownout",
    summary: "Linktree half works: slow, flaky and cut answers, lost receipts, stalled reads",
    tags: &["errors", "timeouts", "retries", "clicks"],
    guarantees: &[
        "profile-timeout",
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
/// Creators whose answers come over a narrow line: a list of links is whole within a second, and most
/// of that is body.
const NARROW: u32 = 40;
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
    // Room for six timeouts of 10 s in each stream, with a retry after each. Nothing else fails then,
    // or the breaker would open and hide them.
    let stalls_ms = settings.stretch(11_000);
    let stalls = timeline.phase(PhaseKind::Storm, "reads stall", stalls_ms);
    let storm_ms = settings.stretch(10_000);
    let storm = timeline.phase(PhaseKind::Storm, "half broken", storm_ms);
    let narrow_ms = settings.stretch(7_000);
    let narrow = timeline.phase(PhaseKind::Storm, "answers take long in the body", narrow_ms);
    let heal = timeline.phase(PhaseKind::Heal, "all is well again", 1_500);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
    let mut groups = vec![group("page", CREATORS)];
    groups.extend(STALLS.map(|(prefix, _)| group(prefix, 10)));
    groups.push(Group { min_links: 6, max_links: 6, ..group("narrow", NARROW) });
    let mut traffic = vec![Traffic {
        id: "visitors".into(),
        from_ms: warmup.from_ms,
        until_ms: heal.until_ms,
        pace: Pace::Open { shape: Shape::Steady { rate: 60 } },
        creators: zipf("page", 1_100),
        does: pages_and_clicks(settings.share(150)),
    }];
    traffic.extend(STALLS.map(|(prefix, _)| Traffic {
        id: format!("{prefix}-reader"),
        from_ms: stalls.from_ms,
        // The last call has its timeout while reads stall.
        until_ms: stalls.until_ms - settings.contract(15_000),
        pace: Pace::Sequential { calls: 10, gap_ms: settings.contract(3_000) },
        creators: in_turn(prefix),
        does: pages(),
    }));
    traffic.push(Traffic {
        id: "narrow-readers".into(),
        from_ms: narrow.from_ms,
        until_ms: narrow.until_ms - 1_500,
        pace: Pace::Open { shape: Shape::Steady { rate: 4 } },
        creators: in_turn("narrow"),
        does: pages(),
    });
    let mut faults: Vec<Rule> =
        STALLS.map(|(prefix, at)| first_profile_read(prefix, stalls, stall(at))).into();
    faults.extend(half_broken(storm));
    let slow = Matcher { handle: Some("narrow-*".into()), ..routes(&PAGE_READS) };
    let bandwidth = Fault::Bandwidth(Bandwidth { bytes_per_s: 2_500 });
    faults.push(rule("narrow", narrow, slow, Pick::All, bandwidth));
    Plan {
        population: Population { groups },
        traffic,
        faults,
        generator: settings.generator(300),
        ..INFO.skeleton(settings, timeline)
    }
}

/// Of the rules that hit a request the first one wins (latency adds up), so the rare come first.
/// Together they fail about a quarter, which seldom makes five failures in a row.
fn half_broken(storm: Window) -> Vec<Rule> {
    let slow = Latency::Lognormal { median_ms: 60, sigma_milli: 900, max_ms: 800 };
    let cut = Fault::Truncate(Truncate { percent: 60 });
    let all = [PAGE_READS, CLICKS].concat();
    vec![
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
    ]
}

const fn reset(at: ResetAt) -> Fault {
    Fault::Reset(Reset { at })
}

const fn stall(at: StallAt) -> Fault {
    Fault::Stall(Stall { at })
}

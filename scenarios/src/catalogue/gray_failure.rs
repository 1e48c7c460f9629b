//! Linktree is slow, and not down: answers take nearly the time limit, some longer than it, some have a long
//! tail, and at last all of them come too late.
//!
//! A service whose limits are too short makes an outage of the first of these; one that has visitors wait in
//! the place of those whose pages are at hand does so with limits that are right.

use super::parts::{
    PAGE_READS, Timeline, everything, first_profile_read, group, in_turn, pages, pages_and_clicks,
    routes, rule, zipf,
};
use super::{NIGHT, ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{Fault, Latency, Pick, Rule, Stall, StallAt, Window};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "gray-failure",
    summary: "Linktree is slow and not down: answers take nearly the limit, or longer, or have a long tail",
    tags: &["timeouts", "breaker", "stale", "load", NIGHT],
    guarantees: &["pages-served", "profile-timeout", "breaker-opens", "breaker-recovers"],
    build,
};

/// So few that the limiter has room for each.
const CREATORS: u32 = 8;
/// Visitors of these a second.
const RATE: u32 = 50;
/// Of a thousand of them so many click.
const CLICKS_PER_MILLE: u32 = 100;
/// Below the limit of 10 s by more than timers of a busy machine are late; contract time.
const NEARLY_MS: [u64; 2] = [6_000, 8_000];
/// Above it, by so much that whoever has waited for it is found out; contract time.
const LATE_MS: u64 = 16_000;
/// Visitors at a time who wait for pages that nobody has visited before, each for pages of its own.
const STRANGERS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
/// Pages for each of them.
const PAGES_OF_EACH: u32 = 5;
/// From one of these pages to the next; contract time.
const GAP_MS: u64 = 6_000;
/// Visitors a second of pages that are new when answers become slow.
const ASKED_RATE: u32 = 6;
/// Where the first read of a profile stalls: (whose, where); that of the last one comes, but late.
const STALLS: [(&str, StallAt); 3] = [
    ("silent", StallAt::BeforeHead),
    ("headonly", StallAt::BeforeBody),
    ("trickle", StallAt::Trickle { every_ms: 200 }),
];
const LATE: &str = "late";
/// How many reads stall in each way.
const STALLED: u32 = 5;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, ms);
    let warmup = phase(PhaseKind::Warmup, "pages are filled", 1_500);
    phase(PhaseKind::Control, "an ordinary day", settings.stretch(2_000));
    let nearly =
        phase(PhaseKind::Storm, "answers take nearly the time limit", settings.stretch(9_000));
    let longer = phase(PhaseKind::Storm, "some take longer than it", settings.stretch(9_500));
    let tails = phase(PhaseKind::Storm, "answers have a long tail", settings.stretch(5_000));
    // A timeout, an open time, and a probe that has its timeout as well; and longer than `max-age`.
    let outage_ms = settings.contract(75_000) + settings.longer_open_ms();
    let outage = phase(PhaseKind::Outage, "all answers come too late", outage_ms);
    // The breaker may have opened just before the end, then recovery may take 15 s, and pages expire anew.
    let recovery_ms = settings.contract(30_000 + 15_000) + settings.longer_open_ms();
    let heal_ms = recovery_ms + settings.stretch(6_000);
    let heal = phase(PhaseKind::Heal, "answers are quick again", heal_ms);
    phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
    let mut groups = vec![group("page", CREATORS), group("asked", 2)];
    groups.extend(STRANGERS.map(|whose| group(whose, PAGES_OF_EACH)));
    groups.extend(stalling(settings).map(|(whose, _)| group(whose, STALLED)));
    let mut traffic = vec![
        Traffic {
            creators: zipf("page", 900),
            does: pages_and_clicks(settings.share(CLICKS_PER_MILLE)),
            ..steady("visitors", "page", RATE, Window { from_ms: warmup.from_ms, ..heal })
        },
        steady("asked", "asked", ASKED_RATE, nearly),
    ];
    for (when, window) in [("slow", nearly), ("silent", outage)] {
        traffic.extend(STRANGERS.map(|whose| {
            one_by_one(&format!("{when}-{whose}"), whose, (PAGES_OF_EACH, GAP_MS), settings, window)
        }));
    }
    // One after the other, so that each retry comes before the next failure, and no breaker opens.
    let read = |(nth, (whose, _)): (usize, (&str, Fault))| {
        let from_ms = longer.from_ms + settings.contract(2_500) * nth as u64;
        // The last call has its timeout while reads stall.
        let window = Window { from_ms, until_ms: longer.until_ms - settings.contract(15_000) };
        one_by_one(&format!("{whose}-reader"), whose, (STALLED, 3_000), settings, window)
    };
    traffic.extend(stalling(settings).into_iter().enumerate().map(read));
    let mut plan = Plan {
        population: Population { groups },
        traffic,
        faults: slow_rules(settings, [nearly, longer, tails, outage]),
        generator: settings.generator(settings.users(600, RATE)),
        ..INFO.skeleton(settings, timeline)
    };
    // How many wait for a silent Linktree is left to chance: a click may be the probe.
    plan.watches.push("stale-on-outage".to_owned());
    plan
}

/// So many visitors a second, of one page after the other.
fn steady(id: &str, group: &str, rate: u32, window: Window) -> Traffic {
    Traffic {
        id: id.into(),
        from_ms: window.from_ms,
        until_ms: window.until_ms,
        pace: Pace::Open { shape: Shape::Steady { rate } },
        creators: in_turn(group),
        does: pages(),
    }
}

/// So many visitors, one after the other, so long apart.
fn one_by_one(
    id: &str,
    group: &str,
    (calls, gap_ms): (u32, u64),
    settings: &Settings,
    window: Window,
) -> Traffic {
    let pace = Pace::Sequential { calls, gap_ms: settings.contract(gap_ms) };
    Traffic { pace, ..steady(id, group, 0, window) }
}

/// Whose first read takes longer than it may, and how.
fn stalling(settings: &Settings) -> [(&'static str, Fault); 4] {
    let [a, b, c] = STALLS.map(|(whose, at)| (whose, Fault::Stall(Stall { at })));
    let late = Latency::Constant { ms: settings.contract(LATE_MS) };
    [a, b, c, (LATE, Fault::Latency(late))]
}

fn slow_rules(settings: &Settings, [nearly, longer, tails, outage]: [Window; 4]) -> Vec<Rule> {
    let reads =
        |id, window, how| rule(id, window, routes(&PAGE_READS), Pick::All, Fault::Latency(how));
    let [min_ms, max_ms] = NEARLY_MS.map(|ms| settings.contract(ms));
    // One in twelve takes ten times as long as most, and one in twenty-seven is given up.
    let tail = Latency::LongTail {
        min_ms: settings.contract(500),
        alpha_milli: 1_100,
        max_ms: settings.contract(20_000),
    };
    let mut rules: Vec<Rule> =
        stalling(settings).map(|(whose, how)| first_profile_read(whose, longer, how)).into();
    rules.extend([
        reads("nearly", nearly, Latency::Uniform { min_ms, max_ms }),
        reads("tail", tails, tail),
        rule(
            "too-late",
            outage,
            everything(),
            Pick::All,
            Fault::Stall(Stall { at: StallAt::BeforeHead }),
        ),
    ]);
    rules
}

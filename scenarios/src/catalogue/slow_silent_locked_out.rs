//! Linktree refuses the key, then does not answer some calls, then answers many of them slowly: which alert
//! fires, and which must not.
//!
//! While the key is refused no call times out, and when calls hang in a row the last refusal is long ago: each
//! has the stage for itself. At first one call in thirty hangs, so that whoever looks at the slowest calls is
//! alarmed too early; then one in three is slow, which those do not see who look at the mean or count pages
//! that needed no call. Lengths follow from windows of five minutes. Nothing fails five times in a row, and
//! never are so many calls made that a service might hold back some.

use super::parts::{
    PAGE_READS, Timeline, group, in_turn, pages, profiles_of, routes, rule, status,
};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::contract::Route;
use mock_server::faults::{Bandwidth, Fault, Latency, Matcher, Pick, Rule, Stall, StallAt, Window};
use mock_server::world::population::{Group, Population};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "slow-silent-locked-out",
    summary: "The key is refused, some calls hang, many are slow: which alert fires, and which must not",
    tags: &["alerts", "timeouts", "keys"],
    guarantees: &["latency-metrics", "timeout-not-auth"],
    build,
};

/// At a larger one calls would end, by their own time limit, before they are too slow.
const LARGEST_SCALE: u32 = 10;
/// Visitors of one cached page a second; real time. Those who count them see no slow call.
const VIRAL_RATE: u32 = 50;
/// Visitors of pages that nobody has visited, one after the other, before and while many calls are slow.
const FRESH: (u32, u64) = (100, 5_400);
const LATER: (u32, u64) = (10, 30_000);
/// When they begin to come: others have filled pages by then.
const FRESH_FROM_MS: u64 = 60_000;
/// The first reads of so many profiles, and of so many lists of links, hang, one every so often: few enough
/// that of each route one in twenty does not, and not before a window has held a hundred calls for as long as
/// an alert on fewer may be founded on; then more.
const SILENT: ([u32; 2], u64) = ([3, 1], 14_000);
const SILENT_FROM_MS: u64 = 150_000;
const SILENT_AGAIN: ([u32; 2], u64) = ([3, 3], 20_000);
/// What hangs.
const WHAT: [(&str, Route); 2] = [("profile", Route::Profile), ("links", Route::ProfileLinks)];
/// A slow call takes so long; real time, like the bound of its alert, but no longer than that leaves it
/// enough to its time limit of ten seconds.
const SLOW_MS: u64 = 1_500;
const SLOW_CONTRACT_MS: u64 = 8_500;
/// So many visitors at once keep asking for pages that are slow, each every so often.
const SLOW_STREAMS: u32 = 4;
const SLOW_PAGES: u32 = 10;
const SLOW_EVERY_MS: u64 = 24_000;
/// Creators whose lists of links come over a narrow line.
const NARROW: u32 = 18;
/// Reads that the key is too little for, it seems.
const LOCKED: u32 = 9;

fn build(settings: &Settings) -> Plan {
    let settings = &settings.at_most(LARGEST_SCALE);
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, settings.contract(ms));
    let control = phase(PhaseKind::Control, "an ordinary day", 20_000);
    let locked = phase(PhaseKind::Storm, "the key is refused", 120_000);
    let silent = phase(PhaseKind::Storm, "one call in thirty hangs", 270_000);
    let slow = phase(PhaseKind::Storm, "one call in three is slow", 160_000);
    let heal = phase(PhaseKind::Heal, "all is well again", 15_000);
    timeline.phase(PhaseKind::Settle, "nobody comes", settings.settle_ms(false));
    let one_by_one = |id: &str, group: &str, calls, window: Window, gap_ms| Traffic {
        id: id.into(),
        from_ms: window.from_ms,
        until_ms: window.until_ms,
        pace: Pace::Sequential { calls, gap_ms: settings.contract(gap_ms) },
        creators: in_turn(group),
        does: pages(),
    };
    let from_ms = settings.contract(FRESH_FROM_MS);
    let before = Window { from_ms, until_ms: silent.until_ms };
    let after = Window { from_ms: slow.from_ms, until_ms: heal.until_ms };
    let mut traffic = vec![
        Traffic {
            id: "viral".into(),
            from_ms: control.from_ms,
            until_ms: heal.until_ms,
            pace: Pace::Open { shape: Shape::Steady { rate: VIRAL_RATE } },
            creators: in_turn("viral"),
            does: pages(),
        },
        one_by_one("first-visitors", "fresh", FRESH.0, before, FRESH.1),
        one_by_one("later-visitors", "later", LATER.0, after, LATER.1),
        one_by_one("narrow-readers", "narrow", NARROW, slow, 5_000),
        one_by_one("locked-out", "locked", LOCKED, locked, 10_000),
    ];
    let hang = Window { from_ms: silent.from_ms + settings.contract(SILENT_FROM_MS), ..silent };
    for (prefix, window, (calls, gap_ms)) in [("mute", hang, SILENT), ("mum", slow, SILENT_AGAIN)] {
        for (nth, (what, _)) in WHAT.into_iter().enumerate() {
            let whose = format!("{prefix}-{what}");
            let from_ms = window.from_ms + settings.contract(20_000) * nth as u64;
            let (window, id) = (Window { from_ms, ..window }, format!("{whose}-reader"));
            traffic.push(one_by_one(&id, &whose, calls[nth], window, gap_ms));
        }
    }
    for nth in 0..SLOW_STREAMS {
        let whose = format!("slow{nth}");
        // Two calls, one after the other or both at once.
        let visit = slow_ms(settings) * 3 / 2;
        let gap_ms = settings.contract(SLOW_EVERY_MS).saturating_sub(visit);
        let reader = one_by_one(&format!("{whose}-reader"), &whose, SLOW_PAGES, slow, 0);
        let from_ms = slow.from_ms + settings.contract(SLOW_EVERY_MS / 4) * u64::from(nth);
        traffic.push(Traffic {
            from_ms,
            pace: Pace::Sequential { calls: SLOW_PAGES, gap_ms },
            ..reader
        });
    }
    Plan {
        population: Population { groups: groups() },
        traffic,
        faults: faults(settings, [locked, silent, slow]),
        generator: settings.generator(60),
        ..INFO.skeleton(settings, timeline)
    }
}

fn groups() -> Vec<Group> {
    let mut groups = vec![
        group("viral", 1),
        group("fresh", FRESH.0),
        group("later", LATER.0),
        Group { min_links: 6, max_links: 6, ..group("narrow", NARROW) },
        group("locked", LOCKED),
    ];
    for (prefix, counts) in [("mute", SILENT.0), ("mum", SILENT_AGAIN.0)] {
        let of_each = WHAT.into_iter().zip(counts);
        groups.extend(of_each.map(|((what, _), count)| group(&format!("{prefix}-{what}"), count)));
    }
    groups.extend((0..SLOW_STREAMS).map(|nth| group(&format!("slow{nth}"), SLOW_PAGES)));
    groups
}

/// How long a slow call takes.
fn slow_ms(settings: &Settings) -> u64 {
    SLOW_MS.min(settings.contract(SLOW_CONTRACT_MS))
}

fn faults(settings: &Settings, [locked, silent, slow]: [Window; 3]) -> Vec<Rule> {
    let reads = |prefix: &str, routes_of: &[Route]| Matcher {
        handle: Some(format!("{prefix}*")),
        ..routes(routes_of)
    };
    let stall = Fault::Stall(Stall { at: StallAt::BeforeHead });
    let (first, mut faults) = (Pick::Nth { from: 0, until: 1 }, Vec::new());
    for (prefix, window) in [("mute", silent), ("mum", slow)] {
        for (what, route) in WHAT {
            let whose = format!("{prefix}-{what}");
            let (id, matcher) = (format!("{whose}-hangs"), reads(&whose, &[route]));
            faults.push(rule(&id, window, matcher, first, stall.clone()));
        }
    }
    let late = Fault::Latency(Latency::Constant { ms: slow_ms(settings) });
    let bandwidth = Fault::Bandwidth(Bandwidth { bytes_per_s: 2_500 });
    let lists = reads("narrow", &[Route::ProfileLinks]);
    faults.extend([
        rule("slow", slow, reads("slow", &PAGE_READS), Pick::All, late),
        rule("narrow", slow, lists, Pick::All, bandwidth),
        rule("key-refused", locked, profiles_of("locked"), Pick::All, status(&[401])),
    ]);
    faults
}

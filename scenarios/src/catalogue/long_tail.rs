//! More creators than a small cache keeps are visited, then an outage: each page is still there.

use super::parts::{Timeline, everything, group, in_turn, pages, rule, status, zipf};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::Pick;
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "long-tail",
    summary: "More creators than a small cache keeps are visited, then Linktree is gone for a while",
    tags: &["outage", "stale", "cache"],
    guarantees: &["stale-on-outage"],
    build,
};

/// Caches that nobody sized keep 100 or 128 entries.
const TAIL: u32 = 160;
/// Creators who have visitors all the time, so that somebody's page is due after the heal.
const REGULARS: u32 = 8;
/// Visitors of those a second.
const RATE: u32 = 40;
/// What a page takes to be filled, at the most; real time.
const FILL_MS: u64 = 25;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    // Two calls for a page leave room in the limit for the crowd.
    let gap_ms = settings.contract(2_500);
    let fill_ms = u64::from(TAIL) * (gap_ms + FILL_MS);
    let fill = timeline.phase(PhaseKind::Warmup, "a long tail of pages is filled", fill_ms);
    // A limit window, so that none of the fills takes room from the regulars' calls.
    let control_ms = settings.stretch(6_000);
    let control = timeline.phase(PhaseKind::Control, "an ordinary day", control_ms);
    // Longer than an open time, so that a probe fails as well.
    let outage_ms = settings.contract(50_000).max(5_000);
    let outage = timeline.phase(PhaseKind::Outage, "Linktree is gone", outage_ms);
    // The breaker may have opened just before the end, recovery takes a while, and so does a page.
    let heal_ms = settings.contract(60_000) + settings.longer_open_ms() + 1_500;
    let heal = timeline.phase(PhaseKind::Heal, "Linktree is back", heal_ms);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
    // Half as many again as there are pages: visitors come by chance, and nobody may be left out.
    let rate = u64::from(TAIL) * 1_500 / outage_ms + 1;
    Plan {
        population: Population { groups: vec![group("page", REGULARS), group("tail", TAIL)] },
        traffic: vec![
            Traffic {
                id: "first-visitors".into(),
                from_ms: fill.from_ms,
                until_ms: fill.until_ms,
                pace: Pace::Sequential { calls: TAIL, gap_ms },
                creators: in_turn("tail"),
                does: pages(),
            },
            Traffic {
                id: "regulars".into(),
                from_ms: control.from_ms,
                until_ms: heal.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
                creators: zipf("page", 900),
                does: pages(),
            },
            // Everybody again, one as often as the other: whoever was let go to make room is missed.
            Traffic {
                id: "long-tail".into(),
                from_ms: outage.from_ms,
                until_ms: outage.until_ms,
                pace: Pace::Open {
                    shape: Shape::Steady { rate: u32::try_from(rate).unwrap_or(u32::MAX) },
                },
                creators: in_turn("tail"),
                does: pages(),
            },
        ],
        // Answered at once: how reads that wait for hanging calls fare is shown by another outage.
        faults: vec![rule("unavailable", outage, everything(), Pick::All, status(&[503]))],
        generator: settings.generator(200),
        ..INFO.skeleton(settings, timeline)
    }
}

//! A creator goes viral: fifty times the visitors within a second, on pages mostly never fetched.

use super::parts::{PAGE_READS, Timeline, group, in_turn, pages_and_clicks, routes, rule, zipf};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{Fault, Latency, Pick};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "viral-spike",
    summary: "A creator goes viral: fifty times the visitors within a second, many pages cold",
    tags: &["critical", "load", "rate-limit", "cache", "clicks"],
    guarantees: &[
        "client-rate-cap",
        "hard-limit",
        "pages-served",
        "cache-hit-ratio",
        "bearer-header-only",
        "json-headers",
    ],
    build,
};

/// With exponent 1.5 one creator gets 40 % of the visitors, and the tail still asks for more than
/// 180 different cold pages in a limit window: twice what the limit would let through.
const CREATORS: u32 = 400;
const BASELINE: u32 = 24;
const FACTOR: u32 = 50;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "first pages are filled", 1_500);
    let control = timeline.phase(PhaseKind::Control, "an ordinary day", settings.stretch(2_000));
    // Twice `max-age`: the page that goes viral expires while everybody looks at it, and once more
    // when the limit window has let go of the first cold pages.
    let hold_ms = settings.stretch(8_000);
    let storm = timeline.phase(PhaseKind::Storm, "the spike", hold_ms + 2_300);
    let heal = timeline.phase(PhaseKind::Heal, "the crowd is gone", 1_500);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
    Plan {
        population: Population { groups: vec![group("home", 12), group("page", CREATORS)] },
        traffic: vec![
            Traffic {
                id: "regulars".into(),
                from_ms: warmup.from_ms,
                until_ms: control.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: BASELINE } },
                creators: in_turn("home"),
                does: pages_and_clicks(settings.share(50)),
            },
            Traffic {
                id: "crowd".into(),
                from_ms: storm.from_ms,
                until_ms: heal.until_ms,
                pace: Pace::Open {
                    shape: Shape::Spike {
                        baseline: BASELINE,
                        factor: FACTOR,
                        at_ms: 0,
                        rise_ms: 300,
                        hold_ms,
                        decay_ms: 500,
                    },
                },
                creators: zipf("page", 1_500),
                does: pages_and_clicks(settings.share(50)),
            },
        ],
        // A fill takes so long that many visitors come before its end.
        faults: vec![rule(
            "busy",
            storm,
            routes(&PAGE_READS),
            Pick::All,
            Fault::Latency(Latency::Uniform { min_ms: 100, max_ms: 200 }),
        )],
        generator: settings.generator(1_500),
        // In true time what others measure is ten times as long, and there is room for both.
        exclusive: settings.time_scale > 1,
        ..INFO.skeleton(settings, timeline)
    }
}

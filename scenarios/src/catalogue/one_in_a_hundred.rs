//! One call in a hundred fails, and then more of them: what an alert on errors must sleep through, and what
//! it must not.
//!
//! Most visitors come for a page that is cached, and few of them need a call: whoever divides by visitors
//! sees no failure rate at all. Calls take a while, so that none of the pages that fail is asked for five
//! times in a row, which would open the breaker.

use super::parts::{
    PAGE_READS, Timeline, group, in_turn, pages, profiles_of, routes, rule, status,
};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{Fault, Latency, Pick, Window};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "one-in-a-hundred",
    summary: "One call in a hundred fails, and then more: when an alert on errors must fire",
    tags: &["alerts", "errors"],
    guarantees: &["error-rate-alert"],
    build,
};

/// A page that nobody has visited needs two calls; one every 425 ms of the quick profile, and the calls
/// that others need, are 210 in the five minutes of the error rate. More would come near the limit, where a
/// service may refuse calls by itself.
const GAP_MS: u64 = 3_400;
const FRESH: u32 = 160;
/// Visitors of one cached page a second; real time.
const VIRAL_RATE: u32 = 100;
/// A call takes so long.
const LATENCY_MS: u64 = 400;
/// Pages that fail whatever is tried: with five attempts each about a tenth of all attempts fail, and of all
/// requests more than a hundredth, also for whoever misses the first of them.
const BROKEN: u32 = 5;

/// Pages whose first call fails: two of them would be about one call in a hundred, which may alert or not.
const FAILURES: u32 = 1;
/// So long after the slow calls began that one failure is fewer than nine in a thousand calls.
const FAILS_AT_MS: u64 = 205_000;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, settings.contract(ms));
    let control = phase(PhaseKind::Control, "an ordinary day", 20_000);
    let few = phase(PhaseKind::Storm, "one call in a hundred fails", FAILS_AT_MS + 70_000);
    let many = phase(PhaseKind::Storm, "some pages fail whatever is tried", 110_000);
    let heal = phase(PhaseKind::Heal, "all is well again", 10_000);
    timeline.phase(PhaseKind::Settle, "nobody comes", settings.settle_ms(false));
    let one_by_one = |id: &str, group: &str, calls, window: Window, gap_ms| Traffic {
        id: id.into(),
        from_ms: window.from_ms,
        until_ms: window.until_ms,
        pace: Pace::Sequential { calls, gap_ms: settings.contract(gap_ms) },
        creators: in_turn(group),
        does: pages(),
    };
    let all = Window { from_ms: control.from_ms, until_ms: heal.until_ms };
    // Whoever comes first fills the pages of all others: these come after them.
    let rest = Window { from_ms: few.from_ms, ..all };
    let late = Window { from_ms: few.from_ms + settings.contract(FAILS_AT_MS), ..few };
    let storm = Window { until_ms: many.until_ms, ..few };
    let slow = Fault::Latency(Latency::Constant { ms: settings.contract(LATENCY_MS) });
    Plan {
        population: Population {
            groups: vec![
                group("viral", 1),
                group("fresh", FRESH),
                group("once", FAILURES),
                group("broken", BROKEN),
            ],
        },
        traffic: vec![
            Traffic {
                id: "viral".into(),
                from_ms: all.from_ms,
                until_ms: all.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: VIRAL_RATE } },
                creators: in_turn("viral"),
                does: pages(),
            },
            one_by_one("first-visitors", "fresh", FRESH, rest, GAP_MS),
            one_by_one("unlucky", "once", FAILURES, late, 500),
            one_by_one("hopeless", "broken", BROKEN, many, 12_000),
        ],
        faults: vec![
            rule("slow", storm, routes(&PAGE_READS), Pick::All, slow),
            rule(
                "fails-once",
                few,
                profiles_of("once"),
                Pick::Nth { from: 0, until: 1 },
                status(&[500]),
            ),
            rule("fails-always", many, profiles_of("broken"), Pick::All, status(&[500])),
        ],
        generator: settings.generator(20),
        ..INFO.skeleton(settings, timeline)
    }
}

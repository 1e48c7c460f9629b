//! An ordinary day: steady visitors on a few creators, nothing fails.

use super::parts::{Timeline, group, in_turn, pages, pages_and_clicks, zipf};
use super::{ScenarioInfo, Settings};
use crate::plan::{KeyPlan, Pace, PhaseKind, Plan, Shape, Step, Traffic};
use crate::traffic::actions::Action;
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "steady-state",
    summary: "An ordinary day: steady visitors on a few creators, nothing fails",
    tags: &["baseline", "cache", "clicks"],
    guarantees: &[
        "pages-served",
        "cache-hit-ratio",
        "key-from-vault",
        "no-pii-in-logs",
        "no-secret-leaked",
        "bearer-header-only",
        "json-headers",
        "base-url",
        "cors-allowlist",
    ],
    build,
};

/// Sixteen creators need 32 reads each `max-age` of 40 s, which the limit allows and which is a tenth
/// of the page views; the most visited one is read far more often.
const CREATORS: u32 = 16;
const RATE: u32 = 75;
/// In six seconds thirteen origins ask four things each.
const ASKING: u32 = 10;
/// Nearly the ninety of which an alert tells.
const KEY_DAYS: u32 = 80;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_500);
    let control = timeline.phase(PhaseKind::Control, "an ordinary day", settings.stretch(6_000));
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
    let mut plan = Plan {
        population: Population { groups: vec![group("page", CREATORS)] },
        traffic: vec![
            Traffic {
                id: "first-visitors".into(),
                from_ms: warmup.from_ms,
                until_ms: warmup.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: 60 } },
                creators: in_turn("page"),
                does: pages(),
            },
            Traffic {
                id: "visitors".into(),
                from_ms: control.from_ms,
                until_ms: control.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
                creators: zipf("page", 1_100),
                does: pages_and_clicks(settings.share(100)),
            },
            Traffic {
                id: "other-origins".into(),
                from_ms: control.from_ms,
                until_ms: control.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: ASKING } },
                creators: in_turn("page"),
                does: vec![Step::always(Action::Cross)],
            },
        ],
        key: KeyPlan { age_days: Some(KEY_DAYS), ..KeyPlan::default() },
        generator: settings.generator(300),
        ..INFO.skeleton(settings, timeline)
    };
    // Nothing fails here, nobody starts twice, and the key is not old yet: too little to decide, and enough
    // to be violated.
    plan.watches.extend(["webhook-registered", "key-rotation"].map(str::to_owned));
    plan
}

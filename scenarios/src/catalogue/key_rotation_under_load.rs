//! The key is rotated while visitors keep coming: once with time to pick the new one up, once without.

use super::one_by_one::calls;
use super::parts::{Timeline, group, in_turn, pages, pages_and_clicks};
use super::{ScenarioInfo, Settings};
use crate::plan::{KeyPlan, Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::Window;
use mock_server::world::population::Population;
use mock_server::world::{TimedEvent, WorldEvent};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "key-rotation-under-load",
    summary: "A key of 91 days is rotated under traffic, then the new one is revoked at once",
    tags: &["keys", "vault", "clicks"],
    guarantees: &["key-rotation"],
    build,
};

/// Past the 90 days of the checklist.
const AGE_DAYS: u32 = 91;
/// So few that the newcomers find room in the limiter.
const CREATORS: u32 = 6;
/// Page views a second.
const RATE: u32 = 30;
/// Between two pages that nobody has cached; contract time.
const NEWCOMER_GAP_MS: u64 = 5_000;

fn build(settings: &Settings) -> Plan {
    let pickup_ms = settings.contract(settings.declared.key_pickup_ms);
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_500);
    // As many newcomers as show how they are usually answered, and as long as the alert of an old key takes.
    let control_ms = (8 * settings.contract(NEWCOMER_GAP_MS)).max(settings.alerted_ms());
    let control = timeline.phase(PhaseKind::Control, "an ordinary day", control_ms);
    // The overlap leaves time for the pick-up and then some, and after it nobody may use the old key.
    let overlap_ms = pickup_ms + 1_000;
    let turned = timeline.phase(PhaseKind::Storm, "the key is rotated", overlap_ms + 2_000);
    let revoked_ms = pickup_ms + 2_000;
    let revoked = timeline.phase(PhaseKind::Storm, "the new key is revoked at once", revoked_ms);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
    let rotate =
        |at_ms, overlap_ms| TimedEvent { at_ms, event: WorldEvent::RotateKey { overlap_ms } };
    let before = Window { from_ms: control.from_ms, until_ms: revoked.from_ms };
    let newcomers = (before.until_ms - before.from_ms) / settings.contract(NEWCOMER_GAP_MS);
    let newcomers = u32::try_from(newcomers).unwrap_or(u32::MAX).max(1);
    Plan {
        population: Population { groups: vec![group("page", CREATORS), group("new", newcomers)] },
        traffic: vec![
            Traffic {
                id: "first-visitors".into(),
                from_ms: warmup.from_ms,
                until_ms: warmup.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: 20 } },
                creators: in_turn("page"),
                does: pages(),
            },
            Traffic {
                id: "visitors".into(),
                from_ms: control.from_ms,
                until_ms: revoked.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
                creators: in_turn("page"),
                does: pages_and_clicks(settings.share(100)),
            },
            calls("new", newcomers, before, settings.contract(NEWCOMER_GAP_MS)),
        ],
        world: vec![rotate(turned.from_ms + 500, overlap_ms), rotate(revoked.from_ms + 500, 0)],
        key: KeyPlan { age_days: Some(AGE_DAYS), ..KeyPlan::default() },
        generator: settings.generator(120),
        ..INFO.skeleton(settings, timeline)
    }
}

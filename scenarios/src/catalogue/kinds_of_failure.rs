//! Silence, resets and cut answers, each alone: what opens the breaker, and what a failed probe does.
//!
//! Each lasts from the trip through a probe that fails in the same way, and each heals before the next.
//! Errors are the matter of `calibration`.

use super::one_by_one::{
    CALM_CALLS, CALM_PAUSE_MS, GAP_MS, calls, crowd, failing_ms, heal_ms, quiet_ms, rested,
    silent_ms, slowly, total,
};
use super::parts::{Timeline, group};
use super::{ScenarioInfo, Settings};
use crate::plan::{PhaseKind, Plan};
use mock_server::faults::{Fault, Reset, ResetAt, Stall, StallAt, Truncate};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "kinds-of-failure",
    summary: "Silence, resets and cut answers, each alone: what opens the breaker and fails a probe",
    tags: &["critical", "breaker"],
    guarantees: &["breaker-opens", "breaker-recovers"],
    build,
};

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, ms);
    let calm = phase(PhaseKind::Control, "all is well", 1_500 + quiet_ms(settings));
    let (failing_ms, heal_ms) = (failing_ms(settings), heal_ms(settings));
    // Five timeouts with their waits, the open time, and a probe that meets silence.
    let silence = phase(PhaseKind::BreakerProbe, "only silence", silent_ms(settings));
    let last = phase(PhaseKind::Heal, "back after silence", heal_ms);
    let resets = phase(PhaseKind::BreakerProbe, "only resets", failing_ms);
    let joined = phase(PhaseKind::Heal, "back after resets", heal_ms);
    // Which answers have a body is the answers' matter, so that this is called a storm.
    let cuts = phase(PhaseKind::Storm, "only cut answers", failing_ms);
    let whole = phase(PhaseKind::Heal, "back after cut answers", heal_ms);
    Plan {
        population: Population {
            groups: [
                ("calm", CALM_CALLS),
                ("silence", crowd(silence)),
                ("last", 60),
                ("reset", crowd(resets)),
                ("joined", 60),
                ("cut", crowd(cuts)),
                ("whole", 60),
            ]
            .map(|(prefix, count)| group(prefix, count))
            .into(),
        },
        traffic: vec![
            calls("calm", CALM_CALLS, calm, CALM_PAUSE_MS),
            calls("silence", crowd(silence), silence, GAP_MS),
            calls("last", 60, rested(settings, last), slowly(settings)),
            calls("reset", crowd(resets), resets, GAP_MS),
            calls("joined", 60, rested(settings, joined), slowly(settings)),
            calls("cut", crowd(cuts), cuts, GAP_MS),
            calls("whole", 60, rested(settings, whole), slowly(settings)),
        ],
        faults: vec![
            total("only-silence", silence, Fault::Stall(Stall { at: StallAt::BeforeHead })),
            total("only-resets", resets, Fault::Reset(Reset { at: ResetAt::BeforeHead })),
            total("only-cuts", cuts, Fault::Truncate(Truncate { percent: 60 })),
        ],
        generator: settings.generator(1),
        ..INFO.skeleton(settings, timeline)
    }
}

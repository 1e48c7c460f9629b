//! One visitor at a time on pages never fetched, while there are errors alone, until the breaker opens;
//! then recovery.
//!
//! Before the outage there are twenty successes in a row, after which every breaker that counts
//! consecutive failures is known to be closed (predicates, B4). The other ways in which a call fails are
//! the matter of `kinds-of-failure`, retries that of `retry-gaps`.

use super::one_by_one::{
    CALM_CALLS, CALM_PAUSE_MS, GAP_MS, calls, crowd, failing_ms, heal_ms, quiet_ms, rested, slowly,
    total,
};
use super::parts::{Timeline, group, status};
use super::{ScenarioInfo, Settings};
use crate::plan::{PhaseKind, Plan};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "calibration",
    summary: "One visitor at a time on cold pages: the breaker opens, stays open and recovers, without noise",
    tags: &["critical", "breaker"],
    guarantees: &["breaker-opens", "breaker-recovers", "no-secret-leaked"],
    build,
};

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, ms);
    let calm = phase(PhaseKind::Control, "all is well", 1_500 + quiet_ms(settings));
    let errors = phase(PhaseKind::BreakerProbe, "only errors", failing_ms(settings));
    let heal = phase(PhaseKind::Heal, "back after errors", heal_ms(settings));
    phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
    Plan {
        population: Population {
            groups: [("quiet", CALM_CALLS), ("error", crowd(errors)), ("heal", 60)]
                .map(|(prefix, count)| group(prefix, count))
                .into(),
        },
        traffic: vec![
            calls("quiet", CALM_CALLS, calm, CALM_PAUSE_MS),
            calls("error", crowd(errors), errors, GAP_MS),
            calls("heal", 60, rested(settings, heal), slowly(settings)),
        ],
        faults: vec![total("only-errors", errors, status(&[502]))],
        generator: settings.generator(1),
        ..INFO.skeleton(settings, timeline)
    }
}

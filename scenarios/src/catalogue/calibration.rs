//! One visitor at a time on pages never fetched: retries, and errors alone until the breaker opens.
//!
//! Before the outage there are twenty successes in a row, after which every breaker that counts
//! consecutive failures is known to be closed (predicates, B4). The other ways in which a call fails are
//! the matter of `kinds-of-failure`.

use super::one_by_one::{
    CALM_CALLS, CALM_PAUSE_MS, GAP_MS, calls, crowd, failing_ms, heal_ms, quiet_ms, rested, slowly,
    total,
};
use super::parts::{Timeline, group, profiles_of, rule, status};
use super::{ScenarioInfo, Settings};
use crate::plan::{PhaseKind, Plan};
use mock_server::faults::{Pick, Window};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "calibration",
    summary: "One visitor at a time on cold pages: what retries and breaker do, without noise",
    tags: &["critical", "breaker", "retries"],
    guarantees: &["backoff-grows", "breaker-opens", "breaker-recovers", "no-secret-leaked"],
    build,
};

/// Each call costs six requests: with luck in every delay they must still fit into the limiter's
/// window, or it would refuse pages here. Eleven calls in a window fill what is not kept for clicks.
/// Of the quick profile, as what follows.
const RETRY_PAUSE_MS: u64 = 400;
/// So long that the pages filled before the retries leave the window in time: constant delays of
/// half a base would otherwise fill it with the eighth call.
const ALL_IS_WELL_MS: u64 = 2_600;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, ms);
    let control = phase(PhaseKind::Control, "all is well", settings.stretch(ALL_IS_WELL_MS));
    // With full jitter four waits take 7.5 s at the mean, 15 s at the most.
    let retried = settings.declared.retried_calls();
    let pause_ms = settings.stretch(RETRY_PAUSE_MS);
    let gaps_ms = settings.contract(185_000) + u64::from(retried) * pause_ms;
    let failures = settings.declared.spared_failures();
    // Where one failure opens the breaker or ends the call there are no gaps to read.
    let kind = if failures > 0 { PhaseKind::RetryGaps } else { PhaseKind::Control };
    let gaps = phase(kind, "a few failures, then a success", gaps_ms);
    let calm = phase(PhaseKind::Control, "all is well again", 1_500 + quiet_ms(settings));
    let errors = phase(PhaseKind::BreakerProbe, "only errors", failing_ms(settings));
    let heal = phase(PhaseKind::Heal, "back after errors", heal_ms(settings));
    let gaps_end = gaps.until_ms - settings.contract(16_000);
    Plan {
        population: Population {
            groups: [
                ("calm", CALM_CALLS),
                ("retry", retried),
                ("quiet", CALM_CALLS),
                ("error", crowd(errors)),
                ("heal", 60),
            ]
            .map(|(prefix, count)| group(prefix, count))
            .into(),
        },
        traffic: vec![
            calls("calm", CALM_CALLS, control, CALM_PAUSE_MS),
            calls("retry", retried, Window { until_ms: gaps_end, ..gaps }, pause_ms),
            calls("quiet", CALM_CALLS, calm, CALM_PAUSE_MS),
            calls("error", crowd(errors), errors, GAP_MS),
            calls("heal", 60, rested(settings, heal), slowly(settings)),
        ],
        faults: (failures > 0)
            .then(|| {
                let pick = Pick::Nth { from: 0, until: failures.into() };
                rule("first-failures", gaps, profiles_of("retry"), pick, status(&[503]))
            })
            .into_iter()
            .chain([total("only-errors", errors, status(&[502]))])
            .collect(),
        generator: settings.generator(1),
        ..INFO.skeleton(settings, timeline)
    }
}

//! One visitor at a time on pages never fetched: what retries and breaker do, without noise.
//!
//! Open-loop traffic would hide single gaps and the fifth failure behind limiter and concurrency.
//! Before each outage there are twenty successes in a row, after which every breaker that counts
//! consecutive failures is known to be closed (predicates, B4).

use super::parts::{Timeline, everything, group, in_turn, pages, profiles_of, rule, status};
use super::{ScenarioInfo, Settings};
use crate::plan::{Declared, Pace, PhaseKind, Plan, Traffic};
use mock_server::faults::{Fault, Pick, Reset, ResetAt, Rule, Stall, StallAt, Truncate, Window};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "calibration",
    summary: "One visitor at a time on cold pages: what retries and breaker do, without noise",
    tags: &["critical", "breaker", "retries"],
    guarantees: &[
        "backoff-grows",
        "breaker-opens",
        "breaker-recovers",
        "timeout-not-auth",
        "no-secret-leaked",
    ],
    build,
};

/// Sixteen calls tell constant from exponential delays with one error in ten thousand runs
/// (predicates, B3); two more, since a call during a hiccup of the harness is not judged.
const RETRY_CALLS: u32 = 18;
/// Each call costs six requests: with luck in every delay they must still fit into the limiter's
/// window, or it would refuse pages here. Eleven calls in a window fill what is not kept for clicks.
const RETRY_PAUSE_MS: u64 = 400;
/// Each call fails so often before it succeeds, unless the declared breaker or the declared attempts
/// allow for less.
const FAILURES: u32 = 4;
/// Pages filled before an outage; two reads each.
const CALM_CALLS: u32 = 11;
const CALM_PAUSE_MS: u64 = 30;
/// So long that the pages filled before the retries leave the window in time: constant delays of
/// half a base would otherwise fill it with the eighth call.
const ALL_IS_WELL_MS: u64 = 2_600;
/// Reads that the key is too little for, it seems.
const LOCKED_CALLS: u32 = 5;
/// Longer than delivery and scheduling together, or a sixth failure would look like the fifth.
const GAP_MS: u64 = 300;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, ms);
    let control = phase(PhaseKind::Control, "all is well", ALL_IS_WELL_MS);
    // With full jitter four waits take 7.5 s at the mean, 15 s at the most.
    let gaps_ms = settings.contract(185_000) + u64::from(RETRY_CALLS) * RETRY_PAUSE_MS;
    let failures = spared_failures(&settings.declared);
    // Where one failure opens the breaker or ends the call there are no gaps to read.
    let kind = if failures > 0 { PhaseKind::RetryGaps } else { PhaseKind::Control };
    let gaps = phase(kind, "a few failures, then a success", gaps_ms);
    let calm = phase(PhaseKind::Control, "all is well again", 1_500);
    let heal_ms = settings.contract(30_000) + settings.contract(15_000) + 2_000;
    // A trip after a call's five attempts or five calls, the open time, a probe that fails and what
    // follows it.
    let errors = phase(PhaseKind::BreakerProbe, "only errors", settings.contract(75_000));
    let heal = phase(PhaseKind::Heal, "back after errors", heal_ms);
    // Five timeouts with their waits, the open time, and a probe that meets silence.
    let silence = phase(PhaseKind::BreakerProbe, "only silence", settings.contract(115_000));
    let last = phase(PhaseKind::Heal, "back after silence", heal_ms);
    // Time for a trip; its open time goes on in the heal.
    let trip_ms = settings.contract(30_000);
    let resets = phase(PhaseKind::BreakerProbe, "only resets", trip_ms);
    let joined = phase(PhaseKind::Heal, "back after resets", heal_ms - 1_000);
    // Which answers have a body is the answers' matter, so that this is called a storm.
    let cuts = phase(PhaseKind::Storm, "only cut answers", trip_ms);
    let whole = phase(PhaseKind::Heal, "back after cut answers", heal_ms - 1_000);
    // At the end: whoever stops calling when a key is refused has met everything else.
    let refused = phase(PhaseKind::Storm, "the key is refused", settings.contract(6_000));
    phase(PhaseKind::Heal, "the key is good again", settings.contract(3_000));
    let gaps_end = gaps.until_ms - settings.contract(16_000);
    let slowly = settings.contract(2_500);
    Plan {
        population: Population {
            groups: [
                ("calm", CALM_CALLS),
                ("retry", RETRY_CALLS),
                ("quiet", CALM_CALLS),
                ("error", 200),
                ("heal", 60),
                ("silence", 200),
                ("last", 60),
                ("reset", 200),
                ("joined", 60),
                ("cut", 200),
                ("whole", 60),
                ("locked", LOCKED_CALLS),
            ]
            .map(|(prefix, count)| group(prefix, count))
            .into(),
        },
        traffic: vec![
            calls("calm", CALM_CALLS, control, CALM_PAUSE_MS),
            calls("retry", RETRY_CALLS, Window { until_ms: gaps_end, ..gaps }, RETRY_PAUSE_MS),
            calls("quiet", CALM_CALLS, calm, CALM_PAUSE_MS),
            calls("error", 200, errors, GAP_MS),
            calls("heal", 60, rested(heal), slowly),
            calls("silence", 200, silence, GAP_MS),
            calls("last", 60, rested(last), slowly),
            calls("reset", 200, resets, GAP_MS),
            calls("joined", 60, rested(joined), slowly),
            calls("cut", 200, cuts, GAP_MS),
            calls("whole", 60, rested(whole), slowly),
            calls("locked", LOCKED_CALLS, refused, settings.contract(1_000)),
        ],
        faults: (failures > 0)
            .then(|| {
                let pick = Pick::Nth { from: 0, until: failures.into() };
                rule("first-failures", gaps, profiles_of("retry"), pick, status(&[503]))
            })
            .into_iter()
            .chain([
                total("only-errors", errors, status(&[502])),
                total("only-silence", silence, Fault::Stall(Stall { at: StallAt::BeforeHead })),
                total("only-resets", resets, Fault::Reset(Reset { at: ResetAt::BeforeHead })),
                total("only-cuts", cuts, Fault::Truncate(Truncate { percent: 60 })),
                rule("key-refused", refused, profiles_of("locked"), Pick::All, status(&[401])),
            ])
            .collect(),
        generator: settings.generator(1),
        ..INFO.skeleton(settings, timeline)
    }
}

/// Failures in a row that neither open the breaker nor use a call's attempts up.
fn spared_failures(declared: &Declared) -> u32 {
    declared.breaker_failures.min(declared.max_attempts).saturating_sub(1).min(FAILURES)
}

/// A window that ends in silence: what fails within δ of a success may not count.
const fn rested(window: Window) -> Window {
    Window { until_ms: window.until_ms - 2 * GAP_MS, ..window }
}

/// A visitor who asks one creator of a group after the other.
fn calls(group: &str, calls: u32, window: Window, gap_ms: u64) -> Traffic {
    Traffic {
        id: format!("{group}-reader"),
        from_ms: window.from_ms,
        until_ms: window.until_ms,
        pace: Pace::Sequential { calls, gap_ms },
        creators: in_turn(group),
        does: pages(),
    }
}

fn total(id: &str, window: Window, fault: Fault) -> Rule {
    rule(id, window, everything(), Pick::All, fault)
}

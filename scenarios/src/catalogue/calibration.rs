//! One visitor at a time on pages never fetched: retries, and errors alone until the breaker opens. In
//! between, one click at a time, each refused once.
//!
//! Before the outage there are twenty successes in a row, after which every breaker that counts
//! consecutive failures is known to be closed (predicates, B4). The other ways in which a call fails are
//! the matter of `kinds-of-failure`.

use super::one_by_one::{
    CALM_CALLS, CALM_PAUSE_MS, GAP_MS, calls, crowd, failing_ms, heal_ms, quiet_ms, rested, slowly,
    total,
};
use super::parts::{CLICKS, Timeline, group, in_turn, profiles_of, routes, rule, status};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Step, Traffic};
use crate::traffic::actions::Action;
use mock_server::faults::{Pick, Ratio, Window};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "calibration",
    summary: "One visitor at a time on cold pages, then one click: retries and breaker, without noise",
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

/// Twice as many as jitter shows from, for services that gather clicks into batches.
const CLICK_CALLS: u32 = 24;

/// Between clicks, so that each is delivered alone, with its retry, by a service that spreads its calls
/// over the limit's window.
fn click_pause_ms(settings: &Settings) -> u64 {
    settings.contract(3_500) + 60
}

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, ms);
    let control = phase(PhaseKind::Control, "all is well", settings.stretch(ALL_IS_WELL_MS));
    // With full jitter four waits take 7.5 s at the mean, 15 s at the most.
    let retried = settings.declared.retried_calls();
    let pause_ms = settings.stretch(RETRY_PAUSE_MS);
    let gaps_ms = settings.contract(205_000) + u64::from(retried) * pause_ms;
    let failures = settings.declared.spared_failures();
    // Where one failure opens the breaker or ends the call there are no gaps to read.
    let kind = if failures > 0 { PhaseKind::RetryGaps } else { PhaseKind::Control };
    let gaps = phase(kind, "a few failures, then a success", gaps_ms);
    let clicks_ms = u64::from(CLICK_CALLS) * click_pause_ms(settings);
    let clicks =
        phase(kind, "a click is refused, then taken", clicks_ms + settings.contract(6_000));
    let calm = phase(PhaseKind::Control, "all is well again", 1_500 + quiet_ms(settings));
    let errors = phase(PhaseKind::BreakerProbe, "only errors", failing_ms(settings));
    let heal = phase(PhaseKind::Heal, "back after errors", heal_ms(settings));
    phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
    let gaps_end = gaps.until_ms - settings.contract(16_000);
    let once = Pick::InTurn { ratio: Ratio { hits: 1, of: 2 } };
    let failing = [
        rule(
            "first-failures",
            gaps,
            profiles_of("retry"),
            Pick::Nth { from: 0, until: failures.into() },
            status(&[503]),
        ),
        rule("refused-once", clicks, routes(&CLICKS), once, status(&[503])),
    ];
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
            clickers(clicks, settings),
            calls("quiet", CALM_CALLS, calm, CALM_PAUSE_MS),
            calls("error", crowd(errors), errors, GAP_MS),
            calls("heal", 60, rested(settings, heal), slowly(settings)),
        ],
        faults: failing
            .into_iter()
            .filter(|_| failures > 0)
            .chain([total("only-errors", errors, status(&[502]))])
            .collect(),
        generator: settings.generator(1),
        ..INFO.skeleton(settings, timeline)
    }
}

/// One click after the other, on the pages that were filled first.
fn clickers(window: Window, settings: &Settings) -> Traffic {
    Traffic {
        id: "clickers".into(),
        from_ms: window.from_ms,
        until_ms: window.until_ms,
        pace: Pace::Sequential { calls: CLICK_CALLS, gap_ms: click_pause_ms(settings) },
        creators: in_turn("calm"),
        does: vec![Step::always(Action::Click)],
    }
}

//! One visitor at a time on pages that fail a few times and then come; then one click at a time, each
//! refused once: the gaps between retries, without noise.
//!
//! It runs at the largest time scale, up to the run's, at which the base of the declared backoff is well
//! above what timers are exact to: most clients begin with 100 to 500 ms, of which a tenth shows nothing.

use super::one_by_one::{CALM_CALLS, CALM_PAUSE_MS, calls};
use super::parts::{CLICKS, Timeline, group, in_turn, profiles_of, routes, rule, status};
use super::{ScenarioInfo, Settings};
use crate::guarantees::client_rate_cap;
use crate::plan::{Pace, PhaseKind, Plan, Step, Traffic};
use crate::traffic::actions::Action;
use mock_server::faults::{Pick, Ratio, Window};
use mock_server::profile::ContractProfile;
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "retry-gaps",
    summary: "One visitor at a time on pages that fail a few times, then one click: retries, without noise",
    tags: &["retries", "clicks"],
    guarantees: &["backoff-grows"],
    build,
};

/// So long that the pages filled before the retries leave the limiter's window in time. Of the quick
/// profile.
const ALL_IS_WELL_MS: u64 = 2_600;
/// Long enough for every kind of nonsense to come, which it does in real time.
const ALL_IS_WELL_AGAIN_MS: u64 = 7_000;

/// Twice as many as jitter shows from, for services that gather clicks into batches.
const CLICK_CALLS: u32 = 24;

/// Between clicks, so that each is delivered alone, with its retry, by a service that spreads its calls
/// over the limit's window.
fn click_pause_ms(settings: &Settings) -> u64 {
    settings.contract(3_500) + 60
}

/// Between calls that cost so many requests: with luck in every delay they must still fit into what the
/// limiter's window does not keep for clicks, or it would refuse pages here.
fn call_pause_ms(settings: &Settings, requests: u32) -> u64 {
    let declared = &settings.declared;
    let cap = declared.rate_cap.map_or(client_rate_cap::REQUESTS.default, u64::from);
    let pages = cap.saturating_sub(declared.click_slots.into()).max(1);
    let window_ms = ContractProfile::linktree_v1().limit.window_ms;
    settings.contract((window_ms * u64::from(requests)).div_ceil(pages)) + 10
}

fn build(settings: &Settings) -> Plan {
    let asked_for = settings.time_scale;
    let settings = &settings.showing_backoff();
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, ms);
    let control = phase(PhaseKind::Control, "all is well", settings.stretch(ALL_IS_WELL_MS));
    let retried = settings.declared.retried_calls();
    let failures = settings.declared.spared_failures();
    // The failures, the page and its links.
    let pause_ms = call_pause_ms(settings, failures + 2);
    // Nobody is cut off, however much of the jitter is at the upper end.
    let one_ms = settings.contract(settings.declared.waits_ms(failures)) + 20;
    let gaps_ms = u64::from(retried).saturating_mul(one_ms + pause_ms);
    let last_ms = one_ms + settings.contract(1_000);
    // Where one failure opens the breaker or ends the call there are no gaps to read.
    let kind = if failures > 0 { PhaseKind::RetryGaps } else { PhaseKind::Control };
    let gaps = phase(kind, "a few failures, then a success", gaps_ms + last_ms);
    let clicks_ms = u64::from(CLICK_CALLS) * click_pause_ms(settings);
    let clicks =
        phase(kind, "a click is refused, then taken", clicks_ms + settings.contract(6_000));
    let heal = phase(PhaseKind::Heal, "all is well again", ALL_IS_WELL_AGAIN_MS);
    phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
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
    let mut plan = Plan {
        population: Population {
            groups: [("calm", CALM_CALLS), ("retry", retried)]
                .map(|(prefix, count)| group(prefix, count))
                .into(),
        },
        traffic: vec![
            calls("calm", CALM_CALLS, control, CALM_PAUSE_MS),
            calls("retry", retried, Window { until_ms: gaps.until_ms - last_ms, ..gaps }, pause_ms),
            clickers(clicks, settings),
            Traffic { id: "calm-again".into(), ..calls("calm", CALM_CALLS, heal, CALM_PAUSE_MS) },
        ],
        faults: failing.into_iter().filter(|_| failures > 0).collect(),
        generator: settings.generator(1),
        ..INFO.skeleton(settings, timeline)
    };
    if plan.time_scale < asked_for {
        plan.summary = format!(
            "{}; at time scale {}, since the declared backoff begins with {} ms",
            plan.summary,
            plan.time_scale,
            settings.declared.shortest_backoff_ms(),
        );
    }
    plan
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

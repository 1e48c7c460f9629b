//! Linktree pushes back during a spike: 429 and 503 with `Retry-After`, in seconds and as dates.

use super::parts::{
    CLICKS, PAGE_READS, Timeline, come_back, group, in_turn, pages_and_clicks, part, routes, rule,
    share, status, zipf,
};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{RetryAfterSpec, Rule, Window};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "rate-limit-storm",
    summary: "Linktree pushes back during a spike: 429 and 503 with Retry-After in both forms",
    tags: &["critical", "rate-limit", "retries", "clicks"],
    guarantees: &[
        "retry-after-honoured",
        "client-rate-cap",
        "clicks-delivered",
        "clicks-counted-once",
        "click-lag",
    ],
    build,
};

/// More creators than one limit window can fill (two reads each), so that the cap is reached.
const CREATORS: u32 = 48;
/// Real time, like the waits of 1 to 2 s themselves: room for two in each part of the storm.
const PART_MS: u64 = 2_500;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_500);
    let control = timeline.phase(PhaseKind::Control, "an ordinary day", settings.stretch(1_000));
    let storm =
        timeline.phase(PhaseKind::Storm, "told to come back later", settings.stretch(4 * PART_MS));
    let errors = timeline.phase(PhaseKind::Storm, "errors without a word", settings.stretch(7_000));
    let heal = timeline.phase(PhaseKind::Heal, "no more refusals", 1_500);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
    Plan {
        population: Population { groups: vec![group("page", CREATORS)] },
        traffic: vec![
            Traffic {
                id: "first-visitors".into(),
                from_ms: warmup.from_ms,
                until_ms: control.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: 40 } },
                creators: in_turn("page"),
                does: pages_and_clicks(200),
            },
            Traffic {
                id: "crowd".into(),
                from_ms: storm.from_ms,
                until_ms: heal.until_ms,
                pace: Pace::Open {
                    shape: Shape::Spike {
                        baseline: 40,
                        factor: 5,
                        at_ms: 500,
                        rise_ms: 500,
                        hold_ms: (errors.until_ms - storm.from_ms).saturating_sub(3_000),
                        decay_ms: 500,
                    },
                },
                creators: zipf("page", 1_000),
                does: pages_and_clicks(150),
            },
        ],
        faults: refusals(storm).into_iter().chain([errors_in(errors)]).collect(),
        generator: settings.generator(600),
        ..INFO.skeleton(settings, timeline)
    }
}

/// Refusals that name no time: retries come on top of a load that already fills the limiter.
fn errors_in(window: Window) -> Rule {
    rule("503-alone", window, routes(&PAGE_READS), share(3, 10), status(&[503]))
}

/// Each status and form has a part of the storm to itself. A wait holds everything with the same
/// key back, so that in one common window the first combination would hide the others.
fn refusals(storm: Window) -> Vec<Rule> {
    let seconds = [RetryAfterSpec::Seconds { s: 1 }, RetryAfterSpec::Seconds { s: 2 }];
    let date = [RetryAfterSpec::Date { s: 1 }];
    let read = [PAGE_READS, CLICKS].concat();
    let refuse = |id, n, code, retry_after: &[RetryAfterSpec]| {
        let fault = come_back(code, retry_after);
        rule(id, part(storm, n, 4), routes(&read), share(3, 10), fault)
    };
    vec![
        refuse("429-seconds", 0, 429, &seconds),
        refuse("429-date", 1, 429, &date),
        refuse("503-seconds", 2, 503, &seconds),
        refuse("503-date", 3, 503, &date),
    ]
}

//! Linktree pushes back during a spike: told waits in both forms, one of them long, and refusals of
//! clicks that last longer than anybody's patience.

use super::parts::{
    CLICKS, PAGE_READS, Timeline, come_back, group, in_turn, pages, pages_and_clicks, part, routes,
    rule, share, status, zipf,
};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::contract::Route;
use mock_server::faults::{
    Fault, LoseAnswer, PartialFailure, Pick, Ratio, RetryAfterSpec, Rule, Window,
};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "rate-limit-storm",
    summary: "Linktree pushes back: 429 and 503 with Retry-After, then refusals of clicks without end",
    tags: &["critical", "rate-limit", "retries", "clicks"],
    guarantees: &[
        "retry-after-honoured",
        "backoff-grows",
        "client-rate-cap",
        "hard-limit",
        "clicks-delivered",
        "click-lag",
        "bearer-header-only",
        "json-headers",
        "base-url",
    ],
    build,
};

/// More creators than one limit window can fill (two reads each), so that the cap is reached.
const CREATORS: u32 = 48;
/// Real time, like the waits of 1 to 2 s themselves: room for two in each part of the storm.
const PART_MS: u64 = 2_500;
/// Real time: longer than the 5 s to which many clients cap a wait.
const LONG_WAIT_S: u32 = 8;
/// Longer than the last wait before it, so that somebody calls; of the quick profile.
const CALLED_MS: u64 = 2_800;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, ms);
    let warmup = phase(PhaseKind::Warmup, "pages are filled", 1_500);
    let control = phase(PhaseKind::Control, "an ordinary day", settings.stretch(1_000));
    let storm = phase(PhaseKind::Storm, "told to come back later", settings.stretch(4 * PART_MS));
    // In a limit window that is longer, calls are further apart.
    let called_ms = settings.as_quick(CALLED_MS);
    let called = |window: Window| Window { until_ms: window.from_ms + called_ms, ..window };
    // Longer than that, or whoever waited is told once more, and a breaker counts it.
    let wait_s = u32::try_from(called_ms / 1_000).map_or(LONG_WAIT_S, |s| LONG_WAIT_S.max(s + 2));
    let long_ms = called_ms + u64::from(wait_s) * 1_000 + 500;
    let long = phase(PhaseKind::Storm, "told to wait for long", 2 * long_ms);
    // Ten attempts of a usual backoff take 90 s, and as many give up after a minute. Before, the rush
    // must leave the limiter's window, or there is no room for retries.
    let stretch = settings.contract(60_000 + 90_000).max(9_000);
    let errors = phase(PhaseKind::Storm, "errors without a word, and no click is taken", stretch);
    let batches =
        phase(PhaseKind::Storm, "batches of clicks are refused whole", settings.stretch(1_000));
    let refused =
        phase(PhaseKind::Storm, "the key is refused for clicks", settings.contract(15_000));
    let items = phase(PhaseKind::Storm, "some clicks of a batch fail", settings.stretch(3_000));
    let heal = phase(PhaseKind::Heal, "no more refusals", 1_500);
    phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
    let some_fail = |id, window, pick| {
        let fault = PartialFailure { ratio: Ratio { hits: 1, of: 2 }, codes: vec![503, 429] };
        rule(id, window, routes(&[Route::ClicksBatch]), pick, Fault::PartialFailure(fault))
    };
    let nth = |from, until| Pick::Nth { from, until };
    // Clicks that were counted, but whose receipt was lost, show who counts them twice. They come
    // after the items that fail: who takes those for delivered would be saved by an earlier receipt.
    let unheard = Fault::LoseAnswer(LoseAnswer {});
    let mut faults = refusals(storm);
    faults.extend([
        some_fail("some-items", storm, share(1, 5)),
        long_wait("429-long", called(part(long, 0, 2)), 429, RetryAfterSpec::Seconds { s: wait_s }),
        long_wait("503-long", called(part(long, 1, 2)), 503, RetryAfterSpec::Date { s: wait_s }),
        rule("503-alone", errors, routes(&PAGE_READS), share(3, 10), status(&[503])),
        rule("429-alone", errors, routes(&CLICKS), Pick::All, status(&[429])),
        rule("too-large", batches, routes(&[Route::ClicksBatch]), nth(0, 4), status(&[413])),
        rule("key-refused", refused, routes(&CLICKS), Pick::All, status(&[401])),
        some_fail("items-of-the-first", items, nth(0, 3)),
        rule("lost-receipt", items, routes(&[Route::ClicksBatch]), nth(3, 5), unheard),
        some_fail("some-items-again", items, share(1, 5)),
    ]);
    let mut plan = Plan {
        population: Population { groups: vec![group("page", CREATORS)] },
        traffic: vec![
            Traffic {
                id: "first-visitors".into(),
                from_ms: warmup.from_ms,
                until_ms: control.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: 40 } },
                creators: in_turn("page"),
                does: pages_and_clicks(settings.share(200)),
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
                        hold_ms: (storm.until_ms - storm.from_ms).saturating_sub(3_000),
                        decay_ms: 500,
                    },
                },
                creators: zipf("page", 1_000),
                does: pages_and_clicks(settings.share(150)),
            },
            rush(part(long, 1, 2), wait_s),
            // Retries come on top of a load that fills the limiter.
            Traffic {
                id: "readers".into(),
                from_ms: errors.from_ms,
                until_ms: errors.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: 160 } },
                creators: zipf("page", 500),
                does: pages(),
            },
        ],
        faults,
        generator: settings.generator(600),
        ..INFO.skeleton(settings, timeline)
    };
    if settings.showing_backoff().time_scale < settings.time_scale {
        plan.only_watch("backoff-grows");
    }
    plan
}

/// A crowd that comes while the long wait ends, which is told when somebody calls: all pages have
/// expired meanwhile.
fn rush(told: Window, wait_s: u32) -> Traffic {
    let from_ms = told.from_ms + u64::from(wait_s) * 1_000;
    Traffic {
        id: "rush".into(),
        from_ms,
        until_ms: told.until_ms,
        pace: Pace::Open { shape: Shape::Steady { rate: 240 } },
        creators: in_turn("page"),
        does: pages(),
    }
}

/// Whoever calls in the first seconds is told to wait for long.
fn long_wait(id: &str, window: Window, code: u16, wait: RetryAfterSpec) -> Rule {
    let routes = routes(&[PAGE_READS, CLICKS].concat());
    rule(id, window, routes, Pick::All, come_back(code, &[wait]))
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

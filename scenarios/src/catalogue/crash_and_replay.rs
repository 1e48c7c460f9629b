//! The integration itself goes down: killed at the peak of a spike, killed twice more and paused while
//! Linktree is gone, and stopped at last. Its token for the vault expires meanwhile, where it can log in:
//! whoever starts again only with what it was once given stays down.

use super::parts::{
    CLICKS, Timeline, everything, group, in_turn, pages, pages_and_clicks, part, routes, rule,
    status, zipf,
};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{
    Fault, Kill, LoseAnswer, Matcher, Pause, Pick, Rule, Stall, StallAt, Strike, Terminate, Window,
};
use mock_server::seed;
use mock_server::world::population::Population;
use mock_server::world::{TimedEvent, WorldEvent};
use rand::RngExt;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "crash-and-replay",
    summary: "The integration is killed in a spike and twice while Linktree is gone, paused, stopped",
    tags: &["high", "crash", "outage", "clicks"],
    guarantees: &[
        "clicks-survive-crash",
        "clicks-delivered",
        "click-lag",
        "breaker-opens",
        "hard-limit",
        "base-url",
        "bearer-header-only",
        "json-headers",
    ],
    build,
};

/// Few, so that a process that has forgotten its pages can fill them again under the cap.
const CREATORS: u32 = 6;
/// Creators whom nobody visits before the spike. Their pages fill the limiter before the kill, and a
/// limiter that has forgotten once more after it.
const CROWD: u32 = 240;
/// Visitors a second on an ordinary day.
const RATE: u32 = 60;
/// How long the integration is down each time, real time.
const DOWN_MS: u64 = 400;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_000);
    timeline.phase(PhaseKind::Control, "an ordinary day", settings.stretch(800));
    let spike = timeline.phase(PhaseKind::Storm, "a spike", settings.contract(30_000).max(3_000));
    // So long that the limiter's window is over: calls that are held back open no breaker.
    let calm_ms = settings.contract(60_000) + 500;
    timeline.phase(PhaseKind::Storm, "the spike is over", calm_ms);
    // Also a service that takes two seconds to start has a backlog and an open breaker before its next end.
    let outage = timeline.phase(PhaseKind::Outage, "Linktree is gone", settings.contract(94_000));
    let storm = timeline.phase(PhaseKind::Storm, "Linktree is back", settings.stretch(2_000));
    let heal = timeline.phase(PhaseKind::Heal, "all is well again", 1_000);
    // The breaker may be open for its open time after the outage, which storm and heal cover.
    timeline.phase(PhaseKind::Settle, "the backlog drains", settings.settle_ms(false));
    Plan {
        population: Population { groups: vec![group("page", CREATORS), group("crowd", CROWD)] },
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
                from_ms: warmup.until_ms,
                until_ms: heal.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
                creators: zipf("page", 900),
                does: pages_and_clicks(settings.share(250)),
            },
            Traffic {
                id: "crowd".into(),
                from_ms: spike.from_ms,
                until_ms: spike.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: 80 } },
                creators: in_turn("crowd"),
                does: pages_and_clicks(settings.share(400)),
            },
        ],
        faults: chaos(settings, spike, outage, storm),
        world: token_expires(settings, outage),
        // Whoever wants a page that the killed process has forgotten waits for silent calls.
        generator: settings.generator(settings.users(400, RATE)),
        ..INFO.skeleton(settings, timeline)
    }
}

/// Before the last kill and the stop: whoever starts after them must log in.
fn token_expires(settings: &Settings, outage: Window) -> Vec<TimedEvent> {
    let event = WorldEvent::ExpireVaultTokens { left_ms: 0 };
    let expiry = TimedEvent { at_ms: part(outage, 1, 2).from_ms, event };
    settings.logs_in.then_some(expiry).into_iter().collect()
}

/// Linktree is well, then silent, then broken. The seed draws the moments of what happens to the process.
fn chaos(settings: &Settings, spike: Window, outage: Window, storm: Window) -> Vec<Rule> {
    let seed = settings.seed(INFO.id);
    let between = |rule: &str, from_ms: u64, until_ms: u64| {
        seed::stream(seed, &["moment", rule]).random_range(from_ms..=until_ms)
    };
    let (silence, errors) = (part(outage, 0, 2), part(outage, 1, 2));
    let at = |id: &str, from_ms: u64, lasts_ms: u64, fault| {
        let window = Window { from_ms, until_ms: from_ms + lasts_ms };
        rule(id, window, Matcher::default(), Pick::All, fault)
    };
    let kill = |id: &str, from_ms: u64| {
        let fault = Fault::Kill(Kill { on: Strike::WindowStart, down_ms: DOWN_MS });
        at(id, from_ms, DOWN_MS, fault)
    };
    let contract = |ms| settings.contract(ms);
    // The limiter is full by then, and as many pages again are asked for afterwards.
    let peak = between("peak", 1_200, 1_600);
    // A delivery hangs from the first click of the silence on, for a timeout of 10 s.
    let in_flight = between("in-flight", 250, contract(7_000).max(350));
    // Early, so that the next breaker opens long enough before the pause to be judged.
    let backlog = between("backlog", contract(2_000), contract(6_000));
    let (asleep, for_ms) = (between("asleep", contract(21_000), contract(22_500)), contract(4_000));
    let pause = Fault::Pause(Pause { on: Strike::WindowStart, for_ms });
    let stopped = between("stopped", 200, 1_200);
    let grace_ms = contract(30_000).max(3_000);
    let stop = Terminate { on: Strike::WindowStart, grace_ms, down_ms: DOWN_MS };
    let silent = Fault::Stall(Stall { at: StallAt::BeforeHead });
    // Clicks that were counted, but whose receipt was lost, show who counts them twice.
    let receipts = Fault::LoseAnswer(LoseAnswer {});
    // Clicks wait at the kill, whatever the delivery was about; no breaker opens for it.
    let before = Window { until_ms: spike.from_ms + peak + DOWN_MS, ..spike };
    vec![
        rule("no-click-is-taken", before, routes(&CLICKS), Pick::All, status(&[429])),
        kill("killed-at-the-peak", spike.from_ms + peak),
        kill("killed-in-flight", silence.from_ms + in_flight),
        kill("killed-with-a-backlog", errors.from_ms + backlog),
        at("asleep", errors.from_ms + asleep, for_ms, pause),
        at("stopped", storm.from_ms + stopped, DOWN_MS, Fault::Terminate(stop)),
        rule("silent", silence, everything(), Pick::All, silent),
        rule("lost-receipt", part(errors, 3, 4), routes(&CLICKS), Pick::All, receipts),
        rule("broken", errors, everything(), Pick::All, status(&[500, 502, 503])),
    ]
}

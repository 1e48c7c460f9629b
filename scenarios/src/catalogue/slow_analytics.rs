//! Creators look at their figures: as on an ordinary day, when they take nearly all the time they have,
//! and when they stall; strangers look, too.

use super::parts::{Timeline, group, in_turn, pages_and_clicks, routes, rule, zipf};
use super::{ScenarioInfo, Settings};
use crate::plan::{Generator, Pace, PhaseKind, Plan, Shape, Step, Traffic};
use crate::traffic::actions::Action;
use mock_server::contract::Route;
use mock_server::faults::{Fault, Latency, Matcher, Pick, Rule, Stall, StallAt, Window};
use mock_server::world::population::Population;
use mock_server::world::{TimedEvent, WorldEvent};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "slow-analytics",
    summary: "Creators look at figures that take nearly 30 s or stall; strangers look, too",
    tags: &["analytics", "timeouts", "security"],
    guarantees: &["analytics-timeout", "analytics-scope"],
    build,
};

/// Whose pages are read and clicked meanwhile.
const CREATORS: u32 = 6;
/// Who look at own figures on an ordinary day.
const OWNERS: u32 = 8;
/// Their looks, each with one of another creator right after it.
const LOOKS: u32 = 12;
/// What the key must be good for here.
const SCOPES: [&str; 4] = ["profile:read", "links:read", "clicks:write", "analytics:read"];
/// Answers that take so long in all, contract milliseconds, beside the two seconds that figures take by
/// design: four fifths and nine tenths of the limit.
const SLOW: [(&str, u64); 2] = [("eighty", 22_000), ("ninety", 25_000)];
const SLOW_OF_EACH: usize = 3;
/// Where a query stalls, at this time scale.
type Place = fn(&Settings) -> StallAt;
/// The first query of each of these stalls: (whose, where).
const STALLS: [(&str, Place); 3] = [
    ("silent", |_| StallAt::BeforeHead),
    ("halfway", |_| StallAt::MidBody { percent: 50 }),
    ("trickle", |settings| StallAt::Trickle { every_ms: settings.contract(2_000) }),
];
const STALLS_OF_EACH: usize = 4;
/// Between two creators of these, so that all have asked before the first gives up.
const STAGGER_MS: u64 = 50;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_500);
    let control_ms = settings.stretch(9_000);
    let control = timeline.phase(PhaseKind::Control, "an ordinary day", control_ms);
    let slow_ms = settings.contract(35_000) + 1_000;
    let slow = timeline.phase(PhaseKind::Storm, "figures take nearly their limit", slow_ms);
    let stalls_ms = settings.contract(45_000) + 1_500;
    let stalls = timeline.phase(PhaseKind::Storm, "figures stall", stalls_ms);
    let heal = timeline.phase(PhaseKind::Heal, "all is well again", 1_500);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
    let mut groups = vec![group("page", CREATORS), group("own", OWNERS)];
    let mut traffic = vec![Traffic {
        id: "visitors".into(),
        from_ms: warmup.from_ms,
        until_ms: heal.until_ms,
        pace: Pace::Open { shape: Shape::Steady { rate: 20 } },
        creators: zipf("page", 1_100),
        does: pages_and_clicks(settings.share(100)),
    }];
    traffic.extend(ordinary(settings, control));
    for (kinds, window) in [
        (SLOW.map(|(prefix, _)| prefix).repeat(SLOW_OF_EACH), slow),
        (STALLS.map(|(prefix, _)| prefix).repeat(STALLS_OF_EACH), stalls),
    ] {
        for (nth, prefix) in kinds.iter().enumerate() {
            let (whose, later) = (format!("{prefix}{nth}"), nth as u64 * STAGGER_MS);
            groups.push(group(&whose, 1));
            let from_ms = window.from_ms + later;
            traffic.push(looks(&whose, 1, Window { from_ms, ..window }, 0, &[Action::Analytics]));
        }
    }
    let scopes = SCOPES.map(str::to_owned).into();
    Plan {
        population: Population { groups },
        traffic,
        faults: slow_rules(settings, slow)
            .into_iter()
            .chain(stall_rules(settings, stalls))
            .collect(),
        world: vec![TimedEvent { at_ms: 0, event: WorldEvent::GrantScopes { scopes } }],
        // Whoever waits for figures waits longer than these may take.
        generator: Generator {
            timeout_ms: settings.contract(45_000) + 5_000,
            ..settings.generator(100)
        },
        ..INFO.skeleton(settings, timeline)
    }
}

/// Each owner's links are clicked, so that figures have something to say; later owners look, and after
/// each look another creator, who may meet what is kept of it; and forgers.
fn ordinary(settings: &Settings, control: Window) -> Vec<Traffic> {
    let pause = settings.contract(1_000);
    let clicked = Window { until_ms: control.from_ms + 2_000, ..control };
    let later = Window { from_ms: control.from_ms + settings.contract(20_000) + 1_000, ..control };
    let both = [Action::Page, Action::Click];
    vec![
        looks("own", OWNERS * 2, clicked, 50, &both),
        Traffic {
            id: "owners".into(),
            ..looks("own", LOOKS, later, pause, &[Action::Analytics, Action::ForeignAnalytics])
        },
        Traffic {
            id: "forgers".into(),
            ..looks("own", OWNERS * 2, later, pause, &[Action::ForgedSession])
        },
    ]
}

/// So many visitors of a group, one after the other.
fn looks(whose: &str, calls: u32, window: Window, gap_ms: u64, does: &[Action]) -> Traffic {
    Traffic {
        id: format!("{whose}-visitor"),
        from_ms: window.from_ms,
        until_ms: window.until_ms,
        pace: Pace::Sequential { calls, gap_ms },
        creators: in_turn(whose),
        does: does.iter().copied().map(Step::always).collect(),
    }
}

/// Queries for the figures of these.
fn figures_of(prefix: &str) -> Matcher {
    Matcher { handle: Some(format!("{prefix}*")), ..routes(&[Route::Analytics]) }
}

fn slow_rules(settings: &Settings, window: Window) -> [Rule; 2] {
    SLOW.map(|(prefix, ms)| {
        let late = Fault::Latency(Latency::Constant { ms: settings.contract(ms) });
        rule(&format!("{prefix}-per-cent"), window, figures_of(prefix), Pick::All, late)
    })
}

fn stall_rules(settings: &Settings, window: Window) -> [Rule; 3] {
    STALLS.map(|(prefix, at)| {
        let (fault, first) =
            (Fault::Stall(Stall { at: at(settings) }), Pick::Nth { from: 0, until: 1 });
        rule(&format!("stall-{prefix}"), window, figures_of(prefix), first, fault)
    })
}

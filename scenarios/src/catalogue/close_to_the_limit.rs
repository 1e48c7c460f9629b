//! Use comes close to the limit: at first it stays below, then there is a burst, and then all of the limit
//! is used for as long as it takes until an alert is due.
//!
//! Nothing fails here. Visitors come at an even pace, so that whoever measures use by what was scraped in a
//! minute sees what others see; when all is used they come faster, and most of them get no page.

use super::parts::{Timeline, group, in_turn, pages, pages_and_clicks};
use super::{NIGHT, ScenarioInfo, Settings};
use crate::plan::{Creators, Pace, PhaseKind, Plan, Shape, Step, Traffic};
use mock_server::faults::Window;
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "close-to-the-limit",
    summary: "Use comes close to the limit, bursts, and fills it: when its alert must fire",
    tags: &["alerts", "rate-limit", NIGHT],
    guarantees: &["headroom-alert"],
    build,
};

/// At a larger one a burst that leaves the window at once, and the tolerance at both of its ends, hide that use
/// is above its bound all the time.
const LARGEST_SCALE: u32 = 3;
/// A minute, contract milliseconds.
const MINUTE_MS: u64 = 60_000;
/// Two scrapes and evaluations beside the storm, real milliseconds.
const SCRAPES_MS: u64 = 2_000;
/// A click so often, contract milliseconds: 25 in a minute, whether they are sent singly or as soon as
/// another slot is kept for them.
const CLICK_GAP_MS: u64 = 2_350;
/// Visitors of pages that nobody has asked for, each of whom needs two calls; with clicks and the calls that
/// others need, about 60 in a minute.
const READER_GAP_MS: u64 = 4_500;
/// The same when use grows to all that is not kept for clicks.
const MORE_GAP_MS: u64 = 1_700;
/// Two calls each, all at once: more than find room in what is not kept for clicks, so that with these nearly
/// all of the limit is used.
const BURST: u32 = 20;
const BURST_MS: u64 = 200;
/// Who wants a cold page when no slot is left, a second of real time: so many that a slot is taken as soon as
/// it is free.
const CROWD_RATE: u32 = 30;
/// Visitors of one cached page a second, real time: more than the headroom, for whoever counts them.
const VIRAL_RATE: u32 = 10;
/// Pages that nobody has asked for.
const FRESH: u32 = 80;
const COLD: u32 = 400;

fn build(settings: &Settings) -> Plan {
    let settings = &settings.at_most(LARGEST_SCALE);
    let mut timeline = Timeline::default();
    let declared = &settings.declared;
    // Until an alert is due that is measured by whole minutes of the clock.
    let due_ms = settings.contract(MINUTE_MS + declared.headroom_for_ms + declared.alert_delay_ms)
        + SCRAPES_MS;
    let mut phase = |kind, name, ms| timeline.phase(kind, name, ms);
    let control = phase(PhaseKind::Control, "two thirds of the limit are used", due_ms);
    // For a third of a minute, and until nothing of it is left in any: whoever fills the limit next would
    // else be as uneven.
    let burst_lasts = settings.contract(MINUTE_MS / 3);
    let burst_ms = burst_lasts + settings.contract(MINUTE_MS) + 500;
    let burst = phase(PhaseKind::Storm, "a burst, and nobody after it", burst_ms);
    let grows = phase(PhaseKind::Storm, "use grows", settings.contract(MINUTE_MS));
    // And for longer, since the alert is due only where use was above its bound all the time.
    let full_ms = due_ms + settings.contract(MINUTE_MS * 5 / 3);
    let full = phase(PhaseKind::Storm, "all of the limit is used", full_ms);
    let heal = phase(PhaseKind::Heal, "all is well again", settings.contract(10_000));
    phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
    let all = Window { from_ms: control.from_ms, until_ms: heal.until_ms };
    // What is called at the start is not even, and has left the minute by then.
    let from_ms = control.from_ms + settings.contract(MINUTE_MS);
    let usual = Window { from_ms, until_ms: burst.from_ms + burst_lasts };
    let at_once = Window { until_ms: burst.from_ms + BURST_MS, ..burst };
    let per_second = u32::try_from(1_000 / BURST_MS).unwrap_or(1);
    let one_by_one = |gap_ms: u64, window: Window| {
        let gap_ms = settings.contract(gap_ms);
        let calls = (window.until_ms - window.from_ms) / gap_ms + 1;
        Pace::Sequential { calls: u32::try_from(calls).unwrap_or(u32::MAX), gap_ms }
    };
    let steady = |rate| Pace::Open { shape: Shape::Steady { rate } };
    let stream = |id: &str, window: Window, pace, creators: Creators, does: Vec<Step>| Traffic {
        id: id.into(),
        from_ms: window.from_ms,
        until_ms: window.until_ms,
        pace,
        creators,
        does,
    };
    let readers = |id, window, pace, group: &str| stream(id, window, pace, in_turn(group), pages());
    let clickers = one_by_one(CLICK_GAP_MS, all);
    Plan {
        population: Population {
            groups: vec![
                group("viral", 1),
                group("fresh", FRESH),
                group("burst", BURST),
                group("cold", COLD),
            ],
        },
        traffic: vec![
            readers("viral", all, steady(VIRAL_RATE), "viral"),
            stream("clickers", all, clickers, in_turn("viral"), pages_and_clicks(1_000)),
            readers("first-visitors", usual, one_by_one(READER_GAP_MS, usual), "fresh"),
            readers("burst", at_once, steady(BURST * per_second), "burst"),
            readers("more", grows, one_by_one(MORE_GAP_MS, grows), "cold"),
            readers("crowd", full, steady(CROWD_RATE), "cold"),
        ],
        generator: settings.generator(settings.users(150, CROWD_RATE)),
        ..INFO.skeleton(settings, timeline)
    }
}

//! Linktree is gone and back, gone and back, each time for less than a breaker stays open, and then gone for
//! longer, and back for good.
//!
//! What survives one outage may not survive the next one: pages that were let go when Linktree seemed to be
//! back, clicks whose replay is cut short, an open time that has learned from every fall and from no rise.

use super::parts::{Timeline, everything, group, in_turn, pages, pages_and_clicks, rule, status};
use super::{NIGHT, ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{Pick, Rule, Window};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "flapping",
    summary: "Linktree is gone and back faster than a breaker's open time, again and again, then back for good",
    tags: &["outage", "breaker", "stale", "clicks", NIGHT],
    guarantees: &["breaker-recovers", "stale-on-outage", "clicks-delivered", "click-lag"],
    build,
};

/// Gone and back for so many hundredths of the open time: at first so that the probe finds Linktree back for
/// a moment, then so fast that it may find anything.
const BEATS: [(u64, u64); 7] =
    [(45, 80), (45, 80), (45, 80), (45, 80), (30, 35), (30, 35), (30, 35)];
/// So few that the limiter has room to spare when all are fetched again: what is not fetched then is the
/// breaker's doing.
const CREATORS: u32 = 10;
/// Visitors of these a second.
const RATE: u32 = 24;
/// Of a thousand of them so many click.
const CLICKS_PER_MILLE: u32 = 250;
/// Pages that nobody has visited before: each needs a call, whatever is cached.
const NEWCOMERS: u32 = 200;
/// Between two of them; contract time.
const GAP_MS: u64 = 3_000;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 2_000);
    let control_ms = settings.stretch(1_500);
    let control = timeline.phase(PhaseKind::Control, "an ordinary day", control_ms);
    let open_ms = settings.contract(settings.declared.breaker_open_ms);
    let mut faults = Vec::new();
    for (nth, (gone, back)) in (1..).zip(BEATS) {
        let name = format!("gone for the {} time", ordinal(nth));
        let down = timeline.phase(PhaseKind::Outage, &name, open_ms * gone / 100);
        timeline.phase(
            PhaseKind::Heal,
            &format!("back for the {} time", ordinal(nth)),
            open_ms * back / 100,
        );
        faults.push(gone_rule(nth, down));
    }
    // Longer than an open time, so that a probe meets it.
    let last_ms = open_ms + settings.longer_open_ms() + settings.contract(12_000);
    let last = timeline.phase(PhaseKind::Outage, "gone for longer", last_ms);
    faults.push(rule("gone", last, everything(), Pick::All, status(&[503])));
    // The breaker may have opened just before the end, then recovery may take 15 s, and pages expire anew.
    let heal_ms =
        settings.contract(30_000 + 15_000) + settings.longer_open_ms() + settings.stretch(8_000);
    let heal = timeline.phase(PhaseKind::Heal, "Linktree is back for good", heal_ms);
    timeline.phase(PhaseKind::Settle, "the backlog drains", settings.settle_ms(true));
    let mut plan = Plan {
        population: Population { groups: vec![group("page", CREATORS), group("new", NEWCOMERS)] },
        traffic: vec![
            Traffic {
                id: "visitors".into(),
                from_ms: warmup.from_ms,
                until_ms: heal.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
                creators: in_turn("page"),
                does: pages_and_clicks(settings.share(CLICKS_PER_MILLE)),
            },
            Traffic {
                id: "newcomers".into(),
                from_ms: control.from_ms,
                until_ms: last.until_ms,
                pace: Pace::Sequential { calls: NEWCOMERS, gap_ms: settings.contract(GAP_MS) },
                creators: in_turn("new"),
                does: pages(),
            },
        ],
        faults,
        generator: settings.generator(settings.users(200, RATE)),
        ..INFO.skeleton(settings, timeline)
    };
    // Of failures that come between successes, few are certain to have opened it.
    plan.watches.push("breaker-opens".to_owned());
    plan
}

const fn ordinal(nth: usize) -> &'static str {
    match nth {
        1 => "first",
        2 => "second",
        3 => "third",
        4 => "fourth",
        5 => "fifth",
        6 => "sixth",
        _ => "last",
    }
}

/// Everything fails, each time in another way; at once, since whoever hangs notices nothing of it.
fn gone_rule(nth: usize, window: Window) -> Rule {
    let codes: &[u16] = match nth % 3 {
        0 => &[504],
        1 => &[503],
        _ => &[500, 502],
    };
    rule(&format!("gone-{nth}"), window, everything(), Pick::All, status(codes))
}

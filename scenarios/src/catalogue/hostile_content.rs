//! Every creator attacks the visitors of the own page, each with another string in every field, and has some
//! strings of the big list of naughty ones behind it in the name and the biography, and in more links: all come
//! in the two answers that a page needs anyway.
//!
//! One visitor after the other opens one page after the other: nothing fails, and what is looked at is what
//! became of the words on the page.

use super::parts::{Timeline, in_turn, pages};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Traffic};
use mock_server::world::hostile;
use mock_server::world::population::{Group, Population, Variety};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "hostile-content",
    summary: "Creators attack their visitors: names, biographies, titles and addresses that would run script",
    tags: &["content", "security"],
    guarantees: &["html-sanitised"],
    build,
};

/// Two calls for each page, within what the limit leaves beside the crowd; contract time.
const GAP_MS: u64 = 3_500;

fn build(settings: &Settings) -> Plan {
    let creators = hostile::attacks();
    let gap_ms = settings.contract(GAP_MS);
    // Each page takes as long as its two calls, besides.
    let ms = u64::from(creators) * (gap_ms + settings.contract(100));
    let mut timeline = Timeline::default();
    let control = timeline.phase(PhaseKind::Control, "hostile pages are opened", ms);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
    let group = Group {
        prefix: "evil".into(),
        count: creators,
        min_links: 2,
        max_links: 2,
        variety: Variety::Hostile,
    };
    Plan {
        population: Population { groups: vec![group] },
        traffic: vec![Traffic {
            id: "visitors".into(),
            from_ms: control.from_ms,
            until_ms: control.until_ms,
            pace: Pace::Sequential { calls: creators, gap_ms },
            creators: in_turn("evil"),
            does: pages(),
        }],
        generator: settings.generator(8),
        ..INFO.skeleton(settings, timeline)
    }
}

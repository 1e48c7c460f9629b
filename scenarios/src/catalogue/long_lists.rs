//! Creators with hundreds of links: in short pages, with cursors that expire, and with links that come and
//! go while their lists are read.

use super::parts::{Timeline, group, in_turn, pages, routes, rule, zipf};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::contract::Route;
use mock_server::faults::{ExpiredCursor, Fault, Latency, Matcher, Pick, Rule, ShortPages, Window};
use mock_server::world::population::{Group, Population};
use mock_server::world::{PageChange, TimedEvent, WorldEvent};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "long-lists",
    summary: "Hundreds of links in short pages, under edits, with cursors that expire",
    tags: &["links", "pagination"],
    guarantees: &["cursor-pagination"],
    build,
};

/// Whose pages are read meanwhile.
const CREATORS: u32 = 6;
/// Creators of each kind: (whose, how many, fewest links, most links). With a hundred links on a page of
/// the list the longest have three.
const KINDS: [(&str, usize, u32, u32); 4] = [
    ("calm", 3, 101, 180),
    ("edited", 4, 210, 250),
    ("stingy", 4, 60, 100),
    ("lapsed", 3, 110, 180),
];
/// Answers to all but the first page of a list take so long, real milliseconds: an edit falls between two.
const SLOWLY_MS: u64 = 300;
/// So long after a creator's first visitor links come and go, while the second page is on its way.
const EDITED_AFTER_MS: u64 = 200;
/// Between two creators; contract time.
const STAGGER_MS: u64 = 7_000;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_300);
    let control = timeline.phase(PhaseKind::Control, "long lists", settings.stretch(3_000));
    let storm_ms = settings.stretch(11_000);
    let storm = timeline.phase(PhaseKind::Storm, "lists change and expire", storm_ms);
    let heal_ms = settings.stretch(7_500);
    let heal = timeline.phase(PhaseKind::Heal, "they are read again", heal_ms);
    let mut groups = vec![group("page", CREATORS)];
    let mut traffic = vec![Traffic {
        id: "visitors".into(),
        from_ms: warmup.from_ms,
        until_ms: heal.until_ms,
        pace: Pace::Open { shape: Shape::Steady { rate: 20 } },
        creators: zipf("page", 1_100),
        does: pages(),
    }];
    let stagger = settings.contract(STAGGER_MS);
    let (mut world, mut nth, mut visited) = (Vec::new(), 0, 0);
    for (kind, count, min_links, max_links) in KINDS {
        for number in 1..=count {
            let whose = format!("{kind}{number}");
            groups.push(Group { min_links, max_links, ..group(&whose, 1) });
            let first = match kind {
                "calm" => control.from_ms + number as u64 * stagger,
                _ => {
                    nth += 1;
                    storm.from_ms + nth * stagger
                }
            };
            if kind == "edited" {
                let at_ms = first + EDITED_AFTER_MS;
                let changes = [PageChange::Insert { count: 6 }, PageChange::Remove { count: 6 }];
                world.extend((0..).zip(changes).map(|(later, change)| TimedEvent {
                    at_ms: at_ms + later * 10,
                    event: WorldEvent::Edit { handles: format!("{whose}-*"), change },
                }));
            }
            // Each is visited once more when its first page has come and gone.
            visited += 1;
            let again = heal.from_ms + visited * stagger / 2;
            for (again, from_ms) in [first, again].into_iter().enumerate() {
                traffic.push(Traffic {
                    id: format!("{whose}-visitor-{again}"),
                    from_ms,
                    until_ms: heal.until_ms,
                    pace: Pace::Sequential { calls: 2, gap_ms: settings.contract(10_000) + 1_000 },
                    creators: in_turn(&whose),
                    does: pages(),
                });
            }
        }
    }
    Plan {
        population: Population { groups },
        traffic,
        faults: rules(storm),
        world,
        generator: settings.generator(100),
        ..INFO.skeleton(settings, timeline)
    }
}

/// A creator's list is asked for under one name, whatever the cursor: the first request of these is that
/// for the first page.
fn rules(storm: Window) -> Vec<Rule> {
    let lists = |whose: &str| Matcher {
        handle: Some(format!("{whose}*")),
        ..routes(&[Route::ProfileLinks])
    };
    let later = Pick::Nth { from: 1, until: 1_000_000 };
    let slowly = || Fault::Latency(Latency::Constant { ms: SLOWLY_MS });
    let short = Fault::ShortPages(ShortPages { min: 15, max: 40 });
    let expired = Fault::ExpiredCursor(ExpiredCursor {});
    vec![
        rule("slow-parts", storm, lists("edited"), later, slowly()),
        rule("slow-before-expiry", storm, lists("lapsed"), later, slowly()),
        rule("short-parts", storm, lists("stingy"), Pick::All, short),
        rule("expired", storm, lists("lapsed"), Pick::Nth { from: 1, until: 2 }, expired),
    ]
}

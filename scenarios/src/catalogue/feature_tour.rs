//! Every feature is used once with the key that was asked for; then the key can only read for a while.

use super::one_by_one::calls;
use super::parts::{Timeline, group, in_turn, pages_and_clicks};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Step, Traffic};
use crate::traffic::actions::Action;
use mock_server::faults::Window;
use mock_server::profile::ContractProfile;
use mock_server::webhooks::WebhookEvent;
use mock_server::world::population::{Group, Population};
use mock_server::world::{TimedEvent, WorldEvent};
use serde_json::Map;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "feature-tour",
    summary: "Every feature is used once, then the key is good for reads only",
    tags: &["keys", "scopes"],
    guarantees: &["least-scope"],
    build,
};

/// So few that the newcomers find room in the limiter.
const CREATORS: u32 = 4;
/// Page views a second.
const RATE: u32 = 16;
/// Between two pages that nobody has cached; contract time.
const NEWCOMER_GAP_MS: u64 = 6_000;
/// So many of them before the key can only read, and while it can.
const BEFORE: u64 = 9;
const MEANWHILE: u64 = 16;
/// Links of the creator who launches a campaign: more than anybody changes one by one, and one batch.
const LINKS: u32 = 12;
/// What a campaign is written with.
const WRITES: &str = "links:write";
/// What a page is read with.
const READS: [&str; 2] = ["profile:read", "links:read"];

fn build(settings: &Settings) -> Plan {
    let gap_ms = settings.contract(NEWCOMER_GAP_MS);
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_500);
    let tour = timeline.phase(PhaseKind::Control, "every feature is used", BEFORE * gap_ms);
    let narrow = timeline.phase(PhaseKind::Storm, "the key can only read", MEANWHILE * gap_ms);
    let back = timeline.phase(PhaseKind::Heal, "the key is as it was", settings.contract(30_000));
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
    let timed = |at_ms, event| TimedEvent { at_ms, event };
    let grant = |scopes: &[String]| WorldEvent::GrantScopes { scopes: scopes.to_vec() };
    // Whoever declares nothing has a key for campaigns, too: nobody could know better.
    let usual = || [ContractProfile::linktree_v1().keys.scopes, vec![WRITES.to_owned()]].concat();
    let declared = settings.declared.scopes.as_ref();
    let at_first = declared.is_none().then(|| timed(0, grant(&usual())));
    let scopes = declared.cloned().unwrap_or_else(usual);
    let webhook = |event| {
        let handle = "page-0001".to_owned();
        WorldEvent::SendWebhook { event, handle, data: Map::new() }
    };
    let newcomers = u32::try_from(BEFORE + MEANWHILE).unwrap_or(u32::MAX);
    let first_visits = Window { from_ms: tour.from_ms, until_ms: narrow.until_ms };
    Plan {
        population: Population {
            groups: vec![
                group("page", CREATORS),
                group("new", newcomers),
                Group { min_links: LINKS, max_links: LINKS, ..group("launch", 1) },
            ],
        },
        traffic: vec![
            Traffic {
                id: "visitors".into(),
                from_ms: warmup.from_ms,
                until_ms: back.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
                creators: in_turn("page"),
                does: pages_and_clicks(settings.share(150)),
            },
            Traffic {
                id: "owners".into(),
                from_ms: tour.from_ms,
                until_ms: tour.until_ms,
                pace: Pace::Sequential { calls: CREATORS, gap_ms: settings.contract(2_000) },
                creators: in_turn("page"),
                does: vec![Step::always(Action::Analytics)],
            },
            Traffic {
                id: "launch".into(),
                from_ms: tour.from_ms,
                until_ms: tour.until_ms,
                pace: Pace::Sequential { calls: 1, gap_ms },
                creators: in_turn("launch"),
                does: vec![Step::always(Action::Campaign)],
            },
            calls("new", newcomers, first_visits, gap_ms),
        ],
        world: at_first
            .into_iter()
            .chain([
                timed(tour.from_ms + 500, webhook(WebhookEvent::LinkClicked)),
                timed(tour.from_ms + 1_000, webhook(WebhookEvent::ProfileUpdated)),
                timed(narrow.from_ms, grant(&READS.map(str::to_owned))),
                timed(back.from_ms, grant(&scopes)),
            ])
            .collect(),
        generator: settings.generator(120),
        ..INFO.skeleton(settings, timeline)
    }
}

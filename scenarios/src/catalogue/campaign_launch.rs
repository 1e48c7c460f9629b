//! Campaigns change hundreds of links at once, while visitors come as always: the first is turned away for
//! a moment, one batch has its effect and no answer, and of every other one a fifth of the links fails.

use super::parts::{Timeline, come_back, group, in_turn, pages_and_clicks, routes, rule, zipf};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Step, Traffic};
use crate::traffic::actions::Action;
use mock_server::contract::Route;
use mock_server::faults::{
    Fault, LoseAnswer, PartialFailure, Pick, Ratio, RetryAfterSpec, Rule, Window,
};
use mock_server::world::population::{Group, Population};
use mock_server::world::{TimedEvent, WorldEvent};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "campaign-launch",
    summary: "Campaigns change hundreds of links at once, some of which fail, beside the usual visitors",
    tags: &["campaigns", "batches"],
    guarantees: &["bulk-batched"],
    build,
};

/// Whose pages are read and clicked meanwhile: with all others who come, they leave a third of the cap.
const CREATORS: u32 = 8;
/// Links of a creator who launches campaigns: more than two of these change.
const LINKS: u32 = 900;
/// What the key must be good for here.
const SCOPES: [&str; 5] =
    ["profile:read", "links:read", "links:write", "clicks:write", "webhooks:write"];
/// The second campaign of the same creator comes so soon after the first was answered, whose first call is
/// told to come back in a second; contract time.
const SOON_MS: u64 = 3_000;
/// And one of another creator after so long.
const LATER_MS: u64 = 40_000;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_500);
    timeline.phase(PhaseKind::Control, "an ordinary day", settings.stretch(4_000));
    let within = settings.contract(settings.declared.campaign_within_ms);
    let storm_ms = settings.contract(LATER_MS) + within;
    let storm = timeline.phase(PhaseKind::Storm, "campaigns are launched", storm_ms);
    let heal = timeline.phase(PhaseKind::Heal, "all is well again", 1_500);
    timeline.phase(PhaseKind::Settle, "last links and clicks arrive", settings.settle_ms(false));
    let launches = |id: &str, whose: &str, calls, from_ms| Traffic {
        id: id.into(),
        from_ms,
        until_ms: storm.until_ms,
        pace: Pace::Sequential { calls, gap_ms: settings.contract(SOON_MS) },
        creators: in_turn(whose),
        does: vec![Step::always(Action::Campaign)],
    };
    let many = |prefix| Group { min_links: LINKS, max_links: LINKS, ..group(prefix, 1) };
    let scopes = SCOPES.map(str::to_owned).into();
    Plan {
        population: Population {
            groups: vec![group("page", CREATORS), many("launch"), many("later")],
        },
        traffic: vec![
            Traffic {
                id: "visitors".into(),
                from_ms: warmup.from_ms,
                until_ms: heal.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: 20 } },
                creators: zipf("page", 1_100),
                does: pages_and_clicks(settings.share(100)),
            },
            launches("launches", "launch", 2, storm.from_ms),
            launches("later-launch", "later", 1, storm.from_ms + settings.contract(LATER_MS)),
        ],
        faults: rules(storm).into(),
        world: vec![TimedEvent { at_ms: 0, event: WorldEvent::GrantScopes { scopes } }],
        generator: settings.generator(40),
        ..INFO.skeleton(settings, timeline)
    }
}

fn rules(storm: Window) -> [Rule; 3] {
    let batches = || routes(&[Route::LinksBatch]);
    let once = |nth| Pick::Nth { from: nth, until: nth + 1 };
    let soon = come_back(429, &[RetryAfterSpec::Seconds { s: 1 }]);
    let some =
        Fault::PartialFailure(PartialFailure { ratio: Ratio { hits: 1, of: 5 }, codes: vec![503] });
    let every_other = Pick::InTurn { ratio: Ratio { hits: 1, of: 2 } };
    [
        rule("first-batch-turned-away", storm, batches(), once(0), soon),
        rule("batch-not-answered", storm, batches(), once(2), Fault::LoseAnswer(LoseAnswer {})),
        rule("some-links-fail", storm, batches(), every_other, some),
    ]
}

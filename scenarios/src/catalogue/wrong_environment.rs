//! The vault fails just when the key is rotated: sealed at first, then as if the secret had never been there.

use super::parts::{Timeline, group, in_turn, pages_and_clicks, rule};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{Fault, Matcher, Pick, Rule, VaultStatus, Window};
use mock_server::keyring::Environment;
use mock_server::services::vault;
use mock_server::world::population::Population;
use mock_server::world::{TimedEvent, WorldEvent};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "wrong-environment",
    summary: "The vault fails while the key is rotated, and has the staging key at hand",
    tags: &["keys", "vault"],
    guarantees: &["environment-separation"],
    build,
};

/// Their pages are fetched again every 40 s, which is enough calls and leaves the limiter room.
const CREATORS: u32 = 12;
/// Page views a second.
const RATE: u32 = 24;

fn build(settings: &Settings) -> Plan {
    storm(&INFO, settings, Environment::Live)
}

/// The same in any environment: the vault fails where its secret is asked for, and has that of the other.
pub(super) fn storm(info: &ScenarioInfo, settings: &Settings, environment: Environment) -> Plan {
    let pickup_ms = settings.contract(settings.declared.key_pickup_ms);
    let mut timeline = Timeline::default();
    let calm = timeline.phase(PhaseKind::Control, "all is well", 2_000);
    // So long that whoever asks the vault as seldom as may be asks it once in each.
    let fails_ms = (pickup_ms / 2).max(1_500);
    let sealed = timeline.phase(PhaseKind::Storm, "the vault is sealed", fails_ms);
    let gone = timeline.phase(PhaseKind::Storm, "the secret is not found", fails_ms);
    let back = timeline.phase(PhaseKind::Heal, "the vault is back", pickup_ms + 1_000);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
    // The old key works until after a third of it, so that calls are refused in both.
    let rotation = WorldEvent::RotateKey { overlap_ms: fails_ms / 3 };
    Plan {
        population: Population { groups: vec![group("page", CREATORS)] },
        traffic: vec![Traffic {
            id: "visitors".into(),
            from_ms: calm.from_ms,
            until_ms: back.until_ms,
            pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
            creators: in_turn("page"),
            does: pages_and_clicks(settings.share(100)),
        }],
        faults: vec![
            fails("vault-sealed", environment, sealed, 503),
            fails("secret-not-found", environment, gone, 404),
        ],
        world: vec![TimedEvent { at_ms: sealed.from_ms + 300, event: rotation }],
        generator: settings.generator(120),
        ..info.skeleton(settings, timeline)
    }
}

/// The vault answers so where the secret of this environment is asked for.
fn fails(id: &str, environment: Environment, window: Window, status: u16) -> Rule {
    let path = vault::path_of(environment).trim_start_matches("/v1/").to_owned();
    let fault = Fault::VaultStatus(VaultStatus { status, path });
    rule(id, window, Matcher::default(), Pick::All, fault)
}

//! Everything speaks TLS, and every other connection meets a bad certificate or a bad handshake.
//!
//! Half of the connections stay good, so that no breaker opens and every kind is met by calls. At last
//! Linktree is well and the vault is not: the key is revoked three times, so that whoever wants to go on
//! asks a vault whose certificate is bad.

use super::parts::{Timeline, everything, group, in_turn, pages, part, rule};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Traffic};
use mock_server::contract::Listener;
use mock_server::faults::{
    BadCertificate, BadHandshake, CertificateFlaw, Fault, HandshakeFlaw, Pick, Ratio,
};
use mock_server::world::population::Population;
use mock_server::world::{TimedEvent, WorldEvent};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "tls-faults",
    summary: "Over TLS: certificates that no client may accept, and handshakes that lead nowhere",
    tags: &["critical", "security", "tls"],
    guarantees: &["tls-verified"],
    build,
};

/// Each visitor wants a page that nobody has seen: two calls, three tries or four; contract time.
const GAP_MS: u64 = 6_000;
/// Of each certificate; of the quick profile.
const CERTIFICATE_MS: u64 = 2_000;
/// Of each handshake; of the quick profile.
const HANDSHAKE_MS: u64 = 1_500;
/// For each of the vault's certificates: a call is refused, the vault is asked in vain, and once more;
/// contract time.
const VAULT_MS: u64 = 15_000;
/// Calls under way at the end come to theirs: the longest timeout and then some; contract time.
const SETTLE_MS: u64 = 20_000;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, settings.stretch(ms));
    let calm = phase(PhaseKind::Control, "every certificate is good", 1_500);
    let half = |id, window, fault| {
        // Every other connection, the first one among them.
        let half = Pick::InTurn { ratio: Ratio { hits: 1, of: 2 } };
        rule(id, window, everything(), half, fault)
    };
    let mut faults: Vec<_> = storms()
        .map(|(id, name, ms, fault)| half(id, phase(PhaseKind::Storm, name, ms), fault))
        .into();
    let revoked_ms = 3 * settings.contract(VAULT_MS);
    let revoked =
        timeline.phase(PhaseKind::Storm, "the key is revoked, the vault shows them", revoked_ms);
    let mut world = Vec::new();
    for (n, (id, flaw)) in (0..).zip(VAULT_SHOWS) {
        let window = part(revoked, n, 3);
        let event = WorldEvent::RotateKey { overlap_ms: 0 };
        world.push(TimedEvent { at_ms: window.from_ms, event });
        faults.push(half(id, window, certificate(flaw, Some(Listener::Vault))));
    }
    let healed_ms = settings.stretch(1_500);
    let heal = timeline.phase(PhaseKind::Heal, "every certificate is good again", healed_ms);
    timeline.phase(PhaseKind::Settle, "last calls end", settings.contract(SETTLE_MS));
    let gap_ms = settings.contract(GAP_MS);
    let calls = u32::try_from((heal.until_ms - calm.from_ms) / gap_ms).unwrap_or(u32::MAX);
    Plan {
        population: Population { groups: vec![group("page", calls)] },
        traffic: vec![Traffic {
            id: "visitors".into(),
            from_ms: calm.from_ms,
            until_ms: heal.until_ms,
            pace: Pace::Sequential { calls, gap_ms },
            creators: in_turn("page"),
            does: pages(),
        }],
        faults,
        world,
        generator: settings.generator(settings.users(8, 2)),
        tls: true,
        ..INFO.skeleton(settings, timeline)
    }
}

/// What the vault shows, one after the other; the rules' ids.
const VAULT_SHOWS: [(&str, CertificateFlaw); 3] = [
    ("vault-expired", CertificateFlaw::Expired),
    ("vault-wrong-host", CertificateFlaw::WrongHost),
    ("vault-unknown-authority", CertificateFlaw::UnknownAuthority),
];

const fn certificate(flaw: CertificateFlaw, listener: Option<Listener>) -> Fault {
    Fault::BadCertificate(BadCertificate { flaw, listener })
}

/// What goes wrong, one after the other: the rule's id, the phase's name, its length, the fault.
fn storms() -> [(&'static str, &'static str, u64, Fault); 6] {
    let handshake = |how| Fault::BadHandshake(BadHandshake { how, listener: None });
    let [expired, wrong_host, unknown] =
        [CertificateFlaw::Expired, CertificateFlaw::WrongHost, CertificateFlaw::UnknownAuthority]
            .map(|flaw| certificate(flaw, None));
    let [silent, reset, old] =
        [HandshakeFlaw::Silent, HandshakeFlaw::Reset, HandshakeFlaw::OldProtocol].map(handshake);
    [
        ("expired", "certificates have expired", CERTIFICATE_MS, expired),
        ("wrong-host", "certificates are another host's", CERTIFICATE_MS, wrong_host),
        ("unknown-authority", "nobody known has signed", CERTIFICATE_MS, unknown),
        ("silent", "handshakes are not answered", HANDSHAKE_MS, silent),
        ("reset", "handshakes end with a reset", HANDSHAKE_MS, reset),
        ("old-protocol", "only TLS 1.0 is spoken", HANDSHAKE_MS, old),
    ]
}

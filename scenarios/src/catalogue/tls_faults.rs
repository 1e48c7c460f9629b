//! Everything speaks TLS, and every other connection meets a bad certificate or a bad handshake.
//!
//! Half of the connections stay good, so that no breaker opens and every kind is met by calls.

use super::parts::{Timeline, everything, group, in_turn, pages, rule};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Traffic};
use mock_server::faults::{
    BadCertificate, BadHandshake, CertificateFlaw, Fault, HandshakeFlaw, Pick, Ratio,
};
use mock_server::world::population::Population;

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

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let mut phase = |kind, name, ms| timeline.phase(kind, name, settings.stretch(ms));
    let calm = phase(PhaseKind::Control, "every certificate is good", 1_500);
    let faults = storms().map(|(id, name, ms, fault)| {
        // Every other connection, the first one among them.
        let half = Pick::InTurn { ratio: Ratio { hits: 1, of: 2 } };
        rule(id, phase(PhaseKind::Storm, name, ms), everything(), half, fault)
    });
    let heal = phase(PhaseKind::Heal, "every certificate is good again", 1_500);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
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
        faults: faults.into(),
        generator: settings.generator(settings.users(8, 2)),
        tls: true,
        ..INFO.skeleton(settings, timeline)
    }
}

/// What goes wrong, one after the other: the rule's id, the phase's name, its length, the fault.
fn storms() -> [(&'static str, &'static str, u64, Fault); 6] {
    let certificate = |flaw| Fault::BadCertificate(BadCertificate { flaw, listener: None });
    let handshake = |how| Fault::BadHandshake(BadHandshake { how, listener: None });
    let [expired, wrong_host, unknown] =
        [CertificateFlaw::Expired, CertificateFlaw::WrongHost, CertificateFlaw::UnknownAuthority]
            .map(certificate);
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

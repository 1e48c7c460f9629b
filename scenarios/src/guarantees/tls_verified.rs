//! No byte of a credential travels over a connection whose certificate did not verify.
//!
//! Blind to: connections to other hosts, and what a client would do with revoked certificates. Broken
//! by: `certificates-not-checked`, `host-names-not-checked`, `vault-certificates-not-checked`.

use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::measure::Gauge;
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::contract::Listener;
use mock_server::history::exchange::KeyPlace;
use mock_server::history::handshake::{Certificate, Credential, Handshake, HandshakeEnd};
use std::collections::HashSet;

const PROMISE: Promise = Promise {
    id: "tls-verified",
    statement: "No byte of a credential travels over a connection whose certificate did not verify.",
    priority: Priority::Critical,
    source: "checklist; RFC 9110 section 4.3.4: a certificate that does not match the host ends the \
             connection; RFC 5280 section 6 for its time and its authority",
    why: "Whoever can place a host between the service and Linktree reads the key with the first \
          request, and nobody notices: everything works.",
    usual_fix: "Leave verification as the library has it, give it the authority's file where a test or \
                an internal network needs one, and never switch checks off by a flag.",
    blind_to: "Calls to other hosts, revocation, pinned keys, and a vault that is not asked while its \
               certificate is bad.",
    bounds: &[],
    minimums: &[EXPIRED, WRONG_HOST, UNKNOWN, TRUSTED],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[],
    sees: &[Sight::Tls],
};

/// A client that has met one such certificate may have met it by chance at a check that is elsewhere.
const EXPIRED: Minimum = Minimum { name: "connections with an expired certificate", least: 2 };
const WRONG_HOST: Minimum =
    Minimum { name: "connections with another host's certificate", least: 2 };
const UNKNOWN: Minimum =
    Minimum { name: "connections with an unknown authority's certificate", least: 2 };
/// A client that trusts nobody at all has not shown that it can tell.
const TRUSTED: Minimum = Minimum { name: "calls over connections that verify", least: 5 };

/// See the module.
pub struct TlsVerified;

impl Guarantee for TlsVerified {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

fn judge(case: &Case) -> Verdict {
    let all = &case.linktree.handshakes;
    let bad: Vec<&Handshake> = all.iter().filter(|one| one.is_untrustworthy()).collect();
    let mut offences = Offences::default();
    for one in bad.iter().filter(|one| !one.credentials.is_empty()) {
        offences.add(one.t_conn, || Witness::new(one.t_conn, wrong(one)).line(ended(one)));
    }
    let shown = |shown| bad.iter().filter(|one| one.shown == Some(shown)).count();
    let verified = |one: &&Handshake| {
        one.shown == Some(Certificate::Good)
            && one.end == HandshakeEnd::Completed
            && one.listener == Listener::Linktree
    };
    let verified: HashSet<u64> = all.iter().filter(verified).filter_map(|one| one.conn).collect();
    let trusted = case.linktree.exchanges.iter().filter(|call| {
        call.head.key_places.contains(&KeyPlace::BearerHeader) && verified.contains(&call.conn)
    });
    let strength = [
        EXPIRED.seen(shown(Certificate::Expired)),
        WRONG_HOST.seen(shown(Certificate::WrongHost)),
        UNKNOWN.seen(shown(Certificate::UnknownAuthority)),
        TRUSTED.seen(trusted.count()),
    ];
    let with = |end| bad.iter().filter(|one| one.end == end).count();
    let observed = format!(
        "of {} connections that must not be trusted {} ended with an alert and {} without a word, and \
         {} went on; {} of them led to the vault",
        bad.len(),
        with(HandshakeEnd::Alert),
        with(HandshakeEnd::HungUp),
        with(HandshakeEnd::Completed) + with(HandshakeEnd::Plain),
        bad.iter().filter(|one| one.listener == Listener::Vault).count()
    );
    let shows = Gauge::none_of("untrustworthy connections that a credential came over")
        .counted(offences.count(), bad.len());
    offences.verdict(bad.len(), "connections that must not be trusted").at_least(strength).measured(
        [shows],
        observed,
        "nothing is sent before the certificate has verified",
    )
}

fn wrong(one: &Handshake) -> String {
    let what = match one.credentials.first() {
        Some(Credential::Authorization) => "an Authorization header",
        Some(Credential::VaultToken) => "an X-Vault-Token header",
        Some(Credential::Other) | None => "a credential of this run",
    };
    let why = match one.shown {
        Some(Certificate::Expired) => "whose certificate had expired",
        Some(Certificate::WrongHost) => "whose certificate names another host",
        Some(Certificate::UnknownAuthority) => "whose certificate an unknown authority has signed",
        Some(Certificate::Good) | None => "that was not encrypted",
    };
    format!("{what} came over a connection to {} {why}", one.listener.name())
}

fn ended(one: &Handshake) -> String {
    let version = one.version.as_deref().unwrap_or("no TLS");
    format!("{version}, {} bytes of requests came over it", one.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, read};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::clock::Moment;
    use mock_server::history::exchange::Exchange;

    const BAD: [Certificate; 3] =
        [Certificate::Expired, Certificate::WrongHost, Certificate::UnknownAuthority];

    fn met(conn: u64, shown: Option<Certificate>, end: HandshakeEnd) -> Handshake {
        Handshake {
            listener: Listener::Linktree,
            conn: Some(conn),
            t_conn: Moment::from_ms(conn),
            t_end: Moment::from_ms(conn + 1),
            end,
            shown,
            server_name: None,
            version: None,
            alert: None,
            bytes: 0,
            credentials: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Two of each bad certificate are refused, and five calls go over a good connection.
    fn sound() -> Vec<Handshake> {
        let refused = BAD.into_iter().chain(BAD).zip(10..);
        let refused = refused.map(|(shown, conn)| met(conn, Some(shown), HandshakeEnd::Alert));
        refused.chain([met(1, Some(Certificate::Good), HandshakeEnd::Completed)]).collect()
    }

    fn verdict(handshakes: Vec<Handshake>, calls: impl IntoIterator<Item = Exchange>) -> Verdict {
        let mut history = History::over(&[]).exchanges(calls);
        history.case.linktree.handshakes = handshakes;
        history.judged_by(&TlsVerified)
    }

    fn judged(handshakes: Vec<Handshake>, calls: u64) -> VerdictKind {
        verdict(handshakes, (0..calls).map(|n| read("ann", n))).kind
    }

    fn with(changed: Handshake) -> VerdictKind {
        judged([sound(), vec![changed]].concat(), 5)
    }

    #[test]
    fn bad_certificates_that_are_refused_hold() {
        assert_eq!(judged(sound(), 5), Held);
        // Some look only after the handshake, and send nothing.
        assert_eq!(with(met(20, Some(Certificate::WrongHost), HandshakeEnd::Completed)), Held);
        let request = met(20, Some(Certificate::Expired), HandshakeEnd::Completed);
        assert_eq!(with(Handshake { bytes: 40, ..request }), Held);
        assert_eq!(with(met(20, None, HandshakeEnd::HungUp)), Held);
    }

    #[test]
    fn a_credential_over_a_connection_that_does_not_verify_violates() {
        let sends = |one: Handshake, credential| Handshake {
            bytes: 90,
            credentials: vec![credential],
            ..one
        };
        for credential in [Credential::Authorization, Credential::VaultToken, Credential::Other] {
            for shown in BAD {
                let one = met(20, Some(shown), HandshakeEnd::Completed);
                assert_eq!(with(sends(one.clone(), credential)), Violated);
                let vault = Handshake { listener: Listener::Vault, conn: None, ..one };
                assert_eq!(with(sends(vault, credential)), Violated);
            }
            assert_eq!(with(sends(met(20, None, HandshakeEnd::Plain), credential)), Violated);
        }
        let alone =
            sends(met(1, Some(Certificate::Expired), HandshakeEnd::Completed), Credential::Other);
        assert_eq!(judged(vec![alone], 0), Violated);
    }

    #[test]
    fn whoever_met_too_little_has_shown_nothing() {
        assert_eq!(judged(vec![], 0), Inconclusive);
        assert_eq!(judged(sound(), 4), Inconclusive);
        for left_out in 0..6 {
            let mut handshakes = sound();
            handshakes.remove(left_out);
            assert_eq!(judged(handshakes, 5), Inconclusive, "{left_out}");
        }
        // Plain calls of a run without TLS, and calls over connections that should not be trusted.
        assert_eq!(judged(sound()[..6].to_vec(), 20), Inconclusive);
        let elsewhere = |_| Exchange { conn: 10, ..read("ann", 1) };
        assert_eq!(verdict(sound(), (0..9).map(elsewhere)).kind, Inconclusive);
        let without_key = |_| Exchange { key_places: vec![], ..read("ann", 1) };
        assert_eq!(verdict(sound(), (0..9).map(without_key)).kind, Inconclusive);
    }

    #[test]
    fn calls_count_over_connections_to_linktree_that_verified_to_the_end() {
        let judged = |one: Handshake| {
            let call = |_| Exchange { conn: 30, ..read("ann", 1) };
            verdict([sound(), vec![one]].concat(), (0..9).map(call)).kind
        };
        let good = |end| met(30, Some(Certificate::Good), end);
        assert_eq!(judged(good(HandshakeEnd::Completed)), Held);
        for end in [HandshakeEnd::Alert, HandshakeEnd::HungUp, HandshakeEnd::Open] {
            assert_eq!(judged(good(end)), Inconclusive, "{end:?}");
        }
        for shown in BAD {
            assert_eq!(judged(met(30, Some(shown), HandshakeEnd::Completed)), Inconclusive);
        }
        // A number among Linktree's connections is no other server's.
        let vault = Handshake { listener: Listener::Vault, ..good(HandshakeEnd::Completed) };
        assert_eq!(judged(vault), Inconclusive);
    }

    #[test]
    fn how_connections_ended_that_must_not_be_trusted_is_told() {
        let more = [
            met(20, Some(Certificate::Expired), HandshakeEnd::HungUp),
            met(21, Some(Certificate::WrongHost), HandshakeEnd::Completed),
            met(22, Some(Certificate::WrongHost), HandshakeEnd::Completed),
            met(23, None, HandshakeEnd::Plain),
            met(24, None, HandshakeEnd::HungUp),
            Handshake {
                listener: Listener::Vault,
                ..met(25, Some(Certificate::Expired), HandshakeEnd::Alert)
            },
        ];
        let verdict = verdict([sound(), more.to_vec()].concat(), (0..5).map(|n| read("ann", n)));
        let said = "of 11 connections that must not be trusted 7 ended with an alert and 1 without a \
                    word, and 3 went on; 1 of them led to the vault";
        assert!(verdict.observed.contains(said), "{}", verdict.observed);
        assert_eq!(verdict.seen, 11);
    }

    #[test]
    fn what_came_over_which_connection_is_told() {
        #[track_caller]
        fn check(one: Handshake, what: &str, line: &str) {
            let verdict = verdict(vec![one], []);
            assert_eq!((verdict.violations, verdict.seen), (1, 1));
            let [witness] = &verdict.witnesses[..] else { panic!("{:?}", verdict.witnesses) };
            assert_eq!((&*witness.what, &*witness.story[0]), (what, line));
            assert_eq!(witness.at, Moment::from_ms(9));
        }
        let sent = |shown: Option<Certificate>, end, credential| Handshake {
            bytes: 90,
            credentials: vec![credential],
            version: shown.map(|_| "TLSv1_3".into()),
            ..met(9, shown, end)
        };
        let [expired, elsewhere, unknown] = BAD.map(Some);
        check(
            sent(expired, HandshakeEnd::Completed, Credential::Authorization),
            "an Authorization header came over a connection to linktree whose certificate had expired",
            "TLSv1_3, 90 bytes of requests came over it",
        );
        check(
            Handshake {
                listener: Listener::Vault,
                ..sent(elsewhere, HandshakeEnd::Completed, Credential::VaultToken)
            },
            "an X-Vault-Token header came over a connection to vault whose certificate names another host",
            "TLSv1_3, 90 bytes of requests came over it",
        );
        check(
            sent(unknown, HandshakeEnd::Completed, Credential::Other),
            "a credential of this run came over a connection to linktree whose certificate an unknown \
             authority has signed",
            "TLSv1_3, 90 bytes of requests came over it",
        );
        check(
            sent(None, HandshakeEnd::Plain, Credential::Other),
            "a credential of this run came over a connection to linktree that was not encrypted",
            "no TLS, 90 bytes of requests came over it",
        );
    }
}

//! Faults of the connection, before any request was read from it.

use super::sight::{Ending, connect, look, look_at_profile};
use super::{PROFILE, kinds};
use crate::rig::{Client, Rig, always, click, config};
use mock_server::contract::Route;
use mock_server::faults::{Fault, Hold, NoConnect, Pick, Refuse, Reset, ResetAt, Rule, TlsAlert};
use mock_server::history::exchange::End;
use mock_server::server::MockLinktree;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn a_reset_at_accept_hits_the_connections_that_it_counts() {
    let fault = Fault::Reset(Reset { at: ResetAt::Accept });
    let pick = Pick::Nth { from: 1, until: 3 };
    let rig = Rig::new(|config| config.rules = vec![Rule { pick, ..always("it", fault) }]);
    let ends: Vec<_> = (0..4).map(|_| look_at_profile(&rig)).map(|sight| sight.end).collect();
    assert_eq!(ends, [Ending::KeptOpen, Ending::Reset, Ending::Reset, Ending::KeptOpen]);
    let records = rig.tape.wait(4);
    let broken: Vec<_> = records.iter().filter(|record| record.is_connection_only()).collect();
    assert_eq!(broken.len(), 2);
    for (nth, record) in (1..).zip(broken) {
        assert_eq!(
            (record.end, record.route, record.conn),
            (End::ServerReset, Route::Unknown, nth)
        );
        assert_eq!((record.method.as_str(), record.status, record.clicks.len()), ("", None, 0));
        let mark = &record.faults[0];
        assert_eq!((mark.kind.name(), mark.key.as_str(), mark.nth), ("reset", "connection", nth));
    }
}

#[test]
fn a_tls_alert_answers_a_client_hello_and_plain_http_alike() {
    let rig = Rig::with_fault(Fault::TlsAlert(TlsAlert { alert: 40 }));
    for first in ["\u{16}\u{3}\u{1}\0\u{5}hello", "GET /v1/me HTTP/1.1\r\n\r\n"] {
        let sight = look(&rig, first, false);
        assert_eq!((sight.bytes, sight.end), (vec![21, 3, 3, 0, 2, 2, 40], Ending::Closed));
    }
    drop(rig.client()); // it leaves without a byte, and has met nothing
    assert_eq!(look_at_profile(&rig).bytes.len(), 7);
    let records = rig.tape.wait(3);
    assert!(records.iter().all(|one| one.is_connection_only() && kinds(one) == ["tls-alert"]));
    assert_eq!(records.len(), 3);
}

fn refusing() -> Rig {
    shutting(Fault::Refuse(Refuse {}))
}

/// A mock that is not armed yet.
fn shutting(fault: Fault) -> Rig {
    let tape = std::sync::Arc::default();
    let mut config = config(&tape);
    config.rules = vec![always("it", fault)];
    let clock = config.clock;
    Rig { mock: MockLinktree::start(config).unwrap(), tape, clock }
}

fn is_refused(rig: &Rig) -> bool {
    match TcpStream::connect(("127.0.0.1", rig.mock.port())) {
        Ok(_) => false,
        // Who was on the way in when the port closed may be reset.
        Err(error) => {
            let kind = error.kind();
            assert!(matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset));
            kind == ErrorKind::ConnectionRefused
        }
    }
}

fn wait_until(rig: &Rig, what: &str, is_so: impl Fn() -> bool) {
    let deadline = rig.clock.now().plus(crate::rig::PATIENCE);
    while !is_so() {
        assert!(rig.clock.now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn connections_are_refused_while_the_window_is_open_and_accepted_on_the_same_port_afterwards() {
    let rig = refusing();
    for _ in 0..2 {
        let mut early = rig.client();
        early.write(&rig.request("GET", PROFILE, "", ""));
        assert_eq!(early.answer().status, 200, "before");
        let armed = rig.clock.now();
        rig.mock.arm(armed);
        wait_until(&rig, "the port stays open", || is_refused(&rig));
        let gone = early.rest();
        assert_eq!(gone, (String::new(), Err(ErrorKind::ConnectionReset)), "open ones end, too");
        assert!((0..20).all(|_| is_refused(&rig)));
        // Armed for later, the window is not open now.
        rig.mock.arm(rig.clock.now().plus(Duration::from_secs(3_600)));
        wait_until(&rig, "the port stays closed", || !is_refused(&rig));
        let mut late = Client::to(rig.mock.port());
        late.write(&rig.request("GET", PROFILE, "", ""));
        assert_eq!(late.answer().status, 200);
        let is_refusal =
            |kinds: Vec<&str>, lasted: Duration| kinds == ["refuse"] && lasted > Duration::ZERO;
        let records = rig.tape.wait(1);
        let spans = records.iter().filter(|one| one.t_conn >= armed && one.is_connection_only());
        let spans = spans.filter(|one| is_refusal(kinds(one), one.t_end.since(one.t_conn)));
        assert!(spans.count() >= 1, "the history knows when nobody listened");
    }
    assert_eq!(rig.tape.overloads(), 0);
}

/// Proves that nothing goes on inside while nobody is let in: neither a body that is still coming nor
/// an answer that waits; and that what had been done by then is in the record.
#[test]
fn exchanges_under_way_are_reset_and_recorded_with_what_they_had_done() {
    let rig = Rig::with_fault(Fault::Hold(Hold {}));
    let mut held = rig.client();
    let body = click("e1", "l1");
    held.write(&rig.request("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &body));
    let mut half = rig.client();
    half.write("POST /v1/clicks HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx");
    wait_until(&rig, "nothing is under way", || rig.mock.in_flight() == 2);
    rig.mock.add_rule(always("gone", Fault::Refuse(Refuse {}))).unwrap();
    for client in [&mut held, &mut half] {
        assert_eq!(client.rest(), (String::new(), Err(ErrorKind::ConnectionReset)));
    }
    let mut records = rig.tape.wait(2);
    records.sort_by_key(|record| record.id);
    for record in &records {
        assert_eq!((record.end, record.status), (End::ServerReset, None));
        assert_eq!(kinds(record).last(), Some(&"refuse"));
        assert!(!record.is_connection_only() && record.is_definite_failure());
    }
    assert!(records[0].clicks[0].effect && records[1].clicks.is_empty());
    assert_eq!(rig.mock.clicks_counted(), 1);
}

#[test]
fn handshakes_are_dropped_while_the_window_is_open_and_answered_on_the_same_port_afterwards() {
    let rig = shutting(Fault::NoConnect(NoConnect {}));
    for _ in 0..2 {
        let mut early = rig.client();
        early.write(&rig.request("GET", PROFILE, "", ""));
        assert_eq!(early.answer().status, 200, "before");
        let armed = rig.clock.now();
        rig.mock.arm(armed);
        let gone = early.rest();
        assert_eq!(gone, (String::new(), Err(ErrorKind::ConnectionReset)), "open ones end");
        wait_until(&rig, "handshakes are answered", || {
            connect(&rig).err() == Some(Ending::Unanswered)
        });
        assert!((0..3).all(|_| connect(&rig).err() == Some(Ending::Unanswered)));
        // Armed for later, the window is not open now.
        rig.mock.arm(rig.clock.now().plus(Duration::from_secs(3_600)));
        wait_until(&rig, "no handshake is answered", || connect(&rig).is_ok());
        assert_eq!(look_at_profile(&rig).status(), Some(200));
        let spans = rig.tape.wait(1).into_iter().filter(|one| one.t_conn >= armed);
        let spans: Vec<_> = spans.filter(|one| one.is_connection_only()).collect();
        let [span] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((kinds(span), span.end), (vec!["no-connect"], End::ServerReset));
        assert!(span.t_end > span.t_conn, "the history knows when nobody could connect");
    }
    assert_eq!(rig.tape.complaints(), [""; 0]);
}

#[test]
fn a_mock_that_stops_while_it_refuses_has_recorded_so() {
    let rig = refusing();
    rig.mock.arm(rig.clock.now());
    wait_until(&rig, "the port stays open", || is_refused(&rig));
    let (mock, tape) = (rig.mock, rig.tape);
    mock.stop();
    let records = tape.wait(1);
    let last = records.last().unwrap();
    assert_eq!((last.end, kinds(last)), (End::Open, vec!["refuse"]));
}

#[test]
fn nobody_else_gets_the_port_while_it_is_refused() {
    let rig = refusing();
    rig.mock.arm(rig.clock.now());
    wait_until(&rig, "the port stays open", || is_refused(&rig));
    let port = rig.mock.port();
    let others: Vec<_> =
        (0..200).map(|_| std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
    assert!(others.iter().all(|other| other.local_addr().unwrap().port() != port));
    rig.mock.arm(rig.clock.now().plus(Duration::from_secs(3_600)));
    wait_until(&rig, "the port stays closed", || !is_refused(&rig));
}

#[test]
fn a_connection_that_is_not_hit_is_served_as_ever() {
    let fault = Fault::TlsAlert(TlsAlert { alert: 80 });
    let pick = Pick::Nth { from: 9, until: 10 };
    let rig = Rig::new(|config| config.rules = vec![Rule { pick, ..always("it", fault) }]);
    let mut stream = TcpStream::connect(("127.0.0.1", rig.mock.port())).unwrap();
    stream.write_all(b"GET /v1/health HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

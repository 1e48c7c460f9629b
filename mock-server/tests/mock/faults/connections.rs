//! Faults of the connection, before any request was read from it.

use super::sight::{Ending, look, look_at_profile};
use super::{PROFILE, kinds};
use crate::rig::{Client, Rig, always, config};
use mock_server::contract::Route;
use mock_server::faults::{Fault, Pick, Refuse, Reset, ResetAt, Rule, TlsAlert};
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
    let tape = std::sync::Arc::default();
    let mut config = config(&tape);
    config.rules = vec![always("it", Fault::Refuse(Refuse {}))];
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
    let mut early = rig.client();
    let mut profile = |text: &str| {
        early.write(&rig.request("GET", PROFILE, "", ""));
        assert_eq!(early.answer().status, 200, "{text}");
    };
    profile("before");
    for _ in 0..2 {
        let armed = rig.clock.now();
        rig.mock.arm(armed);
        wait_until(&rig, "the port stays open", || is_refused(&rig));
        profile("a connection that was there before goes on");
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

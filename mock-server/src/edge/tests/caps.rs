//! What the mock cannot bear it says: to the client, and in the history as its own overload.

use super::super::Tuning;
use super::tuned;
use crate::faults::{Fault, Stall, StallAt};
use crate::rig::{Client, Rig, always};

fn said(rig: Rig) -> Vec<String> {
    let tape = std::sync::Arc::clone(&rig.tape);
    rig.mock.stop();
    tape.complaints()
}

#[test]
fn one_request_too_many_is_answered_503_and_the_others_go_on() {
    let stall = Fault::Stall(Stall { at: StallAt::BeforeHead });
    let rig = tuned(Tuning { in_flight: 2, ..Tuning::default() }, |config| {
        config.rules = vec![always("stall", stall)];
        config.rules[0].matcher.handle = Some("viral-*".into());
    });
    let stalled: Vec<_> = (0..2)
        .map(|_| {
            let mut client = rig.client();
            client.write(&rig.request("GET", "/v1/profiles/viral-0001", "", ""));
            client
        })
        .collect();
    while rig.mock.in_flight() < 2 {
        std::thread::yield_now();
    }
    let answer = rig.get("/v1/me");
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("too many requests at once"), "{}", answer.body);
    assert_eq!(answer.header("connection").as_deref(), Some("close"));
    drop(stalled);
    rig.tape.wait(3);
    while rig.mock.in_flight() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(rig.get("/v1/me").status, 200, "there is room again");
    assert_eq!(said(rig), ["too many requests at once"]);
}

#[test]
fn half_open_connections_give_way_and_then_whoever_asks_for_nothing() {
    let rig = tuned(Tuning { connections: 2, ..Tuning::default() }, |_| {});
    let ask = |client: &mut Client| {
        client.write(&rig.request("GET", "/v1/me", "", ""));
        assert_eq!(client.answer().status, 200);
    };
    let mut first = rig.client();
    ask(&mut first);
    let mut half_open = rig.client();
    half_open.write("GET /v1/me HTTP/1.1\r\nHost: ");
    let mut second = rig.client();
    ask(&mut second);
    assert_eq!(half_open.rest().0, "", "it never asked");
    ask(&mut first);
    let mut third = rig.client();
    ask(&mut third);
    assert_eq!(second.rest().0, "", "it has asked for nothing for longest");
    ask(&mut first);
    drop((first, third));
    while rig.mock.connections() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(rig.get("/v1/me").status, 200, "there is room again");
    rig.tape.wait(6);
    let mut said = said(rig);
    said.dedup();
    assert_eq!(said, ["too many connections at once"]);
}

#[test]
fn one_connection_too_many_is_closed_while_all_others_are_being_answered() {
    let stall = Fault::Stall(Stall { at: StallAt::BeforeHead });
    let rig = tuned(Tuning { connections: 1, ..Tuning::default() }, |config| {
        config.rules = vec![always("stall", stall)];
    });
    let mut stalled = rig.client();
    stalled.write(&rig.request("GET", "/v1/me", "", ""));
    while rig.mock.in_flight() == 0 {
        std::thread::yield_now();
    }
    assert_eq!(rig.client().rest().0, "");
    assert!(stalled.is_silent());
    drop(stalled);
    assert_eq!(said(rig), ["too many connections at once"]);
}

#[test]
fn more_requests_than_places_with_wiremock_wait_for_a_place() {
    let rig = tuned(Tuning { backend: 2, ..Tuning::default() }, |_| {});
    let request = rig.request("GET", "/v1/profiles/tail-0001", "", "");
    let mut clients: Vec<_> = (0..40).map(|_| rig.client()).collect();
    for client in &mut clients {
        client.write(&request);
    }
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
    assert!(said(rig).is_empty());
}

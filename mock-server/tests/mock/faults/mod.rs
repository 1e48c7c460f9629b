//! What a client sees of each fault, byte for byte, and what the recorder says of it.

mod answers;
mod bytes;
mod connections;
mod handshakes;
mod privacy;
mod sight;
mod table;
mod words;

use crate::rig::{Rig, always, click};
use mock_server::clock::Clock;
use mock_server::faults::{
    Fault, Latency, LoseAnswer, Pick, Reset, ResetAt, RetryAfterSpec, Stall, StallAt, Status,
    Truncate,
};
use mock_server::history::exchange::{End, Exchange, RetryAfterForm};
use std::io::ErrorKind;
use std::time::Duration;

const PROFILE: &str = "/v1/profiles/tail-0001";

fn only(rig: &Rig) -> Exchange {
    rig.tape.wait(1).remove(0)
}

fn kinds(exchange: &Exchange) -> Vec<&str> {
    exchange.faults.iter().map(|mark| mark.kind.name()).collect()
}

#[test]
fn a_status_is_answered_instead_of_the_profile() {
    let status = Status { codes: vec![503], retry_after: vec![RetryAfterSpec::Seconds { s: 2 }] };
    let rig = Rig::with_fault(Fault::Status(status));
    let answer = rig.get(PROFILE);
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after").as_deref(), Some("2"));
    assert!(answer.header("x-ratelimit-remaining").is_some());
    let record = only(&rig);
    assert_eq!(
        (record.end, record.status, record.version.as_ref()),
        (End::Complete, Some(503), None)
    );
    assert_eq!(kinds(&record), ["status"]);
    let after = record.retry_after.unwrap();
    assert_eq!(after.until, Some(record.t_w.unwrap().plus(Duration::from_secs(2))));
    assert_eq!(record.faults[0].key, "GET /v1/profiles/tail-0001");
    assert!(!record.over_limit);
}

#[test]
fn a_date_is_a_whole_second_that_is_never_early() {
    let status = Status { codes: vec![429], retry_after: vec![RetryAfterSpec::Date { s: 3 }] };
    let rig = Rig::with_fault(Fault::Status(status));
    let before = Clock::wall();
    let answer = rig.get(PROFILE);
    let date = httpdate::parse_http_date(&answer.header("retry-after").unwrap()).unwrap();
    let wait = date.duration_since(before).unwrap();
    assert!(wait >= Duration::from_secs(3), "{wait:?}");
    let record = only(&rig);
    let after = record.retry_after.as_ref().unwrap();
    assert_eq!(after.form, RetryAfterForm::Date);
    let until = after.until.unwrap().since(record.t_first.unwrap());
    assert!(
        until > Duration::from_millis(2_900) && until < Duration::from_millis(4_100),
        "{until:?}"
    );
}

#[test]
fn latency_comes_before_the_head() {
    let rig = Rig::with_fault(Fault::Latency(Latency::Constant { ms: 80 }));
    assert_eq!(rig.get(PROFILE).status, 200);
    let record = only(&rig);
    assert!(record.t_first.unwrap().since(record.t_req) >= Duration::from_millis(80));
    assert_eq!(kinds(&record), ["latency"]);
}

#[test]
fn a_client_that_leaves_while_it_is_delayed_is_recorded_when_it_leaves() {
    let rig = Rig::with_fault(Fault::Latency(Latency::Constant { ms: 3_600_000 }));
    let mut client = rig.client();
    client.write(&rig.request("GET", PROFILE, "", ""));
    assert!(client.is_silent());
    let left = rig.clock.now();
    drop(client);
    let record = only(&rig);
    assert_eq!(record.end, End::ClientAbort);
    assert!(record.t_end >= left && record.t_end.since(left) < Duration::from_secs(5));
    assert_eq!((record.status, record.t_w, record.t_first), (None, None, None));
}

#[test]
fn a_stall_before_the_head_sends_nothing_until_the_client_leaves() {
    let rig = Rig::with_fault(Fault::Stall(Stall { at: StallAt::BeforeHead }));
    let mut client = rig.client();
    let body = click("e1", "l1");
    client.write(&rig.request("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &body));
    assert!(client.is_silent());
    client.close_write();
    let record = only(&rig);
    assert_eq!((record.end, record.status), (End::ClientAbort, None));
    assert_eq!((record.clicks[0].effect, record.clicks[0].status), (false, 0));
    assert_eq!(rig.mock.clicks_counted(), 0, "nothing is done");
}

#[test]
fn a_stall_before_the_body_sends_the_head_alone() {
    let rig = Rig::with_fault(Fault::Stall(Stall { at: StallAt::BeforeBody }));
    let mut client = rig.client();
    client.write(&rig.request("GET", PROFILE, "", ""));
    assert!(client.head().starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(client.is_silent());
    drop(client);
    let record = only(&rig);
    assert_eq!((record.end, record.status, record.t_w), (End::ClientAbort, Some(200), None));
}

#[test]
fn a_trickle_comes_byte_by_byte_and_is_whole_at_last() {
    let rig = Rig::with_fault(Fault::Stall(Stall { at: StallAt::Trickle { every_ms: 1 } }));
    let answer = rig.get("/v1/profiles/nobody");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["error"]["code"], "not_found");
    let record = only(&rig);
    assert_eq!(record.end, End::Complete);
    let time = record.t_w.unwrap().since(record.t_first.unwrap());
    assert!(time >= Duration::from_millis(answer.body.len() as u64), "{time:?}");
}

#[test]
fn a_reset_before_the_head_is_an_rst_without_a_byte() {
    let rig = Rig::with_fault(Fault::Reset(Reset { at: ResetAt::BeforeHead }));
    assert_eq!(rig.raw(PROFILE), (String::new(), Err(ErrorKind::ConnectionReset)));
    let record = only(&rig);
    assert_eq!((record.end, record.status, record.nonce), (End::ServerReset, None, None));
}

#[test]
fn a_reset_in_the_body_is_an_rst_after_half_of_it() {
    let rig = Rig::with_fault(Fault::Reset(Reset { at: ResetAt::MidBody }));
    let (text, end) = rig.raw(PROFILE);
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    // The kernel may drop what was not read before the RST, but never shows more than half.
    if let Some((head, body)) = text.split_once("\r\n\r\n") {
        assert_eq!(body.len(), length(head) / 2);
    }
    let record = only(&rig);
    assert_eq!((record.end, record.status), (End::ServerReset, Some(200)));
}

#[test]
fn a_truncated_body_is_shorter_than_its_head_says() {
    let rig = Rig::with_fault(Fault::Truncate(Truncate { percent: 25 }));
    let (text, end) = rig.raw(PROFILE);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!((body.len(), end), (length(head) / 4, Ok(())));
    assert_eq!(only(&rig).end, End::Truncated);
}

fn length(head: &str) -> usize {
    let line = head.lines().find(|line| line.starts_with("content-length")).unwrap();
    line.split_once(": ").unwrap().1.parse().unwrap()
}

#[test]
fn a_lost_answer_has_its_effect_and_the_next_delivery_repeats_it() {
    let lose = Fault::LoseAnswer(LoseAnswer {});
    let first = Pick::Nth { from: 0, until: 1 };
    let rig = Rig::new(|config| {
        config.rules = vec![mock_server::faults::Rule { pick: first, ..always("once", lose) }];
    });
    let body = click("e1", "l1");
    let mut client = rig.client();
    client.write(&rig.request("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &body));
    assert_eq!(client.rest(), (String::new(), Ok(())));
    let again = rig.send("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &body);
    assert_eq!(again.status, 202);
    let records = rig.tape.wait(2);
    assert_eq!(records[0].end, End::ServerReset);
    assert!(records[0].clicks[0].effect && !records[1].clicks[0].effect);
    assert_eq!(records[0].faults[0].key, "POST /v1/clicks k");
    assert_eq!(rig.mock.clicks_counted(), 1);
}

#[test]
fn an_answer_without_a_body_cannot_stop_inside_it_and_is_not_marked() {
    for fault in [
        Fault::Truncate(Truncate { percent: 0 }),
        Fault::Reset(Reset { at: ResetAt::MidBody }),
        Fault::Stall(Stall { at: StallAt::BeforeBody }),
        Fault::Stall(Stall { at: StallAt::Trickle { every_ms: 3_600_000 } }),
    ] {
        let rig = Rig::with_fault(fault);
        let answer = rig.send("GET", PROFILE, "If-None-Match: *\r\n", "");
        assert_eq!((answer.status, answer.body.as_str()), (304, ""));
        let record = only(&rig);
        assert_eq!((record.end, record.faults.len()), (End::Complete, 0));
        assert!(record.version.is_some(), "a 304 still names the version");
    }
}

#[test]
fn nothing_happens_before_arming() {
    let tape = std::sync::Arc::default();
    let mut config = crate::rig::config(&tape);
    config.rules = vec![always("it", Fault::Reset(Reset { at: ResetAt::BeforeHead }))];
    let clock = config.clock;
    let rig = Rig { mock: mock_server::server::MockLinktree::start(config).unwrap(), tape, clock };
    assert_eq!(rig.get(PROFILE).status, 200);
    rig.mock.arm(rig.clock.now());
    assert_eq!(rig.raw(PROFILE).1, Err(ErrorKind::ConnectionReset));
}

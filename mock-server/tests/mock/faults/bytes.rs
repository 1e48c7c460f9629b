//! Faults of the bytes: how an answer breaks, dawdles or waits on its way.

use super::sight::{Ending, Sight, look, look_at_profile};
use super::{PROFILE, kinds, only};
use crate::rig::{Rig, click};
use mock_server::faults::{
    BadChunk, Bandwidth, ChunkFlaw, EmptyReply, Fault, Garbage, HeadFlaw, Hold, MalformedHead,
    SlowClose, Stall, StallAt,
};
use mock_server::history::exchange::{End, Exchange};
use std::time::Duration;

#[test]
fn a_stall_inside_the_body_sends_a_part_of_it() {
    let rig = Rig::with_fault(Fault::Stall(Stall { at: StallAt::MidBody { percent: 25 } }));
    let sight = look(&rig, &rig.request("GET", PROFILE, "", ""), true);
    assert_eq!((sight.status(), sight.end), (Some(200), Ending::Silence));
    assert_eq!(sight.body().len(), sight.promised().unwrap() / 4);
    let record = only(&rig);
    assert_eq!((record.end, record.t_w, kinds(&record)), (End::ClientAbort, None, vec!["stall"]));
}

/// A click, whose record says whether it had its effect.
fn look_at_click(rig: &Rig) -> Sight {
    let body = click("e1", "l1");
    look(rig, &rig.request("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &body), false)
}

#[test]
fn an_empty_reply_is_a_close_without_a_byte_or_an_effect() {
    let rig = Rig::with_fault(Fault::EmptyReply(EmptyReply {}));
    let sight = look_at_click(&rig);
    assert_eq!((sight.bytes.len(), sight.end), (0, Ending::Closed));
    let record = only(&rig);
    assert_eq!((record.end, record.status), (End::ServerReset, None));
    assert_eq!((record.clicks[0].status, record.clicks[0].effect), (0, false));
    assert_eq!(rig.mock.clicks_counted(), 0);
    assert!(record.is_definite_failure());
}

#[test]
fn garbage_is_no_http_has_no_effect_and_is_the_same_for_the_same_seed() {
    let seen = |seed| {
        let rig = Rig::new(|config| {
            config.seed = seed;
            config.rules = vec![crate::rig::always("it", Fault::Garbage(Garbage { bytes: 48 }))];
        });
        let sight = look_at_click(&rig);
        assert_eq!((sight.bytes.len(), sight.end), (48, Ending::Closed));
        assert!(!sight.bytes[0].is_ascii());
        let record = only(&rig);
        assert_eq!((record.end, record.status), (End::ServerReset, None));
        assert_eq!(rig.mock.clicks_counted(), 0);
        sight.bytes
    };
    assert_eq!(seen(7), seen(7));
    assert_ne!(seen(7), seen(8));
}

#[test]
fn bad_chunks_break_off_after_the_effect() {
    let check = |flaw, tail: &[u8]| {
        let rig = Rig::with_fault(Fault::BadChunk(BadChunk { flaws: vec![flaw] }));
        let sight = look_at_click(&rig);
        assert_eq!((sight.status(), sight.end), (Some(202), Ending::Closed), "{flaw:?}");
        assert_eq!(sight.values("transfer-encoding"), ["chunked"]);
        assert_eq!((sight.promised(), sight.values("connection")), (None, vec!["close".into()]));
        assert!(sight.body().ends_with(tail), "{flaw:?}");
        assert!(!sight.body().ends_with(b"0\r\n\r\n"));
        assert_eq!(rig.mock.clicks_counted(), 1);
        let record = only(&rig);
        assert_eq!((record.end, kinds(&record)), (End::Truncated, vec!["bad-chunk"]));
    };
    check(ChunkFlaw::InvalidSize, b"\r\nsize\r\n");
    check(ChunkFlaw::MissingEnd, b"}\r\n");
    check(ChunkFlaw::ShortChunk, b"");
}

#[test]
fn a_narrow_line_takes_its_time_and_delivers_everything() {
    let rig = Rig::with_fault(Fault::Bandwidth(Bandwidth { bytes_per_s: 4_000 }));
    let sight = look_at_profile(&rig);
    assert_eq!((sight.end, sight.promised()), (Ending::KeptOpen, Some(sight.body().len())));
    let record = only(&rig);
    assert!(record.is_success() && kinds(&record) == ["bandwidth"]);
    let took = record.t_w.unwrap().since(record.t_first.unwrap());
    let least = Duration::from_millis(sight.bytes.len() as u64 * 1_000 / 4_000);
    assert!(took >= least, "{took:?} for {} bytes", sight.bytes.len());
}

#[test]
fn a_slow_close_comes_after_a_whole_answer_was_recorded() {
    let rig = Rig::with_fault(Fault::SlowClose(SlowClose { ms: 300 }));
    let sight = look_at_profile(&rig);
    let seen = rig.clock.now();
    assert_eq!((sight.end, sight.values("connection")), (Ending::Closed, vec!["close".into()]));
    assert_eq!(sight.promised(), Some(sight.body().len()));
    let record = only(&rig);
    assert!(record.is_success());
    let late = seen.since(record.t_w.unwrap());
    assert!(late >= Duration::from_millis(295), "{late:?}");
}

#[test]
fn malformed_heads_break_the_rules_that_they_name() {
    let seen = |flaw| {
        let rig = Rig::with_fault(Fault::MalformedHead(MalformedHead { flaws: vec![flaw] }));
        let sight = look_at_click(&rig);
        assert_eq!(sight.end, Ending::Closed, "{flaw:?}");
        assert_eq!(rig.mock.clicks_counted(), 1);
        let record = only(&rig);
        assert_eq!(kinds(&record), ["malformed-head"]);
        assert!(!record.is_success(), "{flaw:?}");
        (sight, record)
    };
    let (sight, record) = seen(HeadFlaw::StatusLine);
    assert!(sight.bytes.starts_with(b"HTTP/1.1 OK\r\n"));
    assert_eq!((record.status, record.end), (None, End::ServerReset));
    let (sight, record) = seen(HeadFlaw::TwoLengths);
    assert_eq!(sight.values("content-length").len(), 2);
    assert!(record.doubtful && !record.is_definite_failure());
    assert!(seen(HeadFlaw::HugeField).0.values("x-padding")[0].len() == 256 * 1024);
    assert_eq!(seen(HeadFlaw::NoColon).0.values("this field has no colon"), ["(no colon)"]);
    assert!(seen(HeadFlaw::NulByte).0.values("x-note")[0].contains('\0'));
}

fn held() -> Rig {
    Rig::with_fault(Fault::Hold(Hold {}))
}

fn wait_held(rig: &Rig, count: usize) {
    let deadline = rig.clock.now().plus(crate::rig::PATIENCE);
    while rig.mock.held().len() != count {
        assert!(rig.clock.now() < deadline, "{} of {count} are held", rig.mock.held().len());
        std::thread::yield_now();
    }
}

#[test]
fn a_held_answer_comes_when_its_rule_is_released() {
    let rig = held();
    let mut client = rig.client();
    let body = click("e1", "l1");
    client.write(&rig.request("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &body));
    wait_held(&rig, 1);
    assert!(client.is_silent());
    let held = rig.mock.held().remove(0);
    assert_eq!((held.rule.as_str(), held.target.as_str()), ("it", "/v1/clicks"));
    assert_eq!(rig.mock.clicks_counted(), 1, "it was processed when it came");
    assert_eq!(rig.mock.release("another"), 0);
    let released = rig.clock.now();
    assert_eq!(rig.mock.release("it"), 1);
    assert_eq!(client.answer().status, 202);
    let record = only(&rig);
    assert_eq!(
        (record.id, record.end, kinds(&record)),
        (held.exchange, End::Complete, vec!["hold"])
    );
    assert!(held.since <= released && record.t_first.unwrap() >= released);
    assert!(rig.mock.held().is_empty());
    assert_eq!(rig.mock.release("it"), 0);
}

#[test]
fn whoever_leaves_while_held_is_recorded_and_off_the_list() {
    let rig = held();
    let mut client = rig.client();
    client.write(&rig.request("GET", PROFILE, "", ""));
    wait_held(&rig, 1);
    drop(client);
    let record = only(&rig);
    assert_eq!((record.end, record.status), (End::ClientAbort, None));
    wait_held(&rig, 0);
}

#[test]
fn what_is_still_held_at_the_end_is_open() {
    let rig = held();
    let mut clients: Vec<_> = (0..3).map(|_| rig.client()).collect();
    for client in &mut clients {
        client.write(&rig.request("GET", PROFILE, "", ""));
    }
    wait_held(&rig, 3);
    rig.mock.stop();
    let records: Vec<Exchange> = rig.tape.wait(3);
    assert!(records.iter().all(|record| record.end == End::Open && kinds(record) == ["hold"]));
}

//! Every wait for a client has an end, which is answered, recorded, and meets nobody who is in time.

use super::super::Tuning;
use super::tuned;
use crate::contract::Route;
use crate::history::exchange::End;
use crate::rig::Rig;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(50);

fn with(adapt: impl FnOnce(&mut Tuning)) -> Rig {
    let mut tuning = Tuning::default();
    adapt(&mut tuning);
    tuned(tuning, |_| {})
}

/// What a client sees that sends `text` and then nothing, without closing.
fn seen(rig: &Rig, text: &str) -> String {
    let mut client = rig.client();
    client.write(text);
    let (seen, end) = client.rest();
    assert_eq!(end, Ok(()), "{seen}");
    seen
}

#[test]
fn a_head_that_does_not_end_is_refused_with_408() {
    let rig = with(|tuning| tuning.head = SHORT);
    let answer = seen(&rig, "GET /v1/me HTTP/1.1\r\nHost: x\r\n");
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    let record = &rig.tape.wait(1)[0];
    assert_eq!((record.status, record.end), (Some(408), End::Complete));
    assert_eq!(rig.get("/v1/me").status, 200, "whoever is in time is served");
}

#[test]
fn a_body_that_stops_is_refused_with_408() {
    let rig = with(|tuning| tuning.body_silence = SHORT);
    let answer = seen(&rig, "POST /v1/clicks HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let chunked =
        "POST /v1/clicks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    assert!(seen(&rig, chunked).starts_with("HTTP/1.1 408"));
    for record in rig.tape.wait(2) {
        assert_eq!((record.route, record.body_bytes), (Route::Clicks, 3));
        assert_eq!((record.status, record.end), (Some(408), End::Complete));
    }
}

#[test]
fn a_body_that_drips_for_ever_is_refused_with_408() {
    let rig = with(|tuning| tuning.body_total = SHORT);
    let mut stream = TcpStream::connect(("127.0.0.1", rig.mock.port())).unwrap();
    stream
        .write_all(b"POST /v1/clicks HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        .unwrap();
    let mut reader = stream.try_clone().unwrap();
    let drip = std::thread::spawn(move || while stream.write_all(b"x").is_ok() {});
    let mut start = [0; 12];
    reader.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 408");
    drip.join().unwrap();
}

#[test]
fn an_idle_connection_is_closed_without_a_word_or_a_record() {
    let rig = with(|tuning| tuning.idle = SHORT);
    let mut client = rig.client();
    client.write(&rig.request("GET", "/v1/me", "", ""));
    assert_eq!(client.answer().status, 200);
    assert_eq!(client.rest(), (String::new(), Ok(())));
    assert_eq!(seen(&rig, ""), "", "nor need the first request ever come");
    assert_eq!(seen(&rig, "\r\n\r\n"), "", "and empty lines are no request");
    assert_eq!(rig.tape.wait(1).len(), 1);
    assert_eq!(rig.mock.probes(), 1);
}

#[test]
fn no_pool_of_a_common_client_outlives_the_idle_limit() {
    assert!(Tuning::default().idle > Duration::from_secs(1_200));
}

#[test]
fn a_client_that_does_not_read_is_reset_and_counts_as_gone() {
    let rig = with(|tuning| tuning.unread = SHORT);
    let mut stream = TcpStream::connect(("127.0.0.1", rig.mock.port())).unwrap();
    stream.set_write_timeout(Some(crate::rig::PATIENCE)).unwrap();
    let many = rig.request("GET", "/v1/profiles/viral-0001/links?limit=100", "", "").repeat(100);
    // Buffers on both sides take some megabytes of answers and then of requests.
    let error = loop {
        if let Err(error) = stream.write_all(many.as_bytes()) {
            break error.kind();
        }
    };
    assert!(matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    let aborted = || {
        let all = rig.tape.wait(1);
        let last = all.last().unwrap();
        (last.end == End::ClientAbort).then_some((last.status, last.t_w, all.len()))
    };
    let (status, t_w, count) = loop {
        if let Some(found) = aborted() {
            break found;
        }
        std::thread::yield_now();
    };
    assert_eq!((status, t_w), (Some(200), None));
    assert_eq!(rig.mock.probes(), count as u64, "what was read ahead was never begun");
    assert_eq!(rig.get("/v1/me").status, 200);
}

//! Whatever bytes come over a real socket, the edge answers or closes, records, and lives on.

use super::super::Tuning;
use super::tuned;
use crate::rig::Client;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

/// A request that is right, with fields that are common or odd.
pub fn request() -> impl Strategy<Value = Vec<u8>> {
    let field = prop::sample::select(vec![
        "Host: x\r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Expect: 100-continue\r\n",
        "Connection: close, x\r\n",
        "X-Odd: \t caf\u{e9} \r\n",
        "A:\r\n",
    ]);
    let line = prop::sample::select(vec![
        "GET /v1/me HTTP/1.1\r\n",
        "\r\nPOST /v1/clicks?a=b HTTP/1.0\r\n",
        "OPTIONS * HTTP/1.1\r\n",
        "GET http://x/y HTTP/1.1\n",
    ]);
    (line, prop::collection::vec(field, 0..6))
        .prop_map(|(line, fields)| format!("{line}{}\r\n", fields.concat()).into_bytes())
}

/// A right request with bytes overwritten, put in or taken out.
pub fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0_u8..3);
    (request(), prop::collection::vec(change, 0..6)).prop_map(|(mut bytes, changes)| {
        for (place, byte, kind) in changes {
            let at = place.index(bytes.len().max(1));
            match kind {
                0 => bytes.insert(at.min(bytes.len()), byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        bytes
    })
}

/// Bytes of one connection: right, almost right and wrong requests one after the other.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let body = "POST /v1/clicks HTTP/1.1\r\nContent-Length: 4\r\n\r\n{\"\"}";
    let chunks =
        "POST /v1/clicks HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let piece = prop_oneof![
        request(),
        mutated(),
        prop::collection::vec(any::<u8>(), 0..100),
        prop::sample::select(vec![body, chunks]).prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

/// Sends the bytes in pieces, stops sending, and reads to the end, which must come.
fn answers(port: u16, bytes: &[u8], cuts: &[prop::sample::Index]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(crate::rig::PATIENCE)).unwrap();
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    for pair in places.windows(2) {
        // It fails when the edge has refused and closed already.
        let _ = stream.write_all(&bytes[pair[0]..pair[1]]);
    }
    let _ = stream.shutdown(Shutdown::Write);
    let mut seen = Vec::new();
    if let Err(error) = stream.read_to_end(&mut seen) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "no end came: {seen:?}");
    }
    seen
}

#[test]
fn any_bytes_are_answered_or_closed_and_the_next_client_is_served() {
    let rig = tuned(Tuning::default(), |_| {});
    let port = rig.mock.port();
    let good = rig.request("GET", "/v1/profiles/tail-0001", "", "");
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let mut runner = TestRunner::default();
    runner
        .run(&(stream(), cuts), |(bytes, cuts)| {
            let seen = answers(port, &bytes, &cuts);
            prop_assert!(seen.is_empty() || seen.starts_with(b"HTTP/1.1 "), "{:?}", seen);
            let text = String::from_utf8_lossy(&seen).to_lowercase();
            prop_assert!(!text.contains("windthrow"), "{}", text);
            let mut client = Client::to(port);
            client.write(&good);
            prop_assert_eq!(client.answer().status, 200);
            Ok(())
        })
        .unwrap();
    let tape = std::sync::Arc::clone(&rig.tape);
    let begun = rig.mock.probes();
    rig.mock.stop();
    let records = tape.wait(usize::try_from(begun).unwrap());
    let ids: BTreeSet<u64> = records.iter().map(|record| record.id).collect();
    assert_eq!((records.len() as u64, ids), (begun, (0..begun).collect()), "each once");
    assert_eq!(tape.complaints(), Vec::<String>::new());
}

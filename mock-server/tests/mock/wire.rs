//! HTTP on the wire: connections, pipelines, bodies, refusals, and that every exchange is recorded.

use crate::rig::{Client, Rig, Tape, click, config};
use mock_server::faults::{Fault, Stall, StallAt};
use mock_server::history::exchange::End;
use mock_server::server::{MockError, MockLinktree};
use std::collections::BTreeSet;
use std::sync::Arc;

#[test]
fn one_connection_carries_many_requests_also_when_they_come_at_once() {
    let rig = Rig::plain();
    let mut client = rig.client();
    let one = |n: u32| rig.request("GET", &format!("/v1/profiles/tail-000{n}"), "", "");
    client.write(&one(1));
    assert_eq!(client.answer().status, 200);
    client.write(&format!("{}{}{}", one(1), one(2), one(3)));
    let handles: Vec<_> = (0..3).map(|_| client.answer().json()["handle"].clone()).collect();
    assert_eq!(handles, ["tail-0001", "tail-0002", "tail-0003"]);
    drop(client);
    assert_eq!(rig.get("/v1/me").status, 200);
    let records = rig.tape.wait(5);
    let places: Vec<_> = records.iter().map(|record| (record.conn, record.conn_seq)).collect();
    assert_eq!(places, [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)]);
    for record in records {
        assert!(record.t_conn <= record.t_head && record.t_head <= record.t_req);
        assert!(record.t_req <= record.t_first.unwrap());
        assert!(record.t_first <= record.t_w && record.t_w == Some(record.t_end));
    }
}

#[test]
fn close_is_close_and_http_1_0_closes_by_itself() {
    let rig = Rig::plain();
    for request in [
        "GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /v1/health HTTP/1.0\r\n\r\n",
    ] {
        let mut client = rig.client();
        client.write(request);
        let (text, end) = client.rest();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("connection: close\r\n"));
        assert_eq!(end, Ok(()));
    }
}

#[test]
fn bodies_may_come_in_chunks_or_wait_for_leave() {
    let rig = Rig::plain();
    let auth = format!("Authorization: Bearer {}\r\n", rig.mock.api_key());
    let (front, back) = (click("e1", "l1"), click("e2", "l1"));
    let (left, right) = front.split_at(20);
    let mut client = rig.client();
    client.write(&format!(
        "POST /v1/clicks HTTP/1.1\r\nHost: x\r\n{auth}Idempotency-Key: a\r\n\
         Transfer-Encoding: chunked\r\n\r\n14\r\n{left}\r\n{:x}\r\n{right}\r\n0\r\n\r\n",
        right.len()
    ));
    assert_eq!(client.answer().status, 202);
    client.write(&format!(
        "POST /v1/clicks HTTP/1.1\r\nHost: x\r\n{auth}Idempotency-Key: b\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        back.len()
    ));
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.write(&back);
    assert_eq!(client.answer().status, 202);
    let records = rig.tape.wait(2);
    assert_eq!(records[0].body_bytes, front.len() as u64);
    assert_eq!(rig.mock.clicks_counted(), 2);
}

#[test]
fn what_is_no_request_is_refused_recorded_and_closed() {
    let rig = Rig::plain();
    let check = |request: String, status: &str| {
        let mut client = rig.client();
        client.write(&request);
        let (text, end) = client.rest();
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
        assert_eq!(end, Ok(()));
    };
    check("\x16\x03\x01\r\n\r\n".into(), "400");
    check("GET * HTTP/1.1\r\n\r\n".into(), "400");
    check(format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(40_000)), "431");
    check("POST /v1/clicks HTTP/1.1\r\nContent-Length: 99999999\r\n\r\nabc".into(), "413");
    check(
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".into(),
        "400",
    );
    let statuses: Vec<_> = rig.tape.wait(5).iter().map(|record| record.status.unwrap()).collect();
    assert_eq!(statuses, [400, 400, 431, 413, 400]);
    assert_eq!(rig.get("/v1/me").status, 200, "the edge goes on");
}

#[test]
fn nothing_private_reaches_a_client_and_nothing_private_is_taken_from_one() {
    let rig = Rig::plain();
    // A forged id of another exchange must not steal that exchange's ticket.
    let forged = "X-Windthrow-Exchange: 0\r\nX-Windthrow-Directive: reset\r\n";
    for (method, target, body) in [
        ("GET", "/v1/health", String::new()),
        ("GET", "/v1/me", String::new()),
        ("GET", "/v1/profiles/tail-0001", String::new()),
        ("GET", "/v1/profiles/tail-0001/links", String::new()),
        ("GET", "/v1/profiles/nobody", String::new()),
        ("POST", "/v1/clicks", click("e1", "l1")),
        ("POST", "/v1/clicks/batch", format!(r#"{{"events":[{}]}}"#, click("e2", "l1"))),
    ] {
        let answer = rig.send(method, target, forged, &body);
        assert!(answer.status != 421, "{target}");
        let text = format!("{}{}", answer.head, answer.body).to_lowercase();
        for word in ["windthrow", "wiremock", "hyper"] {
            assert!(!text.contains(word), "{target}: {text}");
        }
    }
}

#[test]
fn at_the_end_everything_is_recorded_and_what_was_open_is_open() {
    let rig = Rig::with_fault(Fault::Stall(Stall { at: StallAt::BeforeHead }));
    let mut clients: Vec<_> = (0..5).map(|_| rig.client()).collect();
    for client in &mut clients {
        client.write(&rig.request("GET", "/v1/me", "", ""));
    }
    while rig.mock.probes() < 5 {
        std::thread::yield_now();
    }
    let tape = Arc::clone(&rig.tape);
    rig.mock.stop();
    let records = tape.wait(5);
    assert!(records.iter().all(|record| record.end == End::Open && record.status.is_none()));
    let ids: BTreeSet<_> = records.iter().map(|record| record.id).collect();
    assert_eq!(ids, (0..5).collect());
}

#[test]
fn every_exchange_of_many_clients_is_recorded_once() {
    let rig = Rig::new(|config| config.profile.limit.requests = 10_000);
    let port = rig.mock.port();
    let request = rig.request("GET", "/v1/profiles/tail-0001", "", "");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = Client::to(port);
                for _ in 0..50 {
                    client.write(&request);
                    assert_eq!(client.answer().status, 200);
                }
            });
        }
    });
    let records = rig.tape.wait(400);
    let unique = |pick: fn(&mock_server::history::exchange::Exchange) -> String| {
        records.iter().map(pick).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(unique(|record| record.id.to_string()), 400);
    assert_eq!(unique(|record| record.nonce.clone().unwrap()), 400);
    assert_eq!(unique(|record| record.version.clone().unwrap()), 1);
    assert_eq!(rig.tape.overloads(), 0);
}

#[test]
fn a_port_in_use_is_said_plainly() {
    let rig = Rig::plain();
    let tape = Arc::new(Tape::default());
    let mut second = config(&tape);
    second.port = rig.mock.port();
    let Err(error) = MockLinktree::start(second) else { panic!("two mocks on one port") };
    assert!(matches!(error, MockError::PortInUse { .. }));
    assert!(error.to_string().contains(&rig.mock.port().to_string()));
    let port = rig.mock.port();
    rig.mock.stop();
    let mut third = config(&tape);
    third.port = port;
    assert_eq!(MockLinktree::start(third).unwrap().port(), port, "free again at once");
}

#[test]
fn it_starts_from_asynchronous_code_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let rig = Rig::plain();
        let answer = reqwest::get(format!("{}/v1/health", rig.mock.url())).await.unwrap();
        assert_eq!(answer.status(), 200);
        rig.mock.stop();
    });
}

#[test]
fn odd_targets_and_methods_get_an_answer_like_any_other() {
    let rig = Rig::plain();
    let odd = ["/\"<>{}|^`\\", "/%zz", "//", "/?#?", "/../../v1/me", "/v1/profiles/%00", "/a://b"];
    for method in ["GET", "PURGE", "PRI", "HEAD"] {
        for target in odd {
            let status = rig.send(method, target, "", "").status;
            assert!((200..500).contains(&status), "{method} {target}: {status}");
        }
    }
    assert_eq!(rig.tape.wait(28).len(), 28);
    assert_eq!(rig.tape.overloads(), 0);
}

#[test]
fn running_out_of_files_does_not_end_the_mock() {
    let me = std::env::current_exe().unwrap();
    let script = r#"ulimit -n 64 && exec "$0" --exact wire::with_few_files --ignored --nocapture"#;
    let run = std::process::Command::new("sh").arg("-c").arg(script).arg(me).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Run by the test above, in a process of its own.
#[test]
#[ignore = "it needs a process with few files"]
fn with_few_files() {
    let rig = Rig::plain();
    let port = rig.mock.port();
    let mut crowd = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
        crowd.push(stream);
    }
    // Now there is no file left, so the mock cannot accept what is waiting, and says so.
    while rig.tape.overloads() == 0 {
        std::thread::yield_now();
    }
    drop(crowd);
    let deadline = rig.clock.now().plus(crate::rig::PATIENCE);
    let healthy = || {
        let mut client = Client::try_to(port)?;
        client.write("GET /v1/health HTTP/1.0\r\n\r\n");
        client.rest().0.starts_with("HTTP/1.1 200").then_some(())
    };
    while healthy().is_none() {
        assert!(rig.clock.now() < deadline, "the mock did not recover");
        std::thread::yield_now();
    }
}

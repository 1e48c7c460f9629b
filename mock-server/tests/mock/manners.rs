//! Clients with other manners than most: half-closed, old, hasty, or asking for what is not there.

use crate::rig::{Client, Rig, always, click};
use mock_server::contract::Route;
use mock_server::faults::{Fault, Latency, Matcher, Rule, Status};
use mock_server::history::exchange::End;

/// What a client sees that sends this and then waits for the end.
fn seen(rig: &Rig, text: &str) -> String {
    let mut client = rig.client();
    client.write(text);
    let (seen, end) = client.rest();
    assert_eq!(end, Ok(()), "{seen}");
    seen
}

/// The statuses in what a client saw.
fn statuses(seen: &str) -> Vec<&str> {
    seen.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

#[test]
fn a_client_that_only_finished_sending_gets_its_answers_in_order() {
    let rig = Rig::plain();
    let mut client = rig.client();
    let one = |target| rig.request("GET", target, "", "");
    let requests = ["/v1/profiles/tail-0001", "/v1/nothing", "/v1/health"].map(one);
    client.write(&requests.concat());
    client.close_write();
    let (seen, end) = client.rest();
    assert_eq!((statuses(&seen), end), (vec!["200", "404", "200"], Ok(())));
    assert!(rig.tape.wait(3).iter().all(|record| record.end == End::Complete));
}

#[test]
fn while_an_answer_is_held_back_a_half_close_means_that_the_client_left() {
    let rig = Rig::new(|config| {
        config.rules = vec![always("slow", Fault::Latency(Latency::Constant { ms: 600_000 }))];
    });
    let mut client = rig.client();
    client.write(&rig.request("GET", "/v1/me", "", ""));
    client.close_write();
    assert_eq!(client.rest(), (String::new(), Ok(())));
    let record = &rig.tape.wait(1)[0];
    assert_eq!((record.end, record.status), (End::ClientAbort, None));
}

#[test]
fn an_old_client_keeps_its_connection_only_when_it_asks_to() {
    let rig = Rig::plain();
    let mut client = rig.client();
    let old = "GET /v1/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    for _ in 0..2 {
        client.write(old);
        let answer = client.answer();
        assert_eq!(answer.header("connection").as_deref(), Some("keep-alive"));
    }
    client.write("GET /v1/health HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().header("connection").as_deref(), Some("close"));
    assert_eq!(client.rest(), (String::new(), Ok(())));
    let places: Vec<_> = rig.tape.wait(3).iter().map(|one| (one.conn, one.conn_seq)).collect();
    assert_eq!(places, [(0, 0), (0, 1), (0, 2)]);
}

#[test]
fn targets_of_every_form_are_answered() {
    let rig = Rig::plain();
    let auth = format!("Host: x\r\nAuthorization: Bearer {}\r\n", rig.mock.api_key());
    let check = |line: &str, status: u16, target: &str, route: Route| {
        let before = usize::try_from(rig.mock.probes()).unwrap();
        let text = format!("{line} HTTP/1.1\r\n{auth}Connection: close\r\n\r\n");
        assert_eq!(statuses(&seen(&rig, &text)), [status.to_string()], "{line}");
        let record = rig.tape.wait(before + 1).pop().unwrap();
        assert_eq!((record.target.as_str(), record.route), (target, route));
    };
    check("GET http://any.where/v1/me", 200, "/v1/me", Route::Me);
    check("OPTIONS *", 404, "*", Route::Unknown);
    check("OPTIONS /v1/me", 404, "/v1/me", Route::Unknown);
    check("CONNECT any.where:443", 501, "any.where:443", Route::Unknown);
    check("TRACE /v1/me", 404, "/v1/me", Route::Unknown);
}

#[test]
fn nothing_after_a_connect_is_taken_for_a_request() {
    let rig = Rig::plain();
    let text = "CONNECT x:80 HTTP/1.1\r\n\r\nGET /v1/health HTTP/1.1\r\n\r\n";
    assert_eq!(statuses(&seen(&rig, text)), ["501"]);
    assert_eq!(rig.tape.wait(1).len(), 1);
}

#[test]
fn an_answer_to_head_has_no_body_and_names_no_length() {
    let rig = Rig::plain();
    let mut client = rig.client();
    for (target, status) in [("/v1/me", 200), ("/v1/profiles/nobody", 404), ("/v1/clicks", 404)] {
        client.write(&rig.request("HEAD", target, "", ""));
        let head = client.head();
        let begins = head.starts_with(&format!("HTTP/1.1 {status}"));
        assert!(begins && !head.contains("content-length"), "{head}");
    }
    client.write(&rig.request("GET", "/v1/me", "", ""));
    assert_eq!(client.answer().status, 200, "so the next answer begins where it should");
    let refused = seen(&rig, "HEAD / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 413") && refused.ends_with("\r\n\r\n"), "{refused}");
}

#[test]
fn head_is_answered_like_get_on_every_route_that_has_one() {
    let rig = Rig::plain();
    for (target, route) in [
        ("/v1/health", Route::Health),
        ("/v1/me", Route::Me),
        ("/v1/profiles/tail-0001", Route::Profile),
        ("/v1/profiles/tail-0001/links", Route::ProfileLinks),
        ("/v1/links", Route::Links),
        ("/v1/analytics/tail-0001", Route::Analytics),
        ("/v1/webhooks", Route::Webhooks),
    ] {
        let before = usize::try_from(rig.mock.probes()).unwrap();
        let got = rig.get(target);
        let mut client = rig.client();
        client.write(&rig.request("HEAD", target, "Connection: close\r\n", ""));
        let (head, end) = client.rest();
        assert_eq!(statuses(&head), [got.status.to_string()], "{target}");
        assert_eq!(end, Ok(()));
        assert!(head.ends_with("\r\n\r\n") && head.contains("content-type"), "{head}");
        let records = rig.tape.wait(before + 2);
        let one = &records[before + 1];
        assert_eq!((one.method.as_str(), one.route, &one.nonce), ("HEAD", route, &None));
        assert_eq!(one.handle, records[before].handle);
    }
    let condition = "If-None-Match: *\r\nConnection: close\r\n";
    let text = rig.request("HEAD", "/v1/profiles/tail-0001", condition, "");
    assert_eq!(statuses(&seen(&rig, &text)), ["304"]);
}

#[test]
fn a_fault_of_a_route_hits_its_head_and_what_dot_segments_lead_to() {
    let me = Rule {
        matcher: Matcher { routes: vec![Route::Me], ..Matcher::default() },
        ..always("me-down", Fault::Status(Status { codes: vec![503], retry_after: vec![] }))
    };
    let rig = Rig::new(|config| config.rules = vec![me]);
    for (method, target, status) in [
        ("GET", "/v1/me", "503"),
        ("HEAD", "/v1/me", "503"),
        ("GET", "/v1/profiles/../me", "503"),
        ("GET", "/v1/profiles/%2E%2e/me", "503"),
        ("GET", "/v1/me/../links", "200"),
        ("GET", "/v1/profiles\\..\\me", "404"),
    ] {
        let text = rig.request(method, target, "Connection: close\r\n", "");
        assert_eq!(statuses(&seen(&rig, &text)), [status], "{method} {target}");
    }
    let records = rig.tape.wait(6);
    let routes: Vec<_> = records.iter().map(|one| one.route).collect();
    let expected = [Route::Me, Route::Me, Route::Me, Route::Me, Route::Links, Route::Unknown];
    assert_eq!(routes, expected);
    assert_eq!(records[2].target, "/v1/profiles/../me", "as it was sent");
}

#[test]
fn http_1_1_without_one_host_is_refused_and_recorded() {
    let rig = Rig::plain();
    let auth = format!("Authorization: Bearer {}\r\nConnection: close\r\n", rig.mock.api_key());
    for (version, hosts, status, host) in [
        ("1.1", "", "400", None),
        ("1.1", "Host: a\r\nHost: b\r\n", "400", Some("a, b")),
        ("1.1", "Host: a b\r\n", "400", Some("a b")),
        ("1.1", "Host: a\r\n", "200", Some("a")),
        ("1.0", "", "200", None),
    ] {
        let before = usize::try_from(rig.mock.probes()).unwrap();
        let text = format!("GET /v1/me HTTP/{version}\r\n{hosts}{auth}\r\n");
        assert_eq!(statuses(&seen(&rig, &text)), [status], "{version} {hosts}");
        let record = rig.tape.wait(before + 1).pop().unwrap();
        assert_eq!((record.host.as_deref(), record.route), (host, Route::Me));
    }
}

#[test]
fn two_lines_of_accept_are_one_list() {
    let rig = Rig::plain();
    let accept = "Accept: text/plain\r\nAccept: application/json\r\n";
    assert_eq!(rig.send("GET", "/v1/me", accept, "").status, 200);
    let accepted = rig.tape.wait(1)[0].accept.clone();
    assert_eq!(accepted.as_deref(), Some("text/plain, application/json"));
}

#[test]
fn empty_lines_and_trailers_lie_between_requests_unnoticed() {
    let rig = Rig::plain();
    let auth = format!("Authorization: Bearer {}\r\n", rig.mock.api_key());
    let click = click("e1", "l1");
    let text = format!(
        "\r\n\nPOST /v1/clicks HTTP/1.1\r\nHost: x\r\n{auth}Idempotency-Key: a\r\nTransfer-Encoding: Chunked\
         \r\n\r\n{:X};why=\"not\"\r\n{click}\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n\r\n\
         GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        click.len()
    );
    assert_eq!(statuses(&seen(&rig, &text)), ["202", "200"]);
    assert_eq!(rig.tape.wait(2)[0].body_bytes, click.len() as u64);
}

#[test]
fn whoever_waits_for_leave_to_send_too_much_is_refused_at_once() {
    let rig = Rig::plain();
    let text =
        "POST /v1/clicks HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n";
    assert_eq!(statuses(&seen(&rig, text)), ["413"]);
    let old = "POST /v1/health HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(statuses(&seen(&rig, old)), ["401"], "HTTP/1.0 knows no such leave");
}

#[test]
fn other_versions_of_http_are_named_as_such() {
    let rig = Rig::plain();
    assert_eq!(statuses(&seen(&rig, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")), ["505"]);
    assert_eq!(statuses(&seen(&rig, "GET /\r\n\r\n")), ["400"]);
}

#[test]
fn a_request_cut_in_its_body_is_recorded_and_one_cut_in_its_head_is_none() {
    let rig = Rig::plain();
    let whole = rig.request("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &click("e1", "l1"));
    for (cut, leaves) in
        [(20, true), (20, false), (whole.len() - 5, true), (whole.len() - 5, false)]
    {
        let mut client = Client::to(rig.mock.port());
        client.write(&whole[..cut]);
        if leaves {
            drop(client);
        } else {
            client.close_write();
            assert_eq!(client.rest(), (String::new(), Ok(())));
        }
    }
    let records = rig.tape.wait(2);
    while rig.mock.connections() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(rig.mock.probes(), 2);
    for record in records {
        assert_eq!((record.route, record.end), (Route::Clicks, End::ClientAbort));
        assert_eq!((record.idempotency_key.as_deref(), record.status), (Some("k"), None));
        assert_eq!(record.body_bytes, click("e1", "l1").len() as u64 - 5);
        assert!(record.clicks.is_empty());
    }
    assert_eq!(rig.mock.clicks_counted(), 0);
    assert_eq!(rig.tape.complaints(), Vec::<String>::new());
}

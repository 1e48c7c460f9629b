//! What the routes answer, and what is recorded of it.

use crate::rig::{Rig, click, edit_at};
use mock_server::contract::Route;
use mock_server::faults::{ExpiredCursor, Fault};
use mock_server::history::exchange::KeyPlace;

use mock_server::world::PageChange;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn health_needs_no_key_and_everything_else_does() {
    let rig = Rig::plain();
    let ask = |target: &str, key: &str| {
        let mut client = rig.client();
        client.write(&format!("GET {target} HTTP/1.1\r\nHost: x\r\n{key}\r\n"));
        client.answer().status
    };
    assert_eq!(ask("/v1/health", ""), 200);
    assert_eq!(ask("/v1/me", ""), 401);
    assert_eq!(ask("/v1/me", "Authorization: Bearer nonsense\r\n"), 401);
    assert_eq!(ask("/v1/me", &format!("Authorization: Bearer {}\r\n", rig.mock.other_key())), 401);
    assert_eq!(ask("/elsewhere", ""), 401);
    let me = rig.get("/v1/me").json();
    assert_eq!(me["key"]["environment"], "live");
    assert_eq!(rig.get("/elsewhere").status, 404);
    let records = rig.tape.wait(7);
    let tokens: Vec<_> = records.iter().map(|record| record.token.as_str()).collect();
    assert_eq!(tokens, ["absent", "absent", "unknown", "test", "absent", "live", "live"]);
    assert_eq!(records[6].route, Route::Unknown);
    assert_eq!(rig.mock.probes(), 7);
}

#[test]
fn a_missing_scope_is_403() {
    let rig = Rig::new(|config| config.profile.keys.scopes = vec!["profile:read".into()]);
    assert_eq!(rig.get("/v1/profiles/tail-0001").status, 200);
    assert_eq!(rig.get("/v1/profiles/tail-0001/links").status, 403);
    let body = click("e1", "l1");
    let answer = rig.send("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &body);
    assert_eq!(answer.status, 403);
    assert_eq!(rig.mock.clicks_counted(), 0);
}

#[test]
fn a_profile_carries_version_nonce_validators_and_directives() {
    let rig = Rig::plain();
    let first = rig.get("/v1/profiles/tail-0001");
    let (one, two) = (first.json(), rig.get("/v1/profiles/tail-0001").json());
    assert_eq!(one["version"], two["version"]);
    assert_ne!(one["nonce"], two["nonce"]);
    let etag = first.header("etag").unwrap();
    assert_eq!(etag, format!("\"{}\"", one["version"].as_str().unwrap()));
    assert_eq!(first.header("cache-control").as_deref(), Some("max-age=40, stale-if-error=86400"));
    for condition in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".into()] {
        let header = format!("If-None-Match: {condition}\r\n");
        assert_eq!(rig.send("GET", "/v1/profiles/tail-0001", &header, "").status, 304);
    }
    let other = rig.send("GET", "/v1/profiles/tail-0001", "If-None-Match: \"x\"\r\n", "");
    assert_eq!(other.status, 200);
    assert_eq!(rig.get("/v1/profiles/nobody").status, 404);
    let records = rig.tape.wait(8);
    assert_eq!(records[0].version.as_deref(), one["version"].as_str());
    assert_eq!(records[0].nonce.as_deref(), one["nonce"].as_str());
    assert_eq!(records[2].version.as_deref(), one["version"].as_str());
    assert_eq!(records[0].handle.as_deref(), Some("tail-0001"));
    assert_eq!(records[7].version, None);
}

#[test]
fn max_age_follows_the_time_scale_in_whole_seconds() {
    for (scale, expected) in [(1, 40), (10, 4), (15, 3), (100, 1)] {
        let rig = Rig::new(|config| config.time_scale = scale);
        let directives = rig.get("/v1/profiles/tail-0001").header("cache-control");
        assert_eq!(directives, Some(format!("max-age={expected}, stale-if-error=86400")));
    }
}

#[test]
fn an_edit_shows_at_once_in_profile_and_links() {
    let rig = Rig::new(|config| {
        config.world = vec![edit_at(0, "tail-0001", PageChange::Text)];
    });
    let version = |target: &str| rig.get(target).json()["version"].as_str().unwrap().to_owned();
    assert!(version("/v1/profiles/tail-0001").starts_with("v1-"));
    assert_eq!(version("/v1/profiles/tail-0001"), version("/v1/profiles/tail-0001/links"));
    assert!(version("/v1/profiles/tail-0002").starts_with("v0-"));
}

#[test]
fn pages_hold_every_link_exactly_once() {
    let rig = Rig::plain();
    for limit in [1, 7, 20, 44, 45, 100] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let target = format!("/v1/profiles/viral-0001/links?limit={limit}{cursor}");
            let page = rig.get(&target).json();
            ids.extend(page["data"].as_array().unwrap().iter().map(|link| link["id"].to_string()));
            if page["has_more"] == false {
                assert_eq!(page["cursor"], json!(null));
                assert_eq!(ids.len(), 45, "limit {limit}");
                break;
            }
            cursor = format!("&cursor={}", page["cursor"].as_str().unwrap());
        }
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "limit {limit}");
    }
}

#[test]
fn an_empty_cursor_is_the_first_page_even_where_cursors_have_expired() {
    for rig in [Rig::plain(), Rig::with_fault(Fault::ExpiredCursor(ExpiredCursor {}))] {
        let first = rig.get("/v1/profiles/viral-0001/links?cursor=&limit=7");
        assert_eq!(first.status, 200);
        let ids = |page: &Value| page["data"].as_array().unwrap()[0]["id"].clone();
        let plain = rig.get("/v1/profiles/viral-0001/links?limit=7");
        assert_eq!(ids(&first.json()), ids(&plain.json()));
        assert!(rig.tape.wait(2).iter().all(|record| record.faults.is_empty()));
    }
}

#[test]
fn pages_by_number_and_odd_limits_are_refused() {
    let rig = Rig::plain();
    for query in ["offset=20", "page=2", "limit=0", "limit=101", "limit=x", "cursor=xx"] {
        let answer = rig.get(&format!("/v1/profiles/viral-0001/links?{query}"));
        assert_eq!(answer.status, 400, "{query}");
    }
    let page = rig.get("/v1/profiles/viral-0001/links").json();
    assert_eq!(page["data"].as_array().unwrap().len(), 20);
    assert!(rig.tape.wait(1)[0].target.contains("offset=20"));
}

#[test]
fn a_click_has_one_effect_for_its_key_and_for_its_event() {
    let rig = Rig::plain();
    let post = |key: &str, body: &str| {
        rig.send("POST", "/v1/clicks", &format!("Idempotency-Key: {key}\r\n"), body)
    };
    let first = post("k1", &click("e1", "l1"));
    let again = post("k1", &click("e1", "l1"));
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(post("k1", &click("e1", "l2")).status, 422, "other payload, same key");
    assert_eq!(post("k1", &click("e2", "l1")).status, 422, "other event, same key");
    assert_eq!(post("k2", &click("e1", "l1")).status, 202, "same event, other key");
    assert_eq!(post("k3", "{}").status, 400);
    let keyless = rig.send("POST", "/v1/clicks", "", &click("e3", "l1"));
    assert_eq!(keyless.status, 400);
    let batch = format!(r#"{{"events":[{},{}]}}"#, click("e1", "l1"), click("e4", "l1"));
    assert_eq!(rig.send("POST", "/v1/clicks/batch", "", &batch).status, 200);
    assert_eq!(rig.mock.clicks_counted(), 2, "e1 and e4");
    let records = rig.tape.wait(8);
    let effects: Vec<_> =
        records.iter().flat_map(|r| &r.clicks).filter(|c| c.effect).map(|c| &c.event_id).collect();
    assert_eq!(effects, ["e1", "e4"]);
    assert_eq!(records[0].idempotency_key.as_deref(), Some("k1"));
    assert_eq!(
        records[0].clicks[0].payload,
        mock_server::history::exchange::click_payload("tail-0001", "l1", "2026-01-01T00:00:00Z")
    );
}

#[test]
fn what_is_no_instant_is_refused_for_good_and_counts_for_nothing() {
    let rig = Rig::plain();
    let at = |at: &str| click("e1", "l1").replace("2026-01-01T00:00:00Z", at);
    let post = |at: &str| rig.send("POST", "/v1/clicks", "Idempotency-Key: k\r\n", at).status;
    for odd in ["yesterday", "", "2026-01-01", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00"] {
        assert_eq!(post(&at(odd)), 422, "{odd}");
    }
    let batch = format!(r#"{{"events":[{},{}]}}"#, at("soon"), click("e2", "l1"));
    let answer = rig.send("POST", "/v1/clicks/batch", "", &batch).json();
    assert_eq!(answer["results"][0], json!({ "event_id": "e1", "status": 422 }));
    assert_eq!(answer["results"][1]["status"], 202);
    assert_eq!(rig.mock.clicks_counted(), 1, "e2");
    for same in ["2026-01-01T02:00:00.000+02:00", "2026-01-01 00:00:00z"] {
        assert_eq!(post(&at(same)), 202, "neither id nor key is used up, and spelling is free");
    }
    let refused = rig.tape.wait(1).remove(0).clicks.remove(0);
    assert_eq!((refused.status, refused.effect), (422, false));
}

#[test]
fn a_body_in_a_content_coding_is_415_and_says_what_is_read() {
    let rig = Rig::plain();
    let post = |target: &str, coding: &str, body: &str| {
        let headers = format!("Idempotency-Key: k\r\n{coding}");
        rig.send("POST", target, &headers, body)
    };
    for coding in ["gzip", "GZIP", "identity, br", "identity\r\nContent-Encoding: zstd"] {
        let coding = format!("Content-Encoding: {coding}\r\n");
        let answer = post("/v1/clicks", &coding, "\u{1f}\u{8b}\u{8}");
        assert_eq!(answer.status, 415, "{coding}");
        assert_eq!(answer.header("accept-encoding").as_deref(), Some("identity"));
        assert_eq!(answer.json()["error"]["code"], "unsupported_media_type");
    }
    let gzip = "Content-Encoding: gzip\r\n";
    assert_eq!(post("/v1/clicks", gzip, &click("e1", "l1")).status, 415, "whatever stands in it");
    assert_eq!(post("/v1/nothing", gzip, "x").status, 404);
    assert_eq!(rig.send("GET", "/v1/me", gzip, "").status, 200, "without a body nothing is coded");
    assert_eq!(rig.mock.clicks_counted(), 0);
    let plain = post("/v1/clicks", "Content-Encoding: identity\r\n", &click("e1", "l1"));
    assert_eq!((plain.status, rig.mock.clicks_counted()), (202, 1));
    let record = rig.tape.wait(5).remove(4);
    assert_eq!((record.clicks[0].status, record.clicks[0].effect), (415, false));
}

#[test]
fn a_batch_has_a_result_for_each_click_and_a_bound() {
    let rig = Rig::plain();
    let post = |events: Vec<String>| {
        let body = format!(r#"{{"events":[{}]}}"#, events.join(","));
        rig.send("POST", "/v1/clicks/batch", "", &body)
    };
    let stranger = click("e3", "l1").replace("tail-0001", "nobody");
    let events = vec![click("e1", "l1"), click("e1", "l1"), click("e1", "l2"), stranger];
    let answer = post(events).json();
    let statuses: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [202, 202, 422, 404]);
    let many = |count| (0..count).map(|n| click(&format!("m{n}"), "l1")).collect();
    assert_eq!(post(many(100)).status, 200);
    assert_eq!(post(many(101)).status, 400);
    assert_eq!(rig.mock.clicks_counted(), 101);
}

#[test]
fn over_the_limit_is_429_and_says_when_to_come_back() {
    let rig = Rig::new(|config| config.profile.limit.requests = 3);
    let left = |answer: &crate::rig::Answer| answer.header("x-ratelimit-remaining").unwrap();
    for remaining in ["2", "1", "0"] {
        assert_eq!(left(&rig.get("/v1/me")), remaining);
    }
    let refused = rig.get("/v1/me");
    assert_eq!(refused.status, 429);
    let after: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    assert_eq!(rig.get("/v1/health").status, 200, "health is not limited");
    let records = rig.tape.wait(5);
    assert!(records[3].over_limit && records[3].retry_after.is_some());
    assert!(!records[0].over_limit && !records[4].over_limit);
}

#[test]
fn the_limit_scales_with_time() {
    let rig = Rig::new(|config| {
        config.profile.limit.requests = 1;
        config.profile.limit.window_ms = 60_000;
        config.time_scale = 60_000; // a window of 1 ms
    });
    assert_eq!(rig.get("/v1/me").status, 200);
    let full = rig.tape.wait(1)[0].t_req;
    while rig.clock.now().since(full) < std::time::Duration::from_millis(2) {
        std::thread::yield_now();
    }
    assert_eq!(rig.get("/v1/me").status, 200);
}

#[test]
fn credentials_are_found_and_never_recorded() {
    let rig = Rig::plain();
    let key = rig.mock.api_key();
    let headers = format!("X-Key: {key}\r\nIdempotency-Key: {key}\r\nAccept: {key}\r\n");
    rig.send("POST", &format!("/v1/{key}?key={key}"), &headers, &format!("{{\"k\":\"{key}\"}}"));
    let record = rig.tape.wait(1).remove(0);
    assert_eq!(record.target, "/v1/[key]?key=[key]");
    let expected = [
        KeyPlace::BearerHeader,
        KeyPlace::OtherHeader,
        KeyPlace::Path,
        KeyPlace::Query,
        KeyPlace::Body,
    ];
    assert_eq!(record.key_places, expected);
    assert!(!serde_json::to_string(&record).unwrap().contains(&key));
}

#[test]
fn errors_are_problems_when_the_profile_says_so() {
    let rig = Rig::new(|config| config.profile.errors.problem_json = true);
    let answer = rig.get("/v1/profiles/nobody");
    assert_eq!(answer.header("content-type").as_deref(), Some("application/problem+json"));
    assert_eq!(answer.json()["status"], 404);
}

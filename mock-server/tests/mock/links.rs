//! Writes to links, one by one and in batches: what they answer, change, refuse and record.

use crate::rig::{Answer, Rig, click};
use mock_server::contract::Route;
use mock_server::faults::{Fault, Matcher, Pick, Rule, Status, Window};
use mock_server::server::MockConfig;
use mock_server::world::PageChange;
use mock_server::world::link_change::LinkChange;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ALL_SCOPES: [&str; 5] =
    ["profile:read", "links:read", "links:write", "clicks:write", "analytics:read"];

/// A mock whose key may do everything, and whose analytics take no time.
pub fn rig(adapt: impl FnOnce(&mut MockConfig)) -> Rig {
    Rig::new(|config| {
        config.profile.keys.scopes = ALL_SCOPES.map(str::to_owned).to_vec();
        config.profile.limit.requests = 10_000;
        config.profile.analytics.latency_ms = 0;
        adapt(config);
    })
}

pub fn links(rig: &Rig, handle: &str) -> Vec<Value> {
    let page = rig.get(&format!("/v1/profiles/{handle}/links?limit=100")).json();
    assert_eq!(page["has_more"], false);
    page["data"].as_array().unwrap().clone()
}

pub fn ids(links: &[Value]) -> Vec<String> {
    links.iter().map(|link| link["id"].as_str().unwrap().to_owned()).collect()
}

fn patch(rig: &Rig, id: &str, body: &str) -> Answer {
    rig.send("PATCH", &format!("/v1/links/{id}"), "", body)
}

fn batch(rig: &Rig, items: &[Value]) -> Answer {
    rig.send("POST", "/v1/links/batch", "", &json!({ "items": items }).to_string())
}

fn item(id: &str, title: &str) -> Value {
    json!({ "id": id, "title": title, "url": "https://example.org/new" })
}

pub fn error_code(answer: &Answer) -> Value {
    answer.json()["error"]["code"].clone()
}

#[test]
fn a_patched_link_is_seen_at_once_by_all_routes_under_one_new_version() {
    let rig = rig(|_| {});
    let before = links(&rig, "tail-0001");
    let old = rig.get("/v1/profiles/tail-0001").json()["version"].clone();
    let id = before[1]["id"].as_str().unwrap();
    let change =
        r#"{"title":"Neu","url":"https://example.org/neu","is_active":false,"position":7}"#;
    let answer = patch(&rig, id, change);
    let written = answer.json();
    assert_eq!(answer.status, 200);
    for (field, value) in [
        ("id", json!(id)),
        ("title", json!("Neu")),
        ("url", json!("https://example.org/neu")),
        ("is_active", json!(false)),
        ("position", json!(7)),
        ("updated_at", json!("2026-01-01T00:00:01Z")),
    ] {
        assert_eq!(written[field], value, "{field}");
        assert_eq!(links(&rig, "tail-0001")[1][field], value, "{field}");
    }
    let profile = rig.get("/v1/profiles/tail-0001").json();
    assert_ne!(profile["version"], old);
    assert_eq!(profile["version"], written["version"]);
    assert_eq!(profile["updated_at"], "2026-01-01T00:00:01Z");
    let page = rig.get("/v1/profiles/tail-0001/links").json();
    assert_eq!(page["version"], written["version"]);
    assert_eq!(page["data"][0], before[0], "the other links are as they were");
    assert!(
        rig.get("/v1/profiles/tail-0002").json()["version"].as_str().unwrap().starts_with("v0-")
    );

    let record = rig.tape.wait(3).remove(2);
    assert_eq!((record.route, record.status), (Route::Link, Some(200)));
    assert_eq!(record.version.as_deref(), written["version"].as_str());
    assert_eq!(record.nonce.as_deref(), written["nonce"].as_str());
    let change: LinkChange = serde_json::from_str(change).unwrap();
    let [receipt] = record.links.as_slice() else { panic!("{:?}", record.links) };
    assert_eq!((receipt.id.as_str(), receipt.status, receipt.effect), (id, 200, true));
    assert_eq!(receipt.payload, change.payload());
}

#[test]
fn the_same_patch_again_has_no_second_effect() {
    let rig = rig(|_| {});
    let id = ids(&links(&rig, "tail-0001")).remove(0);
    let first = patch(&rig, &id, r#"{"title":"Neu"}"#).json();
    let again = patch(&rig, &id, r#"{"title":"Neu"}"#).json();
    assert_eq!(first["version"], again["version"]);
    assert_eq!(first["updated_at"], again["updated_at"]);
    assert_ne!(first["nonce"], again["nonce"]);
    let effects: Vec<_> =
        rig.tape.wait(3).iter().flat_map(|record| &record.links).map(|r| r.effect).collect();
    assert_eq!(effects, [true, false]);
}

#[test]
fn a_patch_that_cannot_be_carried_out_says_why_and_changes_nothing() {
    let rig = rig(|_| {});
    let before = links(&rig, "tail-0001");
    let id = ids(&before).remove(0);
    let check = |id: &str, body: &str, status: u16, code: &str| {
        let answer = patch(&rig, id, body);
        assert_eq!((answer.status, error_code(&answer)), (status, json!(code)), "{id} {body}");
    };
    for body in
        ["", "[]", r#"["New"]"#, "{", r#"{"title":5}"#, r#"{"colour":"red"}"#, r#"{"position":-1}"#]
    {
        check(&id, body, 400, "bad_request");
    }
    for body in [
        r#"{"url":"javascript:alert(1)"}"#.to_owned(),
        r#"{"url":"example.org"}"#.to_owned(),
        json!({ "url": format!("https://example.org/{}", "a".repeat(2048)) }).to_string(),
        json!({ "title": "é".repeat(141) }).to_string(),
        r#"{"title":""}"#.to_owned(),
        r#"{"position":10000}"#.to_owned(),
    ] {
        check(&id, &body, 422, "invalid");
    }
    for unknown in ["lnk_000000000000", "nonsense", &rig.mock.api_key()] {
        check(unknown, r#"{"title":"Neu"}"#, 404, "not_found");
    }
    assert_eq!(links(&rig, "tail-0001"), before);
    assert_eq!(patch(&rig, &id, "{}").status, 200, "nothing is asked, and nothing done");
    let records = rig.tape.wait(19);
    let receipts: Vec<_> = records.iter().flat_map(|record| &record.links).collect();
    assert!(receipts.iter().all(|receipt| !receipt.effect));
    let recorded: Vec<_> = receipts.iter().map(|r| (r.status, r.id.as_str())).collect();
    let known = id.as_str();
    assert_eq!(recorded[..6], [(422, known); 6]);
    assert_eq!(recorded[6..9], [(404, "lnk_000000000000"), (404, "?"), (404, "?")]);
    assert!(!serde_json::to_string(&records).unwrap().contains(&rig.mock.api_key()));
}

#[test]
fn a_batch_is_one_request_with_a_result_for_each_item() {
    let rig = rig(|_| {});
    let (one, two) = (ids(&links(&rig, "tail-0001")), ids(&links(&rig, "tail-0002")));
    let bad = json!({ "id": one[1], "title": "Bad", "url": "ftp://example.org/" });
    let remaining = |answer: &Answer| -> u32 {
        answer.header("x-ratelimit-remaining").unwrap().parse().unwrap()
    };
    let before = remaining(&rig.get("/v1/me"));
    let items = [
        item(&one[0], "New"),
        item("lnk_000000000000", "New"),
        bad,
        item(&two[0], "New"),
        item(&one[0], "New"),
    ];
    let answer = batch(&rig, &items);
    assert_eq!(remaining(&answer), before - 1);
    let body = answer.json();
    let of = |field: &str| -> Vec<Value> {
        body["results"].as_array().unwrap().iter().map(|one| one[field].clone()).collect()
    };
    assert_eq!(of("status"), [200, 404, 422, 200, 200]);
    assert_eq!(of("id"), items.each_ref().map(|item| item["id"].clone()));
    assert_eq!(of("error")[1]["code"], "not_found");
    assert_eq!(of("error")[2]["code"], "invalid");
    assert!(body["nonce"].is_string());
    let version =
        |handle: &str| rig.get(&format!("/v1/profiles/{handle}")).json()["version"].clone();
    let (first, second) = (version("tail-0001"), version("tail-0002"));
    assert_eq!(
        of("version"),
        [&first, &Value::Null, &Value::Null, &second, &first].map(Clone::clone)
    );
    assert_eq!(links(&rig, "tail-0001")[0]["title"], "New");
    assert_ne!(links(&rig, "tail-0001")[1]["title"], "Bad");

    let again = batch(&rig, &items[..1]).json();
    assert_eq!(again["results"][0]["version"], first);
    let records = rig.tape.wait(9);
    let record = records.iter().find(|record| record.route == Route::LinksBatch).unwrap();
    let receipts: Vec<_> = record.links.iter().map(|one| (one.status, one.effect)).collect();
    assert_eq!(receipts, [(200, true), (404, false), (422, false), (200, true), (200, false)]);
    assert_eq!(record.version, None, "it was about two pages");
    let last = records.last().unwrap();
    assert_eq!((last.version.as_deref(), last.links[0].effect), (first.as_str(), false));
}

#[test]
fn a_batch_has_a_form_and_a_bound() {
    let rig = rig(|_| {});
    let items =
        |count| (0..count).map(|n| item(&format!("lnk_{n:012}"), "New")).collect::<Vec<_>>();
    assert_eq!(batch(&rig, &items(100)).status, 200);
    assert_eq!(batch(&rig, &items(101)).status, 400);
    for body in [
        "",
        "[[]]",
        r#"{"items":[{"id":"lnk_1"}]}"#,
        r#"{"items":[["lnk_1","New","https://example.org/"]]}"#,
        r#"{"items":[],"more":1}"#,
    ] {
        assert_eq!(rig.send("POST", "/v1/links/batch", "", body).status, 400, "{body}");
    }
    let statuses: BTreeSet<_> = rig.tape.wait(2)[1].links.iter().map(|one| one.status).collect();
    assert_eq!(statuses, BTreeSet::from([400]));
}

#[test]
fn scopes_and_faults_keep_writes_away_and_the_record_says_so() {
    let failing = Rule {
        id: "down".into(),
        window: Window { from_ms: 0, until_ms: u64::MAX },
        matcher: Matcher { routes: vec![Route::Link, Route::LinksBatch], ..Matcher::default() },
        pick: Pick::All,
        fault: Fault::Status(Status { codes: vec![503], retry_after: vec![] }),
    };
    for (scoped, status) in [(false, 403), (true, 503)] {
        let rig = rig(|config| {
            if scoped {
                config.rules = vec![failing.clone()];
            } else {
                config.profile.keys.scopes = vec!["links:read".into()];
            }
        });
        let before = links(&rig, "tail-0001");
        let id = ids(&before).remove(0);
        assert_eq!(patch(&rig, &id, r#"{"title":"New"}"#).status, status);
        assert_eq!(batch(&rig, &[item(&id, "New")]).status, status);
        assert_eq!(links(&rig, "tail-0001"), before);
        for record in &rig.tape.wait(3)[1..3] {
            let [receipt] = record.links.as_slice() else { panic!("{record:?}") };
            assert_eq!(
                (receipt.id.as_str(), receipt.status, receipt.effect),
                (id.as_str(), status, false)
            );
        }
    }
}

#[test]
fn a_reset_forgets_requests() {
    let rig = rig(|config| config.profile.limit.requests = 8);
    let before = links(&rig, "tail-0001");
    let id = ids(&before).remove(0);
    assert_eq!(patch(&rig, &id, r#"{"title":"New"}"#).status, 200);
    rig.mock.edit("tail-0001", PageChange::Remove { count: 1 }).unwrap();
    let body = click("e1", &id);
    for _ in 0..2 {
        assert_eq!(rig.send("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &body).status, 202);
    }
    assert_eq!(rig.mock.clicks_counted(), 1);
    while rig.get("/v1/me").status != 429 {}
    rig.mock.reset();
    assert_eq!(links(&rig, "tail-0001"), before);
    assert_eq!(rig.mock.clicks_counted(), 0);
    let other = click("e2", &id);
    assert_eq!(rig.send("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &other).status, 202);
}

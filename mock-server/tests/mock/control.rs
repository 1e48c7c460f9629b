//! Proves that the control API does what it says, refuses what it must, and never dies of it.

use crate::rig::PATIENCE;
use mock_server::control::{Control, ControlConfig, ControlError, ENDPOINTS};
use mock_server::history::record::Record;
use mock_server::server::MockLinktree;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Api {
    mock: Arc<MockLinktree>,
    control: Control,
    client: Client,
}

impl Api {
    async fn open(token: Option<&str>) -> Self {
        let mock = Arc::new(MockLinktree::builder().start().unwrap());
        let listen = "127.0.0.1:0".parse().unwrap();
        let config = ControlConfig { listen, token: token.map(str::to_owned) };
        let control = Control::start(Arc::clone(&mock), config).await.unwrap();
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { mock, control, client }
    }

    fn ask(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.control.url()))
    }

    /// Status, ETag and body of an answer.
    async fn send(&self, request: RequestBuilder) -> (u16, Option<String>, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let etag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| text.into())
        };
        (status, etag, body)
    }

    /// Asserts that a body is refused, and returns the error.
    async fn refused(&self, method: &str, path: &str, body: &str, status: u16) -> Value {
        let answer = self.send(self.ask(method, path).body(body.to_owned())).await;
        assert_eq!(answer.0, status, "{method} {path} {body}: {}", answer.2);
        let error = answer.2["error"].clone();
        for part in ["code", "message", "help"] {
            assert!(error[part].is_string(), "{error}");
        }
        error
    }

    async fn profile(&self) -> u16 {
        let url = format!("{}/v1/profiles/creator-0001", self.mock.url());
        let answer = self.client.get(url).bearer_auth(self.mock.api_key()).send().await.unwrap();
        answer.status().as_u16()
    }
}

fn status_rule(id: &str, code: u16) -> Value {
    json!({ "id": id, "fault": { "kind": "status", "codes": [code] } })
}

#[tokio::test]
async fn every_endpoint_of_the_index_answers() {
    let api = Api::open(None).await;
    let (status, _, index) = api.send(api.ask("GET", "/")).await;
    assert_eq!(status, 200);
    let listed = index["endpoints"].as_array().unwrap();
    assert_eq!(listed.len(), ENDPOINTS.len());
    for endpoint in listed {
        let method = endpoint["method"].as_str().unwrap();
        let parts = endpoint["path"].as_str().unwrap().split('/');
        let parts = parts.map(|part| if part.starts_with('{') { "nobody" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        let (_, _, body) = api.send(api.ask(method, &path)).await;
        let code = body["error"]["code"].as_str().unwrap_or_default();
        let missing = ["no_such_endpoint", "method_not_allowed"].contains(&code);
        assert!(!missing, "{method} {path}: {body}");
    }
    assert_eq!(api.refused("GET", "/plam", "", 404).await["code"], "no_such_endpoint");
    assert_eq!(api.refused("PATCH", "/plan", "", 405).await["code"], "method_not_allowed");
}

#[tokio::test]
async fn rules_change_what_the_next_request_meets() {
    let api = Api::open(None).await;
    assert_eq!(api.profile().await, 200);
    let (status, _, plan) =
        api.send(api.ask("PUT", "/plan").json(&json!({ "rules": [status_rule("a", 503)] }))).await;
    assert_eq!((status, &plan["rules"][0]["id"]), (200, &json!("a")));
    assert_eq!(api.profile().await, 503);
    let toml = "id = \"b\"\n[fault]\nkind = \"status\"\ncodes = [500]\n";
    let add = api.ask("POST", "/plan/rules").header("content-type", "application/toml").body(toml);
    assert_eq!(api.send(add).await.0, 201);
    assert_eq!(api.send(api.ask("DELETE", "/plan/rules/a")).await.0, 204);
    assert_eq!(api.profile().await, 500);
    assert_eq!(api.send(api.ask("GET", "/plan/rules/b")).await.2["id"], "b");
    let reread = api.send(api.ask("GET", "/plan")).await.2;
    let (status, _, again) = api.send(api.ask("PUT", "/plan").json(&reread)).await;
    assert_eq!((status, again), (200, reread), "what is read can be written");
    assert_eq!(api.send(api.ask("POST", "/reset")).await.0, 204);
    assert_eq!(api.profile().await, 200);
}

#[tokio::test]
async fn whoever_changes_an_outdated_plan_is_refused() {
    let api = Api::open(None).await;
    let seen = api.send(api.ask("GET", "/plan")).await.1.unwrap();
    let put = |code: u16, tag: &str| {
        let plan = json!({ "rules": [status_rule("a", code)] });
        api.ask("PUT", "/plan").header("if-match", tag).json(&plan)
    };
    let (status, mine, _) = api.send(put(503, &seen)).await;
    assert_eq!(status, 200);
    let (status, now, body) = api.send(put(500, &seen)).await;
    assert_eq!((status, &now, &body["error"]["code"]), (412, &mine, &json!("outdated")));
    assert_eq!(api.profile().await, 503, "the first one's rules are in force");
    assert_eq!(api.send(put(500, "nonsense")).await.0, 412);
    assert_eq!(api.send(put(500, &now.unwrap())).await.0, 200);
    assert_eq!(api.send(put(502, "*")).await.0, 200);
    let delete = api.ask("DELETE", "/plan/rules/a").header("if-match", seen);
    assert_eq!(api.send(delete).await.0, 412);
}

#[tokio::test]
async fn bad_input_is_refused_with_a_reason_and_changes_nothing() {
    let api = Api::open(None).await;
    let before = api.mock.revised_rules();
    let unknown = api.refused("PUT", "/plan", r#"{"rule":[]}"#, 400).await;
    assert_eq!(unknown["help"], "did you mean rules?");
    let misspelt = r#"{"rules":[{"id":"a","fault":{"kind":"stats","codes":[503]}}]}"#;
    let unknown = api.refused("PUT", "/plan", misspelt, 400).await;
    assert_eq!(unknown["help"], "did you mean status?");
    let odd = json!({ "rules": [status_rule("a", 99)] }).to_string();
    assert_eq!(api.refused("PUT", "/plan", &odd, 422).await["code"], "unusable_rules");
    let pause = json!({ "kind": "pause", "on": { "at": "nth-ack", "n": 3 }, "for_ms": 100 });
    let pause = json!({ "rules": [{ "id": "a", "fault": pause }] }).to_string();
    assert_eq!(api.refused("PUT", "/plan", &pause, 422).await["code"], "process_fault");
    api.refused("PUT", "/plan", "{", 400).await;
    api.refused("PUT", "/plan", "[1,2]", 400).await;
    api.refused("PUT", "/plan", "\u{0}", 400).await;
    api.refused("PUT", "/plan", &"[".repeat(100_000), 400).await;
    api.refused("PUT", "/plan", &" ".repeat(1_100_000), 413).await;
    api.refused("POST", "/plan/rules", "{}", 400).await;
    api.refused("DELETE", "/plan/rules/%F0%28", "", 400).await;
    api.refused("DELETE", "/plan/rules/none", "", 404).await;
    api.refused("GET", "/history?form=1", "", 400).await;
    api.refused("GET", "/history?from=-1", "", 400).await;
    let help = api.refused("GET", "/history?event=exchanges", "", 400).await["help"].clone();
    assert!(help.as_str().unwrap().starts_with("did you mean exchange?"), "{help}");
    assert_eq!(api.mock.revised_rules(), before);
    let one = status_rule("a", 503).to_string();
    assert_eq!(api.send(api.ask("POST", "/plan/rules").body(one.clone())).await.0, 201);
    assert_eq!(api.refused("POST", "/plan/rules", &one, 409).await["code"], "rule_exists");
}

#[tokio::test]
async fn the_history_can_be_read_whole_followed_and_cleared() {
    let api = Api::open(None).await;
    let mut live = api.ask("GET", "/history?follow=true&event=exchange").send().await.unwrap();
    assert_eq!(live.headers()["content-type"], "application/x-ndjson");
    let mut text = String::new();
    for count in 1..=2 {
        api.profile().await;
        while text.lines().count() < count {
            let chunk = live.chunk().await.unwrap().expect("the stream goes on");
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["seq"], &lines[1]["seq"]), (&json!(0), &json!(1)));
    assert_eq!(lines[1]["event"], "exchange");
    assert_eq!(lines[1]["target"], "/v1/profiles/creator-0001");

    let whole = api.ask("GET", "/history").send().await.unwrap().text().await.unwrap();
    assert_eq!(whole, text);
    let rest = api.ask("GET", "/history?from=1").send().await.unwrap().text().await.unwrap();
    assert_eq!(rest.lines().count(), 1);
    let none = api.ask("GET", "/history?event=alert").send().await.unwrap().text().await.unwrap();
    assert_eq!(none, "");
    assert_eq!(api.send(api.ask("DELETE", "/history")).await.0, 204);
    let whole = api.ask("GET", "/history").send().await.unwrap().text().await.unwrap();
    assert_eq!(whole, "");
    let gone = api.ask("GET", "/history?from=0").send().await.unwrap().text().await.unwrap();
    assert_eq!(gone, "{\"event\":\"missed\",\"count\":2}\n");

    api.profile().await;
    let mock = Arc::clone(&api.mock);
    tokio::task::spawn_blocking(move || mock.shut_down()).await.unwrap();
    let mut last = String::new();
    while let Some(chunk) = live.chunk().await.unwrap() {
        last.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert_eq!(last.lines().count(), 1, "a follower gets the last record, and then the end");
    api.control.stop().await;
}

#[tokio::test]
async fn followers_that_leave_make_room_for_others() {
    let api = Api::open(None).await;
    let follow = || api.ask("GET", "/history?follow=true").send();
    let mut followers = Vec::new();
    for _ in 0..64 {
        followers.push(follow().await.unwrap());
    }
    assert_eq!(follow().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    followers.clear();
    let came_in = async {
        while follow().await.unwrap().status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, came_in).await.expect("places are free again");
}

#[tokio::test]
async fn web_pages_and_foreign_names_are_refused_on_loopback() {
    let api = Api::open(None).await;
    let page = api.ask("POST", "/reset").header("origin", "http://127.0.0.1:9999");
    assert_eq!(api.send(page).await.2["error"]["code"], "web_page");
    let rebound = api.ask("GET", "/plan").header("host", "evil.example");
    assert_eq!(api.send(rebound).await.2["error"]["code"], "foreign_host");
    // An absolute target outranks the Host header (RFC 9112 section 3.2.2).
    let address = api.control.url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request =
        "GET http://evil.example/plan HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn a_token_is_asked_for_when_there_is_one_and_needed_elsewhere() {
    let api = Api::open(Some("s3cret")).await;
    let (status, _, body) = api.send(api.ask("GET", "/status")).await;
    assert_eq!((status, &body["error"]["code"]), (401, &json!("unauthorized")));
    assert_eq!(api.send(api.ask("GET", "/status").bearer_auth("s3cre")).await.0, 401);
    let (status, _, body) = api.send(api.ask("GET", "/status").bearer_auth("s3cret")).await;
    assert_eq!((status, &body["profile"]), (200, &json!("linktree-v1")));
    assert!(body["now_ms"].as_u64() <= body["now"].as_u64().map(|now| now / 1_000_000), "{body}");
    assert!(body["now_ms"].is_u64(), "a rule's window can begin now");
    assert!(!body.to_string().contains(&api.mock.api_key()), "no credential in the status");

    let everywhere = "0.0.0.0:0".parse().unwrap();
    for token in [None, Some(String::new())] {
        let config = ControlConfig { listen: everywhere, token };
        let refused = Control::start(Arc::clone(&api.mock), config).await;
        assert!(matches!(refused, Err(ControlError::NoToken { .. })));
    }
    let taken = api.control.url().replace("http://", "").parse().unwrap();
    let config = ControlConfig { listen: taken, token: None };
    let refused = Control::start(Arc::clone(&api.mock), config).await;
    assert!(matches!(refused, Err(ControlError::PortInUse { at }) if at == taken));
}

#[tokio::test]
async fn what_is_held_back_is_listed_and_released() {
    let api = Api::open(None).await;
    let hold = |id: &str, route: &str| json!({ "id": id, "matcher": { "routes": [route] }, "fault": { "kind": "hold" } });
    let plan = json!({ "rules": [hold("one", "me"), hold("two", "profile")] });
    let put = api.send(api.ask("PUT", "/plan").json(&plan)).await;
    assert_eq!(put.0, 200, "{}", put.2);
    let call = |path: &str| {
        let request = api.client.get(format!("{}{path}", api.mock.url()));
        tokio::spawn(request.bearer_auth(api.mock.api_key()).send())
    };
    let calls = [call("/v1/me"), call("/v1/profiles/creator-0001")];
    let both_wait = async {
        while api.send(api.ask("GET", "/holds")).await.2["held"].as_array().unwrap().len() < 2 {}
    };
    tokio::time::timeout(PATIENCE, both_wait).await.expect("both are held");
    let release = async |path| api.send(api.ask("POST", path)).await.2;
    assert_eq!(release("/holds/none/release").await, json!({ "released": 0 }));
    assert_eq!(release("/holds/one/release").await, json!({ "released": 1 }));
    assert_eq!(release("/holds/release").await, json!({ "released": 1 }));
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
}

#[tokio::test]
async fn keys_are_rotated_with_an_overlap_issued_and_reset() {
    let api = Api::open(None).await;
    let me = async |key: &str| {
        let url = format!("{}/v1/me", api.mock.url());
        api.client.get(url).bearer_auth(key).send().await.unwrap().status().as_u16()
    };
    let ask = async |path: &str, body: serde_json::Value| {
        let (status, _, answer) = api.send(api.ask("POST", path).json(&body)).await;
        (status, answer)
    };
    let first = api.mock.api_key();
    let (status, second) = ask("/keys/rotate", json!({ "overlap_ms": 3_600_000 })).await;
    let second = second["api_key"].as_str().unwrap().to_owned();
    assert_eq!((status, me(&first).await, me(&second).await), (200, 200, 200));
    let third = ask("/keys/rotate", json!({})).await.1["api_key"].as_str().unwrap().to_owned();
    assert_eq!((me(&second).await, me(&third).await), (401, 200), "no overlap was asked for");
    let (status, test) = ask("/keys", json!({ "environment": "test" })).await;
    assert_eq!((status, me(test["api_key"].as_str().unwrap()).await), (201, 401));
    let secret = api.mock.webhook_secret();
    let rotated = ask("/webhook-secret/rotate", json!({ "overlap_ms": 3_600_000 })).await.1;
    assert_ne!(rotated["webhook_secret"], json!(secret));
    assert_eq!(api.mock.signing_secrets().len(), 2);
    assert_eq!(ask("/keys", json!({ "acount": "x" })).await.0, 400);
    ask("/reset", json!({})).await;
    assert_eq!((me(&first).await, me(&third).await), (200, 401));
}

#[tokio::test]
async fn webhooks_are_registered_sent_and_removed() {
    let api = Api::open(None).await;
    let send = || {
        let message =
            json!({ "event": "link.clicked", "handle": "creator-0001", "data": { "n": 1 } });
        api.ask("POST", "/webhooks/send").json(&message)
    };
    assert_eq!(api.send(send()).await.2["error"]["code"], "nobody_listens");
    // Nothing listens there: the attempt is made, and recorded as refused.
    let wish = json!({ "url": "http://127.0.0.1:9/hook", "events": ["link.clicked"] });
    let (status, _, made) = api.send(api.ask("POST", "/webhooks").json(&wish)).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(api.send(api.ask("GET", "/webhooks")).await.2["webhooks"][0]["id"], made["id"]);
    let (status, _, sent) = api.send(send()).await;
    assert_eq!(status, 202, "{sent}");
    let is_delivery = |record: &Record| matches!(record, Record::Delivery(_));
    api.mock.history().wait_for_records(1, PATIENCE, is_delivery).await.unwrap();
    assert_eq!(api.mock.history().deliveries()[0].id, sent["id"]);
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    assert_eq!(api.send(api.ask("DELETE", &path)).await.0, 204);
    assert_eq!(api.refused("DELETE", &path, "", 404).await["code"], "no_such_webhook");
    let elsewhere = r#"{"url":"http://example.org/","events":["link.clicked"]}"#;
    let error = api.refused("POST", "/webhooks", elsewhere, 422).await;
    assert_eq!(error["code"], "unusable_webhook");
    let misspelt = r#"{"event":"link.click","handle":"a"}"#;
    let error = api.refused("POST", "/webhooks/send", misspelt, 400).await;
    assert_eq!(error["help"], "did you mean link.clicked?");
}

#[tokio::test]
async fn pages_change_when_an_edit_is_asked_for() {
    let api = Api::open(None).await;
    let links = async || {
        let creator = api.send(api.ask("GET", "/creators/creator-0001")).await.2;
        creator["links"].as_array().unwrap().len()
    };
    let before = links().await;
    let change = json!({ "kind": "insert", "count": 3 });
    let edit = json!({ "kind": "edit", "handles": "creator-*", "change": change });
    let (status, _, made) = api.send(api.ask("POST", "/world").json(&edit)).await;
    assert_eq!((status, made), (200, json!({ "made": null })));
    let (_, _, line) = api.send(api.ask("GET", "/history?event=world")).await;
    assert_eq!((&line["event"], &line["what"]), (&json!("world"), &edit));
    assert_eq!(links().await, before + 3);
    let odd = r#"{"kind":"edit","handles":"creator-*","change":{"kind":"inset"}}"#;
    api.refused("POST", "/world", odd, 400).await;
    let nobody = api.refused("POST", "/world", r#"{"kind":"edit","handles":"a-*"}"#, 422).await;
    assert_eq!(nobody["code"], "unusable_event");
    assert_eq!(api.send(api.ask("POST", "/reset")).await.0, 204);
    assert_eq!(links().await, before);
}

#[tokio::test]
async fn creators_are_listed_in_pages() {
    let api = Api::open(None).await;
    let list = |path: &'static str| api.send(api.ask("GET", path));
    let first = list("/creators?limit=3").await.2;
    assert_eq!(first["handles"], json!(["creator-0001", "creator-0002", "creator-0003"]));
    assert_eq!(first["next"], "creator-0003");
    let rest = list("/creators?after=creator-0003").await.2;
    assert_eq!(rest, json!({ "handles": ["creator-0004", "creator-0005"], "next": null }));
    assert_eq!(list("/creators?prefix=x").await.2["handles"], json!([]));
    assert_eq!(list("/creators/creator-0002").await.2["handle"], "creator-0002");
    assert_eq!(api.refused("GET", "/creators/nobody", "", 404).await["code"], "no_such_creator");
}

//! Who wants webhooks: the route, its refusals, and whether an address answers.

use crate::receiver::{Post, Receiver, nobody};
use crate::rig::{Rig, always};
use mock_server::faults::{Fault, LateError, Pick, Rule};
use mock_server::webhooks::{SchemeName, WebhookEvent};
use serde_json::json;

#[test]
fn the_route_registers_lists_and_removes() {
    let post = Post::new(&[], |_| {});
    let (rig, receiver) = (&post.rig, Receiver::new(&[]));
    let own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let wish = json!({ "url": receiver.url, "events": ["link.clicked"], "secret": own });
    let made = rig.send("POST", "/v1/webhooks", "", &wish.to_string());
    assert_eq!(made.status, 201);
    let body = made.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!(body["url"], receiver.url.as_str());
    assert_eq!(body["events"], json!(["link.clicked"]));
    assert_eq!((&body["own_secret"], &body["active"]), (&json!(true), &json!(true)));
    assert!(body["nonce"].is_string() && !made.body.contains(own));

    let head = receiver.heads(1).remove(0);
    assert!(head.head.starts_with("HEAD /webhooks/linktree HTTP/1.1\r\n"));
    let look = post.log.looks(2).into_iter().find(|look| look.webhook == id).unwrap();
    assert_eq!((look.status, look.failure, look.url), (Some(200), None, receiver.url.clone()));

    let wish = json!({ "url": receiver.url, "events": ["link.updated"] });
    let again = rig.send("POST", "/v1/webhooks", "", &wish.to_string());
    assert_eq!((again.status, again.json()["id"].as_str()), (200, Some(id)));
    assert_eq!(again.json()["events"], json!(["link.updated"]));

    post.send("tail-0001");
    let received = receiver.posts(1).remove(0);
    assert_eq!(received.verdict(SchemeName::StandardWebhooks, own), Ok(()), "its own secret");
    let other = post.receiver.posts(1).remove(0);
    assert_eq!(other.verdict(SchemeName::StandardWebhooks, &post.secret()), Ok(()));
    assert_eq!(received.header("webhook-id"), other.header("webhook-id"), "one message, one id");
    assert!(post.log.deliveries(2).iter().all(|record| record.authentic));

    let list = rig.get("/v1/webhooks").json();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert_eq!(list["data"][1]["reachable"], true);
    assert_eq!(rig.send("DELETE", &format!("/v1/webhooks/{id}"), "", "").status, 204);
    assert_eq!(rig.send("DELETE", &format!("/v1/webhooks/{id}"), "", "").status, 404);
    assert_eq!(rig.get("/v1/webhooks").json()["data"].as_array().unwrap().len(), 1);
}

#[test]
fn what_was_registered_stands_in_the_exchange_whatever_its_answer() {
    let late = Fault::LateError(LateError { status: 500 });
    let rig = Rig::new(|config| {
        config.rules = vec![Rule { pick: Pick::Nth { from: 1, until: 2 }, ..always("late", late) }];
    });
    let receiver = Receiver::new(&[]);
    let wish = json!({ "url": receiver.url, "events": ["link.updated", "link.clicked"] });
    let post = |body: &str| rig.send("POST", "/v1/webhooks", "", body);
    let made = post(&wish.to_string()).json();
    assert_eq!(post(&wish.to_string()).status, 500);
    assert_eq!(post("{}").status, 422);
    let seen = rig.tape.wait(3);
    for exchange in &seen[..2] {
        let receipt = exchange.registration.as_ref().unwrap();
        assert_eq!(
            (receipt.id.as_str(), &receipt.url),
            (made["id"].as_str().unwrap(), &receiver.url)
        );
        assert_eq!(receipt.events, [WebhookEvent::LinkClicked, WebhookEvent::LinkUpdated]);
    }
    assert_eq!(seen[2].registration, None);
}

#[test]
fn what_cannot_be_registered_is_refused_with_the_reason() {
    let post = Post::new(&[], |_| {});
    let check = |body: &str, status: u16, word: &str| {
        let answer = post.rig.send("POST", "/v1/webhooks", "", body);
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.body.contains(word), "{body}: {}", answer.body);
    };
    let wish = |url: &str, events: &str| format!(r#"{{"url":"{url}","events":[{events}]}}"#);
    check(&wish("http://example.org/hook", r#""link.clicked""#), 422, "not named");
    check(&wish("https://127.0.0.1/", r#""link.clicked""#), 422, "only http");
    check(&wish("http://127.0.0.1/", r#""link.deleted""#), 422, "link.deleted");
    check(&wish("http://127.0.0.1/", ""), 422, "at least one event");
    check(r#"{"url":"http://127.0.0.1/"}"#, 422, "events");
    check(r#"{"url":"http://127.0.0.1/","events":["link.clicked"],"secret":"x"}"#, 422, "base64");
    check("{", 400, "not JSON");
    assert_eq!(post.rig.mock.webhooks().len(), 1);
}

/// On this machine `0.0.0.0` leads to loopback and is none, so that nothing leaves it here.
#[test]
fn beyond_loopback_only_whom_the_configuration_names_is_called() {
    let receiver = Receiver::new(&[]);
    let url = receiver.url.replace("127.0.0.1", "0.0.0.0");
    let body = json!({ "url": url, "events": ["link.clicked"] }).to_string();
    let post = Post::new(&[], |_| {});
    assert_eq!(post.rig.send("POST", "/v1/webhooks", "", &body).status, 422);
    let named = Post::new(&[], |config| {
        config.listen.hooks = vec![mock_server::listen::network("0.0.0.0").unwrap()];
    });
    assert_eq!(named.rig.send("POST", "/v1/webhooks", "", &body).status, 201);
    assert!(receiver.heads(1).remove(0).head.starts_with("HEAD /webhooks/linktree HTTP/1.1\r\n"));
    let elsewhere = body.replace("0.0.0.0", "10.9.8.7");
    assert_eq!(named.rig.send("POST", "/v1/webhooks", "", &elsewhere).status, 422);
}

#[test]
fn the_route_needs_its_scope() {
    let scopes = vec!["profile:read".to_owned()];
    let post = Post::new(&[], |config| config.profile.keys.scopes = scopes);
    assert_eq!(post.rig.get("/v1/webhooks").status, 403);
}

#[test]
fn an_address_where_nobody_listens_is_not_reachable() {
    let gone = nobody();
    let post = Post::new(&[], |_| {});
    post.log.looks(1);
    let url = format!("http://{}", gone.local_addr().unwrap());
    post.rig.mock.register_webhook(&url, &WebhookEvent::ALL).unwrap();
    let look = post.log.looks(2).remove(1);
    assert_eq!(look.status, None);
    assert!(look.failure.unwrap().contains("failed to connect"));
    assert_eq!(post.rig.mock.webhooks()[1].reachable, Some(false));
}

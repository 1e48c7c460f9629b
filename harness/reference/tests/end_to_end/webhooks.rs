//! Webhooks: registered at the start, believed when they are signed, acted upon once, kept otherwise.

use crate::{Service, eventually, stub::Mood};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

/// The secret that the stub's vault hands out.
const SECRET: &str = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const CHANGED: &str = r#"{"id":"m","type":"profile.updated","data":{"handle":"ann"}}"#;

#[allow(clippy::disallowed_methods)]
fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// Sends a body as Linktree does, in a moment that is off by so many seconds.
async fn send(service: &Service, id: &str, body: &str, off_s: i64) -> u16 {
    send_signed(service, SECRET, id, body, off_s).await
}

async fn send_signed(service: &Service, secret: &str, id: &str, body: &str, off_s: i64) -> u16 {
    let timestamp = now_s() + off_s;
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(secret).unwrap()).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let headers = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
    ];
    service.front.post("/webhooks/linktree", &headers, body).await
}

#[tokio::test]
async fn a_page_that_has_changed_is_asked_for_again_once_and_shown_all_the_same_if_that_fails() {
    let service = Service::start(None).await;
    let asked = || service.stub.seen("/v1/profiles/ann").len();
    service.page("ann").await;
    let filled = asked();
    service.page("ann").await;
    assert_eq!(asked(), filled, "it is fresh");
    assert_eq!(send(&service, "m1", CHANGED, 0).await, 204);
    service.page("ann").await;
    assert_eq!(asked(), filled + 1, "it is vouched for again");
    assert_eq!(send(&service, "m1", CHANGED, 0).await, 204);
    service.page("ann").await;
    assert_eq!(asked(), filled + 1, "a copy has no second effect");
    service.stub.set(Mood::Status(503, None));
    assert_eq!(send(&service, "m2", CHANGED, 0).await, 204);
    assert_eq!(service.page("ann").await.0, 200);
    assert_eq!(
        service.front.metric("linktree_webhook_deliveries_total{result=\"accepted\"}").await,
        Some(2.0)
    );
    assert_eq!(
        service.front.metric("linktree_webhook_deliveries_total{result=\"duplicate\"}").await,
        Some(1.0)
    );
}

#[tokio::test]
async fn what_is_not_believed_changes_nothing() {
    let service = Service::start(None).await;
    service.page("ann").await;
    let filled = service.stub.seen("/v1/profiles/ann").len();
    assert_eq!(send(&service, "m1", CHANGED, -301).await, 400);
    assert_eq!(send(&service, "m1", CHANGED, 302).await, 400);
    assert_eq!(service.front.post("/webhooks/linktree", &[], CHANGED).await, 401);
    let forged = [
        ("webhook-id", "m1".to_owned()),
        ("webhook-timestamp", "1".to_owned()),
        ("webhook-signature", "v1,AAAA".to_owned()),
    ];
    assert_eq!(service.front.post("/webhooks/linktree", &forged, CHANGED).await, 401);
    service.page("ann").await;
    assert_eq!(service.stub.seen("/v1/profiles/ann").len(), filled);
}

#[tokio::test]
async fn a_secret_that_was_rotated_is_believed_without_a_restart_and_the_old_one_is_not() {
    const NEXT: &str = "bmV4dCBzZWNyZXQgb2YgdGhlIHN0dWI=";
    let service = Service::start(None).await;
    assert_eq!(send_signed(&service, NEXT, "m1", CHANGED, 0).await, 401);
    *service.stub.webhook_secret.lock().unwrap() = "whsec_bmV4dCBzZWNyZXQgb2YgdGhlIHN0dWI=";
    eventually("the new secret", async || {
        send_signed(&service, NEXT, "m2", CHANGED, 0).await == 204
    })
    .await;
    assert_eq!(send(&service, "m3", CHANGED, 0).await, 401);
}

#[tokio::test]
async fn what_cannot_be_processed_is_kept_whole_across_a_restart() {
    let service = Service::start(None).await;
    let long = format!("not JSON {}", "x".repeat(100_000));
    assert_eq!(send(&service, "m1", &long, 0).await, 204);
    assert_eq!(send(&service, "m2", r#"{"type":"link.clicked","note":1}"#, 0).await, 204);
    assert_eq!(send(&service, "m3", r#"{"type":"link.deleted"}"#, 0).await, 204);
    let (stub, folder) = service.stop().await;
    let service = Service::start_on(stub, folder.clone(), None).await;
    let kept = std::fs::read_to_string(folder.path().join(reference::FAILED_WEBHOOKS)).unwrap();
    let kept: Vec<serde_json::Value> =
        kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((kept.len(), &kept[0]["id"]), (2, &"m1".into()));
    assert_eq!(kept[0]["payload"], long);
    assert_eq!(kept[1]["payload"], r#"{"type":"link.clicked","note":1}"#);
    drop(service);
}

#[tokio::test]
async fn it_is_registered_at_the_start_however_often_that_fails_and_not_twice() {
    let service = Service::start_at("http://front.test/").await;
    let posts = || {
        let calls = service.stub.seen("/v1/webhooks");
        calls.into_iter().filter(|seen| !seen.body.is_null()).collect::<Vec<_>>()
    };
    eventually("a registration", async || !posts().is_empty()).await;
    let wish = &posts()[0].body;
    assert_eq!(wish["url"], "http://front.test/webhooks/linktree");
    assert!(wish["events"].as_array().unwrap().contains(&"link.clicked".into()));
    let (stub, folder) = service.stop().await;
    stub.set(Mood::Status(503, None));
    let before = stub.seen("/v1/webhooks").len();
    let again = Service::start_with(stub, folder, None, Some("http://front.test/")).await;
    eventually("a second attempt", async || again.stub.seen("/v1/webhooks").len() > before + 1)
        .await;
    again.stub.set(Mood::Well);
    let listed = || again.stub.seen("/v1/webhooks").len();
    let after = listed();
    eventually("an answer", async || listed() > after).await;
    let (stub, _folder) = again.stop().await;
    let posts = stub.seen("/v1/webhooks").into_iter().filter(|seen| !seen.body.is_null());
    assert_eq!(posts.count(), 1, "it is registered already");
}

//! Creators look at their figures: everybody at own ones, and for as long as Linktree may take.

use crate::{Service, stub::Mood};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use std::time::Duration;
use tokio::time::Instant;

/// The token of a creator's session, signed with the secret that services in these tests have.
fn token(handle: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(b"session-secret").unwrap();
    format!("{handle}.{}", hex::encode(mac.chain_update(handle).finalize().into_bytes()))
}

async fn status(service: &Service, path: &str, token: Option<&str>) -> u16 {
    service.front.figures(path, token).await.status().as_u16()
}

#[tokio::test]
async fn a_creator_sees_own_figures_and_nobody_else_does() {
    let service = Service::start(None).await;
    let (own, other) = (token("ann"), token("bob"));
    let answer = service.front.figures("ann", Some(&own)).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let figures: serde_json::Value = answer.json().await.unwrap();
    let clicks = json!([{"link_id": "ann-1", "date": "2026-01-31", "clicks": 7}]);
    assert_eq!((&figures["links"], &figures["total"]), (&clicks, &json!(9)));
    // They are kept by now, and still nobody else's.
    assert_eq!(status(&service, "ann", Some(&other)).await, 403);
    assert_eq!(status(&service, "ann", None).await, 401);
    assert_eq!(status(&service, "ann", Some(&own[..own.len() - 32])).await, 401);
    assert_eq!(status(&service, "ANN", Some(&other)).await, 403);
    assert_eq!(status(&service, "ann%2e", Some(&other)).await, 403);
    let other_in_query = service.front.figures("bob?handle=ann", Some(&other)).await;
    assert_eq!(other_in_query.json::<serde_json::Value>().await.unwrap()["handle"], "bob");
    let asked = service.stub.seen("/v1/analytics/");
    assert_eq!(asked.len(), 2, "one query for each creator: {asked:?}");
    assert!(asked[0].uri.contains("?from=") && asked[0].uri.contains("&to="), "{asked:?}");
}

#[tokio::test]
async fn a_query_that_stalls_is_given_up_after_its_own_limit_and_pages_go_on() {
    let service = Service::start(None).await;
    service.stub.set(Mood::Trickle);
    let asked = Instant::now();
    assert_eq!(status(&service, "ann", Some(&token("ann"))).await, 504);
    // Thirty seconds of the contract.
    let took = asked.elapsed();
    assert!((1_500..2_500).contains(&took.as_millis()), "{took:?}");
    for handle in ["b", "c", "d", "e", "f", "g"] {
        let token = token(handle);
        let waits = service.front.figures(handle, Some(&token));
        assert!(tokio::time::timeout(Duration::from_millis(50), waits).await.is_err());
    }
    service.stub.set(Mood::Well);
    assert_eq!(service.page("ann").await.0, 200);
    assert_eq!(status(&service, "h", Some(&token("h"))).await, 200);
}

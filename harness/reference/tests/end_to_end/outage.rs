//! Outages: the breaker, `Retry-After`, and quick answers meanwhile.

use crate::{Service, eventually, stub::Mood};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn five_failures_open_the_breaker_and_a_probe_closes_it() {
    let service = Service::start(None).await;
    service.stub.set(Mood::Status(500, None));
    // The retries of the first page are the five failures.
    assert_eq!(service.page("ann").await.0, 503);
    assert_eq!(service.front.metric("linktree_circuit_state").await, Some(2.0));
    let started = Instant::now();
    for handle in ["bob", "cyd", "dan"] {
        assert_eq!(service.page(handle).await.0, 503);
    }
    assert!(started.elapsed() < Duration::from_millis(500));
    assert_eq!(service.stub.seen("").len(), 5);
    service.stub.set(Mood::Well);
    eventually("a page", async || service.page("bob").await.0 == 200).await;
    let seen = service.stub.seen("");
    assert!(seen[5].at - seen[4].at >= Duration::from_millis(1_500));
    assert_eq!(service.front.metric("linktree_circuit_state").await, Some(0.0));
}

#[tokio::test]
async fn four_failures_are_retried_until_the_page_is_there() {
    let service = Service::start(None).await;
    service.stub.set(Mood::Status(500, None));
    let heal = async {
        eventually("two attempts", async || service.stub.seen("").len() >= 2).await;
        service.stub.set(Mood::Well);
    };
    let (page, ()) = tokio::join!(service.page("ann"), heal);
    assert_eq!(page.0, 200);
}

#[tokio::test]
async fn nothing_is_sent_before_retry_after() {
    for status in [429, 503] {
        let service = Service::start(None).await;
        service.stub.set(Mood::Status(status, Some("1")));
        assert_eq!(service.page("ann").await.0, 503);
        service.stub.set(Mood::Well);
        service.front.click("e1").await;
        let started = Instant::now();
        assert_eq!(service.page("bob").await.0, 503);
        assert!(started.elapsed() < Duration::from_millis(300), "a page does not wait");
        eventually("a page", async || service.page("bob").await.0 == 200).await;
        service.front.drained().await;
        let seen = service.stub.seen("");
        assert!(seen[1].at - seen[0].at >= Duration::from_secs(1), "{status}");
    }
}

#[tokio::test]
async fn a_refused_key_is_no_outage_and_is_not_tried_again_at_once() {
    for status in [401, 403] {
        let service = Service::start(None).await;
        service.stub.set(Mood::Status(status, None));
        let started = Instant::now();
        assert_eq!(service.page("ann").await.0, 503);
        assert!(started.elapsed() < Duration::from_millis(300), "a page does not wait");
        assert_eq!(service.stub.seen("").len(), 1);
        let counted = |outcome: &str| {
            format!("linktree_upstream_requests_total{{route=\"profile\",outcome=\"{outcome}\"}}")
        };
        assert_eq!(service.front.metric(&counted("auth")).await, Some(1.0));
        assert_eq!(service.front.metric(&counted("timeout")).await, None);
        assert_eq!(service.front.metric("linktree_circuit_state").await, Some(0.0));
        service.stub.set(Mood::Well);
        eventually("a page", async || service.page("ann").await.0 == 200).await;
    }
}

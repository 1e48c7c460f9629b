//! Clicks: acknowledged, delivered once, kept over a restart and an outage.

use crate::{Service, eventually, front::click_sent_on, stub::Mood};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_click_is_delivered_once_and_without_its_visitor() {
    let service = Service::start(None).await;
    assert_eq!(service.front.click("e1").await, 202);
    service.front.drained().await;
    assert_eq!(service.front.click("e1").await, 202);
    assert_eq!(service.front.click("").await, 400);
    assert_eq!(service.front.click("e2").await, 202);
    service.front.drained().await;
    let seen = service.stub.seen("/v1/clicks");
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("idempotency-key"), Some("e1"));
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert_eq!(seen[0].body, click_sent_on("e1"));
}

#[tokio::test]
async fn clicks_of_an_outage_are_delivered_in_batches_after_a_restart() {
    let service = Service::start(None).await;
    service.stub.set(Mood::Status(503, None));
    for n in 0..250 {
        assert_eq!(service.front.click(&format!("e{n}")).await, 202);
    }
    eventually("an attempt", async || !service.stub.seen("/v1/clicks").is_empty()).await;
    let (stub, folder) = service.stop().await;
    stub.set(Mood::Well);
    let failed = stub.seen("/v1/clicks").len();
    let service = Service::start_on(stub, folder, None).await;
    service.front.drained().await;
    let seen = service.stub.seen("/v1/clicks");
    assert_eq!(seen.len() - failed, 3, "a hundred at a time");
    let ids: Vec<_> = seen[failed..].iter().flat_map(|one| one.events()).collect();
    let distinct: BTreeSet<_> = ids.iter().map(|event| event["event_id"].to_string()).collect();
    assert_eq!((ids.len(), distinct.len()), (250, 250));
}

#[tokio::test]
async fn a_refused_click_does_not_hold_up_the_others() {
    let service = Service::start(None).await;
    service.stub.set(Mood::Status(422, None));
    for n in 0..3 {
        service.front.click(&format!("e{n}")).await;
    }
    service.front.drained().await;
    assert_eq!(service.front.metric("linktree_clicks_refused_total").await, Some(3.0));
}

#[tokio::test]
async fn of_a_batch_only_what_failed_is_sent_again() {
    let service = Service::start(None).await;
    let (a, b, c) = tokio::join!(
        service.front.click("e1"),
        service.front.click("flaky"),
        service.front.click("e2")
    );
    assert_eq!([a, b, c], [202, 202, 202]);
    service.front.drained().await;
    let seen = service.stub.seen("/v1/clicks");
    let times = |id: &str| {
        let events = seen.iter().flat_map(|one| one.events());
        events.filter(|event| event["event_id"] == id).count()
    };
    assert_eq!([times("e1"), times("flaky"), times("e2")], [1, 2, 1]);
}

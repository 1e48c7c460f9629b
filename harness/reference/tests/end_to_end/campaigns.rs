//! Campaigns: kept before they are acknowledged, in few calls, each link until it is done and no longer.

use crate::{Service, eventually, stub::Mood};
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn launch(service: &Service, ids: &[String], title: &str) -> u16 {
    let link =
        |id: &String| json!({"id": id, "title": title, "url": "https://example.org/a?b=1&c=2"});
    let links: Vec<Value> = ids.iter().map(link).collect();
    let body = json!({"handle": "ann", "links": links}).to_string();
    service.front.post("/api/campaigns", &[], &body).await
}

/// How often each link was sent, and in how many calls all of them were.
fn sent(service: &Service) -> (BTreeMap<String, usize>, usize) {
    let seen = service.stub.seen("/v1/links/batch");
    let mut times = BTreeMap::new();
    for item in seen.iter().flat_map(|one| one.body["items"].as_array().unwrap()) {
        *times.entry(item["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    (times, seen.len())
}

fn ids(count: usize, flaky: usize) -> Vec<String> {
    let name = |n| if n < flaky { format!("flaky-{n}") } else { format!("lnk-{n}") };
    (0..count).map(name).collect()
}

#[tokio::test]
async fn of_a_campaign_only_what_failed_is_sent_again() {
    let service = Service::start(None).await;
    assert_eq!(launch(&service, &ids(250, 7), "new").await, 202);
    let is_done = async || {
        let (times, _) = sent(&service);
        times.len() == 250 && ids(7, 7).iter().all(|id| times[id] == 2)
    };
    eventually("all links to be sent", is_done).await;
    let (times, calls) = sent(&service);
    assert_eq!(times.values().sum::<usize>(), 257, "{times:?}");
    assert!((3..=4).contains(&calls), "{calls}");
    let first = &service.stub.seen("/v1/links/batch")[0];
    let link = json!({"id": "flaky-0", "title": "new", "url": "https://example.org/a?b=1&c=2"});
    assert_eq!(first.body["items"][0], link);
    assert_eq!(first.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_campaign_survives_a_restart_and_the_later_one_has_the_last_word() {
    let service = Service::start(None).await;
    service.stub.set(Mood::Status(503, None));
    assert_eq!(launch(&service, &ids(120, 0), "old").await, 202);
    assert_eq!(launch(&service, &ids(30, 0), "new").await, 202);
    eventually("an attempt", async || sent(&service).1 > 0).await;
    let (stub, folder) = service.stop().await;
    stub.set(Mood::Well);
    let failed = stub.seen("/v1/links/batch").len();
    let service = Service::start_on(stub, folder, None).await;
    let calls = async || service.stub.seen("/v1/links/batch").len() == failed + 2;
    eventually("two calls", calls).await;
    let seen = service.stub.seen("/v1/links/batch").split_off(failed);
    let items: Vec<&Value> =
        seen.iter().flat_map(|one| one.body["items"].as_array().unwrap()).collect();
    let new = items.iter().filter(|item| item["title"] == "new").count();
    assert_eq!((items.len(), new), (120, 30));
}

#[tokio::test]
async fn what_is_no_campaign_is_refused_whole() {
    let service = Service::start(None).await;
    assert_eq!(launch(&service, &[], "new").await, 400);
    assert_eq!(launch(&service, &ids(2_001, 0), "new").await, 400);
    assert_eq!(launch(&service, &["lnk-1".to_owned(), "../me".to_owned()], "new").await, 400);
    assert_eq!(service.front.post("/api/campaigns", &[], "{}").await, 400);
    assert_eq!(sent(&service).1, 0);
}

//! Mutants do what they say: what Linktree sees differs from the unmutated service in one way.

use crate::{
    Service, eventually,
    stub::{Mood, Seen},
};
use std::{collections::BTreeSet, time::Duration};

/// Fills two pages at once and delivers a few clicks, the first of them alone.
async fn calm_day(mutant: Option<&str>) -> (Vec<Seen>, Vec<String>) {
    let service = Service::start(mutant).await;
    *service.stub.latency.lock().unwrap() = Duration::from_millis(20);
    let (ann, bob) = tokio::join!(service.page("ann"), service.page("bob"));
    for id in ["e1", "e2", "e3"] {
        service.front.click(id).await;
        if id == "e1" {
            service.front.drained().await;
        }
    }
    service.front.drained().await;
    (service.stub.seen(""), vec![ann.1, bob.1])
}

#[track_caller]
fn check(mutant: &str, sound: &(Vec<Seen>, Vec<String>), seen: &(Vec<Seen>, Vec<String>)) {
    let wrong: fn(&(Vec<Seen>, Vec<String>)) -> bool = match mutant {
        "key-in-query-on-links" => |day| day.0.iter().any(|s| s.uri.contains("lt_live_key")),
        "accept-missing-on-links" => {
            |day| day.0.iter().any(|s| s.header("accept") != Some("application/json"))
        }
        "content-type-missing-on-clicks" => {
            |day| day.0.iter().any(|s| !s.body.is_null() && s.header("content-type").is_none())
        }
        "base-without-v1-on-links" => |day| day.0.iter().any(|s| !s.uri.starts_with("/v1/")),
        "click-resent-after-success" => |day| {
            let events = day.0.iter().filter(|s| !s.body.is_null()).flat_map(Seen::events);
            events.count() > 3
        },
        "fresh-key-per-attempt" => |day| {
            day.0.iter().any(|s| {
                let key = s.header("idempotency-key");
                key.is_some() && key != s.body["event_id"].as_str()
            })
        },
        "wrong-creator-under-collapsing" => |day| day.1 != ["v-ann", "v-bob"],
        other => panic!("{other} is not in the table"),
    };
    assert!(!wrong(sound), "{mutant}: the unmutated service does it too");
    assert!(wrong(seen), "{mutant} does not show");
}

#[tokio::test]
async fn on_a_calm_day() {
    let sound = calm_day(None).await;
    for mutant in [
        "key-in-query-on-links",
        "accept-missing-on-links",
        "content-type-missing-on-clicks",
        "base-without-v1-on-links",
        "click-resent-after-success",
        "fresh-key-per-attempt",
        "wrong-creator-under-collapsing",
    ] {
        check(mutant, &sound, &calm_day(Some(mutant)).await);
    }
}

/// How many of forty clicks arrive when Linktree first answers with `status`.
async fn stormy_day(mutant: Option<&str>, status: u16) -> usize {
    let service = Service::start(mutant).await;
    service.stub.set(Mood::Status(status, None));
    for n in 0..40 {
        assert_eq!(service.front.click(&format!("e{n}")).await, 202);
    }
    eventually("two attempts, or nothing left to attempt", async || {
        service.stub.seen("/v1/clicks").len() >= 2
            || service.front.metric("linktree_click_queue_depth").await == Some(0.0)
    })
    .await;
    let before = service.stub.seen("/v1/clicks").len();
    service.stub.set(Mood::Well);
    service.front.drained().await;
    let after = service.stub.seen("/v1/clicks").split_off(before);
    let ids = after.iter().flat_map(Seen::events).map(|event| event["event_id"].to_string());
    ids.collect::<BTreeSet<_>>().len()
}

#[tokio::test]
async fn clicks_are_lost_in_a_storm_only_by_those_who_lose_them() {
    for status in [429, 503] {
        assert_eq!(stormy_day(None, status).await, 40);
    }
    for (mutant, status) in [
        ("click-dropped-on-429", 429),
        ("click-dropped-after-attempts", 503),
        ("ack-before-write", 503),
    ] {
        assert!(stormy_day(Some(mutant), status).await < 40, "{mutant} does not show");
    }
}

/// How many attempts two cold pages cost while Linktree answers with `mood`, and how long after
/// the first of them the second came.
async fn attempts(mutant: Option<&str>, mood: Mood) -> (usize, Duration) {
    let service = Service::start(mutant).await;
    service.stub.set(mood);
    for handle in ["ann", "bob"] {
        assert_eq!(service.page(handle).await.0, 503);
    }
    let seen = service.stub.seen("");
    (seen.len(), seen.get(1).map_or(Duration::MAX, |second| second.at - seen[0].at))
}

#[tokio::test]
async fn attempts_go_out_that_should_not() {
    let (down, busy) = (Mood::Status(500, None), Mood::Status(503, Some("1")));
    assert_eq!(attempts(None, down).await.0, 5);
    assert_eq!(attempts(None, busy).await.0, 1);
    assert_eq!(attempts(Some("breaker-opens-at-six"), down).await.0, 6);
    assert_eq!(attempts(Some("breaker-never-opens"), down).await.0, 10);
    assert!(attempts(Some("retry-after-ignored-on-503"), busy).await.1 < Duration::from_secs(1));
}

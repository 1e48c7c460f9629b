//! Analytics: what they show, to whom, and how slowly.

use crate::links::{ids, links, rig};
use crate::rig::{Rig, click};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn analytics_tell_the_counted_clicks_of_each_link_and_day() {
    let rig = rig(|_| {});
    let own = ids(&links(&rig, "tail-0001"));
    let on = |event: &str, link: &str, date: &str| {
        serde_json::from_str::<Value>(&click(event, link).replace("2026-01-01", date)).unwrap()
    };
    let events = [
        on("e1", &own[0], "2026-01-01"),
        on("e2", &own[0], "2026-01-01"),
        on("e2", &own[0], "2026-01-01"),
        on("e3", &own[0], "2026-01-03"),
        on("e4", &own[1], "2026-01-03"),
        on("e5", "gone", "2026-01-03"),
        on("e6", &own[1], "2026-01-04"),
    ];
    let body = json!({ "events": events }).to_string();
    assert_eq!(rig.send("POST", "/v1/clicks/batch", "", &body).status, 200);
    let answer = rig.get("/v1/analytics/tail-0001?from=2026-01-01&to=2026-01-03").json();
    let row = |link: &str, date: &str, clicks: u64| json!({ "link_id": link, "date": date, "clicks": clicks });
    let rows = [
        row(&own[0], "2026-01-01", 2),
        row(&own[0], "2026-01-03", 1),
        row(&own[1], "2026-01-03", 1),
    ];
    assert_eq!(answer["data"], json!(rows));
    assert_eq!((&answer["total"], &answer["handle"]), (&json!(5), &json!("tail-0001")));
    assert_eq!((&answer["from"], &answer["to"]), (&json!("2026-01-01"), &json!("2026-01-03")));
    assert!(answer["nonce"].is_string());
    let other = rig.get("/v1/analytics/tail-0002?from=2026-01-01&to=2026-12-31").json();
    assert_eq!((&other["data"], &other["total"]), (&json!([]), &json!(0)));
}

#[test]
fn odd_ranges_strangers_and_missing_scopes_are_refused() {
    let open = rig(|_| {});
    let ask = |rig: &Rig, target: &str| rig.get(&format!("/v1/analytics/{target}")).status;
    for query in [
        "",
        "?from=2026-01-01",
        "?to=2026-01-01",
        "?from=2026-01-02&to=2026-01-01",
        "?from=2026-02-30&to=2026-03-01",
        "?from=20260101&to=20260102",
        "?from=2026-01-01T00:00&to=2026-01-02",
        "?from=2025-01-01&to=2026-01-02",
        "?from=-9999-01-01&to=9999-12-31",
    ] {
        assert_eq!(ask(&open, &format!("tail-0001{query}")), 400, "{query}");
    }
    assert_eq!(ask(&open, "tail-0001?from=2025-01-01&to=2026-01-01"), 200, "366 days");
    assert_eq!(ask(&open, "tail-0001?from=9999-12-31&to=9999-12-31"), 200);
    assert_eq!(ask(&open, "nobody?from=2026-01-01&to=2026-01-01"), 404);
    let closed = Rig::plain();
    assert_eq!(ask(&closed, "tail-0001?from=2026-01-01&to=2026-01-01"), 403);
}

#[test]
fn analytics_take_their_time_in_contract_time() {
    let rig = rig(|config| {
        config.profile.analytics.latency_ms = 600;
        config.time_scale = 10;
    });
    assert_eq!(rig.get("/v1/analytics/tail-0001?from=2026-01-01&to=2026-01-01").status, 200);
    assert_eq!(rig.get("/v1/analytics/tail-0001?from=x&to=y").status, 400);
    let records = rig.tape.wait(2);
    let took = |nth: usize| records[nth].t_first.unwrap().since(records[nth].t_req);
    assert!(took(0) >= Duration::from_millis(60), "{:?}", took(0));
    assert_eq!(records[0].handle.as_deref(), Some("tail-0001"));
    assert!(records[0].faults.is_empty(), "slow by design is no fault");
}

//! Proves that a mock can be embedded: own routes beside ours, assertions on the history, resets,
//! and an orderly end.

use crate::rig::{Client, PATIENCE, click};
use mock_server::contract::Route;
use mock_server::faults::plan::FaultPlan;
use mock_server::faults::{Fault, Rule, Stall, StallAt};
use mock_server::history::exchange::End;
use mock_server::history::record::Record;
use mock_server::server::MockLinktree;
use mock_server::wiremock::matchers::{method, path};
use mock_server::wiremock::{Mock, ResponseTemplate};
use mock_server::world::{TimedEvent, WorldEvent};
use std::time::Duration;

fn request(mock: &MockLinktree, method: &str, target: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: linktree\r\nAuthorization: Bearer {}\r\n\
         Content-Length: {}\r\n{headers}\r\n{body}",
        mock.api_key(),
        body.len()
    )
}

fn status(mock: &MockLinktree, method: &str, target: &str, headers: &str, body: &str) -> u16 {
    let mut client = Client::to(mock.port());
    client.write(&request(mock, method, target, headers, body));
    client.answer().status
}

fn get(mock: &MockLinktree, target: &str) -> u16 {
    status(mock, "GET", target, "", "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_routes_stand_beside_ours_and_are_recorded() {
    let own = |at: &'static str, code| {
        move || Mock::given(method("GET")).and(path(at)).respond_with(ResponseTemplate::new(code))
    };
    let mock = MockLinktree::builder()
        .route(own("/v1/oembed", 203))
        .route(own("/v1/health", 418))
        .route(move || own("/v1/profiles/creator-0001", 207)().with_priority(1))
        .start()
        .unwrap();
    assert_eq!(get(&mock, "/v1/oembed"), 203);
    assert_eq!(get(&mock, "/v1/oembed/more"), 404, "the catch-all has the rest");
    assert_eq!(get(&mock, "/v1/health"), 200, "routes of the contract win");
    assert_eq!(get(&mock, "/v1/profiles/creator-0001"), 207, "unless the own one is urgent");
    let calls = mock.history().wait_for(4, PATIENCE).await.unwrap();
    let seen: Vec<_> = calls.iter().map(|call| (call.route, call.status.unwrap())).collect();
    let expected =
        [(Route::Unknown, 203), (Route::Unknown, 404), (Route::Health, 200), (Route::Profile, 207)];
    assert_eq!(seen, expected);
    assert!(mock.history().settled(PATIENCE).await);
}

#[tokio::test]
async fn what_is_planned_for_the_world_happens_on_the_wire_and_is_in_the_history() {
    let timed = |at_ms, event| TimedEvent { at_ms, event };
    let scopes = vec!["links:read".to_owned()];
    let rotation = WorldEvent::RotateKey { overlap_ms: 60_000 };
    let plan = vec![timed(2, rotation), timed(1, WorldEvent::GrantScopes { scopes })];
    let mock = MockLinktree::builder().world(plan).unarmed().start().unwrap();
    let first = mock.api_key();
    mock.arm(mock.clock().now());
    let is_world = |record: &Record| matches!(record, Record::World(_));
    let happened = mock.history().wait_for_records(2, PATIENCE, is_world).await.unwrap();
    let kinds = happened.iter().map(|record| match record {
        Record::World(happened) => (happened.what.kind(), happened.planned_ms),
        other => panic!("{other:?}"),
    });
    assert_eq!(kinds.collect::<Vec<_>>(), [("grant-scopes", Some(1)), ("rotate-key", Some(2))]);
    assert_ne!(mock.api_key(), first);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (key, path, status) in [
        (&first, "/v1/links", 200),
        (&mock.api_key(), "/v1/links", 200),
        (&mock.api_key(), "/v1/profiles/creator-0001", 403),
    ] {
        let answer = client.get(format!("{}{path}", mock.url())).bearer_auth(key).send().await;
        assert_eq!(answer.unwrap().status(), status, "{path}");
    }
}

#[tokio::test]
async fn another_address_is_that_of_mock_vault_and_alert_receiver() {
    let mock = MockLinktree::builder().host("127.0.0.2".parse().unwrap()).start().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let health = format!("{}/v1/health", mock.url());
    let secret = format!("{}/v1/secret/data/linktree", mock.vault_url());
    let alerts = format!("{}/api/v2/alerts", mock.alerts_url());
    for url in [&health, &secret, &alerts] {
        assert!(url.starts_with("http://127.0.0.2:"), "{url}");
    }
    assert_eq!(client.get(health).send().await.unwrap().status(), 200);
    let read = client.get(secret).header("x-vault-token", mock.vault_token()).send().await;
    assert_eq!(read.unwrap().status(), 200);
    assert_eq!(client.post(alerts).json(&[(); 0]).send().await.unwrap().status(), 200);
}

#[test]
fn a_plan_as_text_brings_rules_and_creators() {
    let plan = r#"
        population = { groups = [{ prefix = "star", count = 1, min_links = 2, max_links = 2 }] }
        [[rules]]
        id = "down"
        matcher = { routes = ["profile"] }
        pick = { by = "nth", from = 0, until = 1 }
        fault = { kind = "status", codes = [503] }
    "#;
    let plan = FaultPlan::from_toml(plan).unwrap();
    let mock = MockLinktree::builder().plan(plan).start().unwrap();
    assert_eq!(mock.handles(), ["star-0001"]);
    assert_eq!(get(&mock, "/v1/profiles/star-0001"), 503);
    assert_eq!(get(&mock, "/v1/profiles/star-0001"), 200);
}

#[test]
fn a_reset_takes_everything_back_to_the_start() {
    let mock = MockLinktree::builder().start().unwrap();
    let handle = mock.handles().remove(0);
    let link = mock.creator(&handle).unwrap().links[0].id.clone();
    let body = click("e1", &link).replace("tail-0001", &handle);
    let headers = "Idempotency-Key: k1\r\nContent-Type: application/json\r\n";
    let limit = mock.profile().limit.requests;
    assert_eq!(status(&mock, "POST", "/v1/clicks", headers, &body), 202);
    for _ in 1..limit {
        get(&mock, "/v1/me");
    }
    assert_eq!(get(&mock, "/v1/me"), 429);
    assert_eq!(mock.clicks_counted(), 1);
    mock.reset();
    assert_eq!(mock.clicks_counted(), 0);
    assert_eq!(get(&mock, "/v1/me"), 200);
    assert!(mock.history().exchanges().len() <= 2, "the call before and the call after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_lets_exchanges_finish_and_takes_no_more() {
    let slow = Fault::Stall(Stall { at: StallAt::Trickle { every_ms: 1 } });
    let mock =
        MockLinktree::builder().rule(Rule::new("slow", slow).on(Route::Profile)).start().unwrap();
    let mut client = Client::to(mock.port());
    client.write(&request(&mock, "GET", "/v1/profiles/creator-0001", "", ""));
    client.at_least(1);
    assert!(mock.drain(PATIENCE).await, "the answer under way is finished");
    assert_eq!(client.answer().status, 200);
    assert!(Client::try_to(mock.port()).is_none(), "the port is closed");
    let history = mock.history().clone();
    mock.stop();
    assert_eq!(history.exchanges()[0].end, End::Complete);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_has_a_bound_and_the_end_is_recorded_all_the_same() {
    let mock = MockLinktree::builder()
        .rule(Rule::new("never", Fault::Stall(Stall { at: StallAt::BeforeHead })))
        .start()
        .unwrap();
    let mut client = Client::to(mock.port());
    client.write(&request(&mock, "GET", "/v1/me", "", ""));
    while mock.probes() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!mock.drain(Duration::from_millis(1)).await);
    let history = mock.history().clone();
    mock.stop();
    assert_eq!(history.exchanges()[0].end, End::Open);
}

//! Keys and who has them: rotation, scopes, accounts, and the alert receiver.

use crate::receiver::{Post, Received, Receiver};
use crate::rig::{Answer, Rig, beside, click};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mock_server::history::exchange::{Exchange, KeyPlace};
use mock_server::history::record::Record;
use mock_server::keyring::{Account, Environment, NewKey};
use mock_server::webhooks::{SchemeName, WebhookEvent};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(100_000);

fn with_key(rig: &Rig, key: &str, target: &str) -> Answer {
    let mut client = rig.client();
    client
        .write(&format!("GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"));
    client.answer()
}

fn labels(records: &[Exchange]) -> Vec<&str> {
    records.iter().map(|record| record.token.as_str()).collect()
}

#[test]
fn in_the_overlap_of_a_rotation_both_keys_work() {
    let rig = Rig::plain();
    let old = rig.mock.api_key();
    rig.mock.rotate_api_key(LONG);
    let new = rig.mock.api_key();
    assert_ne!(old, new);
    assert_eq!(with_key(&rig, &old, "/v1/me").status, 200);
    assert_eq!(with_key(&rig, &new, "/v1/me").status, 200);
    let records = rig.tape.wait(2);
    assert_eq!(labels(&records), ["previous", "live"]);
    assert_ne!(records[0].key_id, records[1].key_id);
    assert!(records.iter().all(|record| record.key_places == [KeyPlace::BearerHeader]));
}

#[test]
fn after_the_overlap_the_old_key_is_refused_and_still_never_recorded() {
    let rig = Rig::plain();
    let old = rig.mock.api_key();
    rig.mock.rotate_api_key(Duration::ZERO);
    let refused = with_key(&rig, &old, &format!("/v1/me?was={old}"));
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.header("www-authenticate").as_deref(),
        Some("Bearer error=\"invalid_token\"")
    );
    assert!(refused.body.contains("expired"), "{}", refused.body);
    assert_eq!(rig.get("/v1/me").status, 200);
    let records = rig.tape.wait(2);
    assert_eq!(labels(&records), ["revoked", "live"]);
    assert_eq!(records[0].target, "/v1/me?was=[key]");
    assert_eq!(records[0].key_places, [KeyPlace::BearerHeader, KeyPlace::Query]);
}

#[test]
fn every_key_has_a_limit_of_its_own() {
    let rig = Rig::new(|config| config.profile.limit.requests = 2);
    let old = rig.mock.api_key();
    let statuses = |key: &str| [(); 3].map(|()| with_key(&rig, key, "/v1/me").status);
    assert_eq!(statuses(&old), [200, 200, 429]);
    rig.mock.rotate_api_key(LONG);
    assert_eq!(statuses(&rig.mock.api_key()), [200, 200, 429]);
    assert_eq!(with_key(&rig, &old, "/v1/me").status, 429, "a rotation frees nothing");
}

#[test]
fn a_key_may_do_what_its_scopes_say_and_the_refusal_names_the_scope() {
    let rig = Rig::plain();
    let scopes = Some(vec!["profile:read".to_owned()]);
    let key = rig.mock.issue_key(NewKey { scopes, ..NewKey::default() });
    assert_eq!(with_key(&rig, &key, "/v1/profiles/tail-0001").status, 200);
    let refused = with_key(&rig, &key, "/v1/profiles/tail-0001/links");
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"]["message"], "this key lacks the scope links:read");
    assert_eq!(
        refused.header("www-authenticate").as_deref(),
        Some("Bearer error=\"insufficient_scope\", scope=\"links:read\"")
    );
    let me = with_key(&rig, &key, "/v1/me");
    assert_eq!((me.status, me.json()["scopes"][0].as_str()), (200, Some("profile:read")));
    assert_eq!(rig.get("/v1/profiles/tail-0001/links").status, 200);
    let records = rig.tape.wait(4);
    assert_eq!(labels(&records), ["issued", "issued", "issued", "live"]);
}

#[test]
fn me_tells_of_the_key_that_asks() {
    let rig = Rig::new(|config| config.profile.keys.age_days = 91);
    let created = |answer: &Answer| {
        let text = answer.json()["key"]["created_at"].as_str().unwrap().to_owned();
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    };
    // Rounded, because a second may pass between two keys.
    let days = |later: &Answer, earlier: &Answer| {
        (created(later) - created(earlier) + 43_200).div_euclid(86_400)
    };
    let old = rig.get("/v1/me");
    rig.mock.rotate_api_key(LONG);
    let new = rig.get("/v1/me");
    assert_eq!(days(&new, &old), 91);
    assert_ne!(old.json()["key"]["id"], new.json()["key"]["id"]);
    assert_eq!(old.json()["handle"], "viral-0001");
    assert_eq!(old.json()["id"], new.json()["id"]);

    let creator = |handle: &str, days: u64| NewKey {
        account: Account::One(handle.to_owned()),
        age: Duration::from_secs(days * 86_400),
        ..NewKey::default()
    };
    let own = rig.mock.issue_key(creator("tail-0002", 191));
    let me = with_key(&rig, &own, "/v1/me");
    assert_eq!(me.json()["handle"], "tail-0002");
    assert_eq!(days(&new, &me), 191);
    assert_eq!(rig.tape.wait(3)[2].token, "creator");
    let second = rig.mock.issue_key(creator("tail-0003", 0));
    with_key(&rig, &second, "/v1/me");
    assert_eq!(rig.tape.wait(4)[3].token, "creator:tail-0003");
}

#[test]
fn a_creators_key_acts_for_that_creator_alone() {
    let rig = Rig::new(|config| config.time_scale = 1_000);
    let account = Account::One("tail-0002".to_owned());
    let scopes = ["links:read", "links:write", "analytics:read"].map(str::to_owned).to_vec();
    let key = rig.mock.issue_key(NewKey { account, scopes: Some(scopes), ..NewKey::default() });
    let links = with_key(&rig, &key, "/v1/links").json();
    let theirs = with_key(&rig, &key, "/v1/profiles/tail-0002/links").json();
    assert_eq!(links["data"], theirs["data"], "its own account's links");
    let figures = |handle: &str| {
        let range = "from=2026-01-01&to=2026-01-02";
        with_key(&rig, &key, &format!("/v1/analytics/{handle}?{range}")).status
    };
    assert_eq!(figures("tail-0002"), 200);
    assert_eq!(figures("tail-0001"), 403);
    let patch = |handle: &str| {
        let page = with_key(&rig, &key, &format!("/v1/profiles/{handle}/links")).json();
        let id = page["data"][0]["id"].as_str().unwrap().to_owned();
        let body = r#"{"title":"new"}"#;
        let mut client = rig.client();
        client.write(&format!(
            "PATCH /v1/links/{id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        client.answer().status
    };
    assert_eq!(patch("tail-0002"), 200);
    assert!(matches!(patch("tail-0001"), 403 | 404), "another creator's link");
}

#[test]
fn a_test_key_is_refused_on_the_live_address_and_stands_in_the_history() {
    let rig = Rig::plain();
    let environment = Environment::Test;
    let issued = rig.mock.issue_key(NewKey { environment, ..NewKey::default() });
    for key in [rig.mock.other_key(), issued] {
        let refused = with_key(&rig, &key, "/v1/profiles/tail-0001");
        assert_eq!(refused.status, 401);
        assert!(refused.body.contains("test key"), "{}", refused.body);
    }
    assert_eq!(labels(&rig.tape.wait(2)), ["test", "test"]);
}

#[test]
fn a_reset_brings_the_first_keys_back() {
    let rig = Rig::plain();
    let first = (rig.mock.api_key(), rig.mock.webhook_secret());
    let issued = rig.mock.issue_key(NewKey::default());
    rig.mock.rotate_api_key(Duration::ZERO);
    rig.mock.rotate_webhook_secret(LONG);
    assert_eq!(rig.mock.signing_secrets(), [rig.mock.webhook_secret(), first.1.clone()]);
    rig.mock.reset_keys();
    assert_eq!((rig.mock.api_key(), rig.mock.webhook_secret()), first);
    assert_eq!(rig.mock.signing_secrets(), [first.1]);
    assert_eq!(with_key(&rig, &first.0, "/v1/me").status, 200);
    assert_eq!(with_key(&rig, &issued, "/v1/me").status, 401);
    let issued_again = rig.mock.issue_key(NewKey::default());
    assert_eq!(issued, issued_again, "the same calls give the same keys");
}

#[test]
fn credentials_are_found_in_every_encoding_and_never_recorded() {
    let rig = Rig::plain();
    let (key, signs) = (rig.mock.api_key(), rig.mock.webhook_secret());
    let percent: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let basic = STANDARD.encode(format!("user:{key}"));
    let target = format!("/v1/profiles/{percent}?k={basic}&s={}", signs.replace('+', "%2B"));
    let headers =
        format!("Accept: {basic}\r\nX-Vault: vault-token\r\nIdempotency-Key: k-{key}\r\n");
    let escaped = format!("{{\"event_id\":\"{}\"}}", key.replace('_', "\\u005f"));
    rig.send("POST", &target, &headers, &escaped);
    let record = rig.tape.wait(1).remove(0);
    assert_eq!(record.target, "/v1/profiles/[key]?k=dXNlcjp[key]&s=[key]");
    assert_eq!(record.idempotency_key.as_deref(), Some("k-[key]"));
    use KeyPlace::{BearerHeader, Body, OtherHeader, Path, Query};
    assert_eq!(record.key_places, [BearerHeader, OtherHeader, Path, Query, Body]);
    assert_eq!(record.secret_places, [OtherHeader, Query]);
}

#[test]
fn a_click_keeps_its_id_unless_that_is_a_key() {
    let rig = Rig::plain();
    for id in ["e1", &rig.mock.api_key()] {
        rig.send("POST", "/v1/clicks", "Idempotency-Key: k\r\n", &click(id, "l1"));
    }
    let ids: Vec<_> = rig.tape.wait(2).iter().map(|one| one.clicks[0].event_id.clone()).collect();
    assert_eq!(ids, ["e1", "[key]"]);
}

#[test]
fn alerts_are_received_like_by_an_alertmanager() {
    let rig = Rig::plain();
    let ask = |method: &str, target: &str, body: &str| {
        let json = "Content-Type: application/json\r\n";
        beside(&rig.mock.alerts_url(), method, target, json, body)
    };
    assert_eq!(ask("GET", "/-/healthy", "").status, 200);
    assert_eq!(ask("GET", "/-/ready", "").status, 200);
    assert_eq!(ask("GET", "/api/v2/status", "").json()["cluster"]["status"], "disabled");
    let alert = r#"[{"labels":{"alertname":"LinktreeClickLag","severity":"page"},
        "annotations":{"summary":"late"},"startsAt":"2026-01-01T00:00:00Z",
        "endsAt":"2026-01-01T00:05:00Z","generatorURL":"http://prometheus/graph"}]"#;
    let taken = ask("POST", "/api/v2/alerts", alert);
    assert_eq!((taken.status, taken.body.as_str()), (200, ""));
    let refused = ask("POST", "/api/v2/alerts", r#"[{"labels":{"severity":"page"}}]"#);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json(), "alert 0: the label alertname is missing");
    assert_eq!(ask("POST", "/api/v2/alerts", "nonsense").status, 400);
    let long = format!("[{}]", " ".repeat(1024 * 1024));
    assert_eq!(ask("POST", "/api/v2/alerts", &long).status, 413);
    let records = rig.tape.others();
    let [Record::Alert(alert)] = &records[..] else { panic!("{records:?}") };
    assert_eq!(alert.labels["alertname"], "LinktreeClickLag");
    assert_eq!(alert.annotations["summary"], "late");
    let (starts, ends) = (1_767_225_600_000, 1_767_225_900_000);
    assert_eq!((alert.starts_unix_ms, alert.ends_unix_ms), (Some(starts), Some(ends)));
    assert_eq!(rig.mock.probes(), 0, "an alert is no upstream call");
}

#[test]
fn both_webhook_secrets_sign_in_the_overlap_and_only_the_new_one_after_it() {
    let post = Post::new(&[], |_| {});
    let verdict = |received: &Received, secret: &str| {
        received.verdict(SchemeName::StandardWebhooks, secret).is_ok()
    };
    let first = post.secret();
    post.rig.mock.rotate_webhook_secret(LONG);
    let second = post.secret();
    post.send("tail-0001");
    let both = post.receiver.posts(1).remove(0);
    assert!(verdict(&both, &first) && verdict(&both, &second));
    post.rig.mock.rotate_webhook_secret(Duration::ZERO);
    let third = post.secret();
    post.send("tail-0001");
    let later = post.receiver.posts(2).remove(1);
    assert!(verdict(&later, &first), "its own overlap goes on");
    assert!(!verdict(&later, &second) && verdict(&later, &third));
    assert!(post.log.deliveries(2).iter().all(|delivery| delivery.authentic));
}

#[test]
fn a_key_in_a_webhooks_address_does_not_reach_the_record() {
    let post = Post::new(&[], |_| {});
    let receiver = Receiver::new(&[]);
    let url = format!("{}?key={}", receiver.url, post.rig.mock.api_key());
    let id = post.rig.mock.register_webhook(&url, &WebhookEvent::ALL).unwrap().id;
    post.send("tail-0001");
    let clean = format!("{}?key=[key]", receiver.url);
    let looks = post.log.looks(2);
    assert_eq!(looks.iter().find(|look| look.webhook == id).unwrap().url, clean);
    let deliveries = post.log.deliveries(2);
    assert_eq!(deliveries.iter().find(|sent| sent.webhook == id).unwrap().url, clean);
    assert!(
        receiver.posts(1)[0]
            .head
            .starts_with(&format!("POST /webhooks/linktree?key={} ", post.rig.mock.api_key()))
    );
}

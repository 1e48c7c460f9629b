//! The vault as its clients meet it: what it hands out and to whom, logins, tokens that expire, and what
//! the record says of all of it. Statuses and names are compared with a real server in `tests/openbao`.

use crate::rig::{Answer, Rig, beside};
use mock_server::clock::Moment;
use mock_server::faults::{Fault, VaultStatus};
use mock_server::history::record::{Record, SecretRead};
use mock_server::world::{TimedEvent, WorldEvent};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(100_000);

const TOKEN: &str = "X-Vault-Token: vault-token\r\n";

const DATA: &str = "/v1/secret/data/linktree";

const LOOKUP: &str = "/v1/auth/token/lookup-self";

fn ask(rig: &Rig, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    beside(&rig.mock.vault_url(), method, target, headers, body)
}

fn reads(rig: &Rig) -> Vec<SecretRead> {
    let read = |record| match record {
        Record::SecretRead(read) => Some(read),
        _ => None,
    };
    rig.tape.others().into_iter().filter_map(read).collect()
}

/// The header with the token of a login.
fn log_in(rig: &Rig) -> String {
    let body = r#"{"role_id":"r","secret_id":"s"}"#;
    let answer = ask(rig, "POST", "/v1/auth/approle/login", "", body).json();
    format!("X-Vault-Token: {}\r\n", answer["auth"]["client_token"].as_str().unwrap())
}

#[test]
fn the_vault_hands_out_every_version_to_its_token_only() {
    let rig = Rig::plain();
    let read =
        |query: &str| ask(&rig, "GET", &format!("{DATA}{query}"), TOKEN, "").json()["data"].clone();
    let first = read("");
    assert_eq!(first["data"]["api_key"], rig.mock.api_key());
    assert_eq!(first["data"]["webhook_secret"], rig.mock.webhook_secret());
    assert_eq!(first["metadata"]["version"], 1);

    rig.mock.rotate_api_key(LONG);
    let second = read("");
    assert_eq!(second["data"]["api_key"], rig.mock.api_key());
    assert_eq!(second["data"]["webhook_secret"], first["data"]["webhook_secret"]);
    assert_eq!(second["metadata"]["version"], 2);
    assert_ne!(second["metadata"]["created_time"], first["metadata"]["created_time"]);
    rig.mock.rotate_webhook_secret(LONG);
    assert_eq!(read("")["data"]["webhook_secret"], rig.mock.webhook_secret());
    assert_eq!(read("?version=1"), first);
    assert_eq!(read("?version=2"), second);
    assert_eq!(read("?version=0")["metadata"]["version"], 3);

    let about = ask(&rig, "GET", "/v1/secret/metadata/linktree", TOKEN, "").json();
    assert_eq!(about["data"]["current_version"], 3);
    assert_eq!(about["data"]["created_time"], first["metadata"]["created_time"]);
    assert_eq!(about["data"]["versions"].as_object().unwrap().len(), 3);
    let list = ask(&rig, "LIST", "/v1/secret/metadata", TOKEN, "").json();
    assert_eq!(list["data"]["keys"][1], "linktree-staging");

    let bearer = "Authorization: Bearer vault-token\r\n";
    let check = |target: &str, token: &str, status: u16, body: &str| {
        let answer = ask(&rig, "GET", target, token, "");
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{target}");
    };
    check(DATA, "", 403, r#"{"errors":["permission denied"]}"#);
    check(DATA, "X-Vault-Token: x\r\n", 403, r#"{"errors":["permission denied"]}"#);
    check("/v1/secret/data/linktree?version=4", TOKEN, 404, r#"{"errors":[]}"#);
    check("/v1/secret/data/other", bearer, 404, r#"{"errors":[]}"#);
    check("/ui", "", 404, r#"{"errors":[]}"#);
    assert_eq!(ask(&rig, "GET", &format!("{DATA}?version=x"), TOKEN, "").status, 400);
    assert_eq!(ask(&rig, "PUT", DATA, TOKEN, "{}").status, 403, "the token may read");
    assert_eq!(rig.mock.probes(), 0, "the vault is no upstream");

    let reads: Vec<_> = reads(&rig).iter().map(|read| (read.status, read.version)).collect();
    let handed = [1, 2, 3, 1, 2, 3].map(|version| (200, Some(version)));
    assert_eq!(reads[..6], handed);
    let others = [200, 200, 403, 403, 404, 404, 404, 400, 403].map(|status| (status, None));
    assert_eq!(reads[6..], others);
}

#[test]
fn the_staging_secret_lies_in_reach_and_its_reading_is_recorded() {
    let rig = Rig::plain();
    let path = "/v1/secret/data/linktree-staging";
    let read = ask(&rig, "GET", path, TOKEN, "").json();
    assert_eq!(read["data"]["data"]["api_key"], rig.mock.other_key());
    assert_ne!(read["data"]["data"]["webhook_secret"], rig.mock.webhook_secret());
    let record = reads(&rig).remove(0);
    assert_eq!((record.path.as_str(), record.status, record.version), (path, 200, Some(1)));
    assert!(record.at <= rig.clock.now());
}

#[test]
fn a_login_gives_a_token_that_reads_renews_and_is_given_back() {
    let rig = Rig::plain();
    let login = log_in(&rig);
    assert_eq!(ask(&rig, "GET", DATA, &login, "").status, 200);
    let looked = ask(&rig, "GET", LOOKUP, &login, "").json();
    assert_eq!(looked["data"]["ttl"], 2_764_800);
    assert_eq!(looked["data"]["path"], "auth/approle/login");
    let renewed =
        ask(&rig, "POST", "/v1/auth/token/renew-self", &login, r#"{"increment":"1h"}"#).json();
    assert_eq!(renewed["auth"]["lease_duration"], 3_600);
    assert_eq!(ask(&rig, "POST", "/v1/auth/token/revoke-self", &login, "").status, 204);
    assert_eq!(ask(&rig, "GET", DATA, &login, "").status, 403);
    let seen: Vec<_> = reads(&rig).into_iter().map(|read| (read.token, read.status)).collect();
    let login = |status| ("login".to_owned(), status);
    let (first, last) = (("absent".to_owned(), 200), ("revoked".to_owned(), 403));
    assert_eq!(seen, [first, login(200), login(200), login(200), login(204), last]);
}

#[test]
fn whoever_names_the_runs_role_must_know_its_secret() {
    let rig = Rig::plain();
    let (role, secret) = (rig.mock.vault_role_id(), rig.mock.vault_secret_id());
    let check = |role: &str, secret: &str, status: u16| {
        let body = serde_json::json!({ "role_id": role, "secret_id": secret }).to_string();
        let answer = ask(&rig, "POST", "/v1/auth/approle/login", "", &body);
        assert_eq!(answer.status, status, "{role} {secret}: {}", answer.body);
    };
    check(&role, &secret, 200);
    check("a-role-of-its-own", "and-its-secret", 200);
    check(&role, "x", 400);
    check("x", &secret, 400);
    check(&role, "", 400);
}

#[test]
fn tokens_expire_when_somebody_wants_it_and_a_login_gives_a_new_one() {
    let rig = Rig::plain();
    let before = log_in(&rig);
    rig.mock.expire_vault_tokens(Duration::ZERO);
    let after = log_in(&rig);
    for (token, status) in [(TOKEN, 403), (before.as_str(), 403), (after.as_str(), 200)] {
        assert_eq!(ask(&rig, "GET", DATA, token, "").status, status, "{token}");
    }
    assert_eq!(ask(&rig, "GET", LOOKUP, TOKEN, "").body, r#"{"errors":["permission denied"]}"#);
    let expired = reads(&rig).into_iter().filter(|read| read.token == "expired").count();
    assert_eq!(expired, 3);
    let Some(Record::World(happened)) =
        rig.tape.others().into_iter().find(|record| matches!(record, Record::World(_)))
    else {
        panic!("it is not in the record")
    };
    assert_eq!(happened.what, WorldEvent::ExpireVaultTokens { left_ms: 0 });
    rig.mock.reset();
    assert_eq!(ask(&rig, "GET", DATA, TOKEN, "").status, 200, "a reset makes it as good as new");
    assert_eq!(ask(&rig, "GET", DATA, &after, "").status, 403);
}

#[test]
fn a_renewal_in_time_outlives_the_expiry() {
    let rig = Rig::plain();
    let login = log_in(&rig);
    rig.mock.expire_vault_tokens(Duration::from_secs(60));
    let ttl = |token: &str| ask(&rig, "GET", LOOKUP, token, "").json()["data"]["ttl"].clone();
    assert_eq!((ttl(TOKEN), ttl(&login)), (60.into(), 60.into()));
    ask(&rig, "POST", "/v1/auth/token/renew-self", &login, "");
    assert_eq!((ttl(TOKEN), ttl(&login)), (60.into(), 2_764_800.into()));
}

#[test]
fn a_planned_expiry_comes_at_its_time() {
    let event = WorldEvent::ExpireVaultTokens { left_ms: 0 };
    let rig = Rig::new(|config| config.world = vec![TimedEvent { at_ms: 1, event }]);
    let happened = || rig.tape.others().iter().any(|record| matches!(record, Record::World(_)));
    while !happened() {
        std::thread::yield_now();
    }
    assert_eq!(ask(&rig, "GET", DATA, TOKEN, "").status, 403);
}

#[test]
fn lifetimes_are_those_of_the_contract() {
    let rig = Rig::new(|config| {
        config.profile.vault.token_ttl_s = 20;
        config.profile.vault.token_max_ttl_s = 30;
    });
    let login = log_in(&rig);
    let renew = |increment: &str| {
        let body = format!("{{\"increment\":{increment}}}");
        let answer = ask(&rig, "PUT", "/v1/auth/token/renew-self", &login, &body).json();
        (answer["auth"]["lease_duration"].clone(), answer["warnings"].is_array())
    };
    assert_eq!(ask(&rig, "GET", LOOKUP, &login, "").json()["data"]["ttl"], 20);
    assert_eq!(renew("null"), (20.into(), false));
    assert_eq!(renew("25"), (25.into(), false));
    assert_eq!(renew("\"1h\""), (30.into(), true));
}

#[test]
fn whatever_is_asked_is_recorded_without_what_opens_the_vault() {
    let rig = Rig::plain();
    let login = log_in(&rig);
    let token = login.trim().rsplit(' ').next().unwrap();
    let secret = rig.mock.vault_secret_id();
    let key = rig.mock.api_key();
    let namespace = format!("{TOKEN}X-Vault-Namespace: team-{token}/\r\n");
    ask(&rig, "GET", "/v1/sys/health", "", "");
    ask(&rig, "GET", "/v1/sys/seal-status", "X-Vault-Token: x\r\n", "");
    ask(&rig, "LIST", "/v1/nobody/knows", &namespace, "");
    ask(&rig, "GET", &format!("/v1/{token}/vault-token/{secret}/{key}"), "", "");
    ask(&rig, "GET", &format!("/{}", "long".repeat(200)), "", "");
    ask(&rig, "BREW", DATA, "", "");
    ask(&rig, "POST", DATA, TOKEN, &format!("{{\"{token}\": "));
    ask(&rig, "POST", "/v1/auth/kubernetes/login", "", &" ".repeat(1024 * 1024 + 1));
    let seen = reads(&rig);
    let brief = |read: &SecretRead| {
        let SecretRead { method, path, token, status, .. } = read;
        format!("{method} {path} {token} {status}")
    };
    let seen_in_brief: Vec<_> = seen.iter().map(brief).collect();
    assert_eq!(
        seen_in_brief,
        [
            "POST /v1/auth/approle/login absent 200".to_owned(),
            "GET /v1/sys/health absent 200".to_owned(),
            "GET /v1/sys/seal-status unknown 200".to_owned(),
            "LIST /v1/nobody/knows run 403".to_owned(),
            "GET /v1/[key]/[key]/[key]/[key] absent 403".to_owned(),
            format!("GET /{} absent 404", &"long".repeat(64)[..255]),
            "BREW /v1/secret/data/linktree absent 405".to_owned(),
            "POST /v1/secret/data/linktree run 400".to_owned(),
            "POST /v1/auth/kubernetes/login absent 413".to_owned(),
        ]
    );
    assert_eq!(seen[3].namespace.as_deref(), Some("team-[key]"));
    assert!(seen.iter().all(|read| read.at > Moment::ZERO && read.version.is_none()));
}

#[test]
fn a_wrapped_answer_is_opened_once_and_its_secret_handed_out_then() {
    let rig = Rig::plain();
    let wrap = |ttl: u32| {
        let headers = format!("{TOKEN}X-Vault-Wrap-TTL: {ttl}\r\n");
        let answer = ask(&rig, "GET", DATA, &headers, "");
        assert!(!answer.body.contains(&rig.mock.api_key()), "{}", answer.body);
        answer.json()["wrap_info"]["token"].as_str().unwrap().to_owned()
    };
    let unwrap = |token: &str| {
        let headers = format!("X-Vault-Token: {token}\r\n");
        ask(&rig, "POST", "/v1/sys/wrapping/unwrap", &headers, "")
    };
    let token = wrap(60);
    let opened = unwrap(&token);
    assert_eq!(opened.json()["data"]["data"]["api_key"], rig.mock.api_key());
    assert_eq!(unwrap(&token).status, 400);
    let misused = wrap(60);
    assert_eq!(ask(&rig, "GET", DATA, &format!("X-Vault-Token: {misused}\r\n"), "").status, 403);
    let late = wrap(60);
    rig.mock.expire_vault_tokens(Duration::ZERO);
    assert_eq!((unwrap(&misused).status, unwrap(&late).status), (400, 400));
    let seen: Vec<_> =
        reads(&rig).into_iter().map(|read| (read.token, read.status, read.version)).collect();
    let entry = |token: &str, status, version| (token.to_owned(), status, version);
    assert_eq!(
        seen,
        [
            entry("run", 200, None),
            entry("wrapping", 200, Some(1)),
            entry("unknown", 400, None),
            entry("run", 200, None),
            entry("wrapping", 403, None),
            entry("run", 200, None),
            entry("unknown", 400, None),
            entry("unknown", 400, None),
        ]
    );
}

#[test]
fn every_namespace_is_a_view_of_the_same_secret() {
    let rig = Rig::plain();
    let headers = format!("{TOKEN}X-Vault-Namespace: team/a/\r\n");
    let read = ask(&rig, "GET", DATA, &headers, "");
    assert_eq!(read.json()["data"]["data"]["api_key"], rig.mock.api_key());
    assert_eq!(read.header("x-vault-namespace").as_deref(), Some("team/a/"));
    assert_eq!(read.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(ask(&rig, "GET", "/v1/sys/health", &headers, "").status, 400);
    let path = "/v1/ns1/secret/data/linktree";
    assert_eq!(ask(&rig, "GET", path, TOKEN, "").json()["data"], read.json()["data"]);
    assert_eq!(ask(&rig, "GET", path, &headers, "").status, 200);
    let seen = reads(&rig);
    let last = seen.iter().rev().take(2).map(|read| (read.namespace.as_deref(), &*read.path));
    assert_eq!(last.collect::<Vec<_>>(), [(Some("team/a/ns1"), path), (Some("ns1"), path)]);
}

#[test]
fn the_vault_fails_for_the_path_that_a_rule_names_and_for_no_other() {
    let fails = |status: u16| {
        let path = "secret/data/linktree".to_owned();
        Rig::with_fault(Fault::VaultStatus(VaultStatus { status, path }))
    };
    for (status, words) in [(503, "the vault cannot answer now"), (404, "[]")] {
        let rig = fails(status);
        let answer = ask(&rig, "GET", DATA, TOKEN, "");
        assert_eq!(answer.status, status);
        assert!(
            answer.body.contains(words) && !answer.body.contains("lt_live_"),
            "{}",
            answer.body
        );
        assert_eq!(ask(&rig, "GET", &format!("{DATA}-staging"), TOKEN, "").status, 200);
        let seen = reads(&rig);
        let marked = |read: &SecretRead| read.faults.first().map(|mark| mark.kind.info().kind);
        let brief: Vec<_> = seen.iter().map(|read| (read.status, marked(read))).collect();
        assert_eq!(brief, [(status, Some("vault-status")), (200, None)]);
        assert!(seen[0].version.is_none() && seen[1].version.is_some());
    }
}

//! What secrets managers do wrong where a plan wants it, each in its own words.

use super::{LONG, aws, error, gcp, payload, reads, rig, url};
use crate::rig::{Client, Rig, beside};
use mock_server::contract::SecretsManager::Gcp;
use mock_server::faults::{Fault, Rule, VaultSlow, VaultStale, VaultStall, VaultStatus};
use mock_server::history::record::SecretRead;
use serde_json::{Value, json};
use std::time::Duration;

const DATA: &str = "secret/data/linktree";

/// What AWS and GCP say where the plan gives this status for the secret, and the status that is recorded.
#[test]
fn a_status_of_the_plan_is_said_in_each_managers_own_words() {
    for (status, aws_name, gcp_status, gcp_name) in [
        (401, "ExpiredTokenException", 401, "UNAUTHENTICATED"),
        (403, "AccessDeniedException", 403, "PERMISSION_DENIED"),
        (404, "ResourceNotFoundException", 404, "NOT_FOUND"),
        (429, "ThrottlingException", 429, "RESOURCE_EXHAUSTED"),
        (500, "InternalServiceError", 500, "INTERNAL"),
        (503, "ServiceUnavailable", 503, "UNAVAILABLE"),
    ] {
        let rig = rig(vec![Fault::VaultStatus(VaultStatus { status, path: DATA.into() })]);
        let answer = aws(&rig, "GetSecretValue", &json!({ "SecretId": "linktree" }));
        let aws_status = if status < 500 { 400 } else { status };
        assert_eq!(error(&answer), (aws_status, aws_name.to_owned()));
        let answer = gcp(&rig, "vault-token", "/linktree/versions/latest:access");
        assert_eq!(
            (answer.status, &answer.json()["error"]["status"]),
            (gcp_status, &gcp_name.into())
        );
        let other = gcp(&rig, "vault-token", "/linktree-staging/versions/latest:access");
        assert_eq!(other.status, 200);
        let marks: Vec<_> =
            reads(&rig).iter().map(|read| (read.status, read.faults.len())).collect();
        assert_eq!(marks, [(aws_status, 1), (gcp_status, 1), (200, 0)]);
    }
}

#[test]
fn one_that_lags_behind_hands_out_the_version_before_the_last_rotation() {
    let mut rig = rig(vec![Fault::VaultStale(VaultStale { path: "secret/*".into() })]);
    let all = |rig: &Rig| {
        let aws = aws(rig, "GetSecretValue", &json!({ "SecretId": "linktree" })).json();
        let gcp = payload(&gcp(rig, "vault-token", "/linktree/versions/latest:access"));
        assert_eq!(
            serde_json::from_str::<Value>(aws["SecretString"].as_str().unwrap()).unwrap(),
            gcp
        );
        assert_eq!(aws["VersionStages"], json!(["AWSCURRENT"]));
        gcp["api_key"].clone()
    };
    let first = rig.mock.api_key();
    assert_eq!(all(&rig), first, "where there is but one version it is the newest");
    rig.mock.rotate_api_key(LONG);
    assert_eq!(all(&rig), first);
    assert_eq!(gcp(&rig, "vault-token", "/linktree/versions/2:access").status, 404);
    assert!(reads(&rig).iter().all(|read| read.faults[0].kind.info().kind == "vault-stale"));
    rig.mock.set_rules(vec![]).unwrap();
    assert_eq!(all(&rig), rig.mock.api_key());

    rig = Rig::with_fault(Fault::VaultStale(VaultStale { path: DATA.into() }));
    let first = rig.mock.api_key();
    rig.mock.rotate_api_key(LONG);
    let token = "X-Vault-Token: vault-token\r\n";
    let read = beside(&rig.mock.vault_url(), "GET", "/v1/secret/data/linktree", token, "").json();
    assert_eq!(read["data"]["data"]["api_key"], first);
    assert_eq!(read["data"]["metadata"]["version"], 1);
}

/// A client that asks GCP for the secret and is not answered.
fn asking(rig: &Rig) -> Client {
    let address = url(rig, Gcp);
    let mut client = Client::to(address.rsplit_once(':').unwrap().1.parse().unwrap());
    let path = "/v1/projects/p/secrets/linktree/versions/latest:access";
    let token = "Authorization: Bearer vault-token";
    client.write(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{token}\r\n\r\n"));
    client
}

/// Waits until a request without an answer is recorded.
fn unanswered(rig: &Rig) -> SecretRead {
    loop {
        if let Some(read) = reads(rig).into_iter().find(|read| read.status == 0) {
            return read;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_slow_one_answers_late_or_whoever_gives_up_is_recorded() {
    let rig = rig(vec![Fault::VaultSlow(VaultSlow { ms: 60, path: DATA.into() })]);
    let begun = rig.clock.now();
    let answer = aws(&rig, "GetSecretValue", &json!({ "SecretId": "linktree" }));
    let took = rig.clock.now().since(begun);
    assert!(answer.status == 200 && took >= Duration::from_millis(60));
    let read = reads(&rig).remove(0);
    assert_eq!((read.status, read.faults[0].kind.info().kind), (200, "vault-slow"));
    let slow = Fault::VaultSlow(VaultSlow { ms: 120_000, path: DATA.into() });
    rig.mock.set_rules(vec![Rule::new("slow", slow)]).unwrap();
    drop(asking(&rig));
    let read = unanswered(&rig);
    assert_eq!((read.version, read.faults[0].rule.as_str()), (None, "slow"));
}

#[test]
fn a_silent_one_is_recorded_at_once() {
    let rig = rig(vec![Fault::VaultStall(VaultStall { path: DATA.into() })]);
    let client = asking(&rig);
    assert_eq!(unanswered(&rig).version, None);
    drop(client);
}

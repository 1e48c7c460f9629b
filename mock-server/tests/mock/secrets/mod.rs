//! AWS Secrets Manager and GCP Secret Manager as their clients meet them: the same secret, versions and
//! rotations as in the vault, who is let in, how they fail, and what the record says of it.

mod failing;
mod gcp;

use crate::rig::{Answer, Rig, beside};
use hmac::{Hmac, KeyInit, Mac};
use mock_server::contract::SecretsManager::{self, Aws, Gcp, Vault};
use mock_server::faults::{Fault, Rule};
use mock_server::history::record::{Record, SecretRead};
use mock_server::keyring::Environment;
use mock_server::services::secrets::{ACCESS_KEY_ID, CREDENTIALS_PATH, is_read_of};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(100_000);

fn rig(rules: Vec<Fault>) -> Rig {
    let rule = |(nth, fault): (usize, Fault)| Rule::new(format!("rule-{nth}"), fault);
    Rig::new(|config| {
        config.secrets = vec![Aws, Gcp];
        config.rules = rules.into_iter().enumerate().map(rule).collect();
    })
}

fn url(rig: &Rig, manager: SecretsManager) -> String {
    rig.mock.secrets_url(manager).unwrap()
}

fn reads(rig: &Rig) -> Vec<SecretRead> {
    let read = |record| match record {
        Record::SecretRead(read) => Some(read),
        _ => None,
    };
    rig.tape.others().into_iter().filter_map(read).collect()
}

/// What signs a request to AWS.
struct Signer<'s> {
    id: &'s str,
    secret: &'s str,
    session: Option<&'s str>,
}

const RUN: Signer<'_> = Signer { id: ACCESS_KEY_ID, secret: "vault-token", session: None };

fn signed(by: &Signer<'_>, operation: &str, body: &str) -> String {
    let target = format!("secretsmanager.{operation}");
    let hash = |text: &str| hex::encode(Sha256::digest(text));
    let (date, stamp) = ("20260101", "20260101T000000Z");
    let (session, named) = match by.session {
        Some(token) => (format!("x-amz-security-token:{token}\n"), "x-amz-security-token;"),
        None => (String::new(), ""),
    };
    let names = format!("host;x-amz-date;{named}x-amz-target");
    let request = format!(
        "POST\n/\n\nhost:x\nx-amz-date:{stamp}\n{session}x-amz-target:{target}\n\n{names}\n{}",
        hash(body)
    );
    let scope = [date, "eu-central-1", "secretsmanager", "aws4_request"];
    let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{}\n{}", scope.join("/"), hash(&request));
    let mac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let first = format!("AWS4{}", by.secret).into_bytes();
    let key = scope.iter().fold(first, |key, part| mac(&key, part));
    let signature = hex::encode(mac(&key, &to_sign));
    let session = by.session.map_or(String::new(), |it| format!("X-Amz-Security-Token: {it}\r\n"));
    format!(
        "X-Amz-Target: {target}\r\nX-Amz-Date: {stamp}\r\n{session}\
         Content-Type: application/x-amz-json-1.1\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential={}/{}, SignedHeaders={names}, Signature={signature}\r\n",
        by.id,
        scope.join("/")
    )
}

fn aws_by(rig: &Rig, by: &Signer<'_>, operation: &str, body: &Value) -> Answer {
    let body = body.to_string();
    beside(&url(rig, Aws), "POST", "/", &signed(by, operation, &body), &body)
}

fn aws(rig: &Rig, operation: &str, body: &Value) -> Answer {
    aws_by(rig, &RUN, operation, body)
}

fn gcp(rig: &Rig, token: &str, rest: &str) -> Answer {
    let token = format!("Authorization: Bearer {token}\r\n");
    let token = if token.contains("none") { "" } else { &token };
    beside(&url(rig, Gcp), "GET", &format!("/v1/projects/p/secrets{rest}"), token, "")
}

/// What a payload holds.
fn payload(answer: &Answer) -> Value {
    use base64::Engine as _;
    let data = answer.json()["payload"]["data"].as_str().unwrap().to_owned();
    let data = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
    serde_json::from_slice(&data).unwrap()
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["__type"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn only_what_is_asked_for_listens() {
    let plain = Rig::plain();
    assert!(plain.mock.secrets_url(Vault).is_some());
    assert_eq!((plain.mock.secrets_url(Aws), plain.mock.secrets_url(Gcp)), (None, None));
    let rig = rig(vec![]);
    assert_eq!((rig.mock.secrets_url(Vault), rig.mock.vault_url()), (None, String::new()));
    assert_ne!(url(&rig, Aws), url(&rig, Gcp));
}

#[test]
fn aws_hands_out_every_version_under_the_labels_that_a_rotation_moves() {
    let rig = rig(vec![]);
    let get = |more: Value| {
        let mut body = json!({ "SecretId": "linktree" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        aws(&rig, "GetSecretValue", &body)
    };
    let first = get(json!({})).json();
    let held: Value = serde_json::from_str(first["SecretString"].as_str().unwrap()).unwrap();
    assert_eq!(held["api_key"], rig.mock.api_key());
    assert_eq!(held["webhook_secret"], rig.mock.webhook_secret());
    assert_eq!(first["VersionStages"], json!(["AWSCURRENT"]));
    assert!(first["CreatedDate"].as_f64().unwrap() > 1e9);
    let arn = first["ARN"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:secretsmanager:eu-central-1:123456789012:secret:linktree-"));
    let missing = (400, "ResourceNotFoundException".to_owned());
    assert_eq!(error(&get(json!({ "VersionStage": "AWSPREVIOUS" }))), missing);

    rig.mock.rotate_api_key(LONG);
    let second = get(json!({})).json();
    assert!(second["SecretString"].as_str().unwrap().contains(&rig.mock.api_key()));
    let previous = get(json!({ "VersionStage": "AWSPREVIOUS" })).json();
    assert_eq!(previous["SecretString"], first["SecretString"]);
    rig.mock.rotate_webhook_secret(LONG);
    let oldest = get(json!({ "VersionId": first["VersionId"] })).json();
    assert_eq!(
        (&oldest["SecretString"], &oldest["VersionStages"]),
        (&first["SecretString"], &json!([]))
    );
    assert_eq!(error(&get(json!({ "VersionId": "x" }))), missing);
    let both = json!({ "VersionId": first["VersionId"], "VersionStage": "AWSCURRENT" });
    assert_eq!(error(&get(both)).1, "InvalidRequestException");

    for id in [arn, &arn[..arn.len() - 7]] {
        assert_eq!(
            aws(&rig, "GetSecretValue", &json!({ "SecretId": id })).json()["Name"],
            "linktree"
        );
    }
    let id = json!({ "SecretId": "linktree" });
    let stages = aws(&rig, "DescribeSecret", &id).json()["VersionIdsToStages"].clone();
    assert_eq!(stages[second["VersionId"].as_str().unwrap()], json!(["AWSPREVIOUS"]));
    let listed = |body| aws(&rig, "ListSecretVersionIds", &body).json();
    assert_eq!(listed(id.clone())["Versions"].as_array().unwrap().len(), 2);
    let page = json!({ "SecretId": "linktree", "IncludeDeprecated": true, "MaxResults": 2 });
    assert_eq!(listed(page)["NextToken"], "2");
    let rest = json!({ "SecretId": "linktree", "IncludeDeprecated": true, "NextToken": "2" });
    assert_eq!(listed(rest)["Versions"][0]["VersionId"], first["VersionId"]);
    let all = aws(&rig, "ListSecrets", &json!({})).json();
    assert_eq!(all["SecretList"][1]["Name"], "linktree-staging");

    let handed: Vec<_> = reads(&rig).iter().filter_map(|read| read.version).collect();
    assert_eq!(handed, [1, 2, 1, 1, 3, 3]);
}

#[test]
fn aws_lets_in_who_signs_with_the_runs_key_or_with_temporary_ones_that_live() {
    let rig = rig(vec![]);
    let get = |by: &Signer<'_>| {
        error(&aws_by(&rig, by, "GetSecretValue", &json!({ "SecretId": "linktree" })))
    };
    let said = |status: u16, name: &str| (status, name.to_owned());
    assert_eq!(get(&RUN), said(200, ""));
    assert_eq!(get(&Signer { secret: "x", ..RUN }), said(400, "InvalidSignatureException"));
    assert_eq!(get(&Signer { id: "AKIAX", ..RUN }), said(400, "UnrecognizedClientException"));
    let odd = |headers: &str| error(&beside(&url(&rig, Aws), "POST", "/", headers, "{}"));
    assert_eq!(odd(""), said(400, "MissingAuthenticationTokenException"));
    assert_eq!(odd("Authorization: Bearer x\r\n"), said(400, "IncompleteSignatureException"));
    let elsewhere = signed(&RUN, "ListSecrets", "{}").replace("/secretsmanager/", "/s3/");
    assert_eq!(odd(&elsewhere), said(400, "InvalidSignatureException"));
    assert_eq!(odd(&signed(&RUN, "ListSecrets", "{} ")), said(400, "InvalidSignatureException"));

    let given = beside(&url(&rig, Aws), "GET", CREDENTIALS_PATH, "", "").json();
    let text = |name: &str| given[name].as_str().unwrap();
    let temporary = Signer {
        id: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        session: Some(text("Token")),
    };
    assert!(text("AccessKeyId").starts_with("ASIA") && text("Expiration").ends_with('Z'));
    assert_eq!(get(&temporary), said(200, ""));
    let other = Signer { id: "ASIAX", ..temporary };
    assert_eq!(get(&other), said(400, "UnrecognizedClientException"));
    rig.mock.expire_vault_tokens(Duration::ZERO);
    assert_eq!(get(&temporary), said(400, "ExpiredTokenException"));
    assert_eq!(get(&RUN), said(400, "ExpiredTokenException"));

    let seen = reads(&rig);
    let labels: Vec<_> = seen.iter().map(|read| read.token.as_str()).collect();
    let tail = ["login", "unknown", "expired", "expired"];
    assert_eq!(labels[..3], ["run", "unknown", "unknown"]);
    assert_eq!(labels[labels.len() - 4..], tail);
    let text = serde_json::to_string(&seen).unwrap();
    assert!(!text.contains(temporary.secret) && !text.contains("vault-token"));
}

#[test]
fn aws_says_what_is_wrong_with_a_request_by_name() {
    let rig = rig(vec![]);
    let check = |operation: &str, body: Value, name: &str| {
        assert_eq!(
            error(&aws(&rig, operation, &body)),
            (400, name.to_owned()),
            "{operation} {body}"
        );
    };
    check("GetSecretValue", json!({ "SecretId": "other" }), "ResourceNotFoundException");
    check("DescribeSecret", json!({ "SecretId": "other" }), "ResourceNotFoundException");
    check("GetSecretValue", json!({}), "ValidationException");
    check("GetSecretValue", json!({ "SecretId": "" }), "ValidationException");
    check("GetSecretValue", json!({ "SecretId": 5 }), "SerializationException");
    check("GetSecretValue", json!([]), "SerializationException");
    check("PutSecretValue", json!({ "SecretId": "linktree" }), "AccessDeniedException");
    check("Nothing", json!({}), "UnknownOperationException");
    let id = |more: Value| json!({ "SecretId": "linktree", "NextToken": more });
    check("ListSecretVersionIds", id(json!("x")), "InvalidNextTokenException");
}

#[test]
fn reads_are_recorded_in_each_managers_words_and_known_by_whose_secret_it_is() {
    let rig = rig(vec![]);
    aws(&rig, "GetSecretValue", &json!({ "SecretId": "linktree-staging" }));
    aws(&rig, "GetSecretValue", &json!({ "SecretId": rig.mock.api_key() }));
    gcp(&rig, "vault-token", "/linktree-staging/versions/latest:access");
    let seen = reads(&rig);
    let brief = |read: &SecretRead| {
        let of = [Environment::Live, Environment::Test].map(|of| is_read_of(read, of));
        (read.manager, format!("{} {} {}", read.method, read.path, read.status), of)
    };
    let gcp_path = "GET /v1/projects/p/secrets/linktree-staging/versions/latest:access 200";
    assert_eq!(
        seen.iter().map(brief).collect::<Vec<_>>(),
        [
            (Aws, "GetSecretValue linktree-staging 200".to_owned(), [false, true]),
            (Aws, "GetSecretValue [key] 400".to_owned(), [false, false]),
            (Gcp, gcp_path.to_owned(), [false, true]),
        ]
    );
}

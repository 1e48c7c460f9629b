//! Proves that the document of the API is about this mock: every operation of it is asked, and what comes
//! back is what the document says.

use crate::rig::{Answer, Rig, beside, click};
use boon::{Compiler, Schemas};
use mock_server::api::{OPERATIONS, openapi};
use mock_server::contract::Route;
use mock_server::keyring::Environment;
use mock_server::profile::ContractProfile;
use mock_server::webhooks::SchemeName;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A mock whose key is good for everything, and its document.
fn rig() -> (Rig, Value) {
    let every = || mock_server::contract::SCOPES.iter().map(|&scope| scope.to_owned()).collect();
    let mut profile = ContractProfile::linktree_v1();
    profile.keys.scopes = every();
    profile.analytics.latency_ms = 0;
    let document = openapi(&profile);
    (Rig::new(|config| config.profile = profile), document)
}

/// Asserts that a value is what this schema of the document says.
fn check_schema(document: &Value, schema: &Value, value: &Value) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let place = "http://windthrow.test/contract.json";
    let alone = json!({ "components": document["components"], "allOf": [schema] });
    compiler.add_resource(place, alone).unwrap();
    let compiled = compiler.compile(place, &mut schemas).unwrap();
    if let Err(error) = schemas.validate(value, compiled) {
        panic!("{schema} does not describe {value}: {error:#}");
    }
}

/// The names that a schema has for the members of an object, and the schema of each.
fn members(document: &Value, schema: &Value) -> Vec<(String, Value)> {
    if let Some(reference) = schema["$ref"].as_str() {
        return members(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    let parts = ["allOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    let own = schema["properties"].as_object().into_iter().flatten();
    let own = own.map(|(name, schema)| (name.clone(), schema.clone()));
    own.chain(parts.flat_map(|part| members(document, part))).collect()
}

/// Asserts that a value has no member of which the schema says nothing.
fn check_known(document: &Value, schema: &Value, value: &Value) {
    let known = members(document, schema);
    for (name, inner) in value.as_object().into_iter().flatten() {
        let (_, schema) = known
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("{name} of {value} is not in the document: {known:?}"));
        let items = inner.as_array().into_iter().flatten();
        items.for_each(|item| check_known(document, &schema["items"], item));
        check_known(document, schema, inner);
    }
}

/// Asserts that this answer to an operation is in the document: status, headers, body.
fn check(document: &Value, method: &str, path: &str, answer: &Answer) {
    let (verb, status) = (method.to_lowercase(), answer.status.to_string());
    let said = &document["paths"][path][&verb]["responses"][&status];
    assert!(said.is_object(), "{method} {path} may not answer {status}");
    for name in said["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
        assert!(answer.header(name).is_some(), "{method} {path} {status} has no {name}");
    }
    let Some((kind, content)) = said["content"].as_object().and_then(|all| all.iter().next())
    else {
        return assert!(answer.body.is_empty(), "{method} {path} {status} has a body");
    };
    assert_eq!(answer.header("content-type").as_ref(), Some(kind), "{method} {path} {status}");
    check_schema(document, &content["schema"], &answer.json());
    check_known(document, &content["schema"], &answer.json());
}

/// Asks with what makes it answer as asked for; a target names the free parts of its path.
fn ask(
    rig: &Rig,
    document: &Value,
    (method, path, target): Asked<'_>,
    headers: &str,
    body: &Value,
) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = rig.send(method, target, headers, &body);
    check(document, method, path, &answer);
    answer
}

/// Method, path in the document, and what is asked.
type Asked<'a> = (&'a str, &'a str, &'a str);

#[test]
fn every_operation_answers_as_the_document_says() {
    let (rig, document) = rig();
    let mut done = BTreeSet::new();
    let mut ok = |asked: Asked<'_>, headers: &str, body: Value| {
        let answer = ask(&rig, &document, asked, headers, &body);
        assert!(answer.status < 400, "{asked:?} is refused: {}", answer.status);
        done.insert((asked.0.to_owned(), asked.1.to_owned()));
        answer
    };
    let none = || Value::Null;
    ok(("GET", "/v1/health", "/v1/health"), "", none());
    ok(("GET", "/v1/me", "/v1/me"), "", none());
    let profile = ("GET", "/v1/profiles/{handle}", "/v1/profiles/viral-0001");
    let etag = ok(profile, "", none()).header("etag").unwrap();
    assert_eq!(ok(profile, &format!("If-None-Match: {etag}\r\n"), none()).status, 304);
    let list = "/v1/profiles/{handle}/links";
    let first = ok(("GET", list, "/v1/profiles/viral-0001/links"), "", none()).json();
    let next = format!(
        "/v1/profiles/viral-0001/links?limit=30&cursor={}",
        first["cursor"].as_str().unwrap()
    );
    assert_eq!(ok(("GET", list, &next), "", none()).json()["has_more"], false);
    ok(("GET", "/v1/links", "/v1/links"), "", none());
    let id = first["data"][0]["id"].as_str().unwrap();
    let link = format!("/v1/links/{id}");
    ok(("PATCH", "/v1/links/{id}", &link), "", json!({ "title": "New" }));
    let items = json!([
        { "id": id, "title": "Newer", "url": "https://example.org/" },
        { "id": "lnk_none", "title": "x", "url": "https://example.org/" },
    ]);
    ok(("POST", "/v1/links/batch", "/v1/links/batch"), "", json!({ "items": items }));
    let one: Value = serde_json::from_str(&click("e1", id)).unwrap();
    ok(("POST", "/v1/clicks", "/v1/clicks"), "Idempotency-Key: k\r\n", one.clone());
    let events =
        json!([one, { "event_id": "e2", "handle": "nobody", "link_id": id, "occurred_at": "?" }]);
    ok(("POST", "/v1/clicks/batch", "/v1/clicks/batch"), "", json!({ "events": events }));
    let analytics = "/v1/analytics/viral-0001?from=2026-01-01&to=2026-12-31";
    ok(("GET", "/v1/analytics/{handle}", analytics), "", none());
    let hook = json!({ "url": "http://127.0.0.1:9/", "events": ["link.clicked"] });
    let hooks = ("POST", "/v1/webhooks", "/v1/webhooks");
    let made = ok(hooks, "", hook.clone());
    assert_eq!((made.status, ok(hooks, "", hook).status), (201, 200));
    ok(("GET", "/v1/webhooks", "/v1/webhooks"), "", none());
    let one = format!("/v1/webhooks/{}", made.json()["id"].as_str().unwrap());
    ok(("DELETE", "/v1/webhooks/{id}", &one), "", none());

    let known = OPERATIONS.iter().map(|one| (one.method.to_owned(), format!("/v1{}", one.path)));
    assert_eq!(done, known.collect(), "an operation was not asked, or is not in the table");
}

#[test]
fn every_refusal_is_in_the_document() {
    let (rig, document) = rig();
    let refused = |status: u16, asked: Asked<'_>, headers: &str, body: Value| {
        let answer = ask(&rig, &document, asked, headers, &body);
        assert_eq!(answer.status, status, "{asked:?}");
    };
    let none = || Value::Null;
    let list = "/v1/profiles/{handle}/links";
    refused(404, ("GET", "/v1/profiles/{handle}", "/v1/profiles/nobody"), "", none());
    refused(400, ("GET", list, "/v1/profiles/tail-0001/links?offset=1"), "", none());
    refused(404, ("GET", list, "/v1/profiles/nobody/links"), "", none());
    let link = ("PATCH", "/v1/links/{id}", "/v1/links/lnk_000000000000");
    refused(400, link, "", json!({ "name": "x" }));
    refused(404, link, "", json!({ "title": "x" }));
    refused(415, link, "Content-Encoding: gzip\r\n", json!({ "title": "x" }));
    refused(400, ("POST", "/v1/links/batch", "/v1/links/batch"), "", json!({}));
    let clicks = ("POST", "/v1/clicks", "/v1/clicks");
    let one: Value = serde_json::from_str(&click("e1", "l1")).unwrap();
    refused(400, clicks, "", one.clone());
    let mut other = one;
    other["handle"] = "nobody".into();
    refused(404, clicks, "Idempotency-Key: k\r\n", other.clone());
    other["occurred_at"] = "noon".into();
    refused(422, clicks, "Idempotency-Key: k\r\n", other);
    refused(400, ("POST", "/v1/clicks/batch", "/v1/clicks/batch"), "", json!([]));
    let analytics = "/v1/analytics/{handle}";
    refused(400, ("GET", analytics, "/v1/analytics/viral-0001"), "", none());
    let hooks = ("POST", "/v1/webhooks", "/v1/webhooks");
    refused(422, hooks, "", json!({ "url": "x", "events": [] }));
    refused(404, ("DELETE", "/v1/webhooks/{id}", "/v1/webhooks/none"), "", none());
    // Without a key, and with one that has made all of its requests.
    let mut client = rig.client();
    client.write("GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n");
    check(&document, "GET", "/v1/me", &client.answer());
    while rig.get("/v1/me").status == 200 {}
    refused(429, ("GET", "/v1/me", "/v1/me"), "", none());
}

#[test]
fn a_route_that_is_not_in_the_document_is_not_served() {
    let (rig, document) = rig();
    let paths = document["paths"].as_object().unwrap();
    let linktree = || paths.iter().filter(|(_, path)| path["servers"][0]["url"] == "{mock.url}");
    let fits = |template: &str, target: &str| {
        let (template, target): (Vec<_>, Vec<_>) =
            (template.split('/').collect(), target.split('/').collect());
        let part = |(known, part): (&&str, &&str)| known == part || known.starts_with('{');
        template.len() == target.len() && template.iter().zip(&target).all(part)
    };
    let mut asked = 0;
    for (path, _) in linktree() {
        let target = path.replace("{handle}", "tail-0001").replace("{id}", "lnk_000000000000");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let verb = method.to_lowercase();
            let is_known = linktree()
                .any(|(path, known)| fits(path, &target) && known[verb.as_str()].is_object());
            let answer = rig.send(method, &target, "", "");
            let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let unknown = said["error"]["message"] == "the contract has no such route";
            assert_eq!(is_known, !unknown, "{method} {path}: {}", answer.status);
            asked += 1;
        }
    }
    assert!(asked >= 50, "{asked}");
    let routes: BTreeSet<Route> = OPERATIONS.iter().map(|one| one.route).collect();
    assert_eq!(routes.len(), 11, "each route but the unknown one has an operation");
}

#[test]
fn vault_and_alert_receiver_take_what_the_document_says() {
    let (rig, document) = rig();
    let token = "X-Vault-Token: vault-token\r\n";
    let path = "/v1/secret/data/linktree";
    let secret = beside(&rig.mock.vault_url(), "GET", path, token, "");
    // A real vault says more, which no client of this contract needs.
    let said = &document["paths"][path]["get"]["responses"]["200"];
    check_schema(&document, &said["content"]["application/json"]["schema"], &secret.json());
    assert_eq!(secret.json()["data"]["data"]["api_key"], rig.mock.api_key());
    assert_eq!(beside(&rig.mock.vault_url(), "GET", path, "", "").status, 403);
    let alerts = "/api/v2/alerts";
    let one = json!([{ "labels": { "alertname": "a" }, "annotations": { "summary": "b" } }]);
    let body = &document["paths"][alerts]["post"]["requestBody"];
    check_schema(&document, &body["content"]["application/json"]["schema"], &one);
    let json = "Content-Type: application/json\r\n";
    let answer = beside(&rig.mock.alerts_url(), "POST", alerts, json, &one.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_profile_decides_names_numbers_and_forms() {
    let mut profile = ContractProfile::linktree_v1();
    profile.limit.limit_header = "x-quota".into();
    profile.limit.ietf_headers = true;
    profile.pages.max_limit = 55;
    profile.errors.problem_json = true;
    profile.keys.environment = Environment::Test;
    let staging = openapi(&profile);
    assert!(staging["paths"]["/v1/secret/data/linktree-staging"]["get"].is_object());
    let key = staging["components"]["securitySchemes"]["key"]["description"].as_str().unwrap();
    assert!(key.starts_with("A key whose prefix is lt_test_; one with lt_live_"), "{key}");
    for scheme in SchemeName::ALL {
        profile.webhooks.scheme = scheme;
        let document = openapi(&profile);
        let list = &document["paths"]["/v1/links"]["get"];
        assert_eq!(list["parameters"][1]["schema"]["maximum"], 55);
        assert!(list["responses"]["200"]["headers"]["x-quota"].is_object());
        assert!(list["responses"]["404"]["content"]["application/problem+json"].is_object());
        let hook = &document["webhooks"]["link.updated"]["post"];
        let names = hook["parameters"].as_array().unwrap().iter();
        let names: Vec<_> = names.map(|one| one["name"].as_str().unwrap()).collect();
        let expected = scheme.example(mock_server::webhooks::WebhookEvent::LinkUpdated);
        assert_eq!(names, expected.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
        assert!(document["tags"][1].to_string().contains(&scheme.covered_words()));
    }
}

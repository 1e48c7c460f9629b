//! Proves that the documents say what is true of the mock, of visitors and of plans.

use super::*;
use boon::{Compiler, Schemas};
use mock_server::api::OPERATIONS;
use mock_server::faults::{FAULTS, Fault, Rule};
use scenarios::catalogue::{Profile, SCENARIOS, Settings, run_plan};
use scenarios::front_door::FrontRoute;
use std::collections::BTreeSet;

fn document() -> Value {
    contract(&ContractProfile::linktree_v1(), &Service::of(&Config::none()))
}

/// The document of a service whose front door is this.
fn spelt(front: FrontDoor) -> Value {
    let service = Service { front, ..Service::of(&Config::none()) };
    contract(&ContractProfile::linktree_v1(), &service)
}

/// Every text in a value, under this key or under any.
fn texts<'v>(value: &'v Value, key: Option<&str>, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                found.extend(inner.as_str().filter(|_| key.is_none_or(|key| key == name)));
                texts(inner, key, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                found.extend(item.as_str().filter(|_| key.is_none()));
                texts(item, key, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let document = document();
    let (mut references, mut ids) = (Vec::new(), Vec::new());
    texts(&document, Some("$ref"), &mut references);
    texts(&document, Some("operationId"), &mut ids);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    }
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    assert_eq!(
        ids.len(),
        OPERATIONS.len() + 2 + 7 + 3,
        "Linktree, vault and alerts, door, webhooks"
    );
}

#[test]
fn the_front_door_is_spelt_as_visitors_spell_it() {
    let front = serde_json::to_value(FrontDoor::default()).unwrap();
    let (mut names, mut said) = (Vec::new(), Vec::new());
    texts(&front, None, &mut names);
    let document = document();
    texts(&document, None, &mut said);
    let keys: Vec<&String> =
        document["paths"].as_object().into_iter().flatten().map(|(path, _)| path).collect();
    for name in names {
        let in_words = said.iter().any(|text| text.contains(name));
        let last = name.rsplit('.').next().unwrap_or_default();
        let in_a_body = document["paths"].to_string().contains(&format!("\"{last}\":"));
        let is_path = keys.iter().any(|path| *path == name);
        // The method is a key, and what is cross-origin a header of the click.
        let elsewhere = ["POST", "clicks"].contains(&name);
        assert!(in_words || in_a_body || is_path || elsewhere, "{name} is not in the document");
    }
    let renamed = FrontDoor {
        page: "/p/{handle}".into(),
        analytics: "/me/{handle}?since={from}".into(),
        session_header: "cookie".into(),
        ..FrontDoor::default()
    };
    let document = spelt(renamed);
    assert!(document["paths"]["/p/{handle}"]["get"].is_object());
    assert_eq!(document["paths"]["/me/{handle}"]["get"]["parameters"][1]["name"], "since");
    assert_eq!(document["components"]["securitySchemes"]["session"]["name"], "cookie");
}

#[test]
fn what_a_service_does_not_offer_is_left_out_and_one_path_has_two_methods() {
    let document = spelt(FrontDoor {
        page: "/page?of={handle}&lang=en".into(),
        clicks: "/page".into(),
        without: vec![FrontRoute::Analytics, FrontRoute::Campaigns, FrontRoute::Webhooks],
        ..FrontDoor::default()
    });
    let paths = document["paths"].as_object().unwrap();
    for gone in ["/api/analytics/{handle}", "/api/campaigns", "/webhooks/linktree"] {
        assert!(!paths.contains_key(gone), "{gone}");
    }
    let page = &paths["/page"];
    assert!(page["get"].is_object() && page["post"].is_object(), "{page}");
    let parameter = |at: usize| {
        let of = |key: &str| page["get"]["parameters"][at][key].as_str().unwrap_or_default();
        (of("in"), of("name"), of("example"))
    };
    assert_eq!(parameter(0), ("query", "of", ""));
    assert_eq!(parameter(1), ("query", "lang", "en"));
}

#[test]
fn metrics_at_another_port_are_shown_with_their_path_there() {
    let metrics = |url: &str| {
        let service = Service::of(&Config::none());
        let document = contract(
            &ContractProfile::linktree_v1(),
            &Service { metrics_url: Some(url.into()), ..service },
        );
        let paths = document["paths"].as_object().unwrap().clone();
        paths.into_iter().find(|(_, item)| item["get"]["operationId"] == "metrics").unwrap()
    };
    let (path, item) = metrics("http://127.0.0.1:9100/stats/prometheus");
    assert_eq!(path, "/stats/prometheus");
    let said = item["get"]["description"].as_str().unwrap();
    assert!(said.contains("not at the service's own port"), "{said}");
    assert_eq!(metrics("http://127.0.0.1:9100").0, "/");
}

/// Proves that what is read before anything is compiled is what `windthrow explain contract` prints. After a
/// change that is meant, WINDTHROW_WRITE_CONTRACT=1 writes it anew.
#[test]
fn the_document_in_the_repository_is_the_contract() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../mock-server/profiles/linktree-v1.md");
    let text = contract_text(&document());
    assert!(!text.contains("```"), "it stands in a fence");
    let document = format!(
        "# What a service calls, and is called with\n\nThis is what `windthrow explain contract` prints \
         without a configuration, of the profile in\n[linktree-v1.toml](linktree-v1.toml); a test keeps it \
         equal. Linktree publishes no such contract: it is assumed.\n\n```text\n{}\n```\n",
        text.trim_end()
    );
    if std::env::var_os("WINDTHROW_WRITE_CONTRACT").is_some() {
        std::fs::write(path, &document).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), document);
}

#[test]
fn the_text_has_every_operation_with_its_scope_and_every_field_of_a_click() {
    let text = contract_text(&document());
    for operation in OPERATIONS {
        let line = format!("  {} /v1{}  (", operation.method, operation.path);
        let found = text.lines().find(|found| found.starts_with(&line));
        let found = found.unwrap_or_else(|| panic!("{line} is not in {text}"));
        let scope = operation.route.scope();
        assert!(scope.is_none_or(|scope| found.contains(scope)), "{found}");
    }
    for word in [
        "visitor.user_agent",
        "Idempotency-Key",
        "GET /{handle}",
        "data-link-id",
        "webhook-signature",
        "results[].status",
        "{id}.{timestamp}.{body}",
        "assumed",
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

/// What is wrong with each value under a schema, in words; nothing for those that are right.
fn wrong(schema: &Value, values: &[Value]) -> Vec<String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let place = "http://windthrow.test/plan.json";
    compiler.add_resource(place, schema.clone()).unwrap();
    let compiled = compiler.compile(place, &mut schemas).unwrap();
    // Of many mistakes the first lines tell enough.
    let words = |error: String| error.lines().take(6).collect::<Vec<_>>().join("\n");
    let wrong = values.iter().filter_map(|value| schemas.validate(value, compiled).err());
    wrong.map(|error| words(format!("{error:#}"))).collect()
}

fn plan(profile: Profile, time_scale: u32) -> RunPlan {
    let settings = Settings { profile, time_scale, root_seed: 7, ..Settings::default() };
    let ids: Vec<&str> = SCENARIOS.iter().map(|known| known.id).collect();
    run_plan(&settings, ContractProfile::linktree_v1(), &ids)
}

#[test]
fn the_schema_takes_every_plan_of_the_catalogue_and_every_fault() {
    let schema = plan_schema();
    let mut plans = [plan(Profile::Quick, 10), plan(Profile::Nightly, 1)];
    let examples = FAULTS.iter().map(|info| {
        let fault: Fault = toml::from_str(info.example_toml).unwrap();
        Rule::new(info.kind, fault)
    });
    plans[0].scenarios[0].faults.extend(examples);
    plans[1].contract.promises.entry("click-lag".into()).or_default().insert("within_ms".into(), 1);
    let plans: Vec<Value> = plans.iter().map(|plan| serde_json::to_value(plan).unwrap()).collect();
    assert_eq!(wrong(&schema, &plans), [""; 0]);
}

#[test]
fn the_schema_refuses_what_no_run_would_take() {
    let schema = plan_schema();
    let good = serde_json::to_value(plan(Profile::Quick, 10)).unwrap();
    let check = |pointer: &str, value: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        assert_eq!(wrong(&schema, &[bad]).len(), 1, "{pointer}");
    };
    check("/seed", json!(7));
    check("/format", json!(4));
    check("/scenarios/0/time_scale", json!(0));
    check("/scenarios/0/phases/0/kind", json!("storn"));
    let with =
        |fault: Value, matcher: Value| json!([{ "id": "r", "matcher": matcher, "fault": fault }]);
    let status = json!({ "kind": "status", "codes": [503] });
    check("/scenarios/0/faults", with(status.clone(), json!({ "routes": ["profil"] })));
    check("/scenarios/0/faults", with(json!({ "kind": "stats" }), json!({})));
    check("/scenarios/0/faults", with(status, json!({ "route": ["profile"] })));
}

#[test]
fn the_text_of_plans_explains_matcher_pick_and_windows() {
    let text = plan_text(&plan_schema(), "{}");
    for word in [
        "Matcher: ",
        "profile-links",
        "Pick: ",
        "by = \"share\"",
        "by = \"nth\"",
        "Window: ",
        "until_ms",
        "warmup",
        "windthrow run --plan plan.json",
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

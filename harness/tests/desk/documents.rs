//! Proves with the real binary that plans and documents are printed whole: a printed plan is one that is
//! taken back, and every printed document is what it is called.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn windthrow(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(line.split(' '))
        .current_dir(folder)
        .env_remove("WINDTHROW_SEED")
        .output()
        .expect("the binary runs")
}

/// Standard output of a command that succeeds.
fn printed(folder: &Path, line: &str) -> String {
    let output = windthrow(folder, line);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{line}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_plan_is_printed_without_a_run_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let line = "plan viral-spike steady --seed 7";
    let plan = printed(path, line);
    assert_eq!(printed(path, line), plan, "the same seed, the same bytes");
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 0, "nothing was run");
    std::fs::write(path.join("plan.json"), &plan).unwrap();
    assert_eq!(printed(path, "plan --plan plan.json"), plan, "it is read as it was printed");
    let one = printed(path, "plan steady-state --plan plan.json");
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one["scenarios"].as_array().unwrap().len(), 1);
    let output = windthrow(path, "plan viral-spkie");
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

/// A plan is for the target that the configuration names: what this has no route for is left out.
#[test]
fn a_plan_is_that_of_the_configured_target() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[target.embedded]\n[front_door]\nwithout = [\"clicks\"]\n[guarantee.click-lag]\n\
                  source = \"SLO\"\nbounds = { within_ms = 1234 }\n";
    std::fs::write(folder.path().join("windthrow.toml"), config).unwrap();
    let plan = printed(folder.path(), "plan steady-state --seed 7");
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["bounds"]["click-lag"]["within_ms"], 1234);
    assert!(!plan["scenarios"][0]["traffic"].to_string().contains("\"click\""), "{plan:#}");
}

#[test]
fn every_schema_and_explanation_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let json =
        |line: &str| -> Value { serde_json::from_str(&printed(folder.path(), line)).unwrap() };
    let openapi = json("schema contract");
    assert!(openapi["openapi"].as_str().unwrap().starts_with("3.1."), "{openapi}");
    assert!(openapi["paths"]["/v1/clicks"]["post"].is_object());
    assert!(openapi["paths"]["/api/clicks"]["post"].is_object());
    assert!(json("schema plan")["$defs"]["Matcher"].is_object());
    assert!(json("schema config")["properties"]["front_door"].is_object());
    assert!(json("schema")["properties"]["cells"].is_object());
    let contract = printed(folder.path(), "explain contract");
    assert!(contract.contains("POST /v1/clicks/batch") && contract.contains("POST /api/clicks"));
    assert!(printed(folder.path(), "explain plan").contains("Pick: "));
    assert!(printed(folder.path(), "explain declared").contains("click_slots = 24"));
    assert!(printed(folder.path(), "explain click_slots").contains("default:  24"));
    // Another profile's numbers are in its document.
    let text = mock_server::profile::LINKTREE_V1.replace("max_limit = 100", "max_limit = 42");
    std::fs::write(folder.path().join("mine.toml"), text).unwrap();
    let contract = printed(folder.path(), "explain contract --contract mine.toml");
    assert!(contract.contains("at most 42 links"), "{contract}");
    let output = windthrow(folder.path(), "schema contract --contract none.toml");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// Whoever reads what the service must offer reads it as the service spells it.
#[test]
fn the_contract_is_that_of_the_configured_service() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[target.spawn]\ncommand = [\"node\", \"server.js\"]\nready = \"/ready\"\n\
                  [front_door]\npage = \"/p/{handle}\"\nclicks = \"/hits\"\nclick_method = \"PUT\"\n\
                  version_meta = \"rev\"\nwithout = [\"webhooks\"]\n";
    std::fs::write(folder.path().join("windthrow.toml"), config).unwrap();
    let text = printed(folder.path(), "explain contract");
    let openapi = printed(folder.path(), "schema contract");
    for (word, of_openapi) in [
        ("As windthrow.toml spells it", "As windthrow.toml spells it"),
        ("GET /ready  (", "\"/ready\""),
        ("GET /p/{handle}  (", "\"/p/{handle}\""),
        ("PUT /hits  (", "\"/hits\""),
        ("<meta name=\"rev\"", "<meta name=\\\"rev\\\""),
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
        assert!(openapi.contains(of_openapi), "{of_openapi} is not in {openapi}");
    }
    assert!(!text.contains("/webhooks/linktree  ("), "{text}");
    let usual = ["POST /api/clicks  (", "GET /{handle}  ("];
    assert!(usual.iter().all(|line| !text.contains(line)), "{text}");
    let own = printed(folder.path(), "explain contract --no-config");
    assert!(usual.iter().all(|line| own.contains(line)), "{own}");
    // Named from elsewhere, and wrong.
    std::fs::create_dir(folder.path().join("below")).unwrap();
    let below = folder.path().join("below");
    assert!(printed(&below, "explain contract --config ../windthrow.toml").contains("PUT /hits"));
    std::fs::write(below.join("windthrow.toml"), "[front_dor]\n").unwrap();
    let output = windthrow(&below, "schema contract");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

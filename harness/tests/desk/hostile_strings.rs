//! Proves that no text of a stranger reaches a terminal as it is: every way in which a file, a name or an
//! argument is quoted in an error or a listing.

use mock_server::profile::ContractProfile;
use mock_server::world::hostile::naughty;
use reports::text::clean;
use scenarios::catalogue::{Settings, run_plan};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A title, a colour, a screen that is cleared, lines that hide, text that is reversed or not seen.
const HOSTILE: &str =
    "a\u{1b}]0;x\u{7}\u{1b}[2J\r\u{9b}31m\u{202e}b\u{200b}\u{2066}\u{e0041}\u{ad}z";

/// Asserts that this call fails, or finds nothing, and says so in text that any terminal can show.
fn check(folder: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windthrow"));
    let output = command.args(args).current_dir(folder).env("NO_COLOR", "1").output().unwrap();
    assert!(!output.status.success(), "{args:?} succeeded");
    for said in [output.stdout, output.stderr] {
        let said = String::from_utf8(said).unwrap();
        assert_eq!(clean(&said), said, "{args:?}");
    }
}

/// Writes the file and calls `windthrow run` with these arguments.
fn file(name: &str, text: &str, args: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    check(folder.path(), &[&["run", "calibration"], args].concat());
}

/// The plan of one scenario.
fn lawful_plan() -> serde_json::Value {
    let (settings, contract) = (Settings::default(), ContractProfile::linktree_v1());
    serde_json::to_value(run_plan(&settings, contract, &["calibration"])).unwrap()
}

#[test]
fn what_arguments_hold_is_shown_clean() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &["explain", HOSTILE][..],
        &[HOSTILE, "--no-config"],
        &["run", "--no-config", "--tag", HOSTILE],
        &["run", "--no-config", "--guarantee", HOSTILE],
        &["run", "--no-config", "--mutant", HOSTILE],
        &["run", "--no-config", "--reporter", HOSTILE],
        &["run", "--no-config", "--seed", HOSTILE],
        &["run", "--config", HOSTILE],
        &["run", "--no-config", "--plan", HOSTILE],
        &["run", "--no-config", "--contract", HOSTILE],
        &["recheck", HOSTILE],
        &["prove", HOSTILE],
        &["mock", "serve", "--plan", HOSTILE],
        &["preflight", "--base-url", HOSTILE, "--key", "env:HOME"],
        &["preflight", "--base-url", "http://127.0.0.1:9", "--key", HOSTILE],
        &[
            "preflight",
            "--base-url",
            "http://127.0.0.1:9",
            "--key",
            "env:HOME",
            "--handle",
            HOSTILE,
        ],
    ] {
        check(folder.path(), args);
    }
}

#[test]
fn what_a_configuration_holds_is_shown_clean() {
    let raw = HOSTILE.replace('\r', ""); // TOML has no such character alone
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    for text in [
        format!("# {raw}\n[target"),
        format!("{quoted} = 1\n"),
        format!("[target.embedded]\nmutant = {quoted}\n"),
        format!("[target.spawn]\ncommand = [\"x\"]\ncwd = {quoted}\n"),
        format!("[target.spawn]\ncommand = [\"{{{HOSTILE}}}\"]\n")
            .replace(HOSTILE, "\\u001b[2J\\u202e"),
        format!("[target.spawn]\ncommand = [\"x\"]\nready = {quoted}\n"),
        format!("[target.url]\nbase = {quoted}\nmock_port = 1\n"),
        format!("[observe]\nsource = [{quoted}]\n"),
        format!("[observe.metrics]\ntimeouts = {quoted}\n"),
        format!("[guarantee.{quoted}]\nseverity = \"must\"\n"),
        format!("[guarantee.click-lag]\nseverity = {quoted}\n"),
        format!("[target.embedded]\n[secrets]\nsession = \"env:{HOSTILE}\"\n")
            .replace(HOSTILE, "\\u001b[2J\\u202e"),
    ] {
        file("windthrow.toml", &text, &[]);
    }
}

#[test]
fn what_a_plan_or_a_contract_holds_is_shown_clean() {
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let plan = ["--no-config", "--plan", "p.json"];
    for text in [
        HOSTILE.to_owned(),
        format!("{{{quoted}: 1}}"),
        format!("{{\"format\": 5, \"x{HOSTILE}\": 1}}"),
        format!("{{\"format\": 5, \"seed\": {quoted}}}"),
    ] {
        file("p.json", &text, &plan);
    }
    let mut lawful = lawful_plan();
    for pointer in ["/scenarios/0/id", "/scenarios/0/faults/0/id", "/scenarios/0/traffic/0/id"] {
        *lawful.pointer_mut(pointer).unwrap() = HOSTILE.into();
    }
    for pointer in ["/scenarios/0/population/groups/0/prefix", "/scenarios/0/guarantees/0"] {
        *lawful.pointer_mut(pointer).unwrap() = HOSTILE.into();
    }
    lawful["scenarios"][0]["phases"][0]["name"] = HOSTILE.into();
    lawful["scenarios"][0]["phases"][0]["from_ms"] = 5.into();
    file("p.json", &lawful.to_string(), &plan);
    let profile = mock_server::profile::LINKTREE_V1;
    let contract = ["--no-config", "--contract", "c.toml"];
    for text in [
        format!("{profile}\n{quoted} = 1\n"),
        profile.replace("\"x-ratelimit-limit\"", &quoted),
        profile.replace("\"lt_live_\"", &quoted),
        profile.replace("\"standard-webhooks\"", &quoted),
        format!("{profile}\n[promises.{quoted}]\nwithin_ms = 1\n"),
    ] {
        file("c.toml", &text, &contract);
    }
}

/// The Big List of Naughty Strings, which creators write into pages, too.
fn naughty() -> BTreeSet<String> {
    let all: BTreeSet<String> = naughty::strings().iter().cloned().collect();
    assert!(all.len() > 450, "{}", all.len());
    all
}

#[test]
fn what_is_on_the_list_of_naughty_strings_is_shown_clean_as_an_argument() {
    let (folder, all) = (tempfile::tempdir().unwrap(), naughty());
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    std::thread::scope(|threads| {
        for part in all.chunks(all.len().div_ceil(4)) {
            let folder = folder.path();
            threads.spawn(move || {
                part.iter().for_each(|text| check(folder, &["explain", "--", text]))
            });
        }
    });
}

#[test]
fn what_is_on_the_list_of_naughty_strings_is_shown_clean_where_a_file_holds_it() {
    let all = naughty();
    let named = |text: &String| {
        let name = toml::Value::from(text.as_str());
        format!("[guarantee.{name}]\nseverity = \"must\"\n")
    };
    let tables: String = all.iter().map(named).collect();
    file("windthrow.toml", &format!("[target.embedded]\n{tables}"), &[]);
    let mut plan = lawful_plan();
    plan["scenarios"][0]["guarantees"] = serde_json::to_value(&all).unwrap();
    file("p.json", &plan.to_string(), &["--no-config", "--plan", "p.json"]);
}

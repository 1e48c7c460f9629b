//! What each kind of bad `windthrow.toml` prints, as a person sees it; the table is the snapshot.

use std::fmt::Write;
use std::process::Command;

/// Name of the case, and the file.
const CASES: &[(&str, &str)] = &[
    ("no TOML", "[target.spawn\ncommand = [\"node\"]\n"),
    ("a misspelt table", "[target.spwan]\ncommand = [\"node\"]\n"),
    ("a misspelt key", "[target.spawn]\ncommand = [\"node\"]\nredy = \"/up\"\n"),
    ("a missing key", "[target.spawn]\ncwd = \".\"\n"),
    ("a wrong type", "[target.spawn]\ncommand = \"node server.js\"\n"),
    ("two targets", "[target.spawn]\ncommand = [\"node\"]\n[target.embedded]\n"),
    ("an empty command", "[target.spawn]\ncommand = []\n"),
    ("a folder that is not there", "[target.spawn]\ncommand = [\"node\"]\ncwd = \"srv\"\n"),
    (
        "an unknown template",
        "[target.spawn]\ncommand = [\"node\"]\nenv = { URL = \"{mock.uri}\" }\n",
    ),
    ("somebody's production", "[target.url]\nbase = \"https://linktr.ee\"\nmock_port = 4010\n"),
    ("another host", "[target.url]\nbase = \"http://10.1.2.3:80\"\nmock_port = 4010\n"),
    ("an unknown mutant", "[target.embedded]\nmutant = \"no-limitr\"\n"),
    ("a page without its creator", "[front_door]\npage = \"/profile\"\n"),
    ("an unknown guarantee", "[guarantee.click-lagg]\nseverity = \"should\"\n"),
    ("an unknown severity", "[guarantee.click-lag]\nseverity = \"shall\"\n"),
    ("a bound without a source", "[guarantee.click-lag]\nbounds = { within_ms = 500 }\n"),
    ("a bound of nothing", "[guarantee.click-lag]\nsource = \"SLO\"\nbounds = { within_ms = 0 }\n"),
    ("a number out of range", "[declared]\nbreaker_failures = -5\n"),
    ("a literal secret", "[secrets]\nsession = \"do-not-print-me\"\n"),
    ("a secret that is not set", "[secrets]\nsession = \"env:WINDTHROW_NO_SUCH_SECRET\"\n"),
    (
        "several at once",
        "[target.spawn]\ncomand = [\"node\"]\nready = 7\n[front_dor]\n[guarantee.x]\nseverity = 1\n",
    ),
];

#[test]
fn every_mistake_is_placed_and_says_what_to_do() {
    let mut table = String::new();
    for (name, text) in CASES {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("windthrow.toml"), text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
            .args(["run", "steady-state", "--seed", "7"])
            .current_dir(folder.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(!said.contains("do-not-print-me"), "{said}");
        assert!(said.contains("help:"), "{name} does not say what to do: {said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{name} left files");
        let _ = writeln!(table, "## {name}\n\n{text}\n{}\n", said.trim_end());
    }
    insta::assert_snapshot!("bad_configurations", table);
}

#[test]
fn a_configuration_that_is_not_there_is_said() {
    let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(["run", "--config", "no-such.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such.toml"));
}

#[test]
fn init_writes_what_is_missing_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let init = || {
        let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
            .arg("init")
            .current_dir(folder.path())
            .output()
            .unwrap();
        output.status.code()
    };
    let file = folder.path().join("windthrow.toml");
    std::fs::write(&file, "# mine\n").unwrap();
    assert_eq!(init(), Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# mine\n");
    assert!(folder.path().join(".github/workflows/windthrow.yml").is_file());
    assert_eq!(init(), Some(2));
}

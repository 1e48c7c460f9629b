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
    ("an empty file", ""),
    ("a file without a target", "# mine\n[guarantee.click-lag]\nseverity = \"should\"\n"),
    ("an empty target", "[target]\n"),
    ("two targets", "[target.spawn]\ncommand = [\"node\"]\n[target.embedded]\n"),
    ("an empty command", "[target.spawn]\ncommand = []\n"),
    ("a folder that is not there", "[target.spawn]\ncommand = [\"node\"]\ncwd = \"srv\"\n"),
    (
        "an unknown template",
        "[target.spawn]\ncommand = [\"node\"]\nenv = { URL = \"{mock.uri}\" }\n",
    ),
    (
        "a template of a secrets manager that does not listen",
        "[target.spawn]\ncommand = [\"node\"]\nenv = { URL = \"{aws.url}\" }\n",
    ),
    (
        "a template of the vault beside another secrets manager",
        "[target.spawn]\ncommand = [\"node\"]\nenv = { URL = \"{vault.url}\" }\n[secrets]\n\
         backend = \"gcp\"\n",
    ),
    (
        "an unknown secrets manager",
        "[target.spawn]\ncommand = [\"node\"]\n[secrets]\nbackend = \"azure\"\n",
    ),
    (
        "the reference with another secrets manager",
        "[target.embedded]\n[secrets]\nbackend = \"aws\"\n",
    ),
    ("somebody's production", "[target.url]\nbase = \"https://linktr.ee\"\nmock_port = 4010\n"),
    ("another host", "[target.url]\nbase = \"http://10.1.2.3:80\"\nmock_port = 4010\n"),
    ("an unknown mutant", "[target.embedded]\nmutant = \"no-limitr\"\n"),
    ("a page without its creator", "[front_door]\npage = \"/profile\"\n[target.embedded]\n"),
    ("a method that sends no click", "[front_door]\nclick_method = \"GET\"\n[target.embedded]\n"),
    ("metrics that are no path", "[front_door]\nmetrics = \"metrics\"\n[target.embedded]\n"),
    (
        "metrics of somebody else",
        "[observe]\nmetrics_url = \"http://10.1.2.3:9100/metrics\"\n[target.embedded]\n",
    ),
    (
        "metrics without a scheme",
        "[observe]\nmetrics_url = \"localhost:9100/metrics\"\n[target.embedded]\n",
    ),
    (
        "a port that nobody is given",
        "[target.url]\nbase = \"http://127.0.0.1:80\"\nmock_port = 4010\n[observe]\n\
         metrics_url = \"http://127.0.0.1:{metrics_port}/metrics\"\n",
    ),
    ("a mock for everybody", "[mock]\nhost = \"0.0.0.0\"\n[target.embedded]\n"),
    ("a mock that has a name for its address", "[mock]\nhost = \"localhost\"\n[target.embedded]\n"),
    (
        "peers that are no network",
        "[mock]\nhost = \"0.0.0.0\"\npeers = [\"docker0\"]\n[target.embedded]\n",
    ),
    ("a name with a port", "[mock]\nname = \"host.docker.internal:4010\"\n[target.embedded]\n"),
    ("a command on another host", "[target.spawn]\ncommand = [\"node\"]\nhost = \"10.1.2.3\"\n"),
    ("a misspelt metric", "[observe.metrics]\ncache_hit = \"hits\"\n[target.embedded]\n"),
    (
        "a query instead of a series",
        "[observe.metrics]\ntimeouts = \"sum(rate(timeouts[1m]))\"\n[target.embedded]\n",
    ),
    ("a misspelt channel", "[observe.metrics]\nchannel = \"statsd\"\n[target.embedded]\n"),
    (
        "metrics that come nobody knows how late",
        "[target.spawn]\ncommand = [\"node\", \"{dogstatsd.port}\"]\n[observe.metrics]\n\
         channel = \"dogstatsd\"\n",
    ),
    (
        "a channel that nobody is told",
        "[target.spawn]\ncommand = [\"node\"]\nenv = { OTEL = \"{otlp.url}\" }\n[observe.metrics]\n\
         channel = \"cloudwatch\"\npush_within_ms = 3000\n",
    ),
    (
        "a channel of what runs already without a port",
        "[target.url]\nbase = \"http://127.0.0.1:80\"\nmock_port = 4010\n[observe]\n\
         metrics_url = \"http://127.0.0.1:81/\"\n[observe.metrics]\nchannel = \"otlp\"\n\
         push_within_ms = 3000\n",
    ),
    (
        "a reference that pushes",
        "[target.embedded]\n[observe.metrics]\nchannel = \"otlp\"\npush_within_ms = 3000\n",
    ),
    (
        "a push where metrics are scraped",
        "[target.spawn]\ncommand = [\"node\", \"{otlp.url}\"]\n[observe.metrics]\npush_within_ms = 3000\n\
         timeouts = \"upstream.timeouts\"\n",
    ),
    (
        "alerts that nobody can read",
        "[observe.alert_webhook]\nname = \"\"\nfiring = []\n[target.embedded]\n",
    ),
    ("a log file of nowhere", "[observe]\nlogs = [\"{log_dir}/app.log\"]\n[target.embedded]\n"),
    (
        "a source tree that is not there",
        "[observe]\nsource = [\"src\", \"lib\"]\n[target.embedded]\n",
    ),
    ("an unknown guarantee", "[guarantee.click-lagg]\nseverity = \"should\"\n[target.embedded]\n"),
    ("an unknown severity", "[guarantee.click-lag]\nseverity = \"shall\"\n[target.embedded]\n"),
    (
        "an unknown bound",
        "[guarantee.click-lag]\nsource = \"SLO\"\nbounds = { within = 500 }\n[target.embedded]\n",
    ),
    (
        "a bound of a guarantee without any",
        "[guarantee.json-headers]\nsource = \"SLO\"\nbounds = { requests = 9 }\n[target.embedded]\n",
    ),
    (
        "a share of more than all",
        "[guarantee.cache-hit-ratio]\nsource = \"SLO\"\nbounds = { percent = 101 }\n[target.embedded]\n",
    ),
    (
        "a bound without a source",
        "[guarantee.click-lag]\nbounds = { within_ms = 500 }\n[target.embedded]\n",
    ),
    (
        "a bound of nothing",
        "[guarantee.click-lag]\nsource = \"SLO\"\nbounds = { within_ms = 0 }\n[target.embedded]\n",
    ),
    ("a number out of range", "[declared]\nbreaker_failures = -5\n[target.embedded]\n"),
    ("a literal secret", "[secrets]\nsession = \"do-not-print-me\"\n[target.embedded]\n"),
    (
        "a secret that is not set",
        "[target.embedded]\n[secrets]\nsession = \"env:WINDTHROW_NO_SUCH_SECRET\"\n",
    ),
    (
        "several at once",
        "[target.spawn]\ncomand = [\"node\"]\nready = 7\n[front_dor]\n[guarantee.x]\nseverity = 1\n",
    ),
];

/// What is appended to the built-in contract profile.
const PROFILES: &[(&str, &str)] = &[
    ("an unknown guarantee", "[promises.click-lug]\nwithin_ms = 30000\n"),
    ("an unknown bound", "[promises.click-lag]\nwithin = 30000\n"),
    ("a bound of the contract itself", "[promises.hard-limit]\nrequests = 120\n"),
    ("a bound that is no number", "[promises.click-lag]\nwithin_ms = \"30s\"\n"),
    (
        "several at once",
        "[promises.click-lag]\nwithin_ms = 0\n[promises.cache-hit-ratio]\npercent = 101\n\
         [promises.cash-hit-ratio]\npercent = 95\n",
    ),
];

#[test]
fn every_mistake_is_placed_and_says_what_to_do() {
    let table = shown(CASES, "windthrow.toml", "", &[]);
    insta::assert_snapshot!("bad_configurations", table);
}

#[test]
fn every_wrong_promise_of_a_contract_profile_is_placed_and_says_what_to_do() {
    let table = shown(
        PROFILES,
        "mine.toml",
        mock_server::profile::LINKTREE_V1,
        &["--contract", "mine.toml"],
    );
    insta::assert_snapshot!("bad_profiles", table);
}

/// What a run says of each of these files, which follow `before`.
fn shown(cases: &[(&str, &str)], file: &str, before: &str, args: &[&str]) -> String {
    let mut table = String::new();
    for (name, text) in cases {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(file), format!("{before}{text}")).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
            .args(["run", "steady-state", "--seed", "7"])
            .args(args)
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
    table
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

/// A target that does not come up: exit code 5, and which key to look at.
#[test]
fn a_target_that_does_not_come_up_is_shown_with_the_key_to_change() {
    for (target, expected) in [
        ("command = [\"no-such-program\"]", "target.spawn.command"),
        ("command = [\"sh\", \"-c\", \"echo no database >&2; exit 3\"]", "no database"),
        ("command = [\"sh\", \"-c\", \"exit 3\"]", "target.spawn.env"),
        ("command = [\"sleep\", \"60\"]\nready_within_ms = 100", "target.spawn.ready"),
        ("command = [\"sleep\", \"60\"]\nready_within_ms = 100", "Connection refused"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = format!("[target.spawn]\n{target}\n");
        std::fs::write(folder.path().join("windthrow.toml"), config).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
            .args(["run", "steady-state", "--seed", "7"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(5), "{target}: {said}");
        assert!(said.contains(expected), "{target}: {said}");
    }
}

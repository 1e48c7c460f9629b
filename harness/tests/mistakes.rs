//! What typical mistakes at the desk print, as a person sees it; the table is the snapshot. Those of
//! `windthrow.toml` and of contract profiles have a table of their own (`bad_configurations`).

use scenarios::catalogue::{Settings, run_plan};
use scenarios::plan::{Phase, PhaseKind, RunPlan};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// Name, command line, exit code.
const COMMAND_LINES: &[(&str, &str, i32)] = &[
    ("a misspelt scenario", "viral-spkie", 4),
    ("a misspelt command", "explian click-lag", 4),
    ("a misspelt command with a flag of its own", "lst --faults", 2),
    ("a command that other tools have", "start", 4),
    ("a misspelt flag", "list --gaurantees", 2),
    ("an unknown tag", "run --tag braeker", 2),
    ("an unknown guarantee", "run --guarantee client-rate-cup", 2),
    ("an unknown mutant", "run --mutant breaker-opens-at-sex", 2),
    ("an unknown reporter", "run --reporter htlm", 2),
    ("tags that no scenario has together", "run calibration --tag load --tag crash", 4),
    ("a seed that is no number", "run --seed ten", 2),
    ("a seed below nothing", "run --seed -1", 2),
    ("a time scale of nothing", "run --time-scale 0", 2),
    ("an unknown profile", "run --profile night", 2),
    ("no jobs", "run --jobs 0", 2),
    ("a verdict that is none", "run --fail-on always", 2),
    ("a configuration that is not there", "run --config mine.toml", 2),
    ("a configuration and none", "run --config a.toml --no-config", 2),
    ("a contract that is not there", "run --contract mine.toml", 2),
    ("a plan that is not there", "run --plan plan.json", 2),
    ("a plan and a seed", "run --plan plan.json --seed 7", 2),
    ("nothing to explain", "explain", 2),
    ("a misspelt id", "explain client-rate", 4),
    ("a schema that is none", "schema openapi", 2),
    ("no run yet", "report", 4),
    ("a run that is not there", "recheck 20260101", 4),
    ("a report in no format", "report --format pdf", 2),
    ("mutants that match nothing", "prove nothing-like-that", 4),
    ("a mock without its plan", "mock serve --plan no.toml", 2),
    ("a port that is none", "mock serve --port 99999", 2),
    ("a control API for everybody", "mock serve --control-host 0.0.0.0", 2),
    ("a folder that is no folder", "init /dev/null", 5),
    ("an address that ends in /v1", "preflight --base-url http://127.0.0.1:9/v1 --key env:HOME", 2),
    ("an address without a scheme", "preflight --base-url linktr.ee --key env:HOME", 2),
    ("an address of another kind", "preflight --base-url ftp://linktr.ee --key env:HOME", 2),
    (
        "an address with a password",
        "preflight --base-url https://me:do-not-print-me@h --key env:HOME",
        2,
    ),
    ("a key itself", "preflight --base-url http://127.0.0.1:9 --key do-not-print-me", 2),
    (
        "a key that is not set",
        "preflight --base-url http://127.0.0.1:9 --key env:WINDTHROW_NO_SUCH",
        2,
    ),
    (
        "a handle that is none",
        "preflight --base-url http://127.0.0.1:9 --key env:HOME --handle @Ann",
        2,
    ),
    ("nobody there", "preflight --base-url http://127.0.0.1:9 --key env:HOME", 1),
];

/// Name, where the plan is wrong (a JSON pointer), what stands there.
const PLANS: &[(&str, &str, &str)] = &[
    ("a plan of another version", "/format", "1"),
    ("a seed without quotes", "/seed", "7"),
    ("an unknown phase", "/scenarios/0/phases/0/kind", r#""calm""#),
    ("a phase that ends before it begins", "/scenarios/0/phases/0/until_ms", "0"),
    ("a scenario with a blank in its name", "/scenarios/0/id", r#""my storm""#),
    ("a promise that is none", "/scenarios/0/guarantees", r#"["click-lagg"]"#),
    ("a time scale of nothing", "/scenarios/0/time_scale", "0"),
    ("an outage in which nothing fails", "/scenarios/0/phases/0/kind", r#""outage""#),
    ("an unknown fault", "/scenarios/0/faults", r#"[{"id":"r","fault":{"kind":"stats"}}]"#),
    (
        "a misspelt setting of a fault",
        "/scenarios/0/faults",
        r#"[{"id":"r","fault":{"kind":"status","code":[503]}}]"#,
    ),
    (
        "an unknown route",
        "/scenarios/0/faults",
        r#"[{"id":"r","matcher":{"routes":["profiles"]},"fault":{"kind":"lose-answer"}}]"#,
    ),
    (
        "two rules of one name",
        "/scenarios/0/faults",
        r#"[{"id":"r","window":{"from_ms":0,"until_ms":400},"fault":{"kind":"lose-answer"}},{"id":"r","window":{"from_ms":0,"until_ms":400},"fault":{"kind":"lose-answer"}}]"#,
    ),
];

/// Name, configuration, exit code. In it {PORT} is a port that is taken.
const TARGETS: &[(&str, &str, i32)] = &[
    ("no such program", "[target.spawn]\ncommand = [\"no-such-program\"]\n", 5),
    (
        "a target that ends at once",
        "[target.spawn]\ncommand = [\"sh\", \"-c\", \"echo no database >&2; exit 3\"]\n",
        5,
    ),
    ("a target that ends without a word", "[target.spawn]\ncommand = [\"true\"]\n", 5),
    (
        "a target that does not listen",
        "[target.spawn]\ncommand = [\"sleep\", \"60\"]\nready_within_ms = 100\n",
        5,
    ),
    (
        "a port of the mock that is taken",
        "[target.url]\nbase = \"http://127.0.0.1:9\"\nmock_port = {PORT}\n",
        5,
    ),
    ("a wrong path of pages", "[target.embedded]\n[front_door]\npage = \"/p/{handle}\"\n", 3),
    ("a wrong path of clicks", "[target.embedded]\n[front_door]\nclicks = \"/api/click\"\n", 3),
    (
        "a click that is spelt otherwise",
        "[target.embedded]\n[front_door.click_fields]\nevent_id = \"id\"\n",
        3,
    ),
    ("no metrics", "[target.embedded]\n[front_door]\nmetrics = \"/metricz\"\n", 3),
    (
        "a series that is called otherwise",
        "[target.embedded]\n[observe.metrics]\nlatency = \"http_seconds\"\n",
        3,
    ),
];

/// The shortest plan: a moment in which nobody comes.
fn moment() -> RunPlan {
    let contract = mock_server::profile::ContractProfile::linktree_v1();
    let settings = Settings { root_seed: 7, ..Settings::default() };
    let mut run = run_plan(&settings, contract, &["steady-state"]);
    let plan = &mut run.scenarios[0];
    let (name, kind) = ("a moment".to_owned(), PhaseKind::Control);
    plan.phases = vec![Phase { name, kind, from_ms: 0, until_ms: 400 }];
    plan.traffic.clear();
    plan.faults.clear();
    plan.world.clear();
    plan.guarantees.clear();
    plan.watches.clear();
    run
}

/// Both outputs and the exit code.
fn called(folder: &Path, line: &str) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(line.split(' '))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("WINDTHROW_SEED")
        .env_remove("WINDTHROW_CONFIG")
        .output()
        .expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// What stands after `mark`, as far as `is` goes, replaced by …: it differs from run to run.
fn masked(text: &str, mark: &str, is: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(mark);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&is);
        let cut = if rest.len() < part.len() { "…" } else { "" };
        let _ = write!(masked, "{mark}{cut}{rest}");
    }
    masked
}

/// Lists of all that there is grow with the catalogue and are tested elsewhere.
fn stable(text: &str) -> String {
    let mut text = text.to_owned();
    for list in ["here are: ", "tags are: ", "[possible values: "] {
        let upto = |c: char| c.is_alphanumeric() || "-, \n".contains(c);
        text = masked(&text, list, upto);
    }
    for port in ["127.0.0.1:", "0.0.0.0:"] {
        text = masked(&text, port, |c| c.is_ascii_digit());
    }
    text = masked(&text, "windthrow-", |c| c.is_ascii_hexdigit());
    masked(&text, "of the ", |c| c.is_ascii_digit()).trim_end().to_owned()
}

fn row(table: &mut String, name: &str, what: &str, code: i32, said: &str) {
    assert!(!said.contains("do-not-print-me"), "{name}: {said}");
    assert!(!said.trim().is_empty(), "{name} says nothing");
    let _ =
        writeln!(table, "## {name}\n\n{}\n\nexit code {code}\n{}\n", what.trim_end(), stable(said));
}

#[test]
fn the_command_line_says_what_is_wrong_and_what_to_do() {
    let mut table = String::new();
    for (name, line, code) in COMMAND_LINES {
        let folder = tempfile::tempdir().unwrap();
        let (shown, said, found) = called(folder.path(), line);
        let all = format!("{said}{shown}");
        assert_eq!(found, Some(*code), "{name}: {all}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{name} left files");
        row(&mut table, name, &format!("$ windthrow {line}"), *code, &all);
    }
    assert_eq!(table.matches("\n## ").count() + 1, COMMAND_LINES.len());
    insta::assert_snapshot!("mistakes_of_the_command_line", table);
}

#[test]
fn a_plan_says_what_is_wrong_and_what_to_do() {
    let mut table = String::new();
    for (name, pointer, value) in PLANS {
        let folder = tempfile::tempdir().unwrap();
        let mut plan = serde_json::to_value(moment()).unwrap();
        let value: Value = serde_json::from_str(value).unwrap();
        *plan.pointer_mut(pointer).unwrap() = value.clone();
        let text = serde_json::to_string_pretty(&plan).unwrap();
        std::fs::write(folder.path().join("plan.json"), text).unwrap();
        let (shown, said, found) = called(folder.path(), "run --no-config --plan plan.json");
        assert_eq!(found, Some(2), "{name}: {said}{shown}");
        row(&mut table, name, &format!("{pointer} = {value}"), 2, &said);
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.json"), "{\n  \"format\": 5,\n").unwrap();
    let (_, said, found) = called(folder.path(), "run --plan plan.json");
    assert_eq!(found, Some(2), "{said}");
    row(&mut table, "half a plan", "{ \"format\": 5,", 2, &said);
    insta::assert_snapshot!("mistakes_in_plans", table);
}

/// Lines that begin so, and what goes on below them.
fn paragraphs<'t>(text: &'t str, begin: &'t [&str]) -> impl Iterator<Item = &'t str> {
    let mut is_one = false;
    text.lines().filter(move |line| {
        let begins = begin.iter().any(|one| line.starts_with(one));
        is_one = begins || is_one && line.starts_with("  ");
        is_one
    })
}

/// Each is told before any storm: in the lines with `!`, and what goes on below them, or in those above the
/// run's name, which nobody may overlook.
#[test]
fn a_target_that_cannot_be_tested_is_told_with_the_key_to_change() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut table = String::new();
    for (name, config, code) in TARGETS {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("windthrow.toml", &config.replace("{PORT}", &port));
        write("plan.json", &serde_json::to_string(&json!(moment())).unwrap());
        let (shown, said, found) = called(folder.path(), "run --plan plan.json");
        assert_eq!(found, Some(*code), "{name}: {said}{shown}");
        let (above, below) = shown.split_at(shown.find("\nrun ").unwrap_or(shown.len()));
        let lines = paragraphs(&said, &["! "])
            .chain(paragraphs(above, &["! ", "? "]))
            .chain(paragraphs(below, &["! "]));
        let lines: Vec<&str> = lines.collect();
        // That a plan of no promises decides none is not what this is about.
        row(&mut table, name, config, *code, &lines.join("\n"));
    }
    insta::assert_snapshot!("mistakes_of_targets", table);
}

/// A server that is up and is not Linktree.
#[test]
fn a_preflight_of_some_other_server_says_so() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut asking in listener.incoming().flatten() {
            let _ = asking.read(&mut [0; 4_096]);
            let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = asking.write_all(answer.as_bytes());
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let line = format!("preflight --base-url {url} --key env:HOME");
    let (shown, said, code) = called(folder.path(), &line);
    assert_eq!(code, Some(1), "{said}");
    assert!(shown.contains("is --base-url Linktree's, and without /v1?"), "{shown}");
}

//! What good files come to, and what every kind of bad file is told.

use super::*;
use crate::failure::Exit;
use mock_server::profile::ContractProfile;
use scenarios::catalogue;
use scenarios::front_door::FrontDoor;

const SPAWN: &str = "[target.spawn]\ncommand = [\"node\", \"server.js\"]\n";

fn good(text: &str) -> File {
    parse(text, Path::new(".")).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"))
}

/// Asserts that the text has exactly these mistakes: (what, underlined text, help).
fn check(text: &str, expected: &[(&str, &str, &str)]) {
    let mistakes = parse(text, Path::new(".")).expect_err(text);
    let error = crate::failure::MistakesInFile::new("windthrow.toml", text, mistakes);
    let found: Vec<_> =
        error.mistakes.iter().map(|m| (m.what.as_str(), m.shown(text), m.help.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn an_empty_file_is_the_reference_with_the_contracts_defaults() {
    let file = good("");
    assert_eq!(file, File::default());
    assert_eq!(file.front_door.clicks, "/api/clicks");
}

#[test]
fn a_command_has_defaults_for_all_but_itself() {
    let spawn = good(SPAWN).target.spawn.unwrap();
    assert_eq!((spawn.cwd.as_str(), spawn.ready.as_str()), (".", "/healthz"));
    assert_eq!(spawn.ready_within_ms, 20_000);
}

#[test]
fn all_mistakes_are_found_at_once_and_in_order() {
    let text =
        "[target.spawn]\ncomand = [\"x\"]\nready = 7\n[front_dor]\n[declared]\nclick_slots = -1\n";
    check(
        text,
        &[
            ("unknown key target.spawn.comand", "comand", "did you mean command?"),
            ("target.spawn has no command", "comand", "add command = …"),
            ("target.spawn.ready is integer, not string", "7", "change its type"),
            ("unknown key front_dor", "front_dor", "did you mean front_door?"),
            ("declared.click_slots is out of range", "-1", "choose 0 to 4294967295"),
        ],
    );
}

#[test]
fn broken_toml_is_placed() {
    let mistakes = parse("[target\nx = 1\n", Path::new(".")).unwrap_err();
    assert!(!mistakes.is_empty());
}

#[test]
fn a_target_is_one_and_may_be_loaded() {
    let two = format!("{SPAWN}[target.embedded]\n");
    let keep = "keep one of [target.spawn], [target.url] and [target.embedded]";
    check(&two, &[("there is more than one target", "target", keep)]);
    let url =
        |base: &str, more: &str| format!("[target.url]\nbase = {base:?}\nmock_port = 4010\n{more}");
    check(
        &url("http://shop.example.org", ""),
        &[(
            "shop.example.org is not this machine",
            "\"http://shop.example.org\"",
            "if this host is yours and may be loaded and faulted, say allow_hosts = [\"shop.example.org\"]",
        )],
    );
    good(&url("http://shop.example.org", "allow_hosts = [\"shop.example.org\"]\n"));
    good(&url("http://[::1]:80", ""));
    good(&url("http://localhost:80", ""));
    let nothing = "[target.spawn]\ncommand = []\ncwd = \"nowhere\"\n";
    check(
        nothing,
        &[
            (
                "target.spawn.command is empty",
                "[]",
                "name the program, as in [\"node\", \"server.js\"]",
            ),
            ("there is no folder nowhere", "\"nowhere\"", "paths are relative to this file"),
        ],
    );
}

#[test]
fn names_are_suggested() {
    let env = format!("{SPAWN}env = {{ URL = \"{{mock.uri}}\" }}\n");
    check(&env, &[("there is no template mock.uri", "\"{mock.uri}\"", "did you mean mock.url?")]);
    check(
        "[target.embedded]\nmutant = \"breaker-opens-at-sixx\"\n",
        &[(
            "there is no mutant breaker-opens-at-sixx",
            "\"breaker-opens-at-sixx\"",
            "did you mean breaker-opens-at-six?",
        )],
    );
    check(
        "[guarantee.client-rate-kap]\n",
        &[(
            "there is no guarantee client-rate-kap",
            "client-rate-kap",
            "did you mean client-rate-cap?",
        )],
    );
    check(
        "[guarantee.click-lag]\nsource = \"SLO 4\"\nbounds = { within = 5 }\n",
        &[("there is no bound within", "5", "did you mean within_ms?")],
    );
    check(
        "[guarantee.click-lag]\nseverity = \"shall\"\n",
        &[(
            "guarantee.click-lag.severity has no such value",
            "\"shall\"",
            "choose one of must, should, info",
        )],
    );
}

#[test]
fn a_bound_needs_a_source() {
    check(
        "[guarantee.click-lag]\nbounds = { within_ms = 30000 }\n",
        &[(
            "the bounds of click-lag have no source",
            "click-lag",
            "say in `source` where the number comes from, such as a contract or SLO",
        )],
    );
}

#[test]
fn a_literal_secret_is_refused_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windthrow.toml");
    std::fs::write(&path, "[secrets]\nsession = \"hunter2-very-secret\"\n").unwrap();
    let failure = Config::find(Some(&path)).unwrap_err();
    assert_eq!(failure.exit(), Exit::Usage);
    let shown = format!("{:?}", miette::Report::new(failure));
    assert!(shown.contains("not a reference"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    good("[secrets]\nsession = \"env:SESSION_SECRET\"\n");
}

/// The file that `init` writes is right, and what it shows as defaults are the defaults.
#[test]
fn the_written_file_is_right_and_shows_the_defaults() {
    let text = include_str!("../commands/init/windthrow.toml");
    let spawn = good(text).target.spawn.unwrap();
    assert_eq!(spawn.env["LINKTREE_URL"], "{mock.url}");
    let shown = |line: &str| {
        let line = line.strip_prefix("# ")?;
        let key = line.split_once(" = ")?.0;
        key.chars().all(|c| c.is_ascii_lowercase() || c == '_').then(|| format!("{line}\n"))
    };
    // From [front_door] on, sections are read with all their commented lines as well.
    let from = text.find("[front_door]").unwrap();
    let until = text.find("# --- Guarantees").unwrap();
    let uncommented: String = text[from..until]
        .lines()
        .map(|line| shown(line).unwrap_or_else(|| format!("{line}\n")))
        .collect();
    let file = good(&uncommented);
    assert_eq!(file.front_door, FrontDoor::default());
    assert_eq!(file.observe, model::Observe::default());
    let mut run = catalogue::run_plan(
        &catalogue::Settings::default(),
        ContractProfile::linktree_v1(),
        scenarios::plan::Declared::default(),
        &["steady-state"],
    );
    let before = run.declared.clone();
    Config { file, folder: ".".into(), path: None }.apply(&mut run);
    assert_eq!(run.declared, before);
    let all: String = text.lines().map(|line| shown(line).unwrap_or_default()).collect();
    assert!(all.contains("ready_within_ms = 20000"), "{all}");
}

/// What the README shows of the file is right.
#[test]
fn the_examples_in_the_readme_are_right() {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let examples: Vec<&str> = blocks.filter(|block| !block.contains("[[rules]]")).collect();
    assert!(examples.len() >= 2, "{examples:?}");
    for example in examples {
        // `src`, which one of them names, is this crate's.
        good(example);
    }
}

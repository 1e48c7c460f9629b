//! What good files come to, and what is said of every kind of bad one.

use super::*;
use crate::config::target::TargetSpec;
use crate::failure::Exit;
use mock_server::profile::ContractProfile;
use scenarios::catalogue;
use scenarios::front_door::FrontDoor;
use scenarios::guarantees::{self, Bound};
use scenarios::plan::{Declared, RetryAfterScope};

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
            ("target.spawn.ready is a whole number, not a text", "7", "put it in quotes"),
            ("unknown key front_dor", "front_dor", "did you mean front_door?"),
            ("declared.click_slots is -1, which is out of range", "-1", "choose 0 to 1000000"),
        ],
    );
}

/// Nobody mends a name, runs again and is told of the next mistake; and nothing is told twice.
#[test]
fn a_wrong_name_or_type_hides_no_wrong_meaning_and_has_none_itself() {
    let text = "[target.spawn]\ncwd = \"nowhere\"\nredy = \"/\"\nenv = { A = 1, B = \"{prt}\" }\n\
                [target.embedded]\n[guarantee.click-lagg]\n[mock]\nhost = \"0.0.0.0\"\npeers = 7\n";
    check(
        text,
        &[
            ("there is more than one target", "target", KEEP_ONE),
            ("target.spawn has no command", "cwd", "add command = [\"node\", \"server.js\"]"),
            ("there is no folder nowhere", "\"nowhere\"", "paths are relative to this file"),
            ("unknown key target.spawn.redy", "redy", "did you mean ready?"),
            ("target.spawn.env.A is a whole number, not a text", "1", "put it in quotes"),
            ("there is no template prt", "\"{prt}\"", "did you mean port?"),
            ("there is no guarantee click-lagg", "click-lagg", "did you mean click-lag?"),
            ("mock.peers is a whole number, not a list", "7", "write a list, as in [\"…\"]"),
        ],
    );
    check(
        "[target.spawn]\ncommand = \"node\"\n",
        &[(
            "target.spawn.command is a text, not a list",
            "\"node\"",
            "write a list, as in [\"node\", \"server.js\"]",
        )],
    );
}

const KEEP_ONE: &str = "keep one of [target.spawn], [target.url] and [target.embedded]";

#[test]
fn broken_toml_is_placed() {
    let mistakes = parse("[target\nx = 1\n", Path::new(".")).unwrap_err();
    assert!(!mistakes.is_empty());
}

#[test]
fn a_target_is_one_and_may_be_loaded() {
    let two = format!("{SPAWN}[target.embedded]\n");
    check(&two, &[("there is more than one target", "target", KEEP_ONE)]);
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

/// Whoever says who may call gets what was asked for; what is bad is in the table of bad configurations.
#[test]
fn the_mock_listens_where_and_for_whom_the_file_says() {
    let target: std::net::IpAddr = "10.1.2.3".parse().unwrap();
    let listen = |text: &str| good(text).mock.listen(None);
    assert_eq!(listen(""), mock_server::listen::Listen::default());
    assert_eq!(listen("[mock]\nhost = \"::1\"\n").url(80, false), "http://[::1]:80");
    let docker = listen(
        "[mock]\nhost = \"0.0.0.0\"\npeers = [\"172.17.0.0/16\", \"10.0.0.7\"]\nname = \"me.internal\"\n",
    );
    assert_eq!((docker.url(80, false).as_str(), docker.peers.len()), ("http://me.internal:80", 2));
    assert_eq!(docker.hooks, docker.peers);
    let hooks = good("").mock.listen(Some(target)).hooks;
    assert_eq!(hooks, [target.into()], "webhooks go to the target as well");
    good("[mock]\nname = \"fd00::1\"\n");
}

#[test]
fn metrics_may_be_elsewhere_on_this_machine_or_where_the_target_is() {
    let url = |more: &str, url: &str| format!("{more}[observe]\nmetrics_url = \"{url}\"\n");
    good(&url(SPAWN, "http://127.0.0.1:{metrics_port}/metrics"));
    good(&url(SPAWN, "http://[::1]:9100/metrics"));
    let running = "[target.url]\nbase = \"http://10.1.2.3:80\"\nmock_port = 1\n";
    let allowed = format!("{running}allow_hosts = [\"10.1.2.3\"]\n");
    good(&url(&allowed, "http://10.1.2.3:9100/metrics"));
    good("[front_door]\nmetrics = \"http://127.0.0.1:9100/metrics\"\n");
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
        &[("click-lag has no bound within", "within", "did you mean within_ms?")],
    );
    check(
        "[guarantee.hard-limit]\nsource = \"SLO 4\"\nbounds = { requests = 120 }\n",
        &[(
            "hard-limit has no bound requests",
            "requests",
            "it has none: it is judged by the contract",
        )],
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

/// The plan of a run without a configuration.
fn usual() -> RunPlan {
    let (settings, contract) = (catalogue::Settings::default(), ContractProfile::linktree_v1());
    catalogue::run_plan(&settings, contract, &["steady-state"])
}

#[test]
fn every_bound_can_be_set_goes_into_the_plan_and_has_limits_that_are_said() {
    for bound in bounds::all() {
        let text = |value: u64| {
            let Bound { of, name, .. } = bound;
            format!("[guarantee.{of}]\nsource = \"SLO 4\"\nbounds = {{ {name} = {value} }}\n")
        };
        let (mut run, mut expected) = (usual(), usual());
        let config = Config { file: good(&text(17)), ..Config::default() };
        config.apply(&mut run);
        expected.bounds.get_mut(bound.of).unwrap().insert(bound.name.into(), 17);
        assert_eq!(run, expected);
        let range = bound.unit.range();
        let help = format!("choose {} to {} ({})", range.start(), range.end(), bound.unit);
        check(&text(0), &[(&format!("{} is 0", bound.name), "0", &help)]);
    }
}

#[test]
fn the_schema_names_every_bound_with_its_meaning_unit_and_default() {
    let schema = schema();
    let entries = schema["properties"]["guarantee"]["properties"].as_object().unwrap();
    assert_eq!(entries.len(), guarantees::GUARANTEES.len());
    for bound in bounds::all() {
        let entry = &entries[bound.of]["properties"]["bounds"]["properties"][bound.name];
        assert_eq!(entry["default"], bound.default);
        let said = entry["description"].as_str().unwrap();
        assert!(said.contains(bound.what) && said.contains(&bound.unit.to_string()), "{said}");
    }
}

#[test]
fn what_is_not_declared_has_its_default() {
    let file = good("[declared]\nbreaker_failures = 7\nretry_after_scope = \"request\"\n");
    let (breaker_failures, retry_after_scope) = (7, RetryAfterScope::Request);
    let expected = Declared { breaker_failures, retry_after_scope, ..Declared::default() };
    assert_eq!(file.declared, expected);
}

#[test]
fn what_is_declared_of_the_breaker_has_bounds() {
    for (key, value, help) in [
        ("instances", "0", "choose 1 to 64"),
        ("breaker_failures", "0", "choose 1 to 1000"),
        ("breaker_window_ms", "0", "choose 1 to 3600000"),
        ("breaker_open_ms", "3600001", "choose 1 to 3600000"),
        ("breaker_open_factor_milli", "999", "choose 1000 to 100000"),
        ("breaker_open_cap_ms", "0", "choose 1 to 3600000"),
        ("half_open_probes", "0", "choose 1 to 1000"),
        ("max_attempts", "4294967295", "choose 1 to 1000"),
        ("fast_ms", "9223372036854775807", "choose 0 to 3600000"),
    ] {
        let what = format!("declared.{key} is {value}, which is out of range");
        check(&format!("[declared]\n{key} = {value}\n"), &[(&what, value, help)]);
    }
    for (key, words) in
        [("breaker_counting", "attempt, call"), ("breaker_window_kind", "sliding, tumbling")]
    {
        let what = format!("declared.{key} has no such value");
        let help = format!("choose one of {words}");
        check(&format!("[declared]\n{key} = \"none\"\n"), &[(&what, "\"none\"", &help)]);
    }
}

#[test]
fn a_literal_secret_is_refused_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windthrow.toml");
    std::fs::write(&path, "[secrets]\nsession = \"hunter2-very-secret\"\n").unwrap();
    let failure = Config::find(Some(&path), true).unwrap_err();
    assert_eq!(failure.exit(), Exit::Usage);
    let shown = format!("{:?}", miette::Report::new(failure));
    assert!(shown.contains("not a reference"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    good("[secrets]\nsession = \"env:SESSION_SECRET\"\n");
}

/// A mistake is shown with the lines around it, and these hold what is nobody's business.
#[test]
fn no_value_of_the_environment_is_shown_beside_a_mistake_and_no_address_holds_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windthrow.toml");
    let shown = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let failure = Config::find(Some(&path), true).and_then(|config| TargetSpec::of(&config));
        let shown = format!("{:?}", miette::Report::new(failure.unwrap_err()));
        assert!(!shown.contains("hunter2"), "{shown}");
        shown
    };
    let spawn = "[target.spawn]\ncommand = [\"x\"]\n";
    let env = "[target.spawn.env]\nKEY = \"hunter2\"\n";
    assert!(shown(&format!("{spawn}{env}URL = \"{{mock.uri}}\"\n")).contains("{mock.uri}"));
    assert!(shown(&format!("{spawn}redy = 1\n{env}")).contains("redy"));
    assert!(shown(&format!("{spawn}{env}PIN = 7\n")).contains("PIN"));
    shown(&format!("{spawn}{env}OTHER = hunter2\n"));
    shown(&format!("{spawn}[target.spawn.env\nOTHER = 'hunter2'\n"));
    shown(&format!("{spawn}env = {{ KEY = \"hunter2\", \"A=B\" = \"hunter2\" }}\n"));
    for base in ["http://me:hunter2@127.0.0.1:80", "https://hunter2@h", "hunter2@h"] {
        let said = shown(&format!("[target.url]\nbase = \"{base}\"\nmock_port = 1\n"));
        assert!(said.contains("a user name or a password"), "{said}");
        for key in ["[observe]\nmetrics_url", "[front_door]\nmetrics"] {
            let base = base.replace("https", "http").replace("hunter2@h", "http://hunter2@h");
            let said = shown(&format!("{spawn}{key} = \"{base}\"\n"));
            assert!(said.contains("a user name or a password"), "{said}");
        }
    }
}

/// What is not told its time scale cannot be run at another one.
#[test]
fn a_target_takes_a_time_scale_where_its_command_or_environment_asks_for_it() {
    let takes = |target: &str| {
        let config = Config { file: good(target), folder: ".".into(), ..Config::default() };
        TargetSpec::of(&config).unwrap().takes_time_scale()
    };
    assert!(takes(""));
    assert!(takes("[target.spawn]\ncommand = [\"cat\", \"--scale={time_scale}\"]\n"));
    let env = |value| {
        takes(&format!("[target.spawn]\ncommand = [\"cat\"]\nenv = {{ SCALE = \"{value}\" }}\n"))
    };
    assert_eq!([env("{time_scale}"), env("10")], [true, false]);
    assert!(!takes("[target.url]\nbase = \"http://127.0.0.1:8080\"\nmock_port = 9090\n"));
}

/// The file that `init` writes is right, and what it shows as defaults are the defaults.
#[test]
fn the_written_file_is_right_and_shows_the_defaults() {
    let text = &crate::commands::init::configuration();
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
    let mut run = usual();
    let before = run.clone();
    Config { file, folder: ".".into(), ..Config::default() }.apply(&mut run);
    assert_eq!(run, before);
    let all: String = text.lines().map(|line| shown(line).unwrap_or_default()).collect();
    assert!(all.contains("ready_within_ms = 20000"), "{all}");
    for Bound { of, name, default, .. } in bounds::all() {
        let line = text.lines().find(|line| line.contains(of) && line.contains(name));
        assert!(line.is_some_and(|line| line.contains(&default.to_string())), "{of}.{name}");
    }
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

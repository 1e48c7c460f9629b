//! `preflight` against a mock that plays a live deployment: what it says, its exit code, and that it
//! asks no more than one question of a kind.

use mock_server::clock::{Clock, Moment};
use mock_server::contract::Route;
use mock_server::faults::{Fault, Matcher, Pick, Rule, Status, Window};
use mock_server::history::exchange::Exchange;
use mock_server::history::record::{Record, Recorder};
use mock_server::profile::ContractProfile;
use mock_server::server::{MockConfig, MockLinktree};
use mock_server::world::population::{Group, Population};
use std::collections::HashMap;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Tape(Mutex<Vec<Exchange>>);

impl Recorder for Tape {
    fn record(&self, record: Record) {
        if let Record::Exchange(exchange) = record {
            self.0.lock().unwrap().push(*exchange);
        }
    }
}

fn live(rules: Vec<Rule>, adapt: impl FnOnce(&mut ContractProfile)) -> (MockLinktree, Arc<Tape>) {
    let tape = Arc::new(Tape::default());
    let mut profile = ContractProfile::linktree_v1();
    adapt(&mut profile);
    let group =
        Group { prefix: "page".into(), count: 1, min_links: 2, max_links: 2, ..Group::default() };
    let mock = MockLinktree::start(MockConfig {
        profile,
        time_scale: 1,
        seed: 7,
        population: Population { groups: vec![group] },
        world: vec![],
        rules,
        port: 0,
        clock: Clock::start(),
        recorder: Arc::clone(&tape) as Arc<dyn Recorder>,
        vault_token: String::new(),
        vault_port: 0,
    })
    .unwrap();
    mock.arm(Moment::ZERO);
    (mock, tape)
}

fn preflight(mock: &MockLinktree, key: &str, more: &[&str]) -> Output {
    let url = mock.url();
    let mut arguments = vec!["preflight", "--base-url", &url, "--key", "env:PREFLIGHT_KEY"];
    arguments.extend(["--handle", "page-0001"]);
    arguments.extend(more);
    Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(arguments)
        .env("PREFLIGHT_KEY", key)
        .output()
        .unwrap()
}

/// The state of each check, and the exit code.
fn states(output: &Output) -> (HashMap<String, String>, i32) {
    let text = String::from_utf8_lossy(&output.stdout);
    let state = |line: &str| {
        let mut words = line.split_whitespace();
        let mark = words.next().unwrap().to_owned();
        (words.next().unwrap().to_owned(), mark)
    };
    (text.lines().map(state).collect(), output.status.code().unwrap())
}

#[test]
fn a_sound_deployment_passes_with_one_request_a_question() {
    let (mock, tape) = live(vec![], |_| {});
    let key = mock.api_key().to_owned();
    let output = preflight(&mock, &key, &["--skip", "webhook"]);
    let (states, code) = states(&output);
    assert_eq!(code, 0, "{output:?}");
    for check in ["reachable", "key", "permissions", "headroom", "links"] {
        assert_eq!(states[check], "✓", "{output:?}");
    }
    assert_eq!(states["webhook"], "–");
    mock.stop();
    let asked: Vec<_> = tape.0.lock().unwrap().iter().map(|exchange| exchange.route).collect();
    assert_eq!(asked, [Route::Health, Route::Me, Route::Profile, Route::ProfileLinks]);
}

#[test]
fn what_was_not_seen_is_unknown_and_does_not_pass() {
    let (mock, _tape) = live(vec![], |profile| profile.limit.remaining_header = "x-left".into());
    let key = mock.api_key().to_owned();
    let output = preflight(&mock, &key, &[]);
    let (states, code) = states(&output);
    assert_eq!((states["headroom"].as_str(), states["webhook"].as_str()), ("?", "?"));
    assert_eq!(code, 3, "{output:?}");
}

#[test]
fn a_wrong_key_a_missing_scope_and_an_outage_fail() {
    let (mock, _tape) = live(vec![], |_| {});
    let output = preflight(&mock, &mock.test_key(), &["--skip", "webhook"]);
    assert_eq!((states(&output).0["key"].as_str(), states(&output).1), ("✗", 1), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains(&mock.test_key()));

    let (mock, _tape) = live(vec![], |profile| profile.keys.scopes.clear());
    let key = mock.api_key().to_owned();
    let output = preflight(&mock, &key, &["--skip", "webhook"]);
    assert_eq!((states(&output).0["permissions"].as_str(), states(&output).1), ("✗", 1));

    let rule = Rule {
        id: "down".into(),
        window: Window::default(),
        matcher: Matcher { routes: vec![Route::Health], ..Matcher::default() },
        pick: Pick::All,
        fault: Fault::Status(Status { codes: vec![503], retry_after: vec![] }),
    };
    let (mock, tape) = live(vec![rule], |_| {});
    let key = mock.api_key().to_owned();
    let output = preflight(&mock, &key, &["--skip", "webhook"]);
    let (states, code) = states(&output);
    assert_eq!((states["reachable"].as_str(), states["links"].as_str(), code), ("✗", "?", 1));
    mock.stop();
    assert_eq!(tape.0.lock().unwrap().len(), 1, "nothing more is asked");
}

#[test]
fn wrong_arguments_are_refused() {
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_windthrow")).args(arguments).output().unwrap();
        output.status.code().unwrap()
    };
    let base = ["preflight", "--base-url", "http://127.0.0.1:9"];
    let with = |more: &[&'static str]| [&base[..], more].concat();
    assert_eq!(run(&with(&["--key", "hunter2"])), 2);
    assert_eq!(run(&with(&["--key", "env:WINDTHROW_NO_SUCH"])), 2);
    assert_eq!(run(&with(&["--key", "env:HOME", "--handle", "NO"])), 2);
    assert_eq!(run(&["preflight", "--base-url", "ftp://x", "--key", "env:HOME"]), 2);
}

//! `preflight` against a mock that plays a live deployment: what it says, its exit code, and that it
//! asks no more than one question of a kind.

use mock_server::clock::{Clock, Moment};
use mock_server::contract::Route;
use mock_server::faults::{Fault, Matcher, Pick, Rule, Status, Window};
use mock_server::history::exchange::Exchange;
use mock_server::history::record::{Record, Recorder};
use mock_server::listen::Listen;
use mock_server::profile::ContractProfile;
use mock_server::server::{MockConfig, MockLinktree};
use mock_server::world::population::{Group, Population};
use std::collections::HashMap;
use std::io::{Read, Write};
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
        listen: Listen::default(),
        alert_fields: Default::default(),
        port: 0,
        clock: Clock::start(),
        recorder: Arc::clone(&tape) as Arc<dyn Recorder>,
        secrets: vec![mock_server::contract::SecretsManager::Vault],
        vault_token: String::new(),
        vault_port: 0,
        tls: None,
    })
    .unwrap();
    mock.arm(Moment::ZERO);
    (mock, tape)
}

fn preflight(mock: &MockLinktree, key: &str, more: &[&str]) -> Output {
    let url = mock.url();
    let mut arguments = vec!["preflight", "--base-url", &url, "--key", "env:PREFLIGHT_KEY"];
    if !more.contains(&"--handle") {
        arguments.extend(["--handle", "page-0001"]);
    }
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

/// A handle that is mistyped is said to be one, and neither key nor routes are blamed.
#[test]
fn a_handle_that_nobody_has_is_named() {
    let (mock, _tape) = live(vec![], |_| {});
    let key = mock.api_key().to_owned();
    let output = preflight(&mock, &key, &["--handle", "nobody-1", "--skip", "webhook"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for words in ["nobody is called nobody-1", "no links of nobody-1"] {
        assert!(text.contains(words), "{text}");
    }
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
    let output = preflight(&mock, &mock.other_key(), &["--skip", "webhook"]);
    assert_eq!((states(&output).0["key"].as_str(), states(&output).1), ("✗", 1), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains(&mock.other_key()));

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

/// Answers every request with these bytes, one connection after the other; returns its address.
fn stub(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut asking in listener.incoming().flatten() {
            let _ = asking.read(&mut [0; 4_096]);
            let _ = asking.write_all(&answer);
        }
    });
    address
}

/// What is said of a webhook endpoint that answers so.
fn of_endpoint(answer: &str) -> (String, String) {
    let (mock, _tape) = live(vec![], |_| {});
    let key = mock.api_key().to_owned();
    let hook = stub(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
    let output = preflight(&mock, &key, &["--webhook", &hook]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (states(&output).0["webhook"].clone(), text)
}

#[test]
fn a_webhook_endpoint_that_takes_post_only_is_there() {
    for answer in ["405 Method Not Allowed", "401 Unauthorized", "200 OK"] {
        let (state, text) = of_endpoint(answer);
        assert_eq!(state, "✓", "{text}");
    }
    for answer in ["404 Not Found", "503 Unavailable", "308 Moved\r\nlocation: /hooks/"] {
        let (state, text) = of_endpoint(answer);
        assert_eq!(state, "✗", "{text}");
    }
    assert!(of_endpoint("308 Moved\r\nlocation: /hooks/").1.contains("to /hooks/"));
}

#[test]
fn an_answer_without_end_is_read_up_to_a_bound_and_nothing_of_it_reaches_the_terminal_raw() {
    let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"data\":[\"".to_vec();
    endless.extend(vec![b'x'; 2 * 1024 * 1024]);
    let ask = |url: &str| {
        let command =
            ["preflight", "--base-url", url, "--key", "env:PREFLIGHT_KEY", "--handle", "a"];
        Command::new(env!("CARGO_BIN_EXE_windthrow"))
            .args(command)
            .env("PREFLIGHT_KEY", "k")
            .output()
            .unwrap()
    };
    let text = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text(&ask(&stub(endless)));
    assert!(said.contains("larger than 1048576 bytes"), "{said}");
    let hostile =
        "HTTP/1.1 302 x\r\nlocation: /a\u{202e}b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let said = text(&ask(&stub(hostile)));
    assert!(said.contains("302") && !said.contains('\u{202e}'), "{said}");
}

/// The address is reserved for documentation, so nobody is there; the warning comes first.
#[test]
fn a_key_over_plain_http_to_another_machine_is_warned_about() {
    let warned = |url: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
            .args(["preflight", "--base-url", url, "--key", "env:PREFLIGHT_KEY", "--json"])
            .env("PREFLIGHT_KEY", "k")
            .output()
            .unwrap();
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(told["warnings"].as_array().unwrap().len(), said.matches("plain http").count());
        said
    };
    assert!(warned("http://windthrow.invalid").contains("the key goes to windthrow.invalid"));
    for fine in
        ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "https://windthrow.invalid"]
    {
        assert_eq!(warned(fine), "", "{fine}");
    }
}

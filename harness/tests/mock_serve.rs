//! Proves `mock serve` with the real binary: what it prints can be used, it is steered while it
//! runs, it ends in order with its history whole, and it says what is wrong with bad input.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windthrow"));
    command
        .args(["mock", "serve"])
        .args(args)
        .current_dir(folder)
        .env_remove("WINDTHROW_SEED")
        .env_remove("WINDTHROW_CONTROL_TOKEN")
        .env_remove("WINDTHROW_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A mock alone, which ends with this value at the latest.
struct Serving {
    child: Child,
    said: HashMap<String, String>,
}

impl Serving {
    /// Starts it on free ports, and reads what it prints until it is ready.
    fn start(folder: &Path, args: &[&str]) -> Self {
        let args = [&["--port", "0"], args].concat();
        let child = command(folder, &args).spawn().expect("the binary runs");
        let mut mock = Self { child, said: HashMap::new() };
        for line in BufReader::new(mock.child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if line.starts_with("# ready") {
                return mock;
            }
            if let Some((name, value)) = line.split_once('=') {
                mock.said.insert(name.to_owned(), value.to_owned());
            }
        }
        panic!("it did not become ready: {:?}", mock.end());
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// The exit code and standard error.
    fn end(&mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }

    fn url(&self, of: &str, path: &str) -> String {
        format!("{}{path}", self.said[of])
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

#[tokio::test]
async fn it_is_called_steered_watched_reset_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut mock = Serving::start(folder.path(), &["--history", "h.ndjson", "--seed", "11"]);
    assert_eq!(mock.said["WINDTHROW_SEED"], "11");
    let client = client();
    let profile = || async {
        let url = mock.url("LINKTREE_URL", "/v1/profiles/creator-0001");
        let request = client.get(url).bearer_auth(&mock.said["LINKTREE_API_KEY"]);
        request.send().await.unwrap().status().as_u16()
    };
    let control = |path: &str| mock.url("WINDTHROW_CONTROL_URL", path);
    let vault = client.get(mock.url("VAULT_URL", "/v1/secret/data/linktree"));
    let vault = vault.header("x-vault-token", &mock.said["VAULT_TOKEN"]).send().await.unwrap();
    let vault: serde_json::Value = vault.json().await.unwrap();
    assert_eq!(vault["data"]["data"]["api_key"], mock.said["LINKTREE_API_KEY"].as_str());

    let mut live = client.get(control("/history?follow=true&event=exchange")).send().await.unwrap();
    assert_eq!(profile().await, 200);
    let rule = r#"{"id":"down","fault":{"kind":"status","codes":[503]}}"#;
    let added = client.post(control("/plan/rules")).body(rule).send().await.unwrap();
    assert_eq!(added.status(), 201);
    assert_eq!(profile().await, 503);
    let mut text = String::new();
    while text.lines().count() < 2 {
        text.push_str(std::str::from_utf8(&live.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(text.lines().nth(1).unwrap().contains(r#""rule":"down""#), "{text}");
    assert_eq!(client.post(control("/reset")).send().await.unwrap().status(), 204);
    assert_eq!(profile().await, 200);

    mock.signal(Signal::SIGTERM);
    let (code, said) = mock.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("down") && said.contains("/v1/profiles/creator-0001"), "{said}");
    let history = std::fs::read_to_string(folder.path().join("h.ndjson")).unwrap();
    let exchanges: Vec<serde_json::Value> = history
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|record: &serde_json::Value| record["event"] == "exchange")
        .collect();
    let statuses: Vec<_> = exchanges.iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 503, 200], "a reset does not touch the file");
}

#[tokio::test]
async fn an_exchange_under_way_is_finished_and_a_second_signal_does_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let plan =
        |at: &str| format!("[[rules]]\nid = \"slow\"\nfault = {{ kind = \"stall\", {at} }}\n");
    let trickle = plan("at = { trickle = { every_ms = 2 } }");
    let stall = plan(r#"at = "before-head""#);
    for (text, signals, status) in [(trickle, 1, Some(200)), (stall, 2, None)] {
        std::fs::write(folder.path().join("p.toml"), text).unwrap();
        let args = ["--plan", "p.toml", "--history", "h.ndjson"];
        let mut mock = Serving::start(folder.path(), &args);
        let url = mock.url("LINKTREE_URL", "/v1/profiles/creator-0001");
        let request = client().get(url).bearer_auth(&mock.said["LINKTREE_API_KEY"]).send();
        let call = tokio::spawn(async move { request.await?.bytes().await });
        let status_url = mock.url("WINDTHROW_CONTROL_URL", "/status");
        let begun = async {
            loop {
                let answer = client().get(&status_url).send().await.unwrap();
                let answer: serde_json::Value = answer.json().await.unwrap();
                if answer["exchanges"]["begun"] == 1 {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, begun).await.expect("the call arrives");
        mock.signal(Signal::SIGINT);
        if signals == 2 {
            // The first one must be seen before the second, or they are one.
            let closed = async { while client().get(url_of(&mock)).send().await.is_ok() {} };
            tokio::time::timeout(PATIENCE, closed).await.expect("the port is closed");
            mock.signal(Signal::SIGINT);
        }
        let (code, said) = mock.end();
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(call.await.unwrap().is_ok(), status.is_some());
        let history = std::fs::read_to_string(folder.path().join("h.ndjson")).unwrap();
        let last: serde_json::Value =
            serde_json::from_str(history.lines().last().unwrap()).unwrap();
        assert_eq!(last["status"].as_u64(), status);
    }
}

fn url_of(mock: &Serving) -> String {
    mock.url("LINKTREE_URL", "/v1/health")
}

#[test]
fn the_history_is_on_disk_even_when_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut mock = Serving::start(folder.path(), &["--history", "h.ndjson"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { client().get(url_of(&mock)).send().await.unwrap() });
    let path = folder.path().join("h.ndjson");
    let on_disk = || std::fs::read_to_string(&path).unwrap().ends_with('\n');
    while !on_disk() {
        std::thread::sleep(Duration::from_millis(5));
    }
    mock.signal(Signal::SIGKILL);
    mock.end();
    let history = std::fs::read_to_string(&path).unwrap();
    assert!(history.contains("/v1/health"), "{history}");
}

/// Runs until it ends by itself; the exit code and these words on standard error are expected.
fn check(folder: &Path, args: &[&str], code: i32, words: &[&str]) {
    let Output { status, stderr, .. } = command(folder, args).output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(code), "{args:?} said {said}");
    for word in words {
        assert!(said.contains(word), "{args:?} does not say {word:?} but {said}");
    }
}

#[test]
fn wrong_files_and_arguments_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &str, words: &[&str]| {
        std::fs::write(folder.path().join(name), text).unwrap();
        check(folder.path(), &["--port", "0", "--plan", name], 2, words);
    };
    let rule = |fault: &str| format!("[[rules]]\nid = \"a\"\nfault = {{ {fault} }}\n");
    refused("key.toml", "[[ruels]]\nid = \"a\"\n", &["key.toml:1:3", "ruels", "rules"]);
    refused("kind.toml", &rule(r#"kind = "stats""#), &["kind.toml:3:", "stats"]);
    refused("code.toml", &rule(r#"kind = "status", codes = [99]"#), &["\"a\"", "codes", "99"]);
    let pause = rule(r#"kind = "pause", on = { at = "nth-ack", n = 3 }, for_ms = 100"#);
    refused("pause.toml", &pause, &["\"a\"", "pause", "windthrow run"]);
    refused("plan.json", "{\n  \"rule\": []\n}\n", &["plan.json:2:", "unknown field `rule`"]);
    let world = |event: &str| format!("[[world]]\nat_ms = 1\nevent = {{ {event} }}\n");
    refused("what.toml", &world(r#"kind = "edit""#), &["what.toml:3:", "handles"]);
    let nobody = world(r#"kind = "edit", handles = "nobody-*""#);
    refused("who.toml", &nobody, &["world[0]", "nobody is called", "--plan"]);
    check(folder.path(), &["--plan", "none.toml"], 2, &["failed to read none.toml"]);
    std::fs::write(folder.path().join("c.toml"), "name = 1\n").unwrap();
    check(folder.path(), &["--profile-file", "c.toml"], 2, &["c.toml:1:8", "name = 1"]);
    let open = ["--port", "0", "--control-host", "0.0.0.0"];
    check(folder.path(), &open, 2, &["0.0.0.0", "without a token"]);
}

#[test]
fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    check(folder.path(), &["--port", &port], 5, &[&port, "in use"]);
    check(folder.path(), &["--port", "0", "--control-port", &port], 5, &[&port, "in use"]);
}

/// The README's blocks of one kind in its section about the mock.
fn blocks(kind: &'static str) -> impl Iterator<Item = &'static str> {
    let section = include_str!("../../README.md").split("## The mock alone").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section.split("```").skip(1).step_by(2).filter_map(move |block| block.strip_prefix(kind))
}

#[test]
fn what_is_started_after_the_readmes_commands_knows_where_the_mock_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.toml"), blocks("toml\n").next().unwrap()).unwrap();
    let start = blocks("sh\n").find(|block| block.contains("mock.env")).unwrap();
    // Any ports, and a program of this name; all else is as it is printed.
    let script = format!(
        "windthrow() {{ exec \"$PROGRAM\" \"$@\" --port 0; }}\n{start}\n\
         sh -c 'echo \"child sees $LINKTREE_URL $WINDTHROW_CONTROL_URL $LINKTREE_API_KEY\"'\n\
         \"$PROGRAM\" run --plan none.json\n\
         \"$PROGRAM\" run --plan none.json --seed 7\n\
         kill $!; wait"
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PROGRAM", env!("CARGO_BIN_EXE_windthrow"))
        .env_remove("WINDTHROW_SEED")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let seen = said.lines().find_map(|line| line.strip_prefix("child sees ")).unwrap();
    let seen: Vec<&str> = seen.split(' ').collect();
    assert!(seen[..2].iter().all(|url| url.starts_with("http://127.0.0.1:")), "{seen:?}");
    assert!(seen[2].starts_with("lt_"), "{seen:?}");
    // The seed that is exported, too, is not one that contradicts the plan's; a flag is.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("failed to read none.json"), "{said}");
    assert_eq!(said.matches("cannot be used with").count(), 1, "{said}");
}

#[test]
fn the_readmes_commands_work_to_the_letter() {
    let plan = blocks("toml\n").next().unwrap();
    let commands = blocks("sh\n").find(|block| block.contains("curl")).unwrap();
    assert!(commands.matches("curl").count() > 5, "{commands}");
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("there is no curl on this machine, so the README's commands were not run");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.toml"), plan.replace("hits = 1", "hits = 0")).unwrap();
    let mock = Serving::start(folder.path(), &["--plan", "plan.toml"]);
    // A command that fails ends the script, and an answer from 400 on is a failure.
    let script =
        format!("set -eu\ncurl() {{ command curl -sS --fail-with-body \"$@\"; }}\n{commands}");
    let output =
        Command::new("sh").arg("-c").arg(script).envs(&mock.said).env("no_proxy", "*").output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("two-fail") && said.contains("\"event\":\"exchange\""), "{said}");
}

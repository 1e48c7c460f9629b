//! The program as a process: its log, SIGTERM, and a kill in mid-outage.

use crate::stub::{Mood, Stub};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc,
};

const AS_A_CHILD: &str = "REFERENCE_TEST_AS_A_CHILD";

/// Not a test: what the tests below run as their child.
#[test]
fn the_program() {
    if std::env::var_os(AS_A_CHILD).is_none() {
        return;
    }
    assert_eq!(reference::main_from_env(None), ExitCode::SUCCESS);
}

/// Starts the program; returns it with its address, which is the first thing that it logs.
fn start(stub: &Stub, folder: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::the_program"])
        .env(AS_A_CHILD, "1")
        .env("LINKTREE_URL", &stub.url)
        .env("VAULT_URL", &stub.url)
        .env("VAULT_TOKEN", "vault-token")
        .env("DATA_DIR", folder)
        .env("PORT", "0")
        .env("TIME_SCALE", "20")
        .env_remove("RUST_LOG")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (found, address) = mpsc::channel();
    let log = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            if let Some((_, address)) = line.split_once("address=") {
                let _ = found.send(format!("http://{address}"));
            }
        }
    });
    (child, address.recv().expect("it serves"))
}

async fn click(front: &str, event_id: &str) -> u16 {
    let body = serde_json::json!({"event_id": event_id, "handle": "ann", "link_id": "l",
        "occurred_at": "2026-01-01T00:00:00Z"});
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.post(format!("{front}/api/clicks")).body(body.to_string()).send().await;
    answer.unwrap().status().as_u16()
}

/// An acknowledged click survives a kill, and SIGTERM ends the program with success.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_nothing_and_a_term_is_graceful() {
    let (stub, folder) = (Stub::start().await, tempfile::tempdir().unwrap());
    stub.set(Mood::Status(503, None));
    let (mut child, front) = start(&stub, folder.path());
    for n in 0..20 {
        assert_eq!(click(&front, &format!("e{n}")).await, 202);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let failed = stub.seen("/v1/clicks").len();
    stub.set(Mood::Well);
    let (mut child, _) = start(&stub, folder.path());
    crate::eventually("the clicks", async || stub.seen("/v1/clicks").len() > failed).await;
    let ids = stub.seen("/v1/clicks")[failed..].iter().flat_map(|one| one.events()).count();
    assert_eq!(ids, 20);
    let term = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(term.success() && child.wait().unwrap().success());
}

//! The program as a process: its log, SIGTERM, and a kill in mid-outage.

use crate::{
    front::Front,
    stub::{Mood, Stub},
};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdin, Command, ExitCode, Stdio},
    sync::mpsc,
    thread::JoinHandle,
};

/// The mutant that the child shall be; empty for none.
const AS_A_CHILD: &str = "REFERENCE_TEST_AS_A_CHILD";

/// Not a test: what the tests below run as their child.
#[test]
fn the_program() {
    let Ok(mutant) = std::env::var(AS_A_CHILD) else { return };
    // As in the binary that contains it: whoever started it is gone when standard input ends.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let mutant = Some(mutant.as_str()).filter(|id| !id.is_empty());
    assert_eq!(reference::main_from_env(mutant), ExitCode::SUCCESS);
}

/// The program, running.
pub struct Program {
    pub child: Child,
    /// At its address, which is the first thing that it logs.
    pub front: Front,
    /// Standard input, which is its life line.
    pub stdin: Option<ChildStdin>,
    log: JoinHandle<Vec<String>>,
}

impl Program {
    /// Ends it at once.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end; returns what it logged, to the last line.
    pub fn terminate(mut self) -> Vec<String> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.log.join().unwrap()
    }
}

/// Starts the program.
pub fn start(stub: &Stub, folder: &Path, mutant: &str) -> Program {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::the_program"])
        .env(AS_A_CHILD, mutant)
        .env("LINKTREE_URL", &stub.url)
        .env("VAULT_URL", &stub.url)
        .env("VAULT_TOKEN", "vault-token")
        .env("DATA_DIR", folder)
        .env("PORT", "0")
        .env("TIME_SCALE", "20")
        .env_remove("RUST_LOG")
        .env_remove("LINKTREE_API_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (found, address) = mpsc::channel();
    let (stdin, stderr) = (child.stdin.take(), BufReader::new(child.stderr.take().unwrap()));
    let log = std::thread::spawn(move || {
        let listen = |line: &String| {
            if let Some((_, address)) = line.split_once("address=") {
                let _ = found.send(format!("http://{address}"));
            }
        };
        stderr.lines().map_while(Result::ok).inspect(listen).collect()
    });
    // The sender is gone when the log ends without an address.
    Program { child, front: Front::at(address.recv().expect("it serves")), stdin, log }
}

/// An acknowledged click survives a kill, and SIGTERM ends the program with success.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_nothing_and_a_term_is_graceful() {
    let (stub, folder) = (Stub::start().await, tempfile::tempdir().unwrap());
    stub.set(Mood::Status(503, None));
    let program = start(&stub, folder.path(), "");
    for n in 0..20 {
        assert_eq!(program.front.click(&format!("e{n}")).await, 202);
    }
    program.kill();
    let failed = stub.seen("/v1/clicks").len();
    stub.set(Mood::Well);
    let program = start(&stub, folder.path(), "");
    crate::eventually("the clicks", async || stub.seen("/v1/clicks").len() > failed).await;
    let ids = stub.seen("/v1/clicks")[failed..].iter().flat_map(|one| one.events()).count();
    assert_eq!(ids, 20);
    program.terminate();
}

/// Of twenty acknowledged clicks, how many a kill while Linktree fails leaves.
async fn survivors(mutant: &str) -> usize {
    let (stub, folder) = (Stub::start().await, tempfile::tempdir().unwrap());
    stub.set(Mood::Status(503, None));
    let program = start(&stub, folder.path(), mutant);
    for n in 0..20 {
        assert_eq!(program.front.click(&format!("e{n}")).await, 202);
    }
    // Whoever delivers from the queue at once has met a failure by now.
    let attempted = async || !stub.seen("/v1/clicks").is_empty() || mutant == "queue-without-sync";
    crate::eventually("an attempt", attempted).await;
    program.kill();
    let before = stub.seen("/v1/clicks").len();
    stub.set(Mood::Well);
    let program = start(&stub, folder.path(), mutant);
    program.front.drained().await;
    program.kill();
    let after = stub.seen("/v1/clicks").split_off(before);
    after.iter().flat_map(|seen| seen.events()).count()
}

/// Those who keep clicks in memory lose them with it, and nobody else does.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_clicks_only_of_those_who_lose_them() {
    assert_eq!(survivors("").await, 20);
    for mutant in ["ack-before-write", "queue-without-sync", "in-flight-forgotten"] {
        let left = survivors(mutant).await;
        assert!(left < 20, "{mutant}: {left}");
    }
}

/// A process that starts over is still the one that its starter holds by standard input.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_starts_over_still_ends_with_its_starter() {
    let (stub, folder) = (Stub::start().await, tempfile::tempdir().unwrap());
    let mut program = start(&stub, folder.path(), "key-exported-to-environment");
    assert!(program.child.try_wait().unwrap().is_none());
    drop(program.stdin.take());
    assert!(program.child.wait().unwrap().success());
}

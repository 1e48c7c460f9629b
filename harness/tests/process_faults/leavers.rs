//! Proves that a target cannot get away: whoever leaves the process group, by whatever way, is
//! signalled, waited for, killed and named like the rest; and what cannot be ended is said.

use crate::rig::{Rig, eventually, has_ended, log, state};
use scenarios::history::Change;
use std::path::Path;
use std::time::Duration;
use windthrow::config::model::{Spawn, StopSignal};
use windthrow::config::target::TargetSpec;

/// The reference as somebody else's service. It ends with its standard input, which `sleep` keeps.
const SERVE: &str = "sleep 600 | \"$0\" __reference";

/// A shell that does this. `$0` is the program, and `serve` the reference in a way of its own.
fn shell(folder: &Path, script: &str) -> TargetSpec {
    let program = folder.join("integration").display().to_string();
    let script = format!("serve() {{ {SERVE}; }}\n{script}");
    let names = ["port", "data_dir", "mock.url", "vault.url", "vault.token", "alerts.url"];
    let variables = ["PORT", "DATA_DIR", "LINKTREE_URL", "VAULT_URL", "VAULT_TOKEN", "ALERTS_URL"];
    let env = variables.into_iter().zip(names);
    let command = Spawn {
        command: vec!["sh".into(), "-c".into(), script, program],
        host: "127.0.0.1".into(),
        allow_hosts: Vec::new(),
        cwd: ".".into(),
        env: env.map(|(variable, name)| (variable.into(), format!("{{{name}}}"))).collect(),
        pass_env: vec!["PATH".into()],
        ready: "/healthz".into(),
        ready_within_ms: 20_000,
        stop_signal: StopSignal::Term,
        stop_within_ms: 10_000,
    };
    TargetSpec::Spawn { command, folder: folder.to_owned() }
}

async fn rig(script: &str) -> Rig {
    Rig::of(|folder| shell(folder, script)).await
}

/// Everybody who has this in their environment, but for whoever looks.
fn with_data_in(folder: &Path) -> Vec<u32> {
    let wanted = format!("DATA_DIR={}", folder.join("data").display());
    let has = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes())
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(has).collect()
}

/// A kill of a target that leaves its group by this script is one, and names whoever had left.
async fn check_killed(script: &str) {
    let mut rig = rig(script).await;
    let pids = with_data_in(rig.folder.path());
    assert!(pids.len() >= 3, "a shell, a sleep and a server: {pids:?}");
    rig.target.kill("killed").await;
    assert!(rig.is_refused().await, "{script}");
    assert!(pids.iter().all(|pid| has_ended(*pid)), "{script}");
    rig.target.launch().await.unwrap();
    assert!(rig.serves().await);
    let history = rig.history().await;
    let Change::Gone { strays } = &history[3] else { panic!("{script}: {history:?}") };
    assert!(strays.iter().any(|one| one.command.contains("__reference")), "{strays:?}");
    assert!(matches!(history.last(), Some(Change::Gone { .. })), "{history:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_a_session_of_its_own_is_killed_and_named() {
    check_killed("setsid sh -c 'sleep 600 | \"$0\" __reference' \"$0\" & wait").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_forked_twice_is_killed_and_named() {
    // The one in the middle ends at once, so that nobody of the group is the server's parent.
    let daemon = "(setsid sh -c 'sleep 600 | \"$0\" __reference' \"$0\" &); sleep 600";
    check_killed(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_beside_the_group_starts_nothing_any_more() {
    let again = "while true; do sleep 600 | \"$0\" __reference; done";
    check_killed(&format!("setsid sh -c '{again}' \"$0\" & wait")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_after_a_kill_is_named_and_the_kill_was_none() {
    // A service manager of another's: it runs before the target does and starts the server for it.
    let folder = tempfile::tempdir().unwrap();
    let order = folder.path().join("order");
    let manager = format!(
        "until [ -s {0} ]; do sleep 0.01; done; . {0}; (sleep 600 & echo $! >{0}.sleep; wait) | \"$1\" __reference",
        order.display()
    );
    let mut manager = std::process::Command::new("sh")
        .args(["-c", &manager, "manager", env!("CARGO_BIN_EXE_windthrow")])
        .spawn()
        .unwrap();
    let ask = format!("export -p >{0}.new; mv {0}.new {0}; exec sleep 600", order.display());
    let mut rig = rig(&ask).await;
    rig.target.kill("killed").await;
    assert!(!rig.is_refused().await);
    let address = rig.target.url.clone();
    let history = rig.history().await;
    let survived = history.iter().find_map(Change::survivors).expect("it was seen");
    assert!(survived.contains("still accepted connections, where process"), "{survived}");
    assert!(survived.contains("__reference"), "{survived}");
    assert!(address.starts_with("http://127.0.0.1:"));
    let sleep = std::fs::read_to_string(order.with_extension("sleep")).unwrap();
    let pid = nix::unistd::Pid::from_raw(sleep.trim().parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    manager.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_reaches_whoever_left_and_waits_for_them() {
    // What npm, sh and node do: the parents end at once, the server has something left to do.
    let slow = "trap 'sleep 0.3; echo all saved; exit 0' TERM; \
                sleep 600 | \"$0\" __reference & wait; sleep 600";
    for start in [
        format!("(trap '' INT; {slow}) & wait"),
        format!("setsid sh -c '{}' \"$0\" & wait", slow.replace('\'', "'\\''")),
    ] {
        let mut rig = rig(&start).await;
        rig.target.terminate("stopped", Duration::from_secs(10)).await;
        let said = log(rig.folder.path());
        assert!(said.contains("all saved"), "{start}: {said}");
        assert!(rig.is_refused().await);
        assert_eq!(rig.changes().await, ["started", "ready", "terminated", "ended", "gone"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_run_waits_for_the_whole_group_too() {
    let slow = "(trap 'sleep 0.3; echo all saved; exit 0' TERM; serve & wait) & wait";
    let rig = rig(slow).await;
    let log = rig.folder.path().join("target.log");
    let kept = tempfile::tempdir().unwrap();
    std::fs::hard_link(&log, kept.path().join("log")).unwrap();
    assert_eq!(rig.changes().await, ["started", "ready", "gone"]);
    let log = std::fs::read_to_string(kept.path().join("log")).unwrap();
    assert!(log.contains("all saved"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deaf_to_the_stop_is_killed_after_the_grace() {
    let mut rig =
        rig("setsid sh -c 'trap \"\" TERM; while true; do sleep 0.05; done' & serve").await;
    rig.target.terminate("stopped", Duration::from_millis(300)).await;
    let changes = rig.changes().await;
    assert_eq!(changes, ["started", "ready", "terminated", "killed", "gone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_reaches_whoever_left() {
    let rig = rig("setsid sh -c 'sleep 600 | \"$0\" __reference' \"$0\" & wait").await;
    let pids = with_data_in(rig.folder.path());
    rig.target.pause("asleep");
    eventually("the pause", || pids.iter().all(|pid| state(*pid) == Some('T'))).await;
    rig.target.resume();
    assert!(rig.serves().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_goes_into_the_background_is_told_so_and_leaves_nobody() {
    let folder = std::cell::RefCell::new(None);
    let start = Rig::try_of(|at| {
        *folder.borrow_mut() = Some(at.to_owned());
        shell(at, "setsid sh -c 'sleep 600 | \"$0\" __reference' \"$0\" &")
    });
    let failure = start.await.err().expect("it is no daemon's harness").to_string();
    assert!(failure.contains("in the background"), "{failure}");
    assert_eq!(with_data_in(&folder.into_inner().unwrap()), [0; 0]);
}

//! Proves with the real binary what becomes of a run whose files are taken away, or are none: a
//! documented exit code and a clear word, and nobody waits.

use crate::called::start;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use std::fs;
use std::path::Path;
use std::process::{Child, Output};
use std::time::Duration;

const SCENARIO: &str = "steady-state";

/// Waits for the end, but not for ever; returns the exit code and what was said, in one line.
#[track_caller]
fn ended(mut child: Child) -> (Option<i32>, String) {
    for _ in 0..600 {
        if child.try_wait().unwrap().is_some() {
            let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
            let said = [stdout, stderr].concat();
            // What is for a terminal is broken into lines.
            let said = String::from_utf8_lossy(&said).replace('│', " ");
            return (status.code(), said.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    panic!("it did not end within 30 s");
}

/// Calls it and waits for its end.
#[track_caller]
fn check(folder: &Path, args: &[&str], code: i32, words: &[&str]) {
    let (found, said) = ended(start(folder, args));
    assert_eq!(found, Some(code), "{args:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{args:?} does not say {word:?}: {said}");
    }
}

/// Waits until a storm records something.
fn recording(folder: &Path) {
    let is_begun = |scenario: fs::DirEntry| {
        let history = scenario.path().join("history.ndjson.zst");
        fs::metadata(history).is_ok_and(|data| data.len() > 2_000)
    };
    for _ in 0..400 {
        let scenarios = fs::read_dir(folder.join("runs/latest/scenarios"));
        if scenarios.into_iter().flatten().flatten().any(is_begun) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing was recorded within 20 s");
}

fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    mkfifo(path, Mode::S_IRWXU).unwrap();
}

#[test]
fn a_pipe_a_folder_or_a_device_in_the_place_of_a_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    pipe(&path.join("pipe"));
    let a_pipe = ["failed to read", "pipe: it is a pipe, not a file"];
    for option in ["--plan", "--config", "--contract"] {
        check(path, &["run", option, "pipe"], 2, &a_pipe);
        check(path, &["run", option, "."], 2, &["it is a folder, not a file"]);
        check(path, &["run", option, "/dev/zero"], 2, &["it is a device, not a file"]);
    }
    check(path, &["mock", "serve", "--plan", "pipe"], 2, &a_pipe);
    check(path, &["recheck", "pipe"], 4, &["no run pipe"]);
    fs::create_dir_all(path.join("runs/one")).unwrap();
    pipe(&path.join("runs/one/run.json"));
    check(path, &["recheck", "one"], 4, &["no run one"]);
}

#[test]
fn a_history_that_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let run = start(path, &["run", SCENARIO, "--seed", "7"]);
    recording(path);
    kill(Pid::from_raw(i32::try_from(run.id()).unwrap()), Signal::SIGINT).unwrap();
    let (code, said) = ended(run);
    assert_eq!(code, Some(130), "{said}");
    let latest = path.join("runs/latest");
    assert!(latest.join("result.json").is_file(), "{said}");
    let history = latest.join(format!("scenarios/{SCENARIO}/history.ndjson.zst"));
    pipe(&history);
    check(path, &["recheck"], 3, &["failed to read the history", "it is a pipe, not a file"]);
    fs::remove_file(&history).unwrap();
    fs::create_dir(&history).unwrap();
    check(path, &["recheck"], 3, &["failed to read the history", "it is a folder, not a file"]);
    // What broke off before its end says so.
    fs::remove_file(latest.join("result.json")).unwrap();
    check(path, &["recheck"], 3, &["has no result.json"]);
    pipe(&latest.join("plan.json"));
    check(path, &["recheck"], 2, &["plan.json: it is a pipe, not a file"]);
}

#[test]
fn a_run_whose_folder_is_removed_ends_soon_and_does_not_bring_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let run = start(path, &["run", SCENARIO, "calibration", "--seed", "7", "--jobs", "1"]);
    recording(path);
    let named = fs::canonicalize(path.join("runs/latest")).unwrap();
    fs::remove_dir_all(path.join("runs")).unwrap();
    let (code, said) = ended(run);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("was removed or renamed"), "{said}");
    assert!(said.contains("could no longer be recorded: the file has been removed"), "{said}");
    assert!(!named.exists(), "{said}");
}

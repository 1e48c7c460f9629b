//! Measures what a kill costs: at 20 moments of a storm its process is killed, and the newest event of
//! what is on the disk then is compared with the moment of the kill.
//!
//! It takes minutes, so it is called by name: `cargo test --test killed -- --ignored --nocapture`. The
//! bound itself is held by the recorder's own tests, with a driven clock. `WINDTHROW_UNDER_TEST` names
//! another binary, such as that of an older version.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use windthrow::process::{system, tree};

/// The busiest scenario: between its events is no time to speak of.
const SCENARIO: &str = "viral-spike";
const KILLS: u64 = 20;
/// Clock ticks of a second in `/proc` (proc(5), the same on every Linux).
const TICKS: f64 = 100.0;

fn start(folder: &Path) -> Child {
    let ours = env!("CARGO_BIN_EXE_windthrow").to_owned();
    Command::new(std::env::var("WINDTHROW_UNDER_TEST").unwrap_or(ours))
        .args(["run", SCENARIO, "--seed", "7", "--no-config"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs")
}

/// The process that carries the scenario out.
fn storm_of(run: &Child) -> u32 {
    for _ in 0..200 {
        let family = tree::family(run.id());
        if let Some(storm) = family.iter().find(|one| one.command.ends_with("__scenario")) {
            return storm.pid;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no storm has begun within 10 s");
}

/// Seconds that a process has lived.
fn age_s(pid: u32) -> f64 {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    #[allow(clippy::cast_precision_loss)] // ticks of a machine that did not run for ever
    let began = system::all()[&pid].start as f64 / TICKS;
    uptime - began
}

/// The lines of what is there of a history, however it ends.
fn lines(history: &Path) -> Vec<Value> {
    let (mut text, mut some) = (Vec::new(), [0; 4_096]);
    let file = std::fs::File::open(history).expect("a history was begun");
    if let Ok(mut from) = zstd::Decoder::new(file) {
        while let Ok(count @ 1..) = from.read(&mut some) {
            text.extend_from_slice(&some[..count]);
        }
    }
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// The second of the scenario's clock at which an event was recorded.
fn moment_s(event: &Value) -> f64 {
    let at = ["last", "t_end", "at"].into_iter().find_map(|key| event[key].as_f64());
    at.unwrap_or_default() / 1e9
}

#[test]
#[ignore = "takes minutes: 20 storms are begun and killed"]
fn what_a_kill_costs() {
    let mut ages_ms = Vec::new();
    for nth in 0..KILLS {
        let folder = tempfile::tempdir().unwrap();
        let mut run = start(folder.path());
        let storm = storm_of(&run);
        // Squares leave no regular remainders.
        std::thread::sleep(Duration::from_millis(5_000 + nth * nth * 7_919 % 6_000));
        let age = age_s(storm);
        kill(Pid::from_raw(i32::try_from(storm).unwrap()), Signal::SIGKILL).unwrap();
        let code = run.wait().unwrap().code();
        let history = format!("runs/latest/scenarios/{SCENARIO}/history.ndjson.zst");
        let lines = lines(&folder.path().join(history));
        let operations = lines.iter().filter(|line| line["event"] == "operation").count();
        let newest = lines.iter().map(moment_s).fold(0.0, f64::max);
        let age_ms = (age - newest) * 1e3;
        println!(
            "killed at {age:.2} s: {operations} operations on disk, the newest event {age_ms:.0} ms old; \
             exit {code:?}"
        );
        ages_ms.push(age_ms);
    }
    ages_ms.sort_by(f64::total_cmp);
    let at = |share: usize| ages_ms[share * (ages_ms.len() - 1) / 100];
    println!("age of the newest event: median {:.0} ms, largest {:.0} ms", at(50), at(100));
    // The process is older than its clock by what it takes to start, some 20 ms.
    assert!(at(50) < 130.0, "{ages_ms:?}");
}

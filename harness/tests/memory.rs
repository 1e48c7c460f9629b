//! Proves how much memory judging needs for each upstream exchange. For a million of them, and the time:
//! `EXCHANGES=1000000 cargo test --release -p windthrow --test memory -- --nocapture`.
#![cfg(target_os = "linux")]

#[path = "../examples/day/day.rs"]
mod day;

use mock_server::clock::Clock;
use windthrow::evidence::build;
use windthrow::evidence::folder::RunFolder;

/// As the command has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes at the peak of judging, all told, for each exchange. Of a million each takes about 300 B, of which
/// 128 B are the exchange itself; of fewer a vector that has just grown takes more.
const AT_THE_PEAK: u64 = 400;
/// Enough that what is needed once does not count.
const EXCHANGES: u64 = 30_000;

/// A run with so many exchanges, as it is recorded.
fn recorded(exchanges: u64) -> (tempfile::TempDir, RunFolder) {
    let out = tempfile::tempdir().unwrap();
    let folder = day::record(out.path(), exchanges, 0).unwrap();
    (out, folder)
}

/// The most memory that this process ever had, bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

#[test]
fn judging_keeps_little_of_each_exchange() {
    let exchanges = std::env::var("EXCHANGES").map_or(EXCHANGES, |count| count.parse().unwrap());
    // What is needed once, whatever is judged.
    let (_small, few) = recorded(1_000);
    build::report(&few).unwrap();
    let (_out, many) = recorded(exchanges);
    let (before, clock) = (peak(), Clock::start());
    let report = build::report(&many).unwrap();
    let (took, peak) = (clock.now(), peak());
    assert_eq!(report.scenarios[0].evidence.exchanges, exchanges);
    let each = (peak - before) / exchanges;
    println!("{exchanges} exchanges: {took}, peak {} MB, {each} B each", peak / 1_000_000);
    assert!(each <= AT_THE_PEAK, "{each} B at the peak for each exchange");
}

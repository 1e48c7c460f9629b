//! Attacks what a real run recorded: bits are flipped, the end is cut off, another run's evidence is put in
//! its place. Each is noticed and named, and none of it is taken for a verdict.

use reports::report::{Ending, Report, Standing};
use std::path::{Path, PathBuf};
use std::process::Command;
use windthrow::evidence::build;
use windthrow::evidence::folder::RunFolder;

/// The shortest scenario.
const SCENARIO: &str = "steady-state";

/// Runs it, and returns the run's folder and what was found.
fn recorded(folder: &Path) -> (RunFolder, Report) {
    let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(["run", SCENARIO, "--seed", "7", "--no-config"])
        .current_dir(folder)
        .output()
        .expect("the binary runs");
    // On a loaded machine some of it is inconclusive; some held, which is what is attacked.
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 3)), "{code:?}: {}", String::from_utf8_lossy(&output.stdout));
    let run = RunFolder { path: std::fs::canonicalize(folder.join("runs/latest")).unwrap() };
    let report = build::report(&run).unwrap();
    assert!(says(&report, Standing::Held));
    (run, report)
}

fn says(report: &Report, verdict: Standing) -> bool {
    report.cells.iter().any(|cell| cell.verdict == verdict)
}

/// Numbers below `below`, the same in every test.
fn drawn(count: u64, below: usize) -> impl Iterator<Item = usize> {
    let mut state = 150_u64;
    (0..count).map(move |_| {
        // The multiplier and increment of Knuth's MMIX.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    })
}

/// What is left of the run when its history is this.
struct Attack {
    run: RunFolder,
    history: PathBuf,
}

impl Attack {
    /// It is refused with these words, or nothing is found out and the scenario says why.
    fn decides_nothing(&self, bytes: &[u8], what: &str) -> Option<Ending> {
        std::fs::write(&self.history, bytes).unwrap();
        let report = match build::report(&self.run) {
            Ok(report) => report,
            Err(refused) => {
                assert!(refused.to_string().contains("history.ndjson.zst"), "{what}: {refused}");
                return None;
            }
        };
        for verdict in [Standing::Held, Standing::Violated] {
            assert!(!says(&report, verdict), "{what}: {verdict:?}");
        }
        let scenario = &report.scenarios[0];
        let why = scenario.ending_reason.as_deref().unwrap_or_default();
        assert!(why.contains("history.ndjson.zst"), "{what}: {why}");
        Some(scenario.ending)
    }
}

#[test]
fn flipped_bits_cut_ends_and_other_runs_are_noticed_and_decide_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (run, report) = recorded(folder.path());
    let (other, _) = recorded(folder.path());
    let attack = Attack { history: run.history(SCENARIO), run };
    let whole = std::fs::read(&attack.history).unwrap();
    let text = zstd::decode_all(&whole[..]).unwrap();
    for bit in drawn(200, whole.len() * 8) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // A few bits say nothing: a header's that is reserved, one of two ways to say the same.
        if zstd::decode_all(&flipped[..]).is_ok_and(|same| same == text) {
            continue;
        }
        attack.decides_nothing(&flipped, &format!("bit {bit} of {}", whole.len() * 8));
    }
    for length in drawn(20, whole.len()).chain([whole.len() - 1]) {
        let ending = attack.decides_nothing(&whole[..length], &format!("{length} bytes"));
        assert_eq!(ending, Some(Ending::Interrupted), "{length} of {} bytes", whole.len());
    }
    let theirs = std::fs::read(other.history(SCENARIO)).unwrap();
    assert_eq!(attack.decides_nothing(&theirs, "another run's"), None);
    std::fs::write(&attack.history, &whole).unwrap();
    assert_eq!(build::report(&attack.run).unwrap().cells, report.cells);
}

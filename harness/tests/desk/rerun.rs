//! Proves that the command which is printed beside a verdict is true: copied into a shell it tests the
//! same target with the same plan, or says what is missing.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A name that a shell would take apart.
const FOLDER: &str = "it's \"my\" service";
/// What the target takes from the environment.
const VARIABLE: &str = "WINDTHROW_TEST_BREAKER";

struct Place {
    _all: tempfile::TempDir,
    /// Where runs are started.
    service: PathBuf,
    /// Where commands are copied to: another service stands there.
    elsewhere: PathBuf,
    programs: PathBuf,
}

impl Place {
    fn new() -> Self {
        let all = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = all.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let (service, elsewhere) = (folder(FOLDER), folder("elsewhere"));
        let programs = folder("programs");
        let program = env!("CARGO_BIN_EXE_windthrow");
        std::os::unix::fs::symlink(program, programs.join("windthrow")).unwrap();
        std::fs::write(elsewhere.join("windthrow.toml"), "[target.embedded]\n").unwrap();
        Self { _all: all, service, elsewhere, programs }
    }

    fn command(&self, program: &str, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:/usr/bin:/bin", self.programs.display());
        command.args(args).current_dir(folder).env("PATH", path).env(VARIABLE, "off");
        for name in ["WINDTHROW_SEED", "WINDTHROW_CONFIG", "WINDTHROW_OUT_DIR"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        let args = [&["run"], args].concat();
        self.command(env!("CARGO_BIN_EXE_windthrow"), &self.service, &args).output().unwrap()
    }

    /// The command line is copied into a shell somewhere else.
    fn copied(&self, line: &str) -> Command {
        self.command("sh", &self.elsewhere, &["-c", line])
    }

    /// What the last run of a folder says of itself: plan, target, and the commands that it prints.
    fn last(&self, folder: &Path) -> (Value, Value, [String; 2]) {
        let read = |name: &str| -> Value {
            let path = folder.join("runs/latest").join(name);
            let text = std::fs::read(&path).unwrap_or_else(|_| panic!("no {}", path.display()));
            serde_json::from_slice(&text).unwrap()
        };
        let (run, result) = (read("run.json"), read("result.json"));
        let line = |value: &Value| value["rerun"].as_str().unwrap().to_owned();
        let lines = [line(&result), line(&result["cells"][0])];
        (run["plan_hash"].clone(), run["target"].clone(), lines)
    }

    fn runs(&self, folder: &Path) -> usize {
        std::fs::read_dir(folder.join("runs")).map_or(0, Iterator::count)
    }
}

/// A service that does not come up: its run is over at once, and says as much of itself as another.
const SERVICE: &str = r#"
[target.spawn]
command = ["sh", "-c", "exit 3"]
pass_env = ["PATH", "WINDTHROW_TEST_BREAKER", "WINDTHROW_TEST_NOT_SET"]
"#;

#[test]
fn what_is_printed_beside_a_verdict_tests_the_same_target_with_the_same_plan() {
    let place = Place::new();
    std::fs::write(place.service.join("windthrow.toml"), SERVICE).unwrap();
    let contract = mock_server::profile::LINKTREE_V1.replacen("name = ", "name = \"mine\" # ", 1);
    std::fs::write(place.service.join("my contract.toml"), contract).unwrap();
    let from_catalogue = ["calibration", "--seed", "7", "--contract", "my contract.toml"];
    let from_plan = ["--plan", "edited.json", "cal"];
    for args in [&from_catalogue[..], &from_plan] {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        let (plan, target, lines) = place.last(&place.service);
        assert_eq!(target["kind"], "spawn");
        for line in lines {
            let runs = place.runs(&place.service);
            let output = place.copied(&line).output().unwrap();
            assert_eq!(output.status.code(), Some(5), "{line}: {output:?}");
            assert_eq!(place.runs(&place.service), runs + 1, "{line}");
            let (plan_again, target_again, _) = place.last(&place.service);
            assert_eq!((&plan_again, &target_again), (&plan, &target), "{line}");
            assert!(line.contains("${WINDTHROW_TEST_BREAKER?}") && !line.contains("off"), "{line}");
            // Whoever lacks the variable does not test something else.
            let output = place.copied(&line).env_remove(VARIABLE).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && said.contains(VARIABLE), "{line}: {said}");
            assert_eq!(place.runs(&place.service), runs + 1, "{line}");
        }
        let recorded = place.service.join("runs/latest/plan.json");
        std::fs::copy(recorded, place.service.join("edited.json")).unwrap();
    }
    assert_eq!(place.runs(&place.elsewhere), 0);
}

#[test]
fn the_reference_is_tested_again_even_where_another_target_is_configured() {
    let place = Place::new();
    std::fs::write(place.elsewhere.join("windthrow.toml"), SERVICE).unwrap();
    let args = ["steady-state", "--seed", "7", "--mutant", "accept-missing-on-links"];
    let output = place.run(&args);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (plan, target, lines) = place.last(&place.service);
    assert_eq!(target["mutant"], "accept-missing-on-links");
    let output = place.copied(&lines[1]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (plan_again, target_again, _) = place.last(&place.elsewhere);
    assert_eq!((plan_again, target_again), (plan, target), "{}", lines[1]);
}

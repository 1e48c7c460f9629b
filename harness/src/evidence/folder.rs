//! The layout of a run's folder and the identity that is written first.

use super::{format, hash};
use crate::config::target::TargetSpec;
use crate::evidence::judging_rules::JudgingRules;
use crate::failure::Failure;
use crate::files;
use crate::private;
use crate::rerun::Rerun;
use mock_server::clock::Clock;
use serde::{Deserialize, Serialize};
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};

/// The version of `run.json`.
pub const RUN_FORMAT: u32 = 3;

/// The file that is written last: a run's folder without it is not whole.
pub const LAST: &str = "result.json";

/// `run.json`: who ran what, where and when. Everything in a report that is not in the plan or the
/// histories comes from here, so that a report can be made again byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// [`RUN_FORMAT`].
    pub format: u32,
    /// The folder's name.
    pub run_id: String,
    /// RFC 3339.
    pub started: String,
    /// SHA-256 of `plan.json`.
    pub plan_hash: String,
    /// What was tested.
    pub target: TargetSpec,
    /// Which build of it, where that is known.
    #[serde(default)]
    pub version: Option<String>,
    /// SHA-256 of the configuration file, if there was one.
    #[serde(default)]
    pub config_hash: Option<String>,
    /// Severities, minimums and absent routes.
    #[serde(default)]
    pub judging: JudgingRules,
    /// What was called.
    pub rerun: Rerun,
    /// Windthrow's version.
    pub tool_version: String,
    /// Processor cores.
    pub cores: u32,
    /// Operating system and architecture.
    pub os: String,
    /// SHA-256 of the file itself, which every history names in its opening line; not in the file.
    #[serde(skip)]
    pub own_hash: String,
}

impl RunIdentity {
    /// Of a run of this version on this machine, which is not written yet.
    #[must_use]
    pub fn new(run_id: &str, plan_hash: &str, target: TargetSpec) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, NonZero::get);
        Self {
            format: RUN_FORMAT,
            run_id: run_id.to_owned(),
            started: String::new(),
            plan_hash: plan_hash.to_owned(),
            target,
            version: None,
            config_hash: None,
            judging: JudgingRules::default(),
            rerun: Rerun::default(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            cores: u32::try_from(cores).unwrap_or(0),
            os: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            own_hash: String::new(),
        }
    }
}

/// The file that says whose run it was.
const IDENTITY: &str = "run.json";
/// Where the scenarios' folders are.
const SCENARIOS: &str = "scenarios";

/// A run's folder, which only its owner may enter.
#[derive(Clone, Debug)]
pub struct RunFolder {
    /// Where it is.
    pub path: PathBuf,
}

impl RunFolder {
    /// Makes `out_dir/<time>-<id>` and points `out_dir/latest` at it.
    ///
    /// # Errors
    ///
    /// [`Failure::Setup`] when the folder cannot be made.
    pub fn create(out_dir: &Path, plan_hash: &str) -> Result<(Self, String, String), Failure> {
        let unwritable = |error| Failure::unwritable(out_dir, &error);
        let now = jiff::Timestamp::try_from(Clock::wall()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let started = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let stem = format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), &plan_hash[..6]);
        std::fs::create_dir_all(out_dir).map_err(unwritable)?;
        for attempt in 0.. {
            let name = if attempt == 0 { stem.clone() } else { format!("{stem}.{attempt}") };
            let path = out_dir.join(&name);
            match private::folder(&path) {
                Ok(()) => {
                    private::folder(&path.join(SCENARIOS)).map_err(unwritable)?;
                    point_latest(out_dir, &name);
                    return Ok((Self { path }, name, started));
                }
                // Two runs within one second: take the next name.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(unwritable(error)),
            }
        }
        unreachable!("there is always a next name")
    }

    /// The plan file.
    #[must_use]
    pub fn plan(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// The identity file.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.path.join(IDENTITY)
    }

    /// The folder of one scenario.
    #[must_use]
    pub fn scenario(&self, id: &str) -> PathBuf {
        self.path.join(SCENARIOS).join(id)
    }

    /// The history of one scenario.
    #[must_use]
    pub fn history(&self, id: &str) -> PathBuf {
        self.scenario(id).join("history.ndjson.zst")
    }

    /// Makes the folder of one scenario. A run's folder that is gone stays gone: what is recorded into
    /// another of its name would belong to no run.
    ///
    /// # Errors
    ///
    /// The operating system's word.
    pub fn make_scenario(&self, id: &str) -> io::Result<()> {
        let folder = self.scenario(id);
        for folder in folder.parent().into_iter().chain([&*folder]) {
            match private::folder(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes a file of the run, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Failure::Setup`] when it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path.join(name);
        files::write_whole(&path, bytes).map_err(|error| Failure::unwritable(&path, &error))
    }

    /// Writes the identity; returns the SHA-256 of its file.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    ///
    /// # Panics
    ///
    /// Never: an identity holds no maps with keys that JSON could not write.
    pub fn write_identity(&self, identity: &RunIdentity) -> Result<String, Failure> {
        let text = serde_json::to_vec_pretty(identity).expect("an identity is always valid JSON");
        self.write(IDENTITY, &text)?;
        Ok(hash::of(&text))
    }

    /// Whether everything was written that a run leaves behind.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.path.join(LAST).is_file()
    }

    /// From now on it is not whole, until [`LAST`] is written again.
    pub fn reopen(&self) {
        // Where it cannot be removed, nothing else can be written either, which is told.
        let _ = std::fs::remove_file(self.path.join(LAST));
    }

    /// What went wrong in it; when it is gone since it was made or found, that was it.
    #[must_use]
    pub fn or_gone(&self, failure: Failure) -> Failure {
        if self.identity().is_file() {
            return failure;
        }
        Failure::setup(
            format!("the run's folder {} was removed or renamed", self.path.display()),
            "what was recorded went with it; let it be until the run has ended",
        )
    }

    /// Reads the identity back.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] when the file is missing, broken or of another format.
    pub fn read_identity(&self) -> Result<RunIdentity, Failure> {
        let path = self.identity();
        let text =
            files::read_to_string(&path).map_err(|error| Failure::unreadable(&path, &error))?;
        format::check(
            &path,
            &text,
            RUN_FORMAT,
            "runs of another version are read by that version",
        )?;
        let identity: RunIdentity = serde_json::from_str(&text)
            .map_err(|error| Failure::json(&path, &text, &error, "is this a run's folder?"))?;
        Ok(RunIdentity { own_hash: hash::of(text.as_bytes()), ..identity })
    }
}

/// A convenience only: a file system without links costs no run.
fn point_latest(out_dir: &Path, name: &str) {
    let latest = out_dir.join("latest");
    let fresh = out_dir.join(format!(".latest-{name}"));
    if std::os::unix::fs::symlink(name, &fresh).is_ok() {
        let _ = std::fs::rename(&fresh, &latest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn two_runs_in_one_second_get_folders_of_their_own_and_latest_is_the_last() {
        let out = tempfile::tempdir().unwrap();
        let (_, first, _) = RunFolder::create(out.path(), "abcdef0123").unwrap();
        let (second, name, _) = RunFolder::create(out.path(), "abcdef0123").unwrap();
        assert_ne!(first, name);
        let mode = std::fs::metadata(&second.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let latest = std::fs::canonicalize(out.path().join("latest")).unwrap();
        assert_eq!(latest, std::fs::canonicalize(second.path).unwrap());
    }

    #[test]
    fn a_run_whose_folder_is_gone_says_so_and_does_not_bring_it_back() {
        let out = tempfile::tempdir().unwrap();
        let (folder, ..) = RunFolder::create(out.path(), "abcdef0123").unwrap();
        folder.write("run.json", b"{}").unwrap();
        for _ in 0..2 {
            folder.make_scenario("steady-state").unwrap();
        }
        let other = || Failure::usage("something else", "");
        assert_eq!(folder.or_gone(other()).exit(), other().exit());
        std::fs::remove_dir_all(&folder.path).unwrap();
        let gone = folder.or_gone(other());
        assert!(gone.exit() == Exit::Setup && gone.to_string().contains("removed"), "{gone}");
        let made = folder.make_scenario("steady-state").unwrap_err();
        assert_eq!((made.kind(), folder.path.exists()), (io::ErrorKind::NotFound, false));
    }

    #[test]
    fn a_folder_is_whole_from_its_last_file_on() {
        let out = tempfile::tempdir().unwrap();
        let (folder, ..) = RunFolder::create(out.path(), "abcdef0123").unwrap();
        assert!(!folder.is_whole());
        folder.write(LAST, b"{}").unwrap();
        assert!(folder.is_whole());
        folder.reopen();
        assert!(!folder.is_whole());
    }
}

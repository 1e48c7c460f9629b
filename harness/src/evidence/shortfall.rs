//! Why a scenario's recording is not whole, as the run saw it; `shortfall.json` in the scenario's folder.

use super::folder::RunFolder;
use crate::files;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// The file's name.
const FILE: &str = "shortfall.json";

/// What the run knows of a scenario that did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortfall {
    /// What became of it.
    pub kind: Kind,
    /// Why, in words.
    pub why: String,
}

/// What became of a scenario that did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Its own process said that it could not go on.
    Failed,
    /// Its process ended without a word, or did not end in time.
    Crashed,
    /// A person or a signal stopped the run.
    Interrupted,
}

impl Kind {
    /// Why what was recorded is not all.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Failed => "the scenario failed before its end",
            Self::Crashed => "the process that carried the scenario out did not come to its end",
            Self::Interrupted => "the scenario was interrupted",
        }
    }
}

impl Shortfall {
    /// Notes it in the scenario's folder.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn note(&self, folder: &RunFolder, scenario: &str) -> io::Result<()> {
        folder.make_scenario(scenario)?;
        files::write_whole(&folder.scenario(scenario).join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    /// What was noted; none of a scenario that came to its end. A note that cannot be read is one.
    #[must_use]
    pub fn noted(folder: &RunFolder, scenario: &str) -> Option<Self> {
        let path = folder.scenario(scenario).join(FILE);
        let read = files::read(&path);
        if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return None;
        }
        let unreadable = |error: io::Error| Self::unreadable(&path, &error);
        Some(read.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?)).unwrap_or_else(unreadable))
    }

    fn unreadable(path: &Path, error: &io::Error) -> Self {
        let why = format!("failed to read {}: {error}", path.display());
        Self { kind: Kind::Crashed, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_back_and_a_broken_note_is_no_whole_recording() {
        let out = tempfile::tempdir().unwrap();
        let folder = RunFolder { path: out.path().to_owned() };
        std::fs::create_dir(out.path().join("scenarios")).unwrap();
        assert_eq!(Shortfall::noted(&folder, "s"), None);
        for kind in [Kind::Failed, Kind::Crashed, Kind::Interrupted] {
            let shortfall = Shortfall { kind, why: "why\nso".into() };
            shortfall.note(&folder, "s").unwrap();
            assert_eq!(Shortfall::noted(&folder, "s"), Some(shortfall));
        }
        std::fs::write(folder.scenario("s").join(FILE), "{").unwrap();
        let broken = Shortfall::noted(&folder, "s").unwrap();
        assert!(broken.kind == Kind::Crashed && broken.why.contains(FILE), "{broken:?}");
    }
}

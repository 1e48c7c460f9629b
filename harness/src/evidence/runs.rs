//! The runs that are kept in one folder, and how a person names one of them.

use super::folder::RunFolder;
use crate::failure::Failure;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The runs of a folder by their names, which begin with the time of their start: the oldest first.
///
/// # Errors
///
/// [`Failure::Usage`] when the folder cannot be read; one that is not there has no runs.
pub fn all(out_dir: &Path) -> Result<Vec<RunFolder>, Failure> {
    let unreadable = |error| Failure::unreadable(out_dir, &error);
    let entries = match std::fs::read_dir(out_dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut runs = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let run = RunFolder { path: entry.path() };
        // A link, such as `latest`, is another name of one of them.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && run.identity().is_file() {
            runs.push(run);
        }
    }
    runs.sort_by_key(RunFolder::name);
    Ok(runs)
}

impl RunFolder {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Finds a run by its folder, by its name under `out_dir`, or by how its name or the id at the name's
    /// end begins.
    ///
    /// # Errors
    ///
    /// [`Failure::NothingMatched`] when none is a run, [`Failure::Usage`] when several begin so.
    pub fn find(out_dir: &Path, name: &str) -> Result<Self, Failure> {
        let candidates = [PathBuf::from(name), out_dir.join(name)];
        let exact = candidates.into_iter().map(|path| Self { path });
        if let Some(run) = exact.into_iter().find(|run| run.identity().is_file()) {
            return Ok(run);
        }
        let mut begin = Vec::new();
        if !name.is_empty() {
            let begins = |run: &Self| {
                let whole = run.name();
                whole.starts_with(name)
                    || whole.split_once('-').is_some_and(|(_, id)| id.starts_with(name))
            };
            begin = all(out_dir)?.into_iter().filter(begins).collect();
        }
        match begin.as_slice() {
            [run] => Ok(run.clone()),
            [] => {
                let out_dir = out_dir.display();
                let help = if name == "latest" {
                    format!(
                        "there are none in {out_dir} yet: windthrow run makes one; or say where they are with --out-dir"
                    )
                } else {
                    format!("name a folder with a run.json, or one in {out_dir}")
                };
                Err(Failure::NothingMatched { what: format!("no run {name}"), help })
            }
            several => {
                let names: Vec<String> = several.iter().map(Self::name).collect();
                Err(Failure::usage(
                    format!("{} runs begin with {name}: {}", several.len(), names.join(", ")),
                    "write more of the name",
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    fn run(out_dir: &Path, name: &str) {
        let folder = out_dir.join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("run.json"), "{}").unwrap();
    }

    #[test]
    fn a_run_is_found_by_its_folder_its_name_and_the_beginning_of_either_part() {
        let out = tempfile::tempdir().unwrap();
        let names =
            ["20260101T000000Z-abc123", "20260102T000000Z-abd456", "20260102T111111Z-fff000"];
        names.iter().rev().for_each(|name| run(out.path(), name));
        std::fs::create_dir(out.path().join("20260103T000000Z-nothing")).unwrap();
        std::os::unix::fs::symlink(names[2], out.path().join("latest")).unwrap();
        let listed: Vec<String> = all(out.path()).unwrap().iter().map(RunFolder::name).collect();
        assert_eq!(listed, names);
        let found = |name: &str| RunFolder::find(out.path(), name).map(|run| run.name());
        let folder = out.path().join(names[0]);
        for (asked, expected) in [
            (names[0], names[0]),
            (folder.to_str().unwrap(), names[0]),
            ("latest", "latest"),
            ("abc", names[0]),
            ("20260101", names[0]),
            ("20260102T1", names[2]),
            ("f", names[2]),
        ] {
            assert_eq!(found(asked).unwrap(), expected, "{asked}");
        }
        for (asked, exit, words) in [
            ("ab", Exit::Usage, "2 runs begin with ab: 20260101T000000Z-abc123, 20260102"),
            ("20260103", Exit::NothingMatched, "no run 20260103"),
            ("", Exit::NothingMatched, "no run"),
        ] {
            let refused = found(asked).unwrap_err();
            assert_eq!(refused.exit(), exit, "{asked}");
            assert!(refused.to_string().contains(words), "{refused}");
        }
        assert!(all(&out.path().join("none")).unwrap().is_empty());
    }
}

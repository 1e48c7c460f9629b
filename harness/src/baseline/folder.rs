//! A baseline on the disk: a folder with a file for each scenario, or one such file.

use super::Approved;
use super::file::{self, ENDING};
use crate::failure::Failure;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What insta adds to the name of a snapshot that waits for its review.
const PENDING: &str = "snap.new";

/// Whether a baseline stands there: a file of one, or a folder with one.
#[must_use]
pub fn is_there(path: &Path) -> bool {
    files(path).is_ok_and(|files| !files.is_empty())
}

/// Everything that was approved.
///
/// # Errors
///
/// [`Failure`] when nothing stands there, or a file is not what it must be.
pub fn read(path: &Path) -> Result<Vec<Approved>, Failure> {
    let files = files(path).map_err(|error| Failure::unreadable(path, &error))?;
    if files.is_empty() {
        return Err(Failure::usage(
            format!("{} holds no baseline: no file there ends in .{ENDING}", path.display()),
            format!("`windthrow baseline set --baseline {}` writes one from a run", path.display()),
        ));
    }
    files.iter().map(|file| file::read(file)).collect()
}

/// The files of a baseline, by name.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return fs::metadata(path).map(|_| vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == ENDING) {
            files.push(file);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// What waited for a review is decided: these are approved. Other scenarios' files stay.
///
/// # Errors
///
/// [`Failure::Setup`] when a file cannot be written.
pub fn write(folder: &Path, approved: &[Approved]) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    for one in approved {
        let path = file_of(folder, &one.scenario, ENDING);
        fs::write(&path, file::text(one)).map_err(|error| unwritable(&path, &error))?;
        let pending = file_of(folder, &one.scenario, PENDING);
        match fs::remove_file(&pending) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(unwritable(&pending, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Puts what was found beside what was approved, where insta looks for what waits for a review.
///
/// # Errors
///
/// [`Failure::Setup`] when it cannot be written.
pub fn write_pending(folder: &Path, found: &Approved) -> Result<PathBuf, Failure> {
    let path = file_of(folder, &found.scenario, PENDING);
    fs::write(&path, file::text(found)).map_err(|error| unwritable(&path, &error))?;
    Ok(path)
}

fn file_of(folder: &Path, scenario: &str, ending: &str) -> PathBuf {
    folder.join(format!("{scenario}.{ending}"))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::setup(
        format!("failed to write {}: {error}", path.display()),
        "choose another folder with --baseline, or make it writable",
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HELD, approved};
    use super::*;

    #[test]
    fn a_folder_holds_what_was_written_and_a_file_of_it_one_scenario() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("of").join("mine");
        assert!(!is_there(&folder));
        let all = ["brownout", "steady-state"].map(|id| approved(id, &[("base-url", HELD)]));
        write(&folder, &all[1..]).unwrap();
        write_pending(&folder, &all[1]).unwrap();
        assert_eq!(read(&folder).unwrap(), all[1..], "what waits for a review is not approved");
        write(&folder, &all).unwrap();
        assert_eq!(read(&folder).unwrap(), all);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing waits any more");
        assert_eq!(read(&folder.join("brownout.snap")).unwrap(), all[..1]);
        assert!(is_there(&folder) && is_there(&folder.join("brownout.snap")));
    }

    #[test]
    fn an_empty_folder_is_no_baseline_and_neither_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let said = |path: &Path| read(path).unwrap_err().to_string();
        assert!(said(folder.path()).contains("holds no baseline"));
        assert!(said(&folder.path().join("none")).contains("failed to read"));
    }
}

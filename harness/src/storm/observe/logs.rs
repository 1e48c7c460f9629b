//! Follows the log files that the configuration names, from where they ended before the target began.
//!
//! A file is followed to its end under whatever name it has then, so that a rotation by rename loses
//! nothing. Files beside it whose names begin with its own are pieces that bore its name for a short
//! time, or copies of what was cut off. What bore the name and cannot be read any more is said.

mod file;

use super::pieces::lines;
use super::search::{Search, Spot};
use super::torn::Torn;
use file::{Followed, Id, identity, is_packed};
use scenarios::observed::Place;
use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The log files of one target.
pub struct Logs {
    logs: Vec<Log>,
    search: Arc<Search>,
}

/// Everything that is written under one name.
struct Log {
    path: PathBuf,
    lines: Lines,
    /// The file that bears the name comes last.
    files: Vec<Followed>,
    /// What lay beside it when it was last looked at.
    known: HashSet<Id>,
    /// Files that bore the name and do not any more.
    turned: usize,
    /// Packed pieces that have appeared beside it.
    packed: usize,
    /// Pieces beside it that may be copies of what is still to be cut off.
    copies: usize,
}

/// Where lines go.
struct Lines {
    search: Arc<Search>,
    /// The log, as it is named in the configuration.
    name: String,
    count: u64,
    torn: Torn,
}

impl Lines {
    fn line(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let spot = || Spot(self.name.clone(), format!("line {}", self.count + 1));
        self.search.log_line(text.trim_end(), &mut self.torn, spot);
        self.count += lines(bytes);
    }

    fn unseen(&self, what: &str) {
        self.search.unseen(Place::Log, format!("the log {} {what}", self.name));
    }
}

impl Logs {
    /// Follows these files, each with the name that is shown for it. What they hold already is an
    /// earlier run's.
    #[must_use]
    pub fn of(files: Vec<(PathBuf, String)>, search: Arc<Search>) -> Self {
        let log = |(path, name)| Log::new(path, name, Arc::clone(&search));
        Self { logs: files.into_iter().map(log).collect(), search }
    }

    /// Searches what has been added since the last time; at the end also a line without an end.
    pub fn read(&mut self, at_the_end: bool) {
        for log in &mut self.logs {
            if let Err(error) = log.read(&self.search, at_the_end) {
                log.lines.unseen(&format!("could not be read: {error}"));
            }
        }
    }
}

impl Log {
    fn new(path: PathBuf, name: String, search: Arc<Search>) -> Self {
        let lines = Lines { search, name, count: 0, torn: Torn::default() };
        // What cannot be read now is tried again, and said, with the first look.
        let files = Followed::at(&path).and_then(Followed::past_its_end).ok().into_iter().collect();
        let beside = beside(&path).unwrap_or_default();
        let known = beside.iter().map(|one| one.0).collect();
        Self { path, lines, files, known, turned: 0, packed: 0, copies: 0 }
    }

    fn read(&mut self, search: &Search, at_the_end: bool) -> io::Result<()> {
        let mut cuts = Vec::new();
        for file in &mut self.files {
            cuts.extend(file.read(search, |bytes| self.lines.line(bytes))?);
        }
        let is_gone = self.turn(search, at_the_end)?;
        let found = self.look_beside(search, &mut cuts)?;
        if is_gone && found {
            self.lines.unseen("was rotated faster than it was read");
        }
        for _ in cuts {
            if self.copies == 0 {
                self.lines.unseen("was cut off, and what came last before that was not read");
            }
            self.copies = self.copies.saturating_sub(1);
        }
        if at_the_end {
            for file in &mut self.files {
                file.finish(search, |bytes| self.lines.line(bytes));
            }
            if self.packed > self.turned {
                let unread = self.packed - self.turned;
                let what = format!("has packed pieces that were not read before: {unread}");
                self.lines.unseen(&what);
            }
        }
        Ok(())
    }

    /// Goes over to the file that bears the name now; whether the one before has been removed already.
    fn turn(&mut self, search: &Search, at_the_end: bool) -> io::Result<bool> {
        let mut file = match Followed::at(&self.path) {
            Ok(file) => file,
            // Many files begin with their first line, and one that was removed has been read.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return if at_the_end && self.files.is_empty() { Err(error) } else { Ok(false) };
            }
            Err(error) => return Err(error),
        };
        if self.files.iter().any(|known| known.id() == file.id()) {
            return Ok(false);
        }
        let mut is_gone = false;
        if let Some(before) = self.files.last() {
            self.turned += 1;
            is_gone = before.is_begun() && before.is_removed()?;
        }
        file.read(search, |bytes| self.lines.line(bytes))?;
        self.files.push(file);
        Ok(is_gone)
    }

    /// Reads the pieces beside it that are new; whether there were any. A copy of what was cut off is
    /// read from where the original had been read to.
    fn look_beside(&mut self, search: &Search, cuts: &mut Vec<u64>) -> io::Result<bool> {
        let mut found = false;
        let beside = beside(&self.path)?;
        for (id, path) in &beside {
            let is_followed = self.files.iter().any(|file| file.id() == *id);
            if is_followed || self.known.contains(id) {
                continue;
            }
            if is_packed(path) {
                self.packed += 1;
                continue;
            }
            let piece = match Followed::at(path) {
                Ok(piece) => piece,
                // It was removed or renamed since it was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            found = true;
            let mut piece = match cuts.pop() {
                Some(from) => piece.from(from)?,
                None => {
                    self.copies += 1;
                    piece
                }
            };
            piece.read(search, |bytes| self.lines.line(bytes))?;
            // The file that bears the name stays the last one.
            self.files.insert(0, piece);
        }
        self.known = beside.into_iter().map(|one| one.0).collect();
        Ok(found)
    }
}

/// The files whose names begin with that of `path` and go on.
fn beside(path: &Path) -> io::Result<Vec<(Id, PathBuf)>> {
    let Some(name) = path.file_name() else { return Ok(Vec::new()) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = match fs::read_dir(folder.unwrap_or(Path::new("."))) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut beside = Vec::new();
    for entry in entries {
        let entry = entry?;
        let other = entry.file_name();
        let (name, other) = (name.as_encoded_bytes(), other.as_encoded_bytes());
        if other.len() == name.len() || !other.starts_with(name) {
            continue;
        }
        match entry.metadata() {
            Ok(data) if data.is_file() => beside.push((identity(&data), entry.path())),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    // Folders are listed in no order.
    beside.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(beside)
}

#[cfg(test)]
mod tests;

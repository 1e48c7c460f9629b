//! Follows the log files that the configuration names, from where they ended before the target began.

use super::search::{Search, Spot};
use scenarios::observed::Place;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

/// A longer line is searched in pieces.
const LINE: u64 = 64 * 1024;

/// The log files of one target.
pub struct Logs {
    files: Vec<Follow>,
    search: Arc<Search>,
}

struct Follow {
    path: PathBuf,
    /// As it is named in the configuration.
    name: String,
    read_to: u64,
    lines: u64,
}

impl Logs {
    /// Follows these files, each with the name that is shown for it. What they hold already is an
    /// earlier run's.
    #[must_use]
    pub fn of(files: Vec<(PathBuf, String)>, search: Arc<Search>) -> Self {
        let follow = |(path, name): (PathBuf, String)| {
            let read_to = path.metadata().map_or(0, |data| data.len());
            Follow { path, name, read_to, lines: 0 }
        };
        Self { files: files.into_iter().map(follow).collect(), search }
    }

    /// Searches what has been added since the last time; at the end also a line without an end.
    pub fn read(&mut self, at_the_end: bool) {
        for file in &mut self.files {
            match file.read(&self.search, at_the_end) {
                Ok(()) => {}
                // Many files begin with their first line.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !at_the_end => {}
                Err(error) => {
                    let what = format!("the log {} could not be read: {error}", file.name);
                    self.search.unseen(Place::Log, what);
                }
            }
        }
    }
}

impl Follow {
    fn read(&mut self, search: &Search, at_the_end: bool) -> io::Result<()> {
        let file = File::open(&self.path)?;
        if file.metadata()?.len() < self.read_to {
            // It was cut or replaced, as rotation does.
            self.read_to = 0;
        }
        let mut input = BufReader::new(file);
        input.seek(SeekFrom::Start(self.read_to))?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = io::Read::take(&mut input, LINE).read_until(b'\n', &mut line)? as u64;
            let whole = line.ends_with(b"\n") || read == LINE || (at_the_end && read > 0);
            if !whole {
                return Ok(());
            }
            self.read_to += read;
            self.lines += 1;
            let text = String::from_utf8_lossy(&line);
            let spot = || Spot(self.name.clone(), format!("line {}", self.lines));
            search.log_line(text.trim_end(), spot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::observe::canaries::{Canaries, Credentials};
    use crate::storm::recorder::Recorder;
    use mock_server::clock::Clock;
    use mock_server::redact::Kind;
    use mock_server::world::population::Population;
    use std::io::Write;

    const KEY: &str = "lt_live_0123456789abcdef";

    #[test]
    fn what_is_added_is_searched_once_also_after_a_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("history");
        let (recorder, writer) = Recorder::create(&history).unwrap();
        let linktree = vec![(KEY.to_owned(), Kind::ApiKey)];
        let credentials = Credentials { linktree, vault_token: "", session: "" };
        let canaries = Canaries::of(&credentials, &Population::default(), 7);
        let search = Arc::new(Search::new(Arc::new(canaries), &recorder, Clock::start()));
        let log = folder.path().join("app.log");
        std::fs::write(&log, format!("an earlier run: {KEY}\n")).unwrap();
        let mut logs = Logs::of(vec![(log.clone(), "app.log".into())], Arc::clone(&search));
        let add = |text: &str| {
            let mut file = File::options().append(true).open(&log).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        add("one\ntw");
        logs.read(false);
        add(&format!("o {KEY}\nthree"));
        logs.read(false);
        std::fs::write(&log, "four\n").unwrap();
        logs.read(false);
        add("five");
        logs.read(true);
        std::fs::remove_file(&log).unwrap();
        logs.read(true);
        search.finish(true);
        writer.finish().unwrap();
        let text = zstd::decode_all(File::open(history).unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].contains("\"source\":\"app.log\",\"spot\":\"line 2\""), "{text}");
        assert!(lines[0].contains("\"excerpt\":\"two [key]\""), "{text}");
        assert!(lines[1].contains("\"log_lines\":4"), "{text}"); // `three` was cut away
        assert!(lines[1].contains("the log app.log could not be read"), "{text}");
    }
}

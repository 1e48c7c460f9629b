//! Writes down what the limiter let go, so that the next process knows of it.
//!
//! One line for each request: milliseconds since 1970, and whose share of the cap it used. What the
//! kernel was given survives a kill; a loss of power takes longer than a window anyway.

use crate::{clock, linktree::Lane};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    time::Duration,
};
use tokio::time::Instant;

/// The file in the data folder.
const NAME: &str = "sent.log";

/// The open file, and one moment on both clocks.
pub struct Journal {
    file: File,
    now: Instant,
    wall_ms: i64,
}

impl Journal {
    /// Opens the file, with what was sent within `span` before now; the rest is forgotten.
    ///
    /// # Errors
    /// When the folder or the file cannot be used.
    pub fn open(folder: &Path, span: Duration) -> io::Result<(Self, Vec<(Instant, Lane)>)> {
        let (now, wall_ms) = (clock::now(), clock::wall_ms());
        fs::create_dir_all(folder)?;
        let path = folder.join(NAME);
        let before = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let span_ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        // The last line may have been cut off by the end of its process.
        let known = before.lines().filter_map(read).filter(|(sent, _)| wall_ms - sent < span_ms);
        let mut known: Vec<(i64, Lane)> = known.collect();
        known.sort_unstable_by_key(|(sent, _)| *sent);
        // Written anew beside the old one: a process that ends here loses neither.
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        let lines: String = known.iter().map(|(sent, lane)| line(*sent, *lane)).collect();
        file.write_all(lines.as_bytes())?;
        fs::rename(&beside, &path)?;
        let at = |sent: i64| match u64::try_from(wall_ms - sent) {
            Ok(ago) => now.checked_sub(Duration::from_millis(ago)).unwrap_or(now),
            Err(_) => now + Duration::from_millis(sent.abs_diff(wall_ms)),
        };
        let sent = known.into_iter().map(|(sent, lane)| (at(sent), lane)).collect();
        Ok((Self { file, now, wall_ms }, sent))
    }

    /// Writes down one request, before it is sent.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note(&self, at: Instant, lane: Lane) -> io::Result<()> {
        let since = at.saturating_duration_since(self.now);
        let sent = self.wall_ms + i64::try_from(since.as_millis()).unwrap_or(0);
        (&self.file).write_all(line(sent, lane).as_bytes())
    }
}

fn line(sent_ms: i64, lane: Lane) -> String {
    let lane = match lane {
        Lane::Pages => 'p',
        Lane::Clicks => 'c',
    };
    format!("{sent_ms} {lane}\n")
}

fn read(line: &str) -> Option<(i64, Lane)> {
    let (sent, lane) = line.split_once(' ')?;
    let lane = match lane {
        "p" => Lane::Pages,
        "c" => Lane::Clicks,
        _ => return None,
    };
    Some((sent.parse().ok()?, lane))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_were_written_and_a_torn_one_is_left_out() {
        for lane in [Lane::Pages, Lane::Clicks] {
            assert_eq!(read(line(17, lane).trim_end()), Some((17, lane)));
        }
        assert_eq!([read("17"), read("17 "), read(""), read("x p")], [None; 4]);
    }

    #[test]
    fn only_the_last_window_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let now = clock::wall_ms();
        let text = line(now - 70_000, Lane::Pages) + &line(now - 10_000, Lane::Clicks);
        fs::write(folder.path().join(NAME), text).unwrap();
        let (_, sent) = Journal::open(folder.path(), Duration::from_secs(60)).unwrap();
        assert_eq!(sent.iter().map(|(_, lane)| *lane).collect::<Vec<_>>(), [Lane::Clicks]);
        assert!(sent[0].0.elapsed() >= Duration::from_secs(10));
        let kept = fs::read_to_string(folder.path().join(NAME)).unwrap();
        assert_eq!(kept.lines().count(), 1);
    }
}

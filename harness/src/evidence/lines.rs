//! The lines of a history's file, one after the other, and how far they are what was written.
//!
//! A recording that broke off is believed as far as its last checkpoint; one that was altered not at all.

use scenarios::history::{HISTORY_FORMAT, LinesDigest, RunningDigest};
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// How the line begins that names the format, in every version.
const OPENED: &[u8] = br#"{"event":"opened""#;
/// How lines begin that vouch for those before them.
const CHECKPOINT: &[u8] = br#"{"event":"checkpoint""#;
/// The same, of the last line.
const CLOSED: &[u8] = br#"{"event":"closed""#;
/// The longest line, bytes: twice what can be said of the largest request that the mock reads.
const LONGEST: usize = 64 << 20;
/// The most memory that a file may ask for its decompression: 2 to the power of this, bytes.
const WINDOW_LOG: u32 = 23;

/// Why a history cannot be believed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file.
    #[error("failed to read the history: {0}")]
    Io(#[from] io::Error),
    /// A line is what was written, but no event of this version.
    #[error("failed to understand line {line} of the history: {source}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// Written by another version.
    #[error("the history has format {found}, this version reads format {HISTORY_FORMAT}")]
    Format {
        /// What it says.
        found: u32,
    },
    /// It is not what was written.
    #[error("the history is not what was recorded; noticed at line {line}: {what}")]
    Damaged {
        /// The line at which it is noticed, from 1.
        line: u64,
        /// What is noticed.
        what: String,
    },
    /// It was recorded by the run, and what the run was called with is not what stands there now.
    #[error(
        "run.json is not what was written: its SHA-256 begins with {found}, and the history says {wanted}"
    )]
    Identity {
        /// How the hash of what is there begins.
        found: String,
        /// How that of what was written does.
        wanted: String,
    },
    /// It is the evidence of something else.
    #[error("the history belongs to {what} {found}, not to {expected}")]
    Foreign {
        /// What it names otherwise.
        what: &'static str,
        /// What it names.
        found: String,
        /// What is judged.
        expected: String,
    },
}

/// The lines of a history as far as they are believed.
pub struct Believed {
    file: File,
    /// How many.
    lines: u64,
}

/// What vouches for the lines before it.
#[derive(Deserialize)]
struct Seal {
    digest: LinesDigest,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

impl Believed {
    /// Reads the file once, and compares it with its digests.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the file cannot be read, has another format, or is not what was written.
    pub fn check(file: File) -> Result<Self, ReadError> {
        let (mut digest, mut believed, mut closed, mut number) =
            (RunningDigest::default(), 0, false, 0);
        let mut lines = Lines::of(&file)?;
        while let Some(line) = lines.next().map_err(|error| broken(error, number + 1))? {
            number += 1;
            if number == 1 {
                opening(line)?;
            }
            if closed {
                return Err(damaged(number, "something stands behind the closing line"));
            }
            closed = line.starts_with(CLOSED);
            if closed || line.starts_with(CHECKPOINT) {
                let seal = serde_json::from_slice(line);
                let Seal { digest: said } = seal.map_err(|error| damaged(number, error))?;
                if said != digest.so_far() {
                    return Err(damaged(number, "its digest is not that of the lines before it"));
                }
                // A closing line is the end of a whole file, or it is none.
                believed = if closed { number - 1 } else { number };
            }
            digest.line(line);
        }
        believed += u64::from(closed && lines.at_end);
        Ok(Self { file, lines: believed })
    }

    /// Takes each line, in order, without its line feed.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when a line cannot be read or is not understood.
    pub fn each(
        &self,
        mut take: impl FnMut(&[u8]) -> Result<(), serde_json::Error>,
    ) -> Result<(), ReadError> {
        let mut lines = Lines::of(&self.file)?;
        for number in 1..=self.lines {
            let line = lines.next().map_err(|error| broken(error, number))?;
            let line = line.ok_or_else(|| damaged(number, "it changed while it was read"))?;
            take(line).map_err(|source| ReadError::Line { line: number, source })?;
        }
        Ok(())
    }
}

/// The first line names the format, before anything is understood.
fn opening(line: &[u8]) -> Result<(), ReadError> {
    if !line.starts_with(OPENED) {
        return Err(damaged(1, "it does not begin with its opening line"));
    }
    match serde_json::from_slice(line) {
        Ok(Head { format }) if format == HISTORY_FORMAT => Ok(()),
        Ok(Head { format }) => Err(ReadError::Format { found: format }),
        Err(error) => Err(damaged(1, error)),
    }
}

fn damaged(line: u64, what: impl ToString) -> ReadError {
    ReadError::Damaged { line, what: what.to_string() }
}

/// The operating system's errors have a number; the others are the decompression's.
fn broken(error: io::Error, line: u64) -> ReadError {
    if error.raw_os_error().is_some() { error.into() } else { damaged(line, error) }
}

/// The whole lines of a history, one after the other.
struct Lines<'f> {
    input: BufReader<zstd::Decoder<'static, BufReader<&'f File>>>,
    line: Vec<u8>,
    /// Whether the file came to its proper end.
    at_end: bool,
}

impl<'f> Lines<'f> {
    fn of(mut file: &'f File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut decoder = zstd::Decoder::new(file)?;
        decoder.window_log_max(WINDOW_LOG)?;
        let input = BufReader::with_capacity(1 << 18, decoder);
        Ok(Self { input, line: Vec::with_capacity(1 << 12), at_end: false })
    }

    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let most = LONGEST as u64 + 1;
        match self.input.by_ref().take(most).read_until(b'\n', &mut self.line) {
            // A recording that broke off: the file ends inside a frame or a line.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
            Ok(0) => {
                self.at_end = true;
                Ok(None)
            }
            Ok(_) if self.line.ends_with(b"\n") => {
                self.line.pop();
                Ok(Some(self.line.as_slice()))
            }
            Ok(_) if self.line.len() > LONGEST => {
                Err(io::Error::other(format!("it is longer than {} MiB", LONGEST >> 20)))
            }
            Ok(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::writer::HistoryWriter;
    use std::io::Write;

    const OPENING: &str = r#"{"event":"opened","format":10}"#;

    /// What is said of a file: how many lines are believed, or what is wrong.
    fn said(bytes: &[u8]) -> Result<u64, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Believed::check(file).map(|believed| believed.lines).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(bytes: &[u8], words: &str) {
        let error = said(bytes).unwrap_err();
        assert!(error.contains(words), "{error}");
    }

    /// An opening line, two more, and where `sealed` says so a checkpoint after each.
    fn written(sealed: bool) -> HistoryWriter<Vec<u8>> {
        let mut out = HistoryWriter::new(Vec::new()).unwrap();
        for line in [OPENING, "a", "b"] {
            out.line(line.as_bytes()).unwrap();
            if sealed {
                out.checkpoint().unwrap();
            }
        }
        out
    }

    fn closed(mut out: HistoryWriter<Vec<u8>>) -> Vec<u8> {
        let digest = serde_json::to_string(&out.digest()).unwrap();
        out.line(format!(r#"{{"event":"closed","digest":{digest}}}"#).as_bytes()).unwrap();
        out.finish().unwrap()
    }

    fn compressed(lines: &str) -> Vec<u8> {
        zstd::encode_all(lines.as_bytes(), 1).unwrap()
    }

    #[test]
    fn a_whole_file_is_believed_to_its_end_and_a_cut_one_as_far_as_its_last_checkpoint() {
        assert_eq!(said(&closed(written(false))), Ok(4));
        assert_eq!(said(&closed(written(true))), Ok(7));
        assert_eq!(said(&written(true).finish().unwrap()), Ok(6), "without a closing line");
        assert_eq!(said(&written(false).finish().unwrap()), Ok(0), "nothing vouches for any");
        assert_eq!(said(b""), Ok(0));
        let whole = closed(written(true));
        let mut believed = Vec::new();
        for length in 0..whole.len() {
            believed.push(said(&whole[..length]).unwrap());
        }
        assert!(believed.is_sorted(), "{believed:?}");
        believed.dedup();
        assert_eq!(believed, [0, 2, 4, 6], "never the closing line");
    }

    #[test]
    fn what_was_altered_left_out_or_added_is_noticed_and_named() {
        let whole = closed(written(true));
        let text = String::from_utf8(zstd::decode_all(&whole[..]).unwrap()).unwrap();
        assert_eq!(said(&compressed(&text)), Ok(7), "compressed anew it is the same");
        refused(&compressed(&text.replace("\na\n", "\nc\n")), "at line 4: its digest is not that");
        refused(&compressed(&text.replace("\na\n", "\n")), "its digest is not that");
        refused(&compressed(&format!("{text}x\n")), "line 8: something stands behind");
        refused(&compressed(&text[text.find('\n').unwrap() + 1..]), "begin with its opening line");
        refused(&compressed("{\"event\":\"opened\"}\n"), "missing field `format`");
        refused(
            &compressed(&format!("{OPENING}\n{{\"event\":\"closed\"}}\n")),
            "missing field `digest`",
        );
        refused(&[&whole[..], b"more"].concat(), "line 8");
        refused(b"no zstd at all", "line 1");
    }

    #[test]
    fn another_format_is_refused_before_any_line_is_understood() {
        for format in [5, 99] {
            let text =
                format!("{{\"event\":\"opened\",\"format\":{format},\"x\":1}}\n{{\"event\":9}}\n");
            let words = format!("has format {format}, this version reads format {HISTORY_FORMAT}");
            refused(&compressed(&text), &words);
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_held_in_memory() {
        let long = vec![b' '; LONGEST + 1];
        let bytes =
            zstd::encode_all(&[OPENING.as_bytes(), b"\n", &long[..]].concat()[..], 1).unwrap();
        assert!(bytes.len() < 1 << 20);
        refused(&bytes, "line 2: it is longer than 64 MiB");
    }

    /// Where a bit is without meaning to the decompression, what it gives is what was written.
    #[test]
    fn every_flipped_bit_is_noticed_or_changes_nothing() {
        let whole = closed(written(true));
        let text = zstd::decode_all(&whole[..]).unwrap();
        let mut unnoticed = 0;
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if said(&bytes) == Ok(7) {
                assert_eq!(zstd::decode_all(&bytes[..]).unwrap(), text, "bit {bit}");
                unnoticed += 1;
            }
        }
        assert!(unnoticed * 100 < whole.len() * 8, "{unnoticed} of {}", whole.len() * 8);
    }
}

//! Reads a recorded history, whole or broken off: what was written before a crash still counts.

use scenarios::case::Case;
use scenarios::history::{HISTORY_FORMAT, Operation};
use scenarios::plan::{Plan, RunPlan};
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// How the line of a front-door operation begins; a test holds it to the serialised form.
const OPERATION: &[u8] = br#"{"event":"operation""#;
/// How the line begins that names the format, in every version.
const OPENED: &[u8] = br#"{"event":"opened""#;

/// Why a history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file.
    #[error("failed to read the history: {0}")]
    Io(#[from] io::Error),
    /// A line in the middle is not an event.
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
}

/// First pass: everything but the operations.
///
/// # Errors
///
/// [`ReadError`] when the file cannot be opened, has another format, or a line in its middle is
/// broken.
pub fn read_case(path: &Path, run: &RunPlan, plan: &Plan) -> Result<Case, ReadError> {
    match format(path)? {
        Some(found) if found != HISTORY_FORMAT => return Err(ReadError::Format { found }),
        _ => {}
    }
    let mut case = Case::new(run, plan);
    each_line(path, |line| {
        if !line.starts_with(OPERATION) {
            case.take(serde_json::from_slice(line)?);
        }
        Ok(())
    })?;
    case.ready();
    Ok(case)
}

/// The format that a history says it has, before anything else in it is understood; none when the
/// recording broke off before.
fn format(path: &Path) -> Result<Option<u32>, ReadError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next()? {
        if line.starts_with(OPENED) {
            let head: serde_json::Result<Head> = serde_json::from_slice(line);
            let head = head.map_err(|source| ReadError::Line { line: lines.number, source })?;
            return Ok(Some(head.format));
        }
    }
    Ok(None)
}

/// Second pass: the operations, one by one, in the order of recording.
///
/// # Errors
///
/// [`ReadError`] when the file cannot be opened or a line in its middle is broken.
pub fn each_operation(path: &Path, mut see: impl FnMut(&Operation<'_>)) -> Result<(), ReadError> {
    each_line(path, |line| {
        if line.starts_with(OPERATION) {
            // The enum's tag would make serde buffer the whole line; the fields alone are parsed
            // directly, and the tag is passed over as an unknown field.
            let operation: Operation<'_> = serde_json::from_slice(line)?;
            see(&operation);
        }
        Ok(())
    })
}

fn each_line(
    path: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), serde_json::Error>,
) -> Result<(), ReadError> {
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next()? {
        take(line).map_err(|source| ReadError::Line { line: lines.number, source })?;
    }
    Ok(())
}

/// The whole lines of a history, one after the other.
struct Lines {
    input: BufReader<zstd::Decoder<'static, BufReader<File>>>,
    line: Vec<u8>,
    /// The number of the last one, from 1.
    number: u64,
}

impl Lines {
    fn open(path: &Path) -> io::Result<Self> {
        let input = BufReader::with_capacity(1 << 18, zstd::Decoder::new(File::open(path)?)?);
        Ok(Self { input, line: Vec::with_capacity(1 << 12), number: 0 })
    }

    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        self.number += 1;
        match self.input.read_until(b'\n', &mut self.line) {
            // A recording that broke off: the file ends inside a frame or a line.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
            Ok(_) => Ok(Some(&self.line[..]).filter(|line| line.ends_with(b"\n"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::recorder::Recorder;
    use mock_server::clock::Moment;
    use mock_server::profile::ContractProfile;
    use scenarios::catalogue::{Settings, run_plan};
    use scenarios::history::{Did, Event, Opened, PageView};
    use std::borrow::Cow;

    fn operation(index: u64) -> Operation<'static> {
        Operation {
            arrival: index,
            handle: Cow::Borrowed("ann \"the\" one"),
            intended: Moment(1),
            sent: Moment(2),
            first: Some(Moment(3)),
            last: Moment(4),
            status: Some(200),
            failure: None,
            did: Did::Page(PageView { version: Some("v1".into()), ..PageView::default() }),
        }
    }

    fn opened() -> Event<'static> {
        Event::Opened(Opened {
            format: HISTORY_FORMAT,
            scenario: "s".into(),
            plan_hash: "h".into(),
            target: "embedded".into(),
            mock_url: "http://127.0.0.1:1".into(),
        })
    }

    fn count(path: &Path) -> u64 {
        let mut seen = 0;
        each_operation(path, |operation| {
            assert_eq!(operation, &self::operation(operation.arrival));
            seen += 1;
        })
        .unwrap();
        seen
    }

    #[test]
    fn what_was_recorded_is_read_back_even_when_the_file_breaks_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson.zst");
        let (recorder, writer) = Recorder::create(&path).unwrap();
        recorder.record(opened());
        for index in 0..20_000 {
            recorder.record(Event::Operation(operation(index)));
        }
        assert_eq!(writer.finish().unwrap(), 20_001);
        assert_eq!(count(&path), 20_000);

        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let some = count(&path);
        assert!(some > 0 && some < 20_000, "{some}");
    }

    /// What reading a history says in which a fault of this kind hit an exchange.
    fn hit_by(kind: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson.zst");
        let line = format!(
            r#"{{"event":"exchange","id":1,"conn":1,"conn_seq":0,"method":"GET","target":"/v1/me","route":"me",
            "token":"live","body_bytes":0,"t_conn":0,"t_head":0,"t_req":0,"t_end":1,"end":"server-reset",
            "faults":[{{"rule":"r","kind":"{kind}","key":"k","nth":0}}]}}"#
        );
        let line = line.replace('\n', " ") + "\n";
        std::fs::write(&path, zstd::encode_all(line.as_bytes(), 0).unwrap()).unwrap();
        let contract = ContractProfile::linktree_v1();
        let run = run_plan(&Settings::default(), contract, &["steady-state"]);
        let read = read_case(&path, &run, &run.scenarios[0]);
        read.map(|_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_fault_that_this_version_does_not_know_is_not_taken_for_a_harmless_one() {
        assert_eq!(hit_by("reset"), Ok(()));
        let error = hit_by("meteor").unwrap_err();
        assert!(error.contains("line 1") && error.contains("the fault \"meteor\""), "{error}");
    }

    #[test]
    fn lines_begin_as_the_reader_expects() {
        let begins =
            |event: &Event<'_>, with: &[u8]| serde_json::to_vec(event).unwrap().starts_with(with);
        assert!(begins(&Event::Operation(operation(1)), OPERATION));
        assert!(begins(&opened(), OPENED));
    }

    #[test]
    fn another_format_is_refused_before_any_line_of_it_is_understood() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson.zst");
        let lines = "{\"event\":\"strange\"}\n{\"event\":\"opened\",\"format\":1}\n{\"event\":9}\n";
        std::fs::write(&path, zstd::encode_all(lines.as_bytes(), 1).unwrap()).unwrap();
        let contract = ContractProfile::linktree_v1();
        let run = run_plan(&Settings::default(), contract, &["calibration"]);
        let refused = read_case(&path, &run, &run.scenarios[0]).unwrap_err();
        assert!(matches!(refused, ReadError::Format { found: 1 }), "{refused}");
        assert!(refused.to_string().contains("format 1"), "{refused}");
    }
}

//! Reads a recorded history, whole or broken off: what was written before a crash still counts.

use scenarios::case::Case;
use scenarios::history::{Event, HISTORY_FORMAT, Operation};
use scenarios::plan::{Plan, RunPlan};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// How the line of a front-door operation begins; a test holds it to the serialised form.
const OPERATION: &[u8] = br#"{"event":"operation""#;

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
/// [`ReadError`] when the file cannot be opened or a line in its middle is broken.
pub fn read_case(path: &Path, run: &RunPlan, plan: &Plan) -> Result<Case, ReadError> {
    let mut case = Case::new(run, plan);
    let mut format = None;
    each_line(path, |line| {
        if !line.starts_with(OPERATION) {
            let event: Event<'_> = serde_json::from_slice(line)?;
            if let Event::Opened(opened) = &event {
                format = Some(opened.format);
            }
            case.take(event);
        }
        Ok(())
    })?;
    case.ready();
    match format {
        Some(found) if found != HISTORY_FORMAT => Err(ReadError::Format { found }),
        _ => Ok(case),
    }
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
    let mut input = BufReader::with_capacity(1 << 18, zstd::Decoder::new(File::open(path)?)?);
    let mut line = Vec::with_capacity(1 << 12);
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        match input.read_until(b'\n', &mut line) {
            // A recording that broke off: the file ends inside a frame or a line.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.into()),
            Ok(_) if line.last() != Some(&b'\n') => return Ok(()),
            Ok(_) => {
                take(&line).map_err(|source| ReadError::Line { line: number, source })?;
            }
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
    use scenarios::history::{Did, Opened, PageView};
    use scenarios::plan::Declared;
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
        let (contract, declared) = (ContractProfile::linktree_v1(), Declared::default());
        let run = run_plan(&Settings::default(), contract, declared, &["steady-state"]);
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
    fn an_operation_line_begins_as_the_reader_expects() {
        let line = serde_json::to_vec(&Event::Operation(operation(1))).unwrap();
        assert!(line.starts_with(OPERATION));
    }
}

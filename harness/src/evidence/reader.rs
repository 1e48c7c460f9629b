//! Reads a recorded history, whole or broken off: what was written before a crash still counts.

use super::folder::RunIdentity;
use super::hash;
use super::lines::Believed;
pub use super::lines::ReadError;
use crate::files;
use mock_server::clock::Moment;
use scenarios::case::Case;
use scenarios::history::{Event, Opened, Operation};
use scenarios::plan::{MAX_DURATION_MS, Plan, RunPlan};
use std::fs::File;
use std::path::Path;

/// How the line of a front-door operation begins; a test holds it to the serialised form.
const OPERATION: &[u8] = br#"{"event":"operation""#;
/// And that of an upstream exchange.
const EXCHANGE: &[u8] = br#"{"event":"exchange""#;

/// No recording goes on for longer: a plan lasts a day at most, and what comes before and after it less than
/// another one. Judges look at every moment of it.
const LATEST: Moment = Moment::from_ms(2 * MAX_DURATION_MS);

/// A history whose lines are what was written.
pub struct Recording(Believed);

impl Recording {
    /// Opens a history and compares it with its digests.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the file cannot be opened, has another format, or was altered.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Self::of(files::open(path)?)
    }

    pub(super) fn of(file: File) -> Result<Self, ReadError> {
        Believed::check(file).map(Self)
    }

    /// First pass: everything but the operations.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when a line is not understood.
    pub fn case(&self, run: &RunPlan, plan: &Plan) -> Result<Case, ReadError> {
        let mut case = Case::new(run, plan);
        self.0.each(|line| {
            if line.starts_with(EXCHANGE) {
                // As below.
                case.take(Event::Exchange(serde_json::from_slice(line)?));
            } else if !line.starts_with(OPERATION) {
                case.take(serde_json::from_slice(line)?);
            }
            in_time(&[case.harness.closed])
        })?;
        case.ready();
        Ok(case)
    }

    /// Second pass: the operations, one by one, in the order of recording.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when a line is not understood.
    pub fn each_operation(&self, mut see: impl FnMut(&Operation<'_>)) -> Result<(), ReadError> {
        self.0.each(|line| {
            if line.starts_with(OPERATION) {
                // The enum's tag would make serde buffer the whole line; the fields alone are parsed
                // directly, and the tag is passed over as an unknown field.
                let operation: Operation<'_> = serde_json::from_slice(line)?;
                in_time(&[operation.intended, operation.sent, operation.last])?;
                see(&operation);
            }
            Ok(())
        })
    }
}

/// Whether these moments may be those of a run.
fn in_time(moments: &[Moment]) -> Result<(), serde_json::Error> {
    match moments.iter().max() {
        Some(last) if *last > LATEST => Err(serde::de::Error::custom(format!(
            "it says what happened {last} after the beginning, and no run lasts longer than {LATEST}"
        ))),
        _ => Ok(()),
    }
}

/// Whether a history is that of this scenario of this run.
///
/// # Errors
///
/// [`ReadError::Foreign`], which names the first thing that is another's, or [`ReadError::Identity`].
pub fn belongs(opened: &Opened, identity: &RunIdentity, scenario: &str) -> Result<(), ReadError> {
    let facts = [
        ("scenario", opened.scenario.as_str(), scenario),
        ("run", opened.run.as_str(), identity.run_id.as_str()),
        ("the plan with SHA-256", opened.plan_hash.as_str(), identity.plan_hash.as_str()),
    ];
    if let Some((what, found, expected)) =
        facts.into_iter().find(|(_, found, expected)| found != expected)
    {
        let (found, expected) = (found.to_owned(), expected.to_owned());
        return Err(ReadError::Foreign { what, found, expected });
    }
    let (wanted, found) = (&opened.run_hash, &identity.own_hash);
    if wanted != found {
        let beginning = |hash: &str| hash::beginning(hash).to_owned();
        return Err(ReadError::Identity { found: beginning(found), wanted: beginning(wanted) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::writer::HistoryWriter;
    use crate::storm::recorder::Recorder;
    use mock_server::profile::ContractProfile;
    use scenarios::catalogue::{Settings, run_plan};
    use scenarios::history::{Did, HISTORY_FORMAT, Outcome, PageView};
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

    fn opened() -> Opened {
        Opened {
            format: HISTORY_FORMAT,
            run: "r".into(),
            run_hash: "i".into(),
            scenario: "s".into(),
            plan_hash: "h".into(),
            target: "embedded".into(),
            started: None,
        }
    }

    fn count(path: &Path) -> u64 {
        let mut seen = 0;
        let recording = Recording::open(path).unwrap();
        let see = |operation: &Operation<'_>| {
            assert_eq!(operation, &self::operation(operation.arrival));
            seen += 1;
        };
        recording.each_operation(see).unwrap();
        seen
    }

    #[test]
    fn what_was_recorded_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson.zst");
        let (recorder, writer) = Recorder::create(&path).unwrap();
        recorder.record(Event::Opened(opened()));
        for index in 0..20_000 {
            recorder.record(Event::Operation(operation(index)));
        }
        assert_eq!(writer.close(Moment(5), Outcome::Completed).unwrap(), 20_002);
        assert_eq!(count(&path), 20_000);
    }

    /// The recorder checkpoints as time passes, of which a quick machine may need less for all of them.
    #[test]
    fn of_a_file_that_breaks_off_what_a_checkpoint_vouches_for_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson.zst");
        let mut out = HistoryWriter::new(File::create(&path).unwrap()).unwrap();
        let line = |event: Event<'_>| serde_json::to_vec(&event).unwrap();
        out.line(&line(Event::Opened(opened()))).unwrap();
        for index in 0..20_000 {
            if index % 1_000 == 0 {
                out.checkpoint().unwrap();
            }
            out.line(&line(Event::Operation(operation(index)))).unwrap();
        }
        out.finish().unwrap();
        assert_eq!(count(&path), 19_000, "nothing vouches for the last of them");

        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let some = count(&path);
        assert!(some > 0 && some < 19_000 && some.is_multiple_of(1_000), "{some}");
    }

    /// What reading a history says in which a fault of this kind hit an exchange.
    fn hit_by(kind: &str) -> Result<(), String> {
        let line = format!(
            r#"{{"event":"exchange","id":1,"conn":1,"conn_seq":0,"method":"GET","target":"/v1/me","route":"me",
            "token":"live","body_bytes":0,"t_conn":0,"t_head":0,"t_req":0,"t_end":1,"end":"server-reset",
            "faults":[{{"rule":"r","kind":"{kind}","key":"k","nth":0}}]}}"#
        );
        read(&line.replace('\n', " "))
    }

    /// What reading a history says that has this line.
    fn read(line: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson.zst");
        let mut out = HistoryWriter::new(File::create(&path).unwrap()).unwrap();
        out.line(&serde_json::to_vec(&Event::Opened(opened())).unwrap()).unwrap();
        out.line(line.as_bytes()).unwrap();
        out.checkpoint().unwrap();
        out.finish().unwrap();
        let contract = ContractProfile::linktree_v1();
        let run = run_plan(&Settings::default(), contract, &["steady-state"]);
        let recording = Recording::open(&path).unwrap();
        let read = recording.case(&run, &run.scenarios[0]);
        let read = read.and_then(|_| recording.each_operation(|_| ()));
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn a_moment_that_no_run_reaches_is_refused_before_judges_go_there() {
        let two_days = 172_800_000_000_000;
        let ended = |at: u64| {
            let line = br#"{"event":"exchange","id":1,"conn":1,"conn_seq":0,"method":"GET","target":"/v1/me",
                "route":"me","token":"live","body_bytes":0,"t_conn":0,"t_head":0,"t_req":0,"t_end":AT,
                "end":"server-reset"}"#;
            let line = String::from_utf8_lossy(line).replace('\n', " ");
            read(&line.replace("AT", &at.to_string()))
        };
        let shown = |at: u64| {
            let operation = Operation { last: Moment(at), ..operation(1) };
            read(&serde_json::to_string(&Event::Operation(operation)).unwrap())
        };
        for of in [&ended as &dyn Fn(u64) -> Result<(), String>, &shown] {
            assert_eq!(of(two_days), Ok(()));
            for late in [two_days + 1, u64::MAX] {
                let error = of(late).unwrap_err();
                assert!(error.contains("line 2") && error.contains("no run lasts"), "{error}");
            }
        }
    }

    #[test]
    fn a_fault_that_this_version_does_not_know_is_not_taken_for_a_harmless_one() {
        assert_eq!(hit_by("reset"), Ok(()));
        let error = hit_by("meteor").unwrap_err();
        assert!(error.contains("line 2") && error.contains("the fault \"meteor\""), "{error}");
    }

    #[test]
    fn lines_begin_as_the_reader_expects() {
        let line = serde_json::to_vec(&Event::Operation(operation(1))).unwrap();
        assert!(line.starts_with(OPERATION));
    }

    #[test]
    fn a_pipe_is_no_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.ndjson.zst");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let said = Recording::open(&path).err().unwrap().to_string();
        assert_eq!(said, "failed to read the history: it is a pipe, not a file");
    }
}

//! What holds of whatever stands in the place of a history or a plan: it is read, or refused in words, and
//! judged without a crash. Called by the crate's tests and by targets of `cargo fuzz`.

use super::plans;
use super::reader::{ReadError, Recording};
use super::writer::HistoryWriter;
use crate::failure::Failure;
use crate::failure::fuzz::told;
use mock_server::history::exchange::Exchange;
use mock_server::profile::ContractProfile;
use scenarios::catalogue::{Settings, run_plan};
use scenarios::guarantees::GUARANTEES;
use scenarios::history::{Event, HISTORY_FORMAT};
use scenarios::judging::Judging;
use scenarios::plan::RunPlan;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::LazyLock;

/// What was planned of what is judged.
static RUN: LazyLock<RunPlan> = LazyLock::new(|| {
    run_plan(&Settings::default(), ContractProfile::linktree_v1(), &["steady-state"])
});

thread_local! {
    /// Written anew for each input.
    static SCRATCH: File = scratch();
}

/// A file without a name.
fn scratch() -> File {
    let path = std::env::temp_dir();
    let path = path.join(format!("fuzz-{}-{:?}", std::process::id(), std::thread::current().id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file
}

/// Reads a history's file.
///
/// # Panics
///
/// When something of the above does not hold.
pub fn history(bytes: &[u8]) {
    if let Err(error) = judged(bytes) {
        told(Failure::usage(error.to_string(), "record it again"));
    }
}

/// Reads a history of these lines: behind an opening line, and vouched for by its digest.
///
/// # Panics
///
/// When something of the above does not hold.
pub fn lines(text: &[u8]) {
    text.split(|byte| *byte == b'\n').for_each(line);
    history(&sealed(text));
}

/// Reads a plan, which means the same when it is written anew.
///
/// # Panics
///
/// When something of the above does not hold.
pub fn plan(bytes: &[u8]) {
    let (path, text) = (Path::new("plan.json"), String::from_utf8_lossy(bytes));
    match plans::parse(path, &text) {
        Err(failure) => assert!(told(failure).contains("plan.json")),
        Ok(plan) => {
            let (again, _) = plans::to_bytes(&plan);
            let again = String::from_utf8(again).unwrap();
            assert_eq!(plans::parse(path, &again).unwrap(), plan);
        }
    }
}

/// What is read of it is judged by every guarantee.
fn judged(bytes: &[u8]) -> Result<(), ReadError> {
    let recording = SCRATCH.with(|mut file| {
        file.rewind().unwrap();
        file.write_all(bytes).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        Recording::of(file.try_clone().unwrap())
    })?;
    let case = recording.case(&RUN, &RUN.scenarios[0])?;
    let mut judging = Judging::begin(&case, GUARANTEES);
    recording.each_operation(|operation| judging.operation(operation))?;
    for (id, verdict) in judging.verdicts().1 {
        let failed = verdict.reason.as_deref().is_some_and(|why| why.contains("itself failed"));
        assert!(!failed, "{id} crashed");
    }
    Ok(())
}

/// What is written of an event is read again and means the same; an exchange is read past the enum's tag as
/// the enum reads it.
fn line(line: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Event<'_>>(line) else { return };
    let again = serde_json::to_string(&event).unwrap();
    let read: Event<'_> = serde_json::from_str(&again).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), again);
    if let Event::Exchange(exchange) = event {
        let direct: Exchange = serde_json::from_slice(line).unwrap();
        assert_eq!(direct, *exchange);
    }
}

/// The file of a history with these lines.
pub(super) fn sealed(text: &[u8]) -> Vec<u8> {
    let mut out = HistoryWriter::new(Vec::new()).unwrap();
    if !text.starts_with(br#"{"event":"opened""#) {
        let opening = r#"{"event":"opened","run":"r","run_hash":"i","scenario":"steady-state","plan_hash":"h","target":"t","format":"#;
        out.line(format!("{opening}{HISTORY_FORMAT}}}").as_bytes()).unwrap();
    }
    text.split(|byte| *byte == b'\n').for_each(|line| out.line(line).unwrap());
    out.checkpoint().unwrap();
    out.finish().unwrap()
}

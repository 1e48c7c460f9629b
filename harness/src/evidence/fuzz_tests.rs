//! Whatever stands in the place of a history or a plan: it is read, or refused in words, and judged without
//! a crash.

use super::plans;
use super::reader::{ReadError, Recording};
use super::writer::HistoryWriter;
use crate::mutations::inputs;
use mock_server::history::exchange::Exchange;
use mock_server::profile::ContractProfile;
use proptest::prelude::*;
use scenarios::catalogue::{Settings, run_plan};
use scenarios::guarantees::GUARANTEES;
use scenarios::history::{Event, HISTORY_FORMAT};
use scenarios::judging::Judging;
use scenarios::plan::RunPlan;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::LazyLock;

/// A line of each kind.
const LINES: &str = include_str!("../../../scenarios/src/history/lines.ndjson");
const SCENARIOS: [&str; 3] = ["steady-state", "calibration", "brownout"];
const WORDS: &[&str] = &[
    "null",
    "-1",
    "0",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "\"\"",
    "[]",
    "{}",
    "{\"event\":\"exchange\",",
    "{\"event\":\"operation\",",
    "\\u0000",
    "\\ud800",
    "\u{202e}",
    "\n",
    ",",
    "[[[[[[[[[[[[[[[[",
];

static PLANS: LazyLock<Vec<RunPlan>> = LazyLock::new(|| {
    let of = |id| run_plan(&Settings::default(), ContractProfile::linktree_v1(), &[id]);
    SCENARIOS.map(of).into()
});

thread_local! {
    /// Written anew for each input.
    static SCRATCH: File = tempfile::tempfile().unwrap();
}

fn open(bytes: &[u8]) -> Result<Recording, ReadError> {
    SCRATCH.with(|mut file| {
        file.rewind().unwrap();
        file.write_all(bytes).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        Recording::of(file.try_clone().unwrap())
    })
}

fn in_words(error: &ReadError) {
    assert!(error.to_string().len() > 20, "{error}");
}

/// These lines, vouched for by their digest.
fn sealed(text: &[u8]) -> Vec<u8> {
    let mut out = HistoryWriter::new(Vec::new()).unwrap();
    text.split(|byte| *byte == b'\n').for_each(|line| out.line(line).unwrap());
    out.checkpoint().unwrap();
    out.finish().unwrap()
}

/// What is read of it is judged by every guarantee.
fn read(recording: Result<Recording, ReadError>) -> Result<(), ReadError> {
    let run = &PLANS[0];
    let recording = recording?;
    let case = recording.case(run, &run.scenarios[0])?;
    let mut judging = Judging::begin(&case, GUARANTEES);
    recording.each_operation(|operation| judging.operation(operation))?;
    for (id, verdict) in judging.verdicts().1 {
        let failed = verdict.reason.as_deref().is_some_and(|why| why.contains("itself failed"));
        assert!(!failed, "{id} crashed");
    }
    Ok(())
}

/// An exchange is read past the enum's tag: as the enum reads it.
fn check_line(line: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Event<'_>>(line) else { return };
    let again = serde_json::to_vec(&event).unwrap();
    assert!(serde_json::from_slice::<Event<'_>>(&again).is_ok(), "{event:?}");
    if let Event::Exchange(exchange) = event {
        let direct: Exchange = serde_json::from_slice(line).unwrap();
        assert_eq!(direct, *exchange);
    }
}

fn lines() -> Vec<Vec<u8>> {
    let opening = r#"{"event":"opened","format":FORMAT,"run":"r","run_hash":"i","scenario":"steady-state","plan_hash":"h","target":"t"}"#;
    let opening = opening.replace("FORMAT", &HISTORY_FORMAT.to_string());
    // Each alone behind an opening line, and all together but for those that vouch for others.
    let alone = LINES.lines().map(|line| format!("{opening}\n{line}").into_bytes());
    let others: Vec<&str> = LINES.lines().filter(|line| !line.contains("\"digest\"")).collect();
    alone.chain([others.join("\n").into_bytes()]).collect()
}

proptest! {
    #[test]
    fn a_history_of_any_lines_is_judged_or_refused_in_words(text in inputs(lines(), WORDS)) {
        text.split(|byte| *byte == b'\n').for_each(check_line);
        if let Err(error) = read(open(&sealed(&text))) {
            in_words(&error);
        }
    }

    #[test]
    fn a_history_of_any_bytes_is_judged_or_refused_in_words(
        bytes in inputs(lines().iter().map(|text| sealed(text)).collect(), &["\u{fffd}/"]),
    ) {
        if let Err(error) = read(open(&bytes)) {
            in_words(&error);
        }
    }

    #[test]
    fn a_plan_of_any_text_is_lawful_or_refused_in_words(
        bytes in inputs(PLANS.iter().map(|plan| plans::to_bytes(plan).0).collect(), WORDS),
    ) {
        let text = String::from_utf8_lossy(&bytes);
        match plans::parse(Path::new("plan.json"), &text) {
            Err(failure) => prop_assert!(failure.to_string().len() > 20, "{}", failure),
            Ok(plan) => {
                let (again, _) = plans::to_bytes(&plan);
                let again = String::from_utf8(again).unwrap();
                prop_assert_eq!(plans::parse(Path::new("plan.json"), &again).unwrap(), plan);
            }
        }
    }
}

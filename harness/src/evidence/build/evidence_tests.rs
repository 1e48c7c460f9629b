//! Evidence that is broken, cut, or another's: it is refused or inconclusive by name, nothing of it holds,
//! and what was seen broken before a crash stays so.

use super::tests::{SCENARIO, opened, planned};
use super::*;
use crate::cli::FailOn;
use crate::commands::run::exit;
use crate::evidence::shortfall::{Kind, Shortfall};
use crate::evidence::writer::HistoryWriter;
use crate::failure::Exit;
use mock_server::clock::Moment;
use reports::report::Ending;
use scenarios::history::{Event, GeneratorReport, HISTORY_FORMAT, Outcome, Tolerances};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is written behind the opening line of a run with 30 calls, of which the last names no JSON where
/// `broken` says so.
fn storm(broken: bool) -> Vec<Event<'static>> {
    let mut events = vec![
        Event::Mock { url: "http://127.0.0.1:1".into() },
        Event::Tolerances(Tolerances::default()),
        Event::Armed { at: Moment::from_ms(1) },
        Event::Generator(GeneratorReport::default()),
    ];
    events.extend((0..30).map(|n| call(n, broken && n == 29)));
    events
}

fn call(n: u64, broken: bool) -> Event<'static> {
    let (method, route, target) = [
        ("GET", "profile", "/v1/profiles/page-0001"),
        ("GET", "profile-links", "/v1/profiles/page-0001/links"),
        ("POST", "clicks", "/v1/clicks"),
    ][n as usize % 3];
    let at = 2_000_000 + n * 1_000_000;
    let accept = if broken { "text/html" } else { "application/json" };
    let mut exchange = serde_json::json!({
        "id": n, "conn": 1, "conn_seq": n, "method": method, "route": route,
        "target": target, "host": "127.0.0.1:1", "token": "live", "key_places": ["bearer-header"],
        "accept": accept, "body_bytes": 0, "t_conn": 0, "t_head": at, "t_req": at, "t_w": at + 9,
        "t_end": at + 9, "end": "complete", "status": 200,
    });
    if method == "POST" {
        exchange["body_bytes"] = 9.into();
        exchange["content_type"] = "application/json".into();
    }
    Event::Exchange(serde_json::from_value(exchange).unwrap())
}

/// A history's bytes: a checkpoint after every fifth line, and a closing line where it has one.
fn bytes(events: &[Event<'_>], closes: bool) -> Vec<u8> {
    let mut out = HistoryWriter::new(Vec::new()).unwrap();
    for (index, event) in events.iter().enumerate() {
        out.line(&serde_json::to_vec(event).unwrap()).unwrap();
        if index % 5 == 4 {
            out.checkpoint().unwrap();
        }
    }
    if closes {
        let (at, outcome, digest) = (Moment::from_ms(40), Outcome::Completed, out.digest());
        out.line(&serde_json::to_vec(&Event::Closed { at, outcome, digest }).unwrap()).unwrap();
    } else {
        out.checkpoint().unwrap();
    }
    out.finish().unwrap()
}

/// A run's folder, and what is written into its history.
struct Rig {
    _out: tempfile::TempDir,
    folder: RunFolder,
    history: PathBuf,
    opening: Event<'static>,
}

impl Rig {
    fn new() -> Self {
        let (out, folder, identity) = planned();
        let opening = opened(HISTORY_FORMAT, &identity);
        Self { _out: out, history: folder.history(SCENARIO), folder, opening }
    }

    fn whole(&self, broken: bool) -> Vec<u8> {
        bytes(&[vec![self.opening.clone()], storm(broken)].concat(), true)
    }

    fn write(&self, bytes: &[u8]) {
        std::fs::write(&self.history, bytes).unwrap();
    }

    fn judged(&self) -> Judged {
        let report = report(&self.folder).unwrap();
        let exit = exit(&report, report.verdict, FailOn::Inconclusive);
        let cells = report.cells.into_iter();
        let cells = cells.map(|cell| (cell.guarantee, (cell.verdict, cell.reason))).collect();
        let scenario = report.scenarios.into_iter().next().unwrap();
        let why = scenario.ending_reason.unwrap_or_default();
        Judged { cells, ending: scenario.ending, why, exit }
    }

    fn refused(&self, words: &str) {
        let failure = report(&self.folder).unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        let says = failure.to_string();
        assert!(says.contains(words) && says.contains("history.ndjson.zst"), "{says}");
    }
}

struct Judged {
    cells: BTreeMap<String, (Standing, Option<String>)>,
    ending: Ending,
    why: String,
    exit: Exit,
}

impl Judged {
    fn has(&self, verdict: Standing) -> bool {
        self.cells.values().any(|cell| cell.0 == verdict)
    }

    fn of(&self, guarantee: &str) -> Standing {
        self.cells[guarantee].0
    }

    fn reason(&self, guarantee: &str) -> &str {
        self.cells[guarantee].1.as_deref().unwrap_or_default()
    }
}

#[test]
fn whole_evidence_is_judged_either_way() {
    let rig = Rig::new();
    for (broken, verdict, exit) in
        [(false, Standing::Held, Exit::Inconclusive), (true, Standing::Violated, Exit::Violated)]
    {
        rig.write(&rig.whole(broken));
        let judged = rig.judged();
        assert_eq!(judged.of("json-headers"), verdict, "{}", judged.reason("json-headers"));
        assert_eq!(judged.of("base-url"), Standing::Held, "{}", judged.reason("base-url"));
        assert_eq!((judged.ending, judged.exit), (Ending::Completed, exit));
    }
}

#[test]
fn nothing_holds_without_its_opening_facts() {
    let rig = Rig::new();
    let without = |left_out: fn(&Event<'_>) -> bool| {
        let all = [vec![rig.opening.clone()], storm(true)].concat();
        rig.write(&bytes(
            &all.into_iter().filter(|event| !left_out(event)).collect::<Vec<_>>(),
            true,
        ));
        rig.judged()
    };
    let check = |left_out: fn(&Event<'_>) -> bool, names: &str, json_headers| {
        let judged = without(left_out);
        assert!(!judged.has(Standing::Held), "without {names}");
        assert_eq!(judged.of("json-headers"), json_headers, "without {names}");
        assert!(judged.reason("base-url").contains(names), "{}", judged.reason("base-url"));
    };
    let (unknown, broken) = (Standing::Inconclusive, Standing::Violated);
    check(|event| matches!(event, Event::Mock { .. }), "(mock)", unknown);
    check(|event| matches!(event, Event::Armed { .. }), "(armed)", unknown);
    check(|event| matches!(event, Event::Tolerances(_)), "(tolerances)", unknown);
    check(|event| matches!(event, Event::Generator(_)), "(generator)", broken);
    check(|event| matches!(event, Event::Opened(_)), "begin with its opening line", unknown);
}

#[test]
fn evidence_of_another_scenario_run_or_plan_is_refused_by_name() {
    let rig = Rig::new();
    let check = |change: fn(&mut scenarios::history::Opened), words: &str| {
        let mut opening = rig.opening.clone();
        if let Event::Opened(opened) = &mut opening {
            change(opened);
        }
        rig.write(&bytes(&[vec![opening], storm(false)].concat(), true));
        rig.refused(words);
    };
    check(
        |one| one.scenario = "calibration".into(),
        "to scenario calibration, not to steady-state",
    );
    check(|one| one.run = "other".into(), "belongs to run other, not to run");
    check(|one| one.plan_hash = "00".into(), "belongs to the plan with SHA-256 00, not to");
    check(|one| one.format = 99, "format 99");
}

/// Numbers below `below`, the same in every run.
fn drawn(count: u64, below: usize) -> impl Iterator<Item = usize> {
    let mut state = 7_u64;
    (0..count).map(move |_| {
        // The multiplier and increment of Knuth's MMIX.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % below
    })
}

#[test]
fn a_flipped_bit_is_noticed_and_decides_nothing() {
    let rig = Rig::new();
    for broken in [false, true] {
        let whole = rig.whole(broken);
        let text = zstd::decode_all(&whole[..]).unwrap();
        for bit in drawn(300, whole.len() * 8) {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // A few bits say nothing: a header's that is reserved, one of two ways to say the same.
            if zstd::decode_all(&flipped[..]).is_ok_and(|same| same == text) {
                continue;
            }
            rig.write(&flipped);
            let Ok(report) = report(&rig.folder) else { continue };
            let says = |verdict| report.cells.iter().any(|cell| cell.verdict == verdict);
            assert!(!says(Standing::Held), "bit {bit} of {}", whole.len() * 8);
            assert!(broken || !says(Standing::Violated), "bit {bit}");
            let why = report.scenarios[0].ending_reason.as_deref().unwrap_or_default();
            assert!(why.contains("history.ndjson.zst"), "{why}");
        }
    }
}

#[test]
fn evidence_that_is_cut_off_never_holds_and_is_only_broken_where_the_whole_is() {
    let rig = Rig::new();
    for broken in [false, true] {
        let (whole, mut violated) = (rig.whole(broken), 0);
        for length in (0..whole.len()).step_by(7) {
            rig.write(&whole[..length]);
            let judged = rig.judged();
            assert!(!judged.has(Standing::Held), "{length} of {}", whole.len());
            assert_eq!(judged.ending, Ending::Interrupted);
            violated += usize::from(judged.has(Standing::Violated));
        }
        assert_eq!(violated > 0, broken, "{violated}");
    }
}

#[test]
fn what_was_seen_before_a_crash_is_judged_and_the_rest_is_inconclusive_with_the_reason() {
    let rig = Rig::new();
    let unclosed = |broken| bytes(&[vec![rig.opening.clone()], storm(broken)].concat(), false);
    let check = |kind, broken, closes, (ending, exit): (Ending, Exit)| {
        let why = "signal: 9 (SIGKILL)\n";
        Shortfall { kind, why: why.into() }.note(&rig.folder, SCENARIO).unwrap();
        rig.write(&if closes { rig.whole(broken) } else { unclosed(broken) });
        let judged = rig.judged();
        assert_eq!((judged.ending, judged.exit), (ending, exit), "{kind:?}");
        assert_eq!(judged.why, why.trim());
        assert!(!judged.has(Standing::Held), "{kind:?}");
        assert_eq!(judged.has(Standing::Violated), broken, "{kind:?}");
        assert_eq!(judged.reason("base-url"), kind.words());
    };
    for closes in [false, true] {
        for kind in [Kind::Failed, Kind::Crashed] {
            check(kind, true, closes, (Ending::HarnessLost, Exit::Violated));
            check(kind, false, closes, (Ending::HarnessLost, Exit::Setup));
        }
        check(Kind::Interrupted, true, closes, (Ending::Interrupted, Exit::Violated));
        check(Kind::Interrupted, false, closes, (Ending::Interrupted, Exit::Inconclusive));
    }
}

#[test]
fn a_scenario_that_did_not_begin_says_why() {
    let rig = Rig::new();
    let check = |kind, ending, exit, reason: &str| {
        Shortfall { kind, why: "why".into() }.note(&rig.folder, SCENARIO).unwrap();
        for history in [None, Some(bytes(std::slice::from_ref(&rig.opening), false))] {
            let _ = std::fs::remove_file(&rig.history);
            history.iter().for_each(|bytes| rig.write(bytes));
            let judged = rig.judged();
            assert_eq!((judged.ending, judged.exit, &*judged.why), (ending, exit, "why"));
            assert_eq!(judged.reason("base-url"), reason);
        }
    };
    check(Kind::Failed, Ending::SetupFailed, Exit::Setup, "the scenario could not be set up");
    check(Kind::Crashed, Ending::HarnessLost, Exit::Setup, Kind::Crashed.words());
    check(Kind::Interrupted, Ending::Interrupted, Exit::Inconclusive, Kind::Interrupted.words());
}

#[test]
fn a_history_that_is_not_there_or_is_no_history_is_named() {
    let rig = Rig::new();
    let judged = rig.judged();
    assert_eq!((judged.ending, judged.exit), (Ending::Interrupted, Exit::Inconclusive));
    assert!(judged.why.contains("there is no scenarios/steady-state/history"), "{}", judged.why);
    rig.write(b"no history");
    let judged = rig.judged();
    assert_eq!((judged.ending, judged.exit), (Ending::EvidenceLost, Exit::Inconclusive));
    assert!(
        judged.why.starts_with("scenarios/steady-state/history.ndjson.zst: "),
        "{}",
        judged.why
    );
    assert!(judged.why.ends_with("put the recorded file back, or run the scenario again"));
}

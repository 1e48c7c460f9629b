//! A phase that is not what it is called is refused, with its place; one that is passes.

use crate::catalogue::{Settings, run_plan};
use crate::plan::{Pace, PhaseKind, RunPlan, Shape};
use mock_server::contract::Route;
use mock_server::faults::{
    Delay, Fault, Html, Kill, Latency, LoseAnswer, Matcher, Pick, Ratio, Refuse, Rule, ShortPages,
    Status, Strike, Window,
};
use mock_server::profile::ContractProfile;

fn plan_of(id: &str) -> RunPlan {
    run_plan(&Settings::default(), ContractProfile::linktree_v1(), &[id])
}

/// What is said of the phases of a catalogue plan after an edit, as far as it is about their kinds.
fn said(id: &str, edit: impl FnOnce(&mut RunPlan)) -> String {
    let mut run = plan_of(id);
    edit(&mut run);
    let problems = run.check().err().unwrap_or_default();
    let of_kinds = problems.iter().filter(|problem| problem.path.ends_with(".kind"));
    of_kinds.map(|problem| format!("{problem}\n")).collect()
}

/// The edit must be refused for its phase, in these words, with advice.
#[track_caller]
fn refused(id: &str, edit: impl FnOnce(&mut RunPlan), words: &[&str]) {
    let said = said(id, edit);
    let every = words.iter().all(|word| said.contains(word));
    assert!(every && said.contains('('), "{words:?}: {said}");
}

#[track_caller]
fn fine(id: &str, edit: impl FnOnce(&mut RunPlan)) {
    assert_eq!(said(id, edit), "");
}

const STORM: &str = "viral-spike";
const OUTAGE: &str = "outage-and-replay";
const ONE_BY_ONE: &str = "calibration";
const RETRIES: &str = "retry-gaps";

/// The first phase of a kind.
fn span(run: &RunPlan, kind: PhaseKind) -> Window {
    let phase = run.scenarios[0].phases.iter().find(|phase| phase.kind == kind).unwrap();
    Window { from_ms: phase.from_ms, until_ms: phase.until_ms }
}

/// Adds a rule over the first phase of a kind.
fn add(run: &mut RunPlan, kind: PhaseKind, fault: Fault) -> &mut Rule {
    let window = span(run, kind);
    let (matcher, pick) = (Matcher::default(), Pick::All);
    run.scenarios[0].faults.push(Rule { id: "added".into(), window, matcher, pick, fault });
    run.scenarios[0].faults.last_mut().unwrap()
}

/// The edit that does so.
fn with(kind: PhaseKind, fault: Fault) -> impl FnOnce(&mut RunPlan) {
    move |run| {
        add(run, kind, fault);
    }
}

fn rule<'r>(run: &'r mut RunPlan, id: &str) -> &'r mut Rule {
    run.scenarios[0].faults.iter_mut().find(|rule| rule.id == id).unwrap()
}

fn status(codes: &[u16]) -> Fault {
    Fault::Status(Status { codes: codes.to_vec(), retry_after: vec![] })
}

fn slow(ms: u64) -> Fault {
    Fault::Latency(Latency::Constant { ms })
}

#[test]
fn a_storm_without_faults_is_no_outage() {
    let call = |kind| {
        move |run: &mut RunPlan| {
            let phases = &mut run.scenarios[0].phases;
            phases.iter_mut().find(|phase| phase.kind == PhaseKind::Storm).unwrap().kind = kind;
        }
    };
    let place = "scenarios[0].phases.phase 2 (the spike).kind: it is called outage, but from ";
    refused(
        STORM,
        call(PhaseKind::Outage),
        &[place, "no rule fails all attempts", "call it storm"],
    );
    refused(STORM, call(PhaseKind::BreakerProbe), &["it is called breaker-probe"]);
    refused(
        STORM,
        call(PhaseKind::Settle),
        &["\"crowd\" sends visitors in it", "call the phase heal"],
    );
    fine(STORM, |run: &mut RunPlan| {
        run.scenarios[0].faults.clear();
        call(PhaseKind::Control)(run);
    });
}

#[test]
fn an_outage_is_total_at_every_instant() {
    let silent = |edit: fn(&mut Rule)| move |run: &mut RunPlan| edit(rule(run, "silent"));
    refused(OUTAGE, silent(|rule| rule.window.until_ms -= 7), &["ms no rule fails all attempts"]);
    let some = |rule: &mut Rule| rule.pick = Pick::Share { ratio: Ratio { hits: 9, of: 10 } };
    refused(OUTAGE, silent(some), &["no rule fails all attempts"]);
    let first = |rule: &mut Rule| rule.pick = Pick::Nth { from: 0, until: 1_000 };
    refused(OUTAGE, silent(first), &["no rule fails all attempts"]);
    let reads = |rule: &mut Rule| rule.matcher.routes = vec![Route::Profile, Route::ProfileLinks];
    refused(OUTAGE, silent(reads), &["no rule fails all attempts"]);
    let pages = |rule: &mut Rule| rule.matcher.handle = Some("page-*".into());
    refused(OUTAGE, silent(pages), &["no rule fails all attempts"]);
    fine(OUTAGE, silent(|rule| rule.fault = Fault::LoseAnswer(LoseAnswer {})));
    fine(OUTAGE, silent(|rule| rule.fault = status(&[500, 599])));
    fine(OUTAGE, silent(|rule| rule.pick = Pick::Share { ratio: Ratio { hits: 2, of: 2 } }));
    fine(OUTAGE, silent(|rule| rule.pick = Pick::Nth { from: 0, until: u64::MAX }));
}

#[test]
fn what_some_clients_survive_or_what_comes_in_the_way_is_no_outage() {
    let silent = |fault: Fault| move |run: &mut RunPlan| rule(run, "silent").fault = fault;
    refused(OUTAGE, silent(status(&[503, 429])), &["\"silent\" (status) may let attempts succeed"]);
    refused(OUTAGE, silent(Fault::Refuse(Refuse {})), &["no rule fails all attempts"]);
    refused(OUTAGE, silent(slow(600_000)), &["no rule fails all attempts"]);
    let beside = |fault| with(PhaseKind::Outage, fault);
    let page = Fault::Html(Html { status: Some(200) });
    refused(OUTAGE, beside(page), &["\"added\" (html) may let attempts succeed"]);
    fine(OUTAGE, beside(slow(50)));
    fine(OUTAGE, beside(Fault::Refuse(Refuse {})));
    fine(OUTAGE, beside(Fault::Delay(Delay { ms: 5 })));
    let kill = Fault::Kill(Kill { on: Strike::WindowStart, down_ms: 5 });
    fine(OUTAGE, beside(kill));
}

#[test]
fn after_the_heal_attempts_may_be_slow_but_not_fail() {
    let heal = |fault| with(PhaseKind::Heal, fault);
    refused(OUTAGE, heal(status(&[503])), &["called heal", "\"added\" (status) may fail attempts"]);
    refused(OUTAGE, heal(status(&[429])), &["\"added\" (status) may fail attempts"]);
    refused(OUTAGE, heal(Fault::Refuse(Refuse {})), &["\"added\" (refuse) may fail attempts"]);
    refused(OUTAGE, heal(slow(1_000)), &["\"added\" (latency) may fail attempts"]);
    fine(OUTAGE, heal(slow(999)));
    fine(OUTAGE, heal(Fault::Delay(Delay { ms: 5 })));
    fine(OUTAGE, heal(Fault::ShortPages(ShortPages { min: 1, max: 2 })));
    let kill = Fault::Kill(Kill { on: Strike::WindowStart, down_ms: 5 });
    refused(OUTAGE, heal(kill), &["\"added\" (kill) may strike in it"]);
    let never = |run: &mut RunPlan| {
        add(run, PhaseKind::Heal, status(&[503])).pick =
            Pick::Share { ratio: Ratio { hits: 0, of: 1 } };
    };
    fine(OUTAGE, never);
    let health = |run: &mut RunPlan| {
        add(run, PhaseKind::Heal, status(&[503])).matcher.routes = vec![Route::Health];
    };
    fine(OUTAGE, health);
}

#[test]
fn the_baseline_has_no_faults_and_a_warm_up_fills() {
    for fault in [slow(1), Fault::Delay(Delay { ms: 5 }), status(&[503])] {
        let control = with(PhaseKind::Control, fault);
        refused(OUTAGE, control, &["it is called control", "is at work in it"]);
    }
    let warmup = |fault| with(PhaseKind::Warmup, fault);
    refused(OUTAGE, warmup(status(&[503])), &["it is called warmup", "may fail attempts"]);
    fine(OUTAGE, warmup(slow(5)));
    let settle = with(PhaseKind::Settle, status(&[503]));
    refused(OUTAGE, settle, &["it is called settle", "may fail attempts"]);
}

#[test]
fn retry_gaps_need_failures_but_fewer_than_the_breaker() {
    let hits = |until| {
        move |run: &mut RunPlan| {
            rule(run, "first-failures").pick = Pick::Nth { from: 0, until };
        }
    };
    refused(RETRIES, hits(5), &["it is called retry-gaps", "5 times in a row", "at most 4"]);
    refused(RETRIES, |run| rule(run, "first-failures").pick = Pick::All, &["without end"]);
    fine(RETRIES, hits(1));
    let turns = |hits, of| {
        move |run: &mut RunPlan| {
            let ratio = Ratio { hits, of };
            rule(run, "first-failures").pick = Pick::InTurn { ratio };
        }
    };
    fine(RETRIES, turns(4, 5));
    refused(RETRIES, turns(5, 6), &["5 times in a row"]);
    refused(RETRIES, turns(5, 5), &["without end"]);
    let more = |handle: &'static str| {
        move |run: &mut RunPlan| {
            let added = add(run, PhaseKind::RetryGaps, status(&[500]));
            (added.matcher.handle, added.pick) =
                (Some(handle.into()), Pick::Nth { from: 0, until: 1 });
        }
    };
    refused(RETRIES, more("retry-0001"), &["\"first-failures\" (status), with what hits the same"]);
    refused(RETRIES, more("re*"), &["5 times in a row"]);
    fine(RETRIES, more("calm-*"));
    let soft = |run: &mut RunPlan| rule(run, "first-failures").fault = slow(5);
    refused(RETRIES, soft, &["no rule fails an attempt in it"]);
    let early = |run: &mut RunPlan| run.declared.breaker_failures = 4;
    refused(RETRIES, early, &["declared to open after 4"]);
    let few = |run: &mut RunPlan| run.declared.max_attempts = 4;
    refused(RETRIES, few, &["a call to have 4 attempts", "at most 3"]);
}

#[test]
fn a_breaker_is_read_from_one_visitor_after_the_other() {
    let stream = |id: &'static str, edit: fn(&mut crate::plan::Traffic)| {
        move |run: &mut RunPlan| {
            edit(run.scenarios[0].traffic.iter_mut().find(|stream| stream.id == id).unwrap());
        }
    };
    let open = |stream: &mut crate::plan::Traffic| {
        stream.pace = Pace::Open { shape: Shape::Steady { rate: 1 } };
    };
    for (scenario, id) in [(ONE_BY_ONE, "error-reader"), (RETRIES, "retry-reader")] {
        refused(scenario, stream(id, open), &[id, "do not wait for each other"]);
    }
    let early = |stream: &mut crate::plan::Traffic| stream.from_ms -= 1;
    fine(ONE_BY_ONE, stream("error-reader", early));
    let twice = |run: &mut RunPlan| {
        let stream = run.scenarios[0].traffic.iter().find(|one| one.id == "error-reader");
        let copy = crate::plan::Traffic { id: "copy".into(), ..stream.unwrap().clone() };
        run.scenarios[0].traffic.push(copy);
    };
    refused(ONE_BY_ONE, twice, &["\"error-reader\" and \"copy\" come at once"]);
}

//! The harness's own failures are seen, said, and never decide a verdict.

use super::*;
use crate::guarantees::{self, GUARANTEES};
use crate::history::{Change, GeneratorReport, Operation, Outcome};
use crate::plan::{Creators, Pace, PhaseKind, Shape, Step, Traffic};
use crate::promise::Sight;
use crate::testing::{History, page};
use crate::traffic::actions::Action;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use mock_server::history::record::Overload;

/// A history of ten visitors, one every second, who were sent so late, and what the generator says.
fn visited(late_ms: u64, report: Option<GeneratorReport>) -> History {
    let visit = |arrival: u64| Operation {
        arrival,
        intended: Moment::from_ms(arrival * 1_000),
        ..page("ann", arrival * 1_000 + late_ms, arrival * 1_000 + late_ms + 5, "v1")
    };
    let mut history = History::over(&[(PhaseKind::Control, 0, 60)]).operations((0..10).map(visit));
    history.case.harness.generator = report;
    history
}

fn report(scheduled: u64, sent: u64, late_us: u64) -> GeneratorReport {
    let mut report = GeneratorReport { scheduled, sent, ..GeneratorReport::default() };
    (0..sent).for_each(|_| report.lateness.record(Duration::from_micros(late_us)));
    report
}

fn health(history: &History) -> Health {
    let mut seen = Punctuality::of(&history.case);
    history.operations.iter().for_each(|operation| seen.operation(operation));
    Health::of(&history.case, seen)
}

/// The p99 in milliseconds and what is said of it.
fn check(late_ms: u64, report: Option<GeneratorReport>, expected: (u64, &[&str])) {
    let history = visited(late_ms, report);
    let health = health(&history);
    let p99_ms = health.lateness.as_ref().unwrap().quantile_us(MOST) / 1_000;
    assert!(p99_ms.abs_diff(expected.0) * 1_000 <= expected.0, "{p99_ms}, not {}", expected.0);
    let said: Vec<_> = health.troubles.iter().map(|trouble| trouble.words(&history.case)).collect();
    assert_eq!(said, expected.1, "{late_ms} ms");
}

#[test]
fn of_two_accounts_of_lateness_the_worse_counts_and_a_false_one_is_named() {
    let late = |p99, told| {
        format!(
            "the load generator was late: p99 {p99} of 10 arrivals, at most 20 ms is allowed{told}"
        )
    };
    check(0, Some(report(10, 10, 2)), (0, &[]));
    check(20, Some(report(10, 10, 20_000)), (20, &[]));
    check(
        2_500,
        Some(report(10, 10, 2)),
        (2_500, &[&late("2.5 s", ", though it said 2 µs of itself")]),
    );
    check(2_500, Some(report(10, 10, 2_500_000)), (2_500, &[&late("2.5 s", "")]));
    check(0, Some(report(10, 10, 103_000)), (103, &[&late("103 ms", "")]));
    check(30, None, (30, &[&late("30 ms", "")]));
}

/// Of few arrivals one is more than a hundredth.
#[test]
fn a_hiccup_is_no_lateness_of_the_generator() {
    let troubles = |late: u64| {
        let mut report = report(10 - late, 10 - late, 2_000);
        (0..late).for_each(|_| report.lateness.record(Duration::from_millis(66)));
        let report = GeneratorReport { scheduled: 10, sent: 10, ..report };
        health(&visited(0, Some(report))).troubles.len()
    };
    assert_eq!([troubles(1), troubles(2), troubles(3)], [0, 0, 1]);
}

#[test]
fn the_bound_on_lateness_is_the_plans() {
    let mut history = visited(30, None);
    assert_eq!(health(&history).troubles.len(), 1);
    history.case.plan.generator.p99_lateness_ms = 40;
    assert_eq!(health(&history).troubles, []);
}

#[test]
fn a_machine_that_was_too_inexact_is_said_and_decides_nothing() {
    let mut history = visited(0, None);
    let mut said = |delta_ms| {
        history.case.harness.delta = Duration::from_millis(delta_ms);
        let health = health(&history);
        let promise = promise(Stands::Never, Stands::Never);
        let held = verdict(VerdictKind::Held, 0);
        assert_eq!(health.applied_to(&promise, held, &history.case).kind, VerdictKind::Held);
        health.troubles.iter().map(|trouble| trouble.words(&history.case)).collect::<Vec<_>>()
    };
    assert_eq!(said(200), [""; 0]);
    let [words] = &said(800)[..] else { panic!("it is said once") };
    assert!(words.contains("800 ms are allowed") && words.contains("instead of 100 ms"), "{words}");
}

#[test]
fn where_nobody_arrived_no_lateness_is_told() {
    for report in [None, Some(GeneratorReport::default())] {
        let mut history = visited(0, report);
        history.operations.clear();
        let health = health(&history);
        assert_eq!((health.lateness, health.sent, health.peak_per_s), (None, 0, 0));
        assert_eq!(health.troubles, []);
    }
}

#[test]
fn arrivals_that_were_never_sent_or_left_no_trace_are_missed_in_a_whole_recording() {
    let stream = |share_per_mille| Traffic {
        id: "stream".into(),
        from_ms: 0,
        until_ms: 60_000,
        pace: Pace::Open { shape: Shape::Steady { rate: 1 } },
        creators: Creators::InTurn { group: "page".into() },
        does: vec![Step { action: Action::Page, share_per_mille }],
    };
    let missed = |share, report, outcome| {
        let mut history = visited(0, Some(report));
        history.case.plan.traffic = vec![stream(share)];
        history.case.harness.outcome = outcome;
        let said = |trouble: &Trouble| trouble.words(&history.case);
        health(&history).troubles.iter().map(said).collect::<Vec<_>>()
    };
    let whole = Some(Outcome::Completed);
    let none: [&str; 0] = [];
    assert_eq!(missed(1_000, report(10, 10, 0), whole.clone()), none);
    assert_eq!(
        missed(1_000, report(12, 10, 0), whole.clone()),
        ["2 of 12 arrivals were never sent"]
    );
    assert_eq!(
        missed(1_000, report(11, 11, 0), whole.clone()),
        ["1 of 11 arrivals were never sent"]
    );
    assert_eq!(missed(900, report(11, 11, 0), whole), none, "some come for nothing");
    assert_eq!(missed(1_000, report(12, 10, 0), Some(Outcome::Interrupted)), none);
}

fn verdict(kind: VerdictKind, at_ms: u64) -> Verdict {
    let witness = Witness::new(Moment::from_ms(at_ms), "broken");
    match kind {
        VerdictKind::Held => Verdict::held_over(1, "calls"),
        VerdictKind::Inconclusive => Verdict::inconclusive("too few"),
        VerdictKind::Violated => Verdict::from_witnesses(1, "calls", vec![witness]),
    }
}

fn promise(when_late: Stands, when_overloaded: Stands) -> Promise {
    Promise { when_late, when_overloaded, ..*GUARANTEES[0].promise() }
}

/// What becomes of held, inconclusive and violated.
fn stands(history: &History, promise: &Promise, at_ms: u64) -> [VerdictKind; 3] {
    let health = health(history);
    [VerdictKind::Held, VerdictKind::Inconclusive, VerdictKind::Violated]
        .map(|kind| health.applied_to(promise, verdict(kind, at_ms), &history.case).kind)
}

#[test]
fn each_promise_loses_by_lateness_what_its_file_says_and_no_more() {
    use VerdictKind::{Held, Inconclusive, Violated};
    let check = |when_late, expected: [VerdictKind; 3]| {
        let promise = promise(when_late, Stands::Always);
        assert_eq!(stands(&visited(103, None), &promise, 0), expected, "{when_late:?}");
        assert_eq!(stands(&visited(0, None), &promise, 0), [Held, Inconclusive, Violated]);
    };
    check(Stands::Always, [Held, Inconclusive, Violated]);
    check(Stands::IfViolated, [Inconclusive, Inconclusive, Violated]);
    check(Stands::IfHeld, [Held, Inconclusive, Inconclusive]);
    check(Stands::Never, [Inconclusive; 3]);
    let promise = promise(Stands::Never, Stands::Always);
    let history = visited(103, None);
    let said = |kind| {
        let verdict = health(&history).applied_to(&promise, verdict(kind, 0), &history.case);
        assert!(verdict.witnesses.is_empty() && verdict.violations == 0);
        verdict.reason.unwrap()
    };
    let late = "the load generator was late: p99 103 ms of 10 arrivals, at most 20 ms is allowed";
    assert_eq!(said(Held), late);
    assert_eq!(said(Inconclusive), format!("too few; {late}"));
    assert_eq!(said(Violated), format!("{late}; 1 violation was seen"));
}

#[test]
fn an_overloaded_mock_or_a_harness_that_stood_still_is_blamed_for_what_was_seen_meanwhile() {
    use VerdictKind::{Held, Inconclusive, Violated};
    let mut overloaded = visited(0, None);
    let what = "too many connections at once".to_owned();
    let said = |ms| Overload { at: Moment::from_ms(ms), what: what.clone() };
    overloaded.case.harness.overloads = vec![said(31_000), said(30_000)];
    overloaded.case.ready();
    let check = |history: &History, stand, at_ms, expected: [VerdictKind; 3]| {
        let promise = promise(Stands::Always, stand);
        assert_eq!(stands(history, &promise, at_ms), expected, "{stand:?} at {at_ms} ms");
    };
    check(&overloaded, Stands::Always, 30_500, [Held, Inconclusive, Violated]);
    check(&overloaded, Stands::IfViolated, 30_500, [Inconclusive, Inconclusive, Violated]);
    check(&overloaded, Stands::Never, 30_500, [Inconclusive; 3]);
    check(&overloaded, Stands::Never, 40_000, [Inconclusive, Inconclusive, Violated]);
    let trouble = &health(&overloaded).troubles[0];
    assert_eq!(
        trouble.words(&overloaded.case),
        "the mock was overloaded (2 times, first at 30.000 s: too many connections at once)"
    );

    let still = visited(0, None).lag(30_000, 400);
    check(&still, Stands::Never, 30_200, [Held, Inconclusive, Inconclusive]);
    check(&still, Stands::Never, 40_000, [Held, Inconclusive, Violated]);
    check(&still, Stands::IfViolated, 30_200, [Held, Inconclusive, Violated]);
    let exact = visited(0, None).lag(30_000, 90);
    check(&exact, Stands::Never, 30_000, [Held, Inconclusive, Violated]);
    let promise = promise(Stands::Always, Stands::Never);
    let verdict =
        health(&still).applied_to(&promise, verdict(Violated, 30_200), &still.case).reason;
    let expected =
        "it was seen only while the harness stood still (its timers were up to 400 ms late)";
    assert!(verdict.unwrap().starts_with(expected));
}

#[test]
fn a_target_that_had_no_processor_is_not_blamed_for_what_came_late_then() {
    use VerdictKind::{Held, Inconclusive, Violated};
    let check = |history: &History, overloaded, at_ms, expected| {
        let promise = promise(Stands::Always, overloaded);
        assert_eq!(stands(history, &promise, at_ms), expected, "{overloaded:?}, {at_ms}");
    };
    let starved = || visited(0, None).starved(30_000, 30_250, 100).starved(30_250, 30_500, 110);
    for within in [29_950, 30_400, 30_790] {
        check(&starved(), Stands::Never, within, [Held, Inconclusive, Inconclusive]);
    }
    check(&starved(), Stands::Never, 30_900, [Held, Inconclusive, Violated]);
    check(&starved(), Stands::Always, 30_400, [Held, Inconclusive, Violated]);
    let [trouble] = &health(&starved()).troubles[..] else { panic!("one trouble") };
    assert_eq!(
        trouble.words(&starved().case),
        "the machine was short of processors: the target waited 210 ms for one that others had (1 \
         time, first at 30.000 s)"
    );
    // As long as δ and ε is nothing.
    let hardly = visited(0, None).starved(30_000, 30_250, 150);
    check(&hardly, Stands::Never, 30_100, [Held, Inconclusive, Violated]);
    assert_eq!(health(&hardly).troubles, []);
}

/// More than are kept in words: each counts by when it was.
#[test]
fn of_many_violations_each_must_have_been_while_the_harness_was_slow_or_after_an_end() {
    let kind = |history: &History, at_ms: &[u64]| {
        let mut offences = Offences::default();
        for at in at_ms.iter().map(|ms| Moment::from_ms(*ms)) {
            offences.add(at, || Witness::new(at, "broken"));
        }
        let promise = promise(Stands::Always, Stands::Never);
        health(history).applied_to(&promise, offences.verdict(40, "calls"), &history.case).kind
    };
    let survived = Change::Survived { left: vec![], accepts: true, listeners: vec![] };
    let slow = [
        visited(0, None).starved(30_000, 30_250, 100).starved(30_250, 30_500, 110),
        visited(0, None).lag(30_000, 500),
        visited(0, None).killed_and(29_900, survived, 30_000),
    ];
    let many: Vec<u64> = (30_001..30_501).collect();
    for history in slow {
        assert_eq!(kind(&history, &many), VerdictKind::Inconclusive);
        assert_eq!(kind(&history, &[&many[..], &[20_000]].concat()), VerdictKind::Violated);
    }
}

#[test]
fn what_outlived_a_kill_is_said_and_nothing_that_builds_on_it_or_came_after_it_is_blamed() {
    use VerdictKind::{Held, Inconclusive, Violated};
    let survived = || Change::Survived { left: vec![], accepts: true, listeners: vec![] };
    let history = visited(0, None).killed_and(30_000, survived(), 30_500);
    let seeing = |sees| Promise { sees, ..promise(Stands::Always, Stands::Always) };
    let ends = seeing(&[Sight::Process]);
    assert_eq!(stands(&history, &ends, 30_001), [Inconclusive; 3]);
    let others = seeing(&[Sight::Upstream]);
    assert_eq!(stands(&history, &others, 30_001), [Held, Inconclusive, Inconclusive]);
    assert_eq!(
        stands(&history, &others, 29_999),
        [Held, Inconclusive, Violated],
        "before the kill"
    );
    let said = |history: &History| {
        let troubles = health(history).troubles;
        troubles.iter().map(|one| one.words(&history.case)).collect::<Vec<_>>()
    };
    let port = "its port still accepted connections";
    assert_eq!(said(&history), [format!("the target outlived its end at 30.000 s: {port}")]);
    let over = visited(0, None).process(59_000, Change::Stopped).process(59_001, survived());
    let left = format!("something of the target was left when all was over: {port}");
    assert_eq!(said(&over), [left]);
    assert_eq!(stands(&over, &ends, 30_001), [Held, Inconclusive, Violated]);
}

/// A violation that other visitors would have seen as well stands; these need visitors to hold.
#[test]
fn what_depends_on_visitors_says_so() {
    for id in ["client-rate-cap", "hard-limit", "click-lag", "cache-hit-ratio", "pages-served"] {
        assert_ne!(guarantees::find(id).unwrap().promise().when_late, Stands::Always, "{id}");
    }
    for id in ["clicks-delivered", "no-secret-leaked", "client-rate-cap", "clicks-counted-once"] {
        assert_ne!(guarantees::find(id).unwrap().promise().when_late, Stands::Never, "{id}");
    }
}

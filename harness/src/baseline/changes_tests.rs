//! What is new, what is known and what is mended, in small findings.

use super::super::tests::approved;
use super::*;
use Standing::{Held, Inconclusive, NotApplicable, Violated};

const ID: &str = "click-lag";

fn only(verdict: Standing) -> Vec<Approved> {
    vec![approved("steady-state", &[(ID, verdict), ("base-url", Held)])]
}

fn compared(base: &[Approved], found: &[Approved], whole: bool) -> (Vec<Kind>, Standing) {
    let comparison = compare(base, found, &Report::default(), whole).unwrap();
    (comparison.changes.iter().map(|change| change.kind).collect(), comparison.verdict)
}

/// From this verdict to that one: what it is called, and what it is worth at a gate.
fn check(was: Standing, is: Standing, kinds: &[Kind], gate: Standing) {
    let found = compared(&only(was), &only(is), true);
    assert_eq!(found, (kinds.to_vec(), gate), "{was:?} to {is:?}");
}

#[test]
fn what_is_worse_than_approved_decides_and_what_is_known_does_not() {
    check(Held, Held, &[], Held);
    check(Held, Violated, &[Kind::Broken], Violated);
    check(Held, Inconclusive, &[Kind::Open], Inconclusive);
    // Whoever takes a route away takes its promises away, which somebody must approve.
    check(Held, NotApplicable, &[Kind::Open], Inconclusive);
    check(Violated, Violated, &[Kind::StillBroken], Held);
    check(Violated, Held, &[Kind::Mended], Held);
    check(Violated, Inconclusive, &[Kind::Open], Inconclusive);
    check(Inconclusive, Inconclusive, &[Kind::StillOpen], Held);
    check(Inconclusive, Violated, &[Kind::Broken], Violated);
    check(Inconclusive, Held, &[Kind::Judged], Held);
    check(NotApplicable, NotApplicable, &[], Held);
    check(NotApplicable, Held, &[Kind::Judged], Held);
    check(NotApplicable, Violated, &[Kind::Broken], Violated);
    check(NotApplicable, Inconclusive, &[Kind::Open], Inconclusive);
}

#[test]
fn a_run_that_saw_nothing_is_as_good_as_no_baseline() {
    let nothing = |verdict| vec![approved("steady-state", &[(ID, verdict)])];
    for verdict in [Inconclusive, NotApplicable] {
        assert_eq!(compared(&nothing(verdict), &nothing(verdict), true).1, Inconclusive);
    }
    assert_eq!(compared(&only(Held), &[], false), (vec![], Inconclusive));
}

#[test]
fn what_nobody_has_approved_decides_like_without_a_baseline() {
    let (base, mut found) = (only(Held), only(Held));
    for (verdict, kinds, gate) in [
        (Held, vec![Kind::Unapproved], Held),
        (Violated, vec![Kind::Broken, Kind::Unapproved], Violated),
        (Inconclusive, vec![Kind::Open, Kind::Unapproved], Inconclusive),
    ] {
        found.truncate(1);
        found.push(approved("brownout", &[(ID, verdict)]));
        assert_eq!(compared(&base, &found, true), (kinds, gate), "{verdict:?}");
    }
    // In a scenario that was approved a promise may be new.
    let mut found = only(Held);
    let one = found[0].guarantees[ID].clone();
    found[0].guarantees.insert("cors-allowlist".into(), one);
    assert_eq!(compared(&base, &found, true), (vec![Kind::Unapproved], Held));
    assert_eq!(compared(&found, &base, true), (vec![Kind::Open], Inconclusive), "and it may go");
}

#[test]
fn a_scenario_that_was_left_out_is_missed_where_nothing_was_chosen() {
    let base = [only(Held), vec![approved("brownout", &[(ID, Held)])]].concat();
    assert_eq!(compared(&base, &only(Held), true), (vec![Kind::Missing], Inconclusive));
    assert_eq!(compared(&base, &only(Held), false), (vec![], Held));
}

#[test]
fn of_what_is_watched_only_a_violation_is_new_and_its_absence_mended() {
    let (base, mut found) = (only(Held), only(Held));
    let one = Finding { verdict: Violated, ..found[0].guarantees[ID].clone() };
    found[0].guarantees.insert("json-headers".into(), one);
    assert_eq!(compared(&base, &found, true), (vec![Kind::Broken], Violated));
    assert_eq!(compared(&found, &base, true), (vec![Kind::Mended], Held));
    assert_eq!(compared(&found, &found, true), (vec![Kind::StillBroken], Held));
}

#[test]
fn what_need_not_hold_is_told_and_does_not_decide() {
    let (base, mut found) = (only(Held), only(Violated));
    found[0].guarantees.get_mut(ID).unwrap().severity = Severity::Should;
    assert_eq!(compared(&base, &found, true), (vec![Kind::Broken], Held));
}

#[test]
fn the_same_verdict_on_something_else_is_for_review() {
    let check = |alter: fn(&mut Approved), word: &str| {
        let (base, mut found) = (only(Held), only(Held));
        alter(&mut found[0]);
        let comparison = compare(&base, &found, &Report::default(), true).unwrap();
        let [change] = comparison.changes.as_slice() else { panic!("{comparison:?}") };
        assert!(change.kind == Kind::Altered && change.words.contains(word), "{change:?}");
        assert_eq!((comparison.verdict, comparison.differing.len()), (Held, 1));
    };
    let loose = |one: &mut Approved| {
        one.guarantees.get_mut(ID).unwrap().bound = "within_ms = 90000".into();
    };
    check(loose, "bound: none before, within_ms = 90000 now");
    check(|one| one.plan = "another".into(), "plan");
    check(|one| one.watches.clear(), "watches");
    check(|one| one.guarantees.get_mut(ID).unwrap().severity = Severity::Info, "must before, info");
    // A reason is the reviewer's, not the run's.
    let mut base = only(Held);
    base[0].reason = Some("said once".into());
    assert_eq!(compare(&base, &only(Held), &Report::default(), true).unwrap().differing, [""; 0]);
}

#[test]
fn what_cannot_be_compared_is_refused_with_all_that_differs() {
    let mut found = only(Held);
    found[0].profile = "nightly".into();
    found[0].target = "spawn".into();
    let refused = compare(&only(Held), &found, &Report::default(), true).unwrap_err().to_string();
    for words in
        ["profile: quick there, nightly here", "kind of target: embedded there, spawn here"]
    {
        assert!(refused.contains(words), "{refused}");
    }
    assert!(!refused.contains("contract"), "{refused}");
}

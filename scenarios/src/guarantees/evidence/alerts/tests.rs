use super::*;
use crate::plan::AlertName;
use crate::plan::PhaseKind::Control;
use crate::testing::{History, pushed, resolved};

const KIND: AlertKind = AlertKind::ErrorRate;

/// Above 100 it must fire after so many seconds, and it must not at 80 or below.
fn about(lasts_s: u64) -> About {
    About {
        kind: KIND,
        loud_above: 100,
        quiet_to: 80,
        near_from: 30,
        lasts: Duration::from_secs(lasts_s),
        near_for: Duration::from_secs(10),
        words: |value| value.to_string(),
    }
}

/// 200 s, and a delay of 8 s and two scrapes.
fn history() -> History {
    let mut history =
        History::over(&[(Control, 0, 200)]).declaring(|one| one.alert_delay_ms = 8_000);
    history.case.alert_names.insert(KIND, AlertName::plain("A"));
    history
}

/// What the signal is from each second on.
fn signal(case: &Case, values: &[(u64, u64)]) -> Vec<Sample> {
    let value = |at: Moment| {
        let begun = values.iter().rfind(|(from, _)| *from <= at.0 / 1_000_000_000);
        begun.map_or(0, |(_, value)| *value)
    };
    moments(case).map(|at| Sample { at, lo: value(at), hi: value(at) }).collect()
}

/// Those that had to fire and did not, those that did without a reason, and how many were looked at.
#[track_caller]
fn check(history: History, values: &[(u64, u64)], lasts_s: u64, expected: ([u64; 2], [usize; 2])) {
    let mut case = history.case;
    case.ready();
    let compared = compare(&case, &about(lasts_s), &signal(&case, values));
    let found = ([compared.missed, compared.unfounded], [compared.loud, compared.near]);
    assert_eq!(found, expected, "{compared:?}");
    assert_eq!(compared.offences.count(), compared.missed + compared.unfounded);
}

fn at(seconds: &[u64]) -> History {
    seconds.iter().fold(history(), |history, s| history.alert(pushed("A", s * 1_000)))
}

#[test]
fn it_must_fire_while_its_condition_holds_or_just_after() {
    let loud = [(50, 101), (70, 0)];
    check(at(&[]), &loud, 0, ([1, 0], [1, 0]));
    check(at(&[50]), &loud, 0, ([0, 0], [1, 0]));
    check(at(&[60]), &loud, 0, ([0, 0], [1, 0]));
    check(at(&[61]), &loud, 0, ([1, 0], [1, 0]));
    // Too short to call for it, and not above the bound by enough.
    check(at(&[]), &[(50, 101), (60, 0)], 0, ([0, 0], [0, 0]));
    check(at(&[]), &[(50, 100), (70, 0)], 0, ([0, 0], [0, 0]));
    check(at(&[]), &loud, 9, ([1, 0], [1, 0]));
    check(at(&[69]), &loud, 9, ([0, 0], [1, 0]));
    check(at(&[]), &loud, 10, ([0, 0], [0, 0]));
}

#[test]
fn it_may_begin_after_its_condition_held_and_only_then() {
    let short = [(50, 81), (51, 0)];
    check(at(&[50]), &short, 0, ([0, 0], [0, 0]));
    check(at(&[60]), &short, 0, ([0, 0], [0, 0]));
    check(at(&[62]), &short, 0, ([0, 1], [0, 0]));
    check(at(&[49]), &short, 0, ([0, 1], [0, 0]));
    check(at(&[55]), &[(50, 80), (51, 0)], 0, ([0, 1], [0, 0]));
}

#[test]
fn what_must_last_must_have_lasted() {
    // 30 s, of which 10 s may be delay.
    let check = |held_s: u64, fired_s: u64, unfounded| {
        check(at(&[fired_s]), &[(50, 81), (50 + held_s, 0)], 30, ([0, unfounded], [0, 0]));
    };
    check(21, 71, 0);
    check(21, 80, 0);
    check(19, 69, 1);
    check(19, 89, 1);
    check(40, 60, 1);
    check(40, 70, 0);
}

#[test]
fn a_near_miss_must_last_too() {
    check(at(&[]), &[(50, 80), (61, 0)], 0, ([0, 0], [0, 1]));
    check(at(&[]), &[(50, 80), (60, 0)], 0, ([0, 0], [0, 0]));
    check(at(&[]), &[(50, 29), (61, 0)], 0, ([0, 0], [0, 0]));
    check(at(&[]), &[(50, 30), (61, 81), (62, 40), (80, 0)], 0, ([0, 0], [0, 2]));
}

#[test]
fn what_nearly_called_for_an_alert_just_before_one_is_called_for_shows_nothing() {
    let short = |from, until| {
        let mut case = at(&[70]).case;
        case.ready();
        let about = About { near_for: Duration::from_secs(1), ..about(0) };
        compare(&case, &about, &signal(&case, &[(50, 40), (from, 90), (until, 0)])).near
    };
    assert_eq!([short(59, 75), short(60, 75), short(61, 75)], [0, 0, 1]);
}

#[test]
fn a_half_is_not_made_where_no_alert_is_named_and_none_came_that_nobody_named() {
    let mut case = at(&[10]).case;
    assert_eq!(unmade(&case, KIND), None);
    assert!(unmade(&case, AlertKind::KeyAge).unwrap().starts_with("[observe.alerts] key_age"));
    case.alert_names.clear();
    assert_eq!(unmade(&case, KIND), None, "one came");
    case.target.alerts.clear();
    assert!(unmade(&case, KIND).is_some());
}

#[test]
fn what_stood_still_is_not_judged_and_begins_anew() {
    let loud = [(50, 101), (70, 0)];
    check(history().killed_until(54_000, 55_000), &loud, 0, ([1, 0], [1, 0]));
    check(history().killed_until(55_000, 60_500), &loud, 0, ([0, 0], [0, 0]));
    check(history().lag(55_000, 5_000), &loud, 0, ([0, 0], [0, 0]));
    check(at(&[20]).killed_until(15_000, 16_000), &[], 0, ([0, 0], [0, 0]));
    check(history().lag(10_000, 500), &[(5, 50), (30, 0)], 0, ([0, 0], [0, 1]));
}

fn spans(alerts: Vec<Alert>) -> Vec<(u64, u64)> {
    let mut case = alerts.into_iter().fold(history(), History::alert).case;
    case.ready();
    let s = |at: Moment| at.0 / 1_000_000_000;
    episodes(&case, KIND).into_iter().map(|(from, until)| (s(from), s(until))).collect()
}

#[test]
fn an_alert_fires_until_its_end_until_it_is_resolved_or_until_nothing_is_heard_of_it() {
    let until = |name: &str, at_s: u64, until_s: u64| Alert {
        until: Some(Moment::from_ms(until_s * 1_000)),
        ..pushed(name, at_s * 1_000)
    };
    let labelled = |mut alert: Alert| {
        alert.labels.insert("pod".into(), "2".into());
        alert
    };
    assert_eq!(spans(vec![]), []);
    assert_eq!(spans(vec![pushed("A", 10_000)]), [(10, 310)]);
    assert_eq!(spans(vec![pushed("A", 10_000), pushed("A", 70_000)]), [(10, 370)]);
    assert_eq!(spans(vec![pushed("A", 10_000), resolved("A", 70_000)]), [(10, 70)]);
    assert_eq!(spans(vec![until("A", 10, 14)]), [(10, 14)]);
    assert_eq!(spans(vec![until("A", 10, 14), until("A", 13, 17)]), [(10, 17)]);
    assert_eq!(spans(vec![until("A", 10, 14), until("A", 15, 17)]), [(10, 14), (15, 17)]);
    assert_eq!(spans(vec![resolved("A", 10_000), pushed("B", 11_000)]), []);
    let two = vec![until("A", 10, 30), labelled(until("A", 12, 14)), labelled(until("A", 40, 41))];
    assert_eq!(spans(two), [(10, 30), (40, 41)]);
    // One of two instances is well again.
    let one = vec![until("A", 10, 30), labelled(until("A", 12, 28)), resolved("A", 15_000)];
    assert_eq!(spans(one), [(10, 28)]);
}

#[test]
fn who_names_no_alert_is_told_which_came() {
    let mut case = at(&[10]).case;
    assert_eq!(unnamed(&case, KIND), None);
    case.alert_names.clear();
    assert!(unnamed(&case, KIND).unwrap().ends_with("these came: A"));
    case.target.alerts.clear();
    assert!(unnamed(&case, KIND).unwrap().starts_with("no alert came"));
}

#[test]
fn an_alert_is_absent_where_each_that_came_is_named_for_something_else() {
    let of = |history: History| {
        let mut case = history.case;
        case.alert_names = [(AlertKind::Headroom, AlertName::plain("B"))].into();
        case.ready();
        let compared = compare(&case, &about(0), &signal(&case, &[(50, 101), (70, 0)]));
        let least: Vec<u64> =
            compared.strength_of([LOUD, NEAR]).iter().map(|one| one.least).collect();
        assert_eq!(compared.undecided().is_none(), compared.absent, "{compared:?}");
        assert!(compared.words.starts_with("it was not judged: "), "{compared:?}");
        (compared.absent, least)
    };
    assert_eq!(of(history()), (true, vec![0, 0]));
    assert_eq!(of(history().alert(pushed("B", 60_000))), (true, vec![0, 0]));
    assert_eq!(of(at(&[60])), (false, vec![1, 1]));
}

#[test]
fn quiet_is_near_only_where_something_else_is_true_besides() {
    let mut case = history().case;
    case.ready();
    let signal = signal(&case, &[(50, 80), (70, 0)]);
    let near = |from_s: u64| {
        let later = |one: &Sample| one.at >= Moment::from_ms(from_s * 1_000);
        compare_where(&case, &about(0), &signal, later).near
    };
    assert_eq!([near(0), near(59), near(61)], [1, 1, 0]);
}

#[test]
fn what_was_seen_is_counted_and_told() {
    let compared = |history: History, values: &[(u64, u64)], lasts_s| {
        let mut case = history.case;
        case.ready();
        compare(&case, &about(lasts_s), &signal(&case, values))
    };
    let all = compared(at(&[60]), &[(20, 50), (40, 0), (50, 101), (70, 0)], 0);
    assert_eq!((all.loud, all.near, all.begun, all.seen()), (1, 1, 1, 3));
    let measured = |of: &Compared| of.gauges().map(|gauge| gauge.measure().is_some());
    assert_eq!(measured(&all), [true, true]);
    assert_eq!(measured(&compared(at(&[60]), &[(60, 81), (61, 0)], 0)), [false, true]);
    assert_eq!(measured(&compared(at(&[]), &[(50, 80), (61, 0)], 0)), [false, true]);

    let told = |history, values: &[(u64, u64)], lasts_s| {
        let verdict = compared(history, values, lasts_s).offences.verdict(1, "alerts");
        let witness = verdict.witnesses.into_iter().next().unwrap();
        (witness.what, witness.story.join("; "))
    };
    let (silent, story) = told(at(&[]), &[(50, 101), (70, 0)], 0);
    assert!(silent.contains("though it was 101 at least"), "{silent}");
    assert!(story.ends_with("alerts that came: none"), "{story}");
    let (short, _) = told(at(&[69]), &[(50, 81), (69, 0)], 30);
    assert!(short.ends_with("it was 81 at the most in the 40 s before, and above 80 not for 20 s"));
    let (calm, _) = told(at(&[69]), &[(50, 80), (69, 0)], 30);
    assert!(calm.ends_with("it was 80 at the most in the 40 s before"), "{calm}");
    let (calm, _) = told(at(&[69]), &[], 0);
    assert!(calm.ends_with("it was 0 at the most in the 10 s before"), "{calm}");
}

#[test]
fn a_condition_lasts_as_long_as_is_declared_at_every_scale() {
    let of = |scale| lasts(&history().declaring(|one| one.alert_for_ms = 5_000).scaled(scale).case);
    assert_eq!([of(1), of(10)].map(|lasts| lasts.as_millis()), [5_000, 500]);
}

#[test]
fn who_stands_still_for_no_longer_than_a_scrape_hides_nothing() {
    // No ten seconds of these fifteen are without it.
    let loud = [(50, 101), (65, 0)];
    check(history().lag(57_000, 1_000), &loud, 0, ([1, 0], [1, 0]));
    check(history().lag(57_000, 1_001), &loud, 0, ([0, 0], [0, 0]));
}

#[test]
fn a_signal_is_looked_at_from_the_first_moment_to_the_last() {
    let mut case = History::over(&[]).case;
    let step = step(&case);
    let mut looked_at = |closed: Moment| {
        case.harness.closed = closed;
        moments(&case).map(|at| at.0).collect::<Vec<_>>()
    };
    let nth = |n: u32| Moment::ZERO.plus(step * n);
    let [first, second, third] = [0, 1, 2].map(|n| nth(n).0);
    assert_eq!(looked_at(Moment::ZERO), [first]);
    assert_eq!(looked_at(nth(2)), [first, second, third]);
    assert_eq!(looked_at(Moment(nth(2).0 - 1)), [first, second]);
}

//! Clicks at time scale 1, what the metrics say of them, and alerts.

use super::*;
use crate::history::Outcome;
use crate::observed::{Figures, Histogram};
use crate::plan::AlertName;
use crate::plan::PhaseKind::{Control, Heal, Outage, Settle};
use crate::testing::{
    Decides, History, asked_to_wait, click, pushed, refused, resolved, scrape, seen, sent_click,
};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

/// A click acknowledged at 5 ms and delivered at `at_ms`, over 700 s, and later five clicks that
/// wait for the end of an outage.
fn delivered(at_ms: u64) -> History {
    let history = History::over(&[(Control, 0, 500), (Outage, 500, 510), (Settle, 510, 700)])
        .operation(click("a", 0, 5))
        .exchange(sent_click("a", at_ms, 202))
        .exchange(refused("ann", 501_000, 503));
    ["v", "w", "x", "y", "z"].into_iter().fold(history, |history, id| {
        history.operation(click(id, 505_000, 505_005)).exchange(sent_click(id, 541_000, 202))
    })
}

#[track_caller]
fn check(history: History, expected: VerdictKind) {
    let verdict = history.judged_by(&ClickLag);
    assert_eq!(verdict.kind, expected, "{verdict:?}");
}

pub(super) fn decided() -> Vec<Decides> {
    vec![Decides { bound: &WITHIN, value: 30_000, history: || delivered(60_000) }]
}

#[test]
fn the_bound_is_sharp_but_for_the_tolerance() {
    check(delivered(60_100), Held);
    check(delivered(60_101), Violated);
}

#[test]
fn a_harness_that_stood_still_lengthens_the_bound_by_as_much() {
    check(delivered(62_000).lag(30_000, 2_000), Held);
    check(delivered(63_000).lag(30_000, 2_000), Violated);
}

#[test]
fn an_outage_and_the_open_time_stop_the_clock() {
    // Deliverable from 540 s, like those that wait with it.
    let history = |at_ms| {
        let history = delivered(20).operation(click("late", 502_000, 502_005));
        history.exchange(sent_click("late", at_ms, 202))
    };
    check(history(600_000), Held);
    check(history(600_200), Violated);
}

#[test]
fn a_restart_and_a_pause_stop_the_clock() {
    check(delivered(80_000).killed_until(10_000, 20_000), Held);
    check(delivered(80_200).killed_until(10_000, 20_000), Violated);
    check(delivered(80_000).terminated(10_000, 12_000, 20_000), Held);
    // Calls that were under way may have timed out together and opened the breaker for 30 s.
    check(delivered(110_000).paused(10_000, 20_000), Held);
    check(delivered(110_200).paused(10_000, 20_000), Violated);
}

#[test]
fn a_retry_after_stops_the_clock() {
    check(delivered(65_000).exchange(asked_to_wait("ann", 10, 429, 7)), Held);
    check(delivered(68_000).exchange(asked_to_wait("ann", 10, 429, 7)), Violated);
}

#[test]
fn a_click_that_never_came_is_late_once_its_time_is_over() {
    let one = |at_s: u64| {
        let mut history = delivered(20).operation(click("b", at_s * 1_000, at_s * 1_000 + 5));
        history.case.harness.closed = Moment::from_ms(700_000);
        history
    };
    check(one(640), Held);
    check(one(639), Violated);
    let mut broken = one(639);
    broken.case.harness.outcome = Some(Outcome::Interrupted);
    let verdict = broken.judged_by(&ClickLag);
    assert!(verdict.kind == Held && verdict.observed.contains(", 1 is undecided"));
}

#[test]
fn a_backlog_beyond_the_cap_is_inconclusive() {
    let mut history = delivered(70_000);
    history.case.declared.click_slots = 1;
    history.case.contract.batch.max_items = 1;
    check(history.operation(click("b", 0, 6)).exchange(sent_click("b", 9, 202)), Inconclusive);
}

#[test]
fn the_latest_click_is_shown_first_and_clicks_that_never_waited_prove_little() {
    let history = delivered(70_000).operation(click("b", 0, 6));
    let verdict = history.exchange(sent_click("b", 80_000, 202)).judged_by(&ClickLag);
    assert!(verdict.witnesses[0].what.starts_with("click b reached"));
    let quick = History::over(&[(Settle, 0, 300)]).operation(click("a", 0, 5));
    check(quick.exchange(sent_click("a", 20, 202)), Inconclusive);
}

#[test]
fn without_clicks_nothing_is_known() {
    check(History::over(&[(Settle, 0, 60)]), Inconclusive);
}

/// When clicks are acknowledged and when they arrive, in seconds: some at once, those of an outage after
/// it, and some that wait for less than the alert needs.
fn waits() -> Vec<(u64, u64)> {
    let at_once = (50..100).step_by(5).map(|s| (s, s + 1));
    let late = (100..205).step_by(5).map(|s| (s, 235));
    at_once.chain(late).chain([300, 301, 302, 303].map(|s| (s, 340))).collect()
}

/// How long the oldest click has been waiting.
pub(super) fn oldest(at: u64) -> f64 {
    let waits = waits().into_iter().filter(|one| one.0 <= at && at < one.1);
    let age = waits.map(|one| at - one.0).max().unwrap_or(0);
    Duration::from_secs(age).as_secs_f64()
}

/// How long the last one had waited that arrived.
pub(super) fn last_lag(at: u64) -> f64 {
    let last = waits().into_iter().rfind(|one| one.1 <= at);
    Duration::from_secs(last.map_or(0, |one| one.1 - one.0)).as_secs_f64()
}

fn scraped(figures: impl Fn(u64) -> Figures) -> History {
    let phases = [(Control, 0, 100), (Outage, 100, 230), (Heal, 230, 290), (Settle, 290, 450)];
    let mut history = History::over(&phases).exchange(refused("ann", 150_000, 503));
    history.case.plan.guarantees = vec!["click-lag".into()];
    for (nth, (acked, arrived)) in waits().into_iter().enumerate() {
        let id: &'static str = Box::leak(format!("c{nth}").into_boxed_str());
        history = history
            .operation(click(id, acked * 1_000, acked * 1_000 + 5))
            .exchange(sent_click(id, arrived * 1_000, 202));
    }
    (0..440).fold(history, |history, at| history.scrape(scrape(at * 1_000 + 500, figures(at))))
}

/// With an alert that comes and goes as it must.
pub(super) fn shown(gauge: impl Fn(u64) -> f64) -> History {
    named(scraped(|at| Figures { click_lag: Some(gauge(at)), ..Figures::default() }))
}

fn named(mut history: History) -> History {
    history.case.alert_names.insert(AlertKind::ClickLag, AlertName::plain("Lag"));
    history
}

pub(super) fn told(history: History) -> History {
    history.alert(pushed("Lag", 175_000)).alert(resolved("Lag", 236_000))
}

#[track_caller]
fn check_words(history: History, expected: VerdictKind, words: &str) {
    let verdict = history.judged_by(&ClickLag);
    let mut said: Vec<String> = verdict.witnesses.iter().map(|one| one.what.clone()).collect();
    said.extend(verdict.reason.clone());
    said.push(verdict.observed.clone());
    assert_eq!(verdict.kind, expected, "{said:?}");
    assert!(said.iter().any(|one| one.contains(words)), "{said:?}");
}

#[test]
fn a_lag_that_grows_while_clicks_wait_and_an_alert_hold() {
    let words = "the exposed lag is the age of the oldest click that waits, at 440 scrapes; of the \
                 alert, it began to fire at 175.000 s";
    check_words(told(shown(oldest)), Held, words);
    let verdict = told(shown(oldest)).judged_by(&ClickLag);
    let minimums = [&LONG, &SHOWN, &alerts::LOUD, &alerts::NEAR];
    assert_eq!(minimums.map(|minimum| seen(&verdict, minimum).unwrap()), [14, 62, 1, 1]);
    // Whole seconds, and a figure that is taken once in five seconds.
    check_words(told(shown(|at| oldest(at / 5 * 5))), Held, "");
}

#[test]
fn a_lag_that_is_none_violates() {
    check_words(told(shown(|_| 0.0)), Violated, "the lag is said to be 0 s, and was 2 min 8 s");
    let of_attempts = |at: u64| oldest(at).min(Duration::from_secs(at % 10).as_secs_f64());
    check_words(told(shown(of_attempts)), Violated, "the lag is said to be");
    check_words(told(shown(|at| oldest(at) * 1e3)), Violated, "the lag is said to be");
    check_words(told(shown(|at| oldest(at) / 60.0)), Violated, "the lag is said to be");
}

#[test]
fn the_lag_of_what_was_delivered_is_one_and_who_alerts_on_it_is_too_late() {
    check_words(told(shown(last_lag)), Held, "the exposed lag is the lag of clicks that were");
    let late = shown(last_lag).alert(pushed("Lag", 236_000));
    check_words(late, Violated, "Lag did not fire within 32 s, though it was 66.");
    // Nobody scrapes after the late ones.
    let mut unseen = told(shown(last_lag));
    unseen.case.target.scrapes.retain(|one| one.sent < Moment::from_ms(230_000));
    check_words(unseen, Inconclusive, "whether it is that of clicks which were delivered");
}

#[test]
fn an_alert_that_sleeps_or_comes_too_early_violates() {
    check_words(shown(oldest), Violated, "Lag did not fire");
    check_words(told(shown(oldest).alert(pushed("Lag", 335_000))), Violated, "though it was 3");
}

#[test]
fn a_half_that_there_is_not_is_not_judged_and_that_is_said() {
    let none = |_| Figures::default();
    check_words(told(named(scraped(none))), Held, "not judged: what [observe.metrics] names for");
    let no_alert = scraped(|at| Figures { click_lag: Some(oldest(at)), ..Figures::default() });
    check_words(no_alert, Held, "the alert is not judged: [observe.alerts] click_lag names none");
    let other = scraped(none).alert(pushed("Other", 175_000));
    check_words(other, Inconclusive, "these came: Other");
}

#[test]
fn an_outage_that_is_too_short_calls_for_nothing() {
    let mut short = told(shown(oldest));
    short.case.plan.phases[1].until_ms = 195_000;
    short.case.target.scrapes.clear();
    check_words(short, Held, "not judged: the metrics were not scraped");
}

/// Lags up to a second, up to half a minute, and all.
fn counted(at: u64, of_all: impl Fn(u64) -> [u64; 3]) -> Figures {
    let counted = |count| Duration::from_secs(count).as_secs_f64();
    let arrived = waits().into_iter().filter(|one| one.1 <= at);
    let [short, half, all] = of_all(arrived.count() as u64);
    let buckets = vec![(1.0, counted(short)), (30.0, counted(half))];
    let click_lags = Some(Histogram { buckets, count: counted(all) });
    Figures { click_lags, ..Figures::default() }
}

#[test]
fn a_histogram_of_lags_is_compared_with_those_that_there_were() {
    let true_one = |count: u64| [count.min(10), count.min(10), count];
    check_words(told(named(scraped(|at| counted(at, true_one)))), Held, "a histogram of the lags");
    let short = |count| [count; 3];
    let short = named(scraped(|at| counted(at, short)));
    check_words(told(short), Violated, "are said to have waited for 30 s at the most");
    let many = |count: u64| [count.min(10), count.min(10), count * 2];
    let many = named(scraped(|at| counted(at, many)));
    check_words(told(many), Violated, "clicks said to have waited for more than 0 s: 70,");
}

#[test]
fn only_an_outage_that_is_longer_than_an_alert_may_take_calls_for_one() {
    let called = |phases: &[(crate::plan::PhaseKind, u64, u64)], longer_ms| {
        let mut history = History::over(phases);
        history.case.plan.guarantees = vec!["click-lag".into()];
        history.case.declared.alert_for_ms = 5_000;
        history.case.plan.phases.iter_mut().for_each(|phase| phase.until_ms += longer_ms);
        is_called_for(&history.case)
    };
    // 66 s, 5 s, and 32 s in which an alert may come.
    assert!(called(&[(Control, 0, 50), (Outage, 50, 153)], 1));
    assert!(!called(&[(Control, 0, 50), (Outage, 50, 153)], 0));
    assert!(!called(&[(Control, 0, 200), (Settle, 200, 400)], 1));
    assert!(called(&[(Outage, 0, 200), (Settle, 200, 400)], 1));
    assert!(!is_called_for(&History::over(&[(Outage, 0, 200)]).case));
}

#[test]
fn a_click_has_waited_long_once_it_has_by_more_than_a_tenth() {
    let heard = |ms| {
        let history = History::over(&[(Settle, 0, 300)])
            .operation(click("a", 0, 5))
            .exchange(sent_click("a", ms, 202));
        let verdict = history.judged_by(&ClickLag);
        seen(&verdict, &LONG).unwrap()
    };
    assert_eq!([66_105, 66_106].map(heard), [0, 1]);
}

#[test]
fn late_clicks_are_asked_for_where_either_half_is_there_and_the_rule_is_told() {
    let least = |history: History| {
        let verdict = history.judged_by(&ClickLag);
        assert!(verdict.promised.contains("the exposed lag is that of a click"), "{verdict:?}");
        let long = verdict.strength.into_iter().find(|one| one.name == LONG.name);
        long.unwrap().least
    };
    let gauge = |at| Figures { click_lag: Some(oldest(at)), ..Figures::default() };
    assert_eq!(least(scraped(gauge)), LONG.least);
    assert_eq!(least(told(named(scraped(|_| Figures::default())))), LONG.least);
    assert_eq!(least(scraped(|_| Figures::default())), 0);
}

//! How far a figure is off, what rows of long lags are, and which scrapes are compared.

use super::super::tests::{last_lag, oldest, shown, told};
use super::*;
use crate::observed::Figures;
use crate::plan::PhaseKind::Control;
use crate::testing::{History, scrape};

const S: fn(u64) -> Duration = Duration::from_secs;

/// The worse of two figures beside what they may be, in seconds.
#[track_caller]
fn worse(figures: [(f64, (u64, u64)); 2], expected: f64) {
    let mut reading = Reading::default();
    for (gauge, (least, most)) in figures {
        reading.compare(&scrape(1_000, Figures::default()), gauge, (S(least), S(most)));
    }
    let verdict = reading.offences.verdict(2, "scrapes");
    let words = format!("the lag is said to be {expected} s");
    assert!(verdict.witnesses[0].what.starts_with(&words), "{:?}", verdict.witnesses[0]);
}

#[test]
fn the_figure_that_is_furthest_off_is_told_first() {
    let within = (100, 100);
    worse([(90.0, within), (110.5, within)], 110.5);
    worse([(90.0, within), (109.5, within)], 90.0);
    worse([(60.0, within), (141.5, within)], 141.5);
    worse([(50.0, (60, 100)), (121.0, (60, 100))], 121.0);
}

#[test]
fn a_figure_may_have_whole_seconds() {
    let count = |gauge| {
        let mut reading = Reading::default();
        reading.compare(&scrape(1_000, Figures::default()), gauge, (S(10), S(20)));
        reading.offences.count()
    };
    assert_eq!([8.9, 9.0, 21.0, 21.1].map(count), [1, 0, 0, 1]);
}

/// A lag that was heard of at this moment, and known as soon.
fn lag(heard_ms: u64, least_s: u64) -> Lag {
    let heard = Moment::from_ms(heard_ms);
    Lag { heard, known: heard, least: S(least_s), most: S(least_s), is_odd: false }
}

/// Whether from 400 s to 401 s all were 30 s long at the least.
#[track_caller]
fn check_in(history: &History, lags: Vec<Lag>, expected: bool) {
    let greatest = lags.iter().map(|lag| lag.most).collect();
    let delivered = Delivered { lags, greatest };
    let span = (Moment::from_ms(400_000), Moment::from_ms(401_000));
    assert_eq!(delivered.is_all_long(&history.case, span, S(30)), expected);
}

#[track_caller]
fn check(lags: Vec<Lag>, expected: bool) {
    check_in(&History::over(&[(Control, 0, 500)]), lags, expected);
}

#[test]
fn a_row_of_long_lags_is_one_of_which_each_last_part_is_mostly_long() {
    check(vec![], false);
    check(vec![lag(390_000, 30)], true);
    check(vec![lag(390_000, 29)], false);
    check(vec![lag(380_000, 29), lag(390_000, 30)], false);
    check(vec![lag(370_000, 29), lag(380_000, 30), lag(390_000, 30)], true);
    check(vec![lag(370_000, 30), lag(380_000, 30), lag(390_000, 29)], false);
    // Give or take δ, nobody looks further back than that.
    check(vec![lag(99_900, 29), lag(390_000, 30)], false);
    check(vec![lag(99_899, 29), lag(390_000, 30)], true);
    // It must be known by then.
    check(vec![lag(399_900, 30)], true);
    check(vec![lag(399_901, 30)], false);
    let late = |known_ms| Lag { known: Moment::from_ms(known_ms), ..lag(390_000, 30) };
    check(vec![late(399_900)], true);
    check(vec![late(399_901)], false);
}

#[test]
fn a_short_lag_in_the_midst_of_it_breaks_a_row() {
    let then = |heard_ms, least_s| vec![lag(390_000, 30), lag(heard_ms, least_s)];
    check(then(400_500, 30), true);
    check(then(400_500, 29), false);
    check(then(401_100, 29), false);
    check(then(401_101, 29), true);
}

#[test]
fn what_may_not_count_breaks_a_row_where_it_is_short_and_makes_none() {
    let odd = |heard_ms, least_s| Lag { is_odd: true, ..lag(heard_ms, least_s) };
    check(vec![odd(390_000, 40)], false);
    check(vec![odd(390_000, 30)], false);
    check(vec![lag(380_000, 30), odd(390_000, 29)], false);
    check(vec![lag(370_000, 29), lag(380_000, 30), odd(390_000, 30)], false);
}

#[test]
fn a_process_remembers_no_row_of_another() {
    let history = || History::over(&[(Control, 0, 500)]);
    let row = || vec![lag(390_000, 30)];
    check_in(&history().killed_until(395_000, 396_000), row(), false);
    check_in(&history().killed_until(380_000, 381_000), row(), true);
}

fn judged_of(history: History) -> Exposed {
    let mut history = history;
    let waiting = Waiting::after(&mut history);
    judged(waiting.case, &waiting)
}

#[test]
fn scrapes_beside_a_pause_or_a_longer_halt_are_not_compared() {
    let seen = |history| judged_of(history).seen;
    assert_eq!(seen(shown(oldest)), 440);
    assert_eq!(seen(shown(oldest).lag(350_000, 1_000)), 440);
    // Seven seconds before each, and while it lasts.
    let longer = seen(shown(oldest).lag(350_000, 1_001));
    assert!((425..436).contains(&longer), "{longer}");
    let paused = seen(shown(oldest).paused(350_000, 351_000));
    assert!((400..436).contains(&paused), "{paused}");
}

#[test]
fn a_click_that_waited_for_just_a_tenth_longer_than_it_may_shows_nothing_yet() {
    // The oldest was acknowledged at 100,005 ms, and a scrape is as old as seven seconds and δ.
    let with = |at_ms| {
        let mut history = shown(oldest);
        let figures = Figures { click_lag: Some(73.0), ..Figures::default() };
        history.case.target.scrapes.insert(173, scrape(at_ms, figures));
        judged_of(history).shown
    };
    assert_eq!(with(173_105), 62);
    assert_eq!(with(173_106), 63);
}

#[test]
fn what_was_delivered_is_told_from_what_waits_only_by_a_row_that_whole_seconds_show() {
    let doubt = |within_ms| {
        let exposed = judged_of(shown(last_lag).promising(&WITHIN, within_ms));
        assert_eq!(exposed.offences.count(), 0);
        assert_eq!(exposed.what, Some("the lag of clicks that were delivered"));
        exposed.doubt.is_some()
    };
    assert!(!doubt(60_000));
    // A quarter of it is a second.
    assert!(doubt(4_000));
    assert!(!doubt(4_004));
}

#[test]
fn a_figure_that_fits_what_waits_leaves_no_doubt() {
    let mut early = told(shown(oldest));
    early.case.target.scrapes.retain(|one| one.sent < Moment::from_ms(99_000));
    let exposed = judged_of(early);
    assert_eq!((exposed.offences.count(), exposed.doubt.is_none()), (0, true));
}

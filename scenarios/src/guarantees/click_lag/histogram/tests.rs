//! Which clicks a histogram between two scrapes may hold, and which it must.

use super::*;
use crate::observed::Figures;
use crate::plan::PhaseKind::Control;
use crate::testing::{History, click, scrape, sent_click};

/// Seconds, as a bucket has them, and counts.
fn number(of: u64) -> f64 {
    Duration::from_secs(of).as_secs_f64()
}

/// Metrics with so many clicks up to each bound.
fn figures(buckets: &[(u64, u64)], count: u64) -> Figures {
    let buckets = buckets.iter().map(|(bound, up_to)| (number(*bound), number(*up_to))).collect();
    let click_lags = Some(Histogram { buckets, count: number(count) });
    Figures { click_lags, ..Figures::default() }
}

/// Clicks of which each was acknowledged and arrived at these milliseconds, and scrapes at 100 s and at 400 s,
/// the last of which says this more than the first.
fn judged_of(clicks: &[(u64, u64)], buckets: &[(u64, u64)], count: u64) -> Exposed {
    let none: Vec<_> = buckets.iter().map(|(bound, _)| (*bound, 0)).collect();
    let mut history = History::over(&[(Control, 0, 600)])
        .scrape(scrape(100_000, figures(&none, 0)))
        .scrape(scrape(400_000, figures(buckets, count)));
    for (nth, (acked, arrived)) in clicks.iter().enumerate() {
        let id: &'static str = Box::leak(format!("c{nth}").into_boxed_str());
        history =
            history.operation(click(id, *acked, *acked)).exchange(sent_click(id, *arrived, 202));
    }
    let waiting = Waiting::after(&mut history);
    judged(waiting.case, &waiting)
}

/// How many clicks surely came late between the scrapes.
#[track_caller]
fn check_late(acked_ms: u64, arrived_ms: u64, expected: usize) {
    let exposed = judged_of(&[(acked_ms, arrived_ms)], &[(30, 0)], 1);
    assert_eq!((exposed.seen, exposed.shown), (1, expected), "{acked_ms} to {arrived_ms}");
}

#[test]
fn only_a_click_that_surely_came_late_between_the_scrapes_shows_anything() {
    check_late(200_000, 300_000, 1);
    // More than 66 s after its acknowledgement, δ earlier than it was heard of.
    check_late(200_000, 266_100, 0);
    check_late(200_000, 266_101, 1);
    check_late(200_000, 210_000, 0);
    // After the first scrape has ended and before the last begins, by more than δ.
    check_late(1_000, 100_105, 0);
    check_late(1_000, 100_106, 1);
    check_late(200_000, 399_895, 0);
    check_late(200_000, 399_894, 1);
    check_late(1_000, 90_000, 0);
    check_late(200_000, 450_000, 0);
}

fn said(exposed: Exposed) -> Vec<String> {
    exposed.offences.into_witnesses().into_iter().map(|one| one.what).collect()
}

#[test]
fn more_than_may_have_been_delivered_between_the_scrapes_is_too_much() {
    let one = |acked_ms, arrived_ms| said(judged_of(&[(acked_ms, arrived_ms)], &[(30, 0)], 1));
    assert_eq!(one(200_000, 300_000), [] as [&str; 0]);
    let words = "clicks said to have waited for more than 0 s: 1, and there can have been 0";
    assert_eq!(one(10_000, 50_000), [words]);
    assert_eq!(one(410_000, 450_000), [words]);
    // Two of three within half a minute.
    let quick = [(200_000, 201_000), (200_000, 202_000), (200_000, 203_000)];
    let words = "clicks said to have waited for more than 30 s: 1, and there can have been 0";
    assert_eq!(said(judged_of(&quick, &[(30, 2)], 3)), [words]);
    assert_eq!(said(judged_of(&quick, &[(30, 3)], 3)), [] as [&str; 0]);
}

#[test]
fn late_clicks_must_show_beyond_half_of_what_they_may_take() {
    let late: Vec<_> = (0..6).map(|n| (200_000 + n * 1_000, 270_000 + n * 1_000)).collect();
    let words = "all of 5 clicks are said to have waited for 30 s at the most: 5 waited for more";
    let told = said(judged_of(&late[..5], &[(30, 5), (90, 5)], 5));
    assert!(told.len() == 1 && told[0].starts_with(words), "{told:?}");
    // A bound beyond half tells nothing, one that is not reached by all either, and four are too few.
    assert_eq!(said(judged_of(&late, &[(1, 0), (90, 6)], 6)), [] as [&str; 0]);
    assert_eq!(said(judged_of(&late, &[(30, 5), (90, 6)], 6)), [] as [&str; 0]);
    assert_eq!(said(judged_of(&late[..4], &[(30, 4), (90, 4)], 4)), [] as [&str; 0]);
}

//! Tiny histories of ordinary days and spikes for `pages-served`.

use super::*;
use crate::guarantees::client_rate_cap;
use crate::history::{Did, PageView, Shown};
use crate::plan::PhaseKind::{Control, Heal, Outage, Storm, Warmup};
use crate::testing::{Decides, History, links, page, read, seen};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::history::exchange::Exchange;
use mock_server::world::population::{Group, Population};

/// Ann's page is filled in the warm-up; control is from 10 s to 100 s.
fn history() -> History {
    let phases = [(Warmup, 0, 10), (Control, 10, 60), (Storm, 60, 100)];
    lived_in(History::over(&phases)).exchanges([read("ann-0001", 1_000), links("ann-0001", 1_010)])
}

fn lived_in(mut history: History) -> History {
    let group = |prefix: &str| Group {
        prefix: prefix.into(),
        count: 9,
        min_links: 1,
        max_links: 9,
        ..Group::default()
    };
    history.case.plan.population = Population { groups: ["ann", "bob"].map(group).into() };
    history
}

/// So many views of a page from 20 s on that take so long and are answered so.
fn views(
    handle: &'static str,
    count: u64,
    took_ms: u64,
    status: u16,
) -> impl Iterator<Item = Operation<'static>> {
    (0..count).map(move |n| {
        let at = 20_000 + n * 100;
        Operation { status: Some(status), ..page(handle, at, at + took_ms, "v0-ann-0001") }
    })
}

#[track_caller]
fn check(history: History, expected: VerdictKind) -> Verdict {
    let verdict = history.judged_by(&PagesServed);
    assert_eq!(verdict.kind, expected, "{verdict:?}");
    verdict
}

fn seldom_refused() -> History {
    history().operations(views("ann-0001", 297, 9, 200)).operations(views("ann-0001", 4, 9, 502))
}

fn often_slow() -> History {
    history()
        .operations(views("ann-0001", 200, 9, 200))
        .operations(views("ann-0001", 100, 1_200, 200))
}

pub(super) fn decided() -> Vec<Decides> {
    vec![
        Decides { bound: &SERVED, value: 98, history: seldom_refused },
        Decides { bound: &FAST, value: 2_000, history: often_slow },
    ]
}

#[test]
fn filled_pages_that_are_shown_fast_hold_and_few_views_say_nothing() {
    check(history().operations(views("ann-0001", 300, 9, 200)), Held);
    check(history().operations(views("ann-0001", 199, 9, 200)), Inconclusive);
    check(history(), Inconclusive);
}

#[test]
fn filled_pages_that_are_refused_or_slow_violate_with_the_worst_first() {
    let verdict = check(seldom_refused(), Violated);
    assert!(verdict.witnesses[0].story[0].contains("4 times 502"), "{verdict:?}");
    let slowest = page("ann-0001", 50_000, 59_000, "v0-ann-0001");
    let verdict = check(often_slow().operation(slowest), Violated);
    assert!(verdict.witnesses[0].story[0].contains("59.000 s"), "{verdict:?}");
    check(history().operations(views("ann-0001", 10, 9, 502)), Violated);
}

#[test]
fn a_call_for_the_page_takes_its_own_time() {
    let slow = |n: u64| {
        let end = Moment::from_ms(20_000 + n * 100 + 1_195);
        let call = read("ann-0001", 20_000 + n * 100);
        Exchange { t_first: Some(end), t_w: Some(end), t_end: end, ..call }
    };
    check(often_slow().exchanges((0..100).map(slow)), Held);
}

#[test]
fn who_fails_every_page_could_have_filled_them_and_is_violated() {
    let failing = |handle| history().operations(views(handle, 600, 9, 503));
    check(failing("bob-0001"), Violated);
    assert!(check(failing("nobody"), Inconclusive).observed.contains("0 views of pages that"));
    let crowd = failing("bob-0001").promising(&client_rate_cap::REQUESTS, 1);
    let verdict = check(crowd, Inconclusive);
    assert!(verdict.observed.contains("600 views of pages that could not"), "{verdict:?}");
}

/// Ann's page is served, and beside each so many views of it so many of a page that nobody can blame anybody
/// for: under a cap of one, nobody fills it.
fn unblamed(served: u64, refused: u64) -> History {
    let history = history().promising(&client_rate_cap::REQUESTS, 1);
    history
        .operations(views("ann-0001", served, 9, 200))
        .operations(views("bob-0001", refused, 9, 503))
}

#[test]
fn a_share_of_what_little_can_be_judged_is_not_that_of_all() {
    check(unblamed(300, 200), Held);
    let verdict = check(unblamed(300, 201), Inconclusive);
    assert!(verdict.observed.contains("201 views of pages that could not"), "{verdict:?}");
    check(unblamed(300, 201).operations(views("ann-0001", 9, 9, 503)), Violated);
}

#[test]
fn a_page_that_a_quarter_of_all_visitors_ask_for_must_be_filled_in_a_spike_too() {
    // Ann's page is served all the time; nobody can fill those that are asked for once, five a second.
    let spike = |viral_every_ms: u64| {
        let mut history = history().promising(&client_rate_cap::REQUESTS, 90);
        history.case.plan.population.groups[1].count = 5_000;
        let refused = |handle: &'static str, at| Operation {
            status: Some(503),
            ..page(handle, at, at + 9, "-")
        };
        let once = (0..375).map(|n| {
            let handle = Box::leak(format!("bob-{:04}", n + 2).into_boxed_str());
            refused(handle, 20_000 + n * 200)
        });
        let viral = (0..75_000 / viral_every_ms).map(|n| n * viral_every_ms);
        let viral = viral.map(|after| refused("bob-0001", 20_000 + after));
        let judged = views("ann-0001", 700, 9, 200);
        history.operations(once).operations(viral).operations(judged)
    };
    let verdict = check(spike(100), Violated);
    assert!(format!("{:?}", verdict.witnesses).contains("bob-0001"), "{verdict:?}");
    check(spike(1_000), Held);
}

#[test]
fn outages_restarts_pauses_and_a_late_harness_excuse() {
    let refused = || views("ann-0001", 300, 9, 503);
    let outage = [(Control, 0, 10), (Outage, 10, 20), (Heal, 20, 60)];
    let outage = lived_in(History::over(&outage)).operations(refused());
    check(outage, Inconclusive);
    check(history().operations(refused()).killed_until(15_000, 60_000), Inconclusive);
    check(history().operations(refused()).paused(15_000, 60_000), Inconclusive);
    check(history().operations(refused()).lag(10_000, 50_000), Inconclusive);
}

#[test]
fn a_process_that_has_just_begun_has_forgotten_its_pages() {
    let refused = views("ann-0001", 10, 9, 503);
    let held = history().operations(views("ann-0001", 300, 9, 200).skip(50));
    check(held.operations(refused).killed_until(15_000, 16_000), Held);
}

/// Pages of Ann's that show all her links, of which so many show them from the last to the first.
fn showing(reversed: u64) -> History {
    let mut history = history();
    let plan = &mut history.case.plan;
    plan.population.groups[0].min_links = 9;
    let creator = plan.population.creator(plan.seed, "ann-0001").unwrap();
    let mut ids: Vec<String> =
        creator.links.into_iter().filter(|link| link.is_active).map(|link| link.id).collect();
    let in_order = Shown::of(ids.iter().map(String::as_str));
    ids.reverse();
    let backwards = Shown::of(ids.iter().map(String::as_str));
    let show = |shown: Shown, count: u64| {
        views("ann-0001", count, 9, 200).map(move |view| {
            let did = Did::Page(PageView { shown: Some(shown), ..PageView::default() });
            Operation { did, ..view }
        })
    };
    history.operations(show(in_order, 300)).operations(show(backwards, reversed))
}

#[test]
fn a_page_with_other_links_than_its_creators_violates_however_seldom() {
    check(showing(0), Held);
    let verdict = check(showing(1), Violated);
    assert!(verdict.witnesses[0].what.contains("in another order"), "{verdict:?}");
    check(showing(1).operations(views("ann-0001", 10, 9, 502)), Violated);
}

/// One refused view of a page from `sent_ms` on.
fn refused(handle: &'static str, sent_ms: u64) -> Operation<'static> {
    Operation { status: Some(503), ..page(handle, sent_ms, sent_ms + 9, "-") }
}

/// Whether this view is counted besides so many others.
#[track_caller]
fn counted(history: History, others: u64, view: Operation<'static>, expected: bool) {
    let at = view.sent;
    let verdict = history.operation(view).judged_by(&PagesServed);
    let expected = others + u64::from(expected);
    assert_eq!(seen(&verdict, &VIEWS), Some(expected), "{at:?}: {verdict:?}");
}

#[test]
fn a_view_counts_that_lies_with_its_time_and_the_tolerance_where_linktree_is_well() {
    // From 10 s to 100 s.
    for (sent, expected) in [(10_099, false), (10_100, true), (98_800, true), (98_801, false)] {
        counted(history(), 0, refused("ann-0001", sent), expected);
    }
    counted(history().lag(50_000, 200), 0, refused("ann-0001", 50_100), false);
}

#[test]
fn a_page_is_slow_beyond_its_bound_and_the_tolerance_and_one_view_in_a_hundred_may_be() {
    let took = |ms| history().operations(views("ann-0001", 300, ms, 200));
    check(took(1_100), Held);
    check(took(1_101), Violated);
    let refused = |count| history().operations(views("ann-0001", count, 9, 503));
    check(refused(3).operations(views("ann-0001", 297, 9, 200)), Held);
    check(refused(4).operations(views("ann-0001", 296, 9, 200)), Violated);
}

#[test]
fn a_page_is_there_once_it_was_shown_and_as_long_as_it_may_be_shown_expired() {
    // Nothing can be filled within this cap, so that views of other pages are excused.
    let full = || history().promising(&client_rate_cap::REQUESTS, 1);
    for (sent, expected) in [(20_009, false), (20_010, true)] {
        let shown = full().operation(page("bob-0001", 20_000, 20_009, "-"));
        counted(shown, 0, refused("bob-0001", sent), expected);
    }
    // Vouched for at 1,005 ms, and fresh for 4 s.
    for (sent, expected) in [(35_004, true), (35_005, false)] {
        let mut history = full();
        history.case.contract.cache.stale_if_error_s = 30;
        counted(history, 0, refused("ann-0001", sent), expected);
    }
}

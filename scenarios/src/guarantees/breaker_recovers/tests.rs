//! Tiny histories of heals, for `breaker-recovers`.

use super::*;
use crate::testing::{Decides, History, asked_to_wait, page, read, refused, seen};
use crate::verdict::VerdictKind::{self, *};
use mock_server::history::exchange::Exchange;

/// An outage of 20 s with five failures, healed at 20 s: ready at 35 s, deadline 50.1 s.
fn outage() -> History {
    History::over(&[(PhaseKind::Outage, 0, 20), (PhaseKind::Heal, 20, 120)])
        .exchanges((1..=5).map(|n| refused("ann", n * 1_000, 503)))
        .operations((0..115).map(|n| page("ann", n * 1_000, n * 1_000 + 9, "-")))
}

/// Good reads each five seconds from `from` on until `until`.
fn reads(from: u64, until: u64) -> impl Iterator<Item = Exchange> {
    (from..until).step_by(5).map(|second| read("ann", second * 1_000))
}

fn check(history: History, expected: VerdictKind, word: &str) {
    let verdict = history.judged_by(&BreakerRecovers);
    let text = format!("{verdict:?}");
    assert!(verdict.kind == expected && text.contains(word), "{text}");
}

/// So many visitors from this second on, of pages that nobody fetched before, and that so many of
/// them wait for in vain.
fn newcomers(history: History, second: u64, asked: u64, missed: u64) -> History {
    // Operations borrow their handles.
    let handle = |n| &*format!("new-{second}-{n}").leak();
    let each = || (0..asked).map(|n| (second * 1_000 + n * 500, handle(n)));
    history
        .exchanges(each().skip(missed as usize).map(|(at, handle)| read(handle, at + 1)))
        .operations(each().map(|(at, handle)| page(handle, at, at + 9, "-")))
}

/// Two heals, each with a good read in time: ready at 35 s and 155 s, deadlines 50.1 s and 170.1 s.
fn twice() -> History {
    let phases = [
        (PhaseKind::Outage, 0, 20),
        (PhaseKind::Heal, 20, 120),
        (PhaseKind::Outage, 120, 140),
        (PhaseKind::Heal, 140, 240),
    ];
    History::over(&phases)
        .exchanges((1..=5).map(|n| refused("ann", n * 1_000, 503)))
        .exchange(read("ann", 40_000))
        .exchanges((121..=125).map(|n| refused("ann", n * 1_000, 503)))
        .exchange(read("ann", 160_000))
        .operations([36, 60, 156, 180].map(|n| page("ann", n * 1_000, n * 1_000 + 9, "-")))
        .operations([36, 156].map(|n| page("bob", n * 1_000, n * 1_000 + 9, "-")))
}

/// After the deadline four due pages are fetched, and six are not.
fn partly_fetched() -> History {
    let back = ["carl", "dora", "emil", "fred"];
    let seconds = || (60..).zip(back).map(|(second, handle)| (second * 1_000, handle));
    let cold = (70..76).map(|n| page("bob", n * 1_000, n * 1_000 + 9, "-"));
    outage()
        .exchange(read("ann", 40_000))
        .exchanges(seconds().map(|(at, handle)| read(handle, at + 1)))
        .operations(seconds().map(|(at, handle)| page(handle, at, at + 9, "-")))
        .operations(cold)
}

pub(super) fn decided() -> Vec<Decides> {
    let in_time = || outage().exchanges(reads(45, 120));
    vec![
        Decides { bound: &WITHIN, value: 5_000, history: in_time },
        Decides { bound: &FETCHED, value: 30, history: partly_fetched },
    ]
}

#[test]
fn service_within_the_bound_and_on_holds() {
    check(outage().exchanges(reads(45, 120)), Held, "first good read 45.005 s");
}

#[test]
fn a_breaker_that_stays_open_violates() {
    check(outage(), Violated, "no attempt from the heal until");
    check(outage().exchange(refused("ann", 60_000, 503)), Violated, "by the deadline");
    check(outage().exchanges(reads(51, 120)), Violated, "by the deadline");
}

#[test]
fn one_read_and_then_nothing_or_one_each_open_time_violates() {
    let cold = (60..90).map(|n| page("bob", n * 1_000, n * 1_000 + 9, "-"));
    let once = outage().exchange(read("ann", 40_000)).operations(cold);
    check(once, Violated, "30 of 30 due pages were not fetched");
    let probes = (1..4).map(|n| read("ann", 6_000 + n * 30_000));
    let refresh = [read("zoe", 90_000), read("zoe", 95_000)];
    check(outage().exchanges(refresh).exchanges(probes), Violated, "were not fetched");
}

#[test]
fn a_few_missed_pages_are_no_violation_and_no_proof() {
    let once = || outage().exchange(read("ann", 40_000));
    let few = "seen, 7 needed";
    check(newcomers(once(), 60, 6, 6), Inconclusive, few);
    check(newcomers(once(), 60, 4, 3), Inconclusive, "seen, 7 needed");
    check(newcomers(once(), 60, 7, 4), Violated, "4 of 7 due pages were not fetched");
    check(newcomers(once(), 60, 7, 3), Held, "3 of them not fetched");
}

#[test]
fn heals_with_few_due_pages_are_judged_together() {
    let both =
        |first: u64, second: u64| newcomers(newcomers(twice(), 60, 6, first), 180, 6, second);
    check(both(4, 4), Violated, "8 of 12 due pages after all heals were not fetched");
    check(both(4, 0), Held, "4 of them not fetched");
    check(newcomers(twice(), 60, 6, 4), Inconclusive, "seen, 7 needed");
}

#[test]
fn visitors_who_only_see_errors_violate() {
    let mut history = outage().exchanges(reads(36, 120));
    history.operations.iter_mut().for_each(|page| page.status = Some(503));
    history.operations.push(page("bob", 60_000, 60_009, "-"));
    history.operations.last_mut().unwrap().status = Some(503);
    check(history, Violated, "no visitor was served");
}

#[test]
fn a_retry_after_of_the_outage_moves_the_deadline() {
    let held_back = outage().exchange(asked_to_wait("ann", 6_000, 503, 50));
    let held_back = held_back.exchanges(reads(60, 120));
    check(newcomers(held_back, 90, 10, 0), Held, "first good read 60.005 s");
}

#[test]
fn an_open_time_that_may_have_grown_moves_the_deadline_up_to_its_cap() {
    let late = || newcomers(outage().exchanges(reads(65, 120)), 90, 10, 0);
    let grows = |history: History| {
        history.declaring(|declared| {
            declared.breaker_open_factor_milli = 2_000;
            declared.breaker_open_cap_ms = 50_000;
        })
    };
    check(late(), Violated, "by the deadline");
    check(grows(late()), Held, "first good read 65.005 s");
    check(grows(outage()), Violated, "by the deadline");
    let mut short = grows(late());
    short.case.plan.phases[1].until_ms = 80_000;
    check(short, Inconclusive, "no heal of the plan is longer than 60");
}

#[test]
fn a_probe_that_fails_after_the_heal_opens_the_breaker_anew() {
    let failed = |second: u64| outage().exchange(refused("ann", second * 1_000, 503));
    let back = |history: History| newcomers(history.exchanges(reads(75, 120)), 95, 10, 0);
    check(back(failed(40)), Held, "first good read 75.005 s");
    check(back(outage()), Violated, "by the deadline");
    check(back(failed(51)), Violated, "by the deadline");
    // One of three probes fails, and nobody is owed a page until the next ones.
    let missed = |history: History| {
        let closed = history.exchanges([38, 39].map(|n| read("ann", n * 1_000)));
        newcomers(newcomers(closed.exchanges(reads(71, 120)), 55, 10, 10), 95, 10, 0)
    };
    check(missed(failed(40)), Held, "0 of them not fetched");
    check(missed(outage()), Violated, "were not fetched");
}

#[test]
fn a_heal_in_which_the_process_ended_or_stood_still_is_not_judged() {
    check(outage().killed_until(19_000, 21_000), Inconclusive, "no heals");
    check(outage().paused(50_000, 51_000), Inconclusive, "no heals");
    check(outage().killed_until(18_000, 19_000), Violated, "no attempt from the heal until");
}

#[test]
fn no_outage_no_demand_or_no_time_is_inconclusive() {
    let calm = History::over(&[(PhaseKind::Outage, 0, 20), (PhaseKind::Heal, 20, 100)]);
    check(calm.exchanges(reads(0, 90)), Inconclusive, "was none: 5.000 s upstream");
    let mut unwanted = outage();
    unwanted.operations.clear();
    check(unwanted, Inconclusive, "no heals");
    let mut short = outage();
    short.case.plan.phases[1].until_ms = 66_000;
    short.case.harness.closed = Moment::from_ms(50_000);
    check(short, Inconclusive, "no heals");
}

#[test]
fn a_heal_is_long_enough_beyond_the_open_time_the_bound_and_the_tolerance() {
    for (until, undecidable) in [(65_100, true), (65_101, false)] {
        let mut history = outage();
        history.case.plan.phases[1].until_ms = until;
        assert_eq!(BreakerRecovers.undecidable(&history.case).is_some(), undecidable, "{until}");
    }
}

#[test]
fn a_due_page_is_fetched_while_its_visitor_waits_and_within_the_heal() {
    // Answered 1.2 s after the visitor came: the fast time, and the tolerance both ways.
    let fetched = |after: u64| {
        let missed = newcomers(outage().exchange(read("ann", 40_000)), 60, 7, 4);
        let answer = |n: u64| read(&format!("new-60-{n}"), 60_000 + n * 500 + after - 5);
        missed.exchanges((0..4).map(answer))
    };
    check(fetched(1_200), Held, "0 of them not fetched");
    check(fetched(1_201), Violated, "4 of 7 due pages were not fetched");
    for (sent, due) in [(118_799, 1), (118_800, 0)] {
        let history = outage().exchange(read("ann", 40_000));
        let verdict = history.operation(page("new", sent, sent + 9, "-"));
        let verdict = verdict.judged_by(&BreakerRecovers);
        assert_eq!(seen(&verdict, &DUE), Some(due), "{sent}: {verdict:?}");
    }
}

#[test]
fn a_heal_counts_with_early_visitors_and_time_beyond_its_deadline() {
    // Ready at 35.005 s, so that the first half of the bound ends at 42.505 s.
    for (second, expected) in [(42, Violated), (43, Inconclusive)] {
        let mut history = outage();
        history.operations.retain(|visit| visit.sent == Moment::from_ms(second * 1_000));
        check(history, expected, "");
    }
    for (closed, expected) in [(50_105, Inconclusive), (50_106, Violated)] {
        let mut history = outage();
        history.case.harness.closed = Moment::from_ms(closed);
        check(history, expected, "");
    }
    // Nobody who came after the deadline was turned away, because nobody came.
    let mut deserted = outage().exchange(read("ann", 40_000));
    deserted.operations.retain(|visit| visit.sent < Moment::from_ms(50_000));
    check(deserted, Inconclusive, "0 due pages");
}

//! Tiny histories of outages and heals for `stale-on-outage`.

use super::*;
use crate::case::JudgedExchange;
use crate::testing::{Decides, History, blank, links, measured, page, read, refused, seen};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::history::exchange::Exchange;

const OTHERS: [&str; 3] = ["cleo", "dora", "emil"];

/// Ann's page is filled at once and again at 5 s as `v1`; the outage is from 10 s to 60 s.
fn bare() -> History {
    let newer = |exchange| Exchange { version: Some("v1".into()), ..exchange };
    History::over(&[
        (PhaseKind::Control, 0, 10),
        (PhaseKind::Outage, 10, 60),
        (PhaseKind::Heal, 60, 140),
    ])
    .exchanges([read("ann", 0), links("ann", 10)])
    .exchanges([read("ann", 5_000), links("ann", 5_010)].map(newer))
    .exchange(refused("zoe", 12_000, 503))
}

/// The others' pages are filled before, asked for in vain and read in the outage, and asked for again
/// and fetched after it.
fn history() -> History {
    others(&|other| [65_001, 75_001, 85_001, 95_001].map(|at| read(other, at)).into())
}

fn others(after: &dyn Fn(&'static str) -> Vec<Exchange>) -> History {
    let version = |other: &str| format!("v0-{other}");
    OTHERS.iter().fold(bare().exchange(refused("zoe", 13_000, 503)), |history, other| {
        let shown = |at: u64| {
            let mut page = page(other, at, at + 9, "-");
            let view = crate::history::PageView {
                version: Some(version(other).into()),
                ..Default::default()
            };
            page.did = crate::history::Did::Page(view);
            page
        };
        history
            .exchanges([read(other, 6_000), links(other, 6_010), refused(other, 30_000, 503)])
            .exchanges(after(other))
            .operations((0..10).map(|n| shown(30_000 + n * 5)))
            .operations([65_000, 75_000, 85_000, 95_000].map(shown))
    })
}

#[track_caller]
fn judge(history: History, expected: VerdictKind) {
    let verdict = history.judged_by(&StaleOnOutage);
    assert_eq!(verdict.kind, expected, "{verdict:?}");
}

#[track_caller]
fn check(read: Operation<'static>, expected: VerdictKind) {
    judge(history().operation(read), expected);
}

/// Slow reads of Ann's page while it is asked for in vain, and quick ones.
fn waited(slow: u64, quick: u64) -> History {
    let slow = (0..slow).map(|n| page("ann", 20_000 + n, 21_101 + n, "v1"));
    let quick = (0..quick).map(|n| page("ann", 22_000 + n % 100, 22_001 + n % 100, "v1"));
    history().exchange(refused("ann", 22_050, 503)).operations(slow).operations(quick)
}

/// After the heal the pages are fetched again 25 s after they were asked for.
fn late() -> History {
    others(&|other| vec![read(other, 90_000)])
}

pub fn decided() -> Vec<Decides> {
    vec![
        Decides { bound: &FAST, value: 100, history: || waited(3, 300) },
        Decides { bound: &FRESH, value: 40_000, history: late },
    ]
}

#[test]
fn expired_pages_in_an_outage_hold_and_a_few_or_fresh_ones_are_inconclusive() {
    check(page("ann", 20_000, 20_010, "v1"), Held);
    judge(bare().operation(page("ann", 20_000, 20_010, "v1")), Inconclusive);
    judge(bare().operation(page("ann", 5_500, 5_510, "v1")), Inconclusive);
    judge(bare(), Inconclusive);
    let mut untold = history();
    untold
        .operations
        .iter_mut()
        .for_each(|read| *read = Operation { did: blank("-", 0, 1).did, ..read.clone() });
    judge(untold, Inconclusive);
}

#[test]
fn an_outage_that_nobody_met_or_that_let_attempts_through_shows_nothing() {
    let served = || bare().operation(page("ann", 20_000, 20_010, "v1"));
    let reason = |history: History| {
        let verdict = history.judged_by(&StaleOnOutage);
        assert_eq!(verdict.kind, Inconclusive, "{verdict:?}");
        verdict.reason.unwrap()
    };
    let through = reason(served().exchange(read("zoe", 30_000)));
    assert!(through.contains("was none") && through.contains("/v1/profiles/zoe"), "{through}");
    let mut unmet = served();
    unmet.judged().retain(JudgedExchange::is_success);
    assert_eq!(reason(unmet), "in the outage from 10.000 s to 60.000 s no attempt failed");
}

#[test]
fn a_filled_page_that_is_not_served_is_violated() {
    check(Operation { status: Some(503), ..page("ann", 20_000, 20_010, "-") }, Violated);
    let blank = blank("ann", 20_000, 20_010);
    judge(history().operations([page("ann", 6_000, 6_001, "v1"), blank]), Violated);
}

#[test]
fn pages_never_filled_or_lost_with_the_process_are_excused() {
    let unserved = Operation { status: Some(503), ..page("ann", 20_000, 20_010, "-") };
    let bob = Operation { handle: "bob".into(), ..unserved.clone() };
    let history = || history().operation(page("ann", 15_000, 15_001, "v1"));
    let history = || history().exchange(refused("bob", 7_000, 503));
    judge(history().operation(bob), Held);
    let killed = history().operation(unserved).killed_until(16_000, 17_000);
    assert!(killed.judged_by(&StaleOnOutage).witnesses.is_empty());
}

/// Two reads of Ann's page in the outage, and these.
fn served(reads: impl IntoIterator<Item = Operation<'static>>) -> History {
    let ann = [15_000, 16_000].map(|at| page("ann", at, at + 1, "v1"));
    history().operations(ann).operations(reads)
}

#[test]
fn a_page_that_was_whole_just_before_the_process_ended_may_never_have_been_kept() {
    let bob = Operation { status: Some(503), ..page("bob", 20_000, 20_010, "-") };
    let fill = [read("bob", 9_000), links("bob", 9_010)];
    let filled = || served([bob.clone()]).exchanges(fill.clone());
    let excused =
        |history: History| assert!(history.judged_by(&StaleOnOutage).witnesses.is_empty());
    judge(filled(), Violated);
    excused(filled().killed_until(9_050, 9_060)); // whole at 9,015 ms, heard by 9,115
    excused(filled().paused(9_012, 9_500)); // and given up as it woke up
    judge(filled().paused(10_000, 11_000), Violated);
}

#[test]
fn who_answered_nobody_heard_of_a_page_later() {
    // Bob's page was whole at 9,965 ms and is heard of by 10,065 ms, unless the target computes.
    let fill = [read("bob", 9_950), links("bob", 9_960)];
    let asked = |at| Operation { status: Some(503), ..page("bob", at, at + 10, "-") };
    let filled = |at| served([asked(at)]).exchanges(fill.clone());
    let waits = page("cleo", 10_010, 10_200, "v0-cleo");
    judge(filled(10_101), Violated);
    for (at, expected) in [(10_300, Held), (10_301, Violated)] {
        judge(filled(at).operation(waits.clone()), expected);
    }
    // What a visitor has seen there was heard of.
    let seen = page("bob", 10_210, 10_220, "v0-bob");
    judge(served([waits, seen, asked(10_290)]).exchanges(fill), Violated);
}

#[test]
fn slow_pages_are_excused_while_it_stands_still_and_wakes_up() {
    let slow = |at| served((0..3).map(|_| page("ann", at, at + 2_500, "v1")));
    judge(slow(20_000), Violated);
    judge(slow(20_000).paused(19_500, 22_000), Held);
    judge(slow(22_900).paused(19_500, 22_000), Held);
    judge(slow(23_200).paused(19_500, 22_000), Violated);
}

#[test]
fn a_version_of_another_creator_or_of_nobody_or_an_older_one_is_violated() {
    let bob = || history().exchange(read("bob", 7_000));
    let verdict = bob().operation(page("ann", 20_000, 20_010, "v0-bob")).judged_by(&StaleOnOutage);
    assert_eq!(verdict.kind, Violated);
    assert_eq!(measured(&verdict, "pages of a wrong version"), Some(1));
    assert_eq!(measured(&verdict, "filled pages not shown"), Some(0));
    check(page("ann", 8_000, 8_010, "v9"), Violated);
    check(page("ann", 20_000, 20_010, "v0-ann"), Violated);
    check(page("ann", 4_000, 4_010, "v1"), Violated); // before Linktree sent it
    let fresh = page("ann", 8_000, 8_001, "v0-ann"); // it may have a copy of its own until 9 s
    judge(history().operations([fresh, page("ann", 20_000, 20_010, "v1")]), Held);
    // What was filled by a process that has ended may not have been kept.
    let old = || history().operation(page("ann", 20_000, 20_010, "v0-ann"));
    judge(old().killed_until(5_500, 5_600), Held);
}

#[test]
fn who_waits_for_linktree_is_slow_unless_a_fresh_page_comes_of_it() {
    judge(waited(2, 0), Held);
    judge(waited(3, 0), Violated);
    judge(history().operations((0..3).map(|n| page("ann", 20_000 + n, 21_100 + n, "v1"))), Held);
    judge(waited(3, 0).lag(20_500, 150), Held);
    let long = Exchange { t_end: Moment::from_ms(21_100), ..refused("ann", 19_990, 503) };
    judge(waited(3, 0).exchange(Exchange { t_w: None, ..long }), Violated);
    // At the outage's very end an answer comes of it.
    let late = |at| page("ann", at, at + 1_500, "v1");
    let waits = || history().operations([59_500, 59_600, 59_700].map(late));
    let fresh = Exchange { version: Some("v1".into()), ..read("ann", 60_800) };
    judge(waits(), Violated);
    judge(waits().exchange(fresh), Held);
}

#[test]
fn a_page_that_is_never_fetched_again_is_violated() {
    judge(late(), Violated);
    let verdict = others(&|_| Vec::new()).judged_by(&StaleOnOutage);
    assert_eq!((verdict.kind, verdict.violations), (Violated, 3), "{verdict:?}");
    assert!(
        verdict.witnesses[0].what.contains("was not fetched again within 15.1 s"),
        "{verdict:?}"
    );
}

#[test]
fn a_page_that_was_fetched_again_in_time_counts_though_it_expires_just_before_the_end() {
    let last = [("cleo", "v0-cleo"), ("dora", "v0-dora"), ("emil", "v0-emil")];
    let last = last.map(|(other, version)| page(other, 130_000, 130_009, version));
    judge(history().operations(last), Held);
}

#[test]
fn nobody_waits_in_an_outage_that_answers_at_once_and_then_that_is_not_asked_for() {
    use mock_server::faults::{Matcher, Pick, Stall, StallAt, Status, Window};
    let status = Fault::Status(Status { codes: vec![503], retry_after: vec![] });
    let stall = Fault::Stall(Stall { at: StallAt::BeforeHead });
    let check = |faults: &[(&Fault, u64, u64)], expected| {
        let mut history = history();
        // Whoever fails then is asked for a page that nobody waits for.
        let failed = |one: &&mut JudgedExchange| one.status == Some(503);
        let failures = history.judged().iter_mut().filter(failed);
        failures.for_each(|one| one.handle = Some("zoe".into()));
        let rule = |&(fault, from_ms, until_ms): &(&Fault, u64, u64)| Rule {
            id: "gone".into(),
            window: Window { from_ms, until_ms },
            matcher: Matcher::default(),
            pick: Pick::All,
            fault: fault.clone(),
        };
        history.case.plan.faults = faults.iter().map(rule).collect();
        judge(history, expected);
    };
    check(&[], Inconclusive);
    let refuses = (&status, 10_000, 60_000);
    check(&[refuses], Held);
    for (from, until, expected) in [
        (10_000, 60_000, Inconclusive),
        (0, 10_001, Inconclusive),
        (59_999, 70_000, Inconclusive),
        (0, 10_000, Held),
        (60_000, 70_000, Held),
    ] {
        check(&[(&stall, from, until), refuses], expected);
    }
}

#[test]
fn each_of_several_workers_shows_the_last_page_of_its_own() {
    let both = [page("ann", 20_000, 20_010, "v1"), page("ann", 20_100, 20_110, "v0-ann")];
    judge(history().operations(both.clone()), Violated);
    // Another worker asked for what the first one still had.
    let second = [read("ann", 1_000), links("ann", 1_010)];
    let verdict = history().exchanges(second.clone()).operations(both).judged_by(&StaleOnOutage);
    assert!(verdict.kind == Held && verdict.observed.contains("1 of them of an older version"));
    // For as long as an expired page may be shown after the last of it was asked for, at 1,010 ms.
    for (at, expected) in [(45_009, Held), (45_010, Violated)] {
        let older = page("ann", at, at + 10, "v0-ann");
        judge(stale_for(40).exchanges(second.clone()).operation(older), expected);
    }
    let foreign = page("ann", 20_000, 20_010, "v0-zoe");
    judge(history().exchanges(second).operation(foreign), Violated);
}

/// Expired pages may be shown for so many seconds.
fn stale_for(seconds: u32) -> History {
    let mut history = history();
    history.case.contract.cache.stale_if_error_s = seconds;
    history
}

#[test]
fn a_read_is_judged_once_the_page_was_shown_and_as_long_as_it_may_be_shown_expired() {
    let unserved = |handle, at| Operation { status: Some(503), ..page(handle, at, at + 10, "-") };
    // Bob's links were never fetched, so that only a visitor's eyes tell that the page was there.
    for (at, expected) in [(20_010, Held), (20_011, Violated)] {
        let shown = history().exchange(read("bob", 7_000));
        let shown = shown.operation(page("bob", 20_000, 20_010, "v0-bob"));
        judge(shown.operation(unserved("bob", at)), expected);
    }
    // Vouched for at 5,005 ms, fresh for 4 s, and heard of with the tolerance.
    for (at, expected) in [(48_904, Violated), (48_905, Held)] {
        judge(stale_for(40).operation(unserved("ann", at)), expected);
    }
}

#[test]
fn a_page_is_expired_beyond_its_time_and_the_tolerance() {
    for (at, expired) in [(13_105, 30), (13_106, 31)] {
        let history = history().exchanges([read("bob", 9_000), links("bob", 9_010)]);
        let verdict =
            history.operation(page("bob", at, at + 9, "v0-bob")).judged_by(&StaleOnOutage);
        assert_eq!(seen(&verdict, &EXPIRED), Some(expired), "{verdict:?}");
        assert!(verdict.observed.contains("; 31 reads of filled pages"), "{verdict:?}");
    }
}

#[test]
fn who_asks_while_a_probe_is_under_way_makes_no_page_due() {
    // The breaker lets the first call after the heal through, and nothing beside it.
    let probe = |until| Exchange { t_w: Some(Moment::from_ms(until)), ..read("zoe", 61_800) };
    for (until, due) in [(61_900, 3), (62_050, 3), (61_899, 4)] {
        let history = bob_expired().exchange(probe(until));
        let verdict = history.judged_by(&StaleOnOutage);
        assert_eq!(seen(&verdict, &DUE), Some(due), "{until} {verdict:?}");
    }
}

/// Bob's page was vouched for before the outage, and is asked for at 62 s, after the heal.
fn bob_expired() -> History {
    let view = page("bob", 62_000, 62_009, "v0-bob");
    history().exchanges([read("bob", 9_000), links("bob", 9_010)]).operation(view)
}

/// Bob's page is fetched at 62 s, after the heal, and viewed at these times.
fn asked_again(views: &[(u64, u64)]) -> History {
    let view = |&(from, until): &(u64, u64)| page("bob", from, until, "v0-bob");
    let fetched = history().exchanges([read("bob", 62_000), links("bob", 62_010)]);
    fetched.operations(views.iter().map(view))
}

#[test]
fn a_page_is_due_once_it_has_expired_after_a_heal_and_with_time_left_to_fetch_it() {
    let check = |history: History, expected| {
        let verdict = history.judged_by(&StaleOnOutage);
        assert_eq!(seen(&verdict, &DUE), Some(expected), "{verdict:?}");
    };
    // Vouched for at 62,005 ms; the heal ends at 140 s, and 15.1 s are left to fetch a page.
    for (at, due) in [(66_105, 3), (66_106, 4), (124_899, 4), (124_900, 3)] {
        check(asked_again(&[(at, at + 9)]), due);
    }
    check(history().paused(61_000, 61_500), 0);
    check(history().exchange(read("zoe", 65_000)), 3);
}

#[test]
fn a_page_that_is_due_is_old_when_its_time_is_over_before_the_next_disturbance() {
    // Due at 70 s, and so fetched by 85.1 s.
    judge(asked_again(&[(70_000, 70_009), (85_100, 85_109)]), Held);
    judge(asked_again(&[(70_000, 70_009), (85_101, 85_109)]), Violated);
    judge(asked_again(&[(70_000, 70_009), (139_880, 139_899)]), Violated);
    judge(asked_again(&[(70_000, 70_009), (139_880, 139_900)]), Held);
    // What the visitor got of it is seen before its last byte is known to be written.
    let late = |known| {
        let seen = asked_again(&[(70_000, 70_009), (90_000, 90_009)]);
        let again = read("bob", 90_000);
        seen.exchange(Exchange { t_w: Some(Moment::from_ms(known)), ..again })
    };
    judge(late(90_109), Held);
    judge(late(90_110), Violated);
    // An answer that was whole at the very moment in which the visitor asked.
    let at_once = asked_again(&[(70_000, 70_009), (90_000, 90_009)]);
    judge(at_once.exchange(read("bob", 69_995)), Held);
}

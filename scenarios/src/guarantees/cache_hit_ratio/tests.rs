//! Tiny histories of pages that are kept, or fetched too often, for `cache-hit-ratio`.

use super::*;
use crate::observed::Figures;
use crate::plan::PhaseKind::{self, Control, Outage, Warmup};
use crate::testing::{Decides, History, click, links, page, read, refused, scrape};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::history::exchange::Exchange;

const PHASES: &[(PhaseKind, u64, u64)] = &[(Warmup, 0, 10), (Control, 10, 20), (Outage, 20, 30)];

/// `reads` page reads and `fetches` at even distances from 11 s to 19 s.
fn history(reads: u64, fetches: u64) -> History {
    let at = |count: u64| (0..count).map(move |n| 11_000 + n * 8_000 / count);
    History::over(PHASES)
        .operations(at(reads).map(|at| page("ann", at, at + 1, "v0-ann")))
        .exchanges(at(fetches).map(|at| read("ann", at)))
}

#[track_caller]
fn check(history: History, expected: VerdictKind) {
    let verdict = history.judged_by(&CacheHitRatio);
    assert_eq!(verdict.kind, expected, "{verdict:?}");
}

pub fn decided() -> Vec<Decides> {
    vec![Decides { bound: &PERCENT, value: 95, history: || history(200, 20) }]
}

#[test]
fn one_fetch_in_ten_reads_is_allowed_and_more_is_not() {
    check(history(200, 20), Held);
    check(history(200, 21), Violated);
}

#[test]
fn links_without_a_profile_count_as_much() {
    check(history(200, 0).exchanges((0..30).map(|n| links("ann", 11_000 + n * 200))), Violated);
}

#[test]
fn retries_and_other_phases_and_creators_cost_nothing() {
    let failing = (0..30).map(|n| refused("ann", 11_000 + n * 200, 503));
    check(history(200, 0).exchanges(failing), Held);
    check(history(200, 1).exchanges((0..90).map(|n| read("ann", n * 100))), Held);
    check(history(200, 1).exchanges((0..90).map(|n| read("bob", 11_000 + n))), Held);
}

#[test]
fn pages_that_went_with_their_process_may_be_fetched_again() {
    check(history(200, 22).killed(15_000), Held);
    check(history(200, 23).killed(15_000), Violated);
    check(history(200, 21).paused(14_000, 15_000), Held);
    check(history(200, 22).paused(14_000, 15_000), Violated);
    check(history(200, 21).killed(5_000), Violated); // in the warm-up
}

#[test]
fn reads_that_fail_are_not_served_and_nothing_is_too_few_of_them() {
    let failing = |count: usize| {
        let mut history = history(200, 0);
        history.operations[..count].iter_mut().for_each(|read| read.status = Some(503));
        history
    };
    check(failing(20), Held);
    check(failing(21), Violated);
    check(failing(200), Violated);
}

#[test]
fn visitors_who_come_during_a_fetch_share_it() {
    let herd = (0..12).map(|n| {
        let end = Moment::from_ms(15_200 + n);
        Exchange { t_w: Some(end), t_end: end, ..read("ann", 15_000 + n) }
    });
    check(history(200, 0).exchanges(herd), Violated);
}

#[test]
fn a_ratio_that_hangs_on_a_boundary_is_inconclusive() {
    check(history(200, 20).exchange(read("ann", 10_050)), Inconclusive);
}

#[test]
fn a_counter_that_falls_within_a_life_leaves_the_exposed_ratio_open() {
    let figures = |hits, misses| Figures {
        cache_hits: Some(hits),
        cache_misses: Some(misses),
        ..Figures::default()
    };
    let scraped = |first| {
        history(200, 20).scrape(scrape(0, first)).scrape(scrape(25_000, figures(180.0, 20.0)))
    };
    check(scraped(figures(0.0, 0.0)), Held);
    // 103.0 % of the reads, and less than no miss.
    let verdict = scraped(figures(146.0, 21.0)).judged_by(&CacheHitRatio);
    assert_eq!(verdict.kind, Inconclusive, "{verdict:?}");
    assert!(verdict.reason.unwrap().contains("fell from 21 to 20"));
    assert!(verdict.observed.ends_with("the ratio is not to be told"), "{}", verdict.observed);
}

#[test]
fn few_reads_or_a_short_max_age_are_inconclusive() {
    check(history(99, 99), Inconclusive);
    check(History::over(PHASES), Inconclusive);
    let mut short = history(100, 100); // 11 compulsory fetches
    short.case.contract.cache.max_age_s = 1;
    check(short, Inconclusive);
}

#[test]
fn only_page_views_that_were_not_lost_to_a_disturbance_count() {
    let clicks = || (0..90).map(|n| click("a", 11_000 + n * 50, 11_001 + n * 50));
    check(history(200, 21).operations(clicks()), Violated);
    let away = |status| {
        let mut history = history(200, 20).paused(14_000, 15_000);
        let inside =
            |read: &&mut Operation<'_>| (14_000..15_000).contains(&(read.sent.0 / 1_000_000));
        history.operations.iter_mut().filter(inside).for_each(|read| read.status = Some(status));
        history.judged_by(&CacheHitRatio).observed
    };
    assert!(away(200).contains("; 200 page reads of ann"), "{}", away(200));
    assert!(away(200).contains(", 1 of them for restarts"), "{}", away(200));
    let lost = away(503);
    assert!(
        lost.contains("; 175 page reads of ann") && lost.contains("and 0 were not served"),
        "{lost}"
    );
}

#[test]
fn who_read_no_page_while_linktree_was_well_is_told_so() {
    let verdict = History::over(PHASES)
        .operation(page("ann", 10_050, 10_051, "v0-ann"))
        .judged_by(&CacheHitRatio);
    assert_eq!(verdict.reason.as_deref(), Some("no page was read while Linktree was well"));
    assert!(
        history(200, 20).judged_by(&CacheHitRatio).observed.ends_with("the ratio is not exposed")
    );
}

#[test]
fn a_fetch_is_a_read_of_the_first_part_of_this_page_that_is_no_retry() {
    let other = |change: &dyn Fn(Exchange) -> Exchange| {
        history(200, 1).exchanges((0..90).map(|n| change(links("ann", 11_000 + n * 50))))
    };
    check(other(&|fetch| fetch), Violated);
    check(other(&|fetch| Exchange { method: "HEAD".into(), ..fetch }), Held);
    check(
        other(&|fetch| Exchange { target: format!("{}&cursor=abc", fetch.target), ..fetch }),
        Held,
    );
    check(other(&|fetch| Exchange { route: Route::Clicks, ..fetch }), Held);
    // After a failure known at 11,205 ms: what had been sent before is a fetch of its own.
    for (sent, expected) in [(11_204, Violated), (11_205, Held)] {
        check(
            history(200, 19).exchanges([refused("ann", 11_200, 503), read("ann", sent)]),
            expected,
        );
    }
}

#[test]
fn what_was_fetched_too_often_is_shown_with_its_share_and_its_first_fetches() {
    let shown = |history: History| {
        let verdict = history.judged_by(&CacheHitRatio);
        assert_eq!(verdict.kind, Violated, "{verdict:?}");
        verdict.witnesses[0].clone()
    };
    let profiles = shown(history(200, 21).exchange(read("ann", 500)));
    assert!(
        profiles.what.starts_with("only 89.5 % of ann's page reads were served"),
        "{profiles:?}"
    );
    assert_eq!((profiles.at, profiles.story.len()), (Moment::from_ms(11_000), 5), "{profiles:?}");
    let links = (0..21).map(|n| links("ann", 11_100 + n * 300));
    assert_eq!(shown(history(200, 21).exchanges(links.clone())).at, Moment::from_ms(11_000));
    assert_eq!(shown(history(200, 20).exchanges(links)).at, Moment::from_ms(11_100));
}

#[test]
fn where_the_plan_slows_page_reads_visitors_must_meet_a_fetch() {
    use mock_server::faults::{Fault, Latency, Rule};
    let slowed = |fetches: u64| {
        let mut history = history(200, fetches);
        let slow = Fault::Latency(Latency::Constant { ms: 5 });
        history.case.plan.faults.push(Rule::new("slow", slow));
        history
    };
    check(slowed(20), Held); // each beside one visitor
    check(slowed(19), Inconclusive);
    check(history(200, 19), Held);
}

#[test]
fn a_page_that_may_not_be_kept_at_all_cannot_be_judged() {
    let mut never = history(200, 21);
    never.case.contract.cache.max_age_s = 0;
    let verdict = never.judged_by(&CacheHitRatio);
    assert!(
        verdict.reason.unwrap().starts_with("a max-age of 0 s forces"),
        "{:?}",
        verdict.observed
    );
}

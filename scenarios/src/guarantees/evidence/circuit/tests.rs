//! What every breaker makes of an attempt, and before which one there is a breaker.

use super::*;
use crate::testing::{History, broken_off, given_up, hit_by, read, refused};
use mock_server::history::exchange::Exchange;

#[track_caller]
fn check(history: History, attempt: Exchange, expected: Class) {
    let mut history = history;
    history.case.ready();
    let attempt = attempt.into();
    assert_eq!(class(&history.case, &attempt), expected, "{attempt:?}");
}

fn calm() -> History {
    History::over(&[])
}

#[test]
fn ends_are_successes_failures_or_a_matter_of_taste() {
    let ends = |end| Exchange { end, ..read("ann", 1_000) };
    check(calm(), read("ann", 1_000), Class::Success);
    for status in [500, 503, 599] {
        check(calm(), refused("ann", 1_000, status), Class::Failure);
    }
    for status in [404, 429] {
        check(calm(), refused("ann", 1_000, status), Class::Unclear);
    }
    check(calm(), ends(End::Truncated), Class::Failure);
    check(calm(), ends(End::ServerReset), Class::Failure);
    check(calm(), ends(End::Open), Class::Unclear);
    check(calm(), broken_off("reset", 1_000, 1_005), Class::Unclear);
    check(calm(), hit_by("partial-failure", read("ann", 1_000)), Class::Unclear);
    check(calm(), Exchange { doubtful: true, ..read("ann", 1_000) }, Class::Unclear);
}

#[test]
fn an_abort_is_a_timeout_after_the_timeout_less_the_tolerances_and_of_a_living_process() {
    check(calm(), given_up("ann", 1_000, 10_849), Class::Dropped);
    let calls = calm().declaring(|one| one.breaker_counting = BreakerCounting::Call);
    check(calls, given_up("ann", 1_000, 10_849), Class::Unclear);
    let begun =
        Exchange { t_first: Some(Moment::from_ms(2_000)), ..given_up("ann", 1_000, 10_849) };
    check(calm(), begun, Class::Unclear);
    check(calm(), given_up("ann", 1_000, 10_850), Class::Failure);
    let long = || given_up("ann", 1_000, 11_000);
    check(calm().killed(11_000), long(), Class::Unclear);
    check(calm().killed(10_900), long(), Class::Unclear);
    check(calm().killed(10_899), long(), Class::Failure);
    check(calm().killed(11_001), long(), Class::Failure);
}

#[test]
fn who_stood_still_around_an_attempt_may_take_it_for_anything() {
    let answered = || read("ann", 1_000);
    check(calm().paused(500, 899), answered(), Class::Success);
    check(calm().paused(500, 900), answered(), Class::Unclear);
    check(calm().paused(1_105, 2_000), answered(), Class::Unclear);
    check(calm().paused(1_106, 2_000), answered(), Class::Success);
}

#[test]
fn a_look_whether_linktree_is_there_needs_no_breaker() {
    let of = |route| Exchange { route, ..read("ann", 0) };
    let head = Exchange { method: "HEAD".into(), ..read("ann", 0) };
    let seen = [of(Route::Health), of(Route::Unknown), head, of(Route::Clicks), read("ann", 0)];
    assert_eq!(seen.map(|one| is_guarded(&one.into())), [false, false, false, true, true]);
}

#[test]
fn pages_meet_their_own_breaker_first() {
    let mut case = calm().case;
    let of = |route| JudgedExchange::from(Exchange { route, ..read("ann", 0) });
    let all = [Route::Profile, Route::ProfileLinks, Route::Health].map(of);
    let seen = |case: &Case| all.each_ref().map(|one| is_guarded_like_pages(case, one));
    assert_eq!(seen(&case), [true, true, false]);
    case.declared.breaker_scope = BreakerScope::Route;
    assert_eq!(seen(&case), [true, false, false]);
}

#[test]
fn a_client_knows_of_its_own_abort_before_the_socket_shows_it() {
    let case = calm().case;
    let at = |ms| Moment::from_ms(ms);
    assert_eq!(earliest_known(&case, &given_up("ann", 1_000, 9_000).into()), at(8_900));
    assert_eq!(earliest_known(&case, &refused("ann", 1_000, 503).into()), at(1_005));
}

#[test]
fn nine_tenths_of_a_sampling_window_add_up_for_certain() {
    let [ten, nine] = [10, 9].map(Duration::from_secs);
    assert_eq!((sure_part(ten), window_for(nine)), (nine, ten));
}

#[test]
fn what_comes_in_the_last_excused_moment_is_no_offender() {
    let through = |ms: u64| {
        let failed = (1..=5).map(|n| refused("ann", n * 1_000, 503));
        let history = calm().exchange(read("ann", 0)).exchanges(failed);
        let mut case = history.exchange(refused("ann", ms, 503)).case;
        case.ready();
        offenders(&openings(&case))
    };
    assert_eq!([through(5_205), through(5_206)], [0, 1]);
}

//! What state the target's breakers were in, as far as that is certain from outside and nothing recorded
//! speaks against it.
//!
//! A breaker is known to be open after enough failures in a row, half-open while its probes are in the air,
//! and closed after a start or enough successes, as `breaker-opens` and `breaker-recovers` are judged by. It
//! need not do what it promises: where attempts came through that it must have kept back, nothing is said
//! but when it was closed, and after a failure that is said only as long as attempts follow each other.

use crate::case::{Case, JudgedExchange};
use crate::guarantees::evidence::circuit::{
    Class, Opening, attempts, class, earliest_known, is_guarded_like_pages, openings,
};
use crate::guarantees::evidence::threshold::Threshold;
use crate::history::Change;
use crate::plan::{BreakerScope, WindowKind};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use std::time::Duration;

/// What a breaker does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// It lets it through.
    Closed,
    /// It lets a few through, to see.
    HalfOpen,
    /// It lets none through.
    Open,
}

/// The states of one breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// The only route that it guards; none where it guards all of them.
    pub guards: Option<Route>,
    /// State, begin and end in plan milliseconds, in order of time; between them nothing is certain.
    pub spans: Vec<(BreakerState, u64, u64)>,
}

/// The shortest that is drawn.
const MOMENT: Duration = Duration::from_millis(1);

type Span = (BreakerState, Moment, Moment);

/// All breakers of which something is certain, those of pages first.
#[must_use]
pub fn breakers(case: &Case) -> Vec<Breaker> {
    let declared = &case.declared;
    // Of several, and of windows that begin anew, only a budget is certain.
    let is_told = declared.instances <= 1 && declared.breaker_window_kind != WindowKind::Tumbling;
    let openings = if is_told { openings(case) } else { Vec::new() };
    let of_pages = match declared.breaker_scope {
        BreakerScope::Host => None,
        BreakerScope::Route => Some(Route::Profile),
    };
    let mut all = vec![of_pages];
    for opening in &openings {
        let guards = guards(case, opening);
        if !all.contains(&guards) {
            all.push(guards);
        }
    }
    let states = |guards: Option<Route>| {
        let of = openings.iter().filter(|one| self::guards(case, one) == guards).collect();
        let mut spans = open(case, guards, of);
        if guards == of_pages {
            spans.extend(closed(case));
        }
        Breaker { guards, spans: on_the_axis(case, spans) }
    };
    let all = all.into_iter().map(states);
    all.filter(|breaker| !breaker.spans.is_empty()).collect()
}

/// What the breaker of an open time guards.
fn guards(case: &Case, opening: &Opening<'_>) -> Option<Route> {
    match case.declared.breaker_scope {
        BreakerScope::Host => None,
        BreakerScope::Route => opening.evidence.first().map(|one| one.route),
    }
}

/// When a breaker was open or half-open. Where one of its open times let something through it is not what
/// it is declared to be, and of none is anything certain.
fn open(case: &Case, guards: Option<Route>, openings: Vec<&Opening<'_>>) -> Vec<Span> {
    if openings.iter().any(|one| !one.offenders.is_empty()) {
        return Vec::new();
    }
    let delta = case.harness.delta;
    // Once for all open times, of which a long run has thousands.
    let disturbances = disturbances(case, guards);
    let undisturbed_until = |closed: Moment| {
        let next = disturbances.partition_point(|at| *at <= closed);
        disturbances.get(next).copied().unwrap_or(case.harness.closed)
    };
    let mut spans = Vec::new();
    for opening in openings {
        if !opening.half_open {
            spans.push((BreakerState::Open, opening.from, opening.until));
            continue;
        }
        let ends = || opening.evidence.iter().map(|probe| probe.t_known());
        let (Some(first), Some(last)) = (ends().min(), ends().max()) else { continue };
        // It was when the first probe came, however soon that was answered.
        let until = first.minus(delta).max(opening.from.plus(MOMENT));
        spans.push((BreakerState::HalfOpen, opening.from, until));
        let of = |wanted| opening.evidence.iter().all(|probe| class(case, probe) == wanted);
        if of(Class::Failure) {
            spans.push((BreakerState::Open, last.plus(delta), opening.until));
        } else if of(Class::Success) && is_enough_to_close(case, opening) {
            spans.push((BreakerState::Closed, last.plus(delta), undisturbed_until(last)));
        }
    }
    spans
}

/// Whether so many successful probes close a breaker, whatever it remembers.
fn is_enough_to_close(case: &Case, opening: &Opening<'_>) -> bool {
    let each = case.declared.attempts_counted_once() as usize;
    let probes = case.declared.half_open_probes.max(1) as usize;
    case.times.breaker_window.is_none() && opening.evidence.len() >= probes.saturating_mul(each)
}

/// When something may have been a failure to a breaker, or befell it otherwise, in order of time.
fn disturbances(case: &Case, guards: Option<Route>) -> Vec<Moment> {
    let is_behind = |one: &&JudgedExchange| {
        one.is_connection_only() || guards.is_none_or(|route| route == one.route)
    };
    let failed = case.linktree.exchanges.iter().chain(&case.linktree.connections);
    let failed = failed.filter(is_behind).filter(|one| class(case, one) != Class::Success);
    let failed = failed.map(|one| earliest_known(case, one));
    let changed = case.target.processes.iter().filter(|one| one.change != Change::Ready);
    let changed = changed.map(|one| one.at).chain(case.linktree.refusals().map(|(from, _)| from));
    let mut all: Vec<Moment> = failed.chain(changed).collect();
    all.sort_unstable();
    all
}

/// When the breaker of pages was closed: as long as nothing failed, and then as long as one attempt was let
/// through after the other, sooner than it could have opened and let a probe through.
fn closed(case: &Case) -> Vec<Span> {
    let sent = attempts(case).into_iter().flatten();
    let mut sent: Vec<Moment> =
        sent.filter(|one| is_guarded_like_pages(case, one)).map(|one| one.t_req).collect();
    sent.sort_unstable();
    let open = case.times.breaker_open.saturating_sub(case.harness.epsilon);
    let mut spans = Vec::new();
    for (from, until, failed) in Threshold::of(case).stretches() {
        let mut last = failed.unwrap_or(until).min(until);
        spans.push((BreakerState::Closed, from, last));
        let after = sent.partition_point(|at| *at <= last);
        for at in sent[after..].iter().copied().take_while(|at| *at < until) {
            if at.since(last) < open {
                spans.push((BreakerState::Closed, last, at));
            }
            last = at;
        }
    }
    spans
}

/// In plan milliseconds and in order; what follows in the same state is one, and where two say something else
/// nothing is certain.
fn on_the_axis(case: &Case, mut spans: Vec<Span>) -> Vec<(BreakerState, u64, u64)> {
    spans.sort_by_key(|(_, from, until)| (*from, *until));
    let mut all: Vec<(BreakerState, u64, u64)> = Vec::new();
    for (state, from, until) in spans {
        let [mut from, until] = [from, until].map(|at| case.plan_ms(at.min(case.harness.closed)));
        if let Some((before, _, end)) = all.last_mut() {
            if *before == state && from <= *end {
                *end = until.max(*end);
                continue;
            }
            let overlap = *end;
            *end = from.min(overlap);
            from = from.max(overlap);
        }
        if from < until {
            all.push((state, from, until));
        }
    }
    all.retain(|(_, from, until)| from < until);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::looks;
    use crate::testing::{History, read, refused};
    use BreakerState::{Closed, HalfOpen, Open};

    /// Twenty successes within two seconds, and five failures at 10 s to 14 s.
    fn tripped() -> History {
        let history = History::over(&[]).exchanges((0..20).map(|n| read("ann", n * 100)));
        history.exchanges((10..15).map(|second| refused("ann", second * 1_000, 503)))
    }

    #[track_caller]
    fn check(mut history: History, expected: &[(BreakerState, u64, u64)]) {
        history.case.harness.closed = Moment::from_ms(100_000);
        history.case.ready();
        let all = breakers(&history.case);
        assert_eq!(all.iter().map(|one| one.guards).collect::<Vec<_>>(), [None]);
        assert_eq!(all[0].spans, expected);
    }

    #[test]
    fn it_is_closed_open_half_open_and_closed_again() {
        check(
            tripped().exchange(read("ann", 50_000)),
            &[
                (Closed, 1_905, 14_000),
                (Open, 14_205, 43_955),
                (HalfOpen, 50_000, 50_001),
                (Closed, 50_105, 100_000),
            ],
        );
    }

    /// So many times open, half-open and closed again, a hundred seconds each.
    fn looked(times: u64) -> usize {
        let once = |n: u64| {
            let at = n * 100_000;
            let calm = (0..20).map(move |n| read("ann", at + n * 100));
            let failed = (10..15).map(move |second| refused("ann", at + second * 1_000, 503));
            calm.chain(failed).chain([read("ann", at + 50_000)])
        };
        let mut history = History::over(&[]).exchanges((0..times).flat_map(once));
        history.case.harness.closed = Moment::from_ms(times * 100_000);
        history.case.ready();
        looks::during(|| {
            let all = breakers(&history.case);
            let open = all[0].spans.iter().filter(|(state, ..)| *state == HalfOpen).count();
            assert_eq!(open as u64, times);
        })
    }

    #[test]
    fn of_four_times_as_many_open_times_exchanges_are_looked_at_four_times_as_often() {
        let (few, many) = (looked(50), looked(200));
        // Whoever sorts, or looks things up by halves, looks a fifth more often.
        assert!(many <= few * 24 / 5, "{few} looks, and then {many}");
    }

    #[test]
    fn after_a_failed_probe_it_is_open_again() {
        check(
            tripped().exchange(refused("ann", 50_000, 503)),
            &[
                (Closed, 1_905, 14_000),
                (Open, 14_205, 43_955),
                (HalfOpen, 50_000, 50_001),
                (Open, 50_105, 79_955),
            ],
        );
    }

    #[test]
    fn where_an_attempt_came_through_nothing_is_said_of_open_times() {
        let leaky = tripped().exchange(refused("ann", 20_000, 503));
        check(leaky.exchange(read("ann", 60_000)), &[(Closed, 1_905, 14_000)]);
    }

    #[test]
    fn below_the_threshold_it_is_closed_while_attempts_follow_each_other() {
        let history = History::over(&[]).exchanges((0..20).map(|n| read("ann", n * 100)));
        let history = history.exchange(refused("ann", 10_000, 503));
        let history = history.exchange(refused("ann", 30_000, 503));
        // Here it may have opened too soon, and let a probe through.
        check(history.exchange(refused("ann", 70_000, 503)), &[(Closed, 1_905, 30_000)]);
    }

    #[test]
    fn of_several_instances_only_a_start_says_something() {
        let mut history = tripped().declaring(|one| one.instances = 2);
        history.case.ready();
        assert_eq!(breakers(&history.case), []);
    }

    #[test]
    fn each_route_has_a_breaker_of_its_own_where_that_is_declared() {
        let mut history = tripped().declaring(|one| one.breaker_scope = BreakerScope::Route);
        history.case.harness.closed = Moment::from_ms(30_000);
        history.case.ready();
        let all = breakers(&history.case);
        assert_eq!(all.iter().map(|one| one.guards).collect::<Vec<_>>(), [Some(Route::Profile)]);
        assert_eq!(all[0].spans, [(Closed, 1_905, 14_000), (Open, 14_205, 30_000)]);
    }
}

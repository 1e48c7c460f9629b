//! What breakers that nobody can tell apart may let through: failures until each is open, or probes,
//! and then nothing for an open time.
//!
//! Of several instances the failures of one do not open another's breaker, and nobody sees who sent
//! what; of a window that begins anew nobody sees when it does. So of them no more is certain than how
//! much comes through within one open time (predicates, B4), and that there are open times with demand in
//! which nothing does.

use super::{Class, Opening, attempts, calls, class, guarded, refusals, sure_part};
use crate::case::{Case, JudgedExchange};
use crate::guarantees::evidence::rate::permits_expire;
use crate::history::Change;
use crate::plan::BreakerCounting;
use crate::spans;
use mock_server::clock::Moment;
use std::time::Duration;

/// The span that the budget is for: less than an open time, by what is delivery and granularity.
pub fn span(case: &Case) -> Duration {
    case.times.breaker_open.saturating_sub(case.harness.epsilon + case.harness.delta)
}

/// The most of these attempts, none of which succeeded, that breakers as declared let through within
/// one span: those that open them, or their probes, and those in the air then.
pub fn most_within_one(case: &Case, sent: &[&JudgedExchange]) -> usize {
    let declared = &case.declared;
    let counted = declared.breaker_failures.max(declared.half_open_probes) as usize;
    let each = match declared.breaker_counting {
        BreakerCounting::Attempt => counted + in_the_air(case, sent),
        BreakerCounting::Call => {
            let beside = calls::most_at_once(case, sent);
            (counted + beside) * declared.attempts_counted_once() as usize
        }
    };
    // What a window forgets comes again.
    let rounds = case.times.breaker_window.map_or(1, |window| {
        let rounds = span(case).as_nanos() / sure_part(window).as_nanos().max(1) + 2;
        usize::try_from(rounds).unwrap_or(usize::MAX)
    });
    each.saturating_mul(rounds) * declared.instances.max(1) as usize
}

/// When the breaker let it through, at the earliest.
pub fn begin(case: &Case, one: &JudgedExchange) -> Moment {
    let queued = permits_expire(case, one.t_req).since(one.t_req);
    one.t_req.minus(case.harness.delta + queued)
}

/// The most of these that were in the air at once, from the breaker's permit to the moment at which the
/// client has heard: δ more on both sides.
fn in_the_air(case: &Case, sent: &[&JudgedExchange]) -> usize {
    let over = |one: &JudgedExchange| one.t_known().plus(case.harness.delta);
    spans::most_at_once(sent.iter().map(|one| (begin(case, one), over(one))))
}

/// When, in rows of failures without anything between, as many must have come through as breakers let
/// through at the most; what came beside them are offenders.
pub fn openings(case: &Case) -> Vec<Opening<'_>> {
    let rows = attempts(case).into_iter().flat_map(|sent| rows(case, sent));
    let mut openings: Vec<Opening<'_>> =
        rows.flat_map(|(row, end)| openings_of(case, &row, end)).collect();
    openings.sort_by_key(|one| (one.tripped, one.from));
    openings
}

/// Maximal rows of failures, in order of arrival, and when each ends at the latest: with the next result
/// of another kind, and when instances end, begin, stand still or are refused.
fn rows<'c>(
    case: &'c Case,
    sent: Vec<&'c JudgedExchange>,
) -> Vec<(Vec<&'c JudgedExchange>, Moment)> {
    let mut cuts: Vec<Moment> = Vec::new();
    // What was dropped is nobody's success, and at most opens a breaker sooner.
    let others = guarded(case).filter(|one| class(case, one).may_have_succeeded());
    cuts.extend(others.map(|one| one.t_req));
    cuts.extend(case.linktree.connections.iter().map(|one| one.t_conn));
    let restarts = case.target.processes.iter().filter(|one| one.change != Change::Ready);
    cuts.extend(restarts.map(|one| one.at));
    cuts.extend(refusals(case).into_iter().flat_map(|(from, until)| [from, until]));
    cuts.push(Moment(u64::MAX));
    cuts.sort_unstable();
    let mut rows: Vec<(Vec<&JudgedExchange>, Moment)> = Vec::new();
    for one in sent.into_iter().filter(|one| class(case, one) == Class::Failure) {
        let after = cuts.partition_point(|cut| *cut <= one.t_req);
        let (before, end) = (after.checked_sub(1).map(|at| cuts[at]), cuts[after]);
        // What succeeded before may keep a window's breaker closed until it is forgotten.
        let window = case.times.breaker_window.unwrap_or_default();
        if before.is_some_and(|before| one.t_req < before.plus(window)) {
            continue;
        }
        match rows.last_mut() {
            Some((row, until)) if *until == end => row.push(one),
            _ => rows.push((vec![one], end)),
        }
    }
    rows
}

fn openings_of<'c>(case: &'c Case, row: &[&'c JudgedExchange], end: Moment) -> Vec<Opening<'c>> {
    let most = most_within_one(case, row);
    let (mut openings, mut rest) = (Vec::new(), row);
    while let Some(first) = rest.first() {
        let until = first.t_req.plus(span(case)).min(end.minus(case.harness.delta));
        let within = rest.partition_point(|one| one.t_req < until).max(1);
        let (inside, later) = rest.split_at(within);
        let (evidence, offenders) = inside.split_at(inside.len().min(most));
        let half_open = !openings.is_empty();
        let tripped = evidence.iter().map(|one| one.t_known()).max().unwrap_or(first.t_req);
        // Fewer open no breaker.
        let enough = half_open || evidence.len() >= case.declared.breaker_failures as usize;
        if enough {
            openings.push(Opening {
                tripped,
                from: permits_expire(case, tripped.plus(case.harness.delta * 2)),
                until,
                evidence: evidence.to_vec(),
                half_open,
                offenders: offenders.to_vec(),
            });
        }
        rest = later;
    }
    openings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, refused};

    #[test]
    fn what_was_on_its_way_when_all_had_opened_is_excused_for_twice_the_tolerance() {
        let failures = (1..=12).map(|second| refused("ann", second * 1_000, 503));
        let history = History::over(&[]).exchanges(failures).declaring(|one| one.instances = 2);
        let openings = openings(&history.case);
        let seen = |one: &Opening<'_>| (one.tripped, one.from, one.offenders.len());
        let expected = [(Moment::from_ms(12_005), Moment::from_ms(12_205), 0)];
        assert_eq!(openings.iter().map(seen).collect::<Vec<_>>(), expected);
    }
}

//! Attempts that came through a breaker that must have been open.
//!
//! What was on its way is excused for 2 δ: once for the last failure to be heard of, and once for an
//! attempt to arrive. Whoever was a little slower just once is a doubt, and no violation.

use super::super::evidence::busy::Hearing;
use super::super::evidence::circuit::Opening;
use crate::case::{Case, JudgedExchange};
use crate::measure::{humane, so_many};
use crate::verdict::Witness;
use std::time::Duration;

/// What came through in one open time.
pub struct Leak {
    /// The first of these attempts.
    pub witness: Witness,
    /// How many they are.
    pub attempts: u64,
    /// How long after the last failure was known the first came, if it may have been on its way.
    soon: Option<Duration>,
}

/// What came through in this open time, unless the harness was late then.
pub fn leak(case: &Case, hearing: &Hearing, opening: &Opening<'_>) -> Option<Leak> {
    let given = case.harness.delta * 2;
    let heard = hearing.heard_by(opening.from.minus(given), given);
    let sure = |one: &&&JudgedExchange| {
        heard < one.t_req && !case.harness.too_slow_within(one.t_req, one.t_req)
    };
    let mut offenders = opening.offenders.iter().filter(sure);
    let first = offenders.next()?;
    if case.harness.too_slow_within(opening.from.minus(given), opening.from) {
        return None;
    }
    let begun = if opening.half_open { "its probes" } else { "the failures that must open it" };
    let what = format!(
        "{} got through the breaker after {begun}, the first {} before the next is due",
        so_many(opening.offenders.len(), "attempt", "attempts"),
        humane(opening.until.since(first.t_req)),
    );
    let evidence = opening.evidence.iter().chain([first]);
    let witness = Witness::new(first.t_req, what);
    let witness = evidence.fold(witness, |witness, one| witness.line(case.tell(one)));
    // Whoever lets probes through knows since long that Linktree is down.
    let soon = !opening.half_open && first.t_req <= heard.max(opening.from).plus(given);
    Some(Leak {
        witness,
        attempts: 1 + offenders.count() as u64,
        soon: soon.then(|| first.t_req.since(opening.tripped)),
    })
}

/// Why a single attempt in the whole run is no violation, if it is not.
pub fn doubt(case: &Case, leaks: &[Leak]) -> Option<String> {
    let [Leak { witness, attempts: 1, soon: Some(after) }] = leaks else { return None };
    Some(format!(
        "a single attempt got through the breaker {} after the failures that must open it, at {}, and may \
         have been on its way: one such attempt is a doubt, two are a violation",
        humane(*after),
        case.at(witness.at),
    ))
}

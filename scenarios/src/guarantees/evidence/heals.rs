//! Heals: when Linktree is back after an outage in which the breaker must have opened.

use super::circuit::{Class, class, is_guarded};
use super::outages::Outages;
use crate::case::Case;
use crate::guarantees::breaker_recovers;
use crate::plan::{Phase, PhaseKind};
use mock_server::clock::Moment;
use mock_server::history::exchange::{End, Exchange};

/// A heal after an outage in which the breaker must have opened.
#[derive(Clone, Copy, Debug)]
pub struct Heal {
    /// When the outage was over.
    pub at: Moment,
    /// The breaker's open time and every `Retry-After` of the outage are over.
    pub ready: Moment,
    /// The next disturbance, or the end.
    pub until: Moment,
}

/// Of each heal in the plan after an outage when that begins and ends, and the next disturbance.
#[must_use]
pub fn planned(case: &Case) -> Vec<[Moment; 3]> {
    let phases = &case.plan.phases;
    let mut planned = Vec::new();
    for (at, heal) in phases.iter().enumerate().filter(|(_, phase)| phase.kind == PhaseKind::Heal) {
        let calm = |kind| matches!(kind, PhaseKind::Heal | PhaseKind::Control | PhaseKind::Settle);
        let after = phases[at..].iter().take_while(|phase| calm(phase.kind)).last();
        let until = after.map_or(heal.until_ms, |phase| phase.until_ms);
        let out = |phase: &&Phase| phase.kind.is_total_outage();
        let before = phases[..at].iter().rev().take_while(out).last();
        let outage = before.map(|phase| [phase.from_ms, heal.from_ms, until]);
        planned.extend(outage.map(|span| span.map(|ms| case.moment(ms))));
    }
    planned
}

/// Probes in time that fail after a heal all the same, before the first success, open the breaker anew:
/// when it is ready then.
fn after_failed_probes(case: &Case, ready: Moment, heal: (Moment, Moment)) -> Moment {
    let sent = |one: &&Exchange| heal.0 <= one.t_req && one.t_req < heal.1 && is_guarded(one);
    let mut probes: Vec<&Exchange> = case.linktree.exchanges.iter().filter(sent).collect();
    probes.sort_by_key(|one| one.t_known());
    let classes = probes.into_iter().map(|one| (one.t_known(), class(case, one)));
    let failed = classes.take_while(|(_, class)| *class != Class::Success);
    let failed = failed.filter(|(_, class)| *class == Class::Failure);
    let bound = case.time(&breaker_recovers::WITHIN) + case.harness.delta;
    failed.fold(ready, |ready, (at, _)| {
        let in_time = at <= ready.plus(bound);
        if in_time { ready.max(at.plus(case.times.breaker_open_longest)) } else { ready }
    })
}

/// Every heal of the plan after an outage that came to pass, in order of time.
#[must_use]
pub fn heals(case: &Case, outages: &Outages) -> Vec<Heal> {
    let mut heals = Vec::new();
    for [outage, healed, until] in planned(case) {
        if outages.doubt_within(outage, healed).is_some() {
            continue;
        }
        // Attempts that were hit just before the heal may fail after it, and trip the breaker then.
        let hit = |one: &&Exchange| {
            outage <= one.t_req && one.t_req <= healed.plus(case.harness.delta) && is_guarded(one)
        };
        let hit = case.linktree.exchanges.iter().filter(hit);
        let failed: Vec<&Exchange> = hit.filter(|one| class(case, one) != Class::Success).collect();
        if failed.len() < case.declared.breaker_failures as usize {
            continue;
        }
        let over = failed.iter().filter(|one| one.end != End::Open);
        // What broke off without a request may have tripped it as well.
        let broken = case.linktree.connections.iter().filter(|one| {
            outage <= one.t_end
                && one.t_conn <= healed.plus(case.harness.delta)
                && one.end != End::Open
        });
        let trip = over.copied().chain(broken).map(|one| one.t_known()).max().unwrap_or(healed);
        let asked_until = failed.iter().filter_map(|one| one.retry_after.as_ref()?.until).max();
        let open = trip.plus(case.times.breaker_open_longest);
        let ready = healed.max(open).max(asked_until.unwrap_or(healed));
        let ready = after_failed_probes(case, ready, (healed, until));
        let until = until.min(case.harness.closed);
        heals.push(Heal { at: healed, ready, until });
    }
    heals
}

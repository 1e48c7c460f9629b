//! Heals: when Linktree is back after an outage in which the breaker must have opened.

use super::circuit::{Class, class, is_guarded};
use super::outages::Outages;
use crate::case::{Case, JudgedExchange};
use crate::guarantees::breaker_recovers;
use crate::plan::{Phase, PhaseKind};
use mock_server::clock::Moment;
use mock_server::history::exchange::End;
use std::time::Duration;

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

/// Of each heal in the plan after an outage when that begins and ends, and the next disturbance. Outages
/// between which Linktree is back for less than an open time are one: a breaker may be open through all of
/// them, and meet none but the first.
#[must_use]
pub fn planned(case: &Case) -> Vec<[Moment; 3]> {
    let phases = &case.plan.phases;
    let mut planned = Vec::new();
    for (at, heal) in phases.iter().enumerate().filter(|(_, phase)| phase.kind == PhaseKind::Heal) {
        let calm = |kind| matches!(kind, PhaseKind::Heal | PhaseKind::Control | PhaseKind::Settle);
        let after = phases[at..].iter().take_while(|phase| calm(phase.kind)).last();
        let until = after.map_or(heal.until_ms, |phase| phase.until_ms);
        let outage = begun(case, &phases[..at]).map(|from_ms| [from_ms, heal.from_ms, until]);
        planned.extend(outage.map(|span| span.map(|ms| case.moment(ms))));
    }
    planned
}

/// When the outage began that these phases end with, if they do.
fn begun(case: &Case, phases: &[Phase]) -> Option<u64> {
    let out = |phase: &&Phase| phase.kind.is_total_outage();
    let mut from_ms = phases.last().filter(out)?.from_ms;
    for outage in phases.iter().rev().filter(out) {
        let back = Duration::from_millis(from_ms.saturating_sub(outage.until_ms));
        if back >= case.times.breaker_open {
            break;
        }
        from_ms = outage.from_ms;
    }
    Some(from_ms)
}

/// Probes in time that fail after a heal all the same, before the first success, open the breaker anew:
/// when it is ready then.
fn after_failed_probes(case: &Case, ready: Moment, heal: (Moment, Moment)) -> Moment {
    let sent = |one: &&JudgedExchange| heal.0 <= one.t_req && one.t_req < heal.1 && is_guarded(one);
    let mut probes: Vec<&JudgedExchange> = case.linktree.exchanges.iter().filter(sent).collect();
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
        let hit = |one: &&JudgedExchange| {
            outage <= one.t_req && one.t_req <= healed.plus(case.harness.delta) && is_guarded(one)
        };
        let hit = case.linktree.exchanges.iter().filter(hit);
        let failed: Vec<&JudgedExchange> =
            hit.filter(|one| class(case, one) != Class::Success).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind::{Control, Outage, Settle, Storm};
    use crate::testing::{History, asked_to_wait, broken_off, read, refused};
    use mock_server::contract::Route;
    use mock_server::history::exchange::Exchange;

    /// The moment at which the breaker is ready after an outage from 10 s to 60 s, in milliseconds, when
    /// five attempts failed in it and these came besides.
    #[track_caller]
    fn check(others: impl IntoIterator<Item = Exchange>, ready_ms: Option<u64>) {
        check_of(5, others, ready_ms);
    }

    #[track_caller]
    fn check_of(failed: u64, others: impl IntoIterator<Item = Exchange>, ready_ms: Option<u64>) {
        let phases = [(Control, 0, 10), (Outage, 10, 60), (PhaseKind::Heal, 60, 200)];
        let failed = (0..failed).map(|n| refused("ann", 20_000 + n * 1_000, 503));
        let mut history = History::over(&phases).exchanges(failed);
        history = history.exchanges(others);
        history.case.ready();
        let outages = Outages::of(&history.case, PhaseKind::is_total_outage);
        let heals = heals(&history.case, &outages);
        let seen: Vec<u64> = heals.iter().map(|heal| heal.ready.0 / 1_000_000).collect();
        assert_eq!(seen, ready_ms.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_breaker_is_ready_an_open_time_after_its_last_failure_and_not_before_the_heal() {
        check([], Some(60_000));
        check([refused("ann", 50_000, 503)], Some(80_005));
        check_of(4, [], None);
        check_of(4, [refused("ann", 9_999, 503), refused("ann", 60_101, 503)], None);
        check_of(4, [refused("ann", 60_100, 503)], Some(90_105));
        check([Exchange { route: Route::Health, ..refused("ann", 50_000, 503) }], Some(60_000));
        check([read("ann", 30_000)], None); // an outage that was none
    }

    #[test]
    fn what_linktree_asked_to_wait_for_passes_before() {
        check([asked_to_wait("ann", 50_000, 503, 70)], Some(120_005));
    }

    #[test]
    fn a_connection_that_broke_off_in_the_outage_may_have_tripped_it_last() {
        let broke = |from, until| broken_off("reset", from, until);
        check([broke(49_000, 50_000)], Some(80_000));
        check([broke(60_100, 60_200)], Some(90_200));
        check([broke(60_101, 60_200)], Some(60_000));
        check([broke(9_000, 9_999)], Some(60_000));
        check([Exchange { end: End::Open, ..broke(49_000, 50_000) }], Some(60_000));
    }

    #[test]
    fn a_probe_in_time_that_fails_after_the_heal_opens_the_breaker_anew() {
        let probe = |at| refused("ann", at, 503);
        check([probe(70_000)], Some(100_005));
        check([probe(70_000), probe(115_100)], Some(145_105)); // 15 s and δ are in time
        check([probe(70_000), probe(115_101)], Some(100_005));
        check([read("ann", 65_000), probe(70_000)], Some(60_000));
        check([read("ann", 5_000), probe(70_000)], Some(100_005)); // a success long before the heal
        check([70_000, 115_000, 160_000, 200_000].map(probe), Some(190_005)); // the last is too late
        check([Exchange { route: Route::Health, ..probe(70_000) }], Some(60_000));
        check(
            [Exchange { route: Route::Health, ..read("ann", 65_000) }, probe(70_000)],
            Some(100_005),
        );
    }

    #[test]
    fn outages_with_less_than_an_open_time_between_them_are_one() {
        let ready = |back: u64, failed: &[u64]| {
            let second = 60 + back;
            let phases = [
                (Outage, 10, 60),
                (PhaseKind::Heal, 60, second),
                (Outage, second, second + 20),
                (PhaseKind::Heal, second + 20, 300),
            ];
            let failed = failed.iter().map(|at| refused("ann", *at * 1_000, 503));
            let mut history = History::over(&phases).exchanges(failed);
            history.case.ready();
            let outages = Outages::of(&history.case, PhaseKind::is_total_outage);
            let heals = heals(&history.case, &outages);
            heals.iter().map(|heal| heal.ready.0 / 1_000_000).collect::<Vec<_>>()
        };
        let five = [20, 21, 22, 23, 59];
        // The breaker slept through the second outage.
        assert_eq!(ready(29, &five), [89_005, 109_000]);
        assert_eq!(ready(30, &five), [89_005]);
        // A probe met it, and the breaker is open for as long again.
        assert_eq!(ready(29, &[20, 21, 22, 23, 24, 95]), [60_000, 125_005]);
        assert_eq!(ready(29, &[20, 21, 22, 95]), [0; 0]);
    }

    #[test]
    fn a_heal_is_planned_from_its_outage_to_the_next_disturbance() {
        let planned = |phases: &[(PhaseKind, u64, u64)]| {
            let planned = planned(&History::over(phases).case);
            planned.iter().map(|span| span.map(|at| at.0 / 1_000_000_000)).collect::<Vec<_>>()
        };
        let all = [
            (PhaseKind::BreakerProbe, 0, 10),
            (Outage, 10, 20),
            (PhaseKind::Heal, 20, 30),
            (Settle, 30, 40),
            (Storm, 40, 50),
            (PhaseKind::Heal, 50, 60),
        ];
        assert_eq!(planned(&all), [[0, 20, 40]]);
        assert_eq!(planned(&all[4..]), [[0; 3]; 0]);
    }
}

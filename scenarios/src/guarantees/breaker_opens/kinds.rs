//! In which ways attempts and probes failed before the breaker opened: it must count them all.

use super::super::evidence::circuit::Opening;
use crate::case::{Case, JudgedExchange};
use crate::plan::PhaseKind;
use crate::strength::{Minimum, Strength};
use mock_server::faults::{Fault, Matcher, Pick, Rule};
use mock_server::history::exchange::End;

/// A way in which an attempt fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Errors,
    Resets,
    Cuts,
    Silence,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Errors, Self::Resets, Self::Cuts, Self::Silence];

    /// The breaker must be seen to open after nothing but such failures.
    const fn trips(self) -> Minimum {
        let name = match self {
            Self::Errors => "open times after errors alone",
            Self::Resets => "open times after resets alone",
            Self::Cuts => "open times after cut answers alone",
            Self::Silence => "open times after silence alone",
        };
        Minimum { name, least: 1 }
    }

    /// And to open again after a probe that failed so.
    const fn probes(self) -> Minimum {
        let name = match self {
            Self::Errors => "open times after a probe that met an error",
            Self::Resets => "open times after a probe that was reset",
            Self::Cuts => "open times after a probe whose answer was cut",
            Self::Silence => "open times after a probe that met silence",
        };
        Minimum { name, least: 1 }
    }
}

/// What must be seen of each kind, where the plan holds it.
pub const MINIMUMS: [Minimum; 8] = [
    Kind::Errors.trips(),
    Kind::Resets.trips(),
    Kind::Cuts.trips(),
    Kind::Silence.trips(),
    Kind::Errors.probes(),
    Kind::Resets.probes(),
    Kind::Cuts.probes(),
    Kind::Silence.probes(),
];

/// How often the breaker had to open after failures of one kind alone, and again after a probe that
/// failed so, for each kind; so often as the plan holds stretches with nothing else.
pub fn seen(case: &Case, openings: &[&Opening<'_>]) -> Vec<Strength> {
    let count = |kind, after_probes| {
        let alone = |one: &&&Opening<'_>| {
            one.half_open == after_probes
                && one.evidence.iter().all(|failure| of(failure) == Some(kind))
        };
        openings.iter().filter(alone).count()
    };
    let lasting = |rule: &Rule| rule.window.until_ms - rule.window.from_ms;
    // The first open time begins within one, and its probe is known within another.
    let probed = 2 * u64::try_from(case.times.breaker_open.as_millis()).unwrap_or(u64::MAX);
    let planned = |kind, least_ms| {
        let rules = case.plan.faults.iter().filter(|rule| is_alone(case, rule, kind));
        rules.filter(|rule| lasting(rule) >= least_ms).count() as u64
    };
    let strength = |minimum: Minimum, seen, planned| minimum.of(seen, minimum.least.min(planned));
    let trips = Kind::ALL.map(|kind| strength(kind.trips(), count(kind, false), planned(kind, 0)));
    let probes =
        Kind::ALL.map(|kind| strength(kind.probes(), count(kind, true), planned(kind, probed)));
    trips.into_iter().chain(probes).collect()
}

/// A cut answer is a failure for certain, though no rule can promise that every answer has a body.
pub fn are_cuts(failures: &[&JudgedExchange]) -> bool {
    failures.iter().all(|one| of(one) == Some(Kind::Cuts))
}

fn of(failure: &JudgedExchange) -> Option<Kind> {
    match failure.end {
        End::Complete => failure.status.is_some_and(|status| status >= 500).then_some(Kind::Errors),
        End::ServerReset => Some(Kind::Resets),
        End::Truncated => Some(Kind::Cuts),
        End::ClientAbort => Some(Kind::Silence),
        End::Open => None,
    }
}

/// Whether a rule fails every attempt in this way, one visitor after the other.
fn is_alone(case: &Case, rule: &Rule, kind: Kind) -> bool {
    let of_rule = match &rule.fault {
        Fault::Status(status) if status.codes.iter().all(|code| *code >= 500) => Kind::Errors,
        Fault::Reset(_) | Fault::EmptyReply(_) => Kind::Resets,
        Fault::Truncate(_) => Kind::Cuts,
        Fault::Stall(_) => Kind::Silence,
        _ => return false,
    };
    let phase = case.plan.phase_at(rule.window.from_ms).map(|phase| phase.kind);
    let one_by_one = phase == Some(PhaseKind::BreakerProbe) || kind == Kind::Cuts;
    of_rule == kind && one_by_one && rule.pick == Pick::All && rule.matcher == Matcher::default()
}

#[cfg(test)]
mod tests {
    use super::super::BreakerOpens;
    use super::*;
    use crate::testing::{History, given_up, page, read, refused};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive};
    use mock_server::clock::Moment;
    use mock_server::faults::{Reset, ResetAt, Stall, StallAt, Status, Truncate};
    use mock_server::history::exchange::Exchange;

    /// What fails everything, and how an attempt that was sent at a millisecond ends.
    fn failing(kind: Kind) -> (Fault, fn(u64) -> Exchange) {
        match kind {
            Kind::Errors => {
                (Fault::Status(Status { codes: vec![500], retry_after: vec![] }), |at| {
                    refused("ann", at, 500)
                })
            }
            Kind::Resets => (Fault::Reset(Reset { at: ResetAt::BeforeHead }), |at| Exchange {
                end: End::ServerReset,
                ..given_up("ann", at, at)
            }),
            Kind::Cuts => (Fault::Truncate(Truncate { percent: 60 }), |at| Exchange {
                end: End::Truncated,
                t_end: Moment::from_ms(at + 2),
                ..read("ann", at)
            }),
            Kind::Silence => (Fault::Stall(Stall { at: StallAt::BeforeHead }), |at| {
                given_up("ann", at, at + 10_000)
            }),
        }
    }

    /// The breaker opens after five failures of one kind; a probe fails in another, or none does.
    #[track_caller]
    fn check(kind: Kind, probe: Option<Kind>, expected: VerdictKind, words: &str) {
        let (fault, fails) = failing(kind);
        let mut history =
            History::over(&[(PhaseKind::Control, 0, 1), (PhaseKind::BreakerProbe, 1, 200)])
                .exchange(read("ann", 0))
                .exchanges((0..5).map(|nth| fails(1_000 + nth * 11_000)))
                .exchanges(probe.map(|probe| failing(probe).1(100_000)))
                .operations((1..200).map(|n| page("bob", n * 1_000, n * 1_000 + 10, "-")));
        history.case.plan.faults[0].fault = fault;
        let verdict = history.judged_by(&BreakerOpens);
        let text = format!("{verdict:?}");
        assert!(verdict.kind == expected && text.contains(words), "{kind:?} {probe:?}: {text}");
    }

    #[test]
    fn a_failed_probe_of_each_kind_is_asked_for() {
        for kind in Kind::ALL {
            check(kind, Some(kind), Held, "");
            check(kind, None, Inconclusive, kind.probes().name);
            for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
                check(kind, Some(other), Inconclusive, kind.probes().name);
            }
        }
    }

    /// Errors alone from 1 s on for so long, and a breaker that opens; nothing probes it.
    #[track_caller]
    fn planned(seconds: u64, change: fn(&mut Case), expected: VerdictKind) {
        let phases = [(PhaseKind::Control, 0, 1), (PhaseKind::BreakerProbe, 1, 1 + seconds)];
        let mut history = History::over(&phases)
            .exchange(read("ann", 0))
            .exchanges((1..=5).map(|nth| refused("ann", nth * 1_000, 500)))
            .operations((1..200).map(|n| page("bob", n * 1_000, n * 1_000 + 10, "-")));
        change(&mut history.case);
        let verdict = history.judged_by(&BreakerOpens);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    #[test]
    fn a_probe_is_asked_for_where_the_plan_has_room_for_one_and_nothing_else_happens() {
        planned(59, |_| {}, Held);
        planned(60, |_| {}, Inconclusive);
        planned(60, |case| case.plan.faults[0].pick = Pick::Nth { from: 0, until: 99 }, Held);
        planned(60, |case| case.plan.faults[0].matcher.handle = Some("ann".into()), Held);
        let mixed = |case: &mut Case| {
            case.plan.faults[0].fault =
                Fault::Status(Status { codes: vec![503, 429], retry_after: vec![] });
        };
        planned(60, mixed, Held);
        // Where visitors come at once, only a cut answer is told from everything else.
        planned(60, |case| case.plan.phases[1].kind = PhaseKind::Outage, Held);
    }
}

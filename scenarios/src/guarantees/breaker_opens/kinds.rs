//! In which ways attempts failed before the breaker opened: it must count them all.

use super::super::evidence::circuit::Opening;
use crate::case::Case;
use crate::plan::PhaseKind;
use crate::strength::{Minimum, Strength};
use mock_server::faults::{Fault, Matcher, Pick, Rule};
use mock_server::history::exchange::{End, Exchange};

/// A way in which an attempt fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Errors,
    Resets,
    Cuts,
    Silence,
}

/// A breaker must be seen to open after nothing but errors, where the plan holds them.
pub const ERRORS: Minimum = Minimum { name: "open times after errors alone", least: 1 };
/// The same of broken connections.
pub const RESETS: Minimum = Minimum { name: "open times after resets alone", least: 1 };
/// The same of answers that were cut short.
pub const CUTS: Minimum = Minimum { name: "open times after cut answers alone", least: 1 };
/// The same of attempts that were given up.
pub const SILENCE: Minimum = Minimum { name: "open times after silence alone", least: 1 };

const ALL: [(Kind, Minimum); 4] =
    [(Kind::Errors, ERRORS), (Kind::Resets, RESETS), (Kind::Cuts, CUTS), (Kind::Silence, SILENCE)];

/// How often the breaker had to open after failures of one kind alone, for each kind; so often as the
/// plan holds stretches with nothing else.
pub fn seen(case: &Case, openings: &[Opening<'_>]) -> [Strength; 4] {
    ALL.map(|(kind, minimum)| {
        let alone = |one: &&Opening<'_>| {
            !one.half_open && one.evidence.iter().all(|failure| of(failure) == Some(kind))
        };
        let planned = case.plan.faults.iter().filter(|rule| is_alone(case, rule, kind)).count();
        minimum.of(openings.iter().filter(alone).count(), minimum.least.min(planned as u64))
    })
}

/// A cut answer is a failure for certain, though no rule can promise that every answer has a body.
pub fn are_cuts(failures: &[&Exchange]) -> bool {
    failures.iter().all(|one| of(one) == Some(Kind::Cuts))
}

fn of(failure: &Exchange) -> Option<Kind> {
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

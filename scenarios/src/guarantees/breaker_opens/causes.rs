//! What is declared of the breaker, in words, and which other declaration would explain what was seen.

use super::super::evidence::circuit::{Opening, offenders, openings};
use super::outage::over_budget;
use crate::case::Case;
use crate::measure::humane;
use crate::plan::{BreakerCounting, BreakerScope, Declared, WindowKind};

/// Another lawful policy.
struct Cause {
    says: &'static str,
    declare: fn(&mut Declared),
    /// Whether these open times show it, and not only leave it possible.
    shows: fn(&Declared, &[Opening<'_>]) -> bool,
}

const CAUSES: [Cause; 3] = [
    Cause {
        says: "it looks as if each route has a breaker of its own: if so, say breaker_scope = \"route\" in \
               [declared]",
        declare: |declared| declared.breaker_scope = BreakerScope::Route,
        shows: |_, openings| !openings.is_empty(),
    },
    Cause {
        says: "it looks as if the breaker counts calls, each with all its attempts: if so, say \
               breaker_counting = \"call\" in [declared]",
        declare: |declared| declared.breaker_counting = BreakerCounting::Call,
        shows: |_, openings| !openings.is_empty(),
    },
    Cause {
        says: "it looks as if two processes have a breaker each, or none has one: if two do, say instances = 2 in \
               [declared]",
        declare: |declared| declared.instances = 2,
        // Nearly as many as open both.
        shows: |declared, openings| {
            let both = 2 * declared.breaker_failures as usize;
            openings.iter().any(|one| !one.half_open && both <= one.evidence.len() + 1)
        },
    },
];

/// The first other policy under which nothing came through, though something shows it.
pub fn likely(case: &Case) -> Option<String> {
    let explains = |cause: &&Cause| {
        let mut other = case.clone();
        (cause.declare)(&mut other.declared);
        if other.declared == case.declared {
            return false;
        }
        let openings = openings(&other);
        offenders(&openings) == 0
            && (cause.shows)(&other.declared, &openings)
            && over_budget(&other).is_none()
    };
    CAUSES.iter().find(explains).map(|cause| cause.says.to_owned())
}

/// When the breaker must be open, and what it lets through.
pub fn policy(case: &Case) -> String {
    let Declared { instances, breaker_failures, half_open_probes, max_attempts, .. } =
        case.declared;
    let counted = match case.declared.breaker_counting {
        BreakerCounting::Attempt => format!("failure {breaker_failures}"),
        BreakerCounting::Call => format!(
            "{breaker_failures} calls of {max_attempts} attempts each, and those beside them, have failed"
        ),
    };
    let within = case.times.breaker_window.map_or(String::new(), |window| {
        format!(" in nine tenths of a window of {}, with no success in it,", humane(window))
    });
    let unknown = match case.declared.breaker_window_kind {
        _ if instances > 1 => format!("of {instances} instances nobody knows which one sent what"),
        WindowKind::Tumbling => "of a window that begins anew nobody knows when".to_owned(),
        WindowKind::Sliding => String::new(),
    };
    let budget = match unknown.is_empty() {
        true => unknown,
        false => format!(
            "; {unknown}: so no more is judged than that within one open time no more comes through than \
             opens every breaker"
        ),
    };
    format!(
        "it is open from {} (2 δ) after {counted}{within} for {} less {} (ε), and lets {half_open_probes} \
         probes through then{budget}",
        humane(case.harness.delta * 2),
        humane(case.times.breaker_open),
        humane(case.harness.epsilon),
    )
}

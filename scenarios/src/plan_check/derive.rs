//! Derives phases from what a plan does, for storms that nobody has named.

use super::claims::{Given, doubts, span_of, visitors};
use crate::plan::{Phase, PhaseKind, Plan, RunPlan};
use mock_server::faults::Window;
use std::collections::BTreeSet;

/// The phases of a scenario as its rules and streams make them, whatever its own are called: each
/// stretch is the most that can be proven of it.
///
/// There is no warm-up among them, since faults say nothing of caches: whoever needs one begins with
/// a calm stretch, and calls a part of it so. After the last visitor it settles for as long as the
/// plan's own phases last, if they do.
#[must_use]
pub fn derive_phases(run: &RunPlan, plan: &Plan) -> Vec<Phase> {
    let given = Given::of(run, plan);
    let mut phases: Vec<Phase> = Vec::new();
    let (mut visited, mut stormed) = (false, false);
    let cuts = cuts(plan);
    for (&from_ms, &until_ms) in cuts.iter().zip(cuts.iter().skip(1)) {
        let span = Window { from_ms, until_ms };
        let proven = |kind: &PhaseKind| doubts(&given, *kind, span).is_empty();
        let comes = visitors(plan, span).next().is_some();
        let kind = candidates(comes, visited, stormed).into_iter().find(proven);
        let kind = kind.unwrap_or(PhaseKind::Storm);
        visited |= comes;
        stormed |= is_stormy(kind);
        match phases.last_mut() {
            Some(last) if last.kind == kind => last.until_ms = until_ms,
            _ => phases.push(Phase { name: kind.name().to_owned(), kind, from_ms, until_ms }),
        }
    }
    phases
}

/// What a stretch may be, the strongest claim first.
fn candidates(comes: bool, visited: bool, stormed: bool) -> Vec<PhaseKind> {
    let calm = if stormed { PhaseKind::Heal } else { PhaseKind::Control };
    if comes {
        vec![PhaseKind::BreakerProbe, PhaseKind::Outage, PhaseKind::RetryGaps, calm]
    } else if visited {
        vec![PhaseKind::Outage, PhaseKind::Settle]
    } else {
        vec![PhaseKind::Outage, calm]
    }
}

const fn is_stormy(kind: PhaseKind) -> bool {
    match kind {
        PhaseKind::Storm | PhaseKind::Outage | PhaseKind::RetryGaps | PhaseKind::BreakerProbe => {
            true
        }
        PhaseKind::Warmup | PhaseKind::Control | PhaseKind::Heal | PhaseKind::Settle => false,
    }
}

/// Every moment at which something begins or ends.
fn cuts(plan: &Plan) -> BTreeSet<u64> {
    let streams = plan.traffic.iter().map(span_of);
    let spans = plan.faults.iter().map(|rule| rule.window).chain(streams);
    let edges = spans.flat_map(|span| [span.from_ms, span.until_ms]);
    // A window without an end lasts as long as everything else does.
    let mut cuts: BTreeSet<u64> = edges.filter(|edge| *edge < u64::MAX).collect();
    cuts.extend([0, plan.duration_ms()]);
    cuts
}

#[cfg(test)]
mod tests;

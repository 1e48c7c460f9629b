//! Makes the cells of the report: one for each guarantee that a scenario exercised.

use super::context;
use crate::evidence::judging::Judged;
use mock_server::clock::Moment;
use reports::report::{
    Better, Cell, CounterExample, Margin, Marker, Measure, Standing, Strength, Unit,
};
use scenarios::advice;
use scenarios::guarantees;
use scenarios::measure;
use scenarios::plan::Plan;
use scenarios::verdict::{Verdict, VerdictKind, Witness};

/// What one scenario showed about one guarantee.
pub fn judged(plan: &Plan, judged: &Judged, id: &str, verdict: &Verdict) -> Cell {
    let case = &judged.case;
    let active_at = |moment: Moment| {
        // Before the traffic no rule was armed.
        let ms = u64::try_from(case.ms_of_traffic(moment)).ok();
        let active = plan.faults.iter().filter(move |rule| {
            ms.is_some_and(|ms| rule.window.from_ms <= ms && ms < rule.window.until_ms)
        });
        active.map(|rule| format!("{} ({})", rule.id, rule.fault.kind())).collect()
    };
    let counter_example = |witness: &Witness| CounterExample {
        at_ms: case.ms_of_traffic(witness.at),
        promised: verdict.promised.clone(),
        observed: witness.what.clone(),
        story: witness.story.clone(),
        context: context::around(case, witness.at),
        active_faults: active_at(witness.at),
    };
    Cell {
        guarantee: id.to_owned(),
        scenario: plan.id.clone(),
        verdict: kind(verdict.kind),
        seen: verdict.seen,
        of_what: verdict.of_what.clone(),
        observed: verdict.observed.clone(),
        promised: verdict.promised.clone(),
        measures: verdict.measures.iter().map(measure).collect(),
        strength: verdict.strength.iter().map(strength).collect(),
        margin: verdict.margin().map(margin),
        reason: verdict.reason.clone(),
        advice: advice::to_do(case, id, verdict),
        counter_examples: verdict.witnesses.iter().map(counter_example).collect(),
        total_violations: verdict.violations,
        rerun: String::new(),
        check_next: guarantees::find(id)
            .map_or_else(String::new, |known| advice::check_first(case, known.promise(), verdict)),
    }
}

/// A guarantee of a scenario of which nothing was recorded.
pub fn unjudged(plan: &Plan, id: &str, reason: &str) -> Cell {
    Cell {
        guarantee: id.to_owned(),
        scenario: plan.id.clone(),
        verdict: Standing::Inconclusive,
        reason: Some(reason.to_owned()),
        ..Cell::default()
    }
}

/// The same cell, of a promise that this integration never made.
pub fn not_applicable(cell: &Cell, why: String) -> Cell {
    Cell {
        guarantee: cell.guarantee.clone(),
        scenario: cell.scenario.clone(),
        verdict: Standing::NotApplicable,
        reason: Some(why),
        ..Cell::default()
    }
}

const fn kind(kind: VerdictKind) -> Standing {
    match kind {
        VerdictKind::Held => Standing::Held,
        VerdictKind::Violated => Standing::Violated,
        VerdictKind::Inconclusive => Standing::Inconclusive,
    }
}

fn measure(measure: &measure::Measure) -> Measure {
    Measure {
        name: measure.name.clone(),
        observed: measure.observed,
        bound: measure.bound,
        unit: match measure.unit {
            measure::Unit::Count => Unit::Count,
            measure::Unit::Micros => Unit::Micros,
            measure::Unit::PerMille => Unit::PerMille,
        },
        better: match measure.better {
            measure::Better::Less => Better::Less,
            measure::Better::More => Better::More,
        },
        tolerance: measure.tolerance,
    }
}

fn strength(strength: &scenarios::strength::Strength) -> Strength {
    let scenarios::strength::Strength { name, seen, least } = strength;
    Strength { name: name.clone(), seen: *seen, least: *least }
}

fn margin(margin: measure::Margin) -> Margin {
    let measure::Margin { measure, promised, observed, per_mille, within_tolerance, words } =
        margin;
    Margin { measure, promised, observed, per_mille, within_tolerance, words }
}

/// Every violation that is shown, as a moment of the timeline.
pub fn markers(cells: &[Cell]) -> Vec<Marker> {
    let of_cell = |cell: &Cell| {
        let guarantee = cell.guarantee.clone();
        let marker = move |example: &CounterExample| Marker {
            at_ms: example.at_ms,
            label: example.observed.clone(),
            guarantee: Some(guarantee.clone()),
        };
        cell.counter_examples.iter().map(marker).collect::<Vec<_>>()
    };
    let mut markers: Vec<Marker> = cells.iter().flat_map(of_cell).collect();
    markers.sort_by_key(|marker| marker.at_ms);
    markers
}

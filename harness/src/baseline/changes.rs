//! What is new since a baseline: each promise of each scenario, as it was approved and as it is found.

use super::{Approved, Finding};
use crate::failure::Failure;
use reports::report::{Cell, Change, ChangeKind as Kind, Report, Severity, Standing};
use serde::Serialize;
use std::collections::BTreeSet;

/// What a run is beside a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// What is new decides: held when nothing is worse than approved.
    pub verdict: Standing,
    /// Everything that differs or is known to be bad, the worst first.
    pub changes: Vec<Change>,
    /// The scenarios whose files would not be the same.
    pub differing: Vec<String>,
}

/// What was found, beside what was approved. `whole` says that nothing was chosen of the scenarios, so
/// that one which is approved and was not carried out is missed.
///
/// # Errors
///
/// [`Failure::Usage`] when they cannot be compared.
pub fn compare(
    base: &[Approved],
    found: &[Approved],
    report: &Report,
    whole: bool,
) -> Result<Comparison, Failure> {
    if let Some(one) = found.first() {
        one.frame().must_fit(base)?;
    }
    let of = |all: &[Approved], id: &str| all.iter().find(|one| one.scenario == id).cloned();
    let mut changes = Vec::new();
    let mut differing = Vec::new();
    for is in found {
        let was = of(base, &is.scenario);
        // A reason is the reviewer's, not the run's.
        let without = |one: &Approved| Approved { reason: None, ..one.clone() };
        let same = was.as_ref().is_some_and(|was| without(was) == without(is));
        if !same {
            differing.push(is.scenario.clone());
        }
        changes.extend(Pair { was: was.as_ref(), is, report }.changes());
    }
    let missed = base.iter().filter(|was| whole && of(found, &was.scenario).is_none());
    for was in missed {
        differing.push(was.scenario.clone());
        let words = "it was not carried out; if it is gone for good, remove its file".to_owned();
        changes.push(of_scenario(Kind::Missing, &was.scenario, words));
    }
    // Within a kind they stay in the order of the run.
    changes.sort_by_key(|change| change.kind);
    let verdict = verdict(&changes, found);
    Ok(Comparison { verdict, changes, differing })
}

/// Worse than approved, or as good. Where no promise that must hold was judged at all, nothing was seen.
fn verdict(changes: &[Change], found: &[Approved]) -> Standing {
    let must = |kinds: &[Kind]| {
        let counts = |one: &Change| one.severity == Severity::Must && kinds.contains(&one.kind);
        changes.iter().any(counts)
    };
    let judged = |finding: &Finding| {
        finding.severity == Severity::Must
            && matches!(finding.verdict, Standing::Held | Standing::Violated)
    };
    let saw_something = found.iter().flat_map(|one| one.guarantees.values()).any(judged);
    if must(&[Kind::Broken]) {
        Standing::Violated
    } else if must(&[Kind::Open, Kind::Missing]) || !saw_something {
        Standing::Inconclusive
    } else {
        Standing::Held
    }
}

/// One scenario, before and now.
struct Pair<'a> {
    was: Option<&'a Approved>,
    is: &'a Approved,
    report: &'a Report,
}

impl Pair<'_> {
    fn changes(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        match self.was {
            None => {
                let words = "the baseline knows nothing of it".to_owned();
                changes.push(of_scenario(Kind::Unapproved, &self.is.scenario, words));
            }
            Some(was) if was.plan != self.is.plan => {
                let words =
                    "its plan, the contract or what is declared differs from what was approved";
                changes.push(of_scenario(Kind::Altered, &self.is.scenario, words.to_owned()));
            }
            Some(was) if was.watches != self.is.watches => {
                let words = "it watches other promises than was approved".to_owned();
                changes.push(of_scenario(Kind::Altered, &self.is.scenario, words));
            }
            Some(_) => {}
        }
        let before = self.was.into_iter().flat_map(|was| was.guarantees.keys());
        let ids: BTreeSet<&String> = before.chain(self.is.guarantees.keys()).collect();
        changes.extend(ids.into_iter().filter_map(|id| self.change(id)));
        changes
    }

    /// What became of one promise; nothing where it is as it was, and good.
    fn change(&self, id: &str) -> Option<Change> {
        let was = self.was.and_then(|was| was.guarantees.get(id));
        let is = self.is.guarantees.get(id);
        let watched = |of: &Approved| of.watches.iter().any(|watched| watched == id);
        // Of what is watched only violations are written down.
        let before = was
            .map(|was| was.verdict)
            .or_else(|| self.was.is_some_and(watched).then_some(Standing::Held));
        let now = is.map(|is| is.verdict).or_else(|| watched(self.is).then_some(Standing::Held));
        let kind = match (before, now) {
            (Some(Standing::Violated), Some(Standing::Violated)) => Kind::StillBroken,
            (_, Some(Standing::Violated)) => Kind::Broken,
            (Some(Standing::Inconclusive), Some(Standing::Inconclusive)) => Kind::StillOpen,
            (_, Some(Standing::Inconclusive)) => Kind::Open,
            (Some(Standing::Violated), Some(Standing::Held)) => Kind::Mended,
            (Some(Standing::Inconclusive | Standing::NotApplicable), Some(Standing::Held)) => {
                Kind::Judged
            }
            (Some(Standing::NotApplicable), Some(Standing::NotApplicable) | None)
            | (Some(Standing::Held), Some(Standing::Held)) => {
                if was == is {
                    return None;
                }
                Kind::Altered
            }
            // A promise that nobody makes any more was one that was kept, or not.
            (Some(_), Some(Standing::NotApplicable) | None) => Kind::Open,
            // The whole scenario was said to be new.
            (None, _) if self.was.is_none() => return None,
            (None, Some(Standing::Held | Standing::NotApplicable)) => Kind::Unapproved,
            (None, None) => return None,
        };
        let cell = self.cell(id);
        Some(Change {
            kind,
            scenario: self.is.scenario.clone(),
            guarantee: Some(id.to_owned()),
            severity: is.or(was).map_or(Severity::Must, |finding| finding.severity),
            was: before,
            is: now,
            words: words(kind, was, is, cell),
            rerun: cell.map_or_else(String::new, |cell| cell.rerun.clone()),
        })
    }

    fn cell(&self, id: &str) -> Option<&Cell> {
        let mut cells = self.report.cells.iter();
        cells.find(|cell| cell.guarantee == id && cell.scenario == self.is.scenario)
    }
}

fn of_scenario(kind: Kind, scenario: &str, words: String) -> Change {
    Change {
        kind,
        scenario: scenario.to_owned(),
        guarantee: None,
        severity: Severity::Must,
        was: None,
        is: None,
        words,
        rerun: String::new(),
    }
}

/// What is to be said beside the verdicts.
fn words(kind: Kind, was: Option<&Finding>, is: Option<&Finding>, cell: Option<&Cell>) -> String {
    match kind {
        Kind::Altered => altered(was, is),
        Kind::Unapproved => "the baseline does not have it".to_owned(),
        _ => match cell {
            Some(Cell { reason: Some(reason), .. }) => reason.clone(),
            Some(cell) if !cell.counter_examples.is_empty() => {
                let first = &cell.counter_examples[0].observed;
                match cell.total_violations {
                    0 | 1 => first.clone(),
                    all => format!("{first} (the first of {all})"),
                }
            }
            Some(cell) => cell.observed.clone(),
            None if is.is_none() => "the scenario does not decide it any more".to_owned(),
            None => String::new(),
        },
    }
}

/// What differs beside the verdict.
fn altered(was: Option<&Finding>, is: Option<&Finding>) -> String {
    let (Some(was), Some(is)) = (was, is) else {
        return "it is decided in one of them, and not in the other".to_owned();
    };
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let severity = |finding: &Finding| format!("{:?}", finding.severity).to_lowercase();
    let fields = [
        ("bound", or_none(&was.bound), or_none(&is.bound)),
        ("severity", severity(was), severity(is)),
        ("exercised", was.exercised.to_string(), is.exercised.to_string()),
        ("minimum met", was.minimum_met.to_string(), is.minimum_met.to_string()),
    ];
    let differing = fields.into_iter().filter(|(_, was, is)| was != is);
    let said = differing.map(|(what, was, is)| format!("{what}: {was} before, {is} now"));
    said.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;

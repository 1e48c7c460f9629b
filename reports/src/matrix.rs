//! Arranges the judgements: guarantees down in checklist order, scenarios across as they ran.
//!
//! Arranging is not judging: "worst" here only decides what is shown first.

use std::collections::BTreeMap;

use crate::report::{GuaranteeReport, Judgement, Priority, Report, Severity, Verdict};

/// All judgements of a report in their places.
pub(crate) struct Matrix<'a> {
    pub scenarios: Vec<&'a str>,
    pub rows: Vec<Row<'a>>,
}

/// One guarantee over all scenarios.
pub(crate) struct Row<'a> {
    pub id: &'a str,
    pub guarantee: Option<&'a GuaranteeReport>,
    pub cells: Vec<Option<&'a Judgement>>,
}

impl<'a> Matrix<'a> {
    /// A judgement of an unlisted guarantee or scenario gets a row or column of its own at the end.
    pub fn of(report: &'a Report) -> Self {
        let mut scenarios = Vec::new();
        let mut guarantees = Vec::new();
        let judged = |pick: fn(&'a Judgement) -> &'a str| report.judgements.iter().map(pick);
        let listed = report.scenarios.iter().map(|scenario| scenario.id.as_str());
        for id in listed.chain(judged(|judgement| &judgement.scenario)) {
            if !scenarios.contains(&id) {
                scenarios.push(id);
            }
        }
        let listed = report.guarantees.iter().map(|guarantee| guarantee.id.as_str());
        for id in listed.chain(judged(|judgement| &judgement.guarantee)) {
            if !guarantees.contains(&id) {
                guarantees.push(id);
            }
        }
        let mut places: BTreeMap<(&str, &str), &Judgement> = BTreeMap::new();
        for judgement in &report.judgements {
            let place = (judgement.guarantee.as_str(), judgement.scenario.as_str());
            let shown = places.entry(place).or_insert(judgement);
            if urgency(judgement.verdict) < urgency(shown.verdict) {
                *shown = judgement;
            }
        }
        let rows = guarantees
            .into_iter()
            .map(|id| Row {
                id,
                guarantee: report.guarantees.iter().find(|guarantee| guarantee.id == id),
                cells: scenarios
                    .iter()
                    .map(|scenario| places.get(&(id, *scenario)).copied())
                    .collect(),
            })
            .collect();
        Self { scenarios, rows }
    }

    /// The judgements with this verdict, those with the highest priority first.
    pub fn with(&self, verdict: Verdict) -> Vec<&'a Judgement> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.priority());
        rows.iter()
            .flat_map(|row| row.cells.iter().flatten())
            .filter(|judgement| judgement.verdict == verdict)
            .copied()
            .collect()
    }
}

impl<'a> Row<'a> {
    pub fn priority(&self) -> Priority {
        self.guarantee.map_or(Priority::Standard, |guarantee| guarantee.priority)
    }

    /// Priority in words, with the severity where a violation does not fail the run.
    pub fn weight(&self) -> String {
        let priority = self.priority().word();
        match self.guarantee.map_or(Severity::Must, |guarantee| guarantee.severity) {
            Severity::Must => priority.to_owned(),
            Severity::Should => format!("{priority}, should"),
            Severity::Info => format!("{priority}, info"),
        }
    }

    /// The judgement to read first.
    pub fn worst(&self) -> Option<&'a Judgement> {
        self.cells.iter().flatten().min_by_key(|judgement| urgency(judgement.verdict)).copied()
    }
}

fn urgency(verdict: Verdict) -> usize {
    Verdict::ALL.iter().position(|listed| *listed == verdict).unwrap_or(Verdict::ALL.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(guarantee: &str, scenario: &str, verdict: Verdict) -> Judgement {
        Judgement {
            guarantee: guarantee.into(),
            scenario: scenario.into(),
            verdict,
            ..Judgement::default()
        }
    }

    fn check(judgements: Vec<Judgement>, expected: &[&str]) {
        let report = Report { judgements, ..Report::default() };
        let matrix = Matrix::of(&report);
        let lines: Vec<String> = matrix
            .rows
            .iter()
            .map(|row| {
                let cells = row.cells.iter().map(|cell| cell.map_or("·", |j| j.verdict.symbol()));
                format!("{} {}", row.id, cells.collect::<String>())
            })
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn unlisted_ids_are_not_lost() {
        check(
            vec![judged("b", "x", Verdict::Held), judged("a", "y", Verdict::Violated)],
            &["b ✓·", "a ·✗"],
        );
    }

    #[test]
    fn a_second_judgement_cannot_hide_a_violation() {
        check(vec![judged("a", "x", Verdict::Violated), judged("a", "x", Verdict::Held)], &["a ✗"]);
    }
}

//! Arranges the cells: guarantees down in checklist order, scenarios across as they ran.
//!
//! Arranging is not judging: "worst" here only decides what is shown first.

use std::collections::BTreeMap;

use crate::report::{Cell, GuaranteeReport, Priority, Report, Severity, Standing};

/// All cells of a report in their places.
pub(crate) struct Matrix<'a> {
    pub scenarios: Vec<&'a str>,
    pub rows: Vec<Row<'a>>,
}

/// One guarantee over all scenarios.
pub(crate) struct Row<'a> {
    pub id: &'a str,
    pub guarantee: Option<&'a GuaranteeReport>,
    pub cells: Vec<Option<&'a Cell>>,
}

impl<'a> Matrix<'a> {
    /// A cell of an unlisted guarantee or scenario gets a row or column of its own at the end.
    pub fn of(report: &'a Report) -> Self {
        let mut scenarios = Vec::new();
        let mut guarantees = Vec::new();
        let judged = |pick: fn(&'a Cell) -> &'a str| report.cells.iter().map(pick);
        let listed = report.scenarios.iter().map(|scenario| scenario.id.as_str());
        for id in listed.chain(judged(|cell| &cell.scenario)) {
            if !scenarios.contains(&id) {
                scenarios.push(id);
            }
        }
        let listed = report.guarantees.iter().map(|guarantee| guarantee.id.as_str());
        for id in listed.chain(judged(|cell| &cell.guarantee)) {
            if !guarantees.contains(&id) {
                guarantees.push(id);
            }
        }
        let mut places: BTreeMap<(&str, &str), &Cell> = BTreeMap::new();
        for cell in &report.cells {
            let place = (cell.guarantee.as_str(), cell.scenario.as_str());
            let shown = places.entry(place).or_insert(cell);
            if urgency(cell.verdict) < urgency(shown.verdict) {
                *shown = cell;
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

    /// The cells with this verdict, those with the highest priority first.
    pub fn with(&self, verdict: Standing) -> Vec<&'a Cell> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.priority());
        rows.iter()
            .flat_map(|row| row.cells.iter().flatten())
            .filter(|cell| cell.verdict == verdict)
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

    /// What the cell to read first promised: the bound of its tightest measure, or all it says.
    pub fn promised(&self) -> &'a str {
        let Some(worst) = self.worst() else { return "–" };
        worst.margin.as_ref().map_or(&worst.promised, |margin| &margin.promised)
    }

    /// What it observed, likewise.
    pub fn observed(&self) -> &'a str {
        let Some(worst) = self.worst() else { return "not judged" };
        worst.margin.as_ref().map_or(&worst.observed, |margin| &margin.observed)
    }

    /// How much room the cell to read first left, in words.
    pub fn margin(&self) -> &'a str {
        self.worst().map_or("–", Cell::margin_words)
    }

    /// The cell to read first: the worst, and of several the one with the least room.
    pub fn worst(&self) -> Option<&'a Cell> {
        let room = |cell: &Cell| cell.margin.as_ref().map_or(i64::MAX, |margin| margin.per_mille);
        self.cells.iter().flatten().min_by_key(|cell| (urgency(cell.verdict), room(cell))).copied()
    }
}

fn urgency(verdict: Standing) -> usize {
    Standing::ALL.iter().position(|listed| *listed == verdict).unwrap_or(Standing::ALL.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Margin;

    fn judged(guarantee: &str, scenario: &str, verdict: Standing) -> Cell {
        Cell { guarantee: guarantee.into(), scenario: scenario.into(), verdict, ..Cell::default() }
    }

    #[test]
    fn of_several_that_held_the_one_with_the_least_room_is_read_first() {
        let held = |scenario: &str, per_mille: Option<i64>| Cell {
            margin: per_mille.map(|per_mille| Margin { per_mille, ..Margin::default() }),
            ..judged("a", scenario, Standing::Held)
        };
        let cells = vec![held("x", None), held("y", Some(900)), held("z", Some(20))];
        let report = Report { cells, ..Report::default() };
        assert_eq!(Matrix::of(&report).rows[0].worst().unwrap().scenario, "z");
    }

    fn check(cells: Vec<Cell>, expected: &[&str]) {
        let report = Report { cells, ..Report::default() };
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
            vec![judged("b", "x", Standing::Held), judged("a", "y", Standing::Violated)],
            &["b ✓·", "a ·✗"],
        );
    }

    #[test]
    fn a_second_cell_cannot_hide_a_violation() {
        check(
            vec![judged("a", "x", Standing::Violated), judged("a", "x", Standing::Held)],
            &["a ✗"],
        );
    }
}

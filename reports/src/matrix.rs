//! Arranges the cells: guarantees down in checklist order, scenarios across as they ran.
//!
//! Arranging is not judging: "worst" here only decides what is shown first.

use std::collections::BTreeMap;

use crate::report::{
    Cell, GuaranteeReport, Margin, NotTested, Priority, Report, Severity, Standing,
};

/// All cells of a report in their places.
pub(crate) struct Matrix<'a> {
    pub scenarios: Vec<&'a str>,
    pub rows: Vec<Row<'a>>,
    not_tested: &'a [NotTested],
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
        Self { scenarios, rows, not_tested: &report.not_tested }
    }

    /// The rows by the parts of the checklist, in the order of the rows.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group> = Vec::new();
        for row in &self.rows {
            let name = row.guarantee.map_or("", |guarantee| &guarantee.section);
            match groups.iter_mut().find(|group| group.section == name) {
                Some(group) => group.rows.push(row),
                None => {
                    let here = |one: &&NotTested| one.section == name;
                    let untested = self.not_tested.iter().filter(here).count();
                    groups.push(Group { section: name, rows: vec![row], untested });
                }
            }
        }
        groups
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

    pub fn severity(&self) -> Severity {
        self.guarantee.map_or(Severity::Must, |guarantee| guarantee.severity)
    }

    /// Priority in words, with the severity where a violation does not fail the run.
    pub fn weight(&self) -> String {
        weight(self.priority(), self.severity())
    }

    /// What the cell to read first came to; inconclusive without one.
    pub fn verdict(&self) -> Standing {
        self.worst().map_or(Standing::Inconclusive, |worst| worst.verdict)
    }

    /// How much room the cell to read first left, in words; what was not judged has none.
    pub fn margin(&self) -> &'a str {
        self.tightest().map_or("–", |margin| &margin.words)
    }

    /// The tightest measure of the cell to read first, where the verdict is about numbers.
    pub fn tightest(&self) -> Option<&'a Margin> {
        let worst = self.worst()?;
        let numbers = matches!(worst.verdict, Standing::Held | Standing::Violated);
        worst.margin.as_ref().filter(|_| numbers)
    }

    /// What is to be said where no number is: why it was not judged, or what was observed.
    pub fn remark(&self) -> &'a str {
        let Some(worst) = self.worst() else { return "not judged" };
        worst.reason.as_deref().unwrap_or(&worst.observed)
    }

    /// The cell to read first: the worst, and of several the one with the least room.
    pub fn worst(&self) -> Option<&'a Cell> {
        let room = |cell: &Cell| cell.margin.as_ref().map_or(i64::MAX, |margin| margin.per_mille);
        self.cells.iter().flatten().min_by_key(|cell| (urgency(cell.verdict), room(cell))).copied()
    }
}

/// The rows of one part of the checklist.
pub(crate) struct Group<'a> {
    section: &'a str,
    pub rows: Vec<&'a Row<'a>>,
    /// Promises of this part that the run says nothing about.
    pub untested: usize,
}

impl<'a> Group<'a> {
    pub fn name(&self) -> &'a str {
        if self.section.is_empty() { "Guarantees" } else { self.section }
    }

    /// The worst of its rows.
    pub fn verdict(&self) -> Standing {
        let all = self.rows.iter().map(|row| row.verdict());
        all.min_by_key(|verdict| urgency(*verdict)).unwrap_or_default()
    }

    /// Whether somebody must look at its rows.
    pub fn is_open(&self) -> bool {
        matches!(self.verdict(), Standing::Violated | Standing::Inconclusive)
    }

    /// How many rows came to what: `4 held, 1 violated, 1 not tested`.
    pub fn counts(&self) -> String {
        let of = |verdict| self.rows.iter().filter(|row| row.verdict() == verdict).count();
        let counts = Standing::ALL.map(|verdict| (of(verdict), verdict.word()));
        let counts = counts.into_iter().chain([(self.untested, "not tested")]);
        let counts = counts.filter(|(count, _)| *count > 0);
        counts.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
    }

    /// The row that held with the least room, unless all had nothing against them.
    pub fn closest(&self) -> Option<(&'a str, &'a Margin)> {
        let held = self.rows.iter().filter(|row| row.verdict() == Standing::Held);
        let margins = held.filter_map(|row| Some((row.id, row.tightest()?)));
        margins.filter(|(_, one)| one.per_mille < 1_000).min_by_key(|(_, one)| one.per_mille)
    }
}

/// Reasons, each with the cells that share it.
pub(crate) type Reasons<'a> = Vec<(&'a str, Vec<&'a Cell>)>;

/// Cells by their reasons, in the order in which these first appear.
pub(crate) fn by_reason(cells: Vec<&Cell>) -> Reasons<'_> {
    let mut reasons = Reasons::new();
    for cell in cells {
        let reason = cell.reason.as_deref().unwrap_or("no reason was recorded");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, cells)) => cells.push(cell),
            None => reasons.push((reason, vec![cell])),
        }
    }
    reasons
}

/// What to do about these, each sentence once.
pub(crate) fn advised<'a>(cells: &[&'a Cell]) -> Vec<&'a str> {
    let mut told: Vec<&str> = Vec::new();
    for advice in cells.iter().flat_map(|cell| &cell.advice) {
        if !told.contains(&advice.as_str()) {
            told.push(advice);
        }
    }
    told
}

/// Priority in words, with the severity where a violation does not fail the run.
pub(crate) fn weight(priority: Priority, severity: Severity) -> String {
    let priority = priority.word();
    match severity {
        Severity::Must => priority.to_owned(),
        Severity::Should => format!("{priority}, should"),
        Severity::Info => format!("{priority}, info"),
    }
}

fn urgency(verdict: Standing) -> usize {
    Standing::ALL.iter().position(|listed| *listed == verdict).unwrap_or(Standing::ALL.len())
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Proves that a part whose rows all held is folded, and that nothing else is.
    #[test]
    fn parts_say_what_their_rows_came_to() {
        let promise = |id: &str, section: &str| GuaranteeReport {
            id: id.into(),
            section: section.into(),
            ..GuaranteeReport::default()
        };
        let untested = NotTested { section: "one".into(), ..NotTested::default() };
        let room = |per_mille| Some(Margin { per_mille, ..Margin::default() });
        let held =
            |id, per_mille| Cell { margin: room(per_mille), ..judged(id, "x", Standing::Held) };
        let cells = vec![
            held("a", 900),
            held("b", 20),
            judged("c", "x", Standing::Violated),
            held("d", 1_000),
            judged("e", "x", Standing::NotApplicable),
        ];
        let sections = [("a", "one"), ("b", "one"), ("c", "two"), ("d", "three"), ("e", "three")];
        let report = Report {
            guarantees: sections.map(|(id, section)| promise(id, section)).into(),
            not_tested: vec![untested],
            cells,
            ..Report::default()
        };
        let matrix = Matrix::of(&report);
        let told = matrix.groups().into_iter().map(|group| {
            let closest = group.closest().map_or("-", |(id, _)| id);
            format!("{}: {}; {closest} {}", group.name(), group.counts(), group.is_open())
        });
        let told: Vec<_> = told.collect();
        let expected = [
            "one: 2 held, 1 not tested; b false",
            "two: 1 violated; - true",
            "three: 1 held, 1 not applicable; - false",
        ];
        assert_eq!(told, expected);
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

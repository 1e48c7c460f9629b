//! Says in one sentence what the matrix shows, and how much of the checklist that is.
//!
//! Every clause is counted from the cells, so that headline and matrix cannot disagree.

use super::worst;
use reports::report::{GuaranteeReport, Report, Severity, Standing};
use reports::text::listed;
use scenarios::measure::so_many;

/// What a run came to, counted by promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    held: usize,
    /// Of those that must hold: broken, and not to be judged.
    broken: usize,
    open: usize,
    /// Of those that need not: broken, and not to be judged.
    soft_broken: usize,
    soft_open: usize,
    not_applicable: usize,
    not_tested: usize,
}

/// The sentence over a report whose cells and verdict are there.
pub fn sentence(report: &Report) -> String {
    let (counts, broken) = Counts::of(report);
    let verdict = counts.verdict(report.verdict, report.scenarios.len(), &broken);
    format!("{verdict} {}", counts.coverage())
}

/// So many of what is broken are named.
const MOST_NAMED: usize = 3;

impl Counts {
    /// The counts, and what is broken of what must hold: critical before high before standard.
    fn of(report: &Report) -> (Self, Vec<&str>) {
        let mut counts = Self { not_tested: report.not_tested.len(), ..Self::default() };
        let mut broken: Vec<&GuaranteeReport> = Vec::new();
        for guarantee in &report.guarantees {
            let cells = report.cells.iter().filter(|cell| cell.guarantee == guarantee.id);
            let mut found = cells.map(|cell| cell.verdict).peekable();
            // Whoever has no cell was not judged, and is not among the untested either.
            let standing = match found.peek() {
                None => Standing::Inconclusive,
                Some(_) => worst_of(found),
            };
            let must = guarantee.severity == Severity::Must;
            if standing == Standing::Violated && must {
                broken.push(guarantee);
            }
            let count = match (standing, must) {
                (Standing::Held, _) => &mut counts.held,
                (Standing::Violated, true) => &mut counts.broken,
                (Standing::Violated, false) => &mut counts.soft_broken,
                (Standing::Inconclusive, true) => &mut counts.open,
                (Standing::Inconclusive, false) => &mut counts.soft_open,
                (Standing::NotApplicable, _) => &mut counts.not_applicable,
            };
            *count += 1;
        }
        broken.sort_by_key(|guarantee| guarantee.priority);
        (counts, broken.iter().map(|guarantee| &*guarantee.id).collect())
    }

    /// What was found out: first what decides the run, then what does not.
    fn verdict(self, verdict: Standing, scenarios: usize, ids: &[&str]) -> String {
        let Self { held, broken, open, soft_broken, soft_open, .. } = self;
        let scenarios = so_many(scenarios, "scenario", "scenarios");
        let judged = held + broken + soft_broken;
        let mut said = match verdict {
            Standing::Violated => format!(
                "{} broken, {}, in {scenarios}; do not launch",
                listed(ids, MOST_NAMED),
                part(broken, judged)
            ),
            Standing::Held if soft_broken + soft_open == 0 && judged == 1 => {
                format!("The only promise judged held in {scenarios}")
            }
            Standing::Held if soft_broken + soft_open == 0 => {
                format!("All {judged} promises judged held in {scenarios}")
            }
            Standing::Held => format!("Every promise that must hold held in {scenarios}"),
            Standing::Inconclusive | Standing::NotApplicable if open == 0 => {
                "No promise that must hold was judged".to_owned()
            }
            Standing::Inconclusive | Standing::NotApplicable => {
                format!("No promise that must hold was seen broken, but {open} could not be judged")
            }
        };
        if verdict == Standing::Violated && open > 0 {
            said += &format!("; {open} more could not be judged");
        }
        if soft_broken > 0 {
            let are = if soft_broken == 1 { "is" } else { "are" };
            said += &format!("; {soft_broken} that should hold {are} broken");
        }
        if soft_open > 0 {
            said += &format!("; {soft_open} that should hold could not be judged");
        }
        said + "."
    }

    /// How much of the checklist that is.
    fn coverage(self) -> String {
        let Self { held, broken, open, soft_broken, soft_open, not_applicable, not_tested } = self;
        let (judged, open) = (held + broken + soft_broken, open + soft_open);
        let all = judged + open + not_applicable + not_tested;
        let rest = [
            (open, "inconclusive"),
            (not_applicable, "not applicable"),
            (not_tested, "not tested"),
        ];
        let rest = rest.iter().filter(|(count, _)| *count > 0);
        let rest: String = rest.map(|(count, what)| format!(", {count} {what}")).collect();
        format!("{judged} of {all} of the checklist were judged{rest}.")
    }
}

/// How much of what was judged is broken.
fn part(broken: usize, judged: usize) -> String {
    match (broken, judged) {
        (1, 1) => "the only promise judged".to_owned(),
        (broken, judged) if broken == judged => format!("all {judged} promises judged"),
        (broken, judged) => format!("{broken} of the {judged} promises judged"),
    }
}

/// Violated before inconclusive before held; what applies to no scenario applies to none.
fn worst_of(verdicts: impl Iterator<Item = Standing>) -> Standing {
    let mut applicable = verdicts.filter(|one| *one != Standing::NotApplicable).peekable();
    if applicable.peek().is_none() { Standing::NotApplicable } else { worst(applicable) }
}

#[cfg(test)]
mod tests {
    use super::super::overall;
    use super::*;
    use reports::report::Severity::{Info, Must, Should};
    use reports::report::Standing::{Held, Inconclusive, NotApplicable, Violated};
    use reports::report::{Cell, NotTested, ScenarioReport};

    /// The sentence over these promises, each judged in as many scenarios as it has verdicts.
    fn check(rows: &[(Severity, &[Standing])], untested: usize, expected: &str) {
        let name = |index: usize| format!("promise-{index}");
        let row = |(index, (severity, _)): (usize, &(Severity, &[Standing]))| GuaranteeReport {
            id: name(index),
            severity: *severity,
            ..GuaranteeReport::default()
        };
        let cells = rows.iter().enumerate().flat_map(|(index, (_, verdicts))| {
            verdicts.iter().map(move |verdict| Cell {
                guarantee: name(index),
                verdict: *verdict,
                ..Cell::default()
            })
        });
        let mut report = Report {
            guarantees: rows.iter().enumerate().map(row).collect(),
            cells: cells.collect(),
            scenarios: vec![ScenarioReport::default(); 2],
            not_tested: vec![NotTested::default(); untested],
            ..Report::default()
        };
        report.verdict = overall(&report);
        assert_eq!(sentence(&report), expected, "{rows:?}");
    }

    #[test]
    fn the_sentence_says_no_more_than_the_cells() {
        let (held, all): (&[_], &[_]) = (&[Held, Held], &[Held, Violated, Inconclusive]);
        check(
            &[(Must, held), (Must, held)],
            15,
            "All 2 promises judged held in 2 scenarios. 2 of 17 of the checklist were judged, 15 not \
             tested.",
        );
        check(
            &[(Must, held), (Must, all), (Must, &[Inconclusive])],
            0,
            "promise-1 broken, 1 of the 2 promises judged, in 2 scenarios; do not launch; 1 more could not be judged. \
             2 of 3 of the checklist were judged, 1 inconclusive.",
        );
        check(
            &[(Must, held), (Must, &[Held, Inconclusive])],
            1,
            "No promise that must hold was seen broken, but 1 could not be judged. 1 of 3 of the \
             checklist were judged, 1 inconclusive, 1 not tested.",
        );
        check(
            &[(Must, held), (Should, all)],
            0,
            "Every promise that must hold held in 2 scenarios; 1 that should hold is broken. 2 of 2 of \
             the checklist were judged.",
        );
        check(
            &[(Must, held), (Info, &[Violated]), (Should, &[Violated]), (Should, &[Inconclusive])],
            0,
            "Every promise that must hold held in 2 scenarios; 2 that should hold are broken; 1 that \
             should hold could not be judged. 3 of 4 of the checklist were judged, 1 inconclusive.",
        );
        check(
            &[(Must, &[Violated]), (Should, &[Violated])],
            0,
            "promise-0 broken, 1 of the 2 promises judged, in 2 scenarios; do not launch; 1 that should hold is \
             broken. 2 of 2 of the checklist were judged.",
        );
        check(
            &[(Must, held), (Must, &[NotApplicable]), (Must, &[NotApplicable, Held])],
            0,
            "All 2 promises judged held in 2 scenarios. 2 of 3 of the checklist were judged, 1 not \
             applicable.",
        );
        check(
            &[(Should, held)],
            1,
            "No promise that must hold was judged. 1 of 2 of the checklist were judged, 1 not tested.",
        );
        check(
            &[(Must, &[])],
            0,
            "No promise that must hold was seen broken, but 1 could not be \
             judged. 0 of 1 of the checklist were judged, 1 inconclusive.",
        );
        check(
            &[],
            3,
            "No promise that must hold was judged. 0 of 3 of the checklist were judged, 3 \
             not tested.",
        );
        check(
            &[(Must, &[Held])],
            0,
            "The only promise judged held in 2 scenarios. 1 of 1 of the \
             checklist were judged.",
        );
    }
}

//! Writes `junit.xml`: a scenario is a suite, a guarantee in it is a case.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use super::Renderer;
use crate::matrix::Matrix;
use crate::report::{Cell, Ending, Report, ScenarioReport, Standing};
use crate::text;

/// Longer texts are cut: viewers load the whole file at once.
const MAX_CHARS: usize = 2_000;

/// Writes `junit.xml` for continuous integration.
#[derive(Debug, Clone, Copy)]
pub struct Junit;

impl Renderer for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn file_name(&self) -> Option<&'static str> {
        Some("junit.xml")
    }

    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let report = report.printable(MAX_CHARS);
        let matrix = Matrix::of(&report);
        let mut suites = Suites::new("windthrow");
        for (column, id) in matrix.scenarios.iter().enumerate() {
            let mut suite = TestSuite::new(*id);
            suite.add_property(("seed", report.identity.seed.as_str()));
            suite.add_property(("started", report.started.as_str()));
            if let Some(scenario) = report.scenarios.iter().find(|scenario| scenario.id == *id) {
                suite.set_time(Duration::from_millis(scenario.duration_ms));
                suite.add_test_cases(unfinished(scenario));
            }
            let judged = matrix.rows.iter().filter_map(|row| row.cells[column]);
            suite.add_test_cases(judged.map(case));
            suites.add_test_suite(suite);
        }
        suites.serialize(out).map_err(io::Error::other)
    }
}

/// A scenario that broke off is an error even if nothing was judged, or it would look green.
fn unfinished(scenario: &ScenarioReport) -> Option<TestCase> {
    if scenario.ending == Ending::Completed {
        return None;
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    let reason = scenario.ending_reason.as_deref().unwrap_or("no reason was recorded");
    status.set_type(scenario.ending.word()).set_message(reason);
    let mut case = TestCase::new("scenario-completed", status);
    case.set_classname(scenario.id.as_str());
    Some(case)
}

fn case(cell: &Cell) -> TestCase {
    let mut status = match cell.verdict {
        Standing::Held => TestCaseStatus::success(),
        Standing::Violated => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Standing::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
        Standing::NotApplicable => TestCaseStatus::skipped(),
    };
    match cell.verdict {
        Standing::Held => {}
        Standing::Violated => {
            let message = format!("promised: {}; observed: {}", cell.promised, cell.observed);
            status.set_type("violated").set_message(message).set_description(witness(cell));
        }
        Standing::Inconclusive | Standing::NotApplicable => {
            status.set_message(cell.reason.as_deref().unwrap_or("no reason was recorded"));
            if cell.verdict == Standing::Inconclusive {
                status.set_type("inconclusive");
            }
        }
    }
    let mut case = TestCase::new(cell.guarantee.as_str(), status);
    case.set_classname(cell.scenario.as_str());
    case.set_assertions(usize::try_from(cell.seen).unwrap_or(usize::MAX));
    case
}

/// The first violation and how to see it again, a line each.
fn witness(cell: &Cell) -> String {
    let mut lines = Vec::new();
    if let Some(first) = cell.counter_examples.first() {
        lines.push(format!("first at {}: {}", text::moment(first.at_ms), first.observed));
        lines.extend(first.story.iter().map(|line| format!("  {line}")));
        if !first.active_faults.is_empty() {
            lines.push(format!("active faults: {}", first.active_faults.join(", ")));
        }
    }
    lines.push(format!("violations: {} in all", cell.total_violations));
    lines.push(format!("rerun: {}", cell.rerun));
    lines.push(format!("check next: {}", cell.check_next));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::example::hostile;
    use crate::renderers::{check_snapshot, rendered};

    #[test]
    fn the_example_is_as_approved() {
        check_snapshot("junit", &rendered(&Junit, &Report::example()));
    }

    proptest! {
        /// Proves that no text can end an element early: the file reads back with the same counts.
        #[test]
        fn hostile_text_stays_text(hostile in hostile()) {
            let xml = rendered(&Junit, &Report::example().with_every_text_after(&hostile));
            let read = Suites::deserialize_from_str(&xml).expect("it is well-formed");
            prop_assert_eq!((read.tests, read.failures, read.errors), (10, 2, 4));
            prop_assert!(!xml.contains("<script"));
        }
    }
}

//! Writes `junit.xml`: a scenario is a suite, a guarantee in it is a case.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
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
        suites.timestamp = report.started.parse().ok();
        suites.time = lasted(&report);
        for (column, id) in matrix.scenarios.iter().enumerate() {
            let mut suite = TestSuite::new(*id);
            for (name, value) in properties(&report) {
                suite.add_property((name, value));
            }
            if let Some(news) = &report.news {
                suite.add_property(("baseline", &*news.since));
                suite.add_property(("news", &*news.sentence()));
            }
            if let Some(scenario) = report.scenarios.iter().find(|scenario| scenario.id == *id) {
                suite.timestamp = scenario.started.as_deref().and_then(|at| at.parse().ok());
                suite.set_time(Duration::from_millis(scenario.duration_ms));
                suite.add_test_case(completed(scenario));
            }
            let began = suite.timestamp;
            let judged = matrix.rows.iter().filter_map(|row| row.cells[column]);
            suite.add_test_cases(judged.map(|cell| {
                let mut case = case(cell, &report);
                case.timestamp = began;
                case
            }));
            suites.add_test_suite(suite);
        }
        suites.serialize(out).map_err(io::Error::other)
    }
}

/// From the beginning of the run to the end of its last scenario; several run side by side, so that their
/// times do not add up to it.
fn lasted(report: &Report) -> Option<Duration> {
    let began: Timestamp = report.started.parse().ok()?;
    let end = |scenario: &ScenarioReport| {
        let started: Timestamp = scenario.started.as_ref()?.parse().ok()?;
        started.checked_add(Duration::from_millis(scenario.duration_ms)).ok()
    };
    let last = report.scenarios.iter().filter_map(end).max()?;
    Duration::try_from(last.duration_since(began)).ok()
}

/// What tells two runs apart.
fn properties(report: &Report) -> impl Iterator<Item = (&'static str, &str)> {
    let identity = &report.identity;
    let target = &identity.target;
    let always = [
        ("run", &*report.run_id),
        ("started", &*report.started),
        ("seed", &*identity.seed),
        ("plan", &*identity.plan_hash),
        ("profile", &*identity.profile),
        ("contract", &*identity.contract.name),
        ("target", &*target.name),
        ("rerun", &*report.rerun),
    ];
    let known = [
        ("version", target.version.as_deref()),
        ("mutant", target.mutant.as_deref()),
        ("configuration", identity.config_hash.as_deref()),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
    always.into_iter().chain(known)
}

/// Viewers put what has no package under a root of their own.
fn class_name(scenario: &str) -> String {
    format!("windthrow.{scenario}")
}

/// A scenario that broke off is an error even if nothing was judged, or it would look green. All of its
/// time was this case's: judging takes none of it, and viewers add up the times of cases.
fn completed(scenario: &ScenarioReport) -> TestCase {
    let status = if scenario.ending == Ending::Completed {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        let reason = scenario.ending_reason.as_deref().unwrap_or("no reason was recorded");
        status.set_type(scenario.ending.word()).set_message(reason);
        status
    };
    let mut case = TestCase::new("scenario-completed", status);
    case.set_classname(class_name(&scenario.id));
    case.timestamp = scenario.started.as_deref().and_then(|at| at.parse().ok());
    case.set_time(Duration::from_millis(scenario.duration_ms));
    case
}

fn case(cell: &Cell, report: &Report) -> TestCase {
    let mut status = match cell.verdict {
        Standing::Held => TestCaseStatus::success(),
        Standing::Violated => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Standing::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
        Standing::NotApplicable => TestCaseStatus::skipped(),
    };
    match cell.verdict {
        Standing::Held => {}
        Standing::Violated => {
            let message = match &cell.margin {
                Some(margin) => format!("{}; {}", cell.offence(), margin.told()),
                None => format!("{}; promised: {}", cell.offence(), cell.promised),
            };
            status.set_type("violated").set_message(message).set_description(witness(cell, report));
        }
        Standing::Inconclusive | Standing::NotApplicable => {
            status.set_message(cell.reason.as_deref().unwrap_or("no reason was recorded"));
            if cell.verdict == Standing::Inconclusive {
                status.set_type("inconclusive");
                if !cell.advice.is_empty() {
                    status.set_description(cell.advice.join("\n"));
                }
            }
        }
    }
    let mut case = TestCase::new(cell.guarantee.as_str(), status);
    case.set_classname(class_name(&cell.scenario));
    case.set_time(Duration::ZERO);
    case.set_assertions(usize::try_from(cell.seen).unwrap_or(usize::MAX));
    case
}

/// The worst violation and how to see it again, a line each.
fn witness(cell: &Cell, report: &Report) -> String {
    let mut lines = Vec::new();
    if let Some((news, mark)) = report.news.as_ref().and_then(|news| Some((news, news.mark(cell)?)))
    {
        lines.push(format!("since {}: {mark}", news.since));
    }
    if let Some(first) = cell.counter_examples.first() {
        let at = text::moment(first.at_ms);
        lines.push(format!("{at}: {} ({})", first.observed, first.faults()));
        lines.extend(first.story.iter().map(|line| format!("  {line}")));
    }
    lines.push(format!("violations: {} in all", cell.total_violations));
    lines.push(format!("rerun: {}", cell.rerun));
    lines.push(format!("check first: {}", cell.check_next));
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
            prop_assert_eq!((read.tests, read.failures, read.errors), (12, 2, 4));
            prop_assert!(!xml.contains("<script"));
        }
    }
}

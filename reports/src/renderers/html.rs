//! Writes `report.html`: one file, no network, no script, for a launch review.

use std::io::{self, Write};

use askama::Template;

use super::Renderer;
use crate::matrix::{Matrix, Row};
use crate::report::{
    Cell, CounterExample, Ending, GuaranteeReport, Lateness, Report, ScenarioReport, Standing,
};
use crate::text::{measured, moment, number, seconds};

mod timeline;

use timeline::Timeline;

/// A file that opens on a phone and passes as a mail attachment.
const MAX_BYTES: usize = 3_000_000;

const STYLE: &str = include_str!("../../templates/report.css");

/// The only thing in the page that a browser may apply; a test holds it to [`STYLE`].
const STYLE_HASH: &str = "sha256-hOBkDZ3/ud5TkdFG8bS9w9DGU5Pdw3fkAct4WGvfXP0=";

/// Writes `report.html`.
#[derive(Debug, Clone, Copy)]
pub struct Html;

/// How much of each thing is shown; the first level that fits the file is taken.
#[derive(Clone, Copy)]
struct Level {
    chars: usize,
    examples: usize,
    story: usize,
    points: usize,
}

const LEVELS: [Level; 4] = [
    Level { chars: 1_000, examples: 20, story: 60, points: 600 },
    Level { chars: 400, examples: 20, story: 20, points: 300 },
    Level { chars: 200, examples: 5, story: 10, points: 150 },
    Level { chars: 120, examples: 1, story: 5, points: 60 },
];

impl Renderer for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn file_name(&self) -> Option<&'static str> {
        Some("report.html")
    }

    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let mut page = String::new();
        for (index, level) in LEVELS.into_iter().enumerate() {
            let report = report.printable(level.chars);
            page = Page::of(&report, level, index > 0).render().map_err(io::Error::other)?;
            if page.len() < MAX_BYTES {
                break;
            }
        }
        out.write_all(page.as_bytes())
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    style: &'static str,
    style_hash: &'static str,
    shortened: bool,
    matrix: Matrix<'a>,
    violations: Vec<&'a Cell>,
    guarantees: Vec<GuaranteeSection<'a>>,
    scenarios: Vec<ScenarioSection<'a>>,
    unsettled: Vec<(Standing, Vec<&'a Cell>)>,
}

struct GuaranteeSection<'a> {
    id: &'a str,
    verdict: Option<Standing>,
    priority: String,
    about: Option<&'a GuaranteeReport>,
    cells: Vec<&'a Cell>,
    examples: Vec<Example<'a>>,
    total: u64,
}

struct Example<'a> {
    scenario: &'a str,
    example: &'a CounterExample,
    story: &'a [String],
    left_out: usize,
}

struct ScenarioSection<'a> {
    scenario: &'a ScenarioReport,
    timeline: Timeline,
    completed: bool,
}

impl<'a> Page<'a> {
    fn of(report: &'a Report, level: Level, shortened: bool) -> Self {
        let matrix = Matrix::of(report);
        let section = |scenario: &'a ScenarioReport| ScenarioSection {
            scenario,
            timeline: Timeline::of(scenario, level.points),
            completed: scenario.ending == Ending::Completed,
        };
        Self {
            report,
            style: STYLE,
            style_hash: STYLE_HASH,
            shortened,
            violations: matrix.with(Standing::Violated),
            guarantees: matrix.rows.iter().map(|row| GuaranteeSection::of(row, level)).collect(),
            scenarios: report.scenarios.iter().map(section).collect(),
            unsettled: [Standing::Inconclusive, Standing::NotApplicable]
                .map(|verdict| (verdict, matrix.with(verdict)))
                .into(),
            matrix,
        }
    }
}

impl<'a> GuaranteeSection<'a> {
    /// The scenarios share the places for examples evenly.
    fn of(row: &Row<'a>, level: Level) -> Self {
        let cells: Vec<&'a Cell> = row.cells.iter().flatten().copied().collect();
        let with_examples = cells.iter().filter(|judged| !judged.counter_examples.is_empty());
        let share = (level.examples / with_examples.count().max(1)).max(1);
        let examples = cells.iter().flat_map(|cell| {
            cell.counter_examples.iter().take(share).map(|example| {
                let shown = example.story.len().min(level.story);
                Example {
                    scenario: &cell.scenario,
                    example,
                    story: &example.story[..shown],
                    left_out: example.story.len() - shown,
                }
            })
        });
        Self {
            id: row.id,
            verdict: row.worst().map(|worst| worst.verdict),
            priority: row.weight(),
            about: row.guarantee,
            examples: examples.take(level.examples).collect(),
            total: cells.iter().map(|cell| cell.total_violations).sum(),
            cells,
        }
    }
}

/// The name of a colour in the style sheet.
fn class(verdict: &Standing) -> &'static str {
    match verdict {
        Standing::Held => "held",
        Standing::Violated => "violated",
        Standing::Inconclusive => "inconclusive",
        Standing::NotApplicable => "na",
    }
}

/// A place in the page to link to.
fn anchor(kind: &str, id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("{kind}-{}", id.chars().map(safe).collect::<String>())
}

/// Text that may be missing.
fn or_dash(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("–")
}

fn cpu(time_ms: &Option<u64>) -> String {
    measured(*time_ms, seconds)
}

fn millis(time_ms: &Option<f64>) -> String {
    measured(*time_ms, |ms| format!("{} ms", number(ms)))
}

fn count(count: &Option<u64>) -> String {
    measured(*count, |count| count.to_string())
}

/// Median, 99th percentile and maximum.
fn lateness(lateness: &Option<Lateness>) -> String {
    measured(*lateness, |late| format!("{} / {} / {}", late.p50_us, late.p99_us, late.max_us))
}

#[cfg(test)]
mod tests;

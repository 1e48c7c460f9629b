//! Writes `report.html`: one file, no network, no script, for a launch review.

use std::io::{self, Write};

use askama::Template;

use super::Renderer;
use crate::cards::{Card, cards};
use crate::matrix::{Matrix, Reasons, Row, advised, by_reason};
use crate::report::{
    Cell, Dispatch, Ending, GuaranteeReport, Lateness, Report, ScenarioReport, Standing,
};
use crate::text::{
    duration, listed, measured, micros, moment, number, printable, seconds, short_hash,
};

mod examples;
mod timeline;

use examples::{Example, Links, examples};
use timeline::Timeline;

/// A file that opens on a phone and passes as a mail attachment.
const MAX_BYTES: usize = 3_000_000;

const STYLE: &str = include_str!("../../templates/report.css");

/// The only thing in the page that a browser may apply; a test holds it to [`STYLE`].
const STYLE_HASH: &str = "sha256-B0a9i2bg0A8fl4ICMEWMYR1Sd7N/7ZEC6xg2AkUOaD4=";

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
            let matrix = Matrix::of(&report);
            page = rendered(&report, &matrix, level, index > 0).map_err(io::Error::other)?;
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
    matrix: &'a Matrix<'a>,
    cards: Vec<Card<'a>>,
    guarantees: Vec<GuaranteeSection<'a>>,
    scenarios: Vec<ScenarioSection<'a>>,
    unsettled: Vec<(Standing, Reasons<'a>)>,
}

struct GuaranteeSection<'a> {
    id: &'a str,
    verdict: Option<Standing>,
    weight: String,
    about: Option<&'a GuaranteeReport>,
    cells: Vec<&'a Cell>,
    examples: Vec<Example<'a>>,
    total: u64,
}

struct ScenarioSection<'a> {
    scenario: &'a ScenarioReport,
    timeline: Timeline,
    completed: bool,
}

fn rendered(
    report: &Report,
    matrix: &Matrix<'_>,
    level: Level,
    shortened: bool,
) -> askama::Result<String> {
    let guarantees: Vec<_> =
        matrix.rows.iter().map(|row| GuaranteeSection::of(row, level)).collect();
    let mut links = Links::default();
    for section in &guarantees {
        links.add(section.id, &section.examples);
    }
    let section = |scenario| ScenarioSection::of(scenario, level, &links);
    let scenarios = report.scenarios.iter().map(section).collect();
    let page = Page {
        report,
        style: STYLE,
        style_hash: STYLE_HASH,
        shortened,
        matrix,
        cards: cards(matrix),
        guarantees,
        scenarios,
        unsettled: [Standing::Inconclusive, Standing::NotApplicable]
            .map(|verdict| (verdict, by_reason(matrix.with(verdict))))
            .into(),
    };
    page.render()
}

impl<'a> ScenarioSection<'a> {
    fn of(scenario: &'a ScenarioReport, level: Level, links: &Links<'_>) -> Self {
        Self {
            scenario,
            timeline: Timeline::of(scenario, level.points, links),
            completed: scenario.ending == Ending::Completed,
        }
    }
}

impl<'a> GuaranteeSection<'a> {
    fn of(row: &Row<'a>, level: Level) -> Self {
        let cells: Vec<&'a Cell> = row.cells.iter().flatten().copied().collect();
        Self {
            id: row.id,
            verdict: row.worst().map(|worst| worst.verdict),
            weight: row.weight(),
            about: row.guarantee,
            examples: examples(row, level.examples, level.story),
            total: cells.iter().map(|cell| cell.total_violations).sum(),
            cells,
        }
    }

    /// How many violations the examples stand for.
    fn shown(&self) -> usize {
        self.examples.iter().map(|one| 1 + one.alike.len()).sum()
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

/// As much as fits on a first screen with all else; the whole of it stands with its scenario.
fn short(text: &str) -> String {
    printable(text, 240)
}

/// Whether what a card shows is new since the baseline.
fn mark(card: &Card<'_>, report: &Report) -> Option<String> {
    card.news(report.news.as_ref())
}

/// Text that may be missing.
/// So many changes are shown, the worst; a list of one more is not worth folding.
const AT_FIRST: usize = 12;

/// What is shown of a list, and what is folded.
fn at_first<T>(all: &[T]) -> (&[T], &[T]) {
    all.split_at(if all.len() > AT_FIRST + 1 { AT_FIRST } else { all.len() })
}

fn or_dash(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("–")
}

fn cpu(time_ms: &Option<u64>) -> String {
    measured(*time_ms, seconds)
}

fn millis(time_ms: &Option<f64>) -> String {
    measured(*time_ms, |ms| format!("{} ms", number(ms)))
}

/// `12034 releases, 210 of them after a spin, in 410 ms of processor time`.
fn dispatch(Dispatch { releases, spins, cpu_us }: &Dispatch) -> String {
    let cpu = micros(*cpu_us);
    format!("{releases} releases, {spins} of them after a spin, in {cpu} of processor time")
}

fn count(count: &Option<u64>) -> String {
    measured(*count, |count| count.to_string())
}

/// Median, 99th percentile and maximum.
fn lateness(lateness: &Option<Lateness>) -> String {
    measured(*lateness, |late| [late.p50_us, late.p99_us, late.max_us].map(micros).join(" / "))
}

#[cfg(test)]
mod tests;

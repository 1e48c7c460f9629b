//! Writes the report for a terminal or a log: the verdict, the matrix, the violations, what is open.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{Table, presets};

use super::Renderer;
use crate::matrix::Matrix;
use crate::report::{Cell, Evidence, Report, Standing};
use crate::text;

/// A line that is longer wraps so often that nobody reads it.
const MAX_CHARS: usize = 300;

/// Writes text with ANSI colours; whoever sends it elsewhere than to a terminal strips them.
#[derive(Debug, Clone, Copy)]
pub struct Terminal;

impl Renderer for Terminal {
    fn name(&self) -> &'static str {
        "terminal"
    }

    fn file_name(&self) -> Option<&'static str> {
        None
    }

    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let report = report.printable(MAX_CHARS);
        let matrix = Matrix::of(&report);
        let verdict = report.verdict;
        let word = format!("{} {}", verdict.symbol(), verdict.word());
        writeln!(out, "{}: {}", paint(verdict, &word), report.sentence)?;
        let Report { run_id, identity, .. } = &report;
        let mutant = identity.target.mutant.iter().map(|mutant| format!(", mutant {mutant}"));
        writeln!(
            out,
            "run {run_id}, seed {}, profile {}, target {} ({}){}",
            identity.seed,
            identity.profile,
            identity.target.name,
            identity.target.kind,
            mutant.collect::<String>(),
        )?;
        first_screen(&report, out)?;
        if !matrix.rows.is_empty() {
            table(&matrix, out)?;
        }
        for cell in matrix.with(Standing::Violated) {
            violation(cell, out)?;
        }
        let open = matrix.with(Standing::Inconclusive);
        if !open.is_empty() {
            writeln!(out, "{}", paint(Standing::Inconclusive, "? inconclusive"))?;
            for Cell { guarantee, scenario, reason, .. } in open {
                let reason = reason.as_deref().unwrap_or("no reason was recorded");
                writeln!(out, "  {guarantee} in {scenario}: {reason}")?;
            }
            writeln!(out)?;
        }
        for scenario in &report.scenarios {
            writeln!(out, "evidence of {}: {}", scenario.id, evidence(&scenario.evidence))?;
        }
        writeln!(out, "rerun: {}", report.rerun)
    }
}

/// What nobody may overlook: what broke off, where the harness failed, what was not looked at.
fn first_screen(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for (scenario, told) in report.troubles() {
        writeln!(out, "{} {scenario}: {told}", paint(Standing::Inconclusive, "!"))?;
    }
    for (reason, ids) in report.untested() {
        writeln!(out, "not tested, {reason}: {}", ids.join(", "))?;
    }
    writeln!(out)
}

fn table(matrix: &Matrix, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let columns = (1..=matrix.scenarios.len()).map(|column| column.to_string());
    let head = ["", "guarantee", "priority"].map(str::to_owned);
    table.set_header(head.into_iter().chain(columns).chain(["margin".to_owned()]));
    for row in &matrix.rows {
        let worst = row.worst().map(|worst| worst.verdict);
        let verdict = worst
            .map_or("· not judged".into(), |worst| format!("{} {}", worst.symbol(), worst.word()));
        let cells = row.cells.iter().map(|cell| cell.map_or("·", |j| j.verdict.symbol()));
        let weight = row.weight();
        let first = [&*verdict, row.id, &*weight].into_iter();
        table.add_row(first.chain(cells).chain([row.margin()]));
    }
    for line in table.lines() {
        let mut line = line.trim_end().to_owned();
        for verdict in Standing::ALL {
            line = line.replace(verdict.symbol(), &paint(verdict, verdict.symbol()));
        }
        writeln!(out, "{line}")?;
    }
    for (column, id) in matrix.scenarios.iter().enumerate() {
        writeln!(out, "  {}: {id}", column + 1)?;
    }
    let legend = Standing::ALL.map(|verdict| format!("{} {}", verdict.symbol(), verdict.word()));
    writeln!(out, "  {}  · not judged\n", legend.join("  "))
}

fn violation(cell: &Cell, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("✗ {} in {}", cell.guarantee, cell.scenario);
    writeln!(out, "{}", paint(Standing::Violated, &title))?;
    writeln!(out, "  promised  {}", cell.promised)?;
    writeln!(out, "  observed  {}", cell.observed)?;
    writeln!(out, "  margin    {}", cell.margin_words())?;
    if let Some(first) = cell.counter_examples.first() {
        let faults = match first.active_faults.join(", ") {
            none if none.is_empty() => "no fault active".into(),
            some => format!("active faults: {some}"),
        };
        let all = cell.total_violations;
        writeln!(out, "  first at  {}, of {all} in all ({faults})", text::moment(first.at_ms))?;
        for line in first.story.iter().take(8) {
            writeln!(out, "            {line}")?;
        }
    }
    if !cell.check_next.is_empty() {
        writeln!(out, "  check     {}", cell.check_next)?;
    }
    writeln!(out, "  rerun     {}\n", cell.rerun)
}

fn paint(verdict: Standing, text: &str) -> String {
    let style = match verdict {
        Standing::Held => AnsiColor::Green.on_default(),
        Standing::Violated => AnsiColor::Red.on_default().bold(),
        Standing::Inconclusive => AnsiColor::Yellow.on_default(),
        Standing::NotApplicable => Style::new().dimmed(),
    };
    format!("{style}{text}{style:#}")
}

/// What was seen, on one line.
fn evidence(seen: &Evidence) -> String {
    let lateness = text::measured(seen.lateness, |late| format!("p99 {} µs", late.p99_us));
    let planned = seen.arrivals_planned.map_or(String::new(), |planned| format!(" of {planned}"));
    format!(
        "{}{planned} arrivals, {} operations, {} exchanges, {} clicks acknowledged, {} faults hit, \
         lateness {lateness}, peak {}/s",
        seen.arrivals_sent,
        seen.operations,
        seen.exchanges,
        seen.clicks,
        seen.faults_hit,
        text::number(seen.peak_arrivals_per_s),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::example::hostile;
    use crate::renderers::{check_snapshot, rendered};

    #[test]
    fn the_example_is_as_approved() {
        check_snapshot("terminal", &plain(&Report::example()));
    }

    fn plain(report: &Report) -> String {
        anstream::adapter::strip_str(&rendered(&Terminal, report)).to_string()
    }

    /// Proves that colour only repeats what a symbol and a word say already.
    #[test]
    fn without_its_colours_the_text_is_whole() {
        let report = Report::example();
        assert!(rendered(&Terminal, &report).contains("\u{1b}["));
        for verdict in Standing::ALL {
            let said = format!("{} {}", verdict.symbol(), verdict.word());
            assert!(plain(&report).contains(&said), "{said}");
        }
    }

    proptest! {
        /// Proves that recorded text cannot move the cursor, retitle the window or start a line.
        #[test]
        fn hostile_text_stays_text(hostile in hostile()) {
            let text = plain(&Report::example().with_every_text_after(&hostile));
            prop_assert_eq!(text.lines().count(), plain(&Report::example()).lines().count());
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}

//! Writes the report for a terminal or a log: the verdict, the matrix, the violations, what is open.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{Table, presets};

use super::Renderer;
use crate::matrix::Matrix;
use crate::report::{Evidence, Judgement, Outcome, Verdict};
use crate::{Report, text};

/// A line that is longer wraps so often that nobody reads it.
const MAX_CHARS: usize = 300;

/// Writes plain text, coloured only if asked: it cannot know where its bytes go.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Whether to write ANSI colours.
    pub color: bool,
}

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
        writeln!(out, "{}: {}", self.paint(verdict, &word), report.sentence)?;
        let Report { run_id, identity, .. } = &report;
        let mutant = identity.target.mutant.iter().map(|mutant| format!(", mutant {mutant}"));
        writeln!(
            out,
            "run {run_id}, seed {}, profile {}, target {} ({}){}\n",
            identity.seed,
            identity.profile,
            identity.target.name,
            identity.target.kind,
            mutant.collect::<String>(),
        )?;
        if !matrix.rows.is_empty() {
            self.table(&matrix, out)?;
        }
        for judgement in matrix.with(Verdict::Violated) {
            self.violation(judgement, out)?;
        }
        let open = matrix.with(Verdict::Inconclusive);
        if !open.is_empty() {
            writeln!(out, "{}", self.paint(Verdict::Inconclusive, "? inconclusive"))?;
            for Judgement { guarantee, scenario, reason, .. } in open {
                let reason = reason.as_deref().unwrap_or("no reason was recorded");
                writeln!(out, "  {guarantee} in {scenario}: {reason}")?;
            }
            writeln!(out)?;
        }
        if !report.not_tested.is_empty() {
            let ids: Vec<_> = report.not_tested.iter().map(|untested| &*untested.id).collect();
            writeln!(out, "not tested: {}\n", ids.join(", "))?;
        }
        for scenario in &report.scenarios {
            writeln!(out, "evidence of {}: {}", scenario.id, evidence(&scenario.evidence))?;
            if scenario.outcome != Outcome::Completed {
                let reason = scenario.outcome_reason.as_deref().unwrap_or("no reason recorded");
                writeln!(out, "  {}: {reason}", scenario.outcome.word())?;
            }
        }
        writeln!(out, "rerun: {}", report.rerun)
    }
}

impl Terminal {
    fn table(&self, matrix: &Matrix, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let columns = (1..=matrix.scenarios.len()).map(|column| column.to_string());
        let head = ["", "guarantee", "priority"].map(str::to_owned);
        table.set_header(head.into_iter().chain(columns));
        for row in &matrix.rows {
            let worst = row.worst().map(|worst| worst.verdict);
            let verdict = worst.map_or("· not judged".into(), |worst| {
                format!("{} {}", worst.symbol(), worst.word())
            });
            let cells = row.cells.iter().map(|cell| cell.map_or("·", |j| j.verdict.symbol()));
            table.add_row([&*verdict, row.id, &*row.weight()].into_iter().chain(cells));
        }
        for line in table.lines() {
            let mut line = line.trim_end().to_owned();
            for verdict in Verdict::ALL.into_iter().filter(|_| self.color) {
                line = line.replace(verdict.symbol(), &self.paint(verdict, verdict.symbol()));
            }
            writeln!(out, "{line}")?;
        }
        for (column, id) in matrix.scenarios.iter().enumerate() {
            writeln!(out, "  {}: {id}", column + 1)?;
        }
        let legend = Verdict::ALL.map(|verdict| format!("{} {}", verdict.symbol(), verdict.word()));
        writeln!(out, "  {}  · not judged\n", legend.join("  "))
    }

    fn violation(&self, judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
        let title = format!("✗ {} in {}", judgement.guarantee, judgement.scenario);
        writeln!(out, "{}", self.paint(Verdict::Violated, &title))?;
        writeln!(out, "  promised  {}", judgement.promised)?;
        let margin = judgement.margin.iter().map(|margin| format!(" – {margin}"));
        writeln!(out, "  observed  {}{}", judgement.observed, margin.collect::<String>())?;
        if let Some(first) = judgement.counter_examples.first() {
            let faults = match first.active_faults.join(", ") {
                none if none.is_empty() => "no fault active".into(),
                some => format!("active faults: {some}"),
            };
            let all = judgement.total_violations;
            writeln!(out, "  first at  {} of {all} ({faults})", text::seconds(first.at_ms))?;
            for line in first.story.iter().take(8) {
                writeln!(out, "            {line}")?;
            }
        }
        if !judgement.check_next.is_empty() {
            writeln!(out, "  check     {}", judgement.check_next)?;
        }
        writeln!(out, "  rerun     {}\n", judgement.rerun)
    }

    fn paint(&self, verdict: Verdict, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let style = match verdict {
            Verdict::Held => AnsiColor::Green.on_default(),
            Verdict::Violated => AnsiColor::Red.on_default().bold(),
            Verdict::Inconclusive => AnsiColor::Yellow.on_default(),
            Verdict::NotApplicable => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }
}

/// What was seen, on one line.
fn evidence(seen: &Evidence) -> String {
    format!(
        "{} operations, {} exchanges, {} clicks, {} faults hit, lateness p99 {} µs, peak {}/s",
        seen.operations,
        seen.exchanges,
        seen.clicks,
        seen.faults_hit,
        seen.lateness.p99_us,
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
        check_snapshot("terminal", &rendered(&Terminal { color: false }, &Report::example()));
    }

    /// Proves that colour adds escape sequences and changes nothing else.
    #[test]
    fn colour_is_only_colour() {
        let coloured = rendered(&Terminal { color: true }, &Report::example());
        let plain = rendered(&Terminal { color: false }, &Report::example());
        let mut bare = String::new();
        for (index, piece) in coloured.split('\u{1b}').enumerate() {
            bare.push_str(if index == 0 { piece } else { piece.split_once('m').unwrap().1 });
        }
        assert!(coloured.len() > plain.len());
        assert_eq!(bare, plain);
    }

    proptest! {
        /// Proves that recorded text cannot move the cursor, retitle the window or start a line.
        #[test]
        fn hostile_text_stays_text(hostile in hostile()) {
            let plain = Terminal { color: false };
            let text = rendered(&plain, &Report::example().with_every_text_after(&hostile));
            let lines = rendered(&plain, &Report::example()).lines().count();
            prop_assert_eq!(text.lines().count(), lines);
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}

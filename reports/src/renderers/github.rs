//! Writes annotations as a GitHub workflow takes them from standard output.
//!
//! A step shows ten of a kind, and what is beyond them is dropped without a word: here nine are written,
//! and how many more there are.

use std::io::{self, Write};

use super::Renderer;
use crate::matrix::Matrix;
use crate::report::{Cell, Report, Severity, Standing};
use crate::text;

/// One less than a step shows of a kind, so that there is room for how many more there are.
const MOST: usize = 9;

/// Longer texts belong into the other reports.
const MAX_CHARS: usize = 600;

/// Writes workflow commands; the summary of the step is `summary.md`.
#[derive(Debug, Clone, Copy)]
pub struct Github;

impl Renderer for Github {
    fn name(&self) -> &'static str {
        "github"
    }

    fn file_name(&self) -> Option<&'static str> {
        None
    }

    /// To whoever is no workflow they are noise.
    fn is_usual(&self) -> bool {
        false
    }

    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let report = report.printable(MAX_CHARS);
        let matrix = Matrix::of(&report);
        let level = |cell: &Cell| {
            let guarantee = report.guarantees.iter().find(|one| one.id == cell.guarantee);
            match (cell.verdict, guarantee.map_or(Severity::Must, |one| one.severity)) {
                (Standing::Violated, Severity::Must) => "error",
                _ => "warning",
            }
        };
        let mut broken = matrix.with(Standing::Violated);
        // Of what is cut short whatever is new must not be a part.
        let is_new =
            |cell: &&Cell| report.news.as_ref().and_then(|news| news.mark(cell)) == Some("new");
        broken.sort_by_key(|cell| !is_new(cell));
        let open = matrix.with(Standing::Inconclusive);
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for cell in broken.into_iter().chain(open) {
            let Cell { guarantee, scenario, .. } = cell;
            let mark = report.marked(cell);
            let title = format!("{guarantee} is {} in {scenario}{mark}", cell.verdict.word());
            let list = if level(cell) == "error" { &mut errors } else { &mut warnings };
            list.push((title, said(cell)));
        }
        for (told, scenarios) in report.troubles() {
            warnings.push((scenarios.join(", "), told));
        }
        if let Some(news) = &report.news {
            let sentence = data(&news.sentence());
            writeln!(out, "::notice title=windthrow{}::{sentence}", property(": what is new"))?;
        }
        for (level, list) in [("error", errors), ("warning", warnings)] {
            for (title, text) in list.iter().take(MOST) {
                writeln!(out, "::{level} title={}::{}", property(title), data(text))?;
            }
            if list.len() > MOST {
                let more = list.len() - MOST;
                writeln!(
                    out,
                    "::{level} title=windthrow::and {more} more, see the step's summary"
                )?;
            }
        }
        Ok(())
    }
}

/// The counter-example's own words and when it was, or why nothing could be judged, and how to see it again.
fn said(cell: &Cell) -> String {
    let what = match (&cell.reason, cell.counter_examples.first()) {
        (Some(reason), _) => reason.clone(),
        (None, Some(first)) => format!("{}, at {}", first.observed, text::moment(first.at_ms)),
        (None, None) => cell.observed.clone(),
    };
    let advice: String = cell.advice.iter().map(|advice| format!("\nto do: {advice}")).collect();
    format!("{what}{advice}\nrerun: {}", cell.rerun)
}

/// Text after the command, which ends with the line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of the command, which ends with a comma or colons.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::example::hostile;
    use crate::renderers::{check_snapshot, rendered};

    #[test]
    fn the_example_is_as_approved() {
        check_snapshot("github", &rendered(&Github, &Report::example()));
    }

    #[test]
    fn no_more_than_nine_of_a_kind_and_how_many_more() {
        let mut report = Report::example();
        let of =
            |verdict| report.cells.iter().find(|cell| cell.verdict == verdict).unwrap().clone();
        let (broken, open) = (of(Standing::Violated), of(Standing::Inconclusive));
        let of = |cell: &Cell, name: String| Cell { scenario: name, ..cell.clone() };
        let all = (0..12)
            .flat_map(|n| [of(&broken, format!("broken-{n}")), of(&open, format!("open-{n}"))]);
        report.cells = all.collect();
        report.scenarios.clear();
        let text = rendered(&Github, &report);
        for level in ["::error ", "::warning "] {
            assert_eq!(text.lines().filter(|line| line.starts_with(level)).count(), 10, "{text}");
        }
        assert_eq!(text.matches("and 3 more").count(), 2);
    }

    #[test]
    fn a_sound_run_has_nothing_to_annotate() {
        let mut report = Report::example();
        report.cells.retain(|cell| cell.verdict == Standing::Held);
        report.scenarios.clear();
        report.news = None;
        assert_eq!(rendered(&Github, &report), "");
    }

    proptest! {
        /// Proves that no stranger's text becomes a command of its own: each line is one of ours.
        #[test]
        fn hostile_text_stays_text(hostile in hostile()) {
            let lines = rendered(&Github, &Report::example()).lines().count();
            let text = rendered(&Github, &Report::example().with_every_text_after(&hostile));
            prop_assert_eq!(text.lines().count(), lines);
            for line in text.lines() {
                let ours = ["::error title=", "::warning title=", "::notice title="];
                let rest = ours.iter().find_map(|begin| line.strip_prefix(begin));
                prop_assert!(rest.is_some_and(|rest| rest.contains("::")), "{}", line);
            }
        }
    }
}

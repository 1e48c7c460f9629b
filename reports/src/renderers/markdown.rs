//! Writes `summary.md`, short enough for a GitHub step summary.

use std::io::{self, Write};

use super::Renderer;
use crate::cards::{Card, cards};
use crate::matrix::{Matrix, advised, by_reason};
use crate::report::{Cell, News, Report, Standing};
use crate::text::{listed, short_hash};

/// Stays under 64 KiB with room for what a workflow adds.
const MAX_BYTES: usize = 60 * 1024;

/// As many as GitHub shows annotations; further ones would not be read.
const MAX_VIOLATIONS: usize = 9;

/// Longer texts belong into the other reports.
const MAX_CHARS: usize = 300;

/// Writes `summary.md`.
#[derive(Debug, Clone, Copy)]
pub struct Markdown;

impl Renderer for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn file_name(&self) -> Option<&'static str> {
        Some("summary.md")
    }

    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let report = report.printable(MAX_CHARS);
        let matrix = Matrix::of(&report);
        let cards = cards(&matrix);
        let mut sections = vec![head(&report)];
        sections.extend(cards.iter().take(MAX_VIOLATIONS).map(|card| violation(card, &report)));
        if cards.len() > MAX_VIOLATIONS {
            let more = cards.len() - MAX_VIOLATIONS;
            sections.push(format!("… and {more} more broken guarantees, see `report.html`.\n"));
        }
        sections.push(table(&matrix));
        sections.push(open(&matrix));
        sections.push(reach(&report));
        sections.push(strength(&matrix));
        sections.push(format!("To run it again:\n\n{}", fenced("sh", &[report.rerun.as_str()])));

        let (mut written, mut left_out) = (0, 0);
        for section in sections.iter().filter(|section| !section.is_empty()) {
            if written + section.len() > MAX_BYTES {
                left_out += 1;
                continue;
            }
            written += section.len();
            writeln!(out, "{section}")?;
        }
        if left_out > 0 {
            writeln!(
                out,
                "{left_out} sections were too long for this summary, see `report.html`."
            )?;
        }
        Ok(())
    }
}

fn head(report: &Report) -> String {
    let identity = &report.identity;
    let mutant = identity.target.mutant.as_deref().map(|mutant| format!(", mutant {mutant}"));
    let config = identity.config_hash.as_deref();
    let config = config.map(|hash| format!(", configuration {}", short_hash(hash)));
    let assumed = if identity.contract.assumed { " (assumed numbers)" } else { "" };
    let facts = format!(
        "target {} ({}){}, version {}, run {}, started {}, seed {}, plan {}, profile {}, contract \
         {}{assumed}{}",
        identity.target.name,
        identity.target.kind,
        mutant.unwrap_or_default(),
        identity.target.version.as_deref().unwrap_or("not stated"),
        report.run_id,
        report.started,
        identity.seed,
        short_hash(&identity.plan_hash),
        identity.profile,
        identity.contract.name,
        config.unwrap_or_default(),
    );
    let verdict = report.verdict;
    let (symbol, word) = (verdict.symbol(), verdict.word());
    let mut head = format!("## {symbol} {word}: {}\n", escaped(&report.sentence));
    if let Some(why) = &report.why {
        head.push_str(&format!("\n**{}**\n", escaped(why)));
    }
    if let Some(news) = &report.news {
        head.push_str(&self::news(news));
    }
    head.push_str(&format!("\n{}\n", escaped(&facts)));
    for (told, scenarios) in report.troubles() {
        let scenarios = escaped(&listed(&scenarios, 4));
        head.push_str(&format!("\n**! {}** ({scenarios})\n", escaped(&told)));
    }
    for (reason, ids) in report.untested() {
        let ids = listed(&ids, 6);
        head.push_str(&format!("\nNot tested, {}: {}\n", escaped(reason), escaped(&ids)));
    }
    head
}

/// What is new since the baseline, and where.
fn news(news: &News) -> String {
    let mut text = format!("\n**{}**\n", escaped(&news.sentence()));
    for (kind, places) in news.headlines() {
        let places = escaped(&listed(&places, 6));
        text.push_str(&format!("\n- {} {}: {places}", kind.symbol(), kind.word()));
    }
    for (words, scenarios) in news.caveats() {
        let scenarios = escaped(&listed(&scenarios, 6));
        text.push_str(&format!("\n- ~ {}: {scenarios}", escaped(words)));
    }
    text.push('\n');
    text
}

fn violation(card: &Card<'_>, report: &Report) -> String {
    let cell = card.lead;
    let mark = card.news(report.news.as_ref()).map(|mark| format!(", {}", escaped(&mark)));
    let mark = mark.unwrap_or_default();
    let mut lines = vec![
        format!("### ✗ {} ({}{mark})", escaped(&cell.guarantee), card.weight()),
        String::new(),
        format!("**{}**", escaped(cell.offence())),
        String::new(),
    ];
    let mut item = |label: &str, text: &str| lines.push(format!("- {label}: {}", escaped(text)));
    if let Some(moment) = card.moment() {
        item("when", &moment);
    }
    match &cell.margin {
        Some(margin) => item("measured", &margin.told()),
        None => item("promised", &cell.promised),
    }
    item("seen", &card.extent());
    if !card.elsewhere.is_empty() {
        let others: Vec<_> = card.elsewhere.iter().map(|cell| &*cell.scenario).collect();
        item("also in", &others.join(", "));
    }
    for other in &card.with_it {
        let marked = report.marked(other);
        let other = format!("{}{marked}: {}", other.guarantee, other.offence());
        item("with it", &format!("{other} (likely the same cause)"));
    }
    if !cell.check_next.is_empty() {
        item("check first", &cell.check_next);
    }
    lines.push(String::new());
    let evidence: Vec<&str> = cell
        .counter_examples
        .first()
        .map_or(Vec::new(), |worst| worst.story.iter().take(8).map(String::as_str).collect());
    if !evidence.is_empty() {
        lines.push(fenced("text", &evidence));
    }
    lines.push(fenced("sh", &[cell.rerun.as_str()]));
    lines.join("\n")
}

/// The scenarios are numbered: their names would make the table too wide to read.
fn table(matrix: &Matrix) -> String {
    if matrix.rows.is_empty() {
        return String::new();
    }
    let numbers = 1..=matrix.scenarios.len();
    let mut text = String::from("| guarantee | priority | verdict |");
    text.extend(numbers.clone().map(|number| format!(" {number} |")));
    text.push_str(" margin |\n|---|---|---|");
    text.extend(numbers.clone().map(|_| ":-:|"));
    text.push_str("---|");
    for row in &matrix.rows {
        let verdict = row.worst().map_or("not judged", |worst| worst.verdict.word());
        let priority = row.weight();
        text.push_str(&format!("\n| {} | {priority} | {verdict} |", escaped(row.id)));
        let cells = row.cells.iter().map(|cell| cell.map_or("·", |j| j.verdict.symbol()));
        text.extend(cells.map(|cell| format!(" {cell} |")));
        text.push_str(&format!(" {} |", escaped(row.margin())));
    }
    let names = matrix.scenarios.iter().zip(numbers);
    let names: Vec<_> = names.map(|(id, number)| format!("{number} {}", escaped(id))).collect();
    text + &format!("\n\nScenarios: {}\n", names.join(", "))
}

/// Everything that nobody may take for held.
fn open(matrix: &Matrix) -> String {
    let mut text = String::new();
    for verdict in [Standing::Inconclusive, Standing::NotApplicable] {
        for (reason, cells) in by_reason(matrix.with(verdict)) {
            let places = cells.iter().map(|one| format!("{} in {}", one.guarantee, one.scenario));
            let places = escaped(&places.collect::<Vec<_>>().join(", "));
            text.push_str(&format!("- {}, {}: {places}\n", verdict.word(), escaped(reason)));
            for advice in advised(&cells) {
                text.push_str(&format!("  - to do: {}\n", escaped(advice)));
            }
        }
    }
    if text.is_empty() {
        return text;
    }
    let summary = "Inconclusive, not applicable";
    format!("<details><summary>{summary}</summary>\n\n{text}\n</details>\n")
}

/// How far the evidence reaches, and which faults were no test.
fn reach(report: &Report) -> String {
    let mut text = format!("Evidence: {}.\n", escaped(&report.reach()));
    let idle = report.idle_faults();
    if !idle.is_empty() {
        text.push_str(&format!("\nFaults that hit nothing: {}.\n", escaped(&listed(&idle, 6))));
    }
    for (id, held) in report.held() {
        text.push_str(&format!("\n{}: {held}.\n", escaped(id)));
    }
    text
}

/// How much was seen of each thing of which a promise asks for some.
fn strength(matrix: &Matrix) -> String {
    let cells = matrix.rows.iter().flat_map(|row| row.cells.iter().flatten());
    let line = |cell: &&Cell| {
        let [guarantee, scenario] = [&cell.guarantee, &cell.scenario].map(|text| escaped(text));
        format!("- {guarantee} in {scenario}: {}\n", escaped(&cell.strength_words()))
    };
    let lines: String = cells.filter(|cell| !cell.strength.is_empty()).map(line).collect();
    if lines.is_empty() {
        return lines;
    }
    format!("<details><summary>Strength of the evidence</summary>\n\n{lines}\n</details>\n")
}

/// Text inside a line: no character of it means anything to Markdown, HTML or GitHub's extensions.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '^' | '$' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    // These make a link out of bare text; a letter cannot be escaped, the punctuation can.
    escaped.replace("://", ":\\//").replace("www.", "www\\.")
}

/// Lines in a fence that none of them can close.
fn fenced(language: &str, lines: &[&str]) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::example::hostile;
    use crate::renderers::{check_snapshot, rendered};

    /// What a Markdown reader would interpret: everything outside the fences.
    fn outside_fences(markdown: &str) -> String {
        let mut outside = String::new();
        let mut fence: Option<&str> = None;
        for line in markdown.lines() {
            match fence {
                Some(open) if line == open => fence = None,
                Some(_) => {}
                None if line.starts_with("```") => {
                    fence = Some(line.trim_end_matches(char::is_alphabetic))
                }
                None => outside.push_str(&format!("{line}\n")),
            }
        }
        assert!(fence.is_none(), "a fence is still open");
        outside
    }

    #[test]
    fn the_example_is_as_approved() {
        check_snapshot("markdown", &rendered(&Markdown, &Report::example()));
    }

    #[test]
    fn ten_violations_become_nine_and_a_count() {
        let mut report = Report::example();
        let violated = report.cells[4].clone();
        report.cells = (0..20)
            .map(|index| Cell { guarantee: format!("g{index}"), ..violated.clone() })
            .collect();
        let text = rendered(&Markdown, &report);
        assert_eq!(text.matches("### ✗").count(), 9);
        assert!(text.contains("and 11 more broken guarantees"));
    }

    /// Proves that GitHub never refuses the summary, however much went wrong.
    #[test]
    fn a_huge_report_stays_under_the_limit() {
        let mut report = Report::example();
        let all = report.cells.clone();
        for index in 0..400 {
            report.cells.extend(all.iter().map(|cell| Cell {
                scenario: format!("scenario-{index}"),
                guarantee: format!("{}-{index}", cell.guarantee),
                promised: "&".repeat(5_000),
                ..cell.clone()
            }));
        }
        let text = rendered(&Markdown, &report);
        assert!(text.len() < 64 * 1024, "{} bytes", text.len());
        assert!(text.contains("too long for this summary"));
    }

    proptest! {
        /// Proves that outside the fences no stranger's text makes an element, a link or a row.
        #[test]
        fn hostile_text_stays_text(hostile in hostile()) {
            let harmless = outside_fences(&rendered(&Markdown, &Report::example()));
            let report = Report::example().with_every_text_after(&hostile);
            let text = outside_fences(&rendered(&Markdown, &report));
            prop_assert_eq!(text.lines().count(), harmless.lines().count());
            prop_assert_eq!(text.matches('<').count(), harmless.matches('<').count());
            prop_assert!(!text.contains("://"));
        }
    }
}

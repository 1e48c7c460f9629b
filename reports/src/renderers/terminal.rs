//! Writes the report for a terminal or a log: the verdict and why, what broke, the matrix, what is open.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use super::Renderer;
use crate::cards::{Card, cards};
use crate::matrix::{Group, Matrix, Row, advised, by_reason};
use crate::report::{Report, Standing};
use crate::text::listed;

/// Whoever reads more than this of one text reads another report.
const MAX_CHARS: usize = 600;

/// Where nobody says how wide it is.
const COLUMNS: usize = 100;

/// Below this a line would be a word.
const NARROWEST: usize = 40;

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
        write(report, COLUMNS, Reason::InOneLine, out)
    }

    fn render_within(
        &self,
        report: &Report,
        columns: usize,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        write(report, columns, Reason::Wrapped, out)
    }
}

/// How it is said why there is no better verdict.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// For whoever reads it on a terminal.
    Wrapped,
    /// For whoever looks for it in a log.
    InOneLine,
}

fn write(report: &Report, columns: usize, reason: Reason, out: &mut dyn Write) -> io::Result<()> {
    let report = report.printable(MAX_CHARS);
    let matrix = Matrix::of(&report);
    let mut page = Page { columns: columns.max(NARROWEST), reason, out };
    page.head(&report)?;
    for card in cards(&matrix) {
        page.card(&card, &report)?;
    }
    if !matrix.rows.is_empty() {
        page.matrix(&matrix)?;
    }
    page.open(&matrix)?;
    page.say("evidence: ", &report.reach())?;
    let idle = report.idle_faults();
    if !idle.is_empty() {
        page.say("faults that hit nothing: ", &listed(&idle, 6))?;
    }
    for (id, held) in report.held() {
        page.say(&format!("{id}: "), &held)?;
    }
    // A command is copied: it is one line, however long.
    writeln!(page.out, "rerun: {}", report.rerun)
}

/// Text of a certain width.
struct Page<'a> {
    columns: usize,
    reason: Reason,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    /// A paragraph whose further lines stand below where its text begins, if that leaves room.
    fn say(&mut self, label: &str, text: &str) -> io::Result<()> {
        let label_width = textwrap::core::display_width(label);
        let hanging = if label_width * 2 > self.columns { 6 } else { label_width };
        let indent = " ".repeat(hanging);
        let options = Options::new(self.columns)
            // Said here, since other crates may choose otherwise for the whole build.
            .wrap_algorithm(WrapAlgorithm::FirstFit)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .initial_indent(label)
            .subsequent_indent(&indent);
        for line in textwrap::wrap(text, options) {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// The verdict and why, what was run, and what nobody may overlook.
    fn head(&mut self, report: &Report) -> io::Result<()> {
        let verdict = report.verdict;
        let word = format!("{} {}:", verdict.symbol(), verdict.word());
        self.say(&(paint(verdict, &word) + " "), &report.sentence)?;
        match &report.why {
            Some(why) if self.reason == Reason::InOneLine => writeln!(self.out, "  {why}")?,
            Some(why) => self.say("  ", why)?,
            None => {}
        }
        if let Some(news) = &report.news {
            self.say("  ", &news.sentence())?;
        }
        let target = &report.identity.target;
        let mutant = target.mutant.iter().map(|mutant| format!(", mutant {mutant}"));
        let version = target.version.iter().map(|version| format!(", version {version}"));
        let facts = format!(
            "run {}, seed {}, profile {}, target {} ({}){}{}",
            report.run_id,
            report.identity.seed,
            report.identity.profile,
            target.name,
            target.kind,
            mutant.collect::<String>(),
            version.collect::<String>(),
        );
        self.say("", &facts)?;
        for (told, scenarios) in report.troubles() {
            let told = format!("{told} ({})", listed(&scenarios, 4));
            self.say(&(paint(Standing::Inconclusive, "!") + " "), &told)?;
        }
        for (reason, ids) in report.untested() {
            self.say("not tested, ", &format!("{reason}: {}", listed(&ids, 6)))?;
        }
        writeln!(self.out)
    }

    fn card(&mut self, card: &Card<'_>, report: &Report) -> io::Result<()> {
        let cell = card.lead;
        let mark = card.news(report.news.as_ref()).map(|mark| format!(", {mark}"));
        let mark = mark.unwrap_or_default();
        let title = format!("✗ {} ({}{mark}):", cell.guarantee, card.weight());
        self.say(&(paint(Standing::Violated, &title) + " "), cell.offence())?;
        if let Some(moment) = card.moment() {
            self.say("  when      ", &moment)?;
        }
        match &cell.margin {
            Some(margin) => self.say("  measured  ", &margin.told())?,
            None => self.say("  promised  ", &cell.promised)?,
        }
        self.say("  seen      ", &card.extent())?;
        if !card.elsewhere.is_empty() {
            let others: Vec<_> = card.elsewhere.iter().map(|cell| &*cell.scenario).collect();
            self.say("  also in   ", &others.join(", "))?;
        }
        for other in &card.with_it {
            let marked = report.marked(other);
            let other = format!("{}{marked}: {}", other.guarantee, other.offence());
            self.say("  with it   ", &format!("{other} (likely the same cause)"))?;
        }
        for line in cell.counter_examples.iter().take(1).flat_map(|one| one.story.iter().take(8)) {
            self.say("            ", line)?;
        }
        if !cell.check_next.is_empty() {
            self.say("  check     ", &cell.check_next)?;
        }
        writeln!(self.out, "  rerun     {}\n", cell.rerun)
    }

    /// The parts of the checklist; rows only of those that somebody must look at.
    fn matrix(&mut self, matrix: &Matrix<'_>) -> io::Result<()> {
        let groups = matrix.groups();
        for group in &groups {
            self.part(group)?;
            if group.is_open() {
                let letters: String = (0..matrix.scenarios.len()).map(letter).collect();
                writeln!(self.out, "{:29}{letters}", "")?;
                for row in &group.rows {
                    self.row(row)?;
                }
            }
        }
        if groups.iter().any(Group::is_open) {
            let names = matrix.scenarios.iter().enumerate();
            let names: Vec<_> = names.map(|(at, id)| format!("{} {id}", letter(at))).collect();
            self.say("  ", &names.join(", "))?;
        }
        let legend =
            Standing::ALL.map(|verdict| format!("{} {}", verdict.symbol(), verdict.word()));
        self.say("  ", &format!("{}, · not judged", legend.join(", ")))?;
        writeln!(self.out)
    }

    fn part(&mut self, group: &Group<'_>) -> io::Result<()> {
        let verdict = group.verdict();
        let name = paint(verdict, &format!("{} {}:", verdict.symbol(), group.name())) + " ";
        let closest = group.closest().map_or(String::new(), |(id, margin)| {
            format!("; closest to its bound: {id}, {}", margin.short()[2])
        });
        self.say(&name, &format!("{}{closest}", group.counts()))
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let verdict = row.verdict();
        let mut label = format!("  {} {:24} ", paint(verdict, verdict.symbol()), row.id);
        for cell in &row.cells {
            let symbol = |verdict: Standing| paint(verdict, verdict.symbol());
            label += &cell.map_or("·".to_owned(), |cell| symbol(cell.verdict));
        }
        label.push(' ');
        match row.tightest() {
            Some(_) => self.say(&label, row.margin()),
            None => self.say(&label, row.remark()),
        }
    }

    /// What could not be judged, by reason.
    fn open(&mut self, matrix: &Matrix<'_>) -> io::Result<()> {
        let open = by_reason(matrix.with(Standing::Inconclusive));
        for (reason, cells) in &open {
            let places = cells.iter().map(|one| format!("{} in {}", one.guarantee, one.scenario));
            let places: Vec<_> = places.collect();
            let told = format!("{reason}: {}", listed(&places, 4));
            self.say(&(paint(Standing::Inconclusive, "? inconclusive,") + " "), &told)?;
            for advice in advised(cells) {
                self.say("  to do     ", advice)?;
            }
        }
        if open.is_empty() { Ok(()) } else { writeln!(self.out) }
    }
}

/// The sign of a scenario's column.
fn letter(column: usize) -> char {
    ('a'..='z').chain('A'..='Z').nth(column).unwrap_or('+')
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

    fn within(report: &Report, columns: usize) -> String {
        let mut out = Vec::new();
        Terminal.render_within(report, columns, &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn why_there_is_no_better_verdict_is_one_line_of_a_log() {
        let why = "the target did not answer ".repeat(12);
        let report = Report { why: Some(why.clone()), ..Report::example() };
        assert!(plain(&report).lines().any(|line| line == format!("  {why}")));
        assert!(within(&report, 80).lines().all(|line| !line.contains(&why[..80])));
    }

    /// Proves that no line is cut or continued by the terminal itself, commands to be copied aside, and
    /// that no word is lost by wrapping.
    #[test]
    fn lines_fit_from_sixty_columns_on() {
        let words = |text: &str| text.split_whitespace().collect::<String>();
        let report = Report::example();
        let whole = words(&within(&report, 100_000));
        for columns in [60, 80, 100, 132] {
            let text = within(&report, columns);
            for line in text.lines().filter(|line| !line.contains("rerun")) {
                assert!(textwrap::core::display_width(line) <= columns, "{columns}: {line}");
                assert_eq!(line, line.trim_end());
            }
            assert_eq!(words(&text), whole);
        }
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
            // So wide that only what was recorded could start a line.
            let wide = |report: &Report| within(report, 100_000);
            let text = wide(&Report::example().with_every_text_after(&hostile));
            prop_assert_eq!(text.lines().count(), wide(&Report::example()).lines().count());
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}

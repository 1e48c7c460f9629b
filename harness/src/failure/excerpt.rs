//! As much of a file as an error shows of it: the lines around a place, and of long ones the part that a
//! person reads. No file makes an error long, nor the search for its place slow.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use reports::text::clean;

/// What is shown on each side of a place, bytes at most.
const AROUND: usize = 400;
/// What is underlined, bytes at most.
const UNDERLINED: usize = 200;
/// What a file is called, bytes at most.
const NAMED: usize = 200;
/// What is said of one thing among others, bytes at most.
const SAID: usize = 1_000;
/// What is advised of one thing among others, bytes at most: as much as all guarantees' ids.
const ADVISED: usize = 4_000;
/// What is said where nothing else is, bytes at most.
const SAID_ALONE: usize = 8_000;

/// A file that an error shows a part of.
#[derive(Clone, Debug)]
pub struct Excerpt {
    name: String,
    text: String,
}

impl Excerpt {
    pub(super) fn of(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned() }
    }

    /// The same, fit to be shown. Places stay where they are.
    pub(super) fn clean(&self) -> Self {
        Self { name: shortened(&clean(&self.name), NAMED), text: clean(&self.text) }
    }

    /// A place of the text as far as it is underlined.
    pub(super) fn place(&self, at: SourceSpan) -> SourceSpan {
        let from = self.text.floor_char_boundary(at.offset());
        let until = at.offset() + at.len();
        let until = self.text.floor_char_boundary(until.min(from + UNDERLINED));
        (from, until - from).into()
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (from, until) = (span.offset(), span.offset() + span.len());
        let text = self.text.as_str();
        let (before, after) = text
            .split_at_checked(from)
            .and_then(|(before, _)| Some((before, text.get(until..)?)))
            .ok_or(MietteError::OutOfBounds)?;
        // Whole lines; but of one that is too long, the part next to the place.
        let near = &before[before.ceil_char_boundary(before.len().saturating_sub(AROUND))..];
        let begun = match lines_before {
            0 => from,
            lines => match near.rmatch_indices('\n').nth(lines) {
                Some((at, _)) => from - near.len() + at + 1,
                None if near.len() == before.len() => 0,
                None => from - near.len() + near.find('\n').map_or(0, |at| at + 1),
            },
        };
        let near = &after[..after.floor_char_boundary(AROUND)];
        let ended = match lines_after {
            0 => until,
            lines => match near.match_indices('\n').nth(lines) {
                Some((at, _)) => until + at + 1,
                None if near.len() == after.len() => text.len(),
                None => until + near.rfind('\n').map_or(near.len(), |at| at + 1),
            },
        };
        let line = text[..begun].bytes().filter(|byte| *byte == b'\n').count();
        let column = begun - text[..begun].rfind('\n').map_or(0, |at| at + 1);
        let shown = &text.as_bytes()[begun..ended];
        let lines = shown.iter().filter(|byte| **byte == b'\n').count();
        let place = (begun, shown.len()).into();
        let contents = MietteSpanContents::new_named(
            self.name.clone(),
            shown,
            place,
            line,
            if lines_before == 0 { column } else { 0 },
            lines,
        );
        Ok(Box::new(contents))
    }
}

/// What is said beside other things, fit to be shown.
pub(super) fn said(text: &str) -> String {
    shortened(&clean(text), SAID)
}

/// What is advised beside other things, fit to be shown.
pub(super) fn advised(text: &str) -> String {
    shortened(&clean(text), ADVISED)
}

/// What is said alone, fit to be shown.
pub(super) fn said_alone(text: &str) -> String {
    shortened(&clean(text), SAID_ALONE)
}

/// The beginning and the end of a text that is longer than this.
fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let (begun, rest) = text.split_at(text.floor_char_boundary(most * 3 / 4));
    let (left_out, ended) = rest.split_at(rest.ceil_char_boundary(rest.len() - most / 4));
    format!("{begun} … ({} bytes left out) … {ended}", left_out.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of a place: line and column from 0, and the text.
    fn shown(text: &str, at: (usize, usize), lines: usize) -> (usize, usize, String) {
        let excerpt = Excerpt::of("f", text);
        let contents = excerpt.read_span(&at.into(), lines, lines).unwrap();
        let data = String::from_utf8(contents.data().to_vec()).unwrap();
        let place = contents.span();
        assert_eq!(data, text[place.offset()..place.offset() + place.len()]);
        (contents.line(), contents.column(), data)
    }

    /// The same of a text that is short, by the library's own reading.
    fn of_library(text: &str, at: (usize, usize), lines: usize) -> (usize, usize, String) {
        let contents = text.read_span(&at.into(), lines, lines).unwrap();
        let data = String::from_utf8(contents.data().to_vec()).unwrap();
        (contents.line(), contents.column(), data)
    }

    #[test]
    fn of_short_lines_the_same_is_shown_as_by_the_library() {
        let text = "one = 1\ntwo = [\n  2,\n]\n\nthree = \"ä\"\nlast = 4";
        for from in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            for until in (from + 1..text.len()).filter(|at| text.is_char_boundary(*at)) {
                let at = (from, until - from);
                assert_eq!(shown(text, at, 0), of_library(text, at, 0), "{at:?}");
                let (ours, theirs) = (shown(text, at, 1), of_library(text, at, 1));
                assert_eq!((ours.0, ours.1), (theirs.0, theirs.1), "{at:?}");
                assert_eq!(ours.2.trim_end(), theirs.2.trim_end(), "{at:?}");
            }
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("a\n{}X{}\nz\n", "é".repeat(5_000), "é".repeat(5_000));
        let at = text.find('X').unwrap();
        let (line, _, data) = shown(&text, (at, 1), 1);
        assert_eq!((line, data), (1, format!("{0}X{0}", "é".repeat(AROUND / 2))));
        assert_eq!(shown(&text, (at, 1), 0), (1, at - 2, "X".into()));
        // Both ends are within a character, and go back to where it begins.
        let place = Excerpt::of("f", &text).place((at - 1, 9_000).into());
        assert_eq!((place.offset(), place.len()), (at - 2, UNDERLINED - 1));
    }

    #[test]
    fn of_a_long_text_both_ends_are_said() {
        assert_eq!(said("short\u{7}"), "short?");
        let long = said(&format!("begun{}ended", "ö".repeat(100_000)));
        assert!(long.starts_with("begunö") && long.ends_with("öended"), "{long}");
        assert!(long.contains("bytes left out") && long.len() < SAID + 60, "{long}");
    }
}

//! What is wrong with a file: every mistake with its place, shown together.

use super::excerpt::{Excerpt, advised, said};
use miette::{Diagnostic, SourceSpan};
use std::ops::Range;
use thiserror::Error;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("{what}")]
pub struct Mistake {
    /// What is wrong.
    pub what: String,
    #[label("here")]
    at: SourceSpan,
    /// What to do.
    #[help]
    pub help: String,
}

impl Mistake {
    /// A mistake at a place in the text, bytes.
    pub fn new(at: Range<usize>, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), at: at.into(), help: help.into() }
    }

    fn clean(self) -> Self {
        Self { what: said(&self.what), help: advised(&self.help), at: self.at }
    }

    /// What is underlined.
    ///
    /// # Panics
    ///
    /// When it is no place in the text.
    #[cfg(any(test, fuzzing))]
    pub fn shown<'t>(&self, text: &'t str) -> &'t str {
        let (from, length) = (self.at.offset(), self.at.len());
        text.get(from..from + length).unwrap_or_else(|| panic!("{self:?} is no place in {text:?}"))
    }
}

/// The most mistakes of one file that are told. Whoever has mended so many asks again.
const TOLD: usize = 20;

/// The mistakes of one file.
#[derive(Debug, Error, Diagnostic)]
#[error("failed to use {path}: {}", counted(.found))]
pub struct MistakesInFile {
    /// The file.
    pub path: String,
    /// How many there are.
    found: usize,
    /// Its text.
    #[source_code]
    text: Excerpt,
    /// What is wrong, in order of place; of many, the first.
    #[related]
    pub mistakes: Vec<Mistake>,
}

impl MistakesInFile {
    /// The mistakes of a file, sorted by place.
    #[must_use]
    pub fn new(path: &str, text: &str, mut mistakes: Vec<Mistake>) -> Self {
        let (found, text) = (mistakes.len(), Excerpt::of(path, text));
        mistakes.sort_by_key(|mistake| mistake.at.offset());
        mistakes.truncate(TOLD);
        mistakes.iter_mut().for_each(|mistake| mistake.at = text.place(mistake.at));
        Self { path: path.to_owned(), found, text, mistakes }
    }

    /// The same with all of its texts fit to be shown.
    pub(super) fn clean(self) -> Self {
        let mistakes = self.mistakes.into_iter().map(Mistake::clean).collect();
        Self { path: said(&self.path), text: self.text.clean(), mistakes, ..self }
    }
}

fn counted(found: &usize) -> String {
    match *found {
        1 => "one mistake".to_owned(),
        2..=TOLD => format!("{found} mistakes"),
        _ => format!("{found} mistakes, of which these are the first {TOLD}"),
    }
}

//! What is wrong with a file: every mistake with its place, shown together.

use miette::{Diagnostic, NamedSource, SourceSpan};
use reports::text::clean;
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
        Self { what: clean(&self.what), help: clean(&self.help), at: self.at }
    }

    /// What is underlined.
    #[cfg(test)]
    pub fn shown<'t>(&self, text: &'t str) -> &'t str {
        let (from, length) = (self.at.offset(), self.at.len());
        text.get(from..from + length).unwrap_or_else(|| panic!("{self:?} is no place in {text:?}"))
    }
}

/// All mistakes of one file.
#[derive(Debug, Error, Diagnostic)]
#[error("failed to use {path}: {}", counted(.mistakes.len()))]
pub struct MistakesInFile {
    /// The file.
    pub path: String,
    /// Its text.
    #[source_code]
    pub text: NamedSource<String>,
    /// What is wrong, in order of place.
    #[related]
    pub mistakes: Vec<Mistake>,
}

impl MistakesInFile {
    /// The mistakes of a file, sorted by place.
    #[must_use]
    pub fn new(path: &str, text: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| mistake.at.offset());
        let text = NamedSource::new(path, text.to_owned()).with_language("toml");
        Self { path: path.to_owned(), text, mistakes }
    }
}

impl MistakesInFile {
    /// The same with all of its texts fit to be shown.
    pub(super) fn clean(self) -> Self {
        let text = clean(self.text.inner());
        let mistakes = self.mistakes.into_iter().map(Mistake::clean).collect();
        Self::new(&clean(&self.path), &text, mistakes)
    }
}

fn counted(mistakes: usize) -> String {
    if mistakes == 1 { "one mistake".to_owned() } else { format!("{mistakes} mistakes") }
}

//! Errors for people, and the exit codes that are promised in the README.

mod excerpt;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod mistakes;

pub use mistakes::{Mistake, MistakesInFile};

use excerpt::{Excerpt, advised, said, said_alone};
use miette::{Diagnostic, SourceSpan};
use std::path::Path;
use thiserror::Error;

pub use scenarios::nearest::nearest;

/// The documented exit codes; the numbers are part of the public interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Every guarantee held.
    Held = 0,
    /// At least one guarantee is violated.
    Violated = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Nothing violated, but something could not be judged.
    Inconclusive = 3,
    /// No scenario, guarantee or run matched.
    NothingMatched = 4,
    /// The target or the harness could not be set up, or one of them was lost in mid-run.
    Setup = 5,
    /// Nothing is worse than what was approved, and yet something is not the same.
    Unapproved = 6,
    /// A bug of Windthrow.
    Bug = 70,
    /// Ctrl-C or SIGTERM.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What was wrong, where, and what to do.
#[derive(Debug, Error, Diagnostic)]
pub enum Failure {
    /// A flag, a name or a value is wrong.
    #[error("{what}")]
    Usage {
        /// What was wrong.
        what: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// A file is not well-formed; the place is underlined.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Syntax(Box<SyntaxError>),
    /// A file is well-formed but wrong, in one or more places; each is underlined.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mistakes(Box<MistakesInFile>),
    /// Nothing matches.
    #[error("{what}")]
    NothingMatched {
        /// What was looked for.
        what: String,
        /// What there is.
        #[help]
        help: String,
    },
    /// The target or the harness could not be set up.
    #[error("{what}")]
    Setup {
        /// What went wrong.
        what: String,
        /// What to do.
        #[help]
        help: String,
    },
}

/// A file that is not well-formed.
#[derive(Debug, Error, Diagnostic)]
#[error("failed to read {path}: {message}")]
pub struct SyntaxError {
    /// The file.
    path: String,
    /// What the parser says.
    message: String,
    /// The text.
    #[source_code]
    text: Excerpt,
    /// The place.
    #[label("here")]
    at: SourceSpan,
    /// What to do.
    #[help]
    help: String,
}

impl SyntaxError {
    fn clean(self) -> Self {
        Self {
            path: said(&self.path),
            message: said(&self.message),
            text: self.text.clean(),
            at: self.at,
            help: advised(&self.help),
        }
    }
}

impl Failure {
    /// The exit code for this failure.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::Syntax(_) | Self::Mistakes(_) => Exit::Usage,
            Self::NothingMatched { .. } => Exit::NothingMatched,
            Self::Setup { .. } => Exit::Setup,
        }
    }

    /// The same with all of its texts fit to be shown: they quote files, names and answers of anybody, and
    /// none of these makes them longer than a few pages.
    #[must_use]
    pub fn clean(self) -> Self {
        match self {
            Self::Usage { what, help } => {
                Self::Usage { what: said_alone(&what), help: said_alone(&help) }
            }
            Self::Syntax(error) => Self::Syntax(Box::new(error.clean())),
            Self::Mistakes(mistakes) => Self::Mistakes(Box::new(mistakes.clean())),
            Self::NothingMatched { what, help } => {
                Self::NothingMatched { what: said_alone(&what), help: said_alone(&help) }
            }
            Self::Setup { what, help } => {
                Self::Setup { what: said_alone(&what), help: said_alone(&help) }
            }
        }
    }

    /// A [`Failure::Usage`].
    pub fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), help: help.into() }
    }

    /// A [`Failure::Setup`].
    pub fn setup(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Setup { what: what.into(), help: help.into() }
    }

    /// Something that only a bug of ours explains.
    pub fn bug(what: impl Into<String>) -> Self {
        Self::setup(what, "this is a bug of Windthrow; please report it with harness.log")
    }

    /// A file that could not be read, as a usage error: the user named it.
    #[must_use]
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::usage(
            format!("failed to read {}: {error}", path.display()),
            "check the path and its permissions",
        )
    }

    /// A file that could not be written.
    #[must_use]
    pub fn unwritable(path: &Path, error: &std::io::Error) -> Self {
        Self::setup(
            format!("failed to write {}: {error}", path.display()),
            "choose another folder with --out-dir, or make room there",
        )
    }

    /// A JSON file that does not parse, with the place underlined.
    #[must_use]
    pub fn json(path: &Path, text: &str, error: &serde_json::Error, help: &str) -> Self {
        let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let before: usize = lines.map(str::len).sum();
        let mut offset = (before + error.column().saturating_sub(1)).min(text.len());
        // The parser counts bytes, and what is underlined is a character.
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let length = text[offset..].chars().next().map_or(0, char::len_utf8);
        Self::syntax(path, text, (offset, length).into(), error.to_string(), help)
    }

    /// A file in which the place `at` is wrong, underlined.
    #[must_use]
    pub fn syntax(
        path: &Path,
        text: &str,
        at: SourceSpan,
        message: impl Into<String>,
        help: &str,
    ) -> Self {
        let message = message.into();
        let path = path.display().to_string();
        let text = Excerpt::of(&path, text);
        let (at, help) = (text.place(at), help.to_owned());
        Self::Syntax(Box::new(SyntaxError { path, message, text, at, help }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::clock::{Clock, Moment};
    use std::time::Duration;

    #[test]
    fn a_json_error_points_at_its_place() {
        let check = |text: &str, expected: &str| {
            let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
            let failure = Failure::json(Path::new("p.json"), text, &error, "mend it");
            assert_eq!(failure.exit(), Exit::Usage);
            let Failure::Syntax(syntax) = &failure else { panic!("not a syntax failure") };
            let at = syntax.at.offset();
            assert_eq!(&text[at..at + syntax.at.len()], expected);
            assert!(format!("{:?}", miette::Report::new(failure)).contains("p.json"));
        };
        check("{\n  \"a\": ]\n}", "]");
        check("{\r\n  \"a\": ]\r\n}", "]");
        check("{\n\"a\": é}", "é");
        check("{\n", "");
    }

    /// Every kind of failure, with a stranger's text wherever there is one.
    fn every_kind(text: &str) -> [Failure; 9] {
        let path = Path::new(text);
        let (io, at) = (std::io::Error::other(text), (3, 2).into());
        let wrong = serde_json::from_str::<u8>(text).unwrap_err();
        // Many at one place, each of which would show it.
        let mistakes = (0..5_000).map(|_| Mistake::new(2..4, text, text)).collect();
        let (what, help) = (text.to_owned(), text.to_owned());
        [
            Failure::usage(text, text),
            Failure::setup(text, text),
            Failure::bug(text),
            Failure::unreadable(path, &io),
            Failure::unwritable(path, &io),
            Failure::json(path, text, &wrong, text),
            Failure::syntax(path, text, at, text, text),
            Failure::Mistakes(Box::new(MistakesInFile::new(text, text, mistakes))),
            Failure::NothingMatched { what, help },
        ]
    }

    #[test]
    fn nothing_that_is_unseen_or_moves_the_cursor_is_printed() {
        let hostile = "a\u{1b}]0;x\u{7}\r\u{202e}b\u{200b}\u{9b}31m\u{e0041}\u{2028}z";
        for failure in every_kind(hostile) {
            let text = fuzz::told(failure);
            assert!(text.contains('z'), "{text}");
        }
    }

    #[test]
    fn no_text_makes_a_failure_long_or_slow() {
        let lines = "k = 1\n".repeat(1_000);
        for long in ["x".repeat(10_000), "é \u{1b}".repeat(3_000), lines] {
            let clock = Clock::start();
            every_kind(&long).into_iter().for_each(|failure| drop(fuzz::told(failure)));
            assert!(clock.now().since(Moment::ZERO) < Duration::from_secs(20));
        }
    }

    #[test]
    fn of_many_mistakes_the_first_are_told_and_all_are_counted() {
        let text = "k\n".repeat(1_000);
        let at =
            |line: usize| Mistake::new(line * 2..line * 2 + 1, format!("wrong {line}"), "mend");
        for (count, last, words) in
            [(20, 19, "20 mistakes\n"), (1_000, 19, "1000 mistakes, of which")]
        {
            let mistakes = (0..count).rev().map(at).collect();
            let text = MistakesInFile::new("windthrow.toml", &text, mistakes);
            let told = fuzz::told(Failure::Mistakes(Box::new(text)));
            assert!(told.contains(words) && told.contains(&format!("wrong {last}\n")), "{told}");
            assert!(!told.contains("wrong 20\n"), "{told}");
        }
    }
}

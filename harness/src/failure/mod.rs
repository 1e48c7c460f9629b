//! Errors for people, and the exit codes that are promised in the README.

mod mistakes;

pub use mistakes::{Mistake, MistakesInFile};

use miette::{Diagnostic, NamedSource, SourceSpan};
use reports::text::clean;
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
    text: NamedSource<String>,
    /// The place.
    #[label("here")]
    at: SourceSpan,
    /// What to do.
    #[help]
    help: String,
}

impl SyntaxError {
    fn clean(self) -> Self {
        let path = clean(&self.path);
        let text = NamedSource::new(&path, clean(self.text.inner()));
        let (message, help) = (clean(&self.message), clean(&self.help));
        Self { path, message, text, at: self.at, help }
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

    /// The same with all of its texts fit to be shown: they quote files, names and answers of anybody.
    #[must_use]
    pub fn clean(self) -> Self {
        match self {
            Self::Usage { what, help } => Self::Usage { what: clean(&what), help: clean(&help) },
            Self::Syntax(error) => Self::Syntax(Box::new(error.clean())),
            Self::Mistakes(mistakes) => Self::Mistakes(Box::new(mistakes.clean())),
            Self::NothingMatched { what, help } => {
                Self::NothingMatched { what: clean(&what), help: clean(&help) }
            }
            Self::Setup { what, help } => Self::Setup { what: clean(&what), help: clean(&help) },
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
        let text = NamedSource::new(&path, text.to_owned());
        Self::Syntax(Box::new(SyntaxError { path, message, text, at, help: help.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Walks every kind of failure, with a stranger's text wherever there is one.
    #[test]
    fn nothing_that_is_unseen_or_moves_the_cursor_is_printed() {
        let hostile = "a\u{1b}]0;x\u{7}\r\u{202e}b\u{200b}\u{9b}31m\u{e0041}\u{2028}z";
        let path = Path::new(hostile);
        let (io, at) = (std::io::Error::other(hostile), (3, 2).into());
        let wrong = serde_json::from_str::<u8>(hostile).unwrap_err();
        let mistake = Mistake::new(2..4, hostile, hostile);
        let nothing = |what: &str| Failure::NothingMatched { what: what.into(), help: what.into() };
        let mut shown = 0;
        for failure in [
            Failure::usage(hostile, hostile),
            Failure::setup(hostile, hostile),
            Failure::bug(hostile),
            Failure::unreadable(path, &io),
            Failure::unwritable(path, &io),
            Failure::json(path, hostile, &wrong, hostile),
            Failure::syntax(path, hostile, at, hostile, hostile),
            Failure::Mistakes(Box::new(MistakesInFile::new(hostile, hostile, vec![mistake]))),
            nothing(hostile),
        ] {
            let (plain, mut text) = (miette::GraphicalTheme::unicode_nocolor(), String::new());
            let handler = miette::GraphicalReportHandler::new_themed(plain);
            let cleaned = failure.clean();
            handler.render_report(&mut text, &cleaned).unwrap();
            assert_eq!(clean(&text), text, "{text:?}");
            assert_eq!(clean(&cleaned.to_string()), cleaned.to_string());
            assert!(text.contains('z'), "{text}");
            shown += 1;
        }
        assert_eq!(shown, 9);
    }
}

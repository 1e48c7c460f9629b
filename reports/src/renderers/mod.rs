//! Turns a finished report into something to read: one renderer, one file, one registry line.
//!
//! A new one touches
//!
//! 1. `renderers/<name>.rs`: a unit struct named as the file, its [`Renderer`], and a snapshot test.
//!    The smallest to copy is `json.rs`; whoever writes what a person reads begins with
//!    `Report::printable`, as `markdown.rs` does, and shows `Cell::margin_words`;
//! 2. this file: its `mod` line, and its line in [`RENDERERS`].
//!
//! The command line takes names, defaults and files from the registry. `json.rs` has a snapshot of
//! the schema beside its own; nothing else knows of a single renderer.

use std::io::{self, Write};

use crate::report::Report;

mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod openmetrics;
mod terminal;

pub use json::schema;
pub use openmetrics::{FAMILIES, Family};

/// One way to read a report. The same report always gives the same bytes.
pub trait Renderer: Sync {
    /// The word that selects it on the command line.
    fn name(&self) -> &'static str;

    /// Its file in the run's folder; nothing if it goes to standard output, in colour.
    fn file_name(&self) -> Option<&'static str>;

    /// Whether a run writes it without being asked.
    fn is_usual(&self) -> bool {
        true
    }

    /// Writes the whole report.
    ///
    /// # Errors
    ///
    /// Only what `out` reports: every report can be rendered.
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()>;

    /// Writes the whole report for whoever sees so many columns; the same for all, if it is a file.
    ///
    /// # Errors
    ///
    /// As [`Renderer::render`].
    fn render_within(
        &self,
        report: &Report,
        _columns: usize,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.render(report, out)
    }
}

/// All renderers, in the order in which a person meets them.
pub const RENDERERS: &[&dyn Renderer] = &[
    &terminal::Terminal,
    &html::Html,
    &markdown::Markdown,
    &junit::Junit,
    &json::Json,
    &github::Github,
    &openmetrics::Openmetrics,
];

/// The names of all renderers.
pub fn names() -> impl Iterator<Item = &'static str> {
    RENDERERS.iter().map(|renderer| renderer.name())
}

/// The names of those that a run writes without being asked.
pub fn usual_names() -> impl Iterator<Item = &'static str> {
    RENDERERS.iter().filter(|renderer| renderer.is_usual()).map(|renderer| renderer.name())
}

/// The renderer with this name.
pub fn by_name(name: &str) -> Option<&'static dyn Renderer> {
    RENDERERS.iter().copied().find(|renderer| renderer.name() == name)
}

#[cfg(test)]
pub(crate) fn rendered(renderer: &dyn Renderer, report: &Report) -> String {
    let mut out = Vec::new();
    renderer.render(report, &mut out).expect("a vector takes all bytes");
    String::from_utf8(out).expect("every renderer writes UTF-8")
}

#[cfg(test)]
pub(crate) fn check_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Proves that no renderer is forgotten: files and registry lines are the same set.
    #[test]
    fn every_file_is_registered_under_its_own_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/renderers");
        let files: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .inspect(|path| {
                let text = fs::read_to_string(path).unwrap();
                assert!(text.starts_with("//! "), "{path:?} does not say what it does");
            })
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|stem| stem != "mod")
            .collect();
        let names: Vec<String> = names().map(Into::into).collect();
        assert_eq!(names.iter().cloned().collect::<BTreeSet<_>>(), files);
        assert_eq!(names.len(), files.len(), "a name stands twice in the registry");
        for name in &names {
            assert_eq!(by_name(name).map(|renderer| renderer.name()), Some(name.as_str()));
        }
    }

    /// Proves that two renderers never write the same file of the run's folder.
    #[test]
    fn file_names_are_unique() {
        let files: Vec<_> = RENDERERS.iter().filter_map(|renderer| renderer.file_name()).collect();
        assert_eq!(files.iter().collect::<BTreeSet<_>>().len(), files.len());
    }

    /// Proves that a run that was stopped before anything happened still gives every report.
    #[test]
    fn an_empty_report_renders_everywhere() {
        for renderer in RENDERERS {
            let text = rendered(*renderer, &Report::default());
            assert!(!renderer.is_usual() || !text.is_empty(), "{}", renderer.name());
        }
    }

    /// Proves that no report for a person keeps back what is new, and that where nobody compared none says a
    /// word of it.
    #[test]
    fn what_is_new_is_said_wherever_a_person_looks() {
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let mut report = Report::example();
        let sentence = squeezed(&report.news.as_ref().unwrap().sentence());
        let for_people =
            || RENDERERS.iter().filter(|one| !["json", "openmetrics"].contains(&one.name()));
        for renderer in for_people() {
            let text = squeezed(&rendered(*renderer, &report));
            assert!(text.contains(&sentence), "{}: {text}", renderer.name());
        }
        report.news = None;
        for renderer in for_people() {
            assert!(!rendered(*renderer, &report).contains("my-baseline"), "{}", renderer.name());
        }
    }

    /// Proves that rendering has no hidden input.
    #[test]
    fn the_same_report_gives_the_same_bytes() {
        let report = Report::example();
        for renderer in RENDERERS {
            assert_eq!(rendered(*renderer, &report), rendered(*renderer, &report));
        }
    }
}

//! `windthrow.toml`: read, checked as a whole, and every mistake shown with its place.

pub mod alerts;
mod conceal;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
#[cfg(test)]
mod fuzz_tests;
pub mod guarantees;
pub mod managers;
pub mod model;
mod rules;
pub mod secret;
pub mod shape;
pub mod target;
pub mod template;
#[cfg(test)]
mod tests;
mod version;

use crate::failure::{Failure, Mistake, MistakesInFile};
use crate::reading;
use conceal::concealed;
use model::File;
use scenarios::bounds;
use scenarios::plan::RunPlan;
use shape::Compared;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use toml::de::DeTable;

/// The file that is used when none is named.
pub const DEFAULT_FILE: &str = "windthrow.toml";

/// A checked configuration and the folder that its paths are relative to.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The settings.
    pub file: File,
    /// Where the file stands.
    pub folder: PathBuf,
    /// The file itself; none when there is none.
    pub path: Option<PathBuf>,
    /// What it says, letter by letter.
    pub text: Option<String>,
}

impl Config {
    /// Reads the named file, or `windthrow.toml` in this folder if there is one; without any, the
    /// defaults. A file that is wrong anyway is told as well that it names no target, if it shall.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] when a named file cannot be read, [`Failure::Mistakes`] with every mistake.
    pub fn find(named: Option<&Path>, needs_target: bool) -> Result<Self, Failure> {
        let default = Path::new(DEFAULT_FILE);
        match named {
            Some(path) => Self::read(path, needs_target),
            None if default.is_file() => Self::read(default, needs_target),
            None => Ok(Self::none()),
        }
    }

    /// The defaults, in this folder.
    #[must_use]
    pub fn none() -> Self {
        Self { folder: ".".into(), ..Self::default() }
    }

    fn read(path: &Path, needs_target: bool) -> Result<Self, Failure> {
        let text = reading::text(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_owned();
        let file = parse(&text, &folder).map_err(|mut mistakes| {
            mistakes.extend(target::missing(&text).filter(|_| needs_target));
            let shown = path.display().to_string();
            let mistakes = MistakesInFile::new(&shown, &concealed(&text), mistakes);
            Failure::Mistakes(Box::new(mistakes))
        })?;
        Ok(Self { file, folder, path: Some(path.to_owned()), text: Some(text) })
    }
}

impl Config {
    /// Puts bounds into a plan, and takes out what the integration has no route for.
    pub fn apply(&self, run: &mut RunPlan) {
        run.leave_out(&self.file.front_door);
        run.scenarios.iter_mut().for_each(|plan| plan.tls |= self.file.mock.tls);
        bounds::put(&mut run.bounds, self.file.bounds());
        if let Some(ms) = self.file.generator.p99_lateness_ms {
            run.scenarios.iter_mut().for_each(|plan| plan.generator.p99_lateness_ms = ms);
        }
    }
}

/// The JSON schema of the file, with every guarantee and its bounds.
///
/// # Panics
///
/// Never: a test asks for it.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = SHAPES.clone();
    let settings = schema["$defs"].as_object_mut().and_then(|defs| defs.remove("Guarantee"));
    let table = &mut schema["properties"]["guarantee"];
    let of_all = guarantees::schema(&settings.expect("[guarantee.<id>] has a type of its own"));
    let of_all = of_all.as_object().into_iter().flatten();
    of_all.for_each(|(key, value)| table[key] = value.clone());
    schema
}

/// The same with one table for the settings of any guarantee.
#[must_use]
pub fn keys() -> &'static serde_json::Value {
    &SHAPES
}

/// The names and types of a text that the schema does not have.
#[cfg(test)]
pub(crate) fn misnamed(text: &str) -> Vec<String> {
    let table = DeTable::parse(text).expect("TOML").into_inner();
    shape::compare(&table, &SHAPES).mistakes.into_iter().map(|one| one.what).collect()
}

/// Names and types of the file's keys. Ids and bounds are checked by the registry's own rules.
static SHAPES: LazyLock<serde_json::Value> =
    LazyLock::new(|| schemars::schema_for!(File).to_value());

/// Reads a configuration whose paths are relative to `folder`. What is wrong with names and types is told
/// together with what is wrong with the meaning of the rest.
fn parse(text: &str, folder: &Path) -> Result<File, Vec<Mistake>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mistake = |error: &toml::de::Error| {
            let help = "mend the TOML; strings need quotes, tables [brackets]";
            Mistake::new(error.span().unwrap_or_default(), error.message(), help)
        };
        return Err(errors.iter().map(mistake).collect());
    }
    let table = table.into_inner();
    let Compared { mut mistakes, sound, touched } = shape::compare(&table, &SHAPES);
    let read: Result<File, _> =
        if mistakes.is_empty() { toml::from_str(text) } else { sound.try_into() };
    match read {
        Ok(file) => {
            mistakes.extend(rules::check(&file, &table, &touched, folder));
            if mistakes.is_empty() { Ok(file) } else { Err(mistakes) }
        }
        Err(_) if !mistakes.is_empty() => Err(mistakes),
        Err(error) => {
            let help = "see windthrow schema config";
            Err(vec![Mistake::new(error.span().unwrap_or_default(), error.message(), help)])
        }
    }
}

//! `windthrow.toml`: read, checked as a whole, and every mistake shown with its place.

pub mod alerts;
mod conceal;
#[cfg(test)]
mod fuzz_tests;
pub mod guarantees;
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
use std::path::{Path, PathBuf};
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
    /// defaults.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] when a named file cannot be read, [`Failure::Mistakes`] with every mistake.
    pub fn find(named: Option<&Path>) -> Result<Self, Failure> {
        let default = Path::new(DEFAULT_FILE);
        match named {
            Some(path) => Self::read(path),
            None if default.is_file() => Self::read(default),
            None => Ok(Self::none()),
        }
    }

    /// The defaults, in this folder.
    #[must_use]
    pub fn none() -> Self {
        Self { folder: ".".into(), ..Self::default() }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let text = reading::text(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_owned();
        let file = parse(&text, &folder).map_err(|mistakes| {
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
    let mut schema = shapes();
    let settings = schema["$defs"].as_object_mut().and_then(|defs| defs.remove("Guarantee"));
    let table = &mut schema["properties"]["guarantee"];
    let of_all = guarantees::schema(&settings.expect("[guarantee.<id>] has a type of its own"));
    let of_all = of_all.as_object().into_iter().flatten();
    of_all.for_each(|(key, value)| table[key] = value.clone());
    schema
}

/// Names and types of the file's keys. Ids and bounds are checked by the registry's own rules.
fn shapes() -> serde_json::Value {
    schemars::schema_for!(File).to_value()
}

/// Reads a configuration whose paths are relative to `folder`.
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
    let mistakes = shape::compare(&table, &shapes());
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let file: File = toml::from_str(text).map_err(|error| {
        let help = "see windthrow schema config";
        vec![Mistake::new(error.span().unwrap_or_default(), error.message(), help)]
    })?;
    let mistakes = rules::check(&file, &table, folder);
    if mistakes.is_empty() { Ok(file) } else { Err(mistakes) }
}

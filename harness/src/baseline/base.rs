//! With what a run is compared: what was approved, or another run.

use super::{Approved, folder};
use crate::evidence::folder::RunFolder;
use crate::evidence::recorded::Recorded;
use crate::failure::Failure;
use std::path::{Path, PathBuf};

/// With what a run is compared.
pub enum Base {
    /// What was approved, and where that stands.
    Approved(PathBuf, Vec<Approved>),
    /// Another run.
    Run(Box<Recorded>),
}

impl Base {
    /// A baseline where one stands, otherwise a run.
    ///
    /// # Errors
    ///
    /// [`Failure`] when neither is there, or it is not what it must be.
    pub fn find(out_dir: &Path, name: &str) -> Result<Self, Failure> {
        let path = PathBuf::from(name);
        if folder::is_there(&path) {
            let approved = folder::read(&path)?;
            return Ok(Self::Approved(path, approved));
        }
        match RunFolder::find(out_dir, name) {
            Ok(run) => Ok(Self::Run(Box::new(Recorded::judged(&run)?))),
            Err(Failure::NothingMatched { help, .. }) => Err(Failure::NothingMatched {
                what: format!("there is neither a run nor a baseline {name}"),
                help,
            }),
            Err(failure) => Err(failure),
        }
    }

    /// What was found or approved of each scenario.
    #[must_use]
    pub fn approved(&self) -> Vec<Approved> {
        match self {
            Self::Approved(_, approved) => approved.clone(),
            Self::Run(run) => Approved::of(&run.report, &run.plan),
        }
    }

    /// What it is called: where it stands, or the run's name, which says when it was.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Approved(path, _) => path.display().to_string(),
            Self::Run(run) => run.report.run_id.clone(),
        }
    }
}

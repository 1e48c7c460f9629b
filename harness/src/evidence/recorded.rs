//! A recorded run, judged: what was found, and the plan by which it was.

use super::build;
use super::folder::RunFolder;
use super::plans;
use crate::failure::Failure;
use reports::report::Report;
use scenarios::plan::RunPlan;

/// Everything that is compared of a run.
#[derive(Debug)]
pub struct Recorded {
    /// What was found.
    pub report: Report,
    /// What was carried out.
    pub plan: RunPlan,
    /// Whether nothing had been chosen of the scenarios that there were.
    pub is_whole: bool,
}

impl Recorded {
    /// Judges what a run recorded.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] when the folder is not a run's or its plan does not parse, [`Failure::Setup`] when
    /// it is gone.
    pub fn judged(folder: &RunFolder) -> Result<Self, Failure> {
        let identity = folder.read_identity().map_err(|failure| folder.or_gone(failure))?;
        let plan = plans::read_recorded(&folder.plan(), &identity.plan_hash)?;
        let report = build::judged(folder, &identity, &plan)?;
        Ok(Self { report, plan, is_whole: identity.rerun.is_whole() })
    }
}

//! What two findings must have in common before anybody compares them.

use super::Approved;
use crate::failure::Failure;
use scenarios::plan::RunPlan;

/// What decides whether verdicts mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// `quick` or `nightly`.
    pub profile: String,
    /// What the run divides contract durations by.
    pub time_scale: u32,
    /// The contract's name.
    pub contract: String,
    /// How the target was reached: `embedded`, `spawn`, `url`.
    pub target: String,
}

impl Frame {
    /// Of a run of this plan with a target of this kind.
    #[must_use]
    pub fn of(run: &RunPlan, target: &str) -> Self {
        Self {
            profile: run.profile.clone(),
            time_scale: run.time_scale,
            contract: run.contract.name.clone(),
            target: target.to_owned(),
        }
    }

    /// What differs, in words: what was approved, and what is run.
    fn differences(&self, other: &Self) -> Vec<String> {
        let scale = |frame: &Self| frame.time_scale.to_string();
        let fields = [
            ("profile", self.profile.clone(), other.profile.clone()),
            ("time scale", scale(self), scale(other)),
            ("contract", self.contract.clone(), other.contract.clone()),
            ("kind of target", self.target.clone(), other.target.clone()),
        ];
        let differing = fields.into_iter().filter(|(_, was, is)| was != is);
        differing.map(|(what, was, is)| format!("{what}: {was} there, {is} here")).collect()
    }

    /// The first of what was approved that cannot be compared with this: its scenario, and all that differs.
    #[must_use]
    pub fn differs<'b>(&self, base: &'b [Approved]) -> Option<(&'b str, String)> {
        base.iter().find_map(|one| {
            let differences = one.frame().differences(self);
            (!differences.is_empty()).then(|| (one.scenario.as_str(), differences.join("; ")))
        })
    }

    /// Refuses a comparison of what cannot be compared.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] with everything that differs.
    pub fn must_fit(&self, base: &[Approved]) -> Result<(), Failure> {
        let Some((scenario, differences)) = self.differs(base) else { return Ok(()) };
        Err(Failure::usage(
            format!("this cannot be compared with what was approved of {scenario}; {differences}"),
            "compare runs of one kind: give the same --profile, --time-scale, --contract and kind of \
             target, or keep a baseline for each",
        ))
    }
}

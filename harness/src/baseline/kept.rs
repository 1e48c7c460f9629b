//! The baseline of a run, kept in its folder as it was then: its reports are the same whenever they are
//! made again, whatever is approved meanwhile.

use super::base::Base;
use super::changes::{Comparison, compare};
use super::{Approved, Frame};
use crate::evidence::folder::RunFolder;
use crate::evidence::recorded::Recorded;
use crate::failure::Failure;
use crate::files;
use reports::report::News;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;

/// Its file.
const FILE: &str = "baseline.json";

/// What a run is compared with whenever its reports are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// What it was called.
    pub since: String,
    /// What was approved of each scenario.
    pub approved: Vec<Approved>,
}

impl Kept {
    /// Of a baseline, or of another run.
    #[must_use]
    pub fn of(base: &Base) -> Self {
        let since = match base {
            Base::Approved(..) => base.name(),
            Base::Run(_) => format!("run {}", base.name()),
        };
        Self { since, approved: base.approved() }
    }

    /// The baseline that a run's folder holds, if it holds one.
    ///
    /// # Errors
    ///
    /// [`Failure`] when there is one and it cannot be read.
    pub fn read(folder: &RunFolder) -> Result<Option<Self>, Failure> {
        let path = folder.path.join(FILE);
        let text = match files::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| Failure::unreadable(&path, &error))?,
        };
        let help = "name the baseline again: windthrow report RUN --baseline PATH";
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| Failure::json(&path, &text, &error, help))
    }

    /// Keeps it in a run's folder, in the place of another one.
    ///
    /// # Errors
    ///
    /// [`Failure::Setup`] when it cannot be written.
    ///
    /// # Panics
    ///
    /// Never: it holds no maps with keys that JSON could not write.
    pub fn write(&self, folder: &RunFolder) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(self).expect("a baseline is always valid JSON");
        folder.write(FILE, &text)
    }

    /// What is new in a run since.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] when they cannot be compared.
    pub fn compare(&self, run: &Recorded) -> Result<Comparison, Failure> {
        let found = Approved::of(&run.report, &run.plan);
        compare(&self.approved, &found, &run.report, run.is_whole)
    }

    /// The same for its reports, which also say what cannot be compared.
    ///
    /// # Errors
    ///
    /// As [`Self::compare`], though not for what differs between them.
    pub fn news(&self, run: &Recorded) -> Result<News, Failure> {
        let frame = Frame::of(&run.plan, &run.report.identity.target.kind);
        if let Some((_, differences)) = frame.differs(&self.approved) {
            let (since, incomparable) = (self.since.clone(), Some(differences));
            return Ok(News { since, incomparable, ..News::default() });
        }
        Ok(self.told(&self.compare(run)?))
    }

    /// A comparison with it, as reports tell it.
    #[must_use]
    pub fn told(&self, comparison: &Comparison) -> News {
        let (since, changes) = (self.since.clone(), comparison.changes.clone());
        News { since, changes, ..News::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HELD, approved};
    use super::*;
    use mock_server::profile::ContractProfile;
    use reports::report::{ChangeKind, Report};
    use scenarios::catalogue::{Settings, run_plan};

    fn kept(profile: &str) -> Kept {
        let approved =
            Approved { profile: profile.into(), ..approved("calm", &[("base-url", HELD)]) };
        Kept { since: "windthrow-baseline".into(), approved: vec![approved] }
    }

    #[test]
    fn what_is_kept_reads_back_and_a_folder_without_one_has_none() {
        let path = tempfile::tempdir().unwrap();
        let folder = RunFolder { path: path.path().to_owned() };
        assert_eq!(Kept::read(&folder).unwrap(), None);
        kept("quick").write(&folder).unwrap();
        assert_eq!(Kept::read(&folder).unwrap(), Some(kept("quick")));
        folder.write(FILE, b"{}").unwrap();
        let said = Kept::read(&folder).unwrap_err().to_string();
        assert!(said.contains(FILE), "{said}");
    }

    #[test]
    fn of_what_cannot_be_compared_reports_say_why() {
        let plan =
            run_plan(&Settings::default(), ContractProfile::linktree_v1(), &["steady-state"]);
        let mut report = Report::default();
        report.identity.target.kind = "embedded".into();
        let run = Recorded { report, plan, is_whole: true };
        let news = kept("nightly").news(&run).unwrap();
        let why = news.incomparable.unwrap();
        assert!(why.contains("profile: nightly there, quick here"), "{why}");
        assert_eq!(news.changes, []);
        let news = kept("quick").news(&run).unwrap();
        assert_eq!(news.incomparable, None);
        assert_eq!(news.changes.last().unwrap().kind, ChangeKind::Unapproved);
    }
}

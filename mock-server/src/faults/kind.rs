//! A fault's kind as a word, in plan files and histories.

use super::FaultKind;
use std::fmt;
use std::str::FromStr;

impl FaultKind {
    /// Its name, as in a plan file and in a history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.info().kind
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A kind that this version does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to recognise the fault {0:?}: another version wrote this, and can judge it")]
pub struct UnknownFault(String);

impl FromStr for FaultKind {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let known = Self::ALL.iter().find(|kind| kind.name() == name);
        known.copied().ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

impl TryFrom<String> for FaultKind {
    type Error = UnknownFault;

    fn try_from(name: String) -> Result<Self, UnknownFault> {
        name.parse()
    }
}

impl From<FaultKind> for &'static str {
    fn from(kind: FaultKind) -> Self {
        kind.name()
    }
}

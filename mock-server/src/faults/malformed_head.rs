//! The answer's head is not right: its status line, its length, its size or its characters.

use super::{Decide, Effect, FaultInfo, Mistake, Place, RequestView, Roll};
use serde::{Deserialize, Serialize};

/// Flaws to choose from; the request has its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MalformedHead {
    /// One of these, by hash.
    pub flaws: Vec<HeadFlaw>,
}

/// What is wrong with a head (RFC 9112).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadFlaw {
    /// The status is no number.
    StatusLine,
    /// Two different `Content-Length` fields.
    TwoLengths,
    /// A field of 256 KiB.
    HugeField,
    /// A field without a colon.
    NoColon,
    /// A field with a NUL in its value.
    NulByte,
}

impl HeadFlaw {
    /// Every flaw.
    pub const ALL: [Self; 5] =
        [Self::StatusLine, Self::TwoLengths, Self::HugeField, Self::NoColon, Self::NulByte];
}

impl Decide for MalformedHead {
    const INFO: FaultInfo = FaultInfo {
        kind: "malformed-head",
        place: Place::Edge,
        summary: "The head of the answer breaks HTTP's rules; the body follows, then a close.",
        example_toml: r#"
kind = "malformed-head"
flaws = ["status-line", "two-lengths"]
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        match roll.choose(&self.flaws) {
            Some(how) => Effect::MalformedHead { how: *how },
            None => Effect::Pass,
        }
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if !self.flaws.is_empty() {
            return Vec::new();
        }
        vec![Mistake::new("flaws", "there are no flaws to choose from", "name at least one")]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_has_the_flaw_that_it_names() {
        for how in HeadFlaw::ALL {
            check(&MalformedHead { flaws: vec![how] }, &Effect::MalformedHead { how });
        }
        check(&MalformedHead { flaws: vec![] }, &Effect::Pass);
        assert_eq!(MalformedHead { flaws: vec![] }.mistakes().len(), 1);
    }
}

//! The answer's head is not right: its status line, its length, its size or its characters.

use super::choice::{at_least_one, one_of};
use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Flaws to choose from; the request has its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MalformedHead {
    /// One of these, by hash.
    #[schemars(length(max = 32))]
    pub flaws: Vec<HeadFlaw>,
}

/// What is wrong with a head (RFC 9112).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
        cautions: &[Caution::HindersClicks],
        summary: "The head of the answer breaks HTTP's rules; the body follows, then a close.",
        example_toml: r#"
kind = "malformed-head"
flaws = ["status-line", "two-lengths"]
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        one_of(&self.flaws, roll, |how| Effect::MalformedHead { how: *how })
    }

    /// Lenient clients accept the other flaws.
    fn harm(&self) -> Harm {
        Harm::certain_if(self.flaws.iter().all(|flaw| *flaw == HeadFlaw::StatusLine))
    }

    fn mistakes(&self) -> Vec<Mistake> {
        at_least_one(&self.flaws, "flaws", "flaws to choose from").into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::check;
    use super::*;

    #[test]
    fn it_has_the_flaw_that_it_names() {
        check(|flaws| MalformedHead { flaws }, &HeadFlaw::ALL, |how| Effect::MalformedHead { how });
    }

    #[test]
    fn only_a_status_line_that_is_none_fails_every_client() {
        let harm = |flaws: &[HeadFlaw]| MalformedHead { flaws: flaws.to_vec() }.harm();
        assert_eq!(harm(&[HeadFlaw::StatusLine]), Harm::Fails);
        assert_eq!(harm(&[HeadFlaw::StatusLine, HeadFlaw::NoColon]), Harm::MayFail);
    }
}

//! The body is not the JSON that was promised, though its length and its type are right.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Rewrite, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Flaws to choose from; the request has its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BadJson {
    /// One of these, by hash; one of all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub flaws: Vec<JsonFlaw>,
    /// Per cent of the body before a cut; 50 unless it says otherwise.
    #[serde(default = "half")]
    #[schemars(range(min = 0, max = 99))]
    pub percent: u8,
}

const fn half() -> u8 {
    50
}

/// What is wrong with the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JsonFlaw {
    /// It ends in the middle, at the end of a whole HTTP body.
    Cut,
    /// Another value follows it.
    TrailingGarbage,
    /// It is JSON, but strings are numbers, numbers strings, and lists objects.
    WrongTypes,
    /// A byte order mark stands before it (RFC 8259 section 8.1 forbids it).
    Bom,
    /// A member is `NaN`, which is no JSON.
    Nan,
    /// Every member stands in it twice, the second time as null (RFC 8259 section 4).
    DuplicateKeys,
    /// A member is nested 10,000 levels deep.
    DeepNesting,
    /// There is none: the body is empty.
    Empty,
    /// A string is no UTF-8.
    InvalidUtf8,
}

impl JsonFlaw {
    /// Every flaw.
    pub const ALL: [Self; 9] = [
        Self::Cut,
        Self::TrailingGarbage,
        Self::WrongTypes,
        Self::Bom,
        Self::Nan,
        Self::DuplicateKeys,
        Self::DeepNesting,
        Self::Empty,
        Self::InvalidUtf8,
    ];
}

impl Decide for BadJson {
    const INFO: FaultInfo = FaultInfo {
        kind: "bad-json",
        place: Place::Respond,
        cautions: &[Caution::HindersClicks],
        summary: "The body is not the JSON that was promised, though its length and type are right.",
        example_toml: r#"
kind = "bad-json"
flaws = ["cut", "trailing-garbage", "wrong-types"]
percent = 50
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        let flaws = if self.flaws.is_empty() { &JsonFlaw::ALL[..] } else { &self.flaws };
        let flaw = roll.choose(flaws).copied().unwrap_or(JsonFlaw::Cut);
        Effect::Rewrite { how: Rewrite::BadJson { flaw, percent: self.percent.min(99) } }
    }

    fn harm(&self) -> Harm {
        Harm::MayFail
    }

    fn mistakes(&self) -> Vec<Mistake> {
        Mistake::unless_part_of_body(self.percent).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, decided};
    use super::*;

    #[test]
    fn a_named_flaw_is_chosen_and_without_names_each() {
        let effect = |flaw, percent| Effect::Rewrite { how: Rewrite::BadJson { flaw, percent } };
        for flaw in JsonFlaw::ALL {
            check(&BadJson { flaws: vec![flaw], percent: 30 }, &effect(flaw, 30));
        }
        let any = BadJson { flaws: vec![], percent: 100 };
        let met: Vec<_> = (0..200).map(|nth| decided(&any, nth)).collect();
        assert!(JsonFlaw::ALL.into_iter().all(|flaw| met.contains(&effect(flaw, 99))));
        assert_eq!(any.mistakes().len(), 1);
    }
}

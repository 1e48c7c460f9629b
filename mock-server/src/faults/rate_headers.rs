//! The headers of the rate limit lie, or are missing.

use super::choice::{at_least_one, one_of};
use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Rewrite, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lies to choose from; the limiter itself goes on as ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateHeaders {
    /// One of these, by hash.
    #[schemars(length(max = 32))]
    pub lies: Vec<RateLie>,
}

/// What the headers of the rate limit say instead of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RateLie {
    /// Nothing: they are not there.
    Missing,
    /// Nothing is left, though more would be let in.
    Zero,
    /// Everything is left, whatever was used.
    Full,
    /// Numbers below zero.
    Negative,
    /// Words in place of numbers.
    Garbage,
    /// The reset in the other form: seconds since 1970 for seconds from now, or the reverse.
    OtherReset,
    /// Numbers beyond 64 bits.
    Huge,
}

impl RateLie {
    /// Every lie.
    pub const ALL: [Self; 7] = [
        Self::Missing,
        Self::Zero,
        Self::Full,
        Self::Negative,
        Self::Garbage,
        Self::OtherReset,
        Self::Huge,
    ];
}

impl Decide for RateHeaders {
    const INFO: FaultInfo = FaultInfo {
        kind: "rate-headers",
        place: Place::Respond,
        cautions: &[Caution::HindersClicks],
        summary: "The headers of the rate limit lie, or are missing.",
        example_toml: r#"
kind = "rate-headers"
lies = ["zero", "negative"]
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        one_of(&self.lies, roll, |lie| Effect::Rewrite { how: Rewrite::RateHeaders { lie: *lie } })
    }

    /// The answer is good, but who believes its headers may hold back.
    fn harm(&self) -> Harm {
        Harm::MayFail
    }

    fn mistakes(&self) -> Vec<Mistake> {
        at_least_one(&self.lies, "lies", "lies to tell").into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::check;
    use super::*;

    #[test]
    fn one_lie_is_always_chosen_and_of_many_each() {
        let effect = |lie| Effect::Rewrite { how: Rewrite::RateHeaders { lie } };
        check(|lies| RateHeaders { lies }, &RateLie::ALL, effect);
    }
}

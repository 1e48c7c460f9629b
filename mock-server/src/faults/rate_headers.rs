//! The headers of the rate limit lie, or are missing.

use super::{Decide, Effect, FaultInfo, Mistake, Place, RequestView, Rewrite, Roll};
use serde::{Deserialize, Serialize};

/// Lies to choose from; the limiter itself goes on as ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateHeaders {
    /// One of these, by hash.
    pub lies: Vec<RateLie>,
}

/// What the headers of the rate limit say instead of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        summary: "The headers of the rate limit lie, or are missing.",
        example_toml: r#"
kind = "rate-headers"
lies = ["zero", "negative"]
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        match roll.choose(&self.lies) {
            Some(lie) => Effect::Rewrite { how: Rewrite::RateHeaders { lie: *lie } },
            None => Effect::Pass,
        }
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if !self.lies.is_empty() {
            return Vec::new();
        }
        vec![Mistake::new("lies", "there are no lies to tell", "name at least one")]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, decided};
    use super::*;

    #[test]
    fn one_lie_is_always_told_and_of_many_each() {
        for lie in RateLie::ALL {
            let how = Rewrite::RateHeaders { lie };
            check(&RateHeaders { lies: vec![lie] }, &Effect::Rewrite { how });
        }
        let fault = RateHeaders { lies: RateLie::ALL.to_vec() };
        let told: Vec<_> = (0..100).map(|nth| decided(&fault, nth)).collect();
        let tells = |lie| told.contains(&Effect::Rewrite { how: Rewrite::RateHeaders { lie } });
        assert!(RateLie::ALL.into_iter().all(tells));
        assert_eq!(RateHeaders { lies: vec![] }.mistakes().len(), 1);
    }
}

//! The body comes in chunks that are not right, and then the connection closes.

use super::choice::{at_least_one, one_of};
use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Flaws to choose from; the request has its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BadChunk {
    /// One of these, by hash.
    #[schemars(length(max = 32))]
    pub flaws: Vec<ChunkFlaw>,
}

/// What is wrong with the chunked coding (RFC 9112 section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChunkFlaw {
    /// After half of the body comes a size that is no hexadecimal number.
    InvalidSize,
    /// After the whole body the last chunk of size 0 is missing.
    MissingEnd,
    /// The chunk is shorter than its size says.
    ShortChunk,
}

impl ChunkFlaw {
    /// Every flaw.
    pub const ALL: [Self; 3] = [Self::InvalidSize, Self::MissingEnd, Self::ShortChunk];
}

impl Decide for BadChunk {
    const INFO: FaultInfo = FaultInfo {
        kind: "bad-chunk",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "The body comes in chunks that are not right, then a close.",
        example_toml: r#"
kind = "bad-chunk"
flaws = ["invalid-size", "missing-end"]
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        one_of(&self.flaws, roll, |how| Effect::BadChunk { how: *how })
    }

    /// An answer without a body has no chunks.
    fn harm(&self) -> Harm {
        Harm::MayFail
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
        check(|flaws| BadChunk { flaws }, &ChunkFlaw::ALL, |how| Effect::BadChunk { how });
    }
}

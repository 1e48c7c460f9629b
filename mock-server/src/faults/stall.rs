//! The answer stops coming: before its head, after its head, or as a trickle of single bytes.

use super::{Decide, Effect, FaultInfo, Mistake, Place, RequestView, Roll};
use serde::{Deserialize, Serialize};

/// A stall at one place, until the client gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// Where.
    pub at: StallAt,
}

/// Where the answer stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StallAt {
    /// Before the first byte of the answer; nothing is done.
    BeforeHead,
    /// After the head, before the body.
    BeforeBody,
    /// The body comes one byte each `every_ms`, which defeats timeouts that restart at each read.
    Trickle {
        /// Real milliseconds between two bytes.
        every_ms: u64,
    },
}

impl Decide for Stall {
    const INFO: FaultInfo = FaultInfo {
        kind: "stall",
        place: Place::Edge,
        summary: "The answer stops coming, until the client gives up.",
        example_toml: r#"
kind = "stall"
at = { trickle = { every_ms = 4000 } }
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Stall { at: self.at }
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if self.at != (StallAt::Trickle { every_ms: 0 }) {
            return Vec::new();
        }
        let what = "a trickle without pauses is no stall";
        vec![Mistake::new("at", what, "let every_ms be greater than 0")]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_stalls_where_it_says() {
        for at in [StallAt::BeforeHead, StallAt::BeforeBody, StallAt::Trickle { every_ms: 9 }] {
            check(&Stall { at }, &Effect::Stall { at });
        }
    }
}

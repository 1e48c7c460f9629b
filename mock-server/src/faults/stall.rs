//! The answer stops coming: before its head, before or inside its body, or as a trickle of bytes.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stall at one place, until the client gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// Where.
    pub at: StallAt,
}

/// Where the answer stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StallAt {
    /// Before the first byte of the answer; nothing is done.
    BeforeHead,
    /// After the head, before the body.
    BeforeBody,
    /// Inside the body.
    MidBody {
        /// Per cent of the body that is written before, below 100.
        #[schemars(range(min = 0, max = 99))]
        percent: u8,
    },
    /// The body comes one byte each `every_ms`, which defeats timeouts that restart at each read.
    Trickle {
        /// Real milliseconds between two bytes.
        #[schemars(range(min = 0, max = 3_600_000))]
        every_ms: u64,
    },
}

impl Decide for Stall {
    const INFO: FaultInfo = FaultInfo {
        kind: "stall",
        place: Place::Edge,
        cautions: &[Caution::Stalls, Caution::HindersClicks],
        summary: "The answer stops coming, until the client gives up.",
        example_toml: r#"
kind = "stall"
at = { trickle = { every_ms = 4000 } }
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Stall { at: self.at }
    }

    /// An answer without a body cannot stop inside it, and a trickle has an end.
    fn harm(&self) -> Harm {
        Harm::certain_if(self.at == StallAt::BeforeHead)
    }

    fn mistakes(&self) -> Vec<Mistake> {
        match self.at {
            StallAt::Trickle { every_ms: 0 } => {
                let what = "a trickle without pauses is no stall";
                vec![Mistake::new("at", what, "let every_ms be greater than 0")]
            }
            StallAt::MidBody { percent: percent @ 100.. } => {
                let what = format!("after {percent} per cent the body is over");
                vec![Mistake::new("at", what, "choose at most 99")]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_stalls_where_it_says() {
        let inside = StallAt::MidBody { percent: 50 };
        let trickle = StallAt::Trickle { every_ms: 9 };
        for at in [StallAt::BeforeHead, StallAt::BeforeBody, inside, trickle] {
            check(&Stall { at }, &Effect::Stall { at });
            assert_eq!(Stall { at }.mistakes(), []);
        }
        assert_eq!(Stall { at: StallAt::MidBody { percent: 100 } }.mistakes().len(), 1);
    }
}

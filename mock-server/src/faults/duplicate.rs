//! The same webhook is delivered several times, byte for byte.

use super::{Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use crate::webhooks::DeliveryEffect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often the same bytes are sent in the first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// How often in all.
    #[schemars(range(min = 2, max = 100))]
    pub copies: u32,
    /// Real milliseconds between the beginnings of two copies; 0 sends them all at once.
    #[serde(default)]
    #[schemars(range(min = 0, max = 3_600_000))]
    pub gap_ms: u64,
}

impl Decide for Duplicate {
    const INFO: FaultInfo = FaultInfo {
        kind: "duplicate",
        place: Place::Webhook,
        cautions: &[],
        summary: "The webhook is delivered several times with the same id and bytes.",
        example_toml: r#"
kind = "duplicate"
copies = 3
gap_ms = 0
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        let Self { copies, gap_ms } = *self;
        Effect::Delivery(DeliveryEffect::Duplicate { copies, gap_ms })
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if (2..=100).contains(&self.copies) {
            return Vec::new();
        }
        let what = format!("{} copies are no duplicates, or a flood", self.copies);
        vec![Mistake::new("copies", what, "choose 2 to 100")]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_sends_as_many_copies_as_it_says() {
        let effect = DeliveryEffect::Duplicate { copies: 3, gap_ms: 9 };
        check(&Duplicate { copies: 3, gap_ms: 9 }, &Effect::Delivery(effect));
        for copies in [0, 1, 101] {
            assert_eq!(Duplicate { copies, gap_ms: 0 }.mistakes()[0].key, "copies");
        }
    }
}

//! A webhook arrives after later ones.

use super::{Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use crate::webhooks::DeliveryEffect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// For whom the first attempt waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reorder {
    /// How many later messages to the same registration have their first attempt before it.
    #[schemars(range(min = 0, max = 1_000))]
    pub behind: u32,
    /// It goes after this at the latest, real milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub at_most_ms: u64,
}

impl Decide for Reorder {
    const INFO: FaultInfo = FaultInfo {
        kind: "reorder",
        place: Place::Webhook,
        cautions: &[],
        summary: "The webhook arrives after later ones.",
        example_toml: r#"
kind = "reorder"
behind = 1
at_most_ms = 5000
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        let Self { behind, at_most_ms } = *self;
        Effect::Delivery(DeliveryEffect::Reorder { behind, at_most_ms })
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let none = |key| Mistake::new(key, "it would not wait", "choose a number greater than 0");
        let found = [(self.behind == 0, "behind"), (self.at_most_ms == 0, "at_most_ms")];
        found.into_iter().filter(|(wrong, _)| *wrong).map(|(_, key)| none(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_waits_for_as_many_as_it_says() {
        let effect = DeliveryEffect::Reorder { behind: 2, at_most_ms: 9 };
        check(&Reorder { behind: 2, at_most_ms: 9 }, &Effect::Delivery(effect));
        let keys = |behind, at_most_ms| -> Vec<_> {
            Reorder { behind, at_most_ms }.mistakes().iter().map(|one| one.key).collect()
        };
        assert_eq!(keys(0, 1), ["behind"]);
        assert_eq!(keys(1, 0), ["at_most_ms"]);
    }
}

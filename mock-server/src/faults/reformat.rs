//! A genuine webhook whose JSON is laid out as no library would.

use super::{Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll};
use crate::webhooks::DeliveryEffect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// There is nothing to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reformat {}

impl Decide for Reformat {
    const INFO: FaultInfo = FaultInfo {
        kind: "reformat",
        place: Place::Webhook,
        cautions: &[],
        summary: "The webhook is the same JSON with tabs, line ends and escapes, and rightly signed.",
        example_toml: "kind = \"reformat\"\n",
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Delivery(DeliveryEffect::Reformat)
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }
}

//! A webhook comes with a list of signatures, as while keys rotate; one of them is right.

use super::{Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll};
use crate::webhooks::{DeliveryEffect, SignatureList};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which list. It has no effect under a scheme with room for one signature only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// The list.
    #[schemars(with = "String")]
    pub list: SignatureList,
}

impl Decide for Rotate {
    const INFO: FaultInfo = FaultInfo {
        kind: "rotate",
        place: Place::Webhook,
        cautions: &[],
        summary: "The webhook carries several signatures; it is authentic.",
        example_toml: r#"
kind = "rotate"
list = "stranger-first"
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Delivery(DeliveryEffect::Rotate { list: self.list })
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_sends_the_list_that_it_says() {
        use SignatureList::{StrangerFirst, StrangerLast, UnknownVersions};
        for list in [StrangerFirst, StrangerLast, UnknownVersions] {
            check(&Rotate { list }, &Effect::Delivery(DeliveryEffect::Rotate { list }));
        }
    }
}

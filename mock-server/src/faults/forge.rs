//! A forged webhook: everything is right but one thing.

use super::{Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll};
use crate::webhooks::{DeliveryEffect, Forgery};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is wrong with the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forge {
    /// The forgery.
    #[schemars(with = "String")]
    pub how: Forgery,
    /// Whether retries are forged, too; otherwise the genuine message follows a refusal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_attempt: bool,
}

impl Decide for Forge {
    const INFO: FaultInfo = FaultInfo {
        kind: "forge",
        place: Place::Webhook,
        cautions: &[],
        summary: "The webhook is forged in one of twelve ways.",
        example_toml: r#"
kind = "forge"
how = "body-bit"
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        let Self { how, every_attempt } = *self;
        Effect::Delivery(DeliveryEffect::Forge { how, every_attempt })
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
    fn it_forges_as_it_says() {
        for how in Forgery::ALL {
            let effect = DeliveryEffect::Forge { how, every_attempt: true };
            check(&Forge { how, every_attempt: true }, &Effect::Delivery(effect));
        }
        let error = toml::from_str::<Forge>("how = 'magic'").unwrap_err().to_string();
        assert!(error.contains("upper-case-hex"), "{error}");
        assert_eq!(Forgery::ALL.len(), 12, "the summary counts them");
    }
}

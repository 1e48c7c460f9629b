//! A webhook comes with a timestamp in the future, under a right signature.

use super::{Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use crate::webhooks::DeliveryEffect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the timestamp is ahead when it is sent.
///
/// Receivers tolerate 300 s, and the time that a delivery takes comes off what it is ahead: the
/// default leaves 10 s for that. It has no effect under a scheme without a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Future {
    /// Real seconds; 310 unless it says otherwise.
    #[serde(default = "just_over")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ahead_s: u32,
    /// Whether retries are sent like this, too; otherwise they are genuine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_attempt: bool,
}

fn just_over() -> u32 {
    310
}

impl Decide for Future {
    const INFO: FaultInfo = FaultInfo {
        kind: "future",
        place: Place::Webhook,
        cautions: &[],
        summary: "The webhook's timestamp lies in the future, rightly signed.",
        example_toml: r#"
kind = "future"
ahead_s = 310
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        let Self { ahead_s, every_attempt } = *self;
        let by_s = i64::from(ahead_s);
        Effect::Delivery(DeliveryEffect::Shift { by_s, every_attempt })
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if self.ahead_s > 0 {
            return Vec::new();
        }
        vec![Mistake::new("ahead_s", "0 s is the present", "choose a number greater than 0")]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_shifts_the_timestamp_by_what_it_says() {
        for every_attempt in [false, true] {
            let effect = DeliveryEffect::Shift { by_s: 9, every_attempt };
            check(&Future { ahead_s: 9, every_attempt }, &Effect::Delivery(effect));
        }
        let default: Future = toml::from_str("").unwrap();
        assert_eq!(default, Future { ahead_s: 310, every_attempt: false });
        assert_eq!(Future { ahead_s: 0, every_attempt: false }.mistakes()[0].key, "ahead_s");
    }
}

//! A webhook comes with an old timestamp under a right signature: a replay, or a slow queue.

use super::{Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use crate::webhooks::DeliveryEffect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the timestamp is in the past when it is sent.
///
/// Receivers tolerate 300 s, so 301 is the least that every one of them must refuse. It has no
/// effect under a scheme without a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// Real seconds; 301 unless it says otherwise.
    #[serde(default = "just_over")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub age_s: u32,
    /// Whether retries are sent like this, too; otherwise they are genuine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_attempt: bool,
}

fn just_over() -> u32 {
    301
}

impl Decide for Stale {
    const INFO: FaultInfo = FaultInfo {
        kind: "stale",
        place: Place::Webhook,
        cautions: &[],
        summary: "The webhook's timestamp lies in the past, rightly signed.",
        example_toml: r#"
kind = "stale"
age_s = 301
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        let Self { age_s, every_attempt } = *self;
        let by_s = -i64::from(age_s);
        Effect::Delivery(DeliveryEffect::Shift { by_s, every_attempt })
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if self.age_s > 0 {
            return Vec::new();
        }
        vec![Mistake::new("age_s", "0 s is the present", "choose a number greater than 0")]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_shifts_the_timestamp_by_what_it_says() {
        for every_attempt in [false, true] {
            let effect = DeliveryEffect::Shift { by_s: -9, every_attempt };
            check(&Stale { age_s: 9, every_attempt }, &Effect::Delivery(effect));
        }
        let default: Stale = toml::from_str("").unwrap();
        assert_eq!(default, Stale { age_s: 301, every_attempt: false });
        assert_eq!(Stale { age_s: 0, every_attempt: false }.mistakes()[0].key, "age_s");
    }
}

//! A webhook is sent later, with the timestamp of its sending.

use super::{Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much later the first attempt is sent; the delays of several rules add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// Real milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub ms: u64,
}

impl Decide for Delay {
    const INFO: FaultInfo = FaultInfo {
        kind: "delay",
        place: Place::Webhook,
        cautions: &[],
        summary: "The webhook is sent later, with a fresh timestamp.",
        example_toml: r#"
kind = "delay"
ms = 400
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Delay { us: self.ms.saturating_mul(1_000) }
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if self.ms > 0 {
            return Vec::new();
        }
        vec![Mistake::new("ms", "0 ms is no delay", "choose a number greater than 0")]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_delays_by_what_it_says() {
        check(&Delay { ms: 400 }, &Effect::Delay { us: 400_000 });
        assert_eq!(Delay { ms: 0 }.mistakes()[0].key, "ms");
    }
}

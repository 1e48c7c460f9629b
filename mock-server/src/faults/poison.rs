//! A genuine webhook that nobody can process: it is rightly signed, and says nothing.

use super::{Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use crate::webhooks::{DeliveryEffect, Indigestible};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest body: what receivers take unless they are told otherwise, with room to spare. The
/// smallest usual limit is 100 kB (`express.json`).
const MOST_BYTES: u32 = 32 << 10;

/// What is wrong with what it says, and how long that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poison {
    /// What is wrong.
    #[schemars(with = "String")]
    pub how: Indigestible,
    /// Bytes of the body at the least; it is as long as it must be where that is more.
    #[serde(default)]
    #[schemars(range(min = 0, max = MOST_BYTES))]
    pub bytes: u32,
}

impl Decide for Poison {
    const INFO: FaultInfo = FaultInfo {
        kind: "poison",
        place: Place::Webhook,
        cautions: &[],
        summary: "The webhook is rightly signed, and is no JSON or has no data.",
        example_toml: r#"
kind = "poison"
how = "not-json"
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        let Self { how, bytes } = *self;
        Effect::Delivery(DeliveryEffect::Poison { how, bytes })
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let what = || format!("{} bytes are more than many receivers take", self.bytes);
        let wrong = || Mistake::new("bytes", what(), "choose at most 32768");
        (self.bytes > MOST_BYTES).then(wrong).into_iter().collect()
    }
}

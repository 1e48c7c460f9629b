//! A page of a list is gone by the time it is asked for: 410 for every cursor.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Rewrite, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No settings: first pages are answered as ever, and cursors have expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpiredCursor {}

impl Decide for ExpiredCursor {
    const INFO: FaultInfo = FaultInfo {
        kind: "expired-cursor",
        place: Place::Respond,
        cautions: &[Caution::BendsPages, Caution::HindersClicks],
        summary: "A request with a cursor is answered with 410: the cursor has expired.",
        example_toml: r#"
kind = "expired-cursor"
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Rewrite { how: Rewrite::ExpiredCursor }
    }

    fn harm(&self) -> Harm {
        Harm::MayFail
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn every_cursor_has_expired() {
        check(&ExpiredCursor {}, &Effect::Rewrite { how: Rewrite::ExpiredCursor });
    }
}

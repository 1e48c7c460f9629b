//! The answer comes slowly but steadily: so many bytes a second, head and body.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A narrow line; the answer is whole at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    /// Bytes a second.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub bytes_per_s: u64,
}

impl Decide for Bandwidth {
    const INFO: FaultInfo = FaultInfo {
        kind: "bandwidth",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "The answer comes at so many bytes a second, and is whole at last.",
        example_toml: r#"
kind = "bandwidth"
bytes_per_s = 2000
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Bandwidth { bytes_per_s: self.bytes_per_s.max(1) }
    }

    /// On a line that is narrow enough a client gives up.
    fn harm(&self) -> Harm {
        Harm::MayFail
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if self.bytes_per_s > 0 {
            return Vec::new();
        }
        let fix = "choose at least 1; the fault stall stops altogether";
        vec![Mistake::new("bytes_per_s", "nothing would ever come", fix)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_is_never_so_narrow_that_nothing_comes() {
        check(&Bandwidth { bytes_per_s: 9 }, &Effect::Bandwidth { bytes_per_s: 9 });
        check(&Bandwidth { bytes_per_s: 0 }, &Effect::Bandwidth { bytes_per_s: 1 });
        assert_eq!(Bandwidth { bytes_per_s: 0 }.mistakes().len(), 1);
    }
}

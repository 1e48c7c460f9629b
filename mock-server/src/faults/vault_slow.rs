//! The secrets manager answers late.

use super::{Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll, vault_path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The same answer, after so long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultSlow {
    /// How much later, real milliseconds.
    #[schemars(range(min = 1, max = 120_000))]
    pub ms: u64,
    /// The path below `/v1/`, or its beginning with a `*` behind it.
    #[schemars(length(min = 1, max = 256))]
    pub path: String,
}

impl Decide for VaultSlow {
    const INFO: FaultInfo = FaultInfo {
        kind: "vault-slow",
        place: Place::Vault,
        cautions: &[],
        summary: "The secrets manager answers late where this path is asked for.",
        example_toml: r#"
kind = "vault-slow"
ms = 2000
path = "secret/data/linktree"
"#,
    };

    fn decide(&self, request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        vault_path::effect(&self.path, request, Effect::Delay { us: self.ms.saturating_mul(1_000) })
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }

    fn mistakes(&self) -> Vec<Mistake> {
        vault_path::mistake(&self.path).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_late_about_its_own_path_alone() {
        let fault = VaultSlow { ms: 2, path: "secret/data/linktree".into() };
        let decided = |path: &str| {
            fault.decide(&RequestView::vault("GET", path), &mut Roll::new(7, "rule", path, 0))
        };
        assert_eq!(decided("secret/data/linktree"), Effect::Delay { us: 2_000 });
        assert_eq!(decided("sys/health"), Effect::Pass);
        assert_eq!(VaultSlow { ms: 2, path: "/v1".into() }.mistakes().len(), 1);
    }
}

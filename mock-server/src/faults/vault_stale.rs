//! The secrets manager has not heard of the last rotation yet, as a replica that lags behind.

use super::{Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll, vault_path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version before the newest is still the newest, and the newest is not there; where there is but one
/// version, nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultStale {
    /// The path below `/v1/`, or its beginning with a `*` behind it.
    #[schemars(length(min = 1, max = 256))]
    pub path: String,
}

impl Decide for VaultStale {
    const INFO: FaultInfo = FaultInfo {
        kind: "vault-stale",
        place: Place::Vault,
        cautions: &[],
        summary: "The secrets manager still hands out the version before the last rotation as the newest.",
        example_toml: r#"
kind = "vault-stale"
path = "secret/data/linktree"
"#,
    };

    fn decide(&self, request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        // Which version is the newest is the manager's affair, which sees this fault among those that
        // decided: it takes no time of its own.
        vault_path::effect(&self.path, request, Effect::Delay { us: 0 })
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
    fn it_decides_about_its_own_path_alone() {
        let fault = VaultStale { path: "secret/data/linktree".into() };
        let decided = |path: &str| {
            fault.decide(&RequestView::vault("GET", path), &mut Roll::new(7, "rule", path, 0))
        };
        assert_eq!(decided("secret/data/linktree"), Effect::Delay { us: 0 });
        assert_eq!(decided("secret/data/linktree-staging"), Effect::Pass);
        assert_eq!(VaultStale { path: "/v1".into() }.mistakes().len(), 1);
    }
}

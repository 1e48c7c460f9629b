//! The vault does not answer.

use super::{
    Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll, StallAt, vault_path,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Silence, until the client gives up or the rule's window has long been over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultStall {
    /// The path below `/v1/`, or its beginning with a `*` behind it.
    #[schemars(length(min = 1, max = 256))]
    pub path: String,
}

impl Decide for VaultStall {
    const INFO: FaultInfo = FaultInfo {
        kind: "vault-stall",
        place: Place::Vault,
        cautions: &[],
        summary: "The vault does not answer where this path is asked for, until the client gives up.",
        example_toml: r#"
kind = "vault-stall"
path = "secret/data/linktree"
"#,
    };

    fn decide(&self, request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        vault_path::effect(&self.path, request, Effect::Stall { at: StallAt::BeforeHead })
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
    fn it_is_silent_about_its_own_path_alone() {
        let fault = VaultStall { path: "secret/*".into() };
        let decided = |path: &str| {
            fault.decide(&RequestView::vault("GET", path), &mut Roll::new(7, "rule", path, 0))
        };
        assert_eq!(decided("secret/x"), Effect::Stall { at: StallAt::BeforeHead });
        assert_eq!(decided("sys/health"), Effect::Pass);
        assert_eq!(VaultStall { path: String::new() }.mistakes().len(), 1);
    }
}

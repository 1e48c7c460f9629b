//! The vault answers an error: sealed, down, or without the secret.

use super::registry::status_within;
use super::{Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll, vault_path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer in place of what was asked for; nothing is handed out and nothing is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultStatus {
    /// The status, 400 to 599.
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
    /// The path below `/v1/`, or its beginning with a `*` behind it.
    #[schemars(length(min = 1, max = 256))]
    pub path: String,
}

impl Decide for VaultStatus {
    const INFO: FaultInfo = FaultInfo {
        kind: "vault-status",
        place: Place::Vault,
        cautions: &[],
        summary: "The vault answers an error where this path is asked for, and hands nothing out.",
        example_toml: r#"
kind = "vault-status"
status = 503
path = "secret/data/linktree"
"#,
    };

    fn decide(&self, request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        vault_path::effect(
            &self.path,
            request,
            Effect::Answer { status: self.status, retry_after: None },
        )
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let status = status_within("status", self.status, 400, 599);
        status.into_iter().chain(vault_path::mistake(&self.path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_decides_about_its_own_path_alone() {
        let fault = VaultStatus { status: 404, path: "secret/data/linktree".into() };
        let decided = |path: &str| {
            fault.decide(&RequestView::vault("GET", path), &mut Roll::new(7, "rule", path, 0))
        };
        let answer = Effect::Answer { status: 404, retry_after: None };
        assert_eq!(decided("secret/data/linktree"), answer);
        assert_eq!(decided("secret/data/linktree-staging"), Effect::Pass);
        let keys = VaultStatus { status: 200, path: "/v1".into() }.mistakes();
        assert_eq!(keys.iter().map(|one| one.key).collect::<Vec<_>>(), ["status", "path"]);
    }
}

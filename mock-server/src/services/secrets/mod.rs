//! The secrets managers that hand out the run's credentials, each on a port of its own: the same secret, the
//! same versions and rotations through each. One listens only where a configuration asks for it.
//!
//! What they have in common stands in `manager`: what is recorded of a request, and what a plan lets go wrong.

mod aws;
mod checksum;
mod gcp;
mod manager;
mod sigv4;
pub mod vault;

pub use aws::{ACCESS_KEY_ID, CREDENTIALS_PATH, REGION};
pub use gcp::PROJECT;

use crate::contract::SecretsManager;
use crate::history::record::SecretRead;
use crate::keyring::{Environment, Version};
use crate::services::ServiceContext;
use axum::Router;
use serde_json::json;
use std::sync::Arc;

/// The names of the secrets, and whose they are.
const NAMES: [(&str, Environment); 2] =
    [("linktree", Environment::Live), ("linktree-staging", Environment::Test)];

/// What the secret of an environment is called.
#[must_use]
pub const fn name_of(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => NAMES[0].0,
        Environment::Test => NAMES[1].0,
    }
}

/// Whose secret has this name.
fn owner(name: &str) -> Option<Environment> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, owner)| *owner)
}

/// Whether this is a read of what the secret of an environment holds, whatever became of it.
#[must_use]
pub fn is_read_of(read: &SecretRead, environment: Environment) -> bool {
    let name = name_of(environment);
    match read.manager {
        SecretsManager::Vault => read.path == vault::path_of(environment),
        SecretsManager::Aws => read.method == aws::GET && read.path == name,
        SecretsManager::Gcp => gcp::is_access(&read.path, name),
    }
}

/// What a version of the secret holds, as the text that those managers keep who keep a text.
fn payload(version: &Version) -> String {
    json!({ "api_key": version.api_key, "webhook_secret": version.webhook_secret }).to_string()
}

/// The routes of one of them.
pub(crate) fn router(manager: SecretsManager, context: Arc<ServiceContext>) -> Router {
    match manager {
        SecretsManager::Vault => manager::router::<vault::Vault>(context),
        SecretsManager::Aws => manager::router::<aws::Aws>(context),
        SecretsManager::Gcp => manager::router::<gcp::Gcp>(context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;

    #[test]
    fn a_read_is_known_by_whose_secret_it_is_in_each_managers_words() {
        let check = |manager, method: &str, path: &str, expected: [bool; 2]| {
            let read = SecretRead {
                at: Moment::ZERO,
                manager,
                method: method.to_owned(),
                path: path.to_owned(),
                namespace: None,
                token: "run".to_owned(),
                status: 200,
                version: Some(1),
                faults: vec![],
            };
            let found = [Environment::Live, Environment::Test].map(|of| is_read_of(&read, of));
            assert_eq!(found, expected, "{path}");
        };
        use SecretsManager::{Aws, Gcp, Vault};
        check(Vault, "GET", "/v1/secret/data/linktree", [true, false]);
        check(Vault, "GET", "/v1/secret/data/linktree-staging", [false, true]);
        check(Vault, "GET", "/v1/secret/metadata/linktree", [false, false]);
        check(Aws, "GetSecretValue", "linktree", [true, false]);
        check(Aws, "GetSecretValue", "linktree-staging", [false, true]);
        check(Aws, "DescribeSecret", "linktree", [false, false]);
        let gcp = |rest: &str| format!("/v1/projects/p/secrets/{rest}");
        check(Gcp, "GET", &gcp("linktree/versions/latest:access"), [true, false]);
        check(Gcp, "GET", &gcp("linktree-staging/versions/3:access"), [false, true]);
        check(Gcp, "GET", &gcp("linktree/versions/latest"), [false, false]);
    }
}

//! The same in staging, with the places changed: the vault fails and has the production key at hand. Left out
//! where nobody tells the integration in which environment it runs.

use super::{ScenarioInfo, Settings, wrong_environment};
use crate::plan::{KeyPlan, Plan};
use mock_server::keyring::Environment;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "wrong-environment-in-staging",
    summary: "Staging: the vault fails while the key is rotated, and has the live key at hand",
    tags: &["keys", "vault"],
    guarantees: &["environment-separation"],
    build,
};

fn build(settings: &Settings) -> Plan {
    let environment = Environment::Test;
    let key = KeyPlan { environment: Some(environment), ..KeyPlan::default() };
    Plan { key, ..wrong_environment::storm(&INFO, settings, environment) }
}

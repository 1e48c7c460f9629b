//! What the key is with which a scenario begins, where it is not the contract's.

use super::Declared;
use mock_server::keyring::Environment;
use mock_server::profile::ContractProfile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The key that the vault hands out when a scenario begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyPlan {
    /// How old it is by its `created_at`, real days; `keys.age_days` of the contract where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 36_500))]
    pub age_days: Option<u32>,
    /// What it is good for; absent, what the integration declares that it uses, or else `keys.scopes` of
    /// the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), inner(length(max = 64)))]
    pub scopes: Option<Vec<String>>,
    /// Of which environment it is, and the mock with it; `keys.environment` of the contract where it is
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
}

impl KeyPlan {
    /// Whether nothing is said of it.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The environment in which the scenario happens.
    #[must_use]
    pub fn environment(&self, contract: &ContractProfile) -> Environment {
        self.environment.unwrap_or(contract.keys.environment)
    }

    /// The contract with this key in it, for an integration that declares so.
    #[must_use]
    pub fn in_contract(&self, contract: &ContractProfile, declared: &Declared) -> ContractProfile {
        let mut contract = contract.clone();
        if let Some(age_days) = self.age_days {
            contract.keys.age_days = age_days;
        }
        if let Some(scopes) = self.scopes.as_ref().or(declared.scopes.as_ref()) {
            contract.keys.scopes.clone_from(scopes);
        }
        contract.keys.environment = self.environment(&contract);
        contract
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenarios_key_goes_before_what_is_declared_and_that_before_the_contract() {
        let contract = ContractProfile::linktree_v1();
        let scopes = |plan: Option<&str>, declared: Option<&str>| {
            let list = |scope: &str| vec![scope.to_owned()];
            let declared = Declared { scopes: declared.map(list), ..Declared::default() };
            let key = KeyPlan { scopes: plan.map(list), age_days: Some(91), environment: None };
            let keys = key.in_contract(&contract, &declared).keys;
            assert_eq!(keys.age_days, 91);
            keys.scopes
        };
        assert_eq!(scopes(None, None), contract.keys.scopes);
        assert_eq!(scopes(None, Some("links:write")), ["links:write"]);
        assert_eq!(scopes(Some("links:read"), Some("links:write")), ["links:read"]);
        assert_eq!(KeyPlan::default().in_contract(&contract, &Declared::default()), contract);
        let staging = KeyPlan { environment: Some(Environment::Test), ..KeyPlan::default() };
        let keys = staging.in_contract(&contract, &Declared::default()).keys;
        assert_eq!(keys.environment, Environment::Test);
    }
}

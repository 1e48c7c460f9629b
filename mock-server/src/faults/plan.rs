//! A fault plan as text: rules, and if it likes the creators and what happens to them, in TOML or JSON.

use super::{FaultKind, Rule};
use crate::world::TimedEvent;
use crate::world::population::Population;
use serde::{Deserialize, Serialize};

/// What a plan file of the mock alone may hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// The rules, in plan order.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Who has an account; the built-in creators when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<Population>,
    /// What happens in the world, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub world: Vec<TimedEvent>,
}

impl FaultPlan {
    /// Reads a plan from TOML.
    ///
    /// # Errors
    ///
    /// The parser's word, with line, column and key.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Reads a plan from JSON.
    ///
    /// # Errors
    ///
    /// The parser's word, with line, column and key.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// A rule that the mock alone can never carry out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to use the rule {id:?}: the fault {kind} acts on the integration's process, which only \
     `windthrow run` owns; take the rule out"
)]
pub struct NotAlone {
    /// The rule.
    pub id: String,
    /// The fault.
    pub kind: FaultKind,
}

/// Refuses rules that only the harness can carry out.
///
/// # Errors
///
/// [`NotAlone`] for the first rule that acts on a process.
pub fn check_alone(rules: &[Rule]) -> Result<(), NotAlone> {
    match rules.iter().find(|rule| rule.fault.as_process().is_some()) {
        None => Ok(()),
        Some(rule) => Err(NotAlone { id: rule.id.clone(), kind: rule.fault.kind() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Route;
    use crate::faults::{Fault, Status};

    const TOML: &str = r#"
[[rules]]
id = "down"
matcher = { routes = ["profile"] }
fault = { kind = "status", codes = [503] }
"#;

    #[test]
    fn toml_and_json_mean_the_same() {
        let status = Fault::Status(Status { codes: vec![503], retry_after: vec![] });
        let rules = vec![Rule::new("down", status).on(Route::Profile)];
        let plan = FaultPlan { rules, ..FaultPlan::default() };
        assert_eq!(FaultPlan::from_toml(TOML).unwrap(), plan);
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(FaultPlan::from_json(&json).unwrap(), plan);
    }

    #[test]
    fn a_wrong_key_is_refused_with_its_line() {
        let check = |from: &str, to: &str, words: &[&str]| {
            let error = FaultPlan::from_toml(&TOML.replace(from, to)).unwrap_err().to_string();
            for word in words {
                assert!(error.contains(word), "{word}: {error}");
            }
        };
        check("[[rules]]", "[[ruels]]", &["line 2", "ruels"]);
        check("matcher", "macher", &["line 4", "macher"]);
        check("codes", "cods", &["line 5", "cods"]);
        check("\"status\"", "\"stats\"", &["line 5", "stats"]);
    }
}

//! Says what was run: everything needed to tell two runs apart or to repeat one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a run consisted of.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The seed, as text: JSON readers lose the low bits of large numbers.
    pub seed: String,
    /// The hash of the plan that was run.
    pub plan_hash: String,
    /// The SHA-256 of the configuration file; absent where none was read.
    #[serde(default)]
    pub config_hash: Option<String>,
    /// The profile: `quick`, `nightly`, `soak`.
    pub profile: String,
    /// How much faster than real the run's long times passed; 1 is real time.
    pub time_scale: f64,
    /// The contract that the promises were judged against.
    pub contract: Contract,
    /// The integration under test.
    pub target: TargetIdentity,
    /// The machine that ran it.
    pub machine: Machine,
    /// Versions worth knowing when two runs differ, by name.
    pub versions: BTreeMap<String, String>,
}

/// The contract profile that gave the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Contract {
    /// The profile's name.
    pub name: String,
    /// Whether its numbers are assumed and not published by Linktree.
    pub assumed: bool,
}

/// The integration under test.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TargetIdentity {
    /// How it was reached: `embedded`, `spawn`, `url`.
    pub kind: String,
    /// Its name, command or address, without secrets.
    pub name: String,
    /// Which build it was, as the configuration, or the target itself, says.
    #[serde(default)]
    pub version: Option<String>,
    /// The defect that was put into the embedded integration on purpose.
    pub mutant: Option<String>,
}

/// The machine that generated the load.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// How many cores the run could use.
    pub cores: u32,
    /// The operating system and architecture.
    pub os: String,
}

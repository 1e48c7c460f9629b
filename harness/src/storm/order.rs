//! What the parent asks of the process that carries out one scenario.

use crate::config::model::Observe;
use crate::config::target::TargetSpec;
use scenarios::front_door::FrontDoor;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the parent asks of the child, on its command line as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The run's plan file.
    pub plan: PathBuf,
    /// Its SHA-256.
    pub plan_hash: String,
    /// The scenario's id.
    pub scenario: String,
    /// The scenario's folder.
    pub folder: PathBuf,
    /// What is tested.
    pub target: TargetSpec,
    /// How its routes are spelled.
    pub front_door: FrontDoor,
    /// What is seen of it beside its answers.
    pub observe: Observe,
    /// A reference to the secret that signs creators' sessions; drawn from the seed when absent.
    pub session_secret: Option<String>,
    /// What references to files are relative to.
    pub config_folder: PathBuf,
}

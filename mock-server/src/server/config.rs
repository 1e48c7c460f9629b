//! What a mock needs to know before it starts, and why it may refuse.

use crate::clock::Clock;
use crate::contract::SecretsManager;
use crate::edge::Tuning;
use crate::faults::Rule;
use crate::faults::engine::PlanError;
use crate::faults::plan::NotAlone;
use crate::history::History;
use crate::history::record::Recorder;
use crate::listen::Listen;
use crate::profile::ContractProfile;
use crate::ranges::OutOfRange;
use crate::routes::OwnRoute;
use crate::services::alerts::AlertFields;
use crate::serving::Bounds;
use crate::tls::Authority;
use crate::world::population::{Population, PopulationError};
use crate::world::{TimedEvent, WorldError};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Everything that a mock needs to know.
pub struct MockConfig {
    /// The assumed contract.
    pub profile: ContractProfile,
    /// Contract durations are divided by this.
    pub time_scale: u32,
    /// Creators, keys, versions, nonces and fault decisions derive from this.
    pub seed: u64,
    /// Who has an account.
    pub population: Population,
    /// What happens in the world, and when.
    pub world: Vec<TimedEvent>,
    /// The fault plan.
    pub rules: Vec<Rule>,
    /// Where to listen, and for whom.
    pub listen: Listen,
    /// How to read alerts whose shape their sender has chosen.
    pub alert_fields: AlertFields,
    /// The public port; 0 for any.
    pub port: u16,
    /// The run's clock.
    pub clock: Clock,
    /// Where exchanges go.
    pub recorder: Arc<dyn Recorder>,
    /// The secrets managers that listen.
    pub secrets: Vec<SecretsManager>,
    /// The token that they expect: AWS Secrets Manager as the secret access key.
    pub vault_token: String,
    /// The port of the first of them; 0 for any.
    pub vault_port: u16,
    /// Whose certificates all servers show; none for plain HTTP.
    pub tls: Option<Authority>,
}

/// What only an embedding program, the mock alone, or a test sets.
pub(crate) struct Extras {
    pub own: Vec<OwnRoute>,
    /// Where records go instead of the configuration's recorder.
    pub history: Option<History>,
    pub tuning: Tuning,
    /// Of the ports beside the edge.
    pub bounds: Bounds,
}

impl Default for Extras {
    fn default() -> Self {
        let (tuning, bounds) = (Tuning::default(), Bounds::default());
        Self { own: Vec::new(), history: None, tuning, bounds }
    }
}

/// Why the mock could not start.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The contract has a value that no mock can serve.
    #[error("failed to use the contract profile: {0}")]
    Profile(OutOfRange),
    /// The population is not lawful.
    #[error(transparent)]
    Population(#[from] PopulationError),
    /// The fault plan is not executable.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An event of the world cannot happen.
    #[error("world[{index}]: {source}")]
    World {
        /// Which event of the plan, from 0.
        index: usize,
        /// Why.
        source: WorldError,
    },
    /// A rule of an embedded mock is for the harness.
    #[error(transparent)]
    Process(#[from] NotAlone),
    /// Somebody else has the port.
    #[error("failed to listen on {at}: the port is in use; give another, or 0 for any")]
    PortInUse {
        /// Address and port.
        at: SocketAddr,
    },
    /// Another refusal of the operating system.
    #[error("failed to start the mock on {at}: {source}")]
    Start {
        /// Address and port.
        at: SocketAddr,
        /// The operating system's word.
        source: io::Error,
    },
}

//! Builds a mock with sensible defaults, for a test that embeds it.

use crate::clock::Clock;
use crate::contract::SecretsManager;
use crate::faults::Rule;
use crate::faults::plan::FaultPlan;
use crate::history::record::Recorder;
use crate::history::{History, KEPT};
use crate::listen::Listen;
use crate::profile::ContractProfile;
use crate::routes::OwnRoute;
use crate::server::{Extras, MockConfig, MockError, MockLinktree};
use crate::tls::Authority;
use crate::world::TimedEvent;
use crate::world::population::{Group, Population};
use std::net::IpAddr;
use std::sync::Arc;
use wiremock::Mock;

/// The vault's token, unless another is set. It protects nothing: the vault is a mock, too.
pub const VAULT_TOKEN: &str = "windthrow-vault";

/// A mock before it runs; see [`MockLinktree::builder`].
pub struct Builder {
    /// Its recorder is put in place at the start.
    config: MockConfig,
    onward: Option<Arc<dyn Recorder>>,
    kept: usize,
    armed: bool,
    extras: Extras,
}

impl MockLinktree {
    /// A mock of the built-in contract with five creators, `creator-0001` to `creator-0005`, no
    /// faults, seed 7, true time, on any port of loopback. It is armed when it starts.
    #[must_use]
    pub fn builder() -> Builder {
        let config = MockConfig {
            profile: ContractProfile::linktree_v1(),
            time_scale: 1,
            seed: 7,
            population: default_population(),
            world: Vec::new(),
            rules: Vec::new(),
            listen: Listen::default(),
            alert_fields: Default::default(),
            port: 0,
            clock: Clock::start(),
            recorder: Arc::new(History::new(0, None)),
            secrets: vec![SecretsManager::Vault],
            vault_token: VAULT_TOKEN.to_owned(),
            vault_port: 0,
            tls: None,
        };
        Builder { config, onward: None, kept: KEPT, armed: true, extras: Extras::default() }
    }
}

fn default_population() -> Population {
    let group = Group {
        prefix: "creator".into(),
        count: 5,
        min_links: 3,
        max_links: 8,
        ..Group::default()
    };
    Population { groups: vec![group] }
}

impl Builder {
    /// Another contract.
    #[must_use]
    pub fn profile(mut self, profile: ContractProfile) -> Self {
        self.config.profile = profile;
        self
    }

    /// Divides contract durations by this.
    #[must_use]
    pub fn time_scale(mut self, scale: u32) -> Self {
        self.config.time_scale = scale;
        self
    }

    /// Other creators, credentials and fault decisions.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Who has an account.
    #[must_use]
    pub fn population(mut self, population: Population) -> Self {
        self.config.population = population;
        self
    }

    /// What happens in the world, and when.
    #[must_use]
    pub fn world(mut self, events: Vec<TimedEvent>) -> Self {
        self.config.world = events;
        self
    }

    /// One more rule from the start.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.config.rules.push(rule);
        self
    }

    /// Everything that a plan names; see [`FaultPlan::from_toml`] and [`FaultPlan::from_json`].
    #[must_use]
    pub fn plan(mut self, plan: FaultPlan) -> Self {
        self.config.rules.extend(plan.rules);
        self.config.world.extend(plan.world);
        if let Some(population) = plan.population {
            self.config.population = population;
        }
        self
    }

    /// A route of your own beside ours, with wiremock's matchers.
    ///
    /// It is a function, because the mock replaces the wiremock server behind it every 5,000
    /// requests and mounts the route again; counters such as `up_to_n_times` then start anew. Do
    /// not use `expect`: ask [`MockLinktree::history`] instead, where these requests are like all
    /// others, as [`crate::contract::Route::Unknown`]. Routes of the contract win over it, unless
    /// it has a priority below 5. Rules decide about routes of the contract only, so no fault
    /// hits it. No key is needed, and no limit counts. It has
    /// to answer within 10 s.
    #[must_use]
    pub fn route(mut self, make: impl Fn() -> Mock + Send + Sync + 'static) -> Self {
        let make: OwnRoute = Box::new(make);
        self.extras.own.push(make);
        self
    }

    /// Listens on this port instead of any.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.config.port = port;
        self
    }

    /// Listens on this address instead of loopback; see [`Builder::listen`].
    #[must_use]
    pub fn host(mut self, host: IpAddr) -> Self {
        self.config.listen.host = host;
        self
    }

    /// Listens there instead of on loopback, vault and alert receiver included. The mock has no
    /// protection but [`Listen::peers`]: whoever else reaches it may call it.
    #[must_use]
    pub fn listen(mut self, listen: Listen) -> Self {
        self.config.listen = listen;
        self
    }

    /// Counts time on this clock, so that its moments can be compared with others.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.config.clock = clock;
        self
    }

    /// Hands every record on, for example to a [`crate::history::RecordFile`].
    #[must_use]
    pub fn recorder(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.onward = Some(recorder);
        self
    }

    /// Keeps so many records in memory instead of [`KEPT`].
    #[must_use]
    pub fn keep(mut self, records: usize) -> Self {
        self.kept = records;
        self
    }

    /// These secrets managers hand the credentials out, instead of the vault alone; see
    /// [`MockLinktree::secrets_url`].
    #[must_use]
    pub fn secrets(mut self, managers: &[SecretsManager]) -> Self {
        self.config.secrets = managers.to_vec();
        self
    }

    /// The token that they expect: AWS Secrets Manager as the secret access key.
    #[must_use]
    pub fn vault_token(mut self, token: impl Into<String>) -> Self {
        self.config.vault_token = token.into();
        self
    }

    /// Speaks TLS, vault and alert receiver included; clients must trust the authority.
    #[must_use]
    pub fn tls(mut self, authority: Authority) -> Self {
        self.config.tls = Some(authority);
        self
    }

    /// No fault and nothing of the world's plan happens before [`MockLinktree::arm`].
    #[must_use]
    pub fn unarmed(mut self) -> Self {
        self.armed = false;
        self
    }

    /// Starts the mock. Dropping it stops it.
    ///
    /// # Errors
    ///
    /// [`MockError`] when population or rules cannot be used, or the port cannot be had.
    pub fn start(self) -> Result<MockLinktree, MockError> {
        let Self { mut config, onward, kept, armed, mut extras } = self;
        crate::faults::plan::check_alone(&config.rules)?;
        let history = History::new(kept, onward);
        config.recorder = Arc::new(history.clone());
        extras.history = Some(history);
        let clock = config.clock;
        let mock = MockLinktree::start_with(config, extras)?;
        if armed {
            mock.arm(clock.now());
        }
        Ok(mock)
    }
}

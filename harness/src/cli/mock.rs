//! The arguments of `mock`.

use super::seed;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use mock_server::contract::SecretsManager;
use mock_server::listen::{IpNet, network};
use std::net::IpAddr;
use std::path::PathBuf;

/// What the mock alone can do.
#[derive(Debug, Subcommand)]
pub enum MockCommand {
    /// Serve until Ctrl-C or SIGTERM, with a control API
    Serve(MockServeArgs),
}

/// Arguments of `mock serve`.
#[derive(Debug, Args)]
pub struct MockServeArgs {
    /// The mock's port; 0 for any
    #[arg(long, default_value_t = 4010, value_name = "N")]
    pub port: u16,
    /// The address of mock, vault and alert receiver; whoever reaches it may call it, unless --peer says who
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub host: IpAddr,
    /// What services call this machine in place of that address, such as host.docker.internal
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Who may call beside this machine: an address or a network (172.17.0.0/16); may be repeated
    #[arg(long = "peer", value_name = "NET", value_parser = network)]
    pub peers: Vec<IpNet>,
    /// The control API's port; the one after --port when absent
    #[arg(long, value_name = "N")]
    pub control_port: Option<u16>,
    /// The control API's address; elsewhere than on loopback it needs a token
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub control_host: IpAddr,
    /// The control API's bearer token
    #[arg(long, env = "WINDTHROW_CONTROL_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub control_token: Option<String>,
    /// The seed of creators, credentials and fault decisions
    #[arg(long, env = "WINDTHROW_SEED", default_value = "7", value_name = "N", value_parser = seed)]
    pub seed: u64,
    /// Who hands the credentials out; may be repeated, and no other listens
    #[arg(long = "secrets", default_value = "vault", value_name = "MANAGER", value_parser = manager())]
    pub secrets: Vec<SecretsManager>,
    /// Rules, and if you like creators and what happens in their world (TOML, or JSON in *.json)
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Another contract profile (TOML)
    #[arg(long, value_name = "FILE")]
    pub profile_file: Option<PathBuf>,
    /// Divide contract durations by this
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60))]
    pub time_scale: u32,
    /// Speak TLS, and write the certificate of the authority of this mock to this file (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_ca_file: Option<PathBuf>,
    /// Append everything that happens to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
}

/// A secrets manager by its name.
fn manager() -> impl TypedValueParser<Value = SecretsManager> {
    PossibleValuesParser::new(SecretsManager::ALL.map(SecretsManager::name)).map(|name| {
        let mut all = SecretsManager::ALL.into_iter();
        all.find(|manager| manager.name() == name).unwrap_or_default()
    })
}

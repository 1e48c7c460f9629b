//! What a target is given: its command line, its environment, and the addresses and secrets in them.

use crate::config::managers::manager_of;
use crate::config::target::TargetSpec;
use crate::config::template;
use crate::process::guard::Launch;
use crate::process::port::free_port_of;
use crate::storm::observe::receiver::Receiver;
use crate::storm::observe::search::Search;
use mock_server::contract::SecretsManager;
use mock_server::keyring::Environment;
use mock_server::services::{secrets, vault};
use scenarios::front_door::ALLOWED_ORIGIN;
use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What libraries and programs call the file of the authorities that they trust: OpenSSL and Go, Node,
/// Python's requests, and whoever wants to know it by our name.
const CA_VARIABLES: [&str; 4] =
    ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "WINDTHROW_CA_FILE"];

/// What the target is given.
pub struct Surroundings<'a> {
    /// The binary that contains the reference integration.
    pub program: &'a Path,
    /// The mock, without `/v1`.
    pub mock_url: String,
    /// Who hands the credentials out.
    pub secrets_manager: SecretsManager,
    /// Where that one is.
    pub secrets_url: String,
    /// What opens it: the vault's token, GCP's bearer token, AWS's secret access key.
    pub vault_token: String,
    /// Role and secret to log in with at the vault instead.
    pub vault_role: [String; 2],
    /// Where alerts go.
    pub alerts_url: String,
    /// Where metrics go, if they are pushed.
    pub receiver: Option<&'a Receiver>,
    /// The run's credentials.
    pub secrets: Secrets,
    /// Kept across restarts within one scenario.
    pub data_dir: &'a Path,
    /// In which environment it runs.
    pub environment: Environment,
    /// What contract durations are divided by.
    pub time_scale: u32,
    /// The certificate of the authority of mock, vault and alert receiver, in a file; none where neither
    /// they speak TLS nor the target asks for it.
    pub ca_file: Option<PathBuf>,
    /// Whether they speak TLS.
    pub tls: bool,
    /// For whatever the target wants to seed.
    pub seed: u64,
    /// Where its output goes; every start appends.
    pub log: &'a Path,
    /// What its output is searched with.
    pub search: &'a Arc<Search>,
}

/// The run's credentials.
#[derive(Clone)]
pub struct Secrets {
    /// The key for Linktree.
    pub api_key: String,
    /// Signs webhooks.
    pub webhook: String,
    /// Signs creators' sessions.
    pub session: String,
}

/// The ports that a target is given, and the address at which it listens.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub host: IpAddr,
    pub front: u16,
    pub metrics: u16,
}

impl Ports {
    /// Ports that were free a moment ago.
    pub fn free(spec: &TargetSpec) -> io::Result<Self> {
        let host = match spec {
            TargetSpec::Spawn { command, .. } => command.host(),
            TargetSpec::Embedded { .. } | TargetSpec::Url { .. } => Ipv4Addr::LOCALHOST.into(),
        };
        Ok(Self { host, front: free_port_of(host)?, metrics: free_port_of(host)? })
    }

    /// The address of the target, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", SocketAddr::new(self.host, self.front))
    }

    /// What stands for a template's name, if that is a port.
    pub fn value(&self, name: &str) -> Option<String> {
        let [front, metrics] = template::PORTS;
        match name {
            _ if name == front => Some(self.front.to_string()),
            _ if name == metrics => Some(self.metrics.to_string()),
            _ => None,
        }
    }
}

/// The command line and environment of a target that the harness starts.
pub(super) fn command(spec: &TargetSpec, around: &Surroundings<'_>, ports: Ports) -> Launch {
    let TargetSpec::Spawn { command: spawn, folder } = spec else {
        let mut args: Vec<OsString> = vec!["__reference".into()];
        args.extend(spec.mutant().map(OsString::from));
        let [role_id, secret_id] = around.vault_role.clone();
        let env: [(&str, OsString); 14] = [
            ("PORT", ports.front.to_string().into()),
            ("PUBLIC_URL", ports.url().into()),
            ("LINKTREE_URL", around.mock_url.clone().into()),
            ("VAULT_URL", around.secrets_url.clone().into()),
            ("VAULT_TOKEN", around.vault_token.clone().into()),
            ("VAULT_SECRET", around.vault_secret().into()),
            ("VAULT_ROLE_ID", role_id.into()),
            ("VAULT_SECRET_ID", secret_id.into()),
            ("ALERTS_URL", around.alerts_url.clone().into()),
            ("SESSION_SECRET", around.secrets.session.clone().into()),
            ("ALLOWED_ORIGIN", ALLOWED_ORIGIN.into()),
            ("DATA_DIR", around.data_dir.into()),
            ("TIME_SCALE", around.time_scale.to_string().into()),
            ("SEED", around.seed.to_string().into()),
        ];
        let mut env: Vec<(OsString, OsString)> =
            env.map(|(name, value)| (name.into(), value)).into();
        env.extend(around.ca_variables());
        return Launch {
            program: around.program.into(),
            args,
            env,
            folder: None,
            // The reference ends with it, even when the guard is killed, too.
            lifeline: true,
        };
    };
    let fill = |text: &String| template::filled(text, |name| around.value(name, ports));
    let handed_on = |name: &String| Some((name.into(), std::env::var_os(name)?));
    let mut env: Vec<(OsString, OsString)> = spawn.pass_env.iter().filter_map(handed_on).collect();
    env.extend(around.ca_variables());
    env.extend(spawn.env.iter().map(|(name, value)| (name.into(), fill(value).into())));
    Launch {
        program: fill(&spawn.command[0]).into(),
        args: spawn.command[1..].iter().map(|word| fill(word).into()).collect(),
        env,
        folder: Some(folder.join(&spawn.cwd)),
        lifeline: false,
    }
}

impl Surroundings<'_> {
    /// Tells whatever the target is written in whom to trust. What its configuration says comes first.
    fn ca_variables(&self) -> Vec<(OsString, OsString)> {
        let file = self.ca_file.iter().filter(|_| self.tls);
        file.flat_map(|file| CA_VARIABLES.map(|name| (name.into(), file.into()))).collect()
    }

    /// Where the vault keeps the secret of its environment, below `/v1/`.
    fn vault_secret(&self) -> &'static str {
        vault::path_of(self.environment).trim_start_matches("/v1/")
    }

    /// What stands for a template's name.
    fn value(&self, name: &str, ports: Ports) -> Option<String> {
        Some(match name {
            "front.url" => ports.url(),
            "mock.url" => self.mock_url.clone(),
            _ if manager_of(name).is_some_and(|of| of != self.secrets_manager) => return None,
            "vault.url" | "aws.url" | "gcp.url" => self.secrets_url.clone(),
            "aws.region" => secrets::REGION.to_owned(),
            "aws.access_key_id" => secrets::ACCESS_KEY_ID.to_owned(),
            "aws.secret_access_key" | "gcp.token" => self.vault_token.clone(),
            "aws.credentials_url" => format!("{}{}", self.secrets_url, secrets::CREDENTIALS_PATH),
            "aws.secret_id" | "gcp.secret" => secrets::name_of(self.environment).to_owned(),
            "gcp.project" => secrets::PROJECT.to_owned(),
            "gcp.metadata_host" => {
                let (_, host) = self.secrets_url.split_once("//")?;
                host.to_owned()
            }
            "vault.token" => self.vault_token.clone(),
            "vault.role_id" => self.vault_role[0].clone(),
            "vault.secret_id" => self.vault_role[1].clone(),
            "vault.secret" => self.vault_secret().to_owned(),
            "environment" => self.environment.name().to_owned(),
            "alerts.url" => self.alerts_url.clone(),
            "secret.api_key" => self.secrets.api_key.clone(),
            "secret.webhook" => self.secrets.webhook.clone(),
            "secret.session" => self.secrets.session.clone(),
            "data_dir" => self.data_dir.display().to_string(),
            "time_scale" => self.time_scale.to_string(),
            "seed" => self.seed.to_string(),
            "allowed_origin" => ALLOWED_ORIGIN.to_owned(),
            "ca_file" => self.ca_file.as_ref()?.display().to_string(),
            name => return ports.value(name).or_else(|| self.receiver?.value(name)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::Spawn;

    fn ports(host: &str) -> Ports {
        let text = format!("command = [\"x\"]\nhost = \"{host}\"\n");
        let command: Spawn = toml::from_str(&text).unwrap();
        Ports::free(&TargetSpec::Spawn { command, folder: ".".into() }).unwrap()
    }

    #[test]
    fn a_target_has_a_port_of_its_own_and_another_for_its_metrics() {
        let ports = ports("127.0.0.1");
        assert_ne!(ports.front, ports.metrics);
        let filled = |text: &str| template::filled(text, |name| ports.value(name));
        assert_eq!(filled("{port} {metrics_port}"), format!("{} {}", ports.front, ports.metrics));
        assert_eq!(filled("{seed}"), "{seed}");
        assert_eq!(ports.url(), format!("http://127.0.0.1:{}", ports.front));
    }

    #[test]
    fn an_address_of_ipv6_stands_in_brackets() {
        let ports = ports("::1");
        assert_eq!(ports.url(), format!("http://[::1]:{}", ports.front));
    }
}

//! The keys of `windthrow.toml`; the JSON schema and every check of names and types follow from it.

use super::alerts::AlertTexts;
use crate::metrics::MetricNames;
use mock_server::contract::SecretsManager;
use mock_server::listen::{Listen, network};
use mock_server::services::alerts::AlertFields;
use reports::report::Severity;
use scenarios::front_door::FrontDoor;
use scenarios::plan::{Bounds, Declared};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// A whole configuration file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// What is tested: exactly one of `spawn`, `url` and `embedded`.
    pub target: TargetSection,
    /// Where the mock listens, for whom, and whether it encrypts.
    pub mock: MockSection,
    /// How the integration's own routes are spelled.
    pub front_door: FrontDoor,
    /// What the integration says of its own policy; contract time.
    pub declared: Declared,
    /// What is seen of the integration beside its answers; all of it is optional.
    pub observe: Observe,
    /// What is asked of the load generator itself.
    pub generator: GeneratorSection,
    /// Severity, bounds and exercise minimums by guarantee.
    pub guarantee: BTreeMap<String, Guarantee>,
    /// Secrets by reference: `env:NAME` or `file:PATH`, never the secret itself; and the manager of those
    /// that the run hands out.
    pub secrets: Secrets,
}

impl File {
    /// The bounds that it sets.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let own = |(id, settings): (&String, &Guarantee)| (id.clone(), settings.bounds.clone());
        self.guarantee.iter().map(own).collect()
    }
}

/// The integration under test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetSection {
    /// Which build it is, as the report is to say it, such as a version or a commit.
    pub version: Option<String>,
    /// A command that prints that on its first line; it is started beside this file.
    pub version_command: Option<Vec<String>>,
    /// A route of what runs already that answers with it.
    pub version_route: Option<String>,
    /// A command that the harness starts, stops and kills.
    pub spawn: Option<Spawn>,
    /// Something that is running already.
    pub url: Option<Running>,
    /// The reference integration, or a mutant of it.
    pub embedded: Option<Embedded>,
}

/// A command. Arguments and environment may hold templates such as `{port}` and `{mock.url}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spawn {
    /// The program and its arguments, which stand in reports and which every user of the machine may read.
    #[schemars(example = ["node", "server.js"])]
    pub command: Vec<String>,
    /// The address at which it listens.
    #[serde(default = "loopback")]
    pub host: String,
    /// Addresses beyond loopback at which it may be put under load.
    #[serde(default)]
    pub allow_hosts: Vec<String>,
    /// Where it is started, relative to this file.
    #[serde(default = "here")]
    pub cwd: String,
    /// Its environment. Names are written in the run's folder, values nowhere.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Variables of the harness's own environment that are handed on.
    #[serde(default = "usual_env")]
    pub pass_env: Vec<String>,
    /// The path that answers 2xx once it is ready.
    #[serde(default = "healthz")]
    pub ready: String,
    /// How long it may take to become ready, real milliseconds.
    #[serde(default = "twenty_seconds")]
    #[schemars(range(min = 1, max = 600_000))]
    pub ready_within_ms: u64,
    /// The signal that asks it to end.
    #[serde(default)]
    pub stop_signal: StopSignal,
    /// How long it may take to end before it is killed, real milliseconds.
    #[serde(default = "five_seconds")]
    #[schemars(range(min = 0, max = 60_000))]
    pub stop_within_ms: u64,
}

impl Spawn {
    /// The address at which it listens; what is none was refused when the file was read.
    #[must_use]
    pub fn host(&self) -> IpAddr {
        address(&self.host)
    }
}

/// Signals that ask a process to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StopSignal {
    /// SIGTERM.
    #[default]
    #[serde(rename = "TERM")]
    Term,
    /// SIGINT.
    #[serde(rename = "INT")]
    Int,
    /// SIGQUIT.
    #[serde(rename = "QUIT")]
    Quit,
}

/// Something that is running already, and calls the mock at fixed addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Running {
    /// `http://host:port` of the integration.
    #[schemars(example = "http://127.0.0.1:8080")]
    pub base: String,
    /// Hosts beyond loopback that may be put under load.
    #[serde(default)]
    pub allow_hosts: Vec<String>,
    /// The port at which the integration expects the mock.
    #[schemars(example = 4010)]
    #[schemars(range(min = 1, max = 65_535))]
    pub mock_port: u16,
    /// The port at which it expects the vault, or whichever manager `[secrets]` names; any without it.
    #[serde(default)]
    #[schemars(range(min = 0, max = 65_535))]
    pub vault_port: u16,
    /// The token that it shows to the vault, or GCP's bearer token, or AWS's secret access key; as it
    /// stands: it protects nothing real.
    #[serde(default)]
    pub vault_token: String,
    /// A path that is posted to before each scenario, to forget what the last one left.
    #[serde(default)]
    pub reset: Option<String>,
    /// The path that answers 2xx once it is ready.
    #[serde(default = "healthz")]
    pub ready: String,
}

/// The reference integration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Embedded {
    /// A mutant of it; see `windthrow list --mutants`.
    pub mutant: Option<String>,
}

/// Where Linktree, vault and alert receiver listen, for whom, and whether they encrypt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MockSection {
    /// Their address. One that other machines or containers can reach needs `peers`.
    pub host: String,
    /// What the integration is told instead of the address, such as `host.docker.internal`.
    pub name: Option<String>,
    /// Who may call them beside this machine: addresses, and networks such as `172.17.0.0/16`.
    /// Whoever else connects is turned away unread. Webhooks may go to their private addresses.
    #[schemars(length(max = 64))]
    pub peers: Vec<String>,
    /// Whether they speak TLS in every scenario. The certificate of their authority is in the file
    /// `{ca_file}`, which `SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`, `REQUESTS_CA_BUNDLE` and
    /// `WINDTHROW_CA_FILE` name as well.
    pub tls: bool,
}

impl Default for MockSection {
    fn default() -> Self {
        Self { host: LOOPBACK.to_owned(), name: None, peers: Vec::new(), tls: false }
    }
}

impl MockSection {
    /// The same for the mock; what is no address or network was refused when the file was read.
    /// Webhooks may go to the peers and to the target's own address.
    #[must_use]
    pub fn listen(&self, target: Option<IpAddr>) -> Listen {
        let peers: Vec<_> = self.peers.iter().filter_map(|peer| network(peer).ok()).collect();
        let hooks = peers.iter().copied().chain(target.map(Into::into)).collect();
        Listen { host: address(&self.host), name: self.name.clone(), peers, hooks }
    }
}

/// The address that a text names; loopback for none.
fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Where everything is unless the file says otherwise.
const LOOPBACK: &str = "127.0.0.1";

/// What is seen of the integration beside its answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Observe {
    /// Log files besides standard output and error, relative to where the command is started;
    /// `{data_dir}` may stand in them.
    pub logs: Vec<String>,
    /// Files and folders of its source, relative to this file, in which no key may stand.
    pub source: Vec<String>,
    /// Globs of what is passed over there, such as `test/**`.
    pub source_except: Vec<String>,
    /// Where its metrics are scraped, if elsewhere than at its own port: `http://host:port/path`, in
    /// which `{port}` and `{metrics_port}` may stand.
    pub metrics_url: Option<String>,
    /// The file in which it keeps the webhooks that it could not process, with their payloads; relative to
    /// where the command is started, and `{data_dir}` may stand in it.
    pub kept_file: Option<String>,
    /// The route of its own that shows the webhooks that it could not process, where they are in no file.
    pub kept_route: Option<String>,
    /// What its metrics are called.
    pub metrics: MetricNames,
    /// What the alerts are called that it, or whoever watches it, sends to `{alerts.url}`: `name` or
    /// `name{label="value"}`. What is not named is not judged.
    pub alerts: AlertTexts,
    /// Which field holds what in alerts whose body their sender has chosen, such as Datadog's, and that come to
    /// `{alerts.url}/webhook`.
    pub alert_webhook: AlertFields,
}

/// What is asked of the load generator itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GeneratorSection {
    /// Of a hundred arrivals 99 are sent no later than this, real milliseconds, or what depends on
    /// visitors is inconclusive; 20 when absent.
    #[schemars(range(min = 1, max = 60_000))]
    pub p99_lateness_ms: Option<u64>,
}

/// Settings of one guarantee.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Guarantee {
    /// What a violation means for the run.
    pub severity: Severity,
    /// Other bounds than the contract's, by name.
    pub bounds: BTreeMap<String, u64>,
    /// Where the bounds come from; needed with `bounds`.
    pub source: Option<String>,
    /// Fewer observations than this are inconclusive.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub minimum: Option<u64>,
}

/// Secrets by reference, and who hands out those of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// Signs creators' sessions; drawn from the seed when absent. One of fewer than 8 characters is
    /// not looked for in logs and answers.
    pub session: Option<String>,
    /// The secrets manager that hands the integration its key and the webhook secret; no other listens.
    pub backend: SecretsManager,
}

fn loopback() -> String {
    LOOPBACK.into()
}

fn here() -> String {
    ".".into()
}

/// What a command needs of every machine: where programs are, and how people write there.
#[must_use]
pub fn usual_env() -> Vec<String> {
    ["PATH", "HOME", "LANG", "TZ", "TMPDIR"].map(str::to_owned).to_vec()
}

fn healthz() -> String {
    "/healthz".into()
}

const fn twenty_seconds() -> u64 {
    20_000
}

const fn five_seconds() -> u64 {
    5_000
}

//! What a target is given: its command line, its environment, and the addresses and secrets in them.

use crate::config::target::TargetSpec;
use crate::config::template;
use crate::storm::observe::search::Search;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tokio::process::Command;

/// The front end that an integration shall let in; reserved by RFC 2606.
const ALLOWED_ORIGIN: &str = "https://app.example.org";

/// What the target is given.
pub struct Surroundings<'a> {
    /// The binary that contains the reference integration.
    pub program: &'a Path,
    /// The mock, without `/v1`.
    pub mock_url: String,
    /// The vault.
    pub vault_url: String,
    /// The vault's token.
    pub vault_token: String,
    /// Where alerts go.
    pub alerts_url: String,
    /// The run's credentials.
    pub secrets: Secrets,
    /// Kept across restarts within one scenario.
    pub data_dir: &'a Path,
    /// What contract durations are divided by.
    pub time_scale: u32,
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

/// The command line and environment of a target that the harness starts.
pub(super) fn command(spec: &TargetSpec, around: &Surroundings<'_>, port: u16) -> Command {
    let TargetSpec::Spawn { command: spawn, folder } = spec else {
        let mut command = Command::new(around.program);
        command
            .arg("__reference")
            .args(spec.mutant())
            .env_clear()
            .env("PORT", port.to_string())
            .env("LINKTREE_URL", &around.mock_url)
            .env("VAULT_URL", &around.vault_url)
            .env("VAULT_TOKEN", &around.vault_token)
            .env("ALERTS_URL", &around.alerts_url)
            .env("DATA_DIR", around.data_dir)
            .env("TIME_SCALE", around.time_scale.to_string())
            .env("SEED", around.seed.to_string())
            // The pipe's end tells the reference that the harness is gone, however it went.
            .stdin(Stdio::piped());
        return command;
    };
    let fill = |text: &String| template::filled(text, |name| around.value(name, port));
    let mut command = Command::new(fill(&spawn.command[0]));
    command
        .args(spawn.command[1..].iter().map(fill))
        .current_dir(folder.join(&spawn.cwd))
        .env_clear()
        .stdin(Stdio::null());
    for name in &spawn.pass_env {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.envs(spawn.env.iter().map(|(name, value)| (name, fill(value))));
    command
}

impl Surroundings<'_> {
    /// What stands for a template's name.
    fn value(&self, name: &str, port: u16) -> Option<String> {
        Some(match name {
            "port" => port.to_string(),
            "front.url" => format!("http://127.0.0.1:{port}"),
            "mock.url" => self.mock_url.clone(),
            "vault.url" => self.vault_url.clone(),
            "vault.token" => self.vault_token.clone(),
            "alerts.url" => self.alerts_url.clone(),
            "secret.api_key" => self.secrets.api_key.clone(),
            "secret.webhook" => self.secrets.webhook.clone(),
            "secret.session" => self.secrets.session.clone(),
            "data_dir" => self.data_dir.display().to_string(),
            "time_scale" => self.time_scale.to_string(),
            "seed" => self.seed.to_string(),
            "allowed_origin" => ALLOWED_ORIGIN.to_owned(),
            _ => return None,
        })
    }
}

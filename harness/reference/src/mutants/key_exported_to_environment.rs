//! A start script of old: it reads the vault, exports the key, and starts the program.

use super::Mutant;
use crate::{
    config::Config,
    secrets::{self, Secrets, SecretsError, SecretsFuture},
};
use std::{env, os::unix::process::CommandExt, process::Command};

pub const MUTANT: Mutant = Mutant {
    id: "key-exported-to-environment",
    summary: "the API key stands in the environment of the process",
    breaks: "key-from-vault",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| seams.secrets = from_environment,
};

const KEY: &str = "LINKTREE_API_KEY";
const WEBHOOK: &str = "LINKTREE_WEBHOOK_SECRET";

/// Reads the vault and starts over as the same process with the key in the environment; finds it
/// there when it has. No program can change the environment in which it is seen to have started.
fn from_environment<'a>(http: &'a reqwest::Client, config: &'a Config) -> SecretsFuture<'a> {
    Box::pin(async move {
        if let (Ok(api_key), Ok(webhook_secret)) = (env::var(KEY), env::var(WEBHOOK)) {
            return Ok(Secrets { api_key, webhook_secret });
        }
        let secrets = secrets::read(http, config).await?;
        let failed = |error| SecretsError(format!("cannot start over: {error}"));
        let mut again = Command::new(env::current_exe().map_err(failed)?);
        again.args(env::args_os().skip(1)).env(KEY, &secrets.api_key);
        again.env(WEBHOOK, &secrets.webhook_secret);
        // Returns only when it fails.
        Err(failed(again.exec()))
    })
}

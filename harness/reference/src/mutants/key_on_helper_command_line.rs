//! A helper that refreshes tokens takes the key as its argument, for every user of the host to list.

use super::Mutant;
use crate::{
    config::Config,
    secrets::{self, SecretsError, SecretsFuture},
};
use std::process::Stdio;
use tokio::process::Command;

pub const MUTANT: Mutant = Mutant {
    id: "key-on-helper-command-line",
    summary: "the API key stands on the command line of a child process",
    breaks: "key-from-vault",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| seams.secrets = with_a_helper,
};

fn with_a_helper<'a>(http: &'a reqwest::Client, config: &'a Config) -> SecretsFuture<'a> {
    Box::pin(async move {
        let secrets = secrets::read(http, config).await?;
        let mut helper = Command::new("/bin/sh")
            // A built-in, since a shell may become the last program that it is to run.
            .args(["-c", "read -r _", "refresh-token", &secrets.api_key])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| SecretsError(format!("no helper: {error}")))?;
        // It waits for a line that never comes, and ends with this pipe: even after a SIGKILL.
        let pipe = helper.stdin.take();
        tokio::spawn(async move {
            let _ = helper.wait().await;
            drop(pipe);
        });
        Ok(secrets)
    })
}

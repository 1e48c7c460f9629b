//! The integration under test as a process: start, readiness, end, and what it printed.

use crate::failure::Failure;
use crate::process::tail;
use mock_server::clock::Clock;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scenarios::history::{Change, Event, Process};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

use super::recorder::Recorder;

/// How long the target may take to answer its readiness route.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long it may take to end after SIGTERM.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// What is to be tested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSpec {
    /// A mutant of the embedded reference integration; none for the reference itself.
    pub mutant: Option<String>,
}

impl TargetSpec {
    /// `embedded` or `embedded:MUTANT`.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.mutant {
            None => "embedded".to_owned(),
            Some(mutant) => format!("embedded:{mutant}"),
        }
    }
}

/// What the target is told.
pub struct Surroundings<'a> {
    /// The mock, without `/v1`.
    pub mock_url: String,
    /// The vault.
    pub vault_url: String,
    /// The vault's token.
    pub vault_token: String,
    /// Where alerts go.
    pub alerts_url: String,
    /// Kept across restarts within one scenario.
    pub data_dir: &'a Path,
    /// What contract durations are divided by.
    pub time_scale: u32,
    /// For whatever the target wants to seed.
    pub seed: u64,
    /// Where its output goes.
    pub log: &'a Path,
}

/// A running target.
pub struct Target {
    child: Child,
    pid: u32,
    /// `http://127.0.0.1:port`.
    pub url: String,
}

impl Target {
    /// Starts the target and waits until it is ready.
    ///
    /// # Errors
    ///
    /// [`Failure::Setup`] with the tail of its output when it does not come up.
    pub async fn start(
        spec: &TargetSpec,
        around: &Surroundings<'_>,
        clock: Clock,
        recorder: &Recorder,
    ) -> Result<Self, Failure> {
        let setup = |what: String| Failure::setup(what, "see target.log in the run's folder");
        let io = |error: std::io::Error| setup(format!("failed to start the target: {error}"));
        let port = free_port().map_err(io)?;
        let log = File::options().create(true).append(true).open(around.log).map_err(io)?;
        let mut command = Command::new(std::env::current_exe().map_err(io)?);
        command
            .arg("__reference")
            .args(spec.mutant.iter())
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
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(io)?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().map_err(io)?;
        let pid = child.id().unwrap_or_default();
        let mut target = Self { child, pid, url: format!("http://127.0.0.1:{port}") };
        let note = |change| Event::Process(Process { at: clock.now(), change });
        recorder.record(note(Change::Started { pid }));
        target
            .ready(clock)
            .await
            .map_err(|why| setup(format!("{why}\n{}", tail(around.log, 10))))?;
        recorder.record(note(Change::Ready));
        Ok(target)
    }

    async fn ready(&mut self, clock: Clock) -> Result<(), String> {
        let client = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
        let url = format!("{}/healthz", self.url);
        let deadline = clock.now().plus(READY_WITHIN);
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the target ended before it was ready ({status})"));
            }
            let answer = client.get(&url).timeout(Duration::from_secs(1)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if clock.now() > deadline {
                let s = READY_WITHIN.as_secs();
                return Err(format!("the target did not answer {url} with 2xx within {s} s"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the target ends by itself; says how.
    pub async fn died(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// The process id.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// SIGTERM, then SIGKILL to the whole process group after a while.
    pub async fn stop(mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let Ok(pid) = i32::try_from(self.pid) else { return };
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        if tokio::time::timeout(STOP_WITHIN, self.child.wait()).await.is_err() {
            let _ = kill(Pid::from_raw(-pid), Signal::SIGKILL);
            let _ = self.child.wait().await;
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

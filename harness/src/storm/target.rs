//! The integration under test as a process: start, readiness, end, and what it printed.

use crate::failure::Failure;
use crate::process::tail;
use mock_server::clock::{Clock, Moment};
use nix::sys::signal::Signal;
use scenarios::history::{Change, Event, Process};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

use super::cpu;
use super::port::free_port;
use super::recorder::Recorder;
use super::running::Running;

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
    /// Kept across restarts within one scenario.
    pub data_dir: &'a Path,
    /// What contract durations are divided by.
    pub time_scale: u32,
    /// For whatever the target wants to seed.
    pub seed: u64,
    /// Where its output goes; every start appends.
    pub log: &'a Path,
}

/// The target, which runs unless it was killed, has been stopped or has died.
pub struct Target {
    /// How every start of it begins.
    command: Command,
    clock: Clock,
    recorder: Recorder,
    /// `http://127.0.0.1:port`, the same after every start.
    pub url: String,
    running: Option<Running>,
    /// Processor time of the processes that have ended.
    spent: Duration,
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
        let mut command = Command::new(around.program);
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
            .stderr(log);
        let mut target = Self {
            command,
            clock,
            recorder: recorder.clone(),
            url: format!("http://127.0.0.1:{port}"),
            running: None,
            spent: Duration::ZERO,
        };
        target.launch().await.map_err(|why| setup(format!("{why}\n{}", tail(around.log, 10))))?;
        Ok(target)
    }

    /// Starts it, again on the same port and with the same data, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// In words, how it did not become ready; nothing of it is left then.
    pub async fn launch(&mut self) -> Result<(), String> {
        // From before the start: nothing that a process does may seem earlier than itself.
        let at = self.clock.now();
        let running = Running::spawn(&mut self.command);
        let running = running.map_err(|error| format!("failed to start the target: {error}"))?;
        let pid = running.pid();
        self.running = Some(running);
        self.note(at, Change::Started { pid });
        self.finish_start().await
    }

    /// Waits until it is ready, if it was started and is not yet; whoever has not been started again
    /// is not waited for.
    ///
    /// # Errors
    ///
    /// As [`Target::launch`].
    pub async fn finish_start(&mut self) -> Result<(), String> {
        if self.running.as_ref().is_none_or(|running| running.ready) {
            return Ok(());
        }
        let outcome = self.wait_until_ready().await;
        match &outcome {
            Ok(()) => self.note(self.clock.now(), Change::Ready),
            Err(_) => self.running = None,
        }
        outcome
    }

    async fn wait_until_ready(&mut self) -> Result<(), String> {
        let client = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
        let url = format!("{}/healthz", self.url);
        let deadline = self.clock.now().plus(READY_WITHIN);
        let Some(running) = &mut self.running else { return Err("it does not run".to_owned()) };
        loop {
            if let Some(status) = running.has_ended() {
                return Err(format!("the target ended before it was ready ({status})"));
            }
            let answer = client.get(&url).timeout(Duration::from_secs(1)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                running.ready = true;
                return Ok(());
            }
            if self.clock.now() > deadline {
                let s = READY_WITHIN.as_secs();
                return Err(format!("the target did not answer {url} with 2xx within {s} s"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the target ends by itself; says how. For ever while it is down.
    pub async fn died(&mut self) -> String {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let how = running.ended().await;
        self.running = None;
        how
    }

    /// The process that runs, if any.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Running::pid)
    }

    /// Whether it runs and was ready since its last start.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.ready)
    }

    /// Kills the whole process group with SIGKILL, as a rule of the plan says.
    pub async fn kill(&mut self, rule: &str) {
        self.spent = self.cpu();
        self.note(self.clock.now(), Change::Killed { rule: rule.to_owned() });
        if let Some(running) = &mut self.running {
            running.signal(Signal::SIGKILL);
            running.ended().await;
        }
        self.running = None;
    }

    /// Asks the target to end with SIGTERM, as a rule of the plan says; kills it after `grace`.
    pub async fn terminate(&mut self, rule: &str, grace: Duration) {
        self.spent = self.cpu();
        self.note(self.clock.now(), Change::Terminated { rule: rule.to_owned() });
        let Some(running) = &mut self.running else { return };
        running.signal(Signal::SIGTERM);
        let Ok(how) = tokio::time::timeout(grace, running.ended()).await else {
            return self.kill(rule).await;
        };
        self.note(self.clock.now(), Change::Ended { how });
        self.running = None;
    }

    /// Makes the whole process group stand still with SIGSTOP, as a rule of the plan says.
    pub fn pause(&self, rule: &str) {
        self.note(self.clock.now(), Change::Paused { rule: rule.to_owned() });
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on with SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
        self.note(self.clock.now(), Change::Resumed);
    }

    /// Processor time of all its processes so far; a graceful end's own is left out.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let present = self.running.as_ref().and_then(|running| cpu::of_process(running.pid()));
        self.spent + present.unwrap_or_default()
    }

    /// Ends it, whatever it is doing: SIGTERM, then SIGKILL to the whole process group after a while.
    pub async fn stop(mut self) {
        let Some(running) = &mut self.running else { return };
        running.signal(Signal::SIGTERM);
        // Whoever stands still hears of it only when going on.
        running.signal(Signal::SIGCONT);
        // What has not ended by then is killed as it is dropped.
        if tokio::time::timeout(STOP_WITHIN, running.ended()).await.is_err() {
            running.signal(Signal::SIGKILL);
            running.ended().await;
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(running) = &self.running {
            running.signal(signal);
        }
    }

    fn note(&self, at: Moment, change: Change) {
        self.recorder.record(Event::Process(Process { at, change }));
    }
}

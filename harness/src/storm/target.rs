//! The integration under test as a process: start, readiness, end, and what it printed.

use crate::config::template;
use crate::failure::Failure;
use crate::process::tail;
use mock_server::clock::{Clock, Moment};
use nix::sys::signal::Signal;
use scenarios::history::{Change, Event, Process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::process::Command;

use super::manners::Manners;
use super::measure::cpu;
use super::observe::search::Search;
use super::output::Output;
use super::port::free_port;
use super::recorder::Recorder;
use super::running::Running;
use super::start_error::StartError;
use crate::config::target::TargetSpec;

/// The front end that an integration shall let in; reserved by RFC 2606.
const ALLOWED_ORIGIN: &str = "https://app.example.org";

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

/// The target, which runs unless it was killed, has been stopped or has died.
pub struct Target {
    /// How every start of it begins; none for what runs already and is not ours.
    command: Option<Command>,
    /// The binary of Windthrow.
    program: PathBuf,
    manners: Manners,
    output: Output,
    clock: Clock,
    recorder: Recorder,
    /// `http://127.0.0.1:port`, the same after every start.
    pub url: String,
    running: Option<Running>,
    leader: Arc<AtomicU32>,
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
        let failed = |error: StartError| {
            let said = tail(around.log, 10);
            let said = if said.is_empty() { said } else { format!("; it said:\n{said}") };
            Failure::setup(format!("{error}{said}"), error.help(spec))
        };
        let log = File::options().create(true).append(true).open(around.log);
        let log = log.map_err(|error| Failure::unwritable(around.log, &error))?;
        let (command, url) = match spec {
            TargetSpec::Url { running } => (None, running.base.trim_end_matches('/').to_owned()),
            TargetSpec::Embedded { .. } | TargetSpec::Spawn { .. } => {
                let port = free_port().map_err(|error| failed(StartError::Program(error)))?;
                (Some(command(spec, around, port)), format!("http://127.0.0.1:{port}"))
            }
        };
        let mut target = Self {
            command,
            program: around.program.to_owned(),
            manners: Manners::of(spec),
            output: Output::new(log, clock, Arc::clone(around.search)),
            clock,
            recorder: recorder.clone(),
            url,
            running: None,
            leader: Arc::default(),
            spent: Duration::ZERO,
        };
        if let TargetSpec::Url { running } = spec {
            target.reset(running.reset.as_deref()).await.map_err(failed)?;
        }
        target.launch().await.map_err(failed)?;
        Ok(target)
    }

    /// Starts it, again on the same port and with the same data, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// [`StartError`] when it does not become ready; nothing of it is left then.
    pub async fn launch(&mut self) -> Result<(), StartError> {
        // From before the start: nothing that a process does may seem earlier than itself.
        let at = self.clock.now();
        let Some(command) = &mut self.command else {
            self.note(at, Change::Started { pid: 0 });
            self.wait_until_ready().await?;
            self.note(self.clock.now(), Change::Ready);
            return Ok(());
        };
        let running = Running::spawn(command, &self.output, &self.program);
        let running = running.map_err(StartError::Program)?;
        let pid = running.pid();
        self.leader.store(pid, Ordering::Relaxed);
        self.running = Some(running);
        self.note(at, Change::Started { pid });
        self.finish_start().await
    }

    /// Asks what runs already to forget what the last scenario left.
    async fn reset(&self, path: Option<&str>) -> Result<(), StartError> {
        let Some(path) = path else { return Ok(()) };
        let url = format!("{}{path}", self.url);
        let client = client().map_err(StartError::Client)?;
        let what = match client.post(&url).timeout(self.manners.ready_within).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("the target answered {} to POST {url}", answer.status()),
            Err(error) => format!("failed to reset the target with POST {url}: {error}"),
        };
        Err(StartError::Reset(what))
    }

    /// Waits until it is ready, if it was started and is not yet; whoever has not been started again
    /// is not waited for.
    ///
    /// # Errors
    ///
    /// As [`Target::launch`].
    pub async fn finish_start(&mut self) -> Result<(), StartError> {
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

    async fn wait_until_ready(&mut self) -> Result<(), StartError> {
        let client = client().map_err(StartError::Client)?;
        let url = format!("{}{}", self.url, self.manners.ready);
        let deadline = self.clock.now().plus(self.manners.ready_within);
        loop {
            if let Some(running) = &mut self.running
                && running.has_ended().is_some()
            {
                // Its last lines are read, too.
                return Err(StartError::Ended { how: running.ended().await });
            }
            let answer = client.get(&url).timeout(Duration::from_secs(1)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                if let Some(running) = &mut self.running {
                    running.ready = true;
                }
                return Ok(());
            }
            if self.clock.now() > deadline {
                let within_s = self.manners.ready_within.as_secs_f64();
                return Err(StartError::NotReady { url, within_s });
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

    /// The process that was started last, which is also its group; 0 for what runs already.
    #[must_use]
    pub fn leader(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.leader)
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

    /// Ends it, whatever it is doing: the stop signal, then SIGKILL to the whole process group after a while.
    pub async fn stop(mut self) {
        let Some(running) = &mut self.running else { return };
        running.signal(self.manners.stop);
        // Whoever stands still hears of it only when going on.
        running.signal(Signal::SIGCONT);
        // What has not ended by then is killed as it is dropped.
        if tokio::time::timeout(self.manners.stop_within, running.ended()).await.is_err() {
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

/// Calls the target directly, whatever proxy this machine is told to use. No connection is kept: an
/// idle one would hold up a target that ends in order.
pub(super) fn client() -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    builder.build().map_err(|error| error.to_string())
}

/// The command line and environment of a target that the harness starts.
fn command(spec: &TargetSpec, around: &Surroundings<'_>, port: u16) -> Command {
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

//! The integration under test as a process: start, readiness, end, and what it printed.

use crate::config::model::StopSignal;
use crate::config::template;
use crate::failure::Failure;
use crate::process::tail;
use mock_server::clock::Clock;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use scenarios::history::{Change, Event, Process};
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

use super::guard::Guard;
use super::output::Output;
use super::recorder::Recorder;
use super::spec::TargetSpec;

/// The front end that an integration shall let in; reserved by RFC 2606.
const ALLOWED_ORIGIN: &str = "https://app.example.org";
/// How long the reference may take to answer its readiness route.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long the reference may take to end after SIGTERM.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// What the target is told.
pub struct Surroundings<'a> {
    /// The mock, without `/v1`.
    pub mock_url: String,
    /// The vault.
    pub vault_url: String,
    /// The vault's token.
    pub vault_token: String,
    /// The run's credentials: API key, webhook secret, session secret.
    pub secrets: Secrets,
    /// Kept across restarts within one scenario.
    pub data_dir: &'a Path,
    /// What contract durations are divided by.
    pub time_scale: u32,
    /// For whatever the target wants to seed.
    pub seed: u64,
    /// Where its output goes.
    pub log: &'a Path,
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

/// How a target is asked whether it is ready, and asked to end.
#[derive(Clone)]
struct Manners {
    ready: String,
    ready_within: Duration,
    stop: Signal,
    stop_within: Duration,
}

/// A running target.
pub struct Target {
    process: Option<Owned>,
    manners: Manners,
    /// `http://127.0.0.1:port`.
    pub url: String,
}

/// A process that the harness has started and must end.
struct Owned {
    child: Child,
    pid: u32,
    guard: Option<Guard>,
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
        let log = File::options().create(true).append(true).open(around.log).map_err(io)?;
        let note = |change| recorder.record(Event::Process(Process { at: clock.now(), change }));
        let manners = Manners::of(spec);
        let mut target = if let TargetSpec::Url { running } = spec {
            note(Change::Started { pid: 0 });
            let url = running.base.trim_end_matches('/').to_owned();
            let target = Self { process: None, manners, url };
            target.reset(running.reset.as_deref()).await.map_err(setup)?;
            target
        } else {
            let port = free_port().map_err(io)?;
            let mut command = command(spec, around, port).map_err(io)?;
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child =
                command.process_group(0).kill_on_drop(true).spawn().map_err(|error| {
                    let help = "check target.spawn.command and target.spawn.cwd";
                    Failure::setup(format!("failed to start {}: {error}", spec.name()), help)
                })?;
            let pid = child.id().unwrap_or_default();
            let Secrets { api_key, webhook, session } = around.secrets.clone();
            let secrets = vec![api_key, webhook, session, around.vault_token.clone()];
            let output = Output::new(log, clock, secrets);
            child.stdout.take().map(|stream| output.follow(stream));
            child.stderr.take().map(|stream| output.follow(stream));
            // The reference watches its own standard input instead.
            let guarded = matches!(spec, TargetSpec::Spawn { .. });
            let guard = guarded.then(|| Guard::over(pid)).transpose().map_err(io)?;
            note(Change::Started { pid });
            let url = format!("http://127.0.0.1:{port}");
            Self { process: Some(Owned { child, pid, guard }), manners, url }
        };
        if let Err(why) = target.ready(clock).await {
            let printed = tail(around.log, 10);
            target.stop().await;
            return Err(setup(format!("{why}\n{printed}")));
        }
        note(Change::Ready);
        Ok(target)
    }

    async fn ready(&mut self, clock: Clock) -> Result<(), String> {
        let client = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
        let url = format!("{}{}", self.url, self.manners.ready);
        let deadline = clock.now().plus(self.manners.ready_within);
        loop {
            if let Some(process) = &mut self.process
                && let Ok(Some(status)) = process.child.try_wait()
            {
                return Err(format!("the target ended before it was ready ({status})"));
            }
            let answer = client.get(&url).timeout(Duration::from_secs(1)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if clock.now() > deadline {
                let s = self.manners.ready_within.as_secs_f64();
                return Err(format!("the target did not answer {url} with 2xx within {s} s"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks a running target to forget what the last scenario left.
    async fn reset(&self, path: Option<&str>) -> Result<(), String> {
        let Some(path) = path else { return Ok(()) };
        let url = format!("{}{path}", self.url);
        let client = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
        let answer = client.post(&url).timeout(self.manners.ready_within).send().await;
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("the target answered {} to POST {url}", answer.status())),
            Err(error) => Err(format!("failed to reset the target with POST {url}: {error}")),
        }
    }

    /// Waits until the target ends by itself; says how. Never, when it is not the harness's.
    pub async fn died(&mut self) -> String {
        match &mut self.process {
            None => std::future::pending().await,
            Some(process) => match process.child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            },
        }
    }

    /// The process id, if it is the harness's process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.pid)
    }

    /// The stop signal, then SIGKILL to the whole process group: whatever the target has left
    /// behind ends, too.
    pub async fn stop(self) {
        let Some(Owned { mut child, pid, guard }) = self.process else { return };
        let Ok(pid) = i32::try_from(pid) else { return };
        if !matches!(child.try_wait(), Ok(Some(_))) {
            let _ = kill(Pid::from_raw(pid), self.manners.stop);
            let _ = tokio::time::timeout(self.manners.stop_within, child.wait()).await;
        }
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        let _ = child.wait().await;
        if let Some(guard) = guard {
            guard.dismiss().await;
        }
    }
}

impl Manners {
    fn of(spec: &TargetSpec) -> Self {
        let usual = Self {
            ready: "/healthz".to_owned(),
            ready_within: READY_WITHIN,
            stop: Signal::SIGTERM,
            stop_within: STOP_WITHIN,
        };
        match spec {
            TargetSpec::Embedded { .. } => usual,
            TargetSpec::Url { running } => Self { ready: running.ready.clone(), ..usual },
            TargetSpec::Spawn { command, .. } => Self {
                ready: command.ready.clone(),
                ready_within: Duration::from_millis(command.ready_within_ms),
                stop: match command.stop_signal {
                    StopSignal::Term => Signal::SIGTERM,
                    StopSignal::Int => Signal::SIGINT,
                    StopSignal::Quit => Signal::SIGQUIT,
                },
                stop_within: Duration::from_millis(command.stop_within_ms),
            },
        }
    }
}

/// The command line and environment of a target that the harness starts.
fn command(spec: &TargetSpec, around: &Surroundings<'_>, port: u16) -> std::io::Result<Command> {
    let TargetSpec::Spawn { command: spawn, folder } = spec else {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("__reference")
            .args(spec.mutant())
            .env_clear()
            .env("PORT", port.to_string())
            .env("LINKTREE_URL", &around.mock_url)
            .env("VAULT_URL", &around.vault_url)
            .env("VAULT_TOKEN", &around.vault_token)
            .env("DATA_DIR", around.data_dir)
            .env("TIME_SCALE", around.time_scale.to_string())
            .env("SEED", around.seed.to_string())
            // The pipe's end tells the reference that the harness is gone, however it went.
            .stdin(Stdio::piped());
        return Ok(command);
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
    Ok(command)
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

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

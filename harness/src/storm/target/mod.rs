//! The integration under test as a process: start, readiness, end, and what it printed.

mod aftermath;
mod command;
mod lifecycle;
mod output;
mod readiness;
mod standstill;
mod start_error;

pub use command::{Secrets, Surroundings};
pub(super) use readiness::cause;
pub use standstill::Standstill;
pub use start_error::StartError;

use super::observe::search::Search;
use super::recorder::Recorder;
use crate::config::target::TargetSpec;
use crate::config::template;
use crate::failure::Failure;
use crate::private;
use crate::process::group::Group;
use crate::process::guard::Launch;
use crate::process::{system, tail, tree};
use command::Ports;
use lifecycle::Lifecycle;
use mock_server::clock::{Clock, Moment};
use nix::sys::signal::Signal;
use output::Output;
use reqwest::Client;
use reqwest::redirect::{Attempt, Policy};
use scenarios::front_door::FrontDoor;
use scenarios::history::{Change, Event, Process};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The target, which runs unless it was killed, has been stopped or has died.
pub struct Target {
    /// How every start of it begins; none for what runs already and is not ours.
    command: Option<Launch>,
    /// The binary of Windthrow.
    program: PathBuf,
    lifecycle: Lifecycle,
    output: Output,
    search: Arc<Search>,
    clock: Clock,
    recorder: Recorder,
    /// `http://host:port`, the same after every start.
    pub url: String,
    /// What it was given; none for what runs already.
    ports: Option<Ports>,
    group: Option<Group>,
    /// Whether it was ready since its last start.
    ready: bool,
    root: Arc<AtomicU32>,
    standstill: Arc<Standstill>,
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
            // Without its time, which says nothing here.
            let line = |line: &'_ str| match line.split_once(" s ") {
                Some((time, said)) if time.trim().parse::<f64>().is_ok() => said.trim().to_owned(),
                _ => line.trim().to_owned(),
            };
            let lines: Vec<String> = said.lines().map(line).collect();
            let said = lines.join(" / ");
            let said = if said.is_empty() { said } else { format!("; it said at last: {said}") };
            Failure::setup(format!("{error}{said}"), error.help(spec))
        };
        let log =
            private::log(around.log).map_err(|error| Failure::unwritable(around.log, &error))?;
        let (command, url, ports) = match spec {
            TargetSpec::Url { running } => {
                (None, running.base.trim_end_matches('/').to_owned(), None)
            }
            TargetSpec::Embedded { .. } | TargetSpec::Spawn { .. } => {
                let ports =
                    Ports::free(spec).map_err(|error| failed(StartError::Program(error)))?;
                (Some(command::command(spec, around, ports)), ports.url(), Some(ports))
            }
        };
        let mut target = Self {
            command,
            program: around.program.to_owned(),
            lifecycle: Lifecycle::of(spec),
            output: Output::new(log, clock, Arc::clone(around.search)),
            search: Arc::clone(around.search),
            clock,
            recorder: recorder.clone(),
            url,
            ports,
            group: None,
            ready: false,
            root: Arc::default(),
            standstill: Arc::default(),
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
        let Some(command) = &self.command else {
            self.note(self.clock.now(), Change::Started { pid: 0 });
            self.wait_until_ready().await?;
            self.note(self.clock.now(), Change::Ready);
            return Ok(());
        };
        // From before the start: nothing that a process does may seem earlier than itself.
        let at = self.clock.now();
        let read = |stream, from| self.output.follow(stream, from);
        let group = Group::spawn(command, &self.program, read).map_err(StartError::Program)?;
        let pid = group.pid();
        self.root.store(group.root(), Ordering::Relaxed);
        (self.group, self.ready) = (Some(group), false);
        self.note(at, Change::Started { pid });
        self.finish_start().await
    }

    /// Asks what runs already to forget what the last scenario left.
    async fn reset(&self, path: Option<&str>) -> Result<(), StartError> {
        let Some(path) = path else { return Ok(()) };
        let url = format!("{}{path}", self.url);
        let client = client().map_err(StartError::Client)?;
        let what = match client.post(&url).timeout(self.lifecycle.ready_within).send().await {
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
        if self.group.is_none() || self.ready {
            return Ok(());
        }
        let outcome = self.wait_until_ready().await;
        match &outcome {
            Ok(()) => self.note(self.clock.now(), Change::Ready),
            Err(_) => {
                self.group = None;
                self.output.end();
            }
        }
        outcome
    }

    async fn wait_until_ready(&mut self) -> Result<(), StartError> {
        let client = client().map_err(StartError::Client)?;
        let url = format!("{}{}", self.url, self.lifecycle.ready);
        let deadline = self.clock.now().plus(self.lifecycle.ready_within);
        loop {
            if let Some(group) = &mut self.group
                && group.has_ended().is_some()
            {
                let how = group.ended().await;
                // Its last lines are read, too.
                let behind = group.sweep().await.found.len();
                return Err(StartError::Ended { how, behind });
            }
            let Err(instead) = readiness::look(&client, &url, &self.search).await else {
                self.ready = true;
                return Ok(());
            };
            if self.clock.now() > deadline {
                let within_s = self.lifecycle.ready_within.as_secs_f64();
                return Err(StartError::NotReady { url, within_s, instead });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the target ends by itself; says how. For ever while it is down.
    pub async fn died(&mut self) -> String {
        let Some(group) = &mut self.group else { return std::future::pending().await };
        let how = group.ended().await;
        group.sweep().await;
        self.group = None;
        self.output.end();
        how
    }

    /// Where its metrics are: at `url`, if that is said, or else at the front door.
    #[must_use]
    pub fn metrics_url(&self, front: &FrontDoor, url: Option<&str>) -> String {
        match url.unwrap_or(&front.metrics) {
            path if path.starts_with('/') => format!("{}{path}", self.url),
            url => template::filled(url, |name| self.ports.as_ref()?.value(name)),
        }
    }

    /// The process that runs, if any.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.group.as_ref().map(Group::pid)
    }

    /// The process from which all descend that were started last; 0 for what runs already.
    #[must_use]
    pub fn root(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.root)
    }

    /// When it stood still.
    #[must_use]
    pub fn standstill(&self) -> Arc<Standstill> {
        Arc::clone(&self.standstill)
    }

    /// Whether it runs and was ready since its last start.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.group.is_some() && self.ready
    }

    /// Kills all its processes with SIGKILL, as a rule of the plan says, and looks whether they are
    /// gone.
    pub async fn kill(&mut self, rule: &str) {
        self.spent = self.cpu().unwrap_or(self.spent);
        self.note(self.clock.now(), Change::Killed { rule: rule.to_owned() });
        self.leave_nobody().await;
    }

    /// Asks the target to end with SIGTERM, as a rule of the plan says; kills whoever is left after
    /// `grace`.
    pub async fn terminate(&mut self, rule: &str, grace: Duration) {
        self.spent = self.cpu().unwrap_or(self.spent);
        self.note(self.clock.now(), Change::Terminated { rule: rule.to_owned() });
        let Some(group) = &mut self.group else { return };
        group.signal(Signal::SIGTERM);
        // A shell or npm ends at once, and leaves a server that still has answers to give.
        if tokio::time::timeout(grace, group.empty()).await.is_err() {
            return self.kill(rule).await;
        }
        let how = group.ended().await;
        self.note(self.clock.now(), Change::Ended { how });
        self.leave_nobody().await;
    }

    /// Makes all its processes stand still with SIGSTOP, as a rule of the plan says.
    pub fn pause(&self, rule: &str) {
        self.note(self.clock.now(), Change::Paused { rule: rule.to_owned() });
        self.standstill.begin();
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on with SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
        let now = self.clock.now();
        self.standstill.end(now);
        self.note(now, Change::Resumed);
    }

    /// Processor time of all its processes so far, where the system says it; a graceful end's own is
    /// left out.
    #[must_use]
    pub fn cpu(&self) -> Option<Duration> {
        let Some(group) = &self.group else { return self.command.as_ref().map(|_| self.spent) };
        let family = tree::family(group.root());
        let present = family.iter().filter_map(|one| system::cpu(one.pid));
        Some(self.spent + present.reduce(|all, one| all + one)?)
    }

    /// Ends it, whatever it is doing: the stop signal to all its processes, and SIGKILL to whoever is
    /// left after a while.
    pub async fn stop(mut self) {
        let Some(group) = &mut self.group else { return };
        group.signal(self.lifecycle.stop);
        // Whoever stands still hears of it only when going on.
        group.signal(Signal::SIGCONT);
        // It has been waited for; what is left is killed.
        let _ = tokio::time::timeout(self.lifecycle.stop_within, group.empty()).await;
        self.leave_nobody().await;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = &self.group {
            group.signal(signal);
        }
    }

    fn note(&self, at: Moment, change: Change) {
        self.recorder.record(Event::Process(Process { at, change }));
    }
}

/// More redirects are a circle.
const REDIRECTS: usize = 5;

/// Calls the target and nobody else: a redirect to somewhere else is the answer, and whatever proxy
/// this machine is set to use is left out. No connection is kept: an idle one would hold up a target
/// that ends in order.
///
/// # Errors
///
/// Why there is none, in words.
pub(super) fn client() -> Result<Client, String> {
    let policy = Policy::custom(|attempt: Attempt<'_>| {
        let asked = attempt.previous();
        let stays = asked.first().is_some_and(|first| first.origin() == attempt.url().origin());
        if stays && asked.len() <= REDIRECTS { attempt.follow() } else { attempt.stop() }
    });
    let builder = Client::builder().no_proxy().pool_max_idle_per_host(0).redirect(policy);
    builder.build().map_err(|error| error.to_string())
}

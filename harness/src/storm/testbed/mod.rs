//! What stands before the first visitor arrives: mock, target, and who watches them.

mod set_up;

pub use set_up::Scene;

use super::first_visit::FirstVisit;
use super::load::Entrance;
use super::measure::micros;
use super::observe::dead_letters::DeadLetters;
use super::observe::logs::Logs;
use super::observe::receiver::Receiver;
use super::observe::search::Search;
use super::observe::source::{self, Tree};
use super::observe::watch::{Metrics, Watch, Watching};
use super::order::{Order, Said};
use super::pace::Pace;
use super::process_faults::due::DueFaults;
use super::process_faults::{self, Lost};
use super::reach;
use super::recorder::Recorder;
use super::tap::Tap;
use super::target::{Target, client};
use crate::failure::Failure;
use crate::metrics::{MetricNames, Picks};
use crate::process::system;
use mock_server::clock::{Clock, Moment};
use mock_server::server::MockLinktree;
use scenarios::front_door::{FrontDoor, FrontRoute};
use scenarios::history::{Change, Event, Process};
use scenarios::plan::{Plan, RunPlan};
use scenarios::traffic::Visitor;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Mock, target and their watchers.
pub struct Testbed {
    mock: MockLinktree,
    target: Target,
    /// Faults of the process, as they fall due.
    faults: DueFaults,
    /// Where mock and visitors report.
    tap: Tap,
    front: FrontDoor,
    /// Signs creators' sessions.
    session_secret: String,
    metrics_url: String,
    /// Where the target keeps the webhooks that it could not process, unless the watch looks there.
    dead_letters: Option<DeadLetters>,
    /// What the target pushes, unless the watch looks at it.
    receiver: Option<Receiver>,
    watching: Option<Watching>,
    /// The target's log files, unless the watch reads them.
    logs: Option<Logs>,
    search: Arc<Search>,
    /// The target ended, or was not ready again, without being asked.
    lost: bool,
    data_dir: PathBuf,
    /// The certificate of the mock's authority, if anybody was told of it.
    ca_file: Option<PathBuf>,
    captures_log: bool,
    clock: Clock,
    recorder: Recorder,
}

impl Testbed {
    /// Visits the target once; the mock must be asked. What the visitor misses is said.
    ///
    /// # Errors
    ///
    /// In words, why it was not, and what to change.
    pub async fn reach(&self, plan: &Plan, metrics: &MetricNames) -> Result<(), String> {
        let client = client()?;
        let patience = Duration::from_millis(plan.generator.timeout_ms);
        let arrivals = self.tap.arrivals();
        let (mut reach, outcome) =
            reach::probe(&self.target.url, &self.front, patience, arrivals, &client, self.clock)
                .await;
        if outcome.is_ok() {
            let visit = FirstVisit {
                client: &client,
                url: &self.target.url,
                front: &self.front,
                metrics_url: &self.metrics_url,
                metrics,
                handle: &arrivals.handle,
                visitor: Visitor { seed: plan.seed, arrival: 0 },
                patience,
            };
            reach.lacks = visit.lacks().await;
        }
        for lack in &reach.lacks {
            Said::Lacks(lack.clone()).say();
        }
        self.recorder.record(Event::Reach(reach));
        outcome.map_err(|why| match turned_away(&self.mock) {
            Some(whom) => format!("{why}; {whom}"),
            None => why,
        })
    }

    /// Looks at the source tree once, and from now on at the target.
    ///
    /// # Errors
    ///
    /// [`Failure`] when no client can be built, or when it is watched already.
    pub async fn watch(&mut self, order: &Order, run: &RunPlan) -> Result<(), Failure> {
        let observe = &order.observe;
        let tree = Tree {
            folder: &order.config_folder,
            roots: &observe.source,
            except: &observe.source_except,
            live_prefix: &run.contract.keys.live_prefix,
        };
        tokio::task::block_in_place(|| source::look(&tree, &self.search));
        let logs = self.logs.take();
        let logs = logs.ok_or_else(|| Failure::bug("the target is watched already"))?;
        let offered = self.front.offers(FrontRoute::Metrics);
        let metrics = match self.receiver.take() {
            Some(receiver) => Metrics::Pushed(receiver),
            None => Metrics::Scraped(self.metrics_url.clone(), Picks::of(&observe.metrics)),
        };
        let watch = Watch {
            root: self.target.root(),
            logs,
            metrics: Some(metrics).filter(|_| offered),
            standstill: self.target.standstill(),
            dead_letters: self.dead_letters.take(),
            client: client().map_err(Failure::bug)?,
            search: Arc::clone(&self.search),
            recorder: self.recorder.clone(),
            clock: self.clock,
        };
        self.watching = Some(watch.begin().await);
        Ok(())
    }

    /// Where visitors go in.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        let (url, front) = (self.target.url.clone(), self.front.clone());
        let session_secret = self.session_secret.clone();
        Entrance { url, front, session_secret, sink: Arc::new(self.tap.clone()) }
    }

    /// How many visitors have come.
    #[must_use]
    pub fn pace(&self) -> Arc<Pace> {
        Arc::clone(self.tap.pace())
    }

    /// The process from which all of the target's descend, 0 for none.
    #[must_use]
    pub fn root(&self) -> Arc<AtomicU32> {
        self.target.root()
    }

    /// The plan's millisecond 0: from then on its faults happen.
    pub fn arm(&self, at: Moment) {
        self.mock.arm(at);
        self.faults.arm(at);
        self.recorder.record(Event::Armed { at });
    }

    /// Lets the plan's faults of the process happen; returns when the target is lost, and says how.
    pub async fn lost(&mut self) -> String {
        let lost = process_faults::inject_all(&mut self.target, &mut self.faults).await;
        self.note_lost(lost)
    }

    /// Waits for a restart that is under way.
    ///
    /// # Errors
    ///
    /// How the target was lost.
    pub async fn finish_start(&mut self) -> Result<(), String> {
        let started = self.target.finish_start().await;
        started.map_err(|error| self.note_lost(Lost::NotReady { how: error.to_string() }))
    }

    fn note_lost(&mut self, lost: Lost) -> String {
        self.lost = true;
        let (how, change): (_, fn(String) -> Change) = match lost {
            Lost::Died { how } => (how, |how| Change::Died { how }),
            Lost::NotReady { how } => (how, |how| Change::NotReady { how }),
        };
        self.note(change(how.clone()));
        how
    }

    /// Looks for the last time, while the target still runs; returns the processor time of the mock
    /// and of the target, µs, where the system says it.
    pub async fn last_look(&mut self) -> (Option<u64>, Option<u64>) {
        if let Some(watching) = self.watching.take() {
            self.logs = watching.finish().await;
        }
        (system::cpu_of_own_threads("mock-").map(micros), self.target.cpu().map(micros))
    }

    /// Ends target and mock, in this order; everything that they say is recorded then.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the mock itself has crashed.
    pub async fn clear(self) -> Result<(), Failure> {
        if !self.lost {
            self.note(Change::Stopped);
        }
        self.target.stop().await;
        if let Some(mut logs) = self.logs {
            tokio::task::block_in_place(|| logs.read(true));
        }
        let mock = self.mock;
        tokio::task::spawn_blocking(move || mock.stop())
            .await
            .map_err(|error| Failure::bug(format!("the mock crashed: {error}")))?;
        self.tap.bodies().finish();
        self.search.finish(self.captures_log);
        // The target's own data is not evidence, and a nightly run should not keep it.
        let _ = std::fs::remove_dir_all(&self.data_dir);
        self.ca_file.iter().for_each(|file| drop(std::fs::remove_file(file)));
        Ok(())
    }

    fn note(&self, change: Change) {
        self.recorder.record(Event::Process(Process { at: self.clock.now(), change }));
    }
}

/// Whom the mock has turned away, which may have been the integration; none if nobody.
fn turned_away(mock: &MockLinktree) -> Option<String> {
    let away: Vec<String> = mock.turned_away().iter().map(ToString::to_string).collect();
    let named = || format!("the mock has turned away {}: is it among mock.peers?", away.join(", "));
    (!away.is_empty()).then(named)
}

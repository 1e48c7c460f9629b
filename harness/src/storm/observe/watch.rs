//! Looks at the target once a second beside the visitors: its processes, its log files, its metrics, and
//! where it keeps failed webhooks.

use super::dead_letters::DeadLetters;
use super::inspect::Inspector;
use super::logs::Logs;
use super::receiver::Receiver;
use super::search::Search;
use crate::body::{self, Ended};
use crate::metrics::{Exposition, Picks};
use crate::storm::recorder::Recorder;
use crate::storm::target::Standstill;
use mock_server::clock::Clock;
use scenarios::history::{Event, OpFailure};
use scenarios::observed::{Figures, Scrape};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How often it is looked at: seldom enough to cost nothing, often enough to meet a helper.
const EVERY: Duration = Duration::from_secs(1);
/// How long a scrape may take.
const SCRAPE_WITHIN: Duration = Duration::from_secs(2);
/// As much of the metrics as is read.
const LARGEST: usize = 8 << 20;

/// What is looked at.
pub struct Watch {
    /// The process from which all of the target's descend, 0 for none.
    pub root: Arc<AtomicU32>,
    /// Its log files.
    pub logs: Logs,
    /// How the metrics come; none where there are none.
    pub metrics: Option<Metrics>,
    /// When it stood still.
    pub standstill: Arc<Standstill>,
    /// Where it keeps the webhooks that it could not process; none where nobody says it.
    pub dead_letters: Option<DeadLetters>,
    /// Scrapes.
    pub client: reqwest::Client,
    /// Searches.
    pub search: Arc<Search>,
    /// Records.
    pub recorder: Recorder,
    /// The run's clock.
    pub clock: Clock,
}

/// How metrics come.
pub enum Metrics {
    /// They are asked for at this address, and this is picked out of them.
    Scraped(String, Picks),
    /// They are sent here.
    Pushed(Receiver),
}

/// A watch that goes on beside the storm.
pub struct Watching {
    end: oneshot::Sender<()>,
    task: JoinHandle<Logs>,
}

impl Watch {
    /// Looks once, and then goes on until [`Watching::finish`].
    pub async fn begin(mut self) -> Watching {
        let mut inspector = Inspector::default();
        self.round(&mut inspector, false).await;
        let (end, mut ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut going_on = true;
            while going_on {
                tokio::select! {
                    _ = &mut ended => going_on = false,
                    () = tokio::time::sleep(EVERY) => {}
                }
                self.round(&mut inspector, !going_on).await;
            }
            self.logs
        });
        Watching { end, task }
    }

    async fn round(&mut self, inspector: &mut Inspector, last: bool) {
        let root = self.root.load(Ordering::Relaxed);
        if root > 0 {
            let (search, recorder, clock) = (&self.search, &self.recorder, self.clock);
            tokio::task::block_in_place(|| inspector.look(root, search, recorder, clock));
        }
        tokio::task::block_in_place(|| self.logs.read(false));
        match &self.metrics {
            Some(Metrics::Scraped(url, picks)) => self.scrape(url, picks).await,
            Some(Metrics::Pushed(receiver)) => {
                let look = receiver.look(|from| self.standstill.was_since(from));
                look.into_iter().for_each(|scrape| {
                    self.recorder.record(Event::Scrape(Box::new(scrape)));
                });
            }
            None => {}
        }
        if let Some(dead_letters) = &mut self.dead_letters {
            dead_letters.look(last).await;
        }
    }

    async fn scrape(&self, url: &str, picks: &Picks) {
        let sent = self.clock.now();
        let mut status = None;
        let outcome = tokio::time::timeout(SCRAPE_WITHIN, self.read(url, &mut status)).await;
        let last = self.clock.now();
        let (failure, figures) = match outcome {
            Ok(Ok(text)) => {
                self.search.metrics(&text);
                (None, picks.figures(&Exposition::parse(&String::from_utf8_lossy(&text))))
            }
            Ok(Err(error)) if error.is_connect() => (Some(OpFailure::Connect), Figures::default()),
            Ok(Err(_)) => (Some(OpFailure::Broken), Figures::default()),
            Err(_) => (Some(OpFailure::Timeout), Figures::default()),
        };
        let scrape = Scrape { sent, last, status, failure, figures, pushed: None };
        self.recorder.record(Event::Scrape(Box::new(scrape)));
    }

    async fn read(&self, url: &str, status: &mut Option<u16>) -> Result<Vec<u8>, reqwest::Error> {
        let mut answer = self.client.get(url).header("accept", "text/plain").send().await?;
        *status = Some(answer.status().as_u16());
        match body::beginning(&mut answer, LARGEST).await {
            (_, Ended::Broken(error)) => Err(error),
            (text, Ended::Whole | Ended::Longer) => Ok(text),
        }
    }
}

impl Watching {
    /// Looks for the last time, while the target still runs. What it logs as it ends is still to be
    /// read; none when the watch itself has crashed.
    pub async fn finish(self) -> Option<Logs> {
        // It fails only when the task is gone already.
        let _ = self.end.send(());
        self.task.await.ok()
    }
}

//! Throws the storm of one plan at a front door, and says how good the throw was.

use super::campaigns::Campaigns;
use super::dispatcher::{self, Dispatched, Release};
use super::goose_run::{self, Work};
use super::page::Pages;
use super::schedule::{Schedule, ScheduleError};
use super::sessions::Sessions;
use super::visits::{Answer, Shared};
use crate::front_door::FrontDoor;
use crate::history::{GeneratorReport, Operation};
use crate::plan::Plan;
use mock_server::clock::{Clock, Moment};
use reqwest::{Client, Url, redirect};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::watch;

/// How long before `armed` a storm should be started, so that all users wait at the door.
pub const LEAD: Duration = Duration::from_millis(1_000);

/// How often the stop flag is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Idle connections are closed before a usual server closes them, so that a visitor does not
/// meet a connection that is just being closed and blames the integration for it.
const IDLE: Duration = Duration::from_millis(900);

/// Where visitors report what they met; called for each operation, so it must be quick.
pub trait OperationSink: Send + Sync {
    /// An operation is over.
    fn operation(&self, operation: Operation<'static>);

    /// What the visitor of an operation was answered; called before [`Self::operation`], and only
    /// when there was an answer.
    fn answer(&self, _operation: &Operation<'_>, _answer: &Answer) {}
}

/// One plan's traffic, ready to be thrown.
pub struct Storm {
    /// Who does what.
    pub plan: Plan,
    /// `http://host:port` of the integration.
    pub front_url: String,
    /// How its routes are spelled.
    pub front: FrontDoor,
    /// Signs creators' sessions.
    pub session_secret: String,
    /// Millisecond 0 of the plan; best at least [`LEAD`] ahead.
    pub armed: Moment,
    /// The run's clock.
    pub clock: Clock,
    /// Where operations are recorded.
    pub sink: Arc<dyn OperationSink>,
    /// Set by anybody who wants the storm to end within a second.
    pub stop: Arc<AtomicBool>,
}

/// Why a storm could not be thrown. What the integration does wrong is never among these.
#[derive(Debug, thiserror::Error)]
pub enum TrafficError {
    /// The plan cannot be scheduled.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// Not an address.
    #[error("failed to use the front door's address {url:?}: it is not http://host:port")]
    FrontUrl {
        /// What was given.
        url: String,
    },
    /// The HTTP client could not be built.
    #[error("failed to build the visitors' HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// No thread for the dispatcher or the visitors.
    #[error("failed to keep a thread of the load generator: {0}")]
    Thread(#[from] io::Error),
    /// goose refused.
    #[error("failed to run the load generator: {0}")]
    Goose(#[source] Box<goose::GooseError>),
    /// Fewer users than the plan wants.
    #[error(
        "failed to keep the load generator's users: {began} of {wanted} began, {lost} panicked"
    )]
    Users {
        /// How many the plan needs.
        wanted: usize,
        /// How many began.
        began: usize,
        /// How many panicked.
        lost: usize,
    },
    /// goose allows one attack in a process.
    #[error("failed to throw two storms at once in one process")]
    Busy,
}

impl From<goose::GooseError> for TrafficError {
    fn from(error: goose::GooseError) -> Self {
        Self::Goose(Box::new(error))
    }
}

/// Set while a storm runs: goose's kill switch and interrupt handler are one for each process.
static RUNNING: AtomicBool = AtomicBool::new(false);

struct OnlyOne;

impl OnlyOne {
    fn enter() -> Result<Self, TrafficError> {
        let free = RUNNING.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire);
        free.map(|_| Self).map_err(|_| TrafficError::Busy)
    }
}

impl Drop for OnlyOne {
    fn drop(&mut self) {
        RUNNING.store(false, Ordering::Release);
    }
}

/// Throws the storm; returns when every visitor has been answered or has given up, which may be
/// before the plan's last phase ends.
///
/// Arrivals for which no user was free are sent late, and their lateness is in the report. Those
/// that could not be sent before the plan's end plus one visitor's timeout are the difference
/// between `scheduled` and `sent`. Calls of sequences count as scheduled once they are sent. The
/// processor times of the report are left out.
///
/// # Errors
///
/// [`TrafficError`] for what is wrong on this side only.
pub async fn run(storm: Storm) -> Result<GeneratorReport, TrafficError> {
    let _only = OnlyOne::enter()?;
    let Storm { plan, front_url, front, session_secret, armed, clock, sink, stop } = storm;
    let schedule = Arc::new(Schedule::of(&plan)?);
    let front_url = checked(front_url)?;
    let timeout = Duration::from_millis(plan.generator.timeout_ms.max(1));
    let (kept, odd_client) = (client(timeout, usize::MAX)?, client(timeout, 0)?);
    let (send_over, over) = watch::channel(false);
    let shared = Shared {
        front_url,
        front: Arc::new(front),
        schedule: Arc::clone(&schedule),
        seed: plan.seed,
        odd_client,
        armed,
        armed_unix_ms: calendar_ms(armed, clock),
        pages: Pages::default(),
        campaigns: Campaigns::of(&plan, &schedule),
        sessions: Sessions::of(&plan, &schedule.handles, &session_secret),
        clock,
        sink,
        over,
        begun: AtomicU64::new(0),
    };
    let release = Arc::new(Release::default());
    let work = Arc::new(Work::new(shared, Arc::clone(&release), kept));
    let ended = Arc::new(AtomicBool::new(false));
    let walking = dispatcher::start(
        Arc::clone(&schedule),
        armed,
        clock,
        Arc::clone(&release),
        Arc::clone(&ended),
    )?;
    // Whatever way this function is left, dispatcher and visitors go home.
    let home = Home { ended, release, send_over };
    let deadline = goose_run::deadline(armed, plan.duration_ms(), plan.generator.timeout_ms);
    let users = plan.generator.users.max(1) as usize + schedule.sequences.len();
    let mut attack = goose_run::begin(Arc::clone(&work), users, timeout)?;
    let outcome = tokio::select! {
        outcome = &mut attack => outcome,
        () = until_stopped(&stop, clock, deadline) => {
            home.go();
            attack.await
        }
    };
    home.go();
    let dispatched = tokio::task::spawn_blocking(|| walking.join()).await;
    let lost = || TrafficError::Thread(io::Error::other("it panicked"));
    outcome.map_err(|_| lost())??;
    let Dispatched { by, cost } = dispatched.map_err(io::Error::other)?.map_err(|_| lost())?;
    let lateness = work.lateness();
    let sent = work.shared.begun.load(Ordering::Acquire);
    let open = schedule.arrivals.len() as u64;
    Ok(GeneratorReport {
        scheduled: open + sent.saturating_sub(lateness.count()),
        sent,
        users: u32::try_from(work.users()).unwrap_or(u32::MAX),
        dispatcher: by.to_owned(),
        dispatch: Some(cost),
        lateness,
        peak_per_s: schedule.peak_per_s(),
        ..GeneratorReport::default()
    })
}

struct Home {
    ended: Arc<AtomicBool>,
    release: Arc<Release>,
    send_over: watch::Sender<bool>,
}

impl Home {
    fn go(&self) {
        self.ended.store(true, Ordering::Release);
        self.release.abandon();
        self.send_over.send_replace(true);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.go();
    }
}

/// Returns when somebody asks for a stop, when goose caught an interrupt, or at the deadline.
async fn until_stopped(stop: &AtomicBool, clock: Clock, deadline: Moment) {
    while !stop.load(Ordering::Acquire)
        && !goose::is_killswitch_triggered()
        && clock.now() < deadline
    {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn checked(front_url: String) -> Result<String, TrafficError> {
    match Url::parse(&front_url) {
        Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => {
            Ok(front_url.trim_end_matches('/').to_owned())
        }
        _ => Err(TrafficError::FrontUrl { url: front_url }),
    }
}

/// A client that keeps so many idle connections, for all visitors together. No proxy of the
/// environment, no redirects: what the front door itself answers is recorded.
fn client(timeout: Duration, idle: usize) -> Result<Client, TrafficError> {
    let builder = Client::builder()
        .timeout(timeout)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(idle);
    Ok(builder.build()?)
}

/// The calendar time of `armed`, milliseconds since the Unix epoch.
fn calendar_ms(armed: Moment, clock: Clock) -> i64 {
    let (now, wall) = (clock.now(), Clock::wall());
    let wall = wall + armed.since(now);
    let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = since.saturating_sub(now.since(armed));
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;

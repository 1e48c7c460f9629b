//! The one goose attack of a storm: its users serve sequences first and then arrivals.
//!
//! Each user runs the transaction once and stays in it until the schedule is over. goose would
//! stop users only between transactions and at whole seconds; here the schedule's end, or a stop,
//! closes what the users wait for, and every call is bounded by the client's timeout.
//!
//! Two things of goose cannot be turned off: it prints "N users launched." to standard output, and
//! it takes the process's handler for interrupts (a first one counts as a stop here, a second one
//! exits the process). A process that throws a storm should do nothing else on either.

use super::dispatcher::Release;
use super::run::TrafficError;
use super::visits::Shared;
use crate::history::Lateness;
use goose::GooseAttack;
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::prelude::{GooseUser, Scenario, Transaction, TransactionFunction};
use mock_server::clock::Moment;
use reqwest::Client;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

/// Threads that read pages and look up addresses, while visitors go on.
const READERS: usize = 4;

/// How long goose may take to notice that all its users are done: its loop looks twice a second.
const GRACE: Duration = Duration::from_secs(3);

/// What the users of the attack share.
pub struct Work {
    /// What all visitors share.
    pub shared: Shared,
    /// Where they wait for arrivals.
    pub release: Arc<Release>,
    /// The client of all users: one pool of connections.
    pub client: Client,
    /// sent − intended of the arrivals so far.
    lateness: Mutex<Lateness>,
    /// The next sequence that nobody serves yet.
    next_sequence: AtomicUsize,
    /// Users that began.
    joined: AtomicUsize,
    /// Users that are gone.
    left: AtomicUsize,
    /// Users that panicked.
    lost: AtomicUsize,
    /// Notified of each user that goes.
    gone: Notify,
}

impl Work {
    /// Work that nobody has begun.
    #[must_use]
    pub fn new(shared: Shared, release: Arc<Release>, client: Client) -> Self {
        Self {
            shared,
            release,
            client,
            lateness: Mutex::default(),
            next_sequence: AtomicUsize::new(0),
            joined: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            gone: Notify::new(),
        }
    }

    /// Everything that one user does.
    async fn serve(&self, client: &Client) {
        let shared = &self.shared;
        while let Some(sequence) =
            shared.schedule.sequences.get(self.next_sequence.fetch_add(1, Ordering::Relaxed))
        {
            self.sequence(sequence, client).await;
        }
        while let Some(position) = self.release.claim().await {
            let arrival = shared.schedule.arrivals[position];
            let intended = shared.armed.plus(Duration::from_micros(arrival.at_us));
            self.late(shared.clock.now().since(intended));
            shared.visit(client, arrival.index, arrival.planned, intended).await;
        }
    }

    async fn sequence(&self, sequence: &super::Sequence, client: &Client) {
        let shared = &self.shared;
        let last = shared.armed.plus(Duration::from_micros(sequence.until_us));
        let mut intended = shared.armed.plus(Duration::from_micros(sequence.from_us));
        for (index, planned) in (sequence.first_index..).zip(&sequence.calls) {
            if intended >= last || !shared.sleep_until(intended).await {
                break;
            }
            let ended = shared.visit(client, index, *planned, intended).await;
            intended = ended.plus(Duration::from_micros(sequence.gap_us));
        }
    }

    fn late(&self, late: Duration) {
        self.lateness.lock().unwrap_or_else(PoisonError::into_inner).record(late);
    }

    /// sent − intended of the arrivals so far.
    #[must_use]
    pub fn lateness(&self) -> Lateness {
        self.lateness.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many users began.
    #[must_use]
    pub fn users(&self) -> usize {
        self.joined.load(Ordering::Acquire)
    }

    async fn all_gone(&self, users: usize) {
        loop {
            let gone = self.gone.notified();
            if self.left.load(Ordering::Acquire) >= users {
                return;
            }
            gone.await;
        }
    }
}

/// Counts a user out, also when it panics.
struct Presence<'a>(&'a Work);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lost.fetch_add(1, Ordering::AcqRel);
        }
        self.0.left.fetch_add(1, Ordering::AcqRel);
        self.0.gone.notify_one();
    }
}

/// Begins the attack on a thread of its own, and tells how it ended.
///
/// One thread for all visitors: whatever wakes a visitor then wakes no other thread for it, and that is
/// most of what a page view cost where several threads took turns. One core is enough for more arrivals
/// than a plan may ask for.
///
/// # Errors
///
/// When the system refuses a thread.
pub fn begin(work: Arc<Work>, users: usize, timeout: Duration) -> io::Result<Attack> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(READERS)
        .build()?;
    let (tell, told) = oneshot::channel();
    std::thread::Builder::new().name("visitors".into()).spawn(move || {
        let outcome = runtime.block_on(attack(work, users, timeout));
        // Without waiting for the address of a host that nobody will call any more.
        runtime.shutdown_background();
        let _ = tell.send(outcome);
    })?;
    Ok(told)
}

/// The end of an attack; an error of its own when its thread panicked.
pub type Attack = oneshot::Receiver<Result<(), TrafficError>>;

/// Runs the attack until all `users` have served everything there was.
///
/// # Errors
///
/// [`TrafficError`] when goose refuses or loses users.
async fn attack(work: Arc<Work>, users: usize, timeout: Duration) -> Result<(), TrafficError> {
    let shared = Arc::clone(&work);
    let function: TransactionFunction = Arc::new(move |user: &mut GooseUser| {
        let work = Arc::clone(&shared);
        user.client = work.client.clone();
        Box::pin(async move {
            work.joined.fetch_add(1, Ordering::AcqRel);
            let _presence = Presence(&work);
            work.serve(&user.client).await;
            Ok(())
        })
    });
    let attack = GooseAttack::initialize_with_config(configuration(&work, users, timeout))?
        .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?
        .register_scenario(Scenario::new("Storm").register_transaction(Transaction::new(function)));
    tokio::select! {
        outcome = attack.execute() => { outcome?; }
        () = async {
            work.all_gone(users).await;
            tokio::time::sleep(GRACE).await;
        } => {
            // A user that panicked is never counted out by goose itself.
        }
    }
    let (began, lost) = (work.users(), work.lost.load(Ordering::Acquire));
    if began < users || lost > 0 {
        return Err(TrafficError::Users { wanted: users, began, lost });
    }
    Ok(())
}

/// No controllers, no metrics of its own, no output; all users at once, one iteration each.
#[allow(clippy::field_reassign_with_default)] // the type has private fields
fn configuration(work: &Work, users: usize, timeout: Duration) -> GooseConfiguration {
    let mut configuration = GooseConfiguration::default();
    configuration.host = Some(work.shared.front_url.clone());
    configuration.users = Some(users);
    // Users a second: a thousand users start within a millisecond of goose's own time.
    configuration.increase_rate = Some("1000000".into());
    configuration.iterations = Some(1);
    configuration.timeout = Some(timeout.as_secs_f32().max(1.0).to_string());
    configuration.quiet = 1;
    configuration.no_telnet = true;
    configuration.no_print_metrics = true;
    configuration.no_metrics = true;
    configuration.no_transaction_metrics = true;
    configuration.no_scenario_metrics = true;
    configuration.no_error_summary = true;
    configuration.no_threshold_abort = true;
    configuration
}

/// When the visitors must have gone, whatever happens.
#[must_use]
pub fn deadline(armed: Moment, duration_ms: u64, timeout_ms: u64) -> Moment {
    armed.plus(Duration::from_millis(duration_ms + timeout_ms))
}

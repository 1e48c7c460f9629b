//! The history: everything that was seen in one scenario, as one stream of events on one clock.
//!
//! In its JSON a moment of that clock is a whole number of nanoseconds, whatever its name; any other
//! time says its unit at the end of its name. No object has a name twice.

mod body;
mod campaign;
mod cross;
mod did;
mod digest;
mod hostile;
mod lateness;
#[cfg(test)]
mod lines;
mod look;
mod operation;
mod process;
mod shown;

pub use body::{Body, BodyCount, BodyHash};
pub use campaign::{Campaign, NewWords};
pub use cross::{Asked, Cross, Origin};
pub use did::*;
pub use digest::{LinesDigest, RunningDigest};
pub use hostile::{Became, Finding, Hostile};
pub use lateness::Lateness;
pub use look::{Look, Session};
pub use operation::{OpFailure, Operation};
pub use process::{Change, Process, Seen};
pub use shown::Shown;

use crate::front_door::FrontRoute;
use crate::observed::{Headroom, Held, Inspection, Kept, Leak, Reach, Scanned, Scrape};
use mock_server::clock::Moment;
use mock_server::history::exchange::Exchange;
use mock_server::history::handshake::Handshake;
use mock_server::history::record::{
    Alert, Delivery, Happened, Overload, Reachability, Record, SecretRead,
};
use serde::{Deserialize, Serialize};

/// The version of the history's format.
pub const HISTORY_FORMAT: u32 = 10;

/// One line of `history.ndjson.zst`. Front-door operations are by far the most frequent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event<'a> {
    /// The first line.
    Opened(Opened),
    /// The mock stands.
    Mock {
        /// Where: `http://host:port`, without `/v1`.
        url: String,
    },
    /// The target stands.
    Front {
        /// Where, as it is told: `http://host:port`.
        url: String,
        /// The path at which it takes webhooks; none where it takes none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        webhooks: Option<String>,
        /// Routes that it does not have.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        without: Vec<FrontRoute>,
    },
    /// The harness measured itself.
    Tolerances(Tolerances),
    /// The harness measured its machine.
    Headroom(Headroom),
    /// One visit before the storm.
    Reach(Reach),
    /// Traffic begins: millisecond 0 of the plan.
    Armed {
        /// When.
        at: Moment,
    },
    /// A front-door operation is over.
    #[serde(borrow)]
    Operation(Operation<'a>),
    /// A visitor was shown a body that nobody was shown before.
    Body(Box<Body>),
    /// How many bodies were recorded.
    Bodies(BodyCount),
    /// An upstream exchange is over.
    Exchange(Box<Exchange>),
    /// The mock sent a webhook, or could not.
    Delivery(Box<Delivery>),
    /// The mock looked at a webhook's address.
    Reachability(Reachability),
    /// The vault was asked.
    SecretRead(SecretRead),
    /// An alert came in.
    Alert(Alert),
    /// A TLS handshake is over.
    Handshake(Box<Handshake>),
    /// Something happened to a process.
    Process(Process),
    /// A process was looked into.
    Inspection(Inspection),
    /// The metrics were scraped.
    Scrape(Box<Scrape>),
    /// Whether a webhook that nobody could process was kept has changed, or was looked at for the last
    /// time.
    Kept(Kept),
    /// Something that was planted came to light.
    Leak(Leak),
    /// How much was searched for what was planted.
    Scanned(Scanned),
    /// A timer came late by this much: the harness itself was short of processor time.
    Lag {
        /// When the timer should have fired.
        at: Moment,
        /// How late it was, microseconds.
        late_us: u64,
    },
    /// What the look at timers came to, at its end.
    Timers(Timers),
    /// A thread of the target was ready to run for a good part of this time, and others had the
    /// processors: the machine was short of them.
    Starved {
        /// From when.
        from: Moment,
        /// Until when.
        until: Moment,
        /// How long the thread waited in it, microseconds.
        waited_us: u64,
    },
    /// What the look at the target's threads came to, at its end.
    Waits(Waits),
    /// What the target's processes held.
    Held(Held),
    /// Something happened in the mock's world.
    World(Happened),
    /// The mock ran out of something.
    Overload(Overload),
    /// The generator's own account, at its end.
    Generator(GeneratorReport),
    /// Everything up to here is on disk, and this is what it is: as far as the last of these a recording
    /// that broke off is believed.
    Checkpoint {
        /// Of every line before.
        digest: LinesDigest,
    },
    /// The last line of a whole recording.
    Closed {
        /// When.
        at: Moment,
        /// Why.
        outcome: Outcome,
        /// Of every line before.
        digest: LinesDigest,
    },
}

impl From<Record> for Event<'static> {
    fn from(record: Record) -> Self {
        match record {
            Record::Exchange(exchange) => Self::Exchange(exchange),
            Record::Delivery(delivery) => Self::Delivery(delivery),
            Record::Reachability(look) => Self::Reachability(look),
            Record::SecretRead(read) => Self::SecretRead(read),
            Record::Alert(alert) => Self::Alert(alert),
            Record::Handshake(handshake) => Self::Handshake(handshake),
            Record::World(happened) => Self::World(happened),
            Record::Overload(overload) => Self::Overload(overload),
        }
    }
}

/// What stands at the head of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// [`HISTORY_FORMAT`].
    pub format: u32,
    /// The id of the run that recorded it.
    pub run: String,
    /// SHA-256 of the run's `run.json`, lower hex.
    pub run_hash: String,
    /// The scenario's id.
    pub scenario: String,
    /// SHA-256 of the run's plan file, lower hex.
    pub plan_hash: String,
    /// The target, such as `embedded` or `embedded:MUTANT`.
    pub target: String,
    /// The calendar time at moment 0 of its clock, RFC 3339; for people, since nothing is judged by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
}

/// How exact the harness is on this machine, measured before the run. Never scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tolerances {
    /// δ: delivery plus scheduling, between a decision and its arrival in the history; µs.
    pub delta_us: u64,
    /// ε: granularity of timers; µs.
    pub epsilon_us: u64,
    /// The slowest loopback echo, or the latest timer, of the best of several measurements; µs.
    pub measured_us: u64,
}

impl Default for Tolerances {
    /// predicates.md B0: δ 100 ms, ε 50 ms.
    fn default() -> Self {
        Self { delta_us: 100_000, epsilon_us: 50_000, measured_us: 0 }
    }
}

/// How good the load generator was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorReport {
    /// Arrivals in the schedule.
    pub scheduled: u64,
    /// Arrivals sent.
    pub sent: u64,
    /// Goose users.
    pub users: u32,
    /// What released the arrivals, and by which timers.
    pub dispatcher: String,
    /// What that cost; none in recordings that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<DispatchCost>,
    /// sent − intended of the arrivals.
    pub lateness: Lateness,
    /// Most arrivals in any second of the schedule.
    pub peak_per_s: u64,
    /// Processor time of the harness child (generator, mock and recorder), µs; none when the system
    /// does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness_cpu_us: Option<u64>,
    /// Of which the mock's threads, µs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mock_cpu_us: Option<u64>,
    /// Processor time of the target, µs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_cpu_us: Option<u64>,
}

/// What it cost to release arrivals at their instants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchCost {
    /// Releases, each of one arrival or of several that had become due together.
    pub releases: u64,
    /// Of which so many after the thread had spun, to be exact.
    pub spins: u64,
    /// Processor time of the thread, µs.
    pub cpu_us: u64,
}

/// How late the harness's own timers were: without it nobody knows whether no late timer was noted
/// because none was late, or because nobody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    /// How often it was looked.
    pub looks: u64,
    /// The latest of them, microseconds.
    pub latest_us: u64,
}

/// How the target's threads waited for a processor that others had: without it nobody knows whether
/// nobody waited, or nobody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// How often it was looked, with the target there.
    pub looks: u64,
    /// The longest wait between two looks, microseconds.
    pub longest_us: u64,
}

/// How a recording ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// The plan was carried out to its end.
    Completed,
    /// Ctrl-C or a signal.
    Interrupted,
    /// The target ended in mid-run.
    TargetLost {
        /// How, in words.
        how: String,
    },
    /// There was no storm: the target does not call the mock.
    Unreached {
        /// What was seen, and what to change.
        why: String,
    },
}

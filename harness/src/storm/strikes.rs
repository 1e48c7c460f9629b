//! When faults of the process fall due: by the clock, or by counting clicks as they are recorded.

use super::recorder::Recorder;
use mock_server::clock::{Clock, Moment};
use mock_server::faults::{Fault, Rule, Stage, Strike, Window};
use mock_server::record::Record;
use scenarios::history::{Op, Operation};
use scenarios::traffic::OperationSink;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;

/// A fault of the process that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Struck {
    /// The rule's id.
    pub rule: String,
    /// What shall happen.
    pub fault: Fault,
}

/// The faults of the process that a plan holds, as they fall due.
pub struct Strikes {
    clock: Clock,
    armed: Arc<OnceLock<Moment>>,
    /// By the clock, in order: milliseconds of the plan.
    timed: VecDeque<(u64, Struck)>,
    counted: mpsc::UnboundedReceiver<Struck>,
}

/// Records what mock and visitors report, and counts clicks on the way.
#[derive(Clone)]
pub struct Counting {
    recorder: Recorder,
    armed: Arc<OnceLock<Moment>>,
    counters: Arc<Vec<Counter>>,
    due: mpsc::UnboundedSender<Struck>,
}

struct Counter {
    what: What,
    /// Which click it is, from 1.
    nth: u64,
    seen: AtomicU64,
    window: Window,
    struck: Struck,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Acks,
    Deliveries,
}

impl Strikes {
    /// The faults of the process among `rules`, and a recorder that counts for them. Nothing is due
    /// before [`Strikes::arm`].
    #[must_use]
    pub fn of(rules: &[Rule], clock: Clock, recorder: &Recorder) -> (Self, Counting) {
        let (mut timed, mut counters) = (Vec::new(), Vec::new());
        for rule in rules.iter().filter(|rule| rule.fault.stage() == Stage::Process) {
            let struck = Struck { rule: rule.id.clone(), fault: rule.fault.clone() };
            let (what, nth) = match when(&rule.fault) {
                Strike::WindowStart => {
                    timed.push((rule.window.from_ms, struck));
                    continue;
                }
                Strike::NthAck { n } => (What::Acks, n),
                Strike::NthDelivery { n } => (What::Deliveries, n),
            };
            let seen = AtomicU64::new(0);
            counters.push(Counter { what, nth, seen, window: rule.window, struck });
        }
        timed.sort_by_key(|(ms, _)| *ms);
        let (due, counted) = mpsc::unbounded_channel();
        let armed = Arc::new(OnceLock::new());
        let counting = Counting {
            recorder: recorder.clone(),
            armed: Arc::clone(&armed),
            counters: Arc::new(counters),
            due,
        };
        (Self { clock, armed, timed: timed.into(), counted }, counting)
    }

    /// The plan's millisecond 0.
    pub fn arm(&self, at: Moment) {
        // Whoever arms twice keeps the first moment.
        let _ = self.armed.set(at);
    }

    /// Waits for the next fault that is due; for ever when there is none. To be called after
    /// [`Strikes::arm`]; dropping the future loses nothing.
    pub async fn next(&mut self) -> Struck {
        let at = self.armed.get().zip(self.timed.front());
        let at = at.map(|(armed, (ms, _))| armed.plus(Duration::from_millis(*ms)));
        let clock = self.clock;
        let by_the_clock = async {
            match at {
                Some(at) => tokio::time::sleep_until(clock.instant(at).into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = by_the_clock => {}
            Some(struck) = self.counted.recv() => return struck,
        }
        match self.timed.pop_front() {
            Some((_, struck)) => struck,
            None => std::future::pending().await,
        }
    }
}

const fn when(fault: &Fault) -> Strike {
    match fault {
        Fault::Kill(kill) => kill.on,
        Fault::Terminate(stop) => stop.on,
        Fault::Pause(pause) => pause.on,
        _ => Strike::WindowStart,
    }
}

impl Counting {
    /// Counts something that happened at `at`; it strikes exactly once.
    fn count(&self, what: What, at: Moment) {
        let Some(armed) = self.armed.get().filter(|armed| **armed <= at) else { return };
        let ms = at.since(*armed).as_millis();
        for counter in self.counters.iter().filter(|counter| counter.what == what) {
            let window = counter.window;
            let open = u128::from(window.from_ms) <= ms && ms < u128::from(window.until_ms);
            if open && counter.seen.fetch_add(1, Ordering::Relaxed) + 1 == counter.nth {
                // It fails only when nobody carries faults out any more.
                let _ = self.due.send(counter.struck.clone());
            }
        }
    }
}

impl mock_server::record::Recorder for Counting {
    fn record(&self, record: Record) {
        if let Record::Exchange(exchange) = &record
            && !exchange.clicks.is_empty()
        {
            self.count(What::Deliveries, exchange.t_end);
        }
        mock_server::record::Recorder::record(&self.recorder, record);
    }
}

impl OperationSink for Counting {
    fn operation(&self, operation: Operation<'static>) {
        if operation.op == Op::Click && operation.is_ok() {
            self.count(What::Acks, operation.last);
        }
        self.recorder.operation(operation);
    }
}

//! When faults of the process fall due: by the clock, or by counting clicks as they are recorded.

use crate::storm::recorder::Recorder;
use mock_server::clock::{Clock, Moment};
use mock_server::faults::{ProcessFault, Rule, Strike, Window};
use mock_server::history::record::Record;
use scenarios::history::Operation;
use scenarios::traffic::OperationSink;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;

/// A fault of the process that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct DueFault {
    /// The rule's id.
    pub rule: String,
    /// What shall happen.
    pub fault: ProcessFault,
}

/// The faults of the process that a plan holds, as they fall due.
pub struct DueFaults {
    clock: Clock,
    armed: Arc<OnceLock<Moment>>,
    /// By the clock, in order: milliseconds of the plan.
    timed: VecDeque<(u64, DueFault)>,
    counted: mpsc::UnboundedReceiver<DueFault>,
}

/// Records what mock and visitors report, and counts clicks on the way.
#[derive(Clone)]
pub struct Counting {
    recorder: Recorder,
    armed: Arc<OnceLock<Moment>>,
    counters: Arc<Vec<Counter>>,
    due: mpsc::UnboundedSender<DueFault>,
}

struct Counter {
    what: What,
    /// Which click it is, from 1.
    nth: u64,
    seen: AtomicU64,
    window: Window,
    fault: DueFault,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Acks,
    Deliveries,
}

impl DueFaults {
    /// The faults of the process among `rules`, and a recorder that counts for them. Nothing is due
    /// before [`DueFaults::arm`].
    #[must_use]
    pub fn of(rules: &[Rule], clock: Clock, recorder: &Recorder) -> (Self, Counting) {
        let (mut timed, mut counters) = (Vec::new(), Vec::new());
        for rule in rules {
            let Some(fault) = rule.fault.as_process() else { continue };
            let on = fault.on();
            let fault = DueFault { rule: rule.id.clone(), fault };
            let (what, nth) = match on {
                Strike::WindowStart => {
                    timed.push((rule.window.from_ms, fault));
                    continue;
                }
                Strike::NthAck { n } => (What::Acks, n),
                Strike::NthDelivery { n } => (What::Deliveries, n),
            };
            let seen = AtomicU64::new(0);
            counters.push(Counter { what, nth, seen, window: rule.window, fault });
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
    /// [`DueFaults::arm`]; dropping the future loses nothing.
    pub async fn next(&mut self) -> DueFault {
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
            Some(fault) = self.counted.recv() => return fault,
        }
        match self.timed.pop_front() {
            Some((_, fault)) => fault,
            None => std::future::pending().await,
        }
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
                let _ = self.due.send(counter.fault.clone());
            }
        }
    }
}

impl mock_server::history::record::Recorder for Counting {
    fn record(&self, record: Record) {
        if let Record::Exchange(exchange) = &record
            && !exchange.clicks.is_empty()
        {
            self.count(What::Deliveries, exchange.t_end);
        }
        mock_server::history::record::Recorder::record(&self.recorder, record);
    }
}

impl OperationSink for Counting {
    fn operation(&self, operation: Operation<'static>) {
        if operation.click().is_some() && operation.is_ok() {
            self.count(What::Acks, operation.last);
        }
        self.recorder.operation(operation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::faults::{Fault, Kill, Matcher, Pause, Pick};
    use scenarios::history::{Click, Did};
    use std::borrow::Cow;

    fn rule(id: &str, from_ms: u64, fault: Fault) -> Rule {
        let window = Window { from_ms, until_ms: from_ms + 1_000 };
        Rule { id: id.into(), window, matcher: Matcher::default(), pick: Pick::All, fault }
    }

    fn kill(on: Strike) -> Fault {
        Fault::Kill(Kill { on, down_ms: 0 })
    }

    fn click(at_ms: u64, status: u16) -> Operation<'static> {
        let at = Moment::from_ms(at_ms);
        Operation {
            arrival: 0,
            handle: Cow::Borrowed("ann"),
            intended: at,
            sent: at,
            first: Some(at),
            last: at,
            status: Some(status),
            failure: None,
            did: Did::Click(Click { event_id: "e".into(), payload: "p".into() }),
        }
    }

    struct Rig {
        faults: DueFaults,
        counting: Counting,
        _folder: tempfile::TempDir,
    }

    impl Rig {
        fn of(rules: &[Rule]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (recorder, _) = Recorder::create(&folder.path().join("history")).unwrap();
            let (faults, counting) = DueFaults::of(rules, Clock::start(), &recorder);
            faults.arm(Moment::ZERO);
            Self { faults, counting, _folder: folder }
        }

        /// The next rule that is due by now.
        async fn due(&mut self) -> Option<String> {
            tokio::select! {
                biased;
                fault = self.faults.next() => Some(fault.rule),
                () = std::future::ready(()) => None,
            }
        }
    }

    #[tokio::test]
    async fn the_nth_acknowledged_click_of_the_window_strikes_once() {
        let rules = [rule("third", 5_000, kill(Strike::NthAck { n: 3 }))];
        let mut rig = Rig::of(&rules);
        let early = (0..9).map(|n| click(n, 202));
        let refused = (0..9).map(|n| click(5_000 + n, 503));
        let two = [click(5_100, 202), click(5_101, 202)];
        early.chain(refused).chain(two).for_each(|click| rig.counting.operation(click));
        assert_eq!(rig.due().await, None);
        (0..9).for_each(|n| rig.counting.operation(click(5_200 + n, 202)));
        assert_eq!(rig.due().await.as_deref(), Some("third"));
        assert_eq!(rig.due().await, None);
        (0..9).for_each(|n| rig.counting.operation(click(6_000 + n, 202)));
        assert_eq!(rig.due().await, None, "the window is over");
    }

    #[tokio::test]
    async fn windows_open_in_order_and_faults_of_requests_are_none_of_the_process() {
        let pause = Fault::Pause(Pause { on: Strike::WindowStart, for_ms: 1 });
        let status = mock_server::faults::Status { codes: vec![503], retry_after: vec![] };
        let mut rig = Rig::of(&[
            rule("second", 1, pause),
            rule("request", 0, Fault::Status(status)),
            rule("first", 0, kill(Strike::WindowStart)),
            rule("never", 3_600_000, kill(Strike::WindowStart)),
        ]);
        assert_eq!(rig.faults.next().await.rule, "first");
        assert_eq!(rig.faults.next().await.rule, "second");
        assert_eq!(rig.due().await, None);
    }

    #[tokio::test]
    async fn what_counted_before_arming_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, _) = Recorder::create(&folder.path().join("history")).unwrap();
        let rules = [rule("first", 0, kill(Strike::NthAck { n: 1 }))];
        let (mut faults, counting) = DueFaults::of(&rules, Clock::start(), &recorder);
        counting.operation(click(10, 202));
        faults.arm(Moment::from_ms(20));
        counting.operation(click(15, 202));
        counting.operation(click(30, 202));
        assert_eq!(faults.next().await.rule, "first");
        drop(counting);
        assert!(faults.counted.try_recv().is_err(), "once");
    }
}

//! How long the target was ready to run while others had the processors, and what it holds, as Linux counts
//! it. Elsewhere nothing is looked at, and the history says so: no look, no excuse.
//!
//! Of several threads the one counts that waited longest, and no longer than others used processors
//! meanwhile: who takes the whole machine for itself and waits for itself is not starved.

use super::micros;
use crate::process::system::{self, ThreadTime};
use crate::process::tree;
use crate::storm::recorder::Recorder;
use mock_server::clock::{Clock, Moment};
use scenarios::history::{Event, Waits};
use scenarios::observed::Held;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked at: Linux counts idle time in hundredths of a second.
const EVERY: Duration = Duration::from_millis(250);
/// Every so many looks it is asked who belongs to the target.
const ASKED_EVERY: u64 = 4;
/// Every so many looks it is noted what the target holds: every five seconds, since it grows in hours.
const HELD_EVERY: u64 = 20;
/// Of a look a line is worth it when a tenth of it was waited.
const NOTED: u32 = 10;

/// Looks at the target's threads over and over, and records when they waited.
pub struct Starvation {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Waits>,
    recorder: Recorder,
}

impl Starvation {
    /// Begins to look at whoever descends from `root`; 0 is nobody.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn begin(root: Arc<AtomicU32>, clock: Clock, recorder: Recorder) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, into) = (Arc::clone(&stop), recorder.clone());
        let thread = std::thread::Builder::new()
            .name("starvation".into())
            .spawn(move || look_until(&theirs, &root, clock, &into))?;
        Ok(Self { stop, thread, recorder })
    }

    /// Ends it, and records what it came to.
    pub fn end(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        if let Ok(waits) = self.thread.join() {
            self.recorder.record(Event::Waits(waits));
        }
    }
}

fn look_until(stop: &AtomicBool, root: &AtomicU32, clock: Clock, recorder: &Recorder) -> Waits {
    let mut waits = Waits { looks: 0, longest_us: 0 };
    let (mut family, mut before) = (Vec::new(), None);
    for round in 0.. {
        if stop.load(Ordering::Acquire) {
            break;
        }
        if round % ASKED_EVERY == 0 {
            let root = root.load(Ordering::Relaxed);
            family = if root > 0 { tree::descendants(root) } else { Vec::new() };
        }
        let Some(now) = Look::at(clock.now(), &family) else { break };
        let waited = before.as_ref().and_then(|before: &Look| before.waited_until(&now));
        if let (Some(waited), Some(before)) = (waited, &before) {
            waits.looks += 1;
            waits.longest_us = waits.longest_us.max(micros(waited));
            if waited * NOTED >= now.at.since(before.at) {
                let (from, until, waited_us) = (before.at, now.at, micros(waited));
                recorder.record(Event::Starved { from, until, waited_us });
            }
        }
        if round % HELD_EVERY == 0 && !family.is_empty() {
            recorder.record(Event::Held(held(now.at, &family)));
        }
        before = Some(now);
        std::thread::park_timeout(EVERY);
    }
    waits
}

/// What these processes hold together. Files that one of them does not show are nobody's.
fn held(at: Moment, family: &[u32]) -> Held {
    let each: Vec<_> = family.iter().filter_map(|pid| system::held(*pid)).collect();
    Held {
        at,
        processes: u32::try_from(each.len()).unwrap_or(u32::MAX),
        resident_bytes: each.iter().map(|one| one.0).sum(),
        open_files: each.iter().map(|one| one.1).sum(),
    }
}

/// What is seen at one moment.
#[derive(Debug)]
struct Look {
    at: Moment,
    /// How many processors the machine has.
    processors: u32,
    /// How long they had nothing to do, all together, since the machine was started.
    idle: Duration,
    /// How each thread of the target spent its time, by process and thread.
    threads: HashMap<(u32, u32), ThreadTime>,
}

impl Look {
    /// None where the system does not say it.
    fn at(at: Moment, family: &[u32]) -> Option<Self> {
        let (processors, idle) = system::idle()?;
        let mut threads = HashMap::new();
        for pid in family {
            threads.extend(system::waits(*pid).into_iter().map(|(tid, time)| ((*pid, tid), time)));
        }
        Some(Self { at, processors, idle, threads })
    }

    /// How long the thread waited that waited longest; none when no thread was there at both moments.
    fn waited_until(&self, later: &Self) -> Option<Duration> {
        let both = later.threads.iter().filter_map(|(thread, now)| {
            let before = self.threads.get(thread)?;
            Some((now.ran.saturating_sub(before.ran), now.waited.saturating_sub(before.waited)))
        });
        let (ran, waited) = both.reduce(|all, one| (all.0 + one.0, std::cmp::max(all.1, one.1)))?;
        let all = later.at.since(self.at) * later.processors;
        let others = all.saturating_sub(later.idle.saturating_sub(self.idle)).saturating_sub(ran);
        Some(waited.min(others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// A look at two processors, at which each thread has run and waited for so many milliseconds.
    fn look(at_ms: u64, idle_ms: u64, threads: &[(u64, u64)]) -> Look {
        let time = |of: &(u64, u64)| ThreadTime { ran: MS(of.0), waited: MS(of.1) };
        let threads = (0..).zip(threads).map(|(n, of)| ((7, n), time(of)));
        let at = Moment::from_ms(at_ms);
        Look { at, processors: 2, idle: MS(idle_ms), threads: threads.collect() }
    }

    #[test]
    fn what_several_processes_hold_is_added_and_who_is_gone_holds_nothing() {
        let (at, own) = (Moment::from_ms(5), std::process::id());
        let one = held(at, &[own, u32::MAX]);
        let two = held(at, &[own, own]);
        assert_eq!((one.processes, two.processes), (1, 2));
        assert!(two.resident_bytes > one.resident_bytes, "{one:?} {two:?}");
        assert!(two.open_files > one.open_files, "{one:?} {two:?}");
        assert_eq!(held(at, &[u32::MAX]).resident_bytes, 0);
    }

    #[test]
    fn the_thread_counts_that_waited_longest_for_what_others_had() {
        let check = |later: Look, expected: Option<u64>| {
            let before = look(1_000, 500, &[(100, 10), (100, 20)]);
            assert_eq!(before.waited_until(&later), expected.map(MS));
        };
        // Others ran for 500 − 50 − 150 ms.
        check(look(1_250, 550, &[(250, 90), (100, 21)]), Some(80));
        check(look(1_250, 550, &[(250, 90), (100, 220)]), Some(200));
        // It has both processors for itself, and its third thread waits for the others.
        check(look(1_250, 500, &[(350, 10), (350, 260)]), Some(0));
        check(look(1_250, 900, &[(150, 10), (100, 20)]), Some(0));
        // One that was started meanwhile has no time before.
        check(look(1_250, 500, &[(100, 10), (100, 20), (9_000, 9_000)]), Some(0));
        check(look(1_250, 500, &[]), None);
    }
}

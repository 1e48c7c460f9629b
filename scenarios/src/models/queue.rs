//! Simulated click queues, sound and broken, through lost answers, an outage, kills and pauses.

use super::{Chaos, Tally, judged};
use crate::history::{Click, Did, OpFailure, Operation};
use crate::plan::PhaseKind::{Control, Heal, Outage, Settle};
use crate::testing::{History, click, sent_batch, sent_click};
use mock_server::clock::Moment;
use mock_server::history::exchange::{End, Exchange};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashSet, VecDeque};

/// The outage, in the milliseconds in which all of this is counted.
const OUT: std::ops::Range<u64> = 20_000..50_000;
const CLICKS: usize = 60;
const TIMEOUT: u64 = 10_000;

/// What is wrong with a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// A click in twenty is acknowledged and never queued.
    Forgets,
    /// What waits is kept in memory only.
    ForgetsAtKill,
    /// What is under way is taken out of the file before it has arrived.
    ForgetsInFlight,
    GivesUpAfterThree,
    /// Those that failed in a batch that was answered.
    DropsFailedItems,
    FreshKeys,
    KeysOfOthers,
    AltersPayloads,
    SwapsIds,
    RepeatsAfterSuccess,
    /// Sleeps for a minute and a half after the outage.
    Late,
}

#[derive(Clone, Copy, Debug)]
struct Queue {
    /// Clicks in one call; 1 for the route of single clicks.
    batch: usize,
    workers: usize,
    /// What is under way for longer is free for other workers again.
    lease: Option<u64>,
    chaos: Chaos,
    flaw: Flaw,
}

const SOUND: Queue =
    Queue { batch: 1, workers: 1, lease: None, chaos: Chaos::Nothing, flaw: Flaw::None };

enum Event {
    Clicked(usize),
    Wake,
    /// Of these clicks each has arrived or was refused for good, or is to be sent again.
    Heard(Vec<(usize, bool)>),
    LeaseIsOver(Vec<usize>),
}

/// A service and the Linktree that it calls.
struct World<'r> {
    random: &'r mut ChaCha8Rng,
    queue: Queue,
    /// In order of time; each with the life of the process that it belongs to.
    agenda: BTreeMap<(u64, usize), (usize, Event)>,
    events: usize,
    waiting: VecDeque<usize>,
    done: HashSet<usize>,
    attempts: Vec<u32>,
    failures: u32,
    counted: HashSet<String>,
    exchanges: Vec<Exchange>,
}

impl World<'_> {
    fn at(&mut self, time: u64, life: usize, event: Event) {
        self.events += 1;
        self.agenda.insert((time, self.events), (life, event));
    }

    fn once_in(&mut self, times: u32) -> bool {
        self.random.random_range(0..times) == 0
    }

    /// Sends what waits; when the worker hears what became of it, and what that is.
    fn send(&mut self, now: u64, gone: Option<(u64, u64)>) -> (u64, Vec<(usize, bool)>) {
        let items: Vec<usize> =
            (0..self.queue.batch).map_while(|_| self.waiting.pop_front()).collect();
        let flaw = self.queue.flaw;
        let swapped = flaw == Flaw::SwapsIds && self.once_in(10);
        let ids: Vec<String> =
            items.iter().map(|n| if swapped { format!("x{n}") } else { format!("c{n}") }).collect();
        let arrived = now + self.random.random_range(0..20);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let is_batch = self.queue.batch > 1;
        let mut call = if is_batch {
            sent_batch(&ids, arrived, 202)
        } else {
            let key = match flaw {
                Flaw::FreshKeys => format!("{}-{}", ids[0], self.attempts[items[0]]),
                Flaw::KeysOfOthers if self.once_in(5) => "c0".into(),
                _ => ids[0].into(),
            };
            Exchange { idempotency_key: Some(key), ..sent_click(ids[0], arrived, 202) }
        };
        let fails = self.once_in(if OUT.contains(&arrived) { 1 } else { 20 });
        // Most of an outage's answers say that nothing was done; else anything may have been.
        let how = self.random.random_range(if OUT.contains(&arrived) { 0..40 } else { 36..40 });
        let is_counted = !fails || matches!(how, 36..39) || how == 39 && self.once_in(2);
        let mut known = arrived + 5;
        for (receipt, n) in call.clicks.iter_mut().zip(&items) {
            self.attempts[*n] += 1;
            if flaw == Flaw::AltersPayloads && *n % 20 == 0 {
                receipt.payload = "q".into();
            }
            let own = match self.random.random_range(0..60) {
                0 => 422,
                1..4 if is_batch => 503,
                _ => 202,
            };
            receipt.status = if is_counted { own } else { 503 };
            receipt.effect = receipt.status == 202 && self.counted.insert(receipt.event_id.clone());
        }
        if !fails {
            call.status = if is_batch { Some(200) } else { Some(call.clicks[0].status) };
            if self.once_in(20) {
                known = arrived + self.random.random_range(200..6_000);
            }
        } else if how == 36 {
            call.status = Some(500);
        } else if how < 36 {
            call.status = Some(503);
        } else {
            let given_up = now + TIMEOUT;
            let paused = gone.filter(|gone| gone.0 <= given_up && given_up < gone.1);
            let killed = gone.filter(|gone| self.queue.chaos == Chaos::Kills && now < gone.0);
            let given_up = paused.map_or(given_up, |gone| gone.1);
            let given_up = killed.map_or(given_up, |gone| given_up.min(gone.0));
            if how == 39 {
                (call.end, known) = (End::ClientAbort, given_up);
            } else {
                call.end = End::ServerReset;
            }
            (call.status, call.t_w, call.t_first) = (None, None, None);
        }
        call.t_end = Moment::from_ms(known);
        call.t_w = call.t_w.map(|_| call.t_end);
        call.t_first = call.t_first.map(|_| call.t_end);
        let taken = |status: u16| status == 202 || status == 422;
        let is_done = |status: u16| !fails && (taken(status) || flaw == Flaw::DropsFailedItems);
        let heard =
            items.iter().zip(&call.clicks).map(|(n, one)| (*n, is_done(one.status))).collect();
        self.exchanges.push(call);
        (known + self.random.random_range(0..20), heard)
    }
}

/// Clicks for eighty seconds, of which half a minute is an outage; then all may arrive.
fn simulated(random: &mut ChaCha8Rng, queue: Queue) -> History {
    let phases = [(Control, 0, 20), (Outage, 20, 50), (Heal, 50, 80), (Settle, 80, 200)];
    let mut history = History::over(&phases);
    let (mut gone, mut from) = (Vec::new(), random.random_range(25_000..32_000));
    for _ in 0..if queue.chaos == Chaos::Nothing { 0 } else { 2 } {
        gone.push((from, from + random.random_range(300..3_000)));
        from += random.random_range(6_000..15_000);
    }
    let mut world = World {
        random,
        queue,
        agenda: BTreeMap::new(),
        events: 0,
        waiting: VecDeque::new(),
        done: HashSet::new(),
        attempts: vec![0; CLICKS],
        failures: 0,
        counted: HashSet::new(),
        exchanges: Vec::new(),
    };
    for n in 0..CLICKS {
        let at = world.random.random_range(0..80_000);
        world.at(at, usize::MAX, Event::Clicked(n));
    }
    (0..queue.workers).for_each(|worker| world.at(worker as u64, 0, Event::Wake));
    let (mut life, mut under_way) = (0, HashSet::new());
    while let Some(((now, _), (of_life, event))) = world.agenda.pop_first() {
        let away = gone.iter().copied().find(|gone| (gone.0..gone.1).contains(&now));
        if let Some((_, until)) = away.filter(|_| queue.chaos == Chaos::Pauses) {
            let woken = until + world.random.random_range(0..5);
            world.at(woken, of_life, event);
            continue;
        }
        let lives = gone.iter().filter(|gone| queue.chaos == Chaos::Kills && gone.0 <= now).count();
        if lives > life {
            life = lives;
            let mut again: Vec<usize> = under_way.drain().collect();
            again.sort_unstable();
            again.retain(|n| !world.done.contains(n) && !world.waiting.contains(n));
            match queue.flaw {
                Flaw::ForgetsAtKill => world.waiting.clear(),
                Flaw::ForgetsInFlight => {}
                _ => world.waiting.extend(again),
            }
            let ready = gone[life - 1].1 + world.random.random_range(0..300);
            (0..queue.workers).for_each(|_| world.at(ready, life, Event::Wake));
        }
        match event {
            Event::Clicked(n) => {
                let (event_id, payload) = (format!("c{n}").into(), "p".into());
                let did = Did::Click(Click { event_id, payload });
                let visit = Operation { did, ..click("-", now, now + 5) };
                let answered = gone.iter().all(|gone| !(gone.0..gone.1 + 10).contains(&(now + 5)));
                if !answered && queue.chaos == Chaos::Kills {
                    let failure = Some(OpFailure::Broken);
                    history = history.operation(Operation { status: None, failure, ..visit });
                    continue;
                }
                history = history.operation(visit);
                if queue.flaw != Flaw::Forgets || !world.once_in(20) {
                    world.waiting.push_back(n);
                }
            }
            _ if of_life != life => {}
            Event::Wake if queue.flaw == Flaw::Late && (OUT.end..145_000).contains(&now) => {
                world.at(145_000, life, Event::Wake);
            }
            Event::Wake if now > 160_000 => {}
            Event::Wake if world.waiting.is_empty() => {
                let later = now + world.random.random_range(300..1_500);
                world.at(later, life, Event::Wake);
            }
            Event::Wake => {
                let next = gone.iter().copied().find(|gone| now < gone.1);
                let (at, heard) = world.send(now, next);
                under_way.extend(heard.iter().map(|one| one.0));
                if let Some(lease) = queue.lease {
                    let items = heard.iter().map(|one| one.0).collect();
                    world.at(now + lease, life, Event::LeaseIsOver(items));
                }
                world.at(at, life, Event::Heard(heard));
            }
            Event::LeaseIsOver(items) => {
                let free = |n: &usize| under_way.contains(n) && !world.waiting.contains(n);
                let free: Vec<usize> = items.into_iter().filter(free).collect();
                world.waiting.extend(free);
            }
            Event::Heard(heard) => {
                let failed = heard.iter().all(|(_, is_done)| !is_done);
                world.failures = if failed { (world.failures + 1).min(2) } else { 0 };
                for (n, is_done) in heard {
                    under_way.remove(&n);
                    let repeats = queue.flaw == Flaw::RepeatsAfterSuccess && world.once_in(10);
                    let given_up = queue.flaw == Flaw::GivesUpAfterThree && world.attempts[n] >= 3;
                    if is_done {
                        world.done.insert(n);
                        world.waiting.retain(|other| *other != n);
                    }
                    if repeats || !is_done && !given_up && !world.done.contains(&n) {
                        let known = world.waiting.contains(&n);
                        world.waiting.extend((!known).then_some(n));
                    }
                }
                let most = if failed { 500 << world.failures } else { 20 };
                let later = now + world.random.random_range(0..most) + 10;
                world.at(later, life, Event::Wake);
            }
        }
    }
    history = history.exchanges(world.exchanges);
    gone.iter().fold(history, |history, gone| match queue.chaos {
        Chaos::Nothing => history,
        Chaos::Kills => history.killed_until(gone.0, gone.1),
        Chaos::Pauses => history.paused(gone.0, gone.1),
    })
}

fn outcome(promise: &str, queue: Queue) -> Tally {
    judged(promise, |random| simulated(random, queue))
}

#[test]
fn sound_queues_are_never_blamed() {
    for (batch, workers, lease) in
        [(1, 1, None), (1, 3, None), (1, 2, Some(4_000)), (20, 1, None), (7, 2, Some(4_000))]
    {
        for chaos in [Chaos::Nothing, Chaos::Kills, Chaos::Pauses] {
            let queue = Queue { batch, workers, lease, chaos, flaw: Flaw::None };
            let mut promises = vec!["clicks-delivered", "clicks-counted-once", "click-lag"];
            promises.extend((chaos == Chaos::Kills).then_some("clicks-survive-crash"));
            // A batch whose receipt is lost leaves few clicks that wait for the outage's end.
            let least = if batch > 1 { 60 } else { 80 };
            for promise in promises {
                outcome(promise, queue).is_never_blamed(&format!("{promise}, {queue:?}"), least);
            }
        }
    }
}

#[test]
fn broken_queues_are_caught() {
    let check = |promise: &str, queue: Queue, percent| {
        outcome(promise, queue).is_caught(&format!("{promise}, {queue:?}"), percent);
    };
    let (delivered, once) = ("clicks-delivered", "clicks-counted-once");
    let flawed = |flaw| Queue { flaw, ..SOUND };
    let killed = |flaw| Queue { chaos: Chaos::Kills, ..flawed(flaw) };
    check(delivered, flawed(Flaw::Forgets), 70);
    check(delivered, flawed(Flaw::GivesUpAfterThree), 75);
    check(delivered, Queue { batch: 20, ..flawed(Flaw::DropsFailedItems) }, 70);
    check(delivered, flawed(Flaw::AltersPayloads), 95);
    check(delivered, flawed(Flaw::SwapsIds), 90);
    check(delivered, killed(Flaw::ForgetsAtKill), 95);
    check("clicks-survive-crash", killed(Flaw::ForgetsAtKill), 95);
    // A kill seldom meets a delivery on its way: about three of ten do.
    check("clicks-survive-crash", killed(Flaw::ForgetsInFlight), 5);
    check(once, flawed(Flaw::FreshKeys), 95);
    check(once, flawed(Flaw::KeysOfOthers), 95);
    check(once, flawed(Flaw::RepeatsAfterSuccess), 90);
    check("click-lag", flawed(Flaw::Late), 95);
}

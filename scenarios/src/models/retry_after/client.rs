//! A simulated client that is told to wait: workers with a limiter each, and what holds their calls back.

use super::gates::{Call, Gates, Wrong, until};
use crate::models::Chaos;
use crate::models::limiter::Limiter;
use crate::plan::RetryAfterScope;
use crate::testing::{read, sent_batch};
use mock_server::clock::Moment;
use mock_server::history::exchange::{End, Exchange, RetryAfter, RetryAfterForm};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long its visitors come, in the milliseconds in which all of this is counted.
pub const END: u64 = 90_000;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    pub scope: RetryAfterScope,
    /// Processes, each with an event loop and a limiter of its own.
    pub workers: usize,
    /// Callers of each, with pages of their own; one of the first worker's delivers clicks in batches.
    pub callers: u64,
    /// A worker computes for up to so long now and then, and reads and sends nothing.
    pub busy: u64,
    pub limiter: Limiter,
    /// A call queues at the limiter for up to so long, and is given up then.
    pub queues: u64,
    /// It asks whether it may go before it queues, and not after it.
    pub permit_first: bool,
    /// Of ten calls that are held back so many are given up.
    pub gives_up: u32,
    /// Its timers come up to so early.
    pub timers: u64,
    pub rotates: bool,
    pub chaos: Chaos,
    pub wrong: Wrong,
}

/// What comes next for a caller.
enum Step {
    /// It asks whether it may go.
    Asks(Call),
    /// It waits for the limiter, until then at the most.
    Queues(Call, u64),
    /// It reads the answer to it, the exchange with this index.
    Reads(Call, usize),
}

/// A client on its way, and the Linktree that answers it.
pub struct World<'r> {
    random: &'r mut ChaCha8Rng,
    client: Client,
    /// For each worker when it computes or stands still, in order of time.
    away: Vec<Vec<(u64, u64)>>,
    /// When it is killed, and ready again.
    gone: Option<(u64, u64)>,
    /// When each worker has picked up the new key.
    rotated: Vec<u64>,
    /// In order of time; with whether the process has begun anew, the worker and the caller.
    agenda: BTreeMap<(u64, usize), (bool, usize, u64, Step)>,
    steps: usize,
    limiters: Vec<Limiter>,
    /// Those of all workers, and those of the one that is alone.
    gates: [Gates; 2],
    waiting: BTreeSet<u64>,
    asked: u64,
    pub exchanges: Vec<Exchange>,
}

impl<'r> World<'r> {
    pub fn of(client: &Client, random: &'r mut ChaCha8Rng) -> Self {
        let mut spans = |busy: u64| -> Vec<(u64, u64)> {
            let span = |n: u64| {
                let from = n * 3_000 + random.random_range(0..2_000);
                (from, from + random.random_range(0..=busy))
            };
            (0..END / 3_000).map(span).collect()
        };
        let mut away: Vec<_> = (0..client.workers).map(|_| spans(client.busy)).collect();
        let at = random.random_range(10_000..80_000);
        let gone = (at, at + random.random_range(300..3_000));
        if client.chaos == Chaos::Pauses {
            away.iter_mut().for_each(|spans| {
                spans.push(gone);
                spans.sort_unstable();
            });
        }
        let at = random.random_range(10_000..80_000);
        let rotated = |_| if client.rotates { at + random.random_range(0..3_000) } else { END * 2 };
        let rotated = (0..client.workers).map(rotated).collect();
        Self {
            away,
            gone: (client.chaos != Chaos::Nothing).then_some(gone),
            rotated,
            agenda: BTreeMap::new(),
            steps: 0,
            limiters: vec![client.limiter.clone(); client.workers],
            gates: Default::default(),
            waiting: BTreeSet::from([0]),
            asked: 0,
            exchanges: Vec::new(),
            client: client.clone(),
            random,
        }
    }

    /// When it was killed, and ready again, or stood still.
    pub const fn gone(&self) -> Option<(u64, u64)> {
        self.gone
    }

    fn killed(&self) -> Option<(u64, u64)> {
        self.gone.filter(|_| self.client.chaos == Chaos::Kills)
    }

    /// When a worker comes to what is due then.
    fn awake(&self, worker: usize, due: u64) -> u64 {
        let later = |at: u64, span: &(u64, u64)| {
            if span.0 <= at && at < span.1 { span.1 } else { at }
        };
        self.away[worker].iter().fold(due, later)
    }

    /// When visitors of a page that is kept came to each worker, and when each was answered.
    pub fn visits(&self) -> Vec<(u64, u64)> {
        let every = if self.client.busy > 0 { 40 } else { 1_000 };
        let killed = self.killed().unwrap_or_default();
        let came =
            (0..END).step_by(every).flat_map(|at| (0..self.away.len()).map(move |n| (at, n)));
        let visits = came.map(|(at, worker)| (at, self.awake(worker, at) + 2));
        visits.filter(|visit| visit.1 < killed.0 || killed.1 <= visit.0).collect()
    }

    /// Until the end.
    pub fn run(&mut self) {
        self.begin(0, false);
        let killed = self.killed();
        let mut anew = false;
        while let Some(((due, _), (of_new, worker, caller, step))) = self.agenda.pop_first() {
            if let Some(killed) = killed.filter(|killed| !anew && killed.0 <= due) {
                anew = true;
                self.ended(killed.0);
                self.begin(killed.1, true);
            }
            let now = self.awake(worker, due);
            if of_new != anew || now > END {
                continue;
            }
            if now > due {
                self.at(now, (of_new, worker, caller), step);
            } else {
                self.step(now, (of_new, worker, caller), step);
            }
        }
    }

    fn at(&mut self, time: u64, (anew, worker, caller): (bool, usize, u64), step: Step) {
        self.steps += 1;
        self.agenda.insert((time, self.steps), (anew, worker, caller, step));
    }

    fn begin(&mut self, now: u64, anew: bool) {
        self.gates = Default::default();
        for worker in 0..self.client.workers {
            for caller in 0..self.client.callers {
                let next = self.next_page();
                self.at(now + caller, (anew, worker, caller), Step::Asks(next));
            }
        }
        self.at(now + 9, (anew, 0, self.client.callers), Step::Asks(Call::Clicks(Vec::new())));
    }

    /// What was on its way when it was killed is read by nobody.
    fn ended(&mut self, killed: u64) {
        let end = Moment::from_ms(killed);
        for one in self.exchanges.iter_mut().filter(|one| one.t_known() > end) {
            one.t_end = end.max(one.t_req);
            (one.end, one.status, one.retry_after) = (End::ClientAbort, None, None);
            (one.t_w, one.t_first) = (None, None);
        }
    }

    fn next_page(&mut self) -> Call {
        self.asked += 1;
        Call::Page(format!("c{}", self.asked))
    }

    fn key(&self, worker: usize, now: u64) -> &'static str {
        if now < self.rotated[worker] { "k1" } else { "k2" }
    }

    fn gates_of(&mut self, worker: usize) -> &mut Gates {
        let alone = self.client.wrong == Wrong::OneWorkerAlone && worker == 0;
        &mut self.gates[usize::from(alone)]
    }

    fn closed_until(&mut self, worker: usize, call: &Call, now: u64) -> u64 {
        let key = self.key(worker, now);
        self.gates_of(worker).closed_until(call, key).saturating_sub(self.client.timers)
    }

    fn step(&mut self, now: u64, who: (bool, usize, u64), step: Step) {
        let worker = who.1;
        match step {
            Step::Asks(Call::Clicks(_)) => {
                self.waiting.insert(self.asked);
                self.asked += 1;
                let waiting: Vec<u64> = self.waiting.iter().copied().collect();
                let is_free =
                    |id: &u64| self.closed_until(worker, &Call::Clicks(vec![*id]), now) <= now;
                let ids: Vec<u64> = waiting.into_iter().filter(is_free).take(20).collect();
                if ids.is_empty() {
                    self.at(now + 100, who, Step::Asks(Call::Clicks(ids)));
                } else {
                    self.at(now, who, Step::Queues(Call::Clicks(ids), now + self.client.queues));
                }
            }
            Step::Asks(call) => {
                let until = self.closed_until(worker, &call, now);
                if until <= now {
                    self.at(now, who, Step::Queues(call, now + self.client.queues));
                } else if self.random.random_range(0..10) < self.client.gives_up {
                    let next = self.next_page();
                    self.at(now + 500, who, Step::Asks(next));
                } else {
                    let later = until + self.random.random_range(0..50);
                    self.at(later, who, Step::Asks(call));
                }
            }
            Step::Queues(call, until) if !self.limiters[worker].permits(now) => {
                let pause = self.random.random_range(20..200);
                if now < until {
                    self.at((now + pause).min(until), who, Step::Queues(call, until));
                } else {
                    self.at(now + 5 * pause, who, Step::Asks(call));
                }
            }
            Step::Queues(call, _) => {
                if !self.client.permit_first && self.closed_until(worker, &call, now) > now {
                    self.at(now + 50, who, Step::Asks(call));
                } else {
                    let (read_at, index) = self.send(worker, &call, now);
                    self.at(read_at, who, Step::Reads(call, index));
                }
            }
            Step::Reads(call, index) => self.has_read(now, who, call, index),
        }
    }

    /// When the answer can be read, and which exchange it is.
    fn send(&mut self, worker: usize, call: &Call, now: u64) -> (u64, usize) {
        let key = self.key(worker, now);
        let arrived = now + self.random.random_range(0..20);
        let told = self.random.random_range(0..3) == 0;
        let status = [429, 503][self.random.random_range(0..2)];
        let mut one = match call {
            Call::Page(handle) => {
                let status = if told { status } else { 200 };
                Exchange { status: Some(status), ..read(handle, arrived) }
            }
            Call::Clicks(ids) => {
                let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                sent_batch(&ids, arrived, if told { status } else { 202 })
            }
        };
        if self.random.random_range(0..10) == 0 {
            one.t_end = Moment::from_ms(arrived + self.random.random_range(200..3_000));
            (one.t_w, one.t_first) = (Some(one.t_end), Some(one.t_end));
        }
        one.key_id = Some(key.into());
        one.token =
            if key == "k2" || arrived < self.rotated[0] { "live" } else { "previous" }.into();
        one.retry_after = told.then(|| self.asks_to_wait(one.t_known())).flatten();
        let read_at = one.t_known().0 / 1_000_000 + self.random.random_range(1..20);
        self.exchanges.push(one);
        (read_at, self.exchanges.len() - 1)
    }

    /// Twelve of sixteen name a time to come.
    fn asks_to_wait(&mut self, written: Moment) -> Option<RetryAfter> {
        let after =
            |value: &str, form, until| Some(RetryAfter { value: value.into(), form, until });
        let seconds = match self.random.random_range(0..16) {
            0 => return None,
            1 => return after("soon", RetryAfterForm::Malformed, None),
            2 if self.random.random() => {
                return after("huge", RetryAfterForm::Seconds, Some(Moment(u64::MAX)));
            }
            2 => {
                let past = written.minus(Duration::from_secs(60));
                return after("past", RetryAfterForm::Date, Some(past));
            }
            3 => 0,
            4..9 => 1,
            9..12 => 2,
            _ => 8,
        };
        if self.random.random() {
            let until = written.plus(Duration::from_secs(seconds));
            return after(&seconds.to_string(), RetryAfterForm::Seconds, Some(until));
        }
        // A date has no parts of a second, and is rounded up.
        let s = (written.0 + seconds * 1_000_000_000).div_ceil(1_000_000_000);
        after("a date", RetryAfterForm::Date, Some(Moment::from_ms(s * 1_000)))
    }

    fn has_read(&mut self, now: u64, who: (bool, usize, u64), call: Call, index: usize) {
        let wrong = self.client.wrong;
        let until = until(wrong, &self.exchanges[index], now);
        if let Some(until) = until {
            let is_old = self.exchanges[index].key_id.as_deref() == Some("k1");
            let key = if is_old { "k1" } else { "k2" };
            let of_all = self.client.scope == RetryAfterScope::Token && wrong != Wrong::RequestOnly;
            let gates = self.gates_of(who.1);
            gates.close(&call, until, wrong);
            if of_all {
                let closed = gates.keys.entry(key).or_default();
                *closed = until.max(*closed);
            }
        }
        let is_done = self.exchanges[index].is_success();
        let pause = self.random.random_range(100..800);
        let (later, next) = match call {
            Call::Clicks(ids) => {
                self.waiting.retain(|id| !is_done || !ids.contains(id));
                (pause, Call::Clicks(ids))
            }
            Call::Page(_) if is_done => (pause, self.next_page()),
            // Who is told until when asks then, and others after a while.
            call => (if until.is_some() { pause / 8 } else { pause }, call),
        };
        self.at(now + later, who, Step::Asks(next));
    }
}

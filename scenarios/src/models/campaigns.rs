//! Simulated services that carry out campaigns: in batches of any size from half the largest on, one or
//! several at a time, with pauses or without, and the ways in which they forget, repeat and overrun.

use super::{Chaos, Tally, judged};
use crate::history::Operation;
use crate::testing::{History, launched, read, wrote};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::history::exchange::{End, Exchange, RetryAfter, RetryAfterForm};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;

/// A service.
#[derive(Clone, Copy, Debug)]
struct Service {
    /// Links in one call.
    size: usize,
    /// Calls at once.
    parallel: usize,
    /// Pause between calls, ms.
    pace: u64,
    /// Whether ten links that are left go one by one.
    singles: bool,
    /// Whether an earlier campaign's change of a link is dropped when a later one comes; else it goes first.
    drops_older: bool,
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// A batch that was answered is done.
    Forgets,
    /// After a partial failure the whole batch goes again.
    WholeAgain,
    /// One call for each link.
    Singly,
    /// What was left of an earlier campaign goes after the later one.
    StaleLast,
    /// Some words are altered on the way.
    Alters,
    /// The first call carries more than Linktree takes.
    TooLarge,
    /// A pause of twenty seconds after each call.
    Slow,
}

const SOUND: Service = Service {
    size: 100,
    parallel: 1,
    pace: 0,
    singles: false,
    drops_older: true,
    flaw: Flaw::None,
};

/// Links of one campaign, and one change of them that waits.
type Words = Vec<(String, String)>;

#[derive(Clone, Debug)]
struct Item {
    launch: usize,
    id: String,
    payload: String,
    not_before: u64,
    tries: u32,
}

struct Run<'r> {
    random: &'r mut ChaCha8Rng,
    service: Service,
    history: History,
    queue: Vec<Item>,
    now: u64,
    /// Batches so far, and failures in a row.
    batches: u64,
    failures: u32,
    /// When the process is killed, if it is.
    kill: Option<u64>,
}

impl Run<'_> {
    fn put(&mut self, exchange: Exchange) {
        let history = std::mem::replace(&mut self.history, History::over(&[]));
        self.history = history.exchange(exchange);
    }

    fn backoff(&mut self, tries: u32) -> u64 {
        let most = 1_000_u64 << tries.saturating_sub(1).min(3);
        self.random.random_range(most / 2..=most)
    }

    fn take(&mut self, launch: usize, words: &Words) {
        if self.service.drops_older && self.service.flaw != Flaw::StaleLast {
            let new: HashSet<&str> = words.iter().map(|(id, _)| id.as_str()).collect();
            self.queue.retain(|item| !new.contains(item.id.as_str()));
        }
        let item = |(id, payload): &(String, String)| Item {
            launch,
            id: id.clone(),
            payload: payload.clone(),
            not_before: 0,
            tries: 0,
        };
        self.queue.extend(words.iter().map(item));
        if self.service.flaw == Flaw::StaleLast {
            self.queue.sort_by_key(|item| std::cmp::Reverse(item.launch));
        }
    }

    /// Places of what may go now: of two changes of a link the first, and only that.
    fn due(&self) -> Vec<usize> {
        let mut ids = HashSet::new();
        let all = self.queue.iter().enumerate();
        all.filter(|(_, item)| ids.insert(&item.id) && item.not_before <= self.now)
            .map(|(place, _)| place)
            .collect()
    }

    /// Makes the next calls; places are given of what goes.
    fn send(&mut self, due: &[usize]) {
        let service = self.service;
        let size = match service.flaw {
            Flaw::Singly => 1,
            Flaw::TooLarge if self.batches == 0 => 1_000,
            _ if service.singles && due.len() <= 10 => 1,
            _ => service.size,
        };
        let mut settled: Vec<(usize, String)> = Vec::new();
        let mut end = self.now;
        let calls: Vec<&[usize]> = due.chunks(size).take(service.parallel).collect();
        for (nth, places) in calls.into_iter().enumerate() {
            let at = self.now + nth as u64 * 3;
            let took = self.random.random_range(20..400);
            end = end.max(at + took);
            let items: Vec<Item> = places.iter().map(|place| self.queue[*place].clone()).collect();
            let done = self.call(&items, at, at + took, size == 1);
            settled.extend(done.into_iter().map(|item| (item.launch, item.id)));
        }
        let settled: HashSet<(usize, String)> = settled.into_iter().collect();
        self.queue.retain(|item| !settled.contains(&(item.launch, item.id.clone())));
        let slow = if service.flaw == Flaw::Slow { 20_000 } else { 0 };
        self.now = self.now.max(end) + service.pace + slow;
    }

    /// One call; gives what is done with it.
    fn call(&mut self, items: &[Item], at: u64, end: u64, single: bool) -> Vec<Item> {
        let altered = |item: &Item| {
            let alters = self.service.flaw == Flaw::Alters && item.id.ends_with("77");
            if alters { format!("{}~", item.payload) } else { item.payload.clone() }
        };
        let said: Words = items.iter().map(|item| (item.id.clone(), altered(item))).collect();
        let said: Vec<_> = said.iter().map(|(id, words)| (id.as_str(), words.as_str())).collect();
        let moment = Some(Moment::from_ms(end));
        let (t_first, t_w, t_end) = (moment, moment, Moment::from_ms(end));
        let route = if single { Route::Link } else { Route::LinksBatch };
        let answered = |status| Exchange { route, t_first, t_w, t_end, ..wrote(&said, at, status) };
        let nth = self.batches;
        self.batches += u64::from(!single);
        let killed = self.kill.filter(|kill| (at..end).contains(kill));
        if killed.is_some() {
            // It is done, and whoever asked is gone.
            self.put(answered(200));
            return Vec::new();
        }
        if !single && said.len() > 100 {
            self.put(Exchange { status: Some(400), ..answered(400) });
            return Vec::new();
        }
        if !single && nth == 0 {
            let until = Moment::from_ms(end + 1_000);
            let form = RetryAfterForm::Seconds;
            let told = RetryAfter { value: "1".into(), form, until: Some(until) };
            self.put(Exchange { status: Some(429), retry_after: Some(told), ..answered(429) });
            self.now = self.now.max(end + 1_010);
            return Vec::new();
        }
        if !single && nth == 2 {
            let lost = Exchange { end: End::ServerReset, status: None, t_w: None, ..answered(200) };
            self.put(lost);
            self.failures += 1;
            let pause = self.backoff(self.failures);
            self.now = self.now.max(end + pause);
            return Vec::new();
        }
        self.failures = 0;
        let mut exchange = answered(200);
        let mut failed = HashSet::new();
        if !single && nth % 2 == 1 {
            for link in &mut exchange.links {
                if self.random.random_range(0..5) == 0 {
                    (link.status, link.effect) = (503, false);
                    failed.insert(link.id.clone());
                }
            }
        }
        self.put(exchange);
        let forgets = self.service.flaw == Flaw::Forgets;
        let whole = self.service.flaw == Flaw::WholeAgain && !failed.is_empty();
        let again = |item: &&Item| whole || !forgets && failed.contains(&item.id);
        let tries = items.iter().filter(again).map(|item| item.tries).max().unwrap_or(0) + 1;
        let pause = self.backoff(tries);
        for item in items.iter().filter(again) {
            let own =
                self.queue.iter_mut().find(|one| one.launch == item.launch && one.id == item.id);
            if let Some(own) = own {
                (own.tries, own.not_before) = (tries, end + pause);
            }
        }
        items.iter().filter(|item| !again(item)).cloned().collect()
    }
}

fn simulated(random: &mut ChaCha8Rng, service: Service, chaos: Chaos) -> History {
    let words = |from: usize, count: usize, says: &str| -> Words {
        (from..from + count).map(|n| (format!("l{n}"), format!("{says}{n}"))).collect()
    };
    let sizes = [(); 3].map(|()| random.random_range(250..=450_usize));
    // Who sends stale words does so only while something of the first campaign is left.
    let latest = if service.flaw == Flaw::StaleLast { 1_000 } else { 9_000 };
    let second = 10_000 + random.random_range(500..latest);
    let launches = [
        (10_000, words(0, sizes[0], "a")),
        (second, words(sizes[0] - 50, sizes[1], "b")),
        (110_000, words(2_000, sizes[2], "c")),
    ];
    let others = (0..150).map(|n| read("ann", n * 2_000));
    let mut history = History::over(&[(crate::plan::PhaseKind::Storm, 0, 400)]).exchanges(others);
    let mut kill = None;
    match chaos {
        Chaos::Nothing => {}
        Chaos::Kills => {
            let at = random.random_range(10_100..14_000);
            history = history.killed_until(at, at + 2_000);
            kill = Some(at);
        }
        Chaos::Pauses => {
            let at = random.random_range(10_100..14_000);
            history = history.paused(at, at + 3_000);
        }
    }
    let (queue, batches, failures) = (Vec::new(), 0, 0);
    let mut run = Run { random, service, history, queue, now: 0, batches, failures, kill };
    let mut coming: Vec<_> = launches.iter().enumerate().collect();
    loop {
        let paused = run.history.case.target.pauses().first().copied();
        if let Some((from, until)) = paused
            && (from..until).contains(&Moment::from_ms(run.now))
        {
            run.now = until.0 / 1_000_000;
        }
        if let Some(at) = run.kill.filter(|at| run.now >= *at) {
            run.kill = None;
            run.now = run.now.max(at + 2_000);
            // What was remembered of failures is gone.
            run.queue.iter_mut().for_each(|item| item.not_before = 0);
        }
        while let Some((nth, (at, words))) =
            coming.first().copied().filter(|one| one.1.0 <= run.now)
        {
            let said: Vec<_> =
                words.iter().map(|(id, says)| (id.as_str(), says.as_str())).collect();
            let operation: Operation<'static> = launched(&said, *at, *at + 20);
            let history = std::mem::replace(&mut run.history, History::over(&[]));
            run.history = history.operation(operation);
            run.take(nth, words);
            coming.remove(0);
        }
        let due = run.due();
        if due.is_empty() {
            let next = run.queue.iter().map(|item| item.not_before).filter(|at| *at > run.now);
            let launch = coming.first().map(|(_, (at, _))| *at + 25);
            let Some(at) =
                next.chain(launch).chain(run.kill.filter(|_| !run.queue.is_empty())).min()
            else {
                return run.history;
            };
            run.now = at.max(run.now + 1);
            continue;
        }
        run.send(&due);
        if run.now > 390_000 {
            return run.history;
        }
    }
}

fn outcome(service: Service, chaos: Chaos) -> Tally {
    judged("bulk-batched", |random| simulated(random, service, chaos))
}

#[test]
fn campaigns_that_go_out_in_batches_are_never_blamed() {
    for size in [50, 64, 75, 100] {
        outcome(Service { size, ..SOUND }, Chaos::Nothing)
            .is_never_blamed(&format!("{size} links in a call"), 90);
    }
    outcome(Service { parallel: 3, size: 80, ..SOUND }, Chaos::Nothing)
        .is_never_blamed("three calls at once", 90);
    outcome(Service { pace: 3_000, ..SOUND }, Chaos::Nothing)
        .is_never_blamed("a call every three seconds", 90);
    let single = Service { singles: true, size: 90, ..SOUND };
    outcome(single, Chaos::Nothing).is_never_blamed("the last ten one by one", 90);
    let both = Service { drops_older: false, size: 60, ..SOUND };
    outcome(both, Chaos::Nothing).is_never_blamed("the older words first", 90);
    outcome(SOUND, Chaos::Kills).is_never_blamed("killed in the midst of it", 60);
    outcome(SOUND, Chaos::Pauses).is_never_blamed("paused in the midst of it", 90);
}

#[test]
fn campaigns_that_lose_links_repeat_them_or_overrun_linktree_are_caught() {
    for flaw in [
        Flaw::Forgets,
        Flaw::WholeAgain,
        Flaw::Singly,
        Flaw::StaleLast,
        Flaw::Alters,
        Flaw::TooLarge,
        Flaw::Slow,
    ] {
        outcome(Service { flaw, ..SOUND }, Chaos::Nothing).is_caught(&format!("{flaw:?}"), 90);
    }
}

//! Simulated clients behind limiters, lawful and unlawful under a sliding window, in quiet and busy hours.

use super::{Tally, judged};
use crate::history::Operation;
use crate::testing::{History, page, read, refused};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The contract's window, in the milliseconds in which all of this is counted.
const WINDOW: u64 = 60_000;
const END: u64 = 180_000;

/// The limiters that libraries offer.
#[derive(Clone, Debug)]
pub enum Limiter {
    /// The moments of the last window's requests, `cap` at most.
    SlidingLog { cap: usize, sent: VecDeque<u64> },
    /// A token each `every` ms of the clock, up to `burst`: governor, Guava, bucket4j.
    Bucket { burst: u64, every: u64, tokens: u64, filled: u64 },
    /// The same without a clock that ticks (ITU-T I.371): `tat` is the theoretical arrival time.
    Gcra { burst: u64, every: u64, tat: u64 },
    /// So many in a window that begins with the clock's (resilience4j, Redis INCR), or with the first
    /// request after the last one (tower).
    Fixed { cap: usize, by_clock: bool, begun: u64, used: usize },
    /// Whatever comes.
    Unlimited,
}

pub const fn log(cap: usize) -> Limiter {
    Limiter::SlidingLog { cap, sent: VecDeque::new() }
}

const fn bucket(burst: u64, every: u64) -> Limiter {
    Limiter::Bucket { burst, every, tokens: burst, filled: 0 }
}

pub const fn gcra(burst: u64, every: u64) -> Limiter {
    Limiter::Gcra { burst, every, tat: 0 }
}

const fn fixed(cap: usize, by_clock: bool) -> Limiter {
    Limiter::Fixed { cap, by_clock, begun: 0, used: 0 }
}

impl Limiter {
    pub fn permits(&mut self, now: u64) -> bool {
        match self {
            Self::SlidingLog { cap, sent } => {
                while sent.front().is_some_and(|first| first + WINDOW <= now) {
                    sent.pop_front();
                }
                let free = sent.len() < *cap;
                sent.extend(free.then_some(now));
                free
            }
            Self::Bucket { burst, every, tokens, filled } => {
                *tokens = (*tokens + now / *every - *filled / *every).min(*burst);
                *filled = now;
                let free = *tokens > 0;
                *tokens -= u64::from(free);
                free
            }
            Self::Gcra { burst, every, tat } => {
                let free = now + (*burst - 1) * *every >= *tat;
                if free {
                    *tat = (*tat).max(now) + *every;
                }
                free
            }
            Self::Fixed { cap, by_clock, begun, used } => {
                if now >= *begun + WINDOW {
                    (*begun, *used) = (if *by_clock { now - now % WINDOW } else { now }, 0);
                }
                let free = *used < *cap;
                *used += usize::from(free);
                free
            }
            Self::Unlimited => true,
        }
    }

    /// As whoever begins who cannot know what a process before him sent, and trusts in nothing.
    fn exhausted(&mut self, now: u64) {
        match self {
            Self::SlidingLog { cap, sent } => *sent = vec![now; *cap].into(),
            Self::Bucket { tokens, filled, .. } => (*tokens, *filled) = (0, now),
            Self::Gcra { burst, every, tat } => *tat = now + *burst * *every,
            Self::Fixed { cap, begun, used, .. } => (*begun, *used) = (now, *cap),
            Self::Unlimited => {}
        }
    }
}

/// What becomes of the counts when the process is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Restart {
    Never,
    /// They are kept outside of the process.
    Keeps,
    /// The new process takes its limiter for used up.
    Exhausted,
    Forgets,
}

#[derive(Clone, Debug)]
struct Client {
    limiter: Limiter,
    /// Each has a limiter of its own.
    workers: usize,
    restart: Restart,
    /// A request that is not let through waits and asks again.
    queues: bool,
    retries_pass_by: bool,
    pauses: bool,
    /// What is declared.
    own_cap: Option<u32>,
}

const SOUND: Client = Client {
    limiter: log(90),
    workers: 1,
    restart: Restart::Never,
    queues: false,
    retries_pass_by: false,
    pauses: false,
    own_cap: None,
};

/// Something that wants to be sent: when, which one, and how often it was refused or has failed.
type Wish = (u64, u64, u32, u32);

/// Quiet and busy times in turn, a tenth of the answers 503, each of which is tried again twice.
fn simulated(random: &mut ChaCha8Rng, client: &Client) -> History {
    let mut wishes: BinaryHeap<Reverse<Wish>> = BinaryHeap::new();
    let (mut now, mut turn, mut busy) = (0, 0, false);
    for n in 0.. {
        if now >= turn {
            (turn, busy) = (now + random.random_range(20_000..70_000), !busy);
        }
        now += if busy { random.random_range(50..300) } else { random.random_range(1_000..5_000) };
        if now >= END {
            break;
        }
        wishes.push(Reverse((now, n, 0, 0)));
    }
    let mut history = History::over(&[]);
    history.case.harness.closed = mock_server::clock::Moment::from_ms(END);
    history.case.declared.rate_cap = client.own_cap;
    history.case.declared.click_slots = 0;
    let gone = random.random_range(70_000..120_000);
    let gone = (gone, gone + random.random_range(500..4_000));
    let is_killed = client.restart != Restart::Never;
    let mut limiters = vec![client.limiter.clone(); client.workers];
    let (mut visits, mut restarted) = (Vec::new(), false);
    while let Some(Reverse((now, n, waited, failed))) = wishes.pop() {
        if client.own_cap.is_some() && waited == 0 && failed == 0 {
            let visit = page("-", now, now + 5, "-");
            visits.push(Operation { handle: format!("page-{n}").into(), ..visit });
        }
        if (client.pauses || is_killed) && (gone.0..gone.1).contains(&now) {
            if client.pauses {
                wishes.push(Reverse((gone.1 + random.random_range(0..5), n, waited, failed)));
            }
            continue;
        }
        if is_killed && now >= gone.1 && !restarted {
            restarted = true;
            match client.restart {
                Restart::Exhausted => limiters.iter_mut().for_each(|one| one.exhausted(gone.1)),
                Restart::Forgets => limiters.fill(client.limiter.clone()),
                Restart::Keeps | Restart::Never => {}
            }
        }
        let passes_by = client.retries_pass_by && failed > 0;
        let worker = random.random_range(0..client.workers);
        if !passes_by && !limiters[worker].permits(now) {
            if client.queues && waited < 20 {
                wishes.push(Reverse((
                    now + random.random_range(200..1_000),
                    n,
                    waited + 1,
                    failed,
                )));
            }
            continue;
        }
        let mut left = now + random.random_range(0..20);
        if client.pauses && now < gone.0 && left >= gone.0 {
            left = gone.1 + random.random_range(0..5);
        }
        let arrived = left + random.random_range(0..=80);
        history = if random.random_range(0..10) == 0 && failed < 2 {
            let again = arrived + random.random_range(500..2_000);
            wishes.push(Reverse((again, n, 0, failed + 1)));
            history.exchange(refused("ann", arrived, 503))
        } else {
            history.exchange(read("ann", arrived))
        };
    }
    history = if client.pauses { history.paused(gone.0, gone.1) } else { history };
    history = if is_killed { history.killed_until(gone.0, gone.1) } else { history };
    history.operations(visits)
}

fn outcome(promise: &str, client: &Client) -> Tally {
    judged(promise, |random| simulated(random, client))
}

#[test]
fn lawful_limiters_are_never_blamed() {
    let check = |what: &str, client: Client, percent| {
        outcome("client-rate-cap", &client).is_never_blamed(what, percent);
    };
    check("a sliding log", SOUND, 95);
    check("a sliding log with a queue", Client { queues: true, ..SOUND }, 95);
    check("a sliding log for each of three", Client { limiter: log(30), workers: 3, ..SOUND }, 90);
    // Ten at once and eighty a minute: what is left of ninety by the window's last one.
    check("a bucket of ten", Client { limiter: bucket(10, 750), ..SOUND }, 70);
    check("GCRA with a burst of ten", Client { limiter: gcra(10, 750), queues: true, ..SOUND }, 90);
    check("one after the other", Client { limiter: gcra(1, 667), ..SOUND }, 0);
    check("half of it in fixed windows", Client { limiter: fixed(45, true), ..SOUND }, 0);
    check("a kill that forgets", Client { restart: Restart::Forgets, ..SOUND }, 90);
    check("a pause", Client { pauses: true, queues: true, ..SOUND }, 90);
    let own = Client { limiter: log(60), own_cap: Some(60), ..SOUND };
    check("a declared cap of sixty", own, 95);
    let own = Client { limiter: gcra(6, 1_111), own_cap: Some(60), ..SOUND };
    check("a declared cap of sixty by GCRA", own, 75);
}

#[test]
fn limiters_that_a_server_counts_on_are_never_blamed() {
    let check = |what: &str, client: Client| {
        outcome("hard-limit", &client).is_never_blamed(what, 90);
    };
    check("a sliding log", SOUND);
    check("the server's own number", Client { limiter: log(100), ..SOUND });
    check("a kill, counts kept", Client { restart: Restart::Keeps, ..SOUND });
    check("a kill, as if used up", Client { restart: Restart::Exhausted, queues: true, ..SOUND });
    let bucket = Client { limiter: bucket(10, 750), restart: Restart::Exhausted, ..SOUND };
    check("a kill, with an empty bucket", bucket);
    check("GCRA", Client { limiter: gcra(10, 750), restart: Restart::Exhausted, ..SOUND });
    check("a pause", Client { pauses: true, queues: true, ..SOUND });
}

#[test]
fn unlawful_limiters_are_caught() {
    let check = |what: &str, promise: &str, client: Client, percent| {
        outcome(promise, &client).is_caught(what, percent);
    };
    let cap = "client-rate-cap";
    check("one too many", cap, Client { limiter: log(91), ..SOUND }, 95);
    check("fixed windows of the clock", cap, Client { limiter: fixed(90, true), ..SOUND }, 80);
    check("fixed windows from the first", cap, Client { limiter: fixed(90, false), ..SOUND }, 80);
    check("governor's ninety a minute", cap, Client { limiter: bucket(90, 667), ..SOUND }, 95);
    check("GCRA with all in one burst", cap, Client { limiter: gcra(90, 667), ..SOUND }, 95);
    check("a worker each", cap, Client { workers: 2, ..SOUND }, 95);
    check("retries beside it", cap, Client { retries_pass_by: true, ..SOUND }, 90);
    check("none", cap, Client { limiter: Limiter::Unlimited, ..SOUND }, 95);
    let own = Client { limiter: log(70), own_cap: Some(60), ..SOUND };
    check("more than declared", cap, own, 95);
    let hard = "hard-limit";
    check("none", hard, Client { limiter: Limiter::Unlimited, ..SOUND }, 95);
    check("a worker each", hard, Client { workers: 2, ..SOUND }, 95);
    check("a kill that forgets", hard, Client { restart: Restart::Forgets, ..SOUND }, 30);
}

//! Simulated registrations through a client that stops for its breaker and for told waits, its own and those of
//! others: whoever is refused by itself waits for the way to open, or takes it for one more failure.

use crate::guarantees::evidence::circuit::Class;
use crate::models::breaker::circuit::{Breaker, Fashion, Probes, SOUND, Trips};
use crate::models::judged;
use crate::plan::WindowKind;
use crate::testing::{FRONT, History, lists_webhooks, read, refused, registers};
use mock_server::clock::Moment;
use mock_server::history::exchange::{Exchange, RetryAfter, RetryAfterForm};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// How long a registration may take that nothing hinders: less than any pause.
const WITHIN_MS: u64 = 2_000;
/// The cap of the backoff.
const CAP_MS: u64 = 30_000;
/// How long the target runs before it starts again, and after that.
const RUNS_MS: u64 = 600_000;

/// What it does when its own breaker or a told wait refuses its call.
#[derive(Clone, Copy, PartialEq)]
enum Refused {
    /// It looks over and over whether the way is open.
    Waits,
    /// It makes a pause, as after any failure.
    BacksOff,
}

#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    /// A registration that fails, or is refused by itself, is the last.
    Once,
    /// It makes much longer pauses than it declares.
    RestsLong,
}

#[derive(Clone, Copy)]
struct Client {
    refused: Refused,
    breaker: Fashion,
    /// Whether it draws its pauses, instead of making the longest each time.
    jitter: bool,
    /// Whether it asks what is registered first.
    asks: bool,
    flaw: Flaw,
}

/// What happens next: a page is asked for, it tries to register, or hears what became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Page,
    Tries,
    Hears { permitted: u64, own: bool, status: u16, told: u64 },
}

/// One start of the service, until it is registered.
struct Start<'r> {
    client: Client,
    random: &'r mut ChaCha8Rng,
    breaker: Breaker,
    agenda: BinaryHeap<Reverse<(u64, Step)>>,
    /// Until when Linktree fails most calls.
    bad_until: u64,
    /// How far apart visitors come.
    visitors: u64,
    /// Until when it was told to wait.
    told: u64,
    failures: u32,
    asked: bool,
    sent: Vec<Exchange>,
}

impl Start<'_> {
    /// When it was registered, if it was before `end`.
    fn run(&mut self, ready: u64, end: u64) -> Option<u64> {
        let first = ready + self.random.random_range(0..400);
        self.agenda.push(Reverse((first, Step::Tries)));
        self.agenda.push(Reverse((ready, Step::Page)));
        while let Some(Reverse((now, step))) = self.agenda.pop() {
            if now >= end {
                break;
            }
            match step {
                Step::Page => {
                    let pause = self.random.random_range(self.visitors / 2..self.visitors);
                    self.agenda.push(Reverse((now + pause, Step::Page)));
                    if self.may_call(now) {
                        self.call(now, false);
                    }
                }
                Step::Tries if self.may_call(now) => self.call(now, true),
                Step::Tries if self.client.refused == Refused::Waits => {
                    self.agenda.push(Reverse((now + 100, Step::Tries)));
                }
                Step::Tries => self.tries_after(now),
                Step::Hears { permitted, own, status, told } => {
                    let class = match status {
                        200..300 => Class::Success,
                        500.. => Class::Failure,
                        _ => Class::Unclear,
                    };
                    self.breaker.hear(now, permitted, class, false);
                    self.told = self.told.max(told);
                    if !own {
                        continue;
                    }
                    if status >= 300 {
                        self.tries_after(now.max(told));
                    } else if self.asked || !self.client.asks {
                        return Some(now);
                    } else {
                        self.asked = true;
                        self.agenda.push(Reverse((now + 1, Step::Tries)));
                    }
                }
            }
        }
        None
    }

    fn may_call(&mut self, now: u64) -> bool {
        self.told <= now && self.breaker.permits(now)
    }

    fn tries_after(&mut self, now: u64) {
        let ceiling = CAP_MS.min(1_000 << self.failures.min(5));
        self.failures += 1;
        let drawn = self.random.random_range(0..=ceiling);
        let pause = match self.client.flaw {
            Flaw::None if self.client.jitter => drawn,
            Flaw::None => ceiling,
            Flaw::Once => return,
            Flaw::RestsLong => 400_000,
        };
        self.agenda.push(Reverse((now + pause, Step::Tries)));
    }

    fn call(&mut self, now: u64, own: bool) {
        let url = format!("{FRONT}/webhooks/linktree");
        let fails = now < self.bad_until && self.random.random_range(0..10) < 8;
        let tells = fails && self.random.random_range(0..6) == 0;
        let refusal = if tells { [429, 503][self.random.random_range(0..2)] } else { 503 };
        // What fails may take long, and of what succeeds a page.
        let slow = (fails || !own) && self.random.random_range(0..8) == 0;
        let took = self.random.random_range(if slow { 1_000..4_000 } else { 5..200 });
        let mut one = match (own, self.client.asks && !self.asked, fails) {
            (true, true, false) => lists_webhooks(now),
            (true, true, true) => Exchange { status: Some(refusal), ..lists_webhooks(now) },
            (true, false, false) => registers(&url, now, 201),
            (true, false, true) => registers(&url, now, refusal),
            (false, _, false) => read("ann", now),
            (false, _, true) => refused("ann", now, refusal),
        };
        one.t_end = Moment::from_ms(now + took);
        (one.t_w, one.t_first) = (Some(one.t_end), Some(one.t_end));
        let seconds = self.random.random_range(1..10);
        let until = one.t_end.plus(Duration::from_secs(seconds));
        one.retry_after = tells.then(|| RetryAfter {
            value: seconds.to_string(),
            form: RetryAfterForm::Seconds,
            until: Some(until),
        });
        let told = if tells { now + took + seconds * 1_000 } else { 0 };
        let status = one.status.unwrap_or_default();
        self.sent.push(one);
        let heard = Step::Hears { permitted: now, own, status, told };
        self.agenda.push(Reverse((now + took, heard)));
    }
}

/// Two starts into bad weather, each with a breaker that is closed.
fn registering(random: &mut ChaCha8Rng, client: Client) -> History {
    let url = format!("{FRONT}/webhooks/linktree");
    let mut history = History::over(&[]);
    let ready = [random.random_range(1_000..4_000), RUNS_MS + random.random_range(500..3_000)];
    history = history.standing(ready[0]).terminated(RUNS_MS, RUNS_MS + 100, ready[1]);
    for (ready, end) in ready.into_iter().zip([RUNS_MS, 2 * RUNS_MS]) {
        let bad_until = ready + random.random_range(5_000..90_000);
        let visitors = [500, 3_000, 15_000][random.random_range(0..3)];
        let mut start = Start {
            client,
            random: &mut *random,
            breaker: Breaker::new(client.breaker),
            agenda: BinaryHeap::new(),
            bad_until,
            visitors,
            told: 0,
            failures: 0,
            asked: false,
            sent: Vec::new(),
        };
        let registered = start.run(ready, end);
        history = history.exchanges(start.sent);
        if let Some(at) = registered {
            history = history.looked_at(&url, at + 10, 405);
        }
    }
    history.case.harness.closed = Moment::from_ms(2 * RUNS_MS);
    let history = history.looked_at(&url, 2 * RUNS_MS - 1_000, 405);
    history.declaring(|declared| {
        use crate::plan::WindowKind::{Sliding, Tumbling};
        let window: (Option<u64>, WindowKind) = match client.breaker.trips {
            Trips::InARow => (None, Sliding),
            Trips::Within(window) | Trips::Ratio { within: window, .. } => (Some(window), Sliding),
            Trips::Tumbling(window) => (Some(window), Tumbling),
        };
        (declared.breaker_window_ms, declared.breaker_window_kind) = window;
        declared.register_within_ms = WITHIN_MS;
        declared.backoff_cap_ms = CAP_MS;
        declared.breaker_failures = client.breaker.threshold as u32;
        declared.breaker_open_factor_milli = client.breaker.growth as u32 * 10;
        declared.breaker_open_cap_ms = client.breaker.cap_ms;
        declared.half_open_probes = client.breaker.probes as u32;
    })
}

/// Breakers of every kind that can be declared.
fn any_breaker(random: &mut ChaCha8Rng) -> Fashion {
    let fashions = [
        SOUND,
        Fashion { threshold: 3, hears_late: true, ..SOUND },
        Fashion { strict: true, ..SOUND },
        Fashion { growth: 200, cap_ms: 90_000, ..SOUND },
        Fashion { probes: 3, judges: Probes::All, ..SOUND },
        Fashion { probes: 3, judges: Probes::Share, ..SOUND },
        Fashion { trips: Trips::Within(20_000), ..SOUND },
        Fashion { trips: Trips::Tumbling(20_000), ..SOUND },
        Fashion { trips: Trips::Ratio { percent: 100, within: 60_000 }, ..SOUND },
    ];
    fashions[random.random_range(0..fashions.len())]
}

fn any(random: &mut ChaCha8Rng, refused: Refused, flaw: Flaw) -> History {
    let (breaker, jitter) = (any_breaker(random), random.random_range(0..2) == 0);
    let client = Client { refused, breaker, jitter, asks: random.random_range(0..2) == 0, flaw };
    registering(random, client)
}

#[test]
fn who_stops_for_its_breaker_or_a_told_wait_is_never_blamed_and_who_stops_for_good_is_caught() {
    let of = |refused, flaw| judged("webhook-registered", move |random| any(random, refused, flaw));
    of(Refused::Waits, Flaw::None).is_never_blamed("who waits for the way to open", 60);
    of(Refused::BacksOff, Flaw::None).is_never_blamed("who backs off before a closed way", 60);
    for refused in [Refused::Waits, Refused::BacksOff] {
        of(refused, Flaw::Once).is_caught("who tries once", 80);
        of(refused, Flaw::RestsLong).is_caught("who rests for long", 80);
    }
}

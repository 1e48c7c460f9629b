//! Simulated services that ask for figures: with limits for each attempt or for all, with retries, behind
//! their own limiter, and the ways in which these are set wrongly.

use super::{Tally, judged};
use crate::history::{OpFailure, Operation};
use crate::testing::{History, figures, given_up, hit_by, look, refused};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::{Fault, Matcher, Pick, Rule, Stall, StallAt, Window};
use mock_server::history::exchange::{End, Exchange};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A service.
#[derive(Clone, Copy, Debug)]
struct Service {
    /// The limit of an attempt, ms.
    each: u64,
    /// The limit of all attempts from when a creator asks, ms.
    all: u64,
    /// When the creator is sent away, ms after asking.
    front: u64,
    /// Attempts at the most.
    attempts: u32,
    /// Whether each byte starts the limit again.
    restarts: bool,
}

const LAWFUL: Service =
    Service { each: 30_000, all: u64::MAX, front: u64::MAX, attempts: 1, restarts: false };
/// How late a sound timer may be: a twentieth of it.
const LATE: u64 = 1_500;
/// A trickle has given all of its answer after so long.
const TRICKLE: u64 = 120_000;

fn simulated(random: &mut ChaCha8Rng, service: Service) -> History {
    let places = [StallAt::BeforeHead, StallAt::BeforeBody, StallAt::Trickle { every_ms: 2_000 }];
    let mut history = History::over(&[]);
    for (n, at) in places.into_iter().enumerate() {
        history.case.plan.faults.push(Rule {
            id: format!("stall-{n}"),
            window: Window { from_ms: 0, until_ms: 1 },
            matcher: Matcher::default(),
            pick: Pick::All,
            fault: Fault::Stall(Stall { at }),
        });
    }
    for call in 0..24_u64 {
        let handle = format!("c{call}");
        let came = call * 1_000_000;
        // Most creators stay until they are answered.
        let leaves = random.random_range(0..8) == 0;
        let patience = if leaves { random.random_range(100..40_000) } else { u64::MAX };
        let sent_away = came.saturating_add(service.front.min(patience));
        // Before the first attempt it may wait for its limiter.
        let mut at = came + random.random_range(0..900);
        let stalls = if call % 2 == 0 { Some((call as usize / 2) % 3) } else { None };
        let (mut answered, mut status) = (at, 504);
        for attempt in 1..=service.attempts {
            let deadline = (at.saturating_add(service.each)).min(came.saturating_add(service.all));
            if at >= deadline {
                break;
            }
            let (exchange, end) = match stalls {
                // The first attempt is refused now and then, before one that stalls.
                Some(_)
                    if attempt == 1 && random.random_range(0..4) == 0 && service.attempts > 1 =>
                {
                    status = 502;
                    (refused(&handle, at, 503), at + 5)
                }
                Some(place) => {
                    status = 504;
                    let trickles = place == 2 && service.restarts;
                    let until = if trickles { at + TRICKLE } else { deadline };
                    let until = until + random.random_range(0..LATE);
                    let mut stalled = hit_by("stall", given_up(&handle, at, until));
                    stalled.faults[0].rule = format!("stall-{place}");
                    stalled.t_first = (place > 0).then(|| Moment::from_ms(at + 1));
                    if trickles {
                        stalled.end = End::Truncated;
                    }
                    (stalled, until)
                }
                None => {
                    let least = if random.random_range(0..3) > 0 { 22_600 } else { 2_000 };
                    let took = random.random_range(least..27_000);
                    if at + took > deadline || at + took > sent_away {
                        let until = deadline.min(sent_away);
                        (given_up(&handle, at, until), until)
                    } else {
                        status = 200;
                        let done = Moment::from_ms(at + took);
                        let whole = figures(&handle, at);
                        let times = (Some(done), Some(done));
                        let (t_first, t_w) = times;
                        (Exchange { t_first, t_w, t_end: done, ..whole }, at + took)
                    }
                }
            };
            history = history.exchange(Exchange { route: Route::Analytics, ..exchange });
            answered = end;
            if status == 200 || end >= sent_away {
                break;
            }
            at = end + random.random_range(100..2_000);
        }
        let turned_away = answered + 5 > sent_away;
        let (last, status) = if turned_away { (sent_away, 504) } else { (answered + 5, status) };
        let seen = Operation { handle: handle.into(), ..look("-", came, last, status) };
        let left = turned_away && patience < service.front;
        history = history.operation(if left {
            Operation { status: None, failure: Some(OpFailure::Timeout), ..seen }
        } else {
            seen
        });
    }
    history
}

fn outcome(service: Service) -> Tally {
    judged("analytics-timeout", |random| simulated(random, service))
}

#[test]
fn limits_of_every_lawful_kind_are_never_blamed() {
    outcome(LAWFUL).is_never_blamed("one attempt", 60);
    outcome(Service { attempts: 3, ..LAWFUL }).is_never_blamed("each of three attempts", 60);
    let all = Service { all: 30_000, attempts: 3, ..LAWFUL };
    outcome(all).is_never_blamed("all attempts together", 60);
    outcome(Service { front: 31_000, ..all }).is_never_blamed("with a front door that waits", 60);
    let early = Service { each: 29_000, all: 29_500, ..all };
    outcome(early).is_never_blamed("timers that are a little short", 60);
}

#[test]
fn limits_that_are_too_short_too_long_or_restart_and_front_doors_that_give_up_are_caught() {
    for (what, service) in [
        ("the limit of pages", Service { each: 10_000, ..LAWFUL }),
        ("the same with retries", Service { each: 10_000, attempts: 3, ..LAWFUL }),
        ("a little too short", Service { each: 25_000, ..LAWFUL }),
        ("too long", Service { each: 35_000, ..LAWFUL }),
        ("each byte restarts it", Service { restarts: true, ..LAWFUL }),
        ("the front door gives up first", Service { front: 20_000, ..LAWFUL }),
    ] {
        outcome(service).is_caught(what, 95);
    }
}

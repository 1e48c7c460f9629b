//! Simulated clients that give up reads which stall, by timers of their own of several kinds.

use super::{Tally, judged};
use crate::history::Operation;
use crate::testing::{History, given_up, hit_by, page};
use mock_server::clock::Moment;
use mock_server::faults::{Fault, Matcher, Pick, Rule, Stall, StallAt, Window};
use mock_server::history::exchange::{End, Exchange};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What is limited, in milliseconds.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// Each attempt.
    Attempt(u64),
    /// Each attempt, and all that is done for a visitor.
    Total(u64, u64),
    /// Each silence: what trickles never ends.
    Silence(u64),
    /// Nothing.
    None,
}

/// How late a sound timer may be: a twentieth of it.
const LATE: u64 = 500;
/// A trickle has given all of its answer after so long.
const TRICKLE: u64 = 60_000;

fn simulated(random: &mut ChaCha8Rng, limit: Limit) -> History {
    let places = [StallAt::BeforeHead, StallAt::BeforeBody, StallAt::Trickle { every_ms: 4_000 }];
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
    for call in 0..18_u64 {
        let (came, n) = (call * 150_000, random.random_range(0..3));
        let handle = format!("c{call}");
        // It fills a page for a visitor, or renews one that nobody waits for.
        let waits = random.random_range(0..4) > 0;
        let mut at = came + random.random_range(0..50);
        let (each, total) = match limit {
            Limit::Attempt(each) => (each, u64::MAX),
            Limit::Total(each, total) => (each, total),
            Limit::Silence(_) if n == 2 => (TRICKLE, u64::MAX),
            Limit::Silence(each) => (each, u64::MAX),
            Limit::None => (TRICKLE, u64::MAX),
        };
        let end = came.saturating_add(total);
        for _ in 0..random.random_range(1..=3) {
            if at >= end {
                break;
            }
            let until = (at + each).min(end) + random.random_range(0..LATE);
            let kept = each == TRICKLE;
            let stalled = hit_by("stall", given_up(&handle, at, until));
            let mut stalled = Exchange {
                t_first: (n > 0).then(|| Moment::from_ms(at + 1)),
                end: if kept { End::Truncated } else { End::ClientAbort },
                ..stalled
            };
            stalled.faults[0].rule = format!("stall-{n}");
            history = history.exchange(stalled);
            at = until + random.random_range(0..3_000);
        }
        if waits {
            let visitor = page("-", came, at + 20, "-");
            history = history.operation(Operation { handle: handle.into(), ..visitor });
        }
    }
    history
}

fn outcome(limit: Limit) -> Tally {
    judged("profile-timeout", |random| simulated(random, limit))
}

#[test]
fn timers_of_every_lawful_kind_are_never_blamed() {
    for limit in [Limit::Attempt(10_000), Limit::Attempt(9_000), Limit::Total(10_000, 30_000)] {
        outcome(limit).is_never_blamed(&format!("{limit:?}"), 60);
    }
    // A limit for all attempts alone is that of the first one.
    outcome(Limit::Total(10_000, 10_000)).is_never_blamed("one limit for all", 60);
    outcome(Limit::Total(10_000, 15_000)).is_never_blamed("a short limit for all", 60);
}

#[test]
fn limits_that_are_too_long_too_short_or_none_are_caught() {
    for limit in [
        Limit::Attempt(10_501),
        Limit::Attempt(30_000),
        Limit::Attempt(3_000),
        Limit::Attempt(7_900),
        Limit::Silence(10_000),
        Limit::None,
    ] {
        outcome(limit).is_caught(&format!("{limit:?}"), 98);
    }
}

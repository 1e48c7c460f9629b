//! Simulated clients that are told to wait, on one event loop or several, alone and in batches.

mod client;
mod gates;

use super::limiter::{Limiter, gcra, log};
use super::{Chaos, Tally, judged};
use crate::history::Operation;
use crate::plan::RetryAfterScope::{self, Request, Token};
use crate::testing::{History, page};
use client::{Client, END, World};
use gates::Wrong;
use mock_server::clock::Moment;
use mock_server::faults::RetryAfterSpec::{Date, Seconds};
use mock_server::faults::{Fault, Matcher, Pick, Rule, Status, Window};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

impl Client {
    /// With everything drawn in which lawful clients differ, but their scope and what becomes of them.
    fn drawn(scope: RetryAfterScope, random: &mut ChaCha8Rng) -> Self {
        let limiters = [Limiter::Unlimited, log(30), log(60), gcra(10, 750), gcra(1, 667)];
        Self {
            scope,
            workers: [1, 1, 2][random.random_range(0..3)],
            callers: [1, 3, 6][random.random_range(0..3)],
            busy: [0, 700][random.random_range(0..2)],
            limiter: limiters[random.random_range(0..limiters.len())].clone(),
            queues: [0, 1_500, 5_000][random.random_range(0..3)],
            permit_first: random.random(),
            gives_up: [0, 5][random.random_range(0..2)],
            timers: [0, 20][random.random_range(0..2)],
            rotates: random.random(),
            chaos: Chaos::Nothing,
            wrong: Wrong::Nothing,
        }
    }
}

/// What is told to wait: each form, short and long.
fn told() -> Rule {
    let retry_after = vec![Seconds { s: 1 }, Date { s: 8 }];
    let status = Status { codes: vec![429, 503], retry_after };
    Rule {
        id: "waits".into(),
        window: Window { from_ms: 0, until_ms: END },
        matcher: Matcher::default(),
        pick: Pick::All,
        fault: Fault::Status(status),
    }
}

fn simulated(random: &mut ChaCha8Rng, client: &Client) -> History {
    let mut world = World::of(client, random);
    world.run();
    // Visitors of a page that is kept, who are answered within 2 ms of their turn.
    let visits = world.visits().into_iter();
    let visits = visits
        .map(|(at, answered)| Operation { handle: "kept".into(), ..page("-", at, answered, "-") });
    let gone = world.gone();
    let history = History::over(&[]).operations(visits).exchanges(world.exchanges);
    let mut history = history.declaring(|declared| {
        declared.retry_after_scope = client.scope;
        declared.instances = u32::try_from(client.workers).expect("a few");
        declared.limiter_wait_ms = if client.permit_first { client.queues } else { 0 };
    });
    history.case.plan.faults = vec![told()];
    history.case.harness.closed = Moment::from_ms(END);
    match (client.chaos, gone) {
        (Chaos::Kills, Some(gone)) => history.killed_until(gone.0, gone.1),
        (Chaos::Pauses, Some(gone)) => history.paused(gone.0, gone.1),
        _ => history,
    }
}

fn outcome(client: impl Fn(&mut ChaCha8Rng) -> Client) -> Tally {
    judged("retry-after-honoured", |random| {
        let client = client(random);
        simulated(random, &client)
    })
}

#[test]
fn whoever_waits_as_told_is_never_blamed() {
    for scope in [Token, Request] {
        for chaos in [Chaos::Nothing, Chaos::Kills, Chaos::Pauses] {
            let tally = outcome(|random| Client { chaos, ..Client::drawn(scope, random) });
            tally.is_never_blamed(&format!("{scope:?}, {chaos:?}"), 75);
        }
    }
}

#[test]
fn whoever_comes_before_the_told_time_is_caught() {
    let check = |scope, wrong, percent| {
        // With a wait for the limiter that may be longer than what is told, less is to be seen.
        let client = |random: &mut ChaCha8Rng| {
            let usual = Client::drawn(scope, random);
            let workers = if wrong == Wrong::OneWorkerAlone { 2 } else { usual.workers };
            Client { wrong, workers, callers: 3, queues: usual.queues.min(1_500), ..usual }
        };
        outcome(client).is_caught(&format!("{scope:?}, {wrong:?}"), percent);
    };
    for scope in [Token, Request] {
        check(scope, Wrong::Early(300), 80);
        check(scope, Wrong::Part(50), 80);
        check(scope, Wrong::Part(0), 80);
        check(scope, Wrong::Capped(5_000), 75);
        check(scope, Wrong::IgnoresDates, 80);
        check(scope, Wrong::Ignores503, 80);
    }
    check(Token, Wrong::RequestOnly, 90);
    check(Token, Wrong::OneWorkerAlone, 90);
    // A refused batch must come again while it is to wait.
    check(Request, Wrong::ForgetsClicks, 70);
}

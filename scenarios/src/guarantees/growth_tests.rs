//! Judging takes as long as the history is: of four times as many exchanges judges look four times as often
//! at one, and not sixteen times. Nothing is timed, so that no machine is too slow for it.

use super::GUARANTEES;
use crate::case::looks;
use crate::judging::Judging;
use crate::observed::Figures;
use crate::plan::BreakerCounting;
use crate::plan::PhaseKind::{Control, Heal, Outage, RetryGaps, Settle};
use crate::testing::{
    History, asked_to_wait, click, given_up, hit_by, links, page, read, refused, scrape,
    sent_batch, sent_click,
};
use mock_server::history::exchange::Exchange;
use mock_server::world::population::{Group, Population};

const CREATORS: u64 = 40;
/// One exchange each.
const EVERY_MS: u64 = 100;

/// One of whatever a history may hold, over and over.
fn exchange(n: u64) -> Exchange {
    let at = n * EVERY_MS;
    let handle = &*handle(n);
    let id = format!("ev-{n}");
    match n % 200 {
        // Enough to open a breaker.
        10..17 => refused(handle, at, 503),
        57 => asked_to_wait(handle, at, 503, 2),
        23 | 123 => hit_by("stall", given_up(handle, at, at + 10_000)),
        33 | 34 => sent_click("again", at, 503),
        43 => sent_batch(&[&id, "again", "and again"], at, 503),
        _ if n % 10 == 9 => sent_click(&id, at, 202),
        _ if n % 10 > 5 => links(handle, at),
        _ => read(handle, at),
    }
}

fn handle(n: u64) -> String {
    format!("page-{:04}", 1 + n * 7 % CREATORS)
}

/// As many as that, over the same phases, each longer.
fn history(exchanges: u64) -> History {
    let second = |share: u64| share * exchanges * EVERY_MS / 1_000 / 10;
    let phases = [(Control, 0), (Outage, 4), (Heal, 5), (RetryGaps, 7), (Control, 9)];
    let ends = [4, 5, 7, 9, 10].map(second);
    let phases = phases.into_iter().zip(ends).map(|((kind, from), end)| (kind, second(from), end));
    let settles = (Settle, second(10), second(10) + 100);
    let phases: Vec<_> = phases.chain([settles]).collect();
    let mut history = History::over(&phases).exchanges((0..exchanges).map(exchange));
    let group = Group { prefix: "page".into(), count: CREATORS as u32, ..Group::default() };
    history.case.plan.population = Population { groups: vec![group] };
    for n in 0..exchanges {
        let at = n * EVERY_MS;
        if n % 10 == 9 {
            history = history.operation(click(Box::leak(format!("ev-{n}").into()), at, at + 3));
        } else if n % 4 == 0 {
            let handle = Box::leak(handle(n).into());
            history = history.operation(page(handle, at, at + 30, "v0-page-0001"));
        }
        if n % 100 == 0 {
            let count = Some(n as f64);
            let figures = Figures { timeouts: count, auth_errors: count, ..Figures::default() };
            history = history.scrape(scrape(at, Figures { cache_hits: count, ..figures }));
        }
    }
    history.case.ready();
    history
}

/// How often judges look at an exchange, each judge for itself.
fn looked(exchanges: u64, counting: BreakerCounting) -> Vec<(&'static str, usize)> {
    let history = history(exchanges).declaring(|one| one.breaker_counting = counting);
    let look = |guarantee: &&'static dyn super::Guarantee| {
        let looks = looks::during(|| {
            let mut judging = Judging::begin(&history.case, &[*guarantee]);
            history.operations.iter().for_each(|operation| judging.operation(operation));
            drop(judging.verdicts());
        });
        (guarantee.promise().id, looks)
    };
    GUARANTEES.iter().map(look).collect()
}

#[test]
fn judges_look_four_times_as_often_at_four_times_as_many_exchanges() {
    for counting in [BreakerCounting::Attempt, BreakerCounting::Call] {
        let (few, many) = (looked(2_000, counting), looked(8_000, counting));
        for ((id, few), (_, many)) in few.into_iter().zip(many) {
            // Whoever sorts, or looks things up by halves, looks a fifth more often.
            assert!(many <= few * 24 / 5 + 1_000, "{id}: {few} looks, and then {many}");
        }
    }
}

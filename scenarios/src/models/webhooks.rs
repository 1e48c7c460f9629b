//! Simulated receivers of webhooks, sound and broken: what they believe, and what they do then and when.

mod barred;
mod kept;
mod registered;

use super::judged;
use crate::history::Operation;
use crate::testing::{
    History, delivery, forgery, page, page_changed, read, shaped_by, webhook_rules,
};
use mock_server::clock::Moment;
use mock_server::history::record::Delivery;
use mock_server::webhooks::Forgery;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// When what a delivery says is done.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Acts {
    Never,
    AtOnce,
    /// By a worker that takes up to so many milliseconds.
    Queued(u64),
}

/// What is wrong with a receiver.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    BelievesEverything,
    Believes(Forgery),
    IgnoresTime,
    VerifiesWhatItWrites,
    FirstSignatureOnly,
    ActsFirst,
    ForgetsWhatItSaw,
}

#[derive(Clone, Copy, Debug)]
struct Receiver {
    acts: Acts,
    /// Whether a worker asks for a page that has changed, and not the next visitor.
    asks_itself: bool,
    /// Of a page's life, in hundredths, when it is asked for ahead.
    ahead: u64,
    /// Pages are asked for every so many milliseconds whatever happens; 0 never.
    every: u64,
    refusal: u16,
    accepts: u16,
    copies: u16,
    /// It is busy once in so many deliveries, and then says so.
    busy: u32,
    /// Each worker keeps pages of its own.
    workers: usize,
    /// Whether all workers hear of what came to one.
    tells_all: bool,
    flaw: Flaw,
}

const SOUND: Receiver = Receiver {
    acts: Acts::AtOnce,
    asks_itself: false,
    ahead: 100,
    every: 0,
    refusal: 401,
    accepts: 204,
    copies: 204,
    busy: 0,
    workers: 1,
    tells_all: true,
    flaw: Flaw::None,
};

/// Rules of those whom nobody may believe.
fn wrong() -> Vec<String> {
    let forged = Forgery::ALL.into_iter().filter(|how| *how != Forgery::UpperCaseHex);
    forged.map(forgery).chain(["old".into(), "new".into()]).collect()
}

impl Receiver {
    fn believes(self, rule: &str) -> bool {
        let is_wrong = wrong().iter().any(|known| known == rule);
        match self.flaw {
            Flaw::BelievesEverything => true,
            Flaw::Believes(how) => !is_wrong || rule == forgery(how),
            Flaw::IgnoresTime => !is_wrong || ["old", "new"].contains(&rule),
            // What it writes is never what came.
            Flaw::VerifiesWhatItWrites => false,
            Flaw::FirstSignatureOnly => !is_wrong && rule != "stranger-first",
            Flaw::None | Flaw::ActsFirst | Flaw::ForgetsWhatItSaw => !is_wrong,
        }
    }

    /// The attempts of a message, from its first one on, until it is accepted or three were made.
    fn attempts(self, random: &mut ChaCha8Rng, rule: &str, sent: &Delivery) -> Vec<Delivery> {
        let (mut all, mut at) = (Vec::new(), sent.t_sent);
        for attempt in 1..=3 {
            let odd = ["upper-case-hex", "old-close", "new-close", "not-json", "no-data"];
            let believed = if odd.contains(&rule) {
                random.random_range(0..2) == 0
            } else {
                self.believes(rule)
            };
            let busy = self.busy > 0 && random.random_range(0..self.busy) == 0;
            let status = match (busy, believed) {
                (true, _) => [429, 503][random.random_range(0..2)],
                (false, true) => self.accepts,
                (false, false) => self.refusal,
            };
            let took = random.random_range(1..60);
            let mut one = Delivery { attempt, t_sent: at, status: Some(status), ..sent.clone() };
            one.t_end = at.plus(std::time::Duration::from_millis(took));
            let ended = one.t_end;
            all.push(if rule.is_empty() { one } else { shaped_by(rule, one) });
            if (200..300).contains(&status) {
                break;
            }
            at = ended.plus(std::time::Duration::from_millis(5_000));
        }
        all
    }
}

/// What comes about one page: nothing, something genuine, wrong, or twice.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Nothing,
    Genuine,
    Wrong,
    Twice,
}

/// Statuses of every kind, then 66 pages that are visited, one after the other.
fn receiving(random: &mut ChaCha8Rng, receiver: Receiver) -> History {
    let mut history = History::over(&[]);
    history.case.plan.faults = webhook_rules();
    let mut at_ms = 1_000;
    let mut rules: Vec<String> = webhook_rules().into_iter().map(|rule| rule.id).collect();
    rules.extend(std::iter::repeat_n(String::new(), 6));
    for rule in rules.iter().chain(&rules).filter(|rule| *rule != "twice") {
        at_ms += random.random_range(20..400);
        let sent = delivery(&format!("q{at_ms}"), "quiet", at_ms, 0);
        history = history.sent(receiver.attempts(random, rule, &sent));
    }
    for n in 0..4 {
        at_ms += 100;
        let copy = |late, attempt, status| Delivery {
            attempt,
            ..delivery(&format!("c{n}"), "quiet", at_ms + late, status)
        };
        if receiver.believes("") {
            history = history.sent([copy(0, 1, receiver.accepts), copy(700, 2, receiver.copies)]);
        }
    }
    let kinds = [(What::Nothing, 25), (What::Genuine, 14), (What::Wrong, 15), (What::Twice, 12)];
    let kinds = kinds.into_iter().flat_map(|(what, count)| std::iter::repeat_n(what, count));
    for (place, what) in kinds.enumerate() {
        let from = 60_000 + place as u64 * 12_000 + random.random_range(0..500);
        history = visited(history, random, receiver, (place, what, from));
    }
    history.case.harness.closed = Moment::from_ms(1_000_000);
    history
}

/// A page that is filled, visited five times a second for three seconds, and about which something comes.
fn visited(
    mut history: History,
    random: &mut ChaCha8Rng,
    receiver: Receiver,
    (place, what, from): (usize, What, u64),
) -> History {
    let handle = format!("page-{place}");
    let sent = |ms: u64, status| page_changed(&format!("m{place}"), &handle, from + ms, status);
    let rule = &wrong()[place % wrong().len()];
    let deliveries = match what {
        What::Nothing => Vec::new(),
        What::Genuine => receiver.attempts(random, "", &sent(600, 0)),
        What::Wrong => receiver.attempts(random, rule, &sent(600, 0)),
        What::Twice => {
            let copy = Delivery { attempt: 2, ..sent(1_200, receiver.copies) };
            vec![sent(600, if receiver.believes("") { receiver.accepts } else { 401 }), copy]
        }
    };
    // When it is done that a page has changed.
    let mut changed: Vec<u64> = Vec::new();
    for (nth, one) in deliveries.iter().enumerate() {
        let accepted = one.status.is_some_and(|status| (200..300).contains(&status));
        let acts = accepted || receiver.flaw == Flaw::ActsFirst;
        let is_copy = what == What::Twice && nth > 0;
        if !acts || is_copy && receiver.flaw != Flaw::ForgetsWhatItSaw {
            continue;
        }
        let at = one.t_sent.0 / 1_000_000;
        match receiver.acts {
            Acts::Never => {}
            Acts::AtOnce => changed.push(at + random.random_range(1..20)),
            Acts::Queued(most) => changed.push(at + random.random_range(1..most)),
        }
    }
    let (mut calls, mut filled) = (vec![from], vec![None; receiver.workers]);
    filled[random.random_range(0..receiver.workers)] = Some(from);
    let heard = random.random_range(0..receiver.workers);
    let phase = if receiver.every > 0 { random.random_range(0..receiver.every) } else { 0 };
    let mut visits = Vec::new();
    for step in 0..3_000 {
        let now = from + step;
        let visit = step % 200 == 20;
        let of_its_own = receiver.every > 0 && now % receiver.every == phase;
        let worker = if visit { random.random_range(0..receiver.workers) } else { heard };
        let hears = receiver.tells_all || worker == heard;
        let stale = filled[worker]
            .is_some_and(|filled| hears && changed.iter().any(|at| *at > filled && *at <= now));
        let old = filled[worker].is_none_or(|filled| now > filled + 40 * receiver.ahead);
        if (visit && (stale || old)) || of_its_own || receiver.asks_itself && stale {
            let late = random.random_range(0..8);
            calls.push(now + late);
            filled[worker] = Some(now + late + 5);
        }
        if visit {
            let seen = page("-", now, now + 6, "v");
            visits.push(Operation { handle: handle.clone().into(), ..seen });
        }
    }
    history = history.exchanges(calls.into_iter().map(|at| read(&handle, at)).collect::<Vec<_>>());
    history.operations(visits).sent(deliveries)
}

const SIGNATURE: &str = "webhook-signature";

/// Any sound receiver: how it answers, when it acts, and what it asks for of its own accord.
fn any_sound(random: &mut ChaCha8Rng) -> Receiver {
    let acts = [Acts::Never, Acts::AtOnce, Acts::Queued(800), Acts::Queued(4_000)];
    Receiver {
        acts: acts[random.random_range(0..acts.len())],
        asks_itself: random.random_range(0..3) == 0,
        ahead: random.random_range(45..=100),
        every: [0, 0, 900, 3_000, 20_000, 60_000][random.random_range(0..6)],
        refusal: [400, 401, 403, 404, 422, 500][random.random_range(0..6)],
        accepts: [200, 202, 204][random.random_range(0..3)],
        copies: [200, 204, 208, 409][random.random_range(0..4)],
        busy: [0, 0, 5, 20][random.random_range(0..4)],
        workers: [1, 1, 2, 4][random.random_range(0..4)],
        tells_all: random.random_range(0..2) == 0,
        flaw: Flaw::None,
    }
}

#[test]
fn a_sound_receiver_is_never_blamed() {
    let any = |random: &mut ChaCha8Rng| {
        let receiver = any_sound(random);
        receiving(random, receiver)
    };
    judged(SIGNATURE, any).is_never_blamed("any sound receiver", 90);
    judged(SIGNATURE, |random| receiving(random, SOUND)).is_never_blamed("the usual one", 100);
}

#[test]
fn a_broken_receiver_is_caught() {
    let check = |flaw, percent| {
        let tally = judged(SIGNATURE, |random| receiving(random, Receiver { flaw, ..SOUND }));
        tally.is_caught(&format!("{flaw:?}"), percent);
    };
    check(Flaw::BelievesEverything, 100);
    for how in Forgery::ALL.into_iter().filter(|how| *how != Forgery::UpperCaseHex) {
        check(Flaw::Believes(how), 100);
    }
    check(Flaw::IgnoresTime, 100);
    check(Flaw::VerifiesWhatItWrites, 100);
    check(Flaw::FirstSignatureOnly, 100);
    check(Flaw::ActsFirst, 100);
    check(Flaw::ForgetsWhatItSaw, 100);
}

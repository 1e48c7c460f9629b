//! Model clients: simulated integrations in virtual time, whose seeded histories the judges are judged by.
//!
//! Each file simulates one mechanism in the fashions in which libraries offer it: as declared it is
//! never blamed, and each way to break it is caught. The test command draws [`USUAL`] histories for each
//! judge, the nightly script a thousand, and whoever asks as many as `MODEL_HISTORIES` says
//! (`MODEL_HISTORIES=10000 cargo test --release -p scenarios --lib models`). A history that fails is named
//! by its seed.

mod alerts;
mod analytics;
mod breaker;
mod cache;
mod campaigns;
mod cors;
mod headroom;
mod jitter;
mod keys;
mod lags;
mod latency_alerts;
mod limiter;
mod metrics;
mod notifier;
mod outcome_alerts;
mod pagination;
mod queue;
mod retry_after;
mod sanitisers;
mod scopes;
mod sessions;
mod timeouts;
mod webhooks;

use crate::guarantees::find;
use crate::testing::History;
use crate::verdict::VerdictKind;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Histories of each kind in the test command: what a debug build judges in seconds.
const USUAL: u64 = 20;

/// What the histories of one kind of client came to.
#[derive(Debug, Default)]
pub struct Tally {
    histories: u64,
    held: u64,
    /// How often each reason was given, with its numbers taken out.
    inconclusive: BTreeMap<String, u64>,
    /// The seeds of those that were violated, each with its worst witness.
    violated: Vec<(u64, String)>,
}

/// What happens to the process meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Chaos {
    Nothing,
    Kills,
    Pauses,
}

/// Has the guarantee with this id judge one history for each seed. `history` is given what it draws from,
/// and nothing else: the same seed is the same history.
///
/// # Panics
///
/// If there is no such guarantee, or `MODEL_HISTORIES` is no number.
pub fn judged(id: &str, history: impl Fn(&mut ChaCha8Rng) -> History) -> Tally {
    let guarantee = find(id).expect("a guarantee has this id");
    let asked = std::env::var("MODEL_HISTORIES").ok().map(|text| text.parse::<u64>());
    let histories = asked.map_or(USUAL, |number| number.expect("MODEL_HISTORIES is a number"));
    let mut tally = Tally { histories, ..Tally::default() };
    for seed in 0..histories {
        let verdict = history(&mut ChaCha8Rng::seed_from_u64(seed)).judged_by(guarantee);
        match verdict.kind {
            VerdictKind::Held => tally.held += 1,
            VerdictKind::Inconclusive => {
                let reason = verdict.reason.unwrap_or_default();
                let figures = |letter: char| if letter.is_ascii_digit() { '#' } else { letter };
                *tally.inconclusive.entry(reason.chars().map(figures).collect()).or_default() += 1;
            }
            VerdictKind::Violated => {
                let worst = verdict.witnesses.into_iter().next();
                tally.violated.push((seed, worst.map(|one| one.what).unwrap_or_default()));
            }
        }
    }
    tally
}

impl Tally {
    /// A lawful client: none of its histories is violated, and at least `percent` of them hold. Prints
    /// which were inconclusive, and why.
    ///
    /// # Panics
    ///
    /// If it was blamed, or too seldom judged.
    pub fn is_never_blamed(&self, what: &str, percent: u64) {
        let Self { histories, held, inconclusive, violated } = self;
        println!("{what}: {held} of {histories} held, inconclusive {inconclusive:?}");
        assert!(violated.is_empty(), "{what}: {} blamed: {:?}", violated.len(), violated.first());
        assert!(held * 100 >= histories * percent, "{what}: {held} held, {inconclusive:?}");
    }

    /// A broken client: at least `percent` of its histories are violated.
    ///
    /// # Panics
    ///
    /// If it got away more often.
    pub fn is_caught(&self, what: &str, percent: u64) {
        let Self { histories, held, inconclusive, violated } = self;
        let caught = violated.len() as u64;
        println!("{what}: {caught} of {histories} caught, {held} held, {inconclusive:?}");
        assert!(caught * 100 >= histories * percent, "{what}: {caught} caught, {inconclusive:?}");
    }
}

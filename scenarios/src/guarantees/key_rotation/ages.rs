//! The exposed age of the key, beside the ages of the keys that may be in use.

use crate::case::Case;
use crate::guarantees::evidence::rotations::{self, Turn};
use crate::guarantees::evidence::scrapes;
use crate::observed::Scrape;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use std::time::Duration;

pub(super) const DAY_S: u64 = 86_400;
/// `created_at` has whole seconds, and so may the figure.
pub(super) const TOLERANCE: Duration = Duration::from_secs(2);

/// What the scrapes show.
pub(super) struct Ages {
    pub offences: Offences,
    /// Scrapes that show an age.
    pub seen: usize,
    /// Why none does.
    pub why_none: Option<String>,
}

/// A key that may be in use.
pub(super) struct Key {
    /// Nanoseconds on the run's clock, negative before it began.
    created: i128,
    from: Moment,
    until: Moment,
}

pub(super) fn judged(case: &Case, turns: &[Turn<'_>]) -> Ages {
    let keys = if turns.is_empty() { Vec::new() } else { keys(case, turns) };
    let mut ages = Ages { offences: Offences::default(), seen: 0, why_none: None };
    for scrape in case.target.scrapes.iter().filter(|scrape| scrape.is_ok()) {
        let Some(age) = scrape.figures.key_age.filter(|_| !keys.is_empty()) else { continue };
        let (from, until) = (scrape.sent, scrape.last);
        if case.harness.too_slow_within(from, until) || case.target.disturbed_within(from, until) {
            continue;
        }
        ages.seen += 1;
        if !keys.iter().any(|key| key.fits(case, scrape, age)) {
            ages.offences.add(from, || {
                let what = format!("the key is said to be {age} s old, and no key in use is");
                turns.iter().fold(Witness::new(from, what), |witness, turn| {
                    witness.line(super::told(case, turn))
                })
            });
        }
    }
    if ages.seen == 0 {
        ages.why_none = Some(scrapes::why_unseen(case, "key_age"));
    }
    ages
}

/// How old the first key is when the run begins, as the plan or the contract has it.
pub(super) fn age_at_first(case: &Case) -> Duration {
    let days = case.plan.key.age_days.unwrap_or(case.contract.keys.age_days);
    Duration::from_secs(u64::from(days) * DAY_S)
}

/// The first key, and each that took the place of another.
pub(super) fn keys(case: &Case, turns: &[Turn<'_>]) -> Vec<Key> {
    let first = turns.first();
    let (known_at, age_ms) = match first {
        Some(turn) => (turn.at, turn.rotation.old_age_ms.unwrap_or(0)),
        None => (Moment::ZERO, age_at_first(case).as_secs() * 1_000),
    };
    let created = i128::from(known_at.0) - i128::from(age_ms) * 1_000_000;
    let until = first.map_or(Moment(u64::MAX), |turn| turn.known_by);
    let mut keys = vec![Key { created, from: Moment::ZERO, until }];
    for (nth, turn) in turns.iter().enumerate() {
        let until = turns.get(nth + 1).map_or(Moment(u64::MAX), |next| next.known_by);
        keys.push(Key { created: i128::from(turn.at.0), from: turn.at, until });
    }
    keys
}

impl Key {
    /// Whether somebody may use it at some moment of this span.
    pub fn is_in_use(&self, case: &Case, from: Moment, until: Moment) -> bool {
        let over = self.until.plus(case.harness.delta + case.harness.epsilon);
        until >= self.from && from <= over
    }

    /// How old it is at a moment; nothing before it is made.
    pub fn age(&self, at: Moment) -> Duration {
        let nanos = u64::try_from(i128::from(at.0) - self.created).unwrap_or(0);
        Duration::from_nanos(nanos)
    }

    /// Whether this age may be this key's, at any moment of the scrape.
    #[allow(clippy::cast_precision_loss)] // ages of centuries, in nanoseconds, to a millisecond
    fn fits(&self, case: &Case, scrape: &Scrape, age_s: f64) -> bool {
        let tolerance = TOLERANCE + rotations::pickup(case) + case.harness.delta;
        let seconds = |at: Moment| (i128::from(at.0) - self.created) as f64 / 1e9;
        let is_in_use = self.is_in_use(case, scrape.sent, scrape.last);
        let tolerance = tolerance.as_secs_f64();
        let least = seconds(scrape.sent) - tolerance;
        is_in_use && least <= age_s && age_s <= seconds(scrape.last) + tolerance
    }
}

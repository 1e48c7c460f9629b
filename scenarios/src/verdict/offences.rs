//! Violations in the making.

use super::{MAX_WITNESSES, Verdict, Witness, weight_of};
use mock_server::clock::Moment;
use std::time::Duration;

/// Of all violations it is kept when they were, and the worst
/// [`MAX_WITNESSES`] in words, so that memory hardly grows with a history that is nothing but violations.
#[derive(Clone, Debug, Default)]
pub struct Offences {
    kept: Vec<Witness>,
    when: Vec<Moment>,
}

impl Offences {
    /// Adds one that is as bad as any other; the witness is only written when it is kept.
    pub fn add(&mut self, at: Moment, witness: impl FnOnce() -> Witness) {
        self.add_weighing(at, 0, witness);
    }

    /// Adds one that lasted so long.
    pub fn add_lasting(&mut self, at: Moment, time: Duration, witness: impl FnOnce() -> Witness) {
        self.add_weighing(at, weight_of(time), witness);
    }

    /// Adds one that is so bad.
    pub fn add_weighing(&mut self, at: Moment, weight: u64, witness: impl FnOnce() -> Witness) {
        self.when.push(at);
        if self.kept.len() < MAX_WITNESSES {
            self.kept.push(witness().weighing(weight));
        } else if let Some(lightest) = self.kept.iter_mut().min_by_key(|kept| kept.weight)
            && lightest.weight < weight
        {
            *lightest = witness().weighing(weight);
        }
    }

    /// Adds all of `other`.
    pub fn join(&mut self, other: Self) {
        self.when.extend(other.when);
        self.kept.extend(other.kept);
    }

    /// Those that were kept.
    #[must_use]
    pub fn into_witnesses(self) -> Vec<Witness> {
        self.kept
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.when.len() as u64
    }

    /// As [`Verdict::from_witnesses`].
    #[must_use]
    pub fn verdict(self, seen: usize, of_what: &str) -> Verdict {
        let (violations, when) = (self.count(), self.when);
        Verdict { violations, when, ..Verdict::from_witnesses(seen, of_what, self.kept) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::VerdictKind;

    #[test]
    fn of_many_offences_the_worst_are_kept_and_the_worst_is_first() {
        let mut offences = Offences::default();
        for ms in 0..30 {
            offences.add_weighing(Moment::from_ms(ms), ms, || {
                Witness::new(Moment::from_ms(ms), "broken")
            });
        }
        let weights: Vec<u64> =
            offences.verdict(40, "clicks").witnesses.iter().map(|one| one.weight).collect();
        assert_eq!(weights, (10..30).rev().collect::<Vec<_>>());
    }

    #[test]
    fn offences_are_all_counted_and_the_first_kept() {
        let mut offences = Offences::default();
        (0..30).map(Moment::from_ms).for_each(|at| {
            offences.add(at, || Witness::new(at, "broken"));
        });
        let verdict = offences.verdict(40, "clicks");
        assert_eq!((verdict.violations, verdict.witnesses.len()), (30, MAX_WITNESSES));
        assert_eq!(Offences::default().verdict(1, "clicks").kind, VerdictKind::Held);
    }
}

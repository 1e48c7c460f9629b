//! When a delivery is over, and when it is tried again.

use crate::profile::{ContractProfile, Webhooks};
use std::time::Duration;

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It was accepted.
    Done,
    /// The receiver wants no more of this.
    Disable,
    /// Once more, this long after the end of the attempt.
    After(Duration),
    /// The schedule is at its end.
    GivenUp,
}

/// The contract's schedule in real time.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    pauses: Vec<Duration>,
    disable_on: Vec<u16>,
    /// How long an attempt waits for an answer.
    pub timeout: Duration,
}

impl Schedule {
    pub fn new(contract: &Webhooks, time_scale: u32) -> Self {
        let scaled = |ms| ContractProfile::scaled(ms, time_scale);
        Self {
            pauses: contract.retry_ms.iter().map(|ms| scaled(*ms)).collect(),
            disable_on: contract.disable_on.clone(),
            timeout: scaled(contract.timeout_ms),
        }
    }

    /// What follows the attempts of round `round` (from 0), which met these statuses; none where
    /// there was no answer. One receiver that took it among duplicates is enough.
    pub fn next(&self, round: usize, answers: &[Option<u16>]) -> Next {
        let mut met = answers.iter().flatten();
        if met.clone().any(|status| self.disable_on.contains(status)) {
            Next::Disable
        } else if met.any(|status| (200..300).contains(status)) {
            Next::Done
        } else {
            self.pauses.get(round).map_or(Next::GivenUp, |pause| Next::After(*pause))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_an_attempt() {
        let contract =
            Webhooks { retry_ms: vec![5_000, 60_000], ..ContractProfile::linktree_v1().webhooks };
        let schedule = Schedule::new(&contract, 10);
        let check = |round, answers: &[Option<u16>], expected| {
            assert_eq!(schedule.next(round, answers), expected, "{round} {answers:?}");
        };
        let after = |ms| Next::After(Duration::from_millis(ms));
        check(0, &[Some(200)], Next::Done);
        check(0, &[Some(299)], Next::Done);
        check(0, &[Some(301)], after(500));
        check(0, &[Some(400)], after(500));
        check(1, &[Some(500)], after(6_000));
        check(1, &[None], after(6_000));
        check(2, &[Some(500)], Next::GivenUp);
        check(0, &[Some(410)], Next::Disable);
        check(2, &[Some(410)], Next::Disable);
        check(0, &[Some(500), Some(204), None], Next::Done);
        check(0, &[Some(204), Some(410)], Next::Disable);
        assert_eq!(schedule.timeout, Duration::from_millis(1_500));
    }
}

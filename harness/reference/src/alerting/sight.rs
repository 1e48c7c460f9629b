//! What the rules look at, as it is at one moment.

use crate::{linktree::Route, recent::Attempt};
use std::time::Duration;

/// The state of the service.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// Attempts in the window of the error rate.
    pub calls: Vec<Attempt>,
    /// Page views in it.
    pub views: usize,
    /// Attempts in the window of latencies.
    pub timed: Vec<Attempt>,
    /// Requests in the limit's window.
    pub used: usize,
    /// How long the oldest click has been waiting.
    pub waiting: Duration,
    /// How old the key in use is, once that is known.
    pub key_age: Option<Duration>,
}

impl Sight {
    /// Attempts of the error rate's window that ended in one of these ways.
    pub fn ended(&self, outcomes: &[&str]) -> usize {
        self.calls.iter().filter(|one| outcomes.contains(&one.outcome)).count()
    }

    /// Sorted durations of the calls for which nobody is told to be patient.
    pub fn durations(&self) -> Vec<Duration> {
        let prompt = self.timed.iter().filter(|one| one.route != Route::Analytics);
        let mut all: Vec<Duration> = prompt.map(|one| one.took).collect();
        all.sort_unstable();
        all
    }
}

//! How long clicks wait, as on-call is told and as the gauge shows it.

use super::Backlog;
use crate::recent::Recent;
use std::time::Duration;

/// One value per decision.
#[derive(Clone, Copy)]
pub struct LagPolicy {
    /// The lag, of what waits and of what was called: the age of the oldest click.
    pub of: fn(Backlog, &Recent) -> Duration,
    /// As the gauge shows it.
    pub exposed: fn(Duration) -> Duration,
}

impl Default for LagPolicy {
    fn default() -> Self {
        Self { of: |backlog, _| backlog.age(), exposed: |lag| lag }
    }
}

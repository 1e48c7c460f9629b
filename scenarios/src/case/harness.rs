//! What the harness says of itself: whether it came to its end, and how far its clocks can be trusted.

use crate::history::{GeneratorReport, Opened, Outcome, Tolerances};
use crate::spans::Spans;
use mock_server::clock::Moment;
use std::time::Duration;

/// The harness's own account.
#[derive(Clone, Debug)]
pub struct HarnessSide {
    /// δ: delivery plus scheduling.
    pub delta: Duration,
    /// ε: granularity of timers.
    pub epsilon: Duration,
    /// The head of the history, if it was written.
    pub opened: Option<Opened>,
    /// Millisecond 0 of the plan.
    pub armed: Moment,
    /// When the recording ended, or its last moment.
    pub closed: Moment,
    /// How the recording ended; none when it broke off.
    pub outcome: Option<Outcome>,
    /// Late timers: (when, how late).
    pub lags: Vec<(Moment, Duration)>,
    /// The generator's account.
    pub generator: Option<GeneratorReport>,
    /// Around each timer that was later than δ.
    slow: Spans,
}

impl Default for HarnessSide {
    fn default() -> Self {
        let tolerances = Tolerances::default();
        Self {
            delta: Duration::from_micros(tolerances.delta_us),
            epsilon: Duration::from_micros(tolerances.epsilon_us),
            opened: None,
            armed: Moment::ZERO,
            closed: Moment::ZERO,
            outcome: None,
            lags: Vec::new(),
            generator: None,
            slow: Spans::default(),
        }
    }
}

impl HarnessSide {
    /// Puts late timers in order, and joins the spans in which the harness was too slow.
    pub(super) fn ready(&mut self) {
        self.lags.sort_by_key(|lag| lag.0);
        let slow = self.lags.iter().filter(|lag| lag.1 > self.delta);
        let around = |lag: &(Moment, Duration)| {
            (lag.0.minus(self.delta), lag.0.plus(lag.1).plus(self.delta))
        };
        self.slow = Spans::joined(slow.map(around).collect(), Duration::ZERO);
    }

    /// Whether the recording came to the plan's end.
    #[must_use]
    pub fn completed(&self) -> bool {
        self.outcome == Some(Outcome::Completed)
    }

    /// Whether the harness was too slow within `δ` of this span for a timing verdict over it.
    #[must_use]
    pub fn too_slow_within(&self, from: Moment, until: Moment) -> bool {
        self.slow.touch(from, until)
    }

    /// How much later than promised something may have come because the harness stood still: the
    /// sum of its late timers within this span.
    #[must_use]
    pub fn stalled_within(&self, from: Moment, until: Moment) -> Duration {
        let first = self.lags.partition_point(|lag| lag.0 < from).saturating_sub(1);
        let inside = self.lags[first..].iter().take_while(|lag| lag.0 <= until);
        inside.filter(|lag| lag.0.plus(lag.1) >= from).map(|lag| lag.1).sum()
    }
}

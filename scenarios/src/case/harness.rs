//! What the harness says of itself: whether it came to its end, how far its clocks can be trusted, and
//! whether the machine had a processor for the target.

use super::starved::{Starved, stretches};
use crate::history::{GeneratorReport, Opened, Outcome, Timers, Tolerances, Waits};
use crate::spans::Spans;
use mock_server::clock::Moment;
use mock_server::history::record::Overload;
use std::time::Duration;

/// The mock says each cause of an overload once in so long, while it lasts.
const SAID_EVERY: Duration = Duration::from_secs(1);

/// The harness's own account.
#[derive(Clone, Debug)]
pub struct HarnessSide {
    /// δ: delivery plus scheduling.
    pub delta: Duration,
    /// ε: granularity of timers.
    pub epsilon: Duration,
    /// The head of the history, if it was written.
    pub opened: Option<Opened>,
    /// Where the mock stood, if that was written.
    pub mock_url: Option<String>,
    /// Millisecond 0 of the plan.
    pub armed: Moment,
    /// Whether the recording says when that was.
    is_armed: bool,
    /// When the recording ended, or its last moment.
    pub closed: Moment,
    /// How the recording ended; none when it broke off.
    pub outcome: Option<Outcome>,
    /// What was measured of the machine before the storm; none when it was not.
    pub tolerances: Option<Tolerances>,
    /// Late timers: (when, how late).
    pub lags: Vec<(Moment, Duration)>,
    /// What the look at timers came to; none when there was none to the end.
    pub timers: Option<Timers>,
    /// Looks in which a thread of the target waited for a processor that others had.
    pub looks: Vec<Starved>,
    /// What the look at the target's threads came to; none when there was none to the end.
    pub waits: Option<Waits>,
    /// When the mock could not do its work, and why.
    pub overloads: Vec<Overload>,
    /// The generator's account.
    pub generator: Option<GeneratorReport>,
    /// Around each timer that was later than δ, each stretch in which the target was starved, and each
    /// word of an overload.
    slow: Spans,
    /// In which the target was starved.
    stretches: Vec<Starved>,
}

impl Default for HarnessSide {
    fn default() -> Self {
        let tolerances = Tolerances::default();
        Self {
            delta: Duration::from_micros(tolerances.delta_us),
            epsilon: Duration::from_micros(tolerances.epsilon_us),
            opened: None,
            mock_url: None,
            armed: Moment::ZERO,
            is_armed: false,
            closed: Moment::ZERO,
            outcome: None,
            tolerances: None,
            lags: Vec::new(),
            timers: None,
            looks: Vec::new(),
            waits: None,
            overloads: Vec::new(),
            generator: None,
            slow: Spans::default(),
            stretches: Vec::new(),
        }
    }
}

impl HarnessSide {
    /// Puts late timers and overloads in order, and joins the spans in which the harness was too slow.
    pub(super) fn ready(&mut self) {
        self.lags.sort_by_key(|lag| lag.0);
        self.looks.sort_by_key(|one| one.from);
        self.stretches = stretches(&self.looks, self.delta + self.epsilon);
        self.overloads.sort_by_key(|overload| overload.at);
        let late = self.lags.iter().filter(|lag| lag.1 > self.delta).copied();
        let overloaded = self.overloads.iter().map(|overload| (overload.at, SAID_EVERY));
        let around = |(from, lasted): (Moment, Duration)| {
            (from.minus(self.delta), from.plus(lasted).plus(self.delta))
        };
        let starved = self.stretches.iter().map(|one| one.span(self.delta));
        let slow = late.chain(overloaded).map(around).chain(starved).collect();
        self.slow = Spans::joined(slow, Duration::ZERO);
    }

    /// When the target was starved, in order of time.
    #[must_use]
    pub fn starved(&self) -> &[Starved] {
        &self.stretches
    }

    /// The traffic began.
    pub(super) fn arm(&mut self, at: Moment) {
        (self.armed, self.is_armed) = (at, true);
    }

    /// Whether the recording says when the traffic began.
    #[must_use]
    pub const fn is_armed(&self) -> bool {
        self.is_armed
    }

    /// Which fact is missing without which nothing in a recording can be placed or measured, in words.
    #[must_use]
    pub const fn lacks(&self) -> Option<&'static str> {
        match (&self.opened, &self.mock_url, &self.tolerances, self.is_armed) {
            (None, ..) => Some("whose recording it is (opened)"),
            (_, None, ..) => Some("where the mock stood (mock)"),
            (.., None, _) => Some("how exact the machine was (tolerances)"),
            (.., false) => Some("when the traffic began (armed)"),
            (Some(_), Some(_), Some(_), true) => None,
        }
    }

    /// Whether the recording came to the plan's end.
    #[must_use]
    pub fn completed(&self) -> bool {
        self.outcome == Some(Outcome::Completed)
    }

    /// Whether within `δ` of this span the harness was too slow, the mock overloaded, or the target
    /// starved, for a timing verdict over it.
    #[must_use]
    pub fn too_slow_within(&self, from: Moment, until: Moment) -> bool {
        self.slow.touch(from, until)
    }

    /// When the harness was too slow, the mock overloaded, or the target starved, with δ before and after.
    pub fn slow_spans(&self) -> impl Iterator<Item = (Moment, Moment)> {
        self.slow.all().iter().copied()
    }

    /// How much later than promised something may have come because the harness stood still or the
    /// target was starved: the sum of late timers within this span, and what the target waited.
    #[must_use]
    pub fn stalled_within(&self, from: Moment, until: Moment) -> Duration {
        let first = self.lags.partition_point(|lag| lag.0 < from).saturating_sub(1);
        let inside = self.lags[first..].iter().take_while(|lag| lag.0 <= until);
        let late: Duration = inside.filter(|lag| lag.0.plus(lag.1) >= from).map(|lag| lag.1).sum();
        late + self.starved_within(from, until)
    }

    /// How long the target waited for a processor in all the stretches that reach into this span.
    #[must_use]
    pub fn starved_within(&self, from: Moment, until: Moment) -> Duration {
        // They follow each other.
        let next = self.stretches.partition_point(|one| one.until < from);
        let starved = self.stretches[next..].iter().take_while(|one| one.from <= until);
        starved.map(|one| one.waited).sum()
    }
}

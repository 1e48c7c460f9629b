//! Who arrives when, decided before anything is sent: a pure function of the plan and its seed.
//!
//! Arrivals are a Poisson process whose rate follows the stream's shape (thinning; Lewis and
//! Shedler, 1979). Times, creators and each action's share come from ChaCha8 streams of their own for
//! each traffic stream, so that a changed share moves nobody's arrival. The logarithm and exponential
//! are those of the platform: the same machine gives the same schedule to the bit.

use super::actions::Action;
use crate::plan::{Creators, Pace, Plan, Step, Traffic};
use mock_server::seed;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// What a visitor comes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Whom: an index into [`Schedule::handles`].
    pub creator: u32,
    /// What the visitor does: an index into [`Schedule::visits`].
    pub does: u32,
    /// Which visitor of its stream, from 0.
    pub nth: u32,
}

/// One visitor of an open-loop stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Position in the whole schedule, from 0; it names the click and joins records.
    pub index: u64,
    /// When, in microseconds since the traffic was armed.
    pub at_us: u64,
    /// What for.
    pub planned: Planned,
}

/// One closed-loop stream: a single visitor, each call after the last was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Index of its first call; the others follow. They lie behind all open-loop arrivals.
    pub first_index: u64,
    /// First call, microseconds since the traffic was armed.
    pub from_us: u64,
    /// No call is begun after this.
    pub until_us: u64,
    /// Pause between an answer and the next call, microseconds.
    pub gap_us: u64,
    /// What each call is for, in order.
    pub calls: Vec<Planned>,
}

/// Everything that visitors will do, in order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Every handle of the population.
    pub handles: Arc<[String]>,
    /// Every different visit: its actions, in order. Some visitors come for nothing.
    pub visits: Vec<Vec<Action>>,
    /// The open-loop arrivals.
    pub arrivals: Vec<Arrival>,
    /// The closed-loop streams.
    pub sequences: Vec<Sequence>,
}

/// Why there is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A stream visits nobody.
    #[error("failed to schedule the stream {stream:?}: no creators in the group {group:?}")]
    NoSuchGroup {
        /// The stream's id.
        stream: String,
        /// The group that is absent or empty.
        group: String,
    },
}

impl Schedule {
    /// The schedule of a plan.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] when a stream names a group without creators.
    ///
    /// # Panics
    ///
    /// Never: visits are few, since they differ only by which steps were chosen.
    pub fn of(plan: &Plan) -> Result<Self, ScheduleError> {
        let (mut arrivals, mut sequences, mut visits) = (Vec::new(), Vec::new(), Vec::new());
        for traffic in &plan.traffic {
            let Traffic { id, from_ms, until_ms, pace, creators, does } = traffic;
            let mut chooser = Chooser::new(plan, id, creators)?;
            let mut choices = Choices::new(plan, id, does);
            let mut nth = 0..;
            let mut planned = || Planned {
                creator: chooser.next(),
                does: choices.next(&mut visits),
                nth: nth.next().unwrap_or(u32::MAX),
            };
            match pace {
                Pace::Open { shape } => {
                    let mut times = seed::stream(plan.seed, &["arrivals", id]);
                    let length_ms = until_ms.saturating_sub(*from_ms);
                    for at_us in arrival_times(shape, length_ms, &mut times) {
                        let at_us = from_ms.saturating_mul(1_000).saturating_add(at_us);
                        arrivals.push(Arrival { index: 0, at_us, planned: planned() });
                    }
                }
                Pace::Sequential { calls, gap_ms } => sequences.push(Sequence {
                    first_index: 0,
                    from_us: from_ms.saturating_mul(1_000),
                    until_us: until_ms.saturating_mul(1_000),
                    gap_us: gap_ms.saturating_mul(1_000),
                    calls: (0..*calls).map(|_| planned()).collect(),
                }),
            }
        }
        arrivals.sort_by_key(|arrival| arrival.at_us); // stable: streams keep the plan's order
        for (index, arrival) in (0..).zip(&mut arrivals) {
            arrival.index = index;
        }
        let mut next = arrivals.len() as u64;
        for sequence in &mut sequences {
            sequence.first_index = next;
            next += sequence.calls.len() as u64;
        }
        Ok(Self { handles: plan.population.handles().into(), visits, arrivals, sequences })
    }

    /// The most open-loop arrivals within any one second.
    #[must_use]
    pub fn peak_per_s(&self) -> u64 {
        let mut first = 0;
        let mut peak = 0;
        for (last, arrival) in self.arrivals.iter().enumerate() {
            while self.arrivals[first].at_us + 1_000_000 <= arrival.at_us {
                first += 1;
            }
            peak = peak.max(last - first + 1);
        }
        peak as u64
    }

    /// The handle of an arrival's creator.
    #[must_use]
    pub fn handle(&self, creator: u32) -> &str {
        &self.handles[creator as usize]
    }

    /// The actions of a visit, in order.
    #[must_use]
    pub fn actions(&self, does: u32) -> &[Action] {
        &self.visits[does as usize]
    }
}

/// The arrival times of one stream, microseconds after its start, by thinning.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn arrival_times(
    shape: &crate::plan::Shape,
    length_ms: u64,
    dice: &mut ChaCha8Rng,
) -> impl Iterator<Item = u64> {
    let peak = shape.peak_rate() as f64;
    let end_us = length_ms as f64 * 1_000.0;
    let mut now_us = 0.0;
    std::iter::from_fn(move || {
        if peak <= 0.0 {
            return None;
        }
        loop {
            // 1 − u lies in (0, 1], so the logarithm is finite.
            now_us -= (1.0 - dice.random::<f64>()).ln() * 1e6 / peak;
            if now_us >= end_us {
                return None;
            }
            if dice.random::<f64>() * peak < shape.rate_at(now_us / 1_000.0, length_ms) {
                return Some(now_us as u64);
            }
        }
    })
}

/// Draws creators of one group.
struct Chooser {
    /// Index in the handle table of the creator with each rank.
    ranks: Vec<u32>,
    /// Cumulated shares of the ranks, ending at 1; empty for one after the other.
    shares: Vec<f64>,
    dice: ChaCha8Rng,
    turn: usize,
}

impl Chooser {
    fn new(plan: &Plan, stream: &str, creators: &Creators) -> Result<Self, ScheduleError> {
        let (Creators::Zipf { group, .. } | Creators::InTurn { group }) = creators;
        let mut first = 0;
        let mut ranks = Vec::new();
        for candidate in &plan.population.groups {
            if candidate.prefix == *group {
                ranks = (first..first + candidate.count).collect();
            }
            first += candidate.count;
        }
        if ranks.is_empty() {
            let (stream, group) = (stream.to_owned(), group.clone());
            return Err(ScheduleError::NoSuchGroup { stream, group });
        }
        let mut shares = Vec::new();
        if let Creators::Zipf { exponent_milli, .. } = creators {
            // One popularity for each group: all streams of a plan agree on who is viral.
            ranks.shuffle(&mut seed::stream(plan.seed, &["ranks", group]));
            let mut sum = 0.0;
            for rank in 1..=u32::try_from(ranks.len()).unwrap_or(u32::MAX) {
                sum += f64::from(rank).powf(-f64::from(*exponent_milli) / 1_000.0);
                shares.push(sum);
            }
            shares.iter_mut().for_each(|share| *share /= sum);
        }
        Ok(Self { ranks, shares, dice: seed::stream(plan.seed, &["creators", stream]), turn: 0 })
    }

    fn next(&mut self) -> u32 {
        let rank = if self.shares.is_empty() {
            self.turn += 1;
            (self.turn - 1) % self.ranks.len()
        } else {
            let roll = self.dice.random::<f64>();
            self.shares.partition_point(|share| *share <= roll).min(self.ranks.len() - 1)
        };
        self.ranks[rank]
    }
}

/// Draws what each visitor of a stream does.
struct Choices<'p> {
    /// The steps, each with dice of its own.
    steps: Vec<(&'p Step, ChaCha8Rng)>,
    chosen: Vec<Action>,
}

impl<'p> Choices<'p> {
    fn new(plan: &Plan, stream: &str, does: &'p [Step]) -> Self {
        let dice = |step: &Step| seed::stream(plan.seed, &[step.action.info().dice, stream]);
        let steps = does.iter().map(|step| (step, dice(step))).collect();
        Self { steps, chosen: Vec::new() }
    }

    /// The index of the next visit among all that differ.
    fn next(&mut self, visits: &mut Vec<Vec<Action>>) -> u32 {
        self.chosen.clear();
        for (step, dice) in &mut self.steps {
            if dice.random_range(0..1_000) < step.share_per_mille {
                self.chosen.push(step.action);
            }
        }
        let known = visits.iter().position(|visit| *visit == self.chosen);
        let index = known.unwrap_or_else(|| {
            visits.push(self.chosen.clone());
            visits.len() - 1
        });
        u32::try_from(index).expect("visits are few")
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;

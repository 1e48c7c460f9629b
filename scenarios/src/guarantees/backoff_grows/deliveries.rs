//! The spacing of deliveries of clicks: jitter where they fail one after the other, growth everywhere.

use super::super::evidence::growth::{Delay, Flat, flat};
use super::super::evidence::redeliveries::{Redeliveries, Redelivery};
use super::super::evidence::retries::Chain;
use super::super::evidence::spacing::{Backoff, Spacing};
use super::tell;
use crate::case::Case;
use crate::measure::{humane, so_many};
use crate::verdict::Witness;
use mock_server::clock::Moment;
use std::time::Duration;

/// Attempts of a click that a witness shows.
const SHOWN: usize = 8;

/// What was seen of them.
pub struct Deliveries<'c> {
    case: &'c Case,
    one_by_one: Vec<&'c Chain<'c>>,
    /// First retries of deliveries that failed one after the other.
    pub spacing: Spacing,
    again: Redeliveries<'c>,
    /// Those that are judged for growth, each with its place among all.
    judged: Vec<usize>,
    /// Their delays.
    pub delays: Vec<Delay>,
}

impl<'c> Deliveries<'c> {
    /// Of a case and its chains of deliveries.
    pub fn of(case: &'c Case, chains: &[&'c Chain<'c>]) -> Self {
        let one_by_one: Vec<&Chain<'_>> = chains.iter().copied().filter(|c| c.sequential).collect();
        let gaps: Vec<&[f64]> = one_by_one.iter().map(|chain| chain.gaps.as_slice()).collect();
        let backoff = Backoff::of_clicks(case);
        let again = Redeliveries::of(case);
        // Where each delivery begins anew, no number says how often it failed.
        let counts = case.declared.click_attempts == 0;
        let is_judged = |one: &Redelivery<'_>| counts && one.number > 1;
        let all = again.all.iter().enumerate();
        let judged: Vec<usize> =
            all.filter(|(_, one)| is_judged(one)).map(|(place, _)| place).collect();
        let delays = judged.iter().map(|place| delay(case, &backoff, &again.all[*place])).collect();
        let spacing = Spacing::of(case, backoff, 1, &gaps);
        Self { case, one_by_one, spacing, again, judged, delays }
    }

    /// What is wrong with them.
    pub fn odd(&self) -> Vec<Witness> {
        let in_step = self.spacing.lockstep().map(|(_, what)| {
            let shown = self.one_by_one.iter().find(|chain| !chain.gaps.is_empty());
            tell(self.case, shown.expect("a retry was judged"), format!("deliveries: {what}"))
        });
        flat(&self.delays, self.spacing.backoff.base)
            .map(|flat| self.tell_flat(flat))
            .into_iter()
            .chain(in_step)
            .collect()
    }

    fn tell_flat(&self, flat: Flat) -> Witness {
        let Flat { at, low, of, below } = flat;
        let last = &self.again.all[self.judged[at]];
        let what = format!(
            "{low} of {of} delays before deliveries of clicks that had failed are too short, the last below \
             {}: they do not grow",
            humane(Duration::from_secs_f64(below)),
        );
        let story: Vec<_> = self.again.story(last).collect();
        let mut witness = Witness::new(last.failed.t_known(), what);
        let mut known = None;
        for attempt in &story[story.len().saturating_sub(SHOWN)..] {
            let after = known.map_or(String::new(), |known| {
                format!(" (again, {} after the failure)", humane(attempt.t_req.since(known)))
            });
            witness = witness.line(format!("{}{after}", self.case.tell(attempt)));
            known = Some(attempt.t_known());
        }
        witness
    }

    /// The longest row of failures of one click.
    pub fn longest(&self) -> usize {
        self.again.all.iter().map(|one| one.number as usize).max().unwrap_or(0)
    }

    /// How many were left out.
    pub const fn left_out(&self) -> usize {
        self.again.left_out
    }

    /// In words.
    pub fn words(&self) -> String {
        let median = self.spacing.medians();
        format!(
            "{} retried one after the other{}, {} failed again, {} in a row at the most",
            so_many(self.spacing.judged(), "delivery of clicks was", "deliveries of clicks were"),
            if median.is_empty() { median } else { format!(", after {median}") },
            self.delays.len(),
            so_many(self.longest(), "time", "times"),
        )
    }
}

/// A first retry at once is usual, so that growth begins with the second.
fn delay(case: &Case, backoff: &Backoff, one: &Redelivery<'_>) -> Delay {
    let known = one.failed.t_known();
    let since = |at: Moment| at.since(known).as_secs_f64();
    Delay {
        bound: backoff.bound(i32::try_from(one.number.saturating_sub(2)).unwrap_or(i32::MAX)),
        took: one.next.map_or(f64::INFINITY, |next| since(next.t_req)),
        room: since(case.harness.closed),
    }
}

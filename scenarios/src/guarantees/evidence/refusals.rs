//! Clicks that the front door refused in an outage of Linktree, though a queue would have taken them.

use super::outages::Outages;
use crate::case::Case;
use crate::history::Operation;
use crate::measure::Gauge;
use crate::plan::PhaseKind;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;

/// Fewer clicks in an outage say little of a front door.
const ENOUGH: u64 = 10;
/// Thousandths of an outage's clicks that may be refused.
const HALF: u64 = 500;
/// Refused clicks shown in a witness.
const SHOWN: usize = 3;

/// For each total outage, the clicks that were made in it.
pub struct Refusals<'c> {
    case: &'c Case,
    outages: Vec<Outage>,
}

struct Outage {
    span: (Moment, Moment),
    clicks: u64,
    refused: u64,
    shown: Vec<String>,
}

impl<'c> Refusals<'c> {
    /// The outages that came to pass, and no clicks yet.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        let met = Outages::of(case, PhaseKind::is_total_outage).met();
        let outage = |span: &(Moment, Moment)| Outage {
            span: *span,
            clicks: 0,
            refused: 0,
            shown: Vec::new(),
        };
        Self { case, outages: met.all().iter().map(outage).collect() }
    }

    /// Takes in a click. One that came while the process was gone, ending or paused, or while the
    /// harness itself was late, shows nothing.
    pub fn note(&mut self, click: &Operation<'_>) {
        let (harness, target) = (&self.case.harness, &self.case.target);
        let (from, until) = (click.sent.minus(harness.delta), click.last.plus(harness.delta));
        let late = click.sent.since(click.intended) > harness.delta;
        if late || target.disturbed_within(from, until) || harness.too_slow_within(from, until) {
            return;
        }
        let within =
            |outage: &&mut Outage| outage.span.0 <= click.sent && click.sent < outage.span.1;
        let Some(outage) = self.outages.iter_mut().find(within) else { return };
        outage.clicks += 1;
        if !click.is_ok() {
            outage.refused += 1;
            if outage.shown.len() < SHOWN {
                outage.shown.push(self.case.tell_operation(click));
            }
        }
    }

    /// Outages in which more than half of the clicks were refused, and the worst share.
    pub fn close(self) -> (Offences, Gauge) {
        let mut offences = Offences::default();
        let mut worst = None;
        for outage in self.outages.iter().filter(|outage| outage.clicks >= ENOUGH) {
            let share = (outage.refused * 1_000).div_ceil(outage.clicks);
            worst = worst.max(Some(share));
            if share > HALF {
                offences.add_weighing(outage.span.0, share, || self.witness(outage));
            }
        }
        let gauge = Gauge::share_of_at_most("clicks refused in an outage", HALF);
        (offences, worst.map_or(gauge.clone(), |share| gauge.shared(share, share)))
    }

    fn witness(&self, outage: &Outage) -> Witness {
        let Outage { span: (from, until), clicks, refused, shown } = outage;
        let what = format!(
            "{refused} of {clicks} clicks were refused in the outage from {} to {}: nothing queued them",
            self.case.at(*from),
            self.case.at(*until),
        );
        shown.iter().fold(Witness::new(*from, what), Witness::line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind::{Control, Outage as Gone};
    use crate::testing::{History, click, refused};

    /// An outage from 10 s to 20 s with twenty clicks, of which so many are refused with 503.
    fn outage(refusals: usize) -> History {
        let history = History::over(&[(Control, 0, 10), (Gone, 10, 20)]);
        (0..20).fold(history.exchange(refused("ann", 11_000, 503)), |history, n| {
            let at = 12_000 + n as u64 * 100;
            let status = Some(if n < refusals { 503 } else { 202 });
            history.operation(Operation { status, ..click("a", at, at + 5) })
        })
    }

    #[track_caller]
    fn check(mut history: History, expected: u64) {
        history.case.ready();
        let mut refusals = Refusals::of(&history.case);
        history.operations.iter().for_each(|click| refusals.note(click));
        let witnesses = refusals.close().0.into_witnesses();
        assert_eq!(witnesses.len() as u64, expected);
        assert!(witnesses.iter().all(|witness| witness.story.len() == SHOWN), "{witnesses:?}");
    }

    #[test]
    fn more_than_half_of_an_outages_clicks_refused_is_a_front_door_without_a_queue() {
        check(outage(20), 1);
        check(outage(11), 1);
        check(outage(10), 0);
    }

    #[test]
    fn few_clicks_and_an_outage_that_was_none_say_nothing() {
        let mut few = outage(20);
        few.operations.truncate(9);
        check(few, 0);
        check(outage(20).exchange(crate::testing::read("ann", 15_000)), 0);
    }

    #[test]
    fn clicks_while_the_process_was_gone_or_the_harness_late_are_no_refusals() {
        check(outage(20).killed_until(11_500, 14_500), 0);
        check(outage(20).lag(11_500, 3_000), 0);
        let late = |ms| {
            let mut late = outage(20);
            let intended = |sent: Moment| sent.minus(std::time::Duration::from_millis(ms));
            late.operations.iter_mut().for_each(|one| one.intended = intended(one.sent));
            late
        };
        check(late(100), 1);
        check(late(101), 0);
    }

    #[test]
    fn a_click_at_the_end_of_an_outage_is_not_in_it() {
        let last = |at| {
            let mut few = outage(20);
            few.operations.truncate(9);
            let refused = Operation { status: Some(503), ..click("a", at, at + 5) };
            few.operation(refused)
        };
        check(last(19_999), 1);
        check(last(20_000), 0);
    }
}

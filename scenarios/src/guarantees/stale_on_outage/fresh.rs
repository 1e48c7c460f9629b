//! After the heal a page that visitors ask for is fetched again: an old one is for outages only.

use super::super::evidence::circuit::{Class, class, is_guarded};
use super::super::evidence::heals::{Heal, heals};
use super::super::evidence::outages::Outages;
use super::super::evidence::rate::is_limited;
use super::super::evidence::sent::Creator;
use super::FRESH;
use crate::case::Case;
use crate::history::Operation;
use crate::measure::humane;
use crate::spans::Spans;
use crate::verdict::Witness;
use mock_server::clock::Moment;
use std::collections::BTreeMap;
use std::time::Duration;

/// Expired pages that were asked for after a heal.
pub struct Fresh<'c> {
    case: &'c Case,
    heals: Vec<Heal>,
    /// Of each heal when probes were under way, up to the first that succeeded: a breaker that is half
    /// open lets nothing else through.
    probing: Vec<Spans>,
    /// By heal and creator.
    due: BTreeMap<(usize, usize), Due>,
}

struct Due {
    /// When a visitor first asked for the expired page.
    since: Moment,
    /// It was fetched again in time, before it expired anew.
    fetched: bool,
    /// The last view of a page that should have been fetched again by then.
    old: Option<Witness>,
}

impl<'c> Fresh<'c> {
    pub fn of(case: &'c Case, outages: &Outages) -> Self {
        let heals = heals(case, outages);
        let probing = heals.iter().map(|heal| probing(case, heal.at)).collect();
        Self { case, heals, probing, due: BTreeMap::new() }
    }

    /// Sees a page that was shown.
    pub fn operation(&mut self, read: &Operation<'_>, place: usize, creator: &Creator) {
        let (case, delta) = (self.case, self.case.harness.delta);
        let Some(validated) = creator.validated_before(read.sent) else { return };
        let is_expired = validated.plus(case.max_age() + delta) < read.sent;
        let during = |heal: &Heal| heal.ready <= read.sent && read.last.plus(delta) < heal.until;
        let Some(heal) = self.heals.iter().position(during).filter(|_| is_expired) else { return };
        let limit = case.time(&FRESH) + delta;
        let begun = self.heals[heal].at;
        if case.target.disturbed_within(begun, read.last)
            || is_limited(case, read.sent)
            || self.waits_for_a_probe(heal, read, creator)
        {
            return;
        }
        let due = self.due.entry((heal, place)).or_insert(Due {
            since: read.sent,
            fetched: false,
            old: None,
        });
        let by = due.since.plus(limit);
        // A page that was fetched meanwhile has expired again, and its time begins anew.
        if validated >= due.since {
            due.fetched |= validated <= by;
            due.since = read.sent;
        } else if by < read.sent && !creator.is_validated_within(read.sent, read.last.plus(delta)) {
            let age = read.last.since(validated);
            let what = format!(
                "the page of {} is {} old, and was not fetched again within {} after a visitor asked \
                 for it, though Linktree is back",
                read.handle,
                humane(age),
                humane(limit),
            );
            let witness = Witness::new(read.last, what)
                .lasting(age)
                .line(format!("{} Linktree last vouched for it", case.at(validated)))
                .line(format!("{} it was due and asked for", case.at(due.since)))
                .line(case.tell_operation(read));
            due.old = Some(witness);
        }
    }

    /// Whether the breaker may have been half open, with a call for another page.
    fn waits_for_a_probe(&self, heal: usize, read: &Operation<'_>, creator: &Creator) -> bool {
        let delta = self.case.harness.delta;
        self.probing[heal].touch(read.sent, read.sent)
            && !creator.asked.touch(read.sent.minus(delta), read.last.plus(delta))
    }

    /// How many pages were due with time enough to fetch them, and what shows those that were not.
    pub fn verdict(self) -> (usize, Vec<Witness>) {
        let limit = self.case.time(&FRESH) + self.case.harness.delta;
        let in_time = |(key, due): (&(usize, usize), &Due)| {
            due.old.is_some() || due.fetched || due.since.plus(limit) < self.heals[key.0].until
        };
        let judged = self.due.iter().filter(|one| in_time(*one)).count();
        let old = self.due.into_values().filter_map(|due| due.old).collect();
        (judged, old)
    }
}

fn probing(case: &Case, healed: Moment) -> Spans {
    let guarded = case.linktree.exchanges.iter().filter(|one| is_guarded(one));
    let mut probes = Vec::new();
    for one in guarded.filter(|one| healed <= one.t_req) {
        probes.push((one.t_req.minus(case.harness.delta), one.t_known().plus(case.harness.delta)));
        if class(case, one) == Class::Success {
            break;
        }
    }
    Spans::joined(probes, Duration::ZERO)
}

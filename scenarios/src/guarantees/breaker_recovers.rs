//! After the heal, probes go through, and normal service is back within a bound.
//!
//! Blind to: how many probes it took, which `breaker-opens` judges. Broken by:
//! `breaker-never-closes`, `breaker-never-probes`, `breaker-open-too-long`,
//! `open-time-doubles-with-each-trip`.

use super::evidence::circuit::{Class, class};
use super::evidence::demand::Demand;
use super::evidence::heals::{Heal, heals, planned};
use super::evidence::outages::Outages;
use super::evidence::rate::is_limited;
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::{Case, JudgedExchange};
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::plan::PhaseKind;
use crate::spans::Spans;
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use std::time::Duration;

/// Upstream reads succeed by the deadline and go on, and visitors see pages.
pub struct BreakerRecovers;

pub(super) const WITHIN: Bound = Bound {
    of: "breaker-recovers",
    name: "within_ms",
    what: "normal service after the heal and the open time",
    unit: Unit::ContractTime,
    default: 15_000,
};

const FETCHED: Bound = Bound {
    of: "breaker-recovers",
    name: "fetched_percent",
    what: "least share of due pages that are fetched again once service is normal",
    unit: Unit::Percent,
    default: 50,
};

const HEALS: Minimum = Minimum { name: "heals after an outage, with demand and time", least: 1 };
/// So many that half of them is more than chance: below, a few missed pages say nothing. A heal with
/// fewer is judged together with the others.
const DUE: Minimum = Minimum { name: "due pages asked for after the deadline", least: 7 };

const PROMISE: Promise = Promise {
    id: "breaker-recovers",
    statement: "After the heal, limited probes, then normal service within a bound.",
    priority: Priority::Standard,
    source: "assumed contract: `within_ms` after the heal and the declared open time",
    why: "an outage of Linktree that has ended goes on at the integration until someone restarts it",
    usual_fix: "let probes through once the open time is over, and close on their success",
    blind_to: "service that is back but slower than before",
    bounds: &[WITHIN, FETCHED],
    minimums: &[HEALS, DUE],
    // The first good read comes no earlier than the first visitor, and from a mock that answers.
    when_late: Stands::IfHeld,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

impl Guarantee for BreakerRecovers {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn undecidable(&self, case: &Case) -> Option<String> {
        let open = case.times.breaker_open_longest;
        let needed = open + case.time(&WITHIN) + case.harness.delta;
        let heals = planned(case).into_iter().map(|[_, healed, until]| until.since(healed));
        let longest = heals.max().filter(|longest| *longest <= needed)?;
        Some(format!(
            "the breaker may stay open for {} and service be back {} later, and no heal of the plan is \
             longer than {} (`breaker_open_ms` and `breaker_open_cap_ms` of [declared])",
            humane(open),
            humane(case.time(&WITHIN)),
            humane(longest),
        ))
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let outages = Outages::of(case, PhaseKind::is_total_outage);
        let heals = heals(case, &outages).into_iter().map(|heal| watch(case, heal)).collect();
        let failed =
            case.linktree.exchanges.iter().filter(|one| class(case, one) == Class::Failure);
        let open = |known: Moment| (known, known.plus(case.times.breaker_open_longest));
        let failed = failed.map(|one| open(one.t_known())).collect();
        let may_be_open = Spans::joined(failed, Duration::ZERO);
        Box::new(Recovery { case, demand: Demand::over(case), heals, outages, may_be_open })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

struct Recovery<'c> {
    case: &'c Case,
    demand: Demand<'c>,
    heals: Vec<Watch>,
    outages: Outages,
    /// An open time from every failure on: it may have been a probe's.
    may_be_open: Spans,
}

/// A heal, and what visitors asked for after it.
struct Watch {
    at: Moment,
    ready: Moment,
    until: Moment,
    /// Normal service.
    deadline: Moment,
    /// Due pages that were asked for after the deadline, and those that were not soon fetched.
    asked: usize,
    missed: usize,
    /// Pages that were served then.
    served: usize,
}

fn watch(case: &Case, heal: Heal) -> Watch {
    let Heal { at, ready, until } = heal;
    let deadline = ready.plus(case.time(&WITHIN) + case.harness.delta);
    Watch { at, ready, until, deadline, asked: 0, missed: 0, served: 0 }
}

impl Judge for Recovery<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.demand.note(operation);
        if operation.page().is_none() {
            return;
        }
        let (case, sent) = (self.case, operation.sent);
        let soon = sent.plus(case.times.fast + case.harness.delta * 2);
        let is_due = self.demand.is_due(&operation.handle, sent)
            && !is_limited(case, soon)
            && !self.may_be_open.touch(sent, soon);
        for heal in &mut self.heals {
            if heal.deadline <= sent && soon.max(operation.last) < heal.until {
                heal.served += usize::from(operation.is_ok());
                heal.asked += usize::from(is_due);
                let fetched = || self.demand.is_filled_within(&operation.handle, sent, soon);
                heal.missed += usize::from(is_due && !fetched());
            }
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let case = self.case;
        let bound = case.time(&WITHIN);
        let (mut witnesses, mut in_words) = (Vec::new(), Vec::new());
        let (mut seen, mut due, mut missed) = (0, 0, 0);
        let mut worst = (0, Moment::ZERO);
        let mut measured: Vec<Gauge> = gauges(case, 0).into();
        for heal in &self.heals {
            // A visitor in the first half of the bound leaves the second half to answer.
            let early = heal.ready.plus(bound / 2);
            let wanted = heal.deadline < heal.until && self.demand.of_pages(heal.ready, early);
            if !wanted || case.target.disturbed_within(heal.at, heal.until) {
                continue;
            }
            seen += 1;
            due += heal.asked;
            missed += heal.missed;
            worst = worst.max((heal.missed, heal.deadline));
            let good = |one: &&JudgedExchange| {
                one.is_page_read() && class(case, one) == Class::Success && heal.at <= one.t_req
            };
            let back =
                case.linktree.exchanges.iter().filter(good).map(JudgedExchange::t_known).min();
            let in_time = back.filter(|back| *back <= heal.deadline);
            let waited = back.unwrap_or(heal.until).min(heal.until).since(heal.ready);
            let [first, unfetched, served] = gauges(case, heal.asked);
            measured
                .extend([first.took(Some(waited)), served.counted(heal.served as u64, heal.asked)]);
            if is_enough(heal.asked) {
                measured.push(unfetched.counted(heal.missed as u64, heal.asked));
            }
            let broken = if in_time.is_none() {
                let late = back
                    .map_or("and none did until the next disturbance".to_owned(), |back| {
                        format!("and the first did at {}", case.at(back))
                    });
                Some(format!(
                    "no page read succeeded by the deadline, though visitors asked, {late}"
                ))
            } else if is_enough(heal.asked) && heal.missed > bearable(case, heal.asked) {
                Some(format!("{} of {} due pages were not fetched", heal.missed, heal.asked))
            } else {
                let unserved = heal.asked > 0 && heal.served == 0;
                unserved.then(|| "no visitor was served a page after the deadline".to_owned())
            };
            in_words.push(format!(
                "healed at {}, first good read {}; after the deadline {} due pages asked for, {} of \
                 them not fetched",
                case.at(heal.at),
                back.map_or("none".to_owned(), |back| case.at(back)),
                heal.asked,
                heal.missed,
            ));
            witnesses.extend(broken.map(|what| {
                let story = format!(
                    "healed at {}; ready for probes at {}; deadline {}",
                    case.at(heal.at),
                    case.at(heal.ready),
                    case.at(heal.deadline),
                );
                let mut attempts =
                    case.linktree.exchanges.iter().filter(|one| one.t_req >= heal.at);
                let first = attempts.next().map_or_else(
                    || format!("no attempt from the heal until {}", case.at(heal.until)),
                    |one| case.tell(one),
                );
                Witness::new(heal.deadline, what).lasting(waited).line(story).line(first)
            }));
        }
        if is_enough(due) {
            let [_, unfetched, _] = gauges(case, due);
            measured.push(unfetched.counted(missed as u64, due));
            if witnesses.is_empty() && missed > bearable(case, due) {
                let what = format!("{missed} of {due} due pages after all heals were not fetched");
                let witness = Witness::new(worst.1, what);
                witnesses.push(in_words.iter().fold(witness, |witness, line| witness.line(line)));
            }
        }
        let rule = format!(
            "its time begins with the heal, the end of the last failure's open time ({}) or of every \
             Retry-After, whichever is last; from its deadline on a due page is fetched within {} (2 δ \
             among them)",
            humane(case.times.breaker_open_longest),
            humane(case.times.fast + case.harness.delta * 2),
        );
        let heals = format!("{} heals after outages", self.heals.len());
        let observed = [vec![heals], in_words].concat().join("; ");
        let none = self.outages.doubt().filter(|_| seen == 0).map(str::to_owned);
        Verdict::from_witnesses(seen, HEALS.name, witnesses)
            .because(none)
            .at_least([HEALS.seen(seen), DUE.seen(due)])
            .measured(Gauge::tightest(measured), observed, rule)
    }
}

/// Whether so many due pages are enough to say something of those that were missed.
const fn is_enough(asked: usize) -> bool {
    asked as u64 >= DUE.least
}

/// Of so many due pages so many may be missed: two, or what the bound leaves.
fn bearable(case: &Case, asked: usize) -> usize {
    let missable = 100 - case.percent(&FETCHED) as usize;
    (asked * missable / 100).max(2)
}

/// What is measured of a heal after which so many due pages were asked for.
fn gauges(case: &Case, asked: usize) -> [Gauge; 3] {
    [
        Gauge::within("time to the first good read", case.time(&WITHIN), case.harness.delta)
            .at_scale(case.time_scale),
        Gauge::at_most("due pages not fetched after the deadline", bearable(case, asked)),
        Gauge::at_least("pages served after the deadline", 1),
    ]
}

#[cfg(test)]
mod tests;

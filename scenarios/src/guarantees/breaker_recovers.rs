//! After the heal, probes go through, and normal service is back within a bound.
//!
//! Blind to: how many probes it took, which `breaker-opens` judges. Broken by:
//! `breaker-never-closes`, `breaker-never-probes`, `breaker-open-too-long`.

use super::evidence::circuit::{Class, class};
use super::evidence::demand::Demand;
use super::evidence::heals::{Heal, heals};
use super::evidence::outages::Outages;
use super::evidence::rate::is_limited;
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::plan::PhaseKind;
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::history::exchange::Exchange;

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

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let outages = Outages::of(case, PhaseKind::is_total_outage);
        let heals = heals(case, &outages).into_iter().map(|heal| watch(case, heal)).collect();
        Box::new(Recovery { case, demand: Demand::over(case), heals, outages })
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
        let is_due = self.demand.is_due(&operation.handle, sent) && !is_limited(case, soon);
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
            let good = |one: &&Exchange| {
                one.is_page_read() && class(case, one) == Class::Success && heal.at <= one.t_req
            };
            let back = case.linktree.exchanges.iter().filter(good).map(Exchange::t_known).min();
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
            humane(case.times.breaker_open),
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
        Gauge::within("time to the first good read", case.time(&WITHIN), case.harness.delta),
        Gauge::at_most("due pages not fetched after the deadline", bearable(case, asked)),
        Gauge::at_least("pages served after the deadline", 1),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Decides, History, asked_to_wait, page, read, refused};
    use crate::verdict::VerdictKind::{self, *};

    /// An outage of 20 s with five failures, healed at 20 s: ready at 35 s, deadline 50.1 s.
    fn outage() -> History {
        History::over(&[(PhaseKind::Outage, 0, 20), (PhaseKind::Heal, 20, 120)])
            .exchanges((1..=5).map(|n| refused("ann", n * 1_000, 503)))
            .operations((0..115).map(|n| page("ann", n * 1_000, n * 1_000 + 9, "-")))
    }

    /// Good reads each five seconds from `from` on until `until`.
    fn reads(from: u64, until: u64) -> impl Iterator<Item = Exchange> {
        (from..until).step_by(5).map(|second| read("ann", second * 1_000))
    }

    fn check(history: History, expected: VerdictKind, word: &str) {
        let verdict = history.judged_by(&BreakerRecovers);
        let text = format!("{verdict:?}");
        assert!(verdict.kind == expected && text.contains(word), "{text}");
    }

    /// So many visitors from this second on, of pages that nobody fetched before, and that so many of
    /// them wait for in vain.
    fn newcomers(history: History, second: u64, asked: u64, missed: u64) -> History {
        // Operations borrow their handles.
        let handle = |n| &*format!("new-{second}-{n}").leak();
        let each = || (0..asked).map(|n| (second * 1_000 + n * 500, handle(n)));
        history
            .exchanges(each().skip(missed as usize).map(|(at, handle)| read(handle, at + 1)))
            .operations(each().map(|(at, handle)| page(handle, at, at + 9, "-")))
    }

    /// Two heals, each with a good read in time: ready at 35 s and 155 s, deadlines 50.1 s and 170.1 s.
    fn twice() -> History {
        let phases = [
            (PhaseKind::Outage, 0, 20),
            (PhaseKind::Heal, 20, 120),
            (PhaseKind::Outage, 120, 140),
            (PhaseKind::Heal, 140, 240),
        ];
        History::over(&phases)
            .exchanges((1..=5).map(|n| refused("ann", n * 1_000, 503)))
            .exchange(read("ann", 40_000))
            .exchanges((121..=125).map(|n| refused("ann", n * 1_000, 503)))
            .exchange(read("ann", 160_000))
            .operations([36, 60, 156, 180].map(|n| page("ann", n * 1_000, n * 1_000 + 9, "-")))
            .operations([36, 156].map(|n| page("bob", n * 1_000, n * 1_000 + 9, "-")))
    }

    /// After the deadline four due pages are fetched, and six are not.
    fn partly_fetched() -> History {
        let back = ["carl", "dora", "emil", "fred"];
        let seconds = || (60..).zip(back).map(|(second, handle)| (second * 1_000, handle));
        let cold = (70..76).map(|n| page("bob", n * 1_000, n * 1_000 + 9, "-"));
        outage()
            .exchange(read("ann", 40_000))
            .exchanges(seconds().map(|(at, handle)| read(handle, at + 1)))
            .operations(seconds().map(|(at, handle)| page(handle, at, at + 9, "-")))
            .operations(cold)
    }

    pub(super) fn decided() -> Vec<Decides> {
        let in_time = || outage().exchanges(reads(45, 120));
        vec![
            Decides { bound: &WITHIN, value: 5_000, history: in_time },
            Decides { bound: &FETCHED, value: 30, history: partly_fetched },
        ]
    }

    #[test]
    fn service_within_the_bound_and_on_holds() {
        check(outage().exchanges(reads(45, 120)), Held, "first good read 45.005 s");
    }

    #[test]
    fn a_breaker_that_stays_open_violates() {
        check(outage(), Violated, "no attempt from the heal until");
        check(outage().exchange(refused("ann", 60_000, 503)), Violated, "by the deadline");
        check(outage().exchanges(reads(51, 120)), Violated, "by the deadline");
    }

    #[test]
    fn one_read_and_then_nothing_or_one_each_open_time_violates() {
        let cold = (60..90).map(|n| page("bob", n * 1_000, n * 1_000 + 9, "-"));
        let once = outage().exchange(read("ann", 40_000)).operations(cold);
        check(once, Violated, "30 of 30 due pages were not fetched");
        let probes = (1..4).map(|n| read("ann", 6_000 + n * 30_000));
        let refresh = [read("zoe", 90_000), read("zoe", 95_000)];
        check(outage().exchanges(refresh).exchanges(probes), Violated, "were not fetched");
    }

    #[test]
    fn a_few_missed_pages_are_no_violation_and_no_proof() {
        let once = || outage().exchange(read("ann", 40_000));
        let few = "6 due pages asked for after the deadline were seen, 7 are needed";
        check(newcomers(once(), 60, 6, 6), Inconclusive, few);
        check(newcomers(once(), 60, 4, 3), Inconclusive, "7 are needed");
        check(newcomers(once(), 60, 7, 4), Violated, "4 of 7 due pages were not fetched");
        check(newcomers(once(), 60, 7, 3), Held, "3 of them not fetched");
    }

    #[test]
    fn heals_with_few_due_pages_are_judged_together() {
        let both =
            |first: u64, second: u64| newcomers(newcomers(twice(), 60, 6, first), 180, 6, second);
        check(both(4, 4), Violated, "8 of 12 due pages after all heals were not fetched");
        check(both(4, 0), Held, "4 of them not fetched");
        check(newcomers(twice(), 60, 6, 4), Inconclusive, "7 are needed");
    }

    #[test]
    fn visitors_who_only_see_errors_violate() {
        let mut history = outage().exchanges(reads(36, 120));
        history.operations.iter_mut().for_each(|page| page.status = Some(503));
        history.operations.push(page("bob", 60_000, 60_009, "-"));
        history.operations.last_mut().unwrap().status = Some(503);
        check(history, Violated, "no visitor was served");
    }

    #[test]
    fn a_retry_after_of_the_outage_moves_the_deadline() {
        let held_back = outage().exchange(asked_to_wait("ann", 6_000, 503, 50));
        let held_back = held_back.exchanges(reads(60, 120));
        check(newcomers(held_back, 90, 10, 0), Held, "first good read 60.005 s");
    }

    #[test]
    fn a_heal_in_which_the_process_ended_or_stood_still_is_not_judged() {
        check(outage().killed_until(19_000, 21_000), Inconclusive, "no heals");
        check(outage().paused(50_000, 51_000), Inconclusive, "no heals");
        check(outage().killed_until(18_000, 19_000), Violated, "no attempt from the heal until");
    }

    #[test]
    fn no_outage_no_demand_or_no_time_is_inconclusive() {
        let calm = History::over(&[(PhaseKind::Outage, 0, 20), (PhaseKind::Heal, 20, 100)]);
        check(calm.exchanges(reads(0, 90)), Inconclusive, "was none: 5.000 s upstream");
        let mut unwanted = outage();
        unwanted.operations.clear();
        check(unwanted, Inconclusive, "no heals");
        let mut short = outage();
        short.case.plan.phases[1].until_ms = 40_000;
        check(short, Inconclusive, "no heals");
    }
}

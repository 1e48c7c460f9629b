//! Acknowledged clicks survive a kill of the integration, whatever it was doing with them.
//!
//! Blind to: a loss of power. Broken by: `queue-without-sync`, `in-flight-forgotten`,
//! `ack-before-write`.

use super::click_lag;
use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::backlog::Backlog;
use crate::guarantees::evidence::deliveries::{Deliveries, Delivery};
use crate::history::{Change, Operation};
use crate::measure::{Gauge, humane, so_many};
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;

const PROMISE: Promise = Promise {
    id: "clicks-survive-crash",
    statement: "Acknowledged clicks survive `kill -9` of the integration in mid-outage.",
    priority: Priority::High,
    source: "checklist; none is lost of the clicks that waited when the process ended",
    why: "A crash or a deployment during an outage loses every click that waited, and nobody knows \
          which.",
    usual_fix: "Commit a click to a file or database before answering 202, and mark it as sent only \
                after the 2xx was read; deliver what is not marked after a start.",
    blind_to: "A loss of power: what the process handed to the kernel survives a kill without fsync. \
               Clicks whose acknowledgement the visitor never read.",
    bounds: &[],
    minimums: &[WAITED, KILLS],
    // A mock that refuses hinders deliveries, and the plan does not say when.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Clicks],
    sees: &[Sight::Upstream, Sight::FrontDoor, Sight::Process],
};

/// Acknowledged clicks that Linktree did not have when a kill came, and that a later process delivered.
const WAITED: Minimum = Minimum { name: "clicks that waited at a kill", least: 5 };
/// Kills with such clicks: one may come at a lucky moment.
const KILLS: Minimum = Minimum { name: "kills with clicks waiting", least: 2 };

/// Attempts shown in a witness.
const SHOWN: usize = 3;

/// See the module.
pub struct ClicksSurviveCrash;

struct Surviving<'c> {
    case: &'c Case,
    deliveries: Deliveries<'c>,
    backlog: Backlog<'c>,
    ends: Vec<End>,
    undecided: usize,
}

/// An end of the process, and what became of the clicks that waited then.
struct End {
    at: Moment,
    /// When there was a process again: from then on it may deliver, long before it says that it is ready.
    started: Moment,
    killed: bool,
    /// Why it was none: something of the target went on.
    outlived: Option<String>,
    survived: usize,
    lost: usize,
}

impl Guarantee for ClicksSurviveCrash {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Surviving {
            case,
            deliveries: Deliveries::of(case),
            backlog: Backlog::of(case),
            ends: ends(case),
            undecided: 0,
        })
    }
}

/// Every end of the process but the last one, which the harness itself brings about when all is over.
fn ends(case: &Case) -> Vec<End> {
    let of = |killed: bool, at: Moment, ready: Moment| {
        let outlived = case.target.outlived(at);
        let again =
            case.target.processes.iter().find(|process| {
                process.at >= at && matches!(process.change, Change::Started { .. })
            });
        let started = again.map_or(ready, |again| again.at.min(ready));
        let end = End { at, started, killed, outlived, survived: 0, lost: 0 };
        (ready < Moment(u64::MAX)).then_some(end)
    };
    let down = case.target.down_spans();
    let ready = |at: Moment| down.iter().find(|span| span.0 == at).map(|span| span.1);
    let ends = case.target.processes.iter().filter_map(|process| match process.change {
        Change::Killed { .. } => of(true, process.at, ready(process.at)?),
        Change::Ended { .. } => of(false, process.at, ready(process.at)?),
        _ => None,
    });
    ends.collect()
}

impl Judge for Surviving<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        let Some(event_id) = operation.event_id() else { return };
        if !operation.is_ok() {
            return;
        }
        let case = self.case;
        let delivery = self.deliveries.find(event_id);
        let settled = delivery.as_ref().and_then(Delivery::settled);
        let waits = self.backlog.acknowledged(operation.last, settled);
        // What the dying process had sent already shows nothing of what it had kept.
        let waited = |end: &&mut End| {
            operation.last < end.at && settled.is_none_or(|settled| settled >= end.started)
        };
        if settled.is_some() {
            self.ends.iter_mut().filter(waited).for_each(|end| end.survived += 1);
            return;
        }
        let Some(end) = self.ends.iter_mut().find(waited) else { return };
        let due = waits.since.plus(case.time(&click_lag::WITHIN) + case.harness.delta);
        if !case.harness.completed() || due > case.harness.closed {
            self.undecided += 1;
            return;
        }
        end.lost += 1;
        let (at, started) = (end.at, end.started);
        let waited = case.harness.closed.since(waits.since);
        self.backlog.offend(waits, (operation.last, waited), |_| {
            lost(case, operation, delivery.as_ref(), (at, started))
        });
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, backlog, ends, undecided, .. } = *self;
        let (offences, infeasible) = backlog.close();
        let in_words: Vec<String> = ends.iter().map(|end| end.tell(case)).collect();
        let observed = format!(
            "{}; {} undecided",
            if in_words.is_empty() {
                "no end of the process".to_owned()
            } else {
                in_words.join("; ")
            },
            so_many(undecided, "click", "clicks"),
        );
        // Of clicks that could not have arrived in time nobody knows whether they were lost.
        let arrived = ends.iter().map(|end| end.survived).sum();
        let decided = if infeasible.is_some() { 0 } else { arrived };
        let lost = Gauge::none_of("clicks lost with the process");
        let lost = lost.counted(offences.count(), decided);
        let rule = format!(
            "a click is lost that has not arrived {} after it became deliverable, give or take {} (δ)",
            humane(case.time(&click_lag::WITHIN)),
            humane(case.harness.delta),
        );
        let killed = || ends.iter().filter(|end| end.killed);
        let mut outlived = ends.iter().filter_map(|end| Some((end, end.outlived.as_ref()?)));
        let outlived = outlived.next().map(|(end, why)| case.tell_outlived(end.at, why));
        let survived = killed().map(|end| end.survived).sum();
        let kills = killed().filter(|end| end.survived > 0).count();
        offences
            .verdict(survived, "acknowledged clicks that waited at a kill")
            .only_if(
                undecided == 0,
                format!("the recording ended before {undecided} clicks had arrived or were due"),
            )
            .only_if(outlived.is_none(), outlived.clone().unwrap_or_default())
            .only_if(infeasible.is_none(), infeasible.clone().unwrap_or_default())
            .at_least([WAITED.seen(survived), KILLS.seen(kills)])
            .measured([lost], observed, rule)
    }
}

impl End {
    fn tell(&self, case: &Case) -> String {
        let Self { at, killed, survived, lost, .. } = self;
        let how = if *killed { "killed" } else { "ended as asked" };
        let (at, waiting) = (case.at(*at), survived + lost);
        let waiting = so_many(waiting, "click", "clicks");
        format!("{how} at {at} with {waiting} waiting, {survived} of which arrived")
    }
}

fn lost(
    case: &Case,
    operation: &Operation<'_>,
    delivery: Option<&Delivery<'_>>,
    (ended, started): (Moment, Moment),
) -> Witness {
    let event_id = operation.event_id().unwrap_or_default();
    let what = format!("click {event_id} was acknowledged and lost with the process");
    let attempts = delivery.map(|delivery| delivery.attempts.as_slice()).unwrap_or_default();
    let shown = attempts.iter().rev().take(SHOWN).rev().map(|attempt| case.tell(attempt.exchange));
    let witness = Witness::new(operation.last, what).line(case.tell_operation(operation));
    shown
        .fold(witness, Witness::line)
        .line(format!("{} the process ended", case.at(ended)))
        .line(format!("{} a new one was started", case.at(started)))
        .line(format!("{} the recording ended without it", case.at(case.harness.closed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind::{Outage, Settle};
    use crate::testing::{History, click, sent_click};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

    /// An outage of 10 s in which click `a` is acknowledged and fails; deliverable from 40 s, due by
    /// 100.1 s.
    fn waiting() -> History {
        History::over(&[(Outage, 0, 10), (Settle, 10, 101)])
            .operation(click("a", 1_000, 1_005))
            .exchange(sent_click("a", 1_100, 503))
    }

    /// The same, and four more that wait and arrive.
    fn five() -> History {
        ["w", "x", "y", "z"].into_iter().fold(waiting(), |history, id| {
            history.operation(click(id, 1_000, 1_005)).exchange(sent_click(id, 41_000, 202))
        })
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind, word: &str) {
        let verdict = history.judged_by(&ClicksSurviveCrash);
        let text = format!("{verdict:?}");
        assert!(verdict.kind == expected && text.contains(word), "{text}");
    }

    #[test]
    fn a_click_that_waited_and_arrives_after_the_restart_holds() {
        let twice = || five().killed_until(5_000, 6_000).killed_until(8_000, 9_000);
        let arrived = || twice().exchange(sent_click("a", 41_000, 202));
        check(arrived(), Held, "killed at 5.000 s with 5 clicks waiting, 5 of which");
        check(arrived(), Held, "killed at 8.000 s with 5");
        check(twice().exchange(sent_click("a", 41_000, 422)), Held, "");
    }

    #[test]
    fn what_arrives_before_the_new_process_is_ready_had_survived_too() {
        let killed = five()
            .killed_until(8_000, 9_000)
            .process(11_000, Change::Killed { rule: "kill".into() })
            .process(11_000, Change::Gone { strays: vec![] })
            .process(11_500, Change::Started { pid: 2 })
            .process(13_000, Change::Ready);
        let early = killed.exchange(sent_click("a", 11_600, 202));
        check(early, Held, "killed at 11.000 s with 5 clicks waiting, 5 of which");
    }

    #[test]
    fn what_the_dying_process_had_sent_shows_nothing_of_the_second_kill_either() {
        let twice = five().killed_until(5_000, 6_000).killed_until(11_000, 12_000);
        let in_the_air = twice.exchange(sent_click("a", 11_001, 202));
        check(in_the_air, Held, "killed at 11.000 s with 4 clicks waiting, 4 of which");
    }

    #[test]
    fn the_bounds_are_sharp_but_for_the_tolerance() {
        for (acknowledged, expected) in [(7_999, Violated), (8_000, Held)] {
            let twice = five().killed_until(5_000, 6_000).killed_until(8_000, 9_000);
            let arrived = twice.exchange(sent_click("a", 41_000, 202));
            check(arrived.operation(click("b", 7_990, acknowledged)), expected, "");
        }
        for (closed, expected) in [(100_099, Inconclusive), (100_100, Violated)] {
            let mut history = waiting().killed_until(5_000, 6_000);
            history.case.harness.closed = Moment::from_ms(closed);
            check(history, expected, "");
        }
    }

    #[test]
    fn one_kill_or_few_clicks_prove_little() {
        let once = five().killed_until(5_000, 6_000).exchange(sent_click("a", 41_000, 202));
        check(once, Inconclusive, "kills with clicks waiting: 1 seen, 2 needed");
        let idle = five().killed_until(5_000, 6_000).killed_until(50_000, 51_000);
        let idle = idle.exchange(sent_click("a", 41_000, 202));
        check(idle, Inconclusive, "kills with clicks waiting: 1 seen, 2 needed");
        let few = waiting().killed_until(5_000, 6_000).killed_until(8_000, 9_000);
        let few = few.exchange(sent_click("a", 41_000, 202));
        check(few, Inconclusive, "clicks that waited at a kill: 2 seen, 5 needed");
    }

    #[test]
    fn a_click_that_waited_and_never_arrives_violates() {
        check(waiting().killed_until(5_000, 6_000), Violated, "lost with the process");
        let stopped = waiting().terminated(4_000, 5_000, 6_000);
        check(stopped, Violated, "ended as asked at 5.000 s with 1 click waiting, 0 of which");
    }

    #[test]
    fn a_kill_while_nothing_waited_shows_nothing() {
        check(waiting().exchange(sent_click("a", 41_000, 202)), Inconclusive, "no end");
        let idle = waiting().exchange(sent_click("a", 41_000, 202)).killed_until(50_000, 51_000);
        check(idle, Inconclusive, "with 0 clicks waiting");
        let in_the_air = waiting().killed_until(5_000, 6_000).exchange(sent_click("a", 5_001, 202));
        check(in_the_air, Inconclusive, "with 0 clicks waiting");
        let not_yet = waiting().killed_until(500, 600);
        check(not_yet.exchange(sent_click("a", 41_000, 202)), Inconclusive, "with 0 clicks");
    }

    #[test]
    fn a_kill_that_something_of_the_target_outlived_shows_nothing() {
        let arrives = |seen: Change| {
            let history = five().killed_and(5_000, seen, 6_000).killed_until(8_000, 9_000);
            history.exchange(sent_click("a", 41_000, 202))
        };
        let survived = Change::Survived { left: vec![], accepts: true, listeners: vec![] };
        check(
            arrives(survived),
            Inconclusive,
            "outlived its end at 5.000 s: its port still accepted",
        );
        check(arrives(Change::Resumed), Inconclusive, "nobody looked");
        let strays = vec![crate::history::Seen { pid: 7, command: "node".into() }];
        check(arrives(Change::Gone { strays }), Held, "");
    }

    #[test]
    fn a_graceful_stop_alone_is_no_crash() {
        let stopped = waiting().terminated(4_000, 5_000, 6_000);
        check(stopped.exchange(sent_click("a", 41_000, 202)), Inconclusive, "with 1 click waiting");
    }

    #[test]
    fn what_the_front_door_never_acknowledged_may_be_lost() {
        let refused = Operation { status: Some(503), ..click("b", 2_000, 2_005) };
        let broken = Operation {
            status: None,
            failure: Some(crate::history::OpFailure::Broken),
            ..click("c", 4_999, 5_001)
        };
        let killed = five().killed_until(5_000, 6_000).killed_until(8_000, 9_000);
        let killed = killed.operations([refused, broken]);
        check(killed.exchange(sent_click("a", 41_000, 202)), Held, "");
    }

    #[test]
    fn a_click_that_is_not_due_yet_or_a_process_that_never_returned_is_inconclusive() {
        let mut short = waiting().killed_until(5_000, 6_000);
        short.case.harness.closed = Moment::from_ms(99_000);
        check(short, Inconclusive, "1 click undecided");
        let gone = waiting().process(5_000, Change::Killed { rule: "kill".into() });
        check(gone, Inconclusive, "no end of the process");
    }

    #[test]
    fn a_backlog_beyond_the_cap_is_inconclusive() {
        let history = waiting().killed_until(5_000, 6_000).operation(click("b", 2_000, 2_005));
        let mut history = history.promising(&crate::guarantees::client_rate_cap::REQUESTS, 1);
        history.case.declared.click_slots = 1;
        history.case.contract.batch.max_items = 1;
        check(history.exchange(sent_click("b", 41_000, 202)), Inconclusive, "the rate cap leaves");
    }
}

//! After enough consecutive failures no call reaches Linktree until the open time is over.
//!
//! Blind to: trips after warm traffic that results within δ make uncertain. Broken by:
//! `breaker-never-opens`, `breaker-opens-at-six`, `breaker-opens-at-three`,
//! `half-open-lets-everyone-through`, `half-open-gate-races`, `timeouts-not-failures`,
//! `resets-not-failures`, `bad-gateways-not-failures`, `probe-without-status-closes`.

mod causes;
mod early;
#[cfg(test)]
mod edge_tests;
mod kinds;
mod leaks;
mod outage;
#[cfg(test)]
mod policy_tests;

use super::evidence::busy::Busy;
use super::evidence::circuit::calls::longest_delay;
use super::evidence::circuit::{Opening, openings, window_for};
use super::evidence::demand::Demand;
use super::evidence::too_short::too_short;
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::plan::PhaseKind;
use crate::spans::Lasting;
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use early::Early;
use leaks::{Leak, leak};
use mock_server::clock::Moment;
use std::time::Duration;

/// From the first trip on through every failed probe; and front-door answers stay fast meanwhile.
pub struct BreakerOpens;

const FAST: Bound = Bound {
    of: "breaker-opens",
    name: "fast_percent",
    what: "least share of page views that are fast while the breaker is open",
    unit: Unit::Percent,
    default: 75,
};

const OPEN_TIMES: Minimum = Minimum { name: "open times with demand", least: 1 };

/// Where visitors come one after the other, both sides of the threshold are seen.
const LET_THROUGH: Minimum =
    Minimum { name: "attempts let through after fewer failures than open it", least: 4 };

/// Its own, and those of each kind of failure.
const MINIMUMS: [Minimum; 10] = {
    let [a, b, c, d, e, f, g, h] = kinds::MINIMUMS;
    [OPEN_TIMES, LET_THROUGH, a, b, c, d, e, f, g, h]
};

const PROMISE: Promise = Promise {
    id: "breaker-opens",
    statement: "After 5 consecutive failures no call reaches Linktree until the open time is over; \
                front-door answers stay fast meanwhile.",
    priority: Priority::Critical,
    source: "assumed contract: number, counting, window, open time and probes as declared; 5xx, broken \
             answers and timeouts are failures. Whether 429, 401, 404 and other 4xx count is left open: no \
             verdict rests on them",
    why: "calls that cannot succeed exhaust workers, visitors' patience and the rate limit",
    usual_fix: "one breaker before the retry loop's every attempt; count timeouts; when half-open, let \
                a declared number of probes through and no more",
    blind_to: "breakers that open too easily where visitors do not come one after the other; of several \
               instances everything within the budget of them all",
    bounds: &[FAST],
    minimums: &MINIMUMS,
    // Every failure and call is seen one by one, and slow answers are excused one by one.
    when_late: Stands::Always,
    when_overloaded: Stands::IfViolated,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

impl Guarantee for BreakerOpens {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn undecidable(&self, case: &Case) -> Option<String> {
        let needed = (case.harness.delta * 2 + case.harness.epsilon) * 3;
        let key = "`breaker_open_ms` of [declared]";
        let open = too_short(case, "the breaker's open time", case.times.breaker_open, needed, key);
        // Failures that follow each other at δ must fit into the part that is certain.
        let each = case.declared.attempts_counted_once();
        let failures = case.declared.certain_failures().saturating_mul(each);
        let needed = window_for(case.harness.delta.saturating_mul(failures.saturating_add(1)));
        let key = "`breaker_window_ms` of [declared]";
        let window = |window| too_short(case, "the breaker's sampling window", window, needed, key);
        open.or_else(|| case.times.breaker_window.and_then(window))
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let out = |opening: &Opening<'_>| {
            let phase = case.phase_at(opening.tripped).map(|phase| phase.kind);
            phase.is_some_and(PhaseKind::is_total_outage) || kinds::are_cuts(&opening.evidence)
        };
        let openings: Vec<_> = openings(case).into_iter().filter(out).collect();
        Box::new(Open {
            case,
            spans: Lasting::of(openings.iter().map(|one| (one.from, one.until))),
            openings,
            demand: Demand::over(case),
            early: Early::of(case),
            busy: Busy::over(case),
            answers: 0,
            slow: Vec::new(),
        })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

struct Open<'c> {
    case: &'c Case,
    openings: Vec<Opening<'c>>,
    /// When they are.
    spans: Lasting,
    demand: Demand<'c>,
    early: Early<'c>,
    busy: Busy<'c>,
    /// Page views wholly within an open time, and those of them that took too long.
    answers: usize,
    slow: Vec<(Moment, Duration)>,
}

impl Judge for Open<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.demand.note(operation);
        self.early.operation(operation);
        self.busy.note(operation);
        let case = self.case;
        let patience = case.times.fast + case.harness.delta;
        let (sent, end) = (operation.sent, operation.sent.plus(patience));
        let is_open = || self.spans.begun_before(sent).is_some_and(|until| end < until);
        if operation.page().is_none() || !is_open() {
            return;
        }
        let longest = longest_delay(case) + case.harness.delta;
        let read = case.linktree.last_read(&operation.handle, sent);
        let under_way = read.is_some_and(|read| sent <= read.t_known().plus(longest));
        if under_way || case.harness.too_slow_within(sent, end) {
            return;
        }
        self.answers += 1;
        if operation.last > end {
            self.slow.push((sent, operation.last.since(sent)));
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let case = self.case;
        let hearing = self.busy.spans();
        let mut leaks: Vec<Leak> =
            self.openings.iter().filter_map(|one| leak(case, &hearing, one)).collect();
        let raw = self.openings.iter().filter(|one| !one.offenders.is_empty()).count();
        let late = raw - leaks.len();
        let doubt = leaks::doubt(case, &leaks);
        if doubt.is_some() {
            leaks.clear();
        }
        let (let_through, refused) = (self.early.let_through, self.early.refused.count());
        let mut through = leaks.iter().map(|leak| leak.attempts).sum();
        let mut witnesses: Vec<Witness> = leaks.into_iter().map(|leak| leak.witness).collect();
        let cause = if witnesses.is_empty() { None } else { causes::likely(case) };
        if let Some(cause) = cause {
            witnesses = witnesses.into_iter().map(|witness| witness.line(&*cause)).collect();
        }
        if through == 0
            && let Some(witness) = outage::over_budget(case)
        {
            witnesses.push(witness);
            through = 1;
        }
        // One slow answer is the machine's; more than the bound leaves are the integration's.
        let slow_share = 100 - case.percent(&FAST) as usize;
        let (slow, bearable) = (self.slow.len(), (self.answers * slow_share / 100).max(1));
        let (patience, fast) = (humane(case.harness.delta), humane(case.times.fast));
        if slow > bearable {
            let (sent, took) = self.slow[0];
            let what = format!(
                "{slow} of {} page views took more than {fast} while the breaker was open",
                self.answers,
            );
            let line = format!("{} a page view took {}", case.at(sent), humane(took));
            witnesses.push(Witness::new(sent, what).line(line));
        }
        let wanted = |one: &&Opening<'_>| {
            !one.offenders.is_empty() || self.demand.of_anything(one.from, one.until)
        };
        let wanted: Vec<&Opening<'_>> = self.openings.iter().filter(wanted).collect();
        let seen = wanted.len();
        let after_probes = self.openings.iter().filter(|one| one.half_open).count();
        let observed = format!(
            "{} open times, {after_probes} of them at or after probes, {seen} with demand; attempts \
             got through in {raw}, {late} of these while the harness was late or the target answered \
             nobody; {let_through} attempts let through after fewer failures than open it; {} page views \
             in all; in doubt: {}",
            self.openings.len(),
            self.answers,
            usize::from(doubt.is_some()),
        );
        let rule = format!(
            "{}; a single attempt within {} (4 δ) after the last failure is a doubt; a page view is slow \
             after {fast}, and {patience} (δ) more",
            causes::policy(case),
            humane(case.harness.delta * 4),
        );
        let gauges = [
            Gauge::none_of("attempts through an open breaker")
                .counted(through, seen.saturating_sub(late)),
            Gauge::none_of("visitors refused after fewer failures").counted(refused, let_through),
            Gauge::at_most("slow page views while it was open", bearable)
                .counted(slow as u64, self.answers),
        ];
        let strength = kinds::seen(case, &wanted);
        let one_by_one = !case.phases(PhaseKind::RetryGaps).is_empty();
        // Of several breakers nobody knows which one an attempt went through.
        let told = one_by_one && case.declared.instances <= 1;
        let below = LET_THROUGH.of(let_through, if told { LET_THROUGH.least } else { 0 });
        let strength = [OPEN_TIMES.seen(seen), below].into_iter().chain(strength);
        witnesses.extend(self.early.refused.into_witnesses());
        Verdict::from_witnesses(seen, "open times of the breaker with demand", witnesses)
            .only_if(
                raw == 0 || seen > late,
                "the harness was late in every open time, or the target answered nobody",
            )
            .at_least(strength)
            .undecided(doubt)
            .measured(gauges, observed, rule)
    }
}

#[cfg(test)]
mod tests;

//! Retries are spaced exponentially, with jitter, and are bounded in number.
//!
//! Blind to: delays that are too long, since queues lengthen them. Broken by: `backoff-constant`,
//! `backoff-without-jitter`, `retry-hot-loop`.

use super::evidence::retries::{Chain, chains};
use super::evidence::spacing::{ALPHA, Spacing};
use super::evidence::tails::binomial_tail;
use super::evidence::too_short::too_short;
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use std::collections::HashMap;
use std::time::Duration;

/// Statistical where jitter makes it so: each test errs at most once in 1 / [`ALPHA`] runs.
pub struct BackoffGrows;

/// Sixteen calls tell constant from exponential delays with one error in ten thousand runs
/// (predicates, B3), where each has four retries; as many as the plan makes but [`LEFT_OUT`] otherwise.
const RETRIED: Minimum =
    Minimum { name: "calls with all the retries that the plan shows", least: 16 };

/// Calls that may fall into a hiccup of the harness.
const LEFT_OUT: u32 = 2;

const ASKED_WITHIN: Bound = Bound {
    of: "backoff-grows",
    name: "asked_within_ms",
    what: "a visitor who caused a retried read had asked at most this long before it",
    unit: Unit::ContractTime,
    default: 30_000,
};

pub(super) const AT_ONCE: Bound = Bound {
    of: "backoff-grows",
    name: "at_once_ms",
    what: "a retry after less than this had no delay",
    unit: Unit::RealTime,
    default: 10,
};

const PROMISE: Promise = Promise {
    id: "backoff-grows",
    statement: "Retries after 429 and 5xx are spaced exponentially, with jitter, and are bounded in \
                number.",
    priority: Priority::Standard,
    source: "AWS Architecture Blog, Exponential Backoff And Jitter; base, factor and number as \
             declared",
    why: "retries in lockstep keep a service down that was about to come back",
    usual_fix: "full jitter: wait a random time below base × factor^n, and give up after a few",
    blind_to: "delays that are too long; growth after the fourth retry, or where there is but one; \
               constant delays with a little jitter where there are two",
    bounds: &[ASKED_WITHIN, AT_ONCE],
    minimums: &[RETRIED],
    // Attempts that the mock did not see make gaps longer, never shorter.
    when_late: Stands::Always,
    when_overloaded: Stands::IfViolated,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

impl Guarantee for BackoffGrows {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn undecidable(&self, case: &Case) -> Option<String> {
        if case.declared.spared_failures() == 0 {
            return Some(
                "no call can be retried: `max_attempts` or `breaker_failures` of [declared] is 1"
                    .into(),
            );
        }
        let (base, timers) = (case.times.backoff_base, case.harness.epsilon);
        let key = "`backoff_base_ms` of [declared]";
        too_short(case, "the base of the backoff", base, timers, key)
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let (chains, left_out) = chains(case);
        let visits = chains.iter().filter_map(|chain| {
            let handle = chain.attempts[0].handle.clone()?;
            let (first, last) = chain.span();
            Some((handle, (first.minus(case.time(&ASKED_WITHIN)), last, 0)))
        });
        let mut asked: HashMap<String, Vec<(Moment, Moment, usize)>> = HashMap::new();
        visits.for_each(|(handle, span)| asked.entry(handle).or_default().push(span));
        Box::new(Retries { case, chains, left_out, asked })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

struct Retries<'c> {
    case: &'c Case,
    chains: Vec<Chain<'c>>,
    left_out: usize,
    /// For each creator, how many visitors asked while each chain lasted.
    asked: HashMap<String, Vec<(Moment, Moment, usize)>>,
}

impl Judge for Retries<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        let asks = operation.page().is_some() || operation.did.may_count_as_read();
        let spans = self.asked.get_mut(operation.handle.as_ref()).filter(|_| asks);
        for (from, until, asked) in spans.into_iter().flatten() {
            *asked += usize::from(*from <= operation.sent && operation.sent <= *until);
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let case = self.case;
        let sequential: Vec<&Chain<'_>> = self.chains.iter().filter(|c| c.sequential).collect();
        let most = case.declared.max_attempts as usize;
        let for_one = |chain: &Chain<'_>| chain.attempts.len().div_ceil(self.calls(chain));
        let longest = sequential.iter().map(|chain| for_one(chain)).max().unwrap_or(0);
        let too_often = |chain: &&&Chain<'_>| for_one(chain) > most;
        let bounded = sequential.iter().filter(too_often).map(|chain| {
            let what = format!("{} attempts of a page read", chain.attempts.len());
            tell(case, chain, what)
        });
        let mut witnesses: Vec<Witness> = bounded.collect();
        let gaps: Vec<&[f64]> = sequential.iter().map(|chain| chain.gaps.as_slice()).collect();
        let spacing = Spacing::of(case, &gaps);
        let too_many = witnesses.len();
        witnesses.extend(self.hot(&spacing));
        let odd = spacing.flat().into_iter().chain(spacing.lockstep());
        witnesses.extend(odd.map(|(retry, what)| {
            let shown = sequential.iter().find(|chain| chain.gaps.len() > retry);
            tell(case, shown.expect("a retry was judged"), what)
        }));
        let judged = spacing.judged();
        let failed = (witnesses.len() - too_many) as u64;
        let gauges = [
            Gauge::at_most("attempts of a page read for one visitor", most)
                .counted(longest as u64, 0),
            Gauge::none_of("tests of the spacing that failed")
                .counted(failed, if spacing.is_enough() { judged } else { 0 }),
        ];
        let observed = format!(
            "{} calls were retried, {judged} of them {} times; median delays {}; {} left out (the \
             harness was late, a restart or a pause)",
            sequential.len(),
            case.declared.spared_failures(),
            spacing.medians(),
            self.left_out,
        );
        let rule = format!(
            "delays from {} on that grow by {} up to {}, with jitter; each test errs in one run of \
             {:.0} at the most",
            humane(case.times.backoff_base),
            spacing.factor,
            humane(case.times.backoff_cap),
            1.0 / ALPHA,
        );
        Verdict::from_witnesses(sequential.len(), "calls that were retried", witnesses)
            .at_least([RETRIED.of(judged, u64::from(case.declared.retried_calls() - LEFT_OUT))])
            .measured(gauges, observed, rule)
    }
}

impl Retries<'_> {
    /// How many visitors may have caused this chain.
    fn calls(&self, chain: &Chain<'_>) -> usize {
        let handle = chain.attempts[0].handle.as_deref().unwrap_or_default();
        let spans = self.asked.get(handle).into_iter().flatten();
        let (_, last) = chain.span();
        spans.filter(|span| span.1 == last).map(|span| span.2).max().unwrap_or(1).max(1)
    }

    /// More chains without any delay, in three retries running, than full jitter has by chance.
    fn hot(&self, spacing: &Spacing) -> Option<Witness> {
        let one_call = |chain: &&Chain<'_>| chain.gaps.len() >= 3 && self.calls(chain) == 1;
        let eligible: Vec<&Chain<'_>> = self.chains.iter().filter(one_call).collect();
        let at_once = spacing.at_once;
        let is_hot = |chain: &&&Chain<'_>| {
            chain.gaps.windows(3).any(|three| three.iter().all(|gap| *gap < at_once))
        };
        let hot: Vec<&&Chain<'_>> = eligible.iter().filter(is_hot).collect();
        let chance = binomial_tail(eligible.len(), spacing.hot_by_chance(), hot.len());
        let what = format!("{} calls were retried three times without any delay", hot.len());
        (chance < ALPHA).then(|| tell(self.case, hot[0], what))
    }
}

fn tell(case: &Case, chain: &Chain<'_>, what: String) -> Witness {
    let delays = chain.gaps.iter().map(|gap| {
        let delay = Duration::try_from_secs_f64(*gap).unwrap_or_default();
        format!(" (retry, {} after the failure)", humane(delay))
    });
    let which = std::iter::once(String::new()).chain(delays);
    let lines = chain.attempts.iter().zip(which);
    let witness = Witness::new(chain.span().1, what);
    lines.fold(witness, |witness, (attempt, which)| {
        witness.line(format!("{}{which}", case.tell(attempt)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind;
    use crate::testing::{Decides, History, page, read, refused};
    use crate::verdict::VerdictKind::{self, *};
    use mock_server::history::exchange::Exchange;

    /// `calls` page reads, one a minute, with these delays in milliseconds before their retries;
    /// each delay is a little longer for each further call when there is `jitter`.
    fn retried(calls: u64, delays: &[u64], jitter: bool) -> Vec<Exchange> {
        let call = |n: u64| {
            let (handle, mut at) = (format!("creator{n}"), n * 60_000);
            let mut attempts = vec![refused(&handle, at, 503)];
            for delay in delays {
                at += 5 + if jitter { delay * (n + 1) / calls } else { *delay };
                attempts.push(refused(&handle, at, 503));
            }
            let last = attempts.pop().map(|last| read(&handle, last.t_req.0 / 1_000_000));
            attempts.into_iter().chain(last)
        };
        (0..calls).flat_map(call).collect()
    }

    fn check(exchanges: Vec<Exchange>, expected: VerdictKind, word: &str) {
        let history = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(exchanges);
        said(history, expected, word);
    }

    fn said(history: History, expected: VerdictKind, word: &str) {
        let verdict = history.judged_by(&BackoffGrows);
        let text = format!("{verdict:?}");
        assert!(verdict.kind == expected && text.contains(word), "{text}");
    }

    /// Six attempts of each of 20 page reads, for two visitors who asked so long before the first.
    fn crowded(before_ms: u64) -> History {
        let unbounded = retried(20, &[1_000, 2_000, 4_000, 8_000, 16_000], true);
        let visits = (0..20).map(|n: u64| {
            let at = (n * 60_000).saturating_sub(before_ms);
            Operation { handle: format!("creator{n}").into(), ..page("-", at, at + 9, "-") }
        });
        History::over(&[(PhaseKind::RetryGaps, 0, 3_600)])
            .exchanges(unbounded)
            .operations(visits.clone())
            .operations(visits)
    }

    /// Two page reads that were retried at once, in a storm.
    fn at_once() -> History {
        History::over(&[(PhaseKind::Storm, 0, 3_600)]).exchanges(retried(2, &[1; 4], false))
    }

    pub(super) fn decided() -> Vec<Decides> {
        vec![
            Decides { bound: &ASKED_WITHIN, value: 1_000, history: || crowded(5_000) },
            Decides { bound: &AT_ONCE, value: 1, history: at_once },
        ]
    }

    #[test]
    fn growing_delays_with_jitter_hold() {
        check(retried(20, &[1_000, 2_000, 4_000, 8_000], true), Held, "20 of them 4 times");
    }

    #[test]
    fn constant_delays_even_with_jitter_violate() {
        check(retried(20, &[1_000; 4], true), Violated, "they do not grow");
    }

    #[test]
    fn delays_that_grow_in_lockstep_violate() {
        check(retried(20, &[1_000, 2_000, 4_000, 8_000], false), Violated, "no jitter");
        check(retried(20, &[1_000, 2_000, 3_000, 4_000], false), Violated, "no jitter");
    }

    #[test]
    fn immediate_retries_violate() {
        check(retried(20, &[1; 4], false), Violated, "without any delay");
    }

    #[test]
    fn immediate_retries_elsewhere_violate_unless_several_visitors_asked() {
        said(at_once(), Violated, "2 calls were retried three times");
        let visits = |n: u64| page(["creator0", "creator1"][n as usize], n * 60_000, n, "-");
        let crowd = at_once().operations((0..2).flat_map(|n| [visits(n), visits(n)]));
        said(crowd, Inconclusive, "no calls that were retried");
    }

    #[test]
    fn more_attempts_than_declared_violate_unless_there_were_more_visits() {
        let unbounded = retried(20, &[1_000, 2_000, 4_000, 8_000, 16_000], true);
        check(unbounded, Violated, "6 attempts of a page read");
        said(crowded(0), Held, "");
    }

    #[test]
    fn too_few_calls_or_a_base_too_short_are_inconclusive() {
        let few = retried(15, &[1_000, 2_000, 4_000, 8_000], true);
        check(
            few,
            Inconclusive,
            "15 calls with all the retries that the plan shows were seen, 16 are needed",
        );
        let delays = retried(20, &[1_000, 2_000, 4_000, 8_000], true);
        let mut history = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(delays);
        history.case.times.backoff_base = std::time::Duration::from_millis(20);
        said(history, Inconclusive, "the base of the backoff is 20 ms at time scale 1");
    }

    #[test]
    fn chains_while_the_harness_was_late_are_left_out() {
        let delays = retried(20, &[1_000, 2_000, 4_000, 8_000], false);
        let history = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(delays);
        said((0..20).fold(history, |h, n| h.lag(n * 60_000, 500)), Inconclusive, "20 left out");
    }

    #[test]
    fn chains_across_a_restart_or_a_pause_are_left_out() {
        let history = || {
            let delays = retried(20, &[1_000, 2_000, 4_000, 8_000], false);
            History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(delays)
        };
        let killed = (0..20).fold(history(), |h, n| h.killed(n * 60_000 + 500));
        said(killed, Inconclusive, "20 left out");
        let paused = (0..20).fold(history(), |h, n| h.paused(n * 60_000 + 500, n * 60_000 + 900));
        said(paused, Inconclusive, "20 left out");
        said(history().killed(30_000), Violated, "0 left out");
    }
}

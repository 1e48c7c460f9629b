//! Retries are spaced exponentially, with jitter, and are bounded in number.
//!
//! A call is bounded, a queue is not: it delivers a click again for as long as it takes, which is no
//! storm of retries while its delays grow up to their cap.
//!
//! Blind to: delays that are too long, since queues lengthen them. Broken by: `backoff-constant`,
//! `backoff-without-jitter`, `retry-hot-loop`, `clicks-retry-at-once`, `clicks-retry-constant`,
//! `clicks-without-jitter`.

mod asked_for;
mod deliveries;
mod visits;

use super::evidence::retries::{Chain, chains};
use super::evidence::spacing::{ALPHA, Backoff, Spacing};
use super::evidence::tails::binomial_tail;
use super::evidence::too_short::too_short;
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::history::Operation;
use crate::measure::{Gauge, humane, so_many};
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use asked_for::AskedFor;
use deliveries::Deliveries;
use mock_server::clock::Moment;
use std::collections::HashMap;
use std::time::Duration;
use visits::Visits;

/// Statistical where jitter makes it so: each test errs at most once in 1 / [`ALPHA`] runs.
pub struct BackoffGrows;

/// Sixteen calls tell constant from exponential delays with one error in ten thousand runs
/// (predicates, B3), where each has four retries; as many as the plan makes but [`LEFT_OUT`] otherwise.
const RETRIED: Minimum =
    Minimum { name: "calls with all the retries that the plan shows", least: 16 };

/// Crowding shows from fewer (predicates, B3).
const SPACED: Minimum =
    Minimum { name: "deliveries that were retried, one after the other", least: 12 };
/// Constant delays of full jitter need seven; half as many show that a queue waits.
const IN_A_ROW: Minimum = Minimum { name: "failures of a click in a row", least: 5 };

/// Calls that may fall into a hiccup of the harness.
const LEFT_OUT: u32 = 4;

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
             declared; a call is bounded in number, a durable queue in pace alone",
    why: "retries in lockstep keep a service down that was about to come back",
    usual_fix: "full jitter: wait a random time below base × factor^n, and give up after a few",
    blind_to: "delays that are too long; growth after the fourth retry, or where there is but one; \
               constant delays with a little jitter where there are two; growth between deliveries \
               whose backoff begins anew (`click_attempts`)",
    bounds: &[ASKED_WITHIN, AT_ONCE],
    minimums: &[RETRIED, SPACED, IN_A_ROW],
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
        let (times, timers) = (&case.times, case.harness.epsilon);
        let key = "`backoff_base_ms` of [declared]";
        too_short(case, "the base of the backoff", times.backoff_base, timers, key).or_else(|| {
            let (base, key) = (times.click_backoff_base, "`click_backoff_base_ms` of [declared]");
            too_short(case, "the base of the backoff of clicks", base, timers, key)
        })
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let (chains, left_out) = chains(case);
        let visits = chains.iter().filter_map(|chain| {
            let handle = chain.attempts[0].handle.as_deref()?.to_owned();
            let (first, last) = chain.span();
            Some((handle, (first.minus(case.time(&ASKED_WITHIN)), last)))
        });
        let asked = Visits::within(visits);
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
    /// While each chain lasted.
    asked: Visits,
}

impl Judge for Retries<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        let asks = operation.page().is_some() || operation.did.may_count_as_read();
        if asks {
            self.asked.note(&operation.handle, operation.sent);
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let case = self.case;
        let (reads, sent): (Vec<&Chain<'_>>, Vec<&Chain<'_>>) =
            self.chains.iter().partition(|chain| chain.attempts[0].route.is_page_read());
        let sequential: Vec<&Chain<'_>> = reads.iter().copied().filter(|c| c.sequential).collect();
        let most = case.declared.max_attempts as usize;
        let calls = Calls(self.asked.counted());
        let for_one = |chain: &Chain<'_>| chain.attempts.len().div_ceil(calls.of(chain));
        let longest = sequential.iter().map(|chain| for_one(chain)).max().unwrap_or(0);
        let too_often = |chain: &&&Chain<'_>| for_one(chain) > most;
        let bounded = sequential.iter().filter(too_often).map(|chain| {
            let what = format!("{} attempts of a page read", chain.attempts.len());
            tell(case, chain, what)
        });
        let mut witnesses: Vec<Witness> = bounded.collect();
        let gaps: Vec<&[f64]> = sequential.iter().map(|chain| chain.gaps.as_slice()).collect();
        let (backoff, retries) = (Backoff::of_pages(case), case.declared.spared_failures());
        let spacing = Spacing::of(case, backoff, retries, &gaps);
        let too_many = witnesses.len();
        witnesses.extend(self.hot(&calls, &reads, &spacing));
        let odd = spacing.flat().into_iter().chain(spacing.lockstep());
        witnesses.extend(odd.map(|(retry, what)| {
            let shown = sequential.iter().find(|chain| chain.gaps.len() > retry);
            tell(case, shown.expect("a retry was judged"), what)
        }));
        let judged = spacing.judged();
        let failed = (witnesses.len() - too_many) as u64;
        let clicks = Deliveries::of(case, &sent);
        let before = witnesses.len();
        witnesses.extend(self.hot(&calls, &sent, &clicks.spacing));
        witnesses.extend(clicks.odd());
        let failed_of_clicks = (witnesses.len() - before) as u64;
        let judged_of_clicks = clicks.spacing.judged() + clicks.delays.len();
        let seen = sequential.len() + judged_of_clicks;
        let wants = AskedFor::of(case);
        let gauges = [
            Gauge::at_most("attempts of a page read for one visitor", most)
                .counted(longest as u64, 0),
            Gauge::none_of("tests of the spacing that failed")
                .counted(failed, if spacing.is_enough() { judged } else { 0 }),
            Gauge::none_of("tests of the spacing of deliveries that failed")
                .counted(failed_of_clicks, judged_of_clicks),
        ];
        let observed = format!(
            "{} retried, {judged} of them {}; median delays {}; {}; {} left out (the harness was late, a \
             restart or a pause)",
            so_many(sequential.len(), "call was", "calls were"),
            so_many(retries, "time", "times"),
            spacing.medians(),
            clicks.words(),
            self.left_out + clicks.left_out(),
        );
        let rule = format!(
            "{}; for clicks {}; each test errs in one run of {:.0} at the most",
            backoff.words(),
            Backoff::of_clicks(case).words(),
            1.0 / ALPHA,
        );
        let retried = u64::from(case.declared.retried_calls() - LEFT_OUT);
        Verdict::from_witnesses(seen, "calls that were retried", witnesses)
            .at_least([
                RETRIED.of(judged, if wants.reads { retried } else { 0 }),
                SPACED.of(clicks.spacing.judged(), if wants.spaced { SPACED.least } else { 0 }),
                IN_A_ROW.of(clicks.longest(), if wants.in_a_row { IN_A_ROW.least } else { 0 }),
            ])
            .measured(gauges, observed, rule)
    }
}

/// How many visitors asked for a page while a chain lasted that ends at this moment.
struct Calls<'c>(HashMap<(&'c str, Moment), usize>);

impl Calls<'_> {
    /// How many visitors may have caused this chain.
    fn of(&self, chain: &Chain<'_>) -> usize {
        let handle = chain.attempts[0].handle.as_deref().unwrap_or_default();
        self.0.get(&(handle, chain.span().1)).map_or(1, |asked| (*asked).max(1))
    }
}

impl Retries<'_> {
    /// More chains without any delay, in three retries running, than full jitter has by chance.
    fn hot(&self, calls: &Calls<'_>, chains: &[&Chain<'_>], spacing: &Spacing) -> Option<Witness> {
        let one_call = |chain: &&Chain<'_>| chain.gaps.len() >= 3 && calls.of(chain) == 1;
        let eligible: Vec<&Chain<'_>> = chains.iter().copied().filter(one_call).collect();
        let at_once = spacing.at_once;
        let is_hot = |chain: &&&Chain<'_>| {
            chain.gaps.windows(3).any(|three| three.iter().all(|gap| *gap < at_once))
        };
        let hot: Vec<&&Chain<'_>> = eligible.iter().filter(is_hot).collect();
        let chance = binomial_tail(eligible.len(), spacing.hot_by_chance(), hot.len());
        let what = format!(
            "{} retried three times without any delay",
            so_many(hot.len(), "call was", "calls were")
        );
        // No number of calls has exactly this chance.
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
mod tests;

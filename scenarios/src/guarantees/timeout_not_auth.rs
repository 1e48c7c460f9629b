//! Metrics and alerts tell timeouts and authentication errors apart, and count each of them.
//!
//! Blind to: which other failures an alert is about as well. Broken by: `timeouts-counted-as-auth`,
//! `auth-counted-as-timeouts`, `one-alert-for-both`, `refused-key-alert-never-fires`.

mod alerts;

use super::evidence::alerts::Compared;
use super::evidence::scrapes::{self, Life};
use super::profile_timeout;
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, JudgedExchange};
use crate::front_door::FrontRoute;
use crate::measure::{Gauge, so_many};
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::contract::Route;
use mock_server::history::exchange::End;

const TIMEOUTS: Minimum = Minimum { name: "calls that timed out", least: 4 };
const REFUSALS: Minimum = Minimum { name: "calls that were answered 401", least: 3 };

const PROMISE: Promise = Promise {
    id: "timeout-not-auth",
    statement: "Timeouts and authentication errors are told apart in metrics and alerts.",
    priority: Priority::Standard,
    source: "checklist; counters between two scrapes are compared with what Linktree saw; an \
             alert must come once its condition has certainly held for long enough, and must not \
             where it certainly never did: `alert_alike` and `error_window_ms` of [declared] say \
             how many of a kind call for it",
    why: "An expired key needs a person at once, a slow Linktree needs patience; whoever cannot tell \
          them apart rotates keys in an outage, or waits while every call is refused.",
    usual_fix: "Label each attempt's outcome where its error is still known, and give 401 and 403 an \
                outcome of their own; give each an alert of its own.",
    blind_to: "Timeouts that are counted too often, since a client may wait for its own connections as \
               well, and an alert on timeouts that is about other failures too, except for refused keys. \
               Metrics and alerts count attempts, as the contract's names say. An alert that has no name \
               in [observe.alerts] while none comes that has none: the metrics alone are judged then, and \
               the verdict says so.",
    bounds: &[],
    minimums: &[
        TIMEOUTS,
        REFUSALS,
        alerts::SILENT,
        alerts::NOT_SILENT,
        alerts::REFUSED,
        alerts::NOT_REFUSED,
    ],
    // What the mock failed to answer in time stands in no plan.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Metrics],
    sees: &[Sight::Upstream, Sight::Metrics, Sight::Alerts],
};

/// See the module.
pub struct TimeoutNotAuth;

impl Guarantee for TimeoutNotAuth {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

/// What the metrics must have counted in one life of the process, and may have.
#[derive(Default)]
struct Truth<'c> {
    timeouts: Vec<&'c JudgedExchange>,
    refusals: Vec<&'c JudgedExchange>,
    refusals_at_most: usize,
}

impl<'c> Truth<'c> {
    fn of(case: &'c Case, life: Life<'_>) -> Self {
        let mut truth = Self::default();
        for exchange in case.linktree.exchanges.iter() {
            let surely = life.surely_holds(case, exchange.t_known());
            let status = exchange.status.unwrap_or_default();
            if surely && is_timeout(case, exchange) {
                truth.timeouts.push(exchange);
            }
            // Whether 403 is an authentication error is a matter of taste; 401 is not.
            if surely && status == 401 && exchange.end == End::Complete && !exchange.doubtful {
                truth.refusals.push(exchange);
            }
            truth.refusals_at_most +=
                usize::from(matches!(status, 401 | 403) && life.may_count(case, exchange));
        }
        truth
    }
}

/// Given up by the client, and not before its time limit. Analytics has a longer one.
fn is_timeout(case: &Case, exchange: &JudgedExchange) -> bool {
    let waited = exchange.t_end.since(exchange.t_req) + case.harness.delta + case.harness.epsilon;
    exchange.end == End::ClientAbort
        && exchange.route != Route::Analytics
        && waited >= case.time(&profile_timeout::WITHIN)
        && !case.target.disturbed_within(exchange.t_req, exchange.t_end)
}

fn judge(case: &Case) -> Verdict {
    let mut offences = Offences::default();
    let (mut timeouts, mut refusals, mut compared) = (0, 0, 0);
    let (mut missed_timeouts, mut missed_refusals, mut invented_refusals) = (0, 0, 0);
    let (mut in_words, mut fell) = (Vec::new(), None);
    for life in scrapes::lives(case) {
        let counted = (life.grown(|f| f.timeouts), life.grown(|f| f.auth_errors));
        let (Some(timed_out), Some(refused)) = counted else { continue };
        if let Some(why) = life.fell(case) {
            fell.get_or_insert(why);
            continue;
        }
        let truth = Truth::of(case, life);
        compared += 1;
        timeouts += truth.timeouts.len();
        refusals += truth.refusals.len();
        in_words.push(format!("{timed_out} timeouts and {refused} authentication errors"));
        missed_timeouts += beyond(figure(truth.timeouts.len()), timed_out);
        missed_refusals += beyond(figure(truth.refusals.len()), refused);
        invented_refusals += beyond(refused, figure(truth.refusals_at_most));
        let at = life.last.sent;
        let mut wrong = |what: String, shown: &[&JudgedExchange]| {
            offences.add(at, || {
                let lines = shown.iter().take(5).map(|one| case.tell(one));
                lines.fold(Witness::new(at, what), Witness::line)
            });
        };
        if timed_out < figure(truth.timeouts.len()) {
            let seen = truth.timeouts.len();
            wrong(
                format!("{} timed out, counted: {timed_out}", so_many(seen, "call", "calls")),
                &truth.timeouts,
            );
        }
        if refused < figure(truth.refusals.len()) {
            let seen = truth.refusals.len();
            wrong(
                format!(
                    "{} answered 401, counted: {refused}",
                    so_many(seen, "call was", "calls were")
                ),
                &truth.refusals,
            );
        }
        if refused > figure(truth.refusals_at_most) {
            let most = truth.refusals_at_most;
            let what = format!("{refused} authentication errors were counted, there were {most}");
            wrong(what, &truth.timeouts);
        }
    }
    let [silent, refused] = alerts::compared(case);
    let gauges = [
        Gauge::none_of("timeouts not counted").counted(missed_timeouts, timeouts),
        Gauge::none_of("authentication errors not counted").counted(missed_refusals, refusals),
        Gauge::none_of("other calls counted as authentication errors")
            .counted(invented_refusals, compared),
    ];
    let gauges = gauges.into_iter().chain(Compared::gauges_of(&[&silent, &refused]));
    let observed = format!(
        "{} timed out and {} answered 401; the metrics counted {}; of the alert on timeouts: {}; of that on \
         refused keys: {}",
        so_many(timeouts, "call", "calls"),
        so_many(refusals, "was", "were"),
        if in_words.is_empty() { "nothing".to_owned() } else { in_words.join(", then ") },
        silent.words,
        refused.words,
    );
    let rule = format!(
        "each counted for what it was, give or take what ended within δ of a scrape; {}",
        alerts::rule(case)
    );
    let [of_silent, of_refused] = [
        silent.strength_of([alerts::SILENT, alerts::NOT_SILENT]),
        refused.strength_of([alerts::REFUSED, alerts::NOT_REFUSED]),
    ];
    let strength = [TIMEOUTS.seen(timeouts), REFUSALS.seen(refusals)];
    let strength = strength.into_iter().chain(of_silent).chain(of_refused);
    let unknown = silent.undecided().or(refused.undecided());
    let seen = timeouts + refusals + silent.seen() + refused.seen();
    offences.join(silent.offences);
    offences.join(refused.offences);
    offences
        .verdict(seen, "timeouts, authentication errors and alerts")
        .because((compared == 0).then(|| scrapes::why_unseen(case, "timeouts and auth_errors")))
        .only_if(compared > 0, scrapes::why_unseen(case, "timeouts and auth_errors"))
        .at_least(strength)
        .undecided(unknown)
        .undecided(fell)
        .measured(gauges, observed, rule)
}

/// How many of the first are more than the second.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // no fraction and no sign is left
fn beyond(of: f64, than: f64) -> u64 {
    (of - than).max(0.0).ceil() as u64
}

/// Counts of a run are far below 2^52.
#[allow(clippy::cast_precision_loss)]
const fn figure(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Figures;
    use crate::testing::{History, given_up, measured, refused, scrape};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::history::exchange::Exchange;

    fn figures(timeouts: f64, auth_errors: f64) -> Figures {
        Figures { timeouts: Some(timeouts), auth_errors: Some(auth_errors), ..Figures::default() }
    }

    /// Four timeouts and three refusals, of which the metrics say this at 60 s.
    fn counted(timeouts: f64, auth_errors: f64) -> History {
        History::over(&[])
            .scrape(scrape(0, Figures::default()))
            .exchanges([0, 1, 2, 3].map(|n| given_up("ann", 1_000 + n * 500, 11_000 + n * 500)))
            .exchanges([0, 1, 2].map(|n| refused("bob", 20_000 + n * 500, 401)))
            .scrape(scrape(60_000, figures(timeouts, auth_errors)))
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind) -> Verdict {
        let verdict = history.judged_by(&TimeoutNotAuth);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
        verdict
    }

    #[test]
    fn each_counted_for_what_it_was_holds() {
        let verdict = check(counted(4.0, 3.0), Held);
        assert_eq!(verdict.seen, 7);
        let invented = measured(&verdict, "other calls counted as authentication errors");
        assert_eq!(invented, Some(0));
        check(counted(6.0, 3.0), Held); // waiting for a connection of its own pool
    }

    #[test]
    fn one_counted_for_the_other_violates() {
        check(counted(0.0, 7.0), Violated);
        check(counted(7.0, 0.0), Violated);
        check(counted(4.0, 5.0), Violated);
        check(counted(3.0, 3.0), Violated);
        check(counted(4.0, 2.0), Violated);
    }

    #[test]
    fn what_ended_beside_a_scrape_may_be_counted_or_not() {
        let late = |auth| counted(4.0, auth).exchange(refused("bob", 59_950, 401));
        check(late(3.0), Held);
        check(late(4.0), Held);
        check(late(5.0), Violated);
    }

    #[test]
    fn whether_403_counts_is_open() {
        for auth in [3.0, 4.0] {
            check(counted(4.0, auth).exchange(refused("bob", 30_000, 403)), Held);
        }
    }

    #[test]
    fn a_call_given_up_early_or_by_a_dying_process_is_no_timeout() {
        check(counted(4.0, 3.0).exchange(given_up("ann", 30_000, 33_000)), Held);
        check(counted(4.0, 3.0).exchange(given_up("ann", 30_000, 40_000)), Violated);
        // Give or take δ and the granularity of timers.
        check(counted(4.0, 3.0).exchange(given_up("ann", 30_000, 39_850)), Violated);
        check(counted(4.0, 3.0).exchange(given_up("ann", 30_000, 39_849)), Held);
        let analytics = Exchange { route: Route::Analytics, ..given_up("ann", 30_000, 45_000) };
        check(counted(4.0, 3.0).exchange(analytics), Held);
        let slow = Exchange { end: End::Complete, ..given_up("ann", 30_000, 45_000) };
        check(counted(4.0, 3.0).exchange(slow), Held);
        let paused = counted(4.0, 3.0).exchange(given_up("ann", 30_000, 40_000));
        check(paused.paused(35_000, 39_000), Held);
    }

    #[test]
    fn a_restart_begins_to_count_anew() {
        let history = counted(4.0, 3.0)
            .killed(61_000)
            .scrape(scrape(62_000, figures(0.0, 0.0)))
            .exchange(refused("bob", 63_000, 401))
            .scrape(scrape(70_000, figures(0.0, 1.0)));
        check(history, Held);
    }

    #[test]
    fn a_counter_that_falls_within_a_life_began_anew() {
        for figures in [figures(5.0, 3.0), figures(4.0, 4.0)] {
            let mut history = counted(4.0, 3.0);
            history.case.target.scrapes.insert(1, scrape(500, figures));
            let verdict = check(history, Inconclusive);
            assert!(verdict.reason.unwrap().contains("fell from"));
        }
    }

    #[test]
    fn without_one_of_them_or_without_metrics_nothing_is_known() {
        let with = |figures| {
            let history = History::over(&[]).scrape(scrape(0, Figures::default()));
            history.scrape(scrape(60_000, figures))
        };
        check(with(figures(0.0, 0.0)), Inconclusive);
        check(with(figures(1.0, 0.0)).exchange(given_up("ann", 1_000, 11_000)), Inconclusive);
        check(with(figures(0.0, 1.0)).exchange(refused("bob", 1_000, 401)), Inconclusive);
        let unseen = |history: History, word: &str| {
            let verdict = check(history.exchange(refused("bob", 1_000, 401)), Inconclusive);
            assert!(verdict.reason.as_ref().unwrap().contains(word), "{verdict:?}");
        };
        unseen(with(Figures::default()), "for timeouts and auth_errors is not exposed");
        unseen(History::over(&[]), "the metrics were not scraped");
    }
}

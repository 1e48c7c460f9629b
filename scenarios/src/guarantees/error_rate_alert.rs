//! An alert comes when more than one call in a hundred fails, and only then.
//!
//! Blind to: how the rate is measured, within what is lawful. Broken by: `error-alert-never-fires`,
//! `error-alert-above-twenty-percent`, `error-rate-counts-hits`, `error-rate-of-a-moment`.

use super::evidence::alerts::{self, About, Compared};
use super::evidence::error_rate::{ErrorRate, PER_CENT};
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::history::{Did, Operation};
use crate::measure::humane;
use crate::plan::{AlertKind, contract_time};
use crate::verdict::Verdict;

const PERCENT: Bound = Bound {
    of: "error-rate-alert",
    name: "percent",
    what: "an alert fires when more of a hundred upstream calls in the declared window fail",
    unit: Unit::Percent,
    default: 1,
};

const PROMISE: Promise = Promise {
    id: "error-rate-alert",
    statement: "An alert fires when more than 1 % of upstream calls fail over five minutes, and not \
                otherwise.",
    priority: Priority::Standard,
    source: "checklist; an alert must come once its condition has certainly held for long enough, \
             and must not where it certainly never did, by every reading of a failure rate",
    why: "Whoever is not told of failures hears of them from creators; whoever is woken by two of them \
          stops to listen.",
    usual_fix: "Divide failed upstream attempts by all upstream attempts over the whole window, leave \
                cache hits out, and ask for a minimum of calls.",
    blind_to: "Alerts by route or by instance, answers such as 404 that some count as failures, how \
               soon an alert ends, and which lawful reading is meant: between 0.9 % and 1.1 % it may \
               fire or not.",
    bounds: &[PERCENT],
    minimums: &[alerts::LOUD, alerts::NEAR],
    // What the mock answered stands in the history, whoever came late.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::Alerts],
};

/// See the module.
pub struct ErrorRateAlert;

struct Judging<'c> {
    case: &'c Case,
    rate: ErrorRate<'c>,
}

impl Guarantee for ErrorRateAlert {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Judging { case, rate: ErrorRate::of(case) })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

/// What the alert is about.
fn about(case: &Case) -> About {
    let bound = case.percent(&PERCENT) * PER_CENT;
    let lasts = alerts::lasts(case);
    About {
        kind: AlertKind::ErrorRate,
        loud_above: bound / 10 * 11,
        quiet_to: bound / 10 * 9,
        near_from: bound / 10 * 3,
        lasts,
        near_for: lasts + alerts::delay(case),
        words: |millionths| {
            format!("{}.{:02} %", millionths / PER_CENT, millionths % PER_CENT / 100)
        },
    }
}

impl Judge for Judging<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        match operation.did {
            Did::Page(_) | Did::Head(_) => {
                self.rate.visited(Some(&operation.handle), operation.sent);
            }
            Did::Nobody(_) => self.rate.visited(None, operation.sent),
            _ => {}
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, rate } = *self;
        let window = contract_time(case.declared.error_window_ms, case.time_scale);
        let about = about(case);
        let compared = alerts::compare(case, &about, &rate.signal(window));
        let (gauges, strength, seen) = (compared.gauges(), compared.strength(), compared.seen());
        let rule = format!(
            "more than {} of the calls in {} for {} and {}, or at most {}",
            (about.words)(about.loud_above),
            humane(window),
            humane(about.lasts),
            humane(alerts::delay(case)),
            (about.words)(about.quiet_to),
        );
        let Compared { offences, words, unjudged, .. } = compared;
        offences
            .verdict(seen, "stretches and alerts")
            .at_least(strength)
            .undecided(unjudged)
            .measured(gauges, words, rule)
    }

    fn is_at_once(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Oddity;
    use crate::plan::AlertName;
    use crate::plan::PhaseKind::{Control, Storm};
    use crate::testing::{Decides, History, asked_to_wait, page, pushed, read, refused};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

    /// A call a second for 20 minutes. One in 150 fails as an attempt and is made up for, and for two
    /// minutes from 700 s on one in ten fails for good.
    fn calls() -> History {
        let exchanges = (0..2_400u64).map(|n| match n {
            1_400..1_640 if n % 10 == 0 => refused(&format!("bob-{n}"), n * 500, 500),
            _ if n % 300 == 299 => refused("ann", n * 500, 500),
            _ => read("ann", n * 500),
        });
        let mut history =
            History::over(&[(Control, 0, 700), (Storm, 700, 1_200)]).exchanges(exchanges);
        history.case.alert_names.insert(AlertKind::ErrorRate, AlertName::plain("Errors"));
        history
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind, words: &str) {
        history.says(&ErrorRateAlert, expected, words);
    }

    pub(super) fn decided() -> Vec<Decides> {
        vec![Decides {
            bound: &PERCENT,
            value: 20,
            history: || calls().alert(pushed("Errors", 735_000)),
        }]
    }

    #[test]
    fn an_alert_that_comes_with_the_failures_and_never_else_holds() {
        check(calls().alert(pushed("Errors", 735_000)), Held, "");
        // Early, by attempts, and late, at the end of its delay.
        check(calls().alert(pushed("Errors", 722_000)), Held, "");
        check(calls().alert(pushed("Errors", 760_000)), Held, "");
    }

    #[test]
    fn silence_in_failures_and_an_alert_without_any_violate() {
        check(calls(), Violated, "Errors did not fire within 32 s, though it was");
        check(calls().alert(pushed("Errors", 800_000)), Violated, "did not fire");
        let early = calls().alert(pushed("Errors", 400_000)).alert(pushed("Errors", 735_000));
        check(early, Violated, "fired, though it was 0.");
        check(calls().alert(pushed("Other", 735_000)), Violated, "did not fire");
    }

    #[test]
    fn an_alert_that_nobody_named_is_not_judged() {
        let mut unnamed = calls();
        unnamed.case.alert_names.clear();
        check(unnamed, Inconclusive, "no alert came, and [observe.alerts] error_rate names none");
        let mut other = calls().alert(pushed("Other", 735_000));
        other.case.alert_names.clear();
        check(other, Inconclusive, "these came: Other");
    }

    #[test]
    fn without_failures_or_without_near_misses_nothing_is_shown() {
        let quiet = |failing: bool| {
            let calls = (0..2_400u64).map(|n| match n % 300 {
                299 if failing => refused("ann", n * 500, 500),
                _ => read("ann", n * 500),
            });
            let mut history = History::over(&[(Control, 0, 1_200)]).exchanges(calls);
            history.case.alert_names.insert(AlertKind::ErrorRate, AlertName::plain("Errors"));
            history
        };
        check(quiet(true), Inconclusive, "stretches that called for an alert: 0 seen");
        check(quiet(false), Inconclusive, "no stretches and alerts");
        // One in a thousand is no near miss.
        let rare = (0..2_400u64).map(|n| match n % 1_000 {
            999 => refused("ann", n * 500, 500),
            _ => read("ann", n * 500),
        });
        let mut rare = History::over(&[(Control, 0, 1_200)]).exchanges(rare);
        rare.case.alert_names.insert(AlertKind::ErrorRate, AlertName::plain("Errors"));
        check(rare, Inconclusive, "no stretches and alerts");
    }

    #[test]
    fn another_share_may_be_promised() {
        let verdict = calls().promising(&PERCENT, 5).judged_by(&ErrorRateAlert);
        assert!(verdict.promised.contains("more than 5.50 %"), "{}", verdict.promised);
    }

    /// Linktree asks to wait for a minute, and what a service refuses meanwhile may count as failed.
    #[test]
    fn calls_that_a_visitor_did_not_get_because_linktree_asked_to_wait_may_count() {
        let waiting = |visit: Option<fn(u64) -> Operation<'static>>| {
            let calls = (0..600u64).map(|n| read("ann", n * 2_000));
            let mut history = History::over(&[(Control, 0, 1_200)])
                .exchanges(calls)
                .exchange(asked_to_wait("bob", 400_010, 429, 60))
                .alert(pushed("Errors", 415_000));
            history.case.alert_names.insert(AlertKind::ErrorRate, AlertName::plain("Errors"));
            let visits = visit.into_iter().flat_map(|visit| (0..50).map(move |n| visit(n * 200)));
            history.operations(visits.collect::<Vec<_>>())
        };
        check(waiting(None), Violated, "fired, though it was 0.");
        let carl = |ms| page("carl", 402_000 + ms, 402_010 + ms, "v");
        check(waiting(Some(carl)), Inconclusive, "stretches that called for an alert: 0 seen");
        let nobody = |ms| Operation {
            did: Did::Nobody(Oddity::of("favicon.ico")),
            ..page("-", 402_000 + ms, 402_010 + ms, "v")
        };
        check(waiting(Some(nobody)), Inconclusive, "stretches that called for an alert: 0 seen");
        // A page that is fresh needs no call, and before nobody had asked to wait.
        let fresh = |ms| page("ann", 402_000 + ms, 402_010 + ms, "v");
        check(waiting(Some(fresh)), Violated, "fired, though it was 0.");
        let before = |ms| page("carl", 385_000 + ms, 385_010 + ms, "v");
        check(waiting(Some(before)), Violated, "fired, though it was 0.");
    }
}

//! An alert comes when more than 80 requests a minute leave for long enough, and only then.
//!
//! Blind to: how use is measured, within what is lawful. Broken by: `headroom-alert-never-fires`,
//! `headroom-alert-at-once`, `headroom-counts-page-views`, `headroom-of-the-pages-share`.

use super::evidence::alerts::{self, About, Compared, Sample};
use super::evidence::rate;
use super::evidence::use_of_limit::UseOfLimit;
use super::{AtOnce, Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::measure::humane;
use crate::plan::{AlertKind, contract_time};
use crate::verdict::Verdict;
use mock_server::clock::Moment;
use std::time::Duration;

const REQUESTS: Bound = Bound {
    of: "headroom-alert",
    name: "requests",
    what: "an alert fires when more than these leave in the limit's window, for as long as is declared",
    unit: Unit::Count,
    default: 80,
};

const PROMISE: Promise = Promise {
    id: "headroom-alert",
    statement: "An alert fires when use stays above 80 requests a minute, and not otherwise.",
    priority: Priority::Standard,
    source: "checklist; an alert must come once its condition has certainly held for long enough, \
             and must not where it certainly never did: over the requests of a minute, for \
             `headroom_for_ms` of [declared]",
    why: "Whoever hears of the limit by its first 429 hears of it during the launch; whoever is woken by \
          every burst stops to listen.",
    usual_fix: "Count the requests that leave, of every route and whatever becomes of them, in a sliding \
                minute, compare with 80 of Linktree's 100, and wait for longer than a minute: one burst is \
                over by then.",
    blind_to: "How soon an alert ends, alerts by instance, and which lawful reading of a minute is meant: \
               between 72 and 80 requests it may fire or not, and so it may in the minute after more. \
               Where a gauge of use is exposed, nobody is taken to need rates over the few scrapes of a \
               minute in quick time.",
    bounds: &[REQUESTS],
    minimums: &[alerts::LOUD, alerts::NEAR],
    // What arrived at the mock stands in the history, whoever came late.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::Alerts],
};

/// See the module.
pub struct HeadroomAlert;

impl Guarantee for HeadroomAlert {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn undecidable(&self, case: &Case) -> Option<String> {
        let (cap, above) = (rate::cap(case), about(case).loud_above);
        (cap as u64 <= above).then(|| {
            format!(
                "its own limiter lets {cap} requests through, and an alert is due above {above}"
            )
        })
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || verdict(case)))
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

/// What the alert is about.
fn about(case: &Case) -> About {
    let bound = case.count(&REQUESTS) as u64;
    let lasts = contract_time(case.declared.headroom_for_ms, case.time_scale);
    About {
        kind: AlertKind::Headroom,
        // Readings and delivery are counted in the signal, and the limit leaves no room for more.
        loud_above: bound,
        quiet_to: bound * 9 / 10,
        near_from: bound * 3 / 10,
        lasts,
        // As long as it takes one to come that nothing calls for.
        near_for: lasts + alerts::delay(case),
        words: |requests| format!("{requests} requests a minute"),
    }
}

fn verdict(case: &Case) -> Verdict {
    let about = about(case);
    let signal = UseOfLimit::of(case).signal();
    let compared = alerts::compare(case, &about, &signal);
    let (gauges, strength, seen) = (compared.gauges(), compared.strength(), compared.seen());
    let (window, delta) = (case.times.window, case.harness.delta);
    let rule = format!(
        "more than {} in any {} for {} and {}, or at most {}",
        (about.words)(about.loud_above),
        humane(window),
        humane(about.lasts),
        humane(alerts::delay(case)),
        (about.words)(about.quiet_to),
    );
    let Compared { offences, words, unjudged, .. } = compared;
    let longest = longest(&signal, about.loud_above);
    let words = format!(
        "{words}; use stayed above {} for {} at the most",
        (about.words)(about.loud_above),
        humane(longest)
    );
    let unjudged = unjudged.or_else(|| {
        let needed = about.lasts + alerts::delay(case);
        (longest < needed).then(|| {
            format!(
                "use stayed above {} for {} at the most, and an alert is due after {}",
                (about.words)(about.loud_above),
                humane(longest),
                humane(needed)
            )
        })
    });
    offences
        .verdict(seen, "stretches and alerts")
        .only_if(window >= delta * 10, "the scaled window is too close to the tolerance")
        .at_least(strength)
        .undecided(unjudged)
        .measured(gauges, words, rule)
}

/// The longest time for which use was known to be above this.
fn longest(signal: &[Sample], above: u64) -> Duration {
    let (mut since, mut longest): (Option<Moment>, _) = (None, Duration::ZERO);
    for one in signal {
        since = (one.lo > above).then(|| since.unwrap_or(one.at));
        longest = longest.max(since.map_or(Duration::ZERO, |since| one.at.since(since)));
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::AlertName;
    use crate::plan::PhaseKind::{Control, Storm};
    use crate::testing::{Decides, History, pushed, read};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::history::exchange::Exchange;

    /// A call each so many milliseconds.
    fn every(ms: u64, from_s: u64, until_s: u64) -> impl Iterator<Item = Exchange> {
        (from_s * 1_000..until_s * 1_000).step_by(ms as usize).map(|at| read("ann", at))
    }

    /// A call a second for five minutes, then a burst and silence, and then 88 a minute until 640 s.
    fn calls() -> History {
        let burst = (0..26).map(|n| read("bob", 300_000 + n * 10));
        let mut history = History::over(&[(Control, 0, 300), (Storm, 300, 800)])
            .exchanges(every(1_000, 0, 300).chain(burst).chain(every(675, 330, 640)));
        history.case.alert_names.insert(AlertKind::Headroom, AlertName::plain("Near"));
        history
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind, words: &str) {
        history.says(&HeadroomAlert, expected, words);
    }

    pub(super) fn decided() -> Vec<Decides> {
        let history = || calls().alert(pushed("Near", 452_000));
        vec![Decides { bound: &REQUESTS, value: 95, history }]
    }

    #[test]
    fn an_alert_that_comes_after_its_time_and_for_no_burst_holds() {
        check(calls().alert(pushed("Near", 452_000)), Held, "");
        // By the clock's whole minutes, and late.
        check(calls().alert(pushed("Near", 510_000)), Held, "");
    }

    #[test]
    fn silence_and_an_alert_for_a_burst_or_for_ordinary_use_violate() {
        check(calls(), Violated, "Near did not fire within 98 s, though it was 8");
        check(calls().alert(pushed("Near", 620_000)), Violated, "did not fire");
        let burst = calls().alert(pushed("Near", 302_000)).alert(pushed("Near", 452_000));
        check(burst, Violated, "and above 72 requests a minute not for 34 s");
        let early = calls().alert(pushed("Near", 200_000)).alert(pushed("Near", 452_000));
        check(early, Violated, "fired, though it was 6");
    }

    #[test]
    fn what_must_last_for_no_time_may_be_told_of_a_burst() {
        let history = calls().declaring(|one| one.headroom_for_ms = 0);
        check(history.alert(pushed("Near", 302_000)), Held, "");
    }

    #[test]
    fn use_that_is_never_near_the_limit_for_long_shows_nothing_and_says_for_how_long() {
        let mut short = History::over(&[(Control, 0, 800)])
            .exchanges(every(1_000, 0, 300).chain(every(675, 330, 530)));
        short.case.alert_names.insert(AlertKind::Headroom, AlertName::plain("Near"));
        check(short, Inconclusive, "use stayed above 80 requests a minute for 9");
        let own = calls().declaring(|one| one.rate_cap = Some(80));
        check(own.alert(pushed("Near", 452_000)), Inconclusive, "its own limiter lets 80 requests");
        let own = calls().declaring(|one| one.rate_cap = Some(81));
        check(own.alert(pushed("Near", 452_000)), Held, "");
    }

    #[test]
    fn an_alert_that_nobody_named_is_not_judged() {
        let mut unnamed = calls();
        unnamed.case.alert_names.clear();
        check(unnamed, Inconclusive, "no alert came, and [observe.alerts] headroom names none");
        check(History::over(&[]), Inconclusive, "");
    }

    #[test]
    fn use_is_quiet_to_nine_tenths_of_the_bound_and_near_it_from_three_on() {
        let about = about(&calls().case);
        assert_eq!((about.loud_above, about.quiet_to, about.near_from), (80, 72, 24));
    }

    #[test]
    fn use_that_stays_above_just_as_long_as_it_must_calls_for_an_alert() {
        let mut of = calls();
        of.case.ready();
        let signal = UseOfLimit::of(&of.case).signal();
        let just = longest(&signal, 80).saturating_sub(alerts::delay(&of.case)).as_millis();
        let last = signal.iter().rfind(|one| one.lo > 80).unwrap().at;
        let lasting = |more| {
            let ms = u64::try_from(just).unwrap() + more;
            let history = calls().declaring(|one| one.headroom_for_ms = ms);
            history.alert(pushed("Near", last.0 / 1_000_000))
        };
        check(lasting(0), Held, "");
        check(lasting(1), Inconclusive, "use stayed above 80 requests a minute for");
    }

    #[test]
    fn the_longest_stretch_is_one_in_which_use_was_always_above() {
        let sample =
            |(second, lo): (u64, u64)| Sample { at: Moment::from_ms(second * 1_000), lo, hi: lo };
        let signal = [(0, 81), (1, 81), (2, 80), (3, 81), (5, 82), (6, 81), (7, 0)].map(sample);
        assert_eq!(longest(&signal, 80), Duration::from_secs(3));
        assert_eq!(longest(&signal, 82), Duration::ZERO);
    }

    #[test]
    fn a_window_that_is_hardly_longer_than_what_cannot_be_told_apart_is_not_judged() {
        // A hundred in such a window, for twenty seconds.
        let of = |scale| {
            let calls = (0..2_000).map(|n| read("ann", n * 10));
            let mut history = History::over(&[(Control, 0, 30)]).exchanges(calls).scaled(scale);
            history.case.alert_names.insert(AlertKind::Headroom, AlertName::plain("Near"));
            history.alert(pushed("Near", 3_500))
        };
        check(of(61), Inconclusive, "the scaled window is too close to the tolerance");
        check(of(60), Inconclusive, "stretches that nearly did: 0 seen");
    }
}

//! The alerts on timeouts and on refused keys: each fires for its own kind of trouble, and rests for the
//! other.
//!
//! How many of a kind are too many is declared; that none of them is no reason is not. So the silence of
//! the one tells something only while the other kind of trouble is there.

use super::is_timeout;
use crate::case::Case;
use crate::guarantees::evidence::alerts::{self, About, Compared, Sample, compare_where};
use crate::guarantees::evidence::outcomes::Outcomes;
use crate::measure::humane;
use crate::plan::{AlertKind, contract_time};
use crate::strength::Minimum;

pub const SILENT: Minimum =
    Minimum { name: "stretches of timeouts that called for their alert", least: 1 };
pub const NOT_SILENT: Minimum =
    Minimum { name: "stretches of refused keys and no timeout", least: 1 };
pub const REFUSED: Minimum =
    Minimum { name: "stretches of refused keys that called for their alert", least: 1 };
pub const NOT_REFUSED: Minimum =
    Minimum { name: "stretches of timeouts and no refused key", least: 1 };

/// The alert on timeouts, and that on refused keys, beside what there was of each.
pub fn compared(case: &Case) -> [Compared; 2] {
    let kinds = [AlertKind::Timeouts, AlertKind::AuthErrors];
    let is_named = |kind: &AlertKind| case.alert_names.contains_key(kind);
    let signals: [Vec<Sample>; 2] = if kinds.iter().any(is_named) {
        let window = contract_time(case.declared.error_window_ms, case.time_scale);
        let outcomes = Outcomes::of(case, |one| is_timeout(case, one));
        [outcomes.timeouts, outcomes.refusals].map(|ended| ended.signal(case, window))
    } else {
        [vec![], vec![]]
    };
    let [timeouts, refusals] = kinds.map(|kind| about(case, kind));
    let compared = |about: &About, own: &[Sample], other: &[Sample]| {
        compare_where(case, about, own, |one| {
            let beside = other.binary_search_by_key(&one.at, |other| other.at);
            beside.is_ok_and(|nth| other[nth].lo > about.loud_above)
        })
    };
    [compared(&timeouts, &signals[0], &signals[1]), compared(&refusals, &signals[1], &signals[0])]
}

/// What is promised of both.
pub fn rule(case: &Case) -> String {
    let about = about(case, AlertKind::Timeouts);
    format!(
        "each alert within {} of {} of its kind in {}, and never where there is none of its kind",
        humane(about.lasts + alerts::delay(case)),
        case.declared.alert_alike,
        humane(contract_time(case.declared.error_window_ms, case.time_scale)),
    )
}

fn about(case: &Case, kind: AlertKind) -> About {
    let lasts = alerts::lasts(case);
    About {
        kind,
        loud_above: u64::from(case.declared.alert_alike.saturating_sub(1)),
        quiet_to: 0,
        near_from: 0,
        lasts,
        near_for: lasts + alerts::delay(case),
        words: |count| format!("{count} of them"),
    }
}

#[cfg(test)]
mod tests {
    use crate::guarantees::timeout_not_auth::TimeoutNotAuth;
    use crate::observed::Figures;
    use crate::plan::PhaseKind::{Control, Storm};
    use crate::plan::{AlertKind, AlertName};
    use crate::testing::{History, given_up, pushed, refused, scrape};
    use crate::verdict::Verdict;
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

    /// Five timeouts from 110 s on, and five refusals from 600 s on, which the metrics tell.
    fn history() -> History {
        let figures = Figures { timeouts: Some(5.0), auth_errors: Some(5.0), ..Figures::default() };
        let mut history = History::over(&[(Control, 0, 100), (Storm, 100, 1_000)])
            .scrape(scrape(0, Figures::default()))
            .exchanges((0..5).map(|n| given_up("ann", 100_000 + n * 5_000, 110_000 + n * 5_000)))
            .exchanges((0..5).map(|n| refused("bob", 600_000 + n * 5_000, 401)))
            .scrape(scrape(900_000, figures));
        for (kind, name) in [(AlertKind::Timeouts, "Late"), (AlertKind::AuthErrors, "Denied")] {
            history.case.alert_names.insert(kind, AlertName::plain(name));
        }
        history
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind, words: &str) -> Verdict {
        history.says(&TimeoutNotAuth, expected, words)
    }

    fn told(alerts: &[(&str, u64)]) -> History {
        alerts.iter().fold(history(), |history, (name, s)| history.alert(pushed(name, s * 1_000)))
    }

    #[test]
    fn each_for_its_own_kind_holds() {
        let verdict = check(told(&[("Late", 125), ("Denied", 615)]), Held, "");
        assert!(verdict.observed.contains("began to fire at 125"), "{}", verdict.observed);
        // Whoever is woken by the first of a kind has told them apart, too.
        check(told(&[("Late", 111), ("Denied", 601)]), Held, "");
    }

    #[test]
    fn one_for_both_or_none_violates() {
        check(told(&[("Late", 125)]), Violated, "Denied did not fire within 32 s");
        check(told(&[("Denied", 615)]), Violated, "Late did not fire within 32 s");
        let both = told(&[("Late", 125), ("Denied", 125), ("Denied", 615)]);
        check(both, Violated, "Denied fired, though it was 0 of them at the most");
        let both = told(&[("Late", 125), ("Late", 615), ("Denied", 615)]);
        check(both, Violated, "Late fired, though it was 0 of them at the most");
    }

    #[test]
    fn a_few_are_no_reason_to_fire_where_more_are_declared() {
        let many = |history: History| history.declaring(|one| one.alert_alike = 6);
        let reason = "stretches of timeouts that called for their alert: 0 seen";
        check(many(history()), Inconclusive, reason);
        // Late for the declared number, not without a reason.
        check(many(told(&[("Late", 125), ("Denied", 615)])), Inconclusive, reason);
    }

    #[test]
    fn of_alerts_that_are_absent_only_the_metrics_are_judged_and_that_is_said() {
        let mut unnamed = history();
        unnamed.case.alert_names.clear();
        let verdict = check(unnamed, Held, "");
        let words = "of the alert on timeouts: it was not judged: no alert came";
        assert!(verdict.observed.contains(words), "{}", verdict.observed);
        let mut one = told(&[("Late", 125)]);
        one.case.alert_names.remove(&AlertKind::AuthErrors);
        let verdict = check(one, Held, "");
        assert!(verdict.observed.contains("on refused keys: it was not judged"), "{verdict:?}");
        let mut other = told(&[("Late", 125), ("Other", 615)]);
        other.case.alert_names.remove(&AlertKind::AuthErrors);
        check(other, Inconclusive, "these came: Late, Other");
    }

    #[test]
    fn whatever_could_have_violated_it_was_seen_and_without_metrics_that_is_said() {
        let verdict = check(told(&[("Late", 125), ("Denied", 615)]), Held, "");
        let shown: u64 = verdict.strength.iter().map(|one| one.seen).sum();
        // And both alerts.
        assert_eq!(verdict.seen, shown + 2);
        let mut blind = told(&[("Late", 125), ("Denied", 615)]);
        blind.case.target.scrapes.clear();
        check(blind, Inconclusive, "the metrics were not scraped");
    }

    #[test]
    fn silence_tells_something_only_while_the_other_kind_is_loud() {
        use super::{NOT_REFUSED, NOT_SILENT, compared};
        let near = |alike| {
            let mut history = history().declaring(|one| one.alert_alike = alike);
            history.case.ready();
            let [silent, refused] = compared(&history.case);
            let seen = |strength: [crate::strength::Strength; 2]| strength[1].seen;
            [
                seen(silent.strength_of([super::SILENT, NOT_SILENT])),
                seen(refused.strength_of([super::REFUSED, NOT_REFUSED])),
            ]
        };
        // Four are known for sure: the first is met with its series.
        assert_eq!(near(4), [1, 1]);
        assert_eq!(near(5), [0, 0]);
    }

    #[test]
    fn what_is_promised_is_told() {
        let verdict = check(told(&[("Late", 125), ("Denied", 615)]), Held, "");
        let words = "each alert within 32 s of 3 of its kind in 5 min";
        assert!(verdict.promised.contains(words), "{}", verdict.promised);
    }
}

//! Tiny histories of histograms, true and untrue, for `latency-metrics`.

use super::alert::tests::{called, calls};
use super::*;
use crate::catalogue::{Settings, run_plan};
use crate::observed::Figures;
use crate::plan::{AlertKind, AlertName, PhaseKind, Plan};
use crate::testing::{History, given_up, measured, pushed, read, scrape, seen};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::clock::Moment;
use mock_server::history::exchange::Exchange;
use mock_server::profile::ContractProfile;

/// A read whose head came at once and whose body took so long.
fn long(at_ms: u64, took_ms: u64) -> Exchange {
    let end = Moment::from_ms(at_ms + took_ms);
    Exchange { t_w: Some(end), t_end: end, ..read("ann", at_ms) }
}

/// A read that took so long until its head.
fn slow(at_ms: u64, took_ms: u64) -> Exchange {
    Exchange { t_first: Some(Moment::from_ms(at_ms + took_ms)), ..long(at_ms, took_ms) }
}

fn scraped(
    exchanges: impl IntoIterator<Item = Exchange>,
    buckets: &[(f64, f64)],
    count: f64,
) -> History {
    let latency = Some(Histogram { buckets: buckets.to_vec(), count });
    History::over(&[])
        .scrape(scrape(0, Figures::default()))
        .exchanges(exchanges)
        .scrape(scrape(300_000, Figures { latency, ..Figures::default() }))
}

/// Eighty reads of 1 s, twelve whose body took 3 s, and eight that were given up after 10 s.
fn reads() -> impl Iterator<Item = Exchange> {
    given_up_from(92)
}

/// The same with fewer or more that were given up.
fn given_up_from(first: u64) -> impl Iterator<Item = Exchange> {
    (0..100).map(move |n| match n {
        0..80 => slow(1_000 + n * 100, 1_000),
        _ if n < first => long(1_000 + n * 100, 3_000),
        _ => given_up("ann", 1_000 + n * 100, 11_000 + n * 100),
    })
}

fn exposed(buckets: &[(f64, f64)], count: f64) -> History {
    scraped(reads(), buckets, count)
}

#[track_caller]
fn check(history: History, expected: VerdictKind) -> Verdict {
    let verdict = history.judged_by(&LatencyMetrics);
    assert_eq!(verdict.kind, expected, "{verdict:?}");
    verdict
}

const TRUE: [(f64, f64); 5] = [(0.5, 0.0), (1.5, 80.0), (2.5, 80.0), (5.0, 92.0), (15.0, 100.0)];

#[test]
fn a_true_histogram_holds() {
    let verdict = check(exposed(&TRUE, 100.0), Held);
    assert_eq!(verdict.seen, 100);
    assert_eq!(seen(&verdict, &TIMEOUTS), Some(8));
    assert!(verdict.observed.contains("p50 500 to 1500 ms of 900 to 1200 ms"), "{verdict:?}");
}

#[test]
fn a_histogram_of_nothing_is_not_said_to_be_missing() {
    let nothing = scraped([], &TRUE.map(|(bound, _)| (bound, 0.0)), 0.0);
    let reason = check(nothing, Inconclusive).reason.unwrap();
    assert!(!reason.contains("is not exposed"), "{reason}");
}

#[test]
fn a_wrong_unit_violates() {
    check(exposed(&TRUE.map(|(bound, _)| (bound, 0.0)), 100.0), Violated);
    check(exposed(&TRUE.map(|(bound, _)| (bound, 100.0)), 100.0), Violated);
}

#[test]
fn the_time_to_the_first_byte_violates_where_bodies_take_long() {
    let first = [(0.5, 12.0), (1.5, 92.0), (2.5, 92.0), (5.0, 92.0), (15.0, 100.0)];
    check(exposed(&first, 100.0), Held); // p50, p95 and p99 are the same
    // In a phase of their own they are not.
    let history = |buckets: &[(f64, f64)]| {
        let none =
            Histogram { buckets: buckets.iter().map(|one| (one.0, 0.0)).collect(), count: 0.0 };
        let all = Histogram { buckets: buckets.to_vec(), count: 30.0 };
        let figures = |latency| Figures { latency: Some(latency), ..Figures::default() };
        let phases = [(PhaseKind::Control, 0, 100), (PhaseKind::Storm, 100, 200)];
        History::over(&phases)
            .scrape(scrape(101_000, figures(none)))
            .exchanges((0..30).map(|n| long(110_000 + n * 100, 3_000)))
            .scrape(scrape(199_000, figures(all)))
    };
    let verdict = check(history(&[(0.5, 30.0), (1.5, 30.0), (5.0, 30.0)]), Violated);
    assert!(verdict.witnesses[0].what.contains("p50 in"), "{verdict:?}");
    assert!(
        history(&[(0.5, 0.0), (1.5, 0.0), (5.0, 30.0)])
            .judged_by(&LatencyMetrics)
            .witnesses
            .is_empty()
    );
}

#[test]
fn a_call_in_twenty_that_never_left_is_a_matter_of_taste() {
    let refused = |count: f64| {
        let buckets = TRUE.map(|(bound, below)| (bound, below + count));
        exposed(&buckets, 100.0 + count)
    };
    check(refused(1.0), Held);
    assert!(refused(5.0).judged_by(&LatencyMetrics).witnesses.is_empty());
    check(refused(6.0), Violated);
    // One in twenty of what was observed is one to nineteen that left.
    let few = |left: u64, count: f64| {
        let buckets = TRUE.map(|(bound, _)| (bound, if bound < 1.0 { 0.0 } else { count }));
        scraped((0..left).map(|n| slow(1_000 + n * 100, 1_000)), &buckets, count)
    };
    let blamed = |left, count| !few(left, count).judged_by(&LatencyMetrics).witnesses.is_empty();
    assert_eq!([blamed(117, 123.0), blamed(117, 124.0)], [false, true]);
    assert_eq!([blamed(26, 28.0), blamed(26, 29.0)], [false, true]);
}

#[test]
fn more_calls_than_there_were_violate() {
    let with_hits = [(0.5, 900.0), (1.5, 990.0), (2.5, 990.0), (5.0, 1_000.0), (15.0, 1_000.0)];
    let verdict = check(exposed(&with_hits, 1_000.0), Violated);
    assert!(verdict.witnesses[0].what.contains("1000 calls"), "{verdict:?}");
}

#[test]
fn timeouts_may_be_left_out_only_while_they_are_few() {
    let without = [(0.5, 0.0), (1.5, 80.0), (2.5, 80.0), (5.0, 92.0), (15.0, 92.0)];
    let verdict = check(exposed(&without, 92.0), Violated);
    assert!(verdict.witnesses[0].what.contains("of which 8 timed out"), "{verdict:?}");
    let few = reads().filter(|one| one.status.is_some()).chain([given_up("ann", 20_000, 30_000)]);
    assert!(scraped(few, &without, 92.0).judged_by(&LatencyMetrics).witnesses.is_empty());
}

#[test]
fn whole_calls_with_their_retries_may_be_measured() {
    // Every call fails twice before: 4 s from the first attempt to the answer.
    let failed = |at| Exchange { status: Some(503), ..slow(at, 10) };
    let calls = (0..50_u64).flat_map(|n| {
        let at = 1_000 + n * 5_000;
        [failed(at), failed(at + 1_500), slow(at + 3_000, 1_000)]
    });
    let history = |buckets: &[(f64, f64)]| scraped(calls.clone(), buckets, 50.0);
    assert!(history(&[(3.5, 0.0), (4.1, 50.0)]).judged_by(&LatencyMetrics).witnesses.is_empty());
    check(history(&[(5.0, 0.0), (9.0, 50.0)]), Violated);
}

#[test]
fn what_a_pause_lengthened_excuses() {
    let frozen = TRUE.map(|(bound, _)| (bound, 0.0)).into_iter().chain([(60.0, 100.0)]);
    let frozen: Vec<_> = frozen.collect();
    let paused = exposed(&frozen, 100.0).paused(1_000, 14_000).judged_by(&LatencyMetrics);
    assert!(
        paused.kind == Inconclusive && paused.reason.as_ref().unwrap().contains("told from"),
        "{paused:?}"
    );
    check(exposed(&frozen, 100.0), Violated);
}

#[test]
fn a_histogram_that_falls_within_a_life_began_anew() {
    let mut history = exposed(&TRUE, 100.0);
    let latency = Some(Histogram { buckets: vec![(0.5, 101.0)], count: 101.0 });
    let between = scrape(500, Figures { latency, ..Figures::default() });
    history.case.target.scrapes.insert(1, between);
    let verdict = check(history, Inconclusive);
    assert!(verdict.reason.as_ref().unwrap().contains("fell from 101 to 100"), "{verdict:?}");
}

#[test]
fn buckets_may_end_where_only_timeouts_are_longer() {
    let usual = [(0.5, 0.0), (1.5, 80.0), (2.5, 80.0), (5.0, 92.0), (10.0, 92.0)];
    check(exposed(&usual, 100.0), Held);
    // Where five of a hundred time out, nobody knows on which side of the last bucket's end p95 is.
    let between = [(0.5, 0.0), (1.5, 80.0), (2.5, 80.0), (5.0, 95.0), (10.0, 95.0)];
    let verdict = check(scraped(given_up_from(95), &between, 100.0), Inconclusive);
    assert!(
        verdict.reason.as_ref().unwrap().starts_with("quantiles told from untrue ones: 2 seen"),
        "{verdict:?}"
    );
    // Of 96 calls p95 is an answer that took 3 s.
    let verdict = check(scraped(reads().take(96), &usual[..2], 96.0), Inconclusive);
    assert!(verdict.reason.as_ref().unwrap().contains("end below p95"), "{verdict:?}");
}

#[test]
fn too_few_calls_no_histogram_or_no_end_are_inconclusive() {
    let few = reads().take(19);
    let few = check(scraped(few, &[(0.5, 0.0), (1.5, 19.0)], 19.0), Inconclusive);
    assert!(few.observed.contains("no quantile compared"), "{few:?}");
    let more = check(scraped(reads().take(20), &[(0.5, 0.0), (1.5, 20.0)], 20.0), Inconclusive);
    assert!(!more.observed.contains("no quantile compared"), "{more:?}");
    check(exposed(&[(0.5, 0.0)], 100.0), Inconclusive);
    let without = History::over(&[]).scrape(scrape(0, Figures::default()));
    let unseen = |history: History, word: &str| {
        let verdict = check(history, Inconclusive);
        assert!(verdict.reason.as_ref().unwrap().contains(word), "{verdict:?}");
    };
    unseen(without.scrape(scrape(9_000, Figures::default())), "for latency is not exposed");
    unseen(History::over(&[]), "the metrics were not scraped");
}

/// Thirty reads in each of two phases, and scrapes at these times after so many of them.
fn phases(scrapes: &[(u64, f64)]) -> History {
    let over = [(PhaseKind::Control, 0, 100), (PhaseKind::Storm, 100, 200)];
    let reads = [10_000, 110_000].into_iter().flat_map(|from| (0..30).map(move |n| from + n * 100));
    let history = History::over(&over).exchanges(reads.map(|at| slow(at, 1_000)));
    scrapes.iter().fold(history, |history, &(at, count)| {
        let latency = Some(Histogram { buckets: vec![(0.5, 0.0), (1.5, count)], count });
        history.scrape(scrape(at, Figures { latency, ..Figures::default() }))
    })
}

#[test]
fn a_phase_is_compared_between_the_first_and_the_last_good_scrape_within_it() {
    let check = |history: History, expected: [bool; 2]| {
        let verdict = history.judged_by(&LatencyMetrics);
        let compared =
            ["control", "storm"].map(|phase| verdict.observed.contains(&format!("in {phase:?}")));
        assert_eq!(compared, expected, "{verdict:?}");
        assert!(verdict.witnesses.is_empty(), "{verdict:?}");
    };
    let around =
        |before, after| phases(&[(1_000, 0.0), (before, 30.0), (after, 30.0), (199_000, 60.0)]);
    check(around(99_995, 100_000), [true, true]);
    check(around(99_996, 100_000), [false, true]); // its answer came after the phase
    check(around(99_995, 99_999), [true, false]);
    let failed = Scrape { status: Some(503), ..scrape(99_990, Figures::default()) };
    check(around(99_000, 101_000).scrape(failed), [true, true]);
    // Each life has its own counters.
    let lives = phases(&[(101_000, 0.0), (140_000, 30.0), (151_000, 0.0), (199_000, 30.0)]);
    let second = (0..30).map(|n| slow(160_000 + n * 100, 1_000));
    check(lives.killed(150_000).exchanges(second), [false, true]);
}

#[test]
fn a_quantile_tells_that_is_known_to_itself_or_twice_the_measurements_error() {
    let told = |took: u64, buckets: &[(f64, f64)]| {
        let reads = (0..60).map(|n| slow(1_000 + n * 10, took));
        scraped(reads, buckets, 60.0)
    };
    let told_of = |history: History| seen(&history.judged_by(&LatencyMetrics), &TOLD);
    assert_eq!(told_of(told(5, &[(0.5, 60.0), (2.5, 60.0)])), Some(3));
    // Whoever stood still for two seconds may have measured as much more.
    let paused = told(1_000, &[(0.5, 0.0), (4.5, 60.0)]).paused(1_600, 3_600);
    assert_eq!(told_of(paused), Some(0));
}

#[test]
fn a_quantile_that_is_off_by_a_hair_is_off() {
    // Reads of 1 s may have been measured from 900 ms on.
    let bucket = 0.9 - 1e-10;
    let reads = (0..60).map(|n| slow(1_000 + n * 100, 1_000));
    let verdict = check(scraped(reads, &[(0.5, 0.0), (bucket, 60.0)], 60.0), Violated);
    assert_eq!(measured(&verdict, "p50 off by"), Some(1), "parts of a microsecond count as one");
}

#[test]
fn where_there_is_no_alert_the_metrics_alone_are_judged_and_that_is_said() {
    let verdict = check(exposed(&TRUE, 100.0), Held);
    let words = "of the alert: it was not judged: no alert came";
    assert!(verdict.observed.contains(words), "{}", verdict.observed);
    let other = || exposed(&TRUE, 100.0).alert(pushed("Other", 60_000));
    let reason = check(called(other()), Inconclusive).reason.unwrap();
    assert!(reason.contains("these came: Other"), "{reason}");
    let named = || {
        let mut named = exposed(&TRUE, 100.0);
        named.case.alert_names.insert(AlertKind::Latency, AlertName::plain("Slow"));
        named
    };
    let reason = check(called(named()), Inconclusive).reason.unwrap();
    assert!(
        reason.contains("stretches of slow calls that called for the alert: 0 seen"),
        "{reason}"
    );
    // Where nothing calls for it, nothing is asked of it, and one without a reason is blamed all the same.
    check(other(), Held);
    check(named(), Held);
    let fired = [300_000, 690_000].map(|at_ms| pushed("Slow", at_ms));
    check(fired.into_iter().fold(calls(), History::alert), Violated);
}

#[test]
fn without_the_metrics_the_verdict_is_open_wherever_the_alert_is_called_for() {
    // A histogram without the buckets that everybody reads, as Prometheus' native ones are.
    let bare = || scraped(reads(), &[], 100.0);
    for history in [bare(), called(bare())] {
        check(history, Inconclusive);
    }
}

#[test]
fn of_the_catalogue_one_scenario_calls_for_the_alert_at_every_time_scale() {
    for time_scale in [1, 2, 10, 20] {
        let settings = Settings { time_scale, ..Settings::default() };
        let run = run_plan(&settings, ContractProfile::linktree_v1(), &[]);
        let called = |plan: &&Plan| alert::is_called_for(&Case::new(&run, plan));
        let ids: Vec<_> = run.scenarios.iter().filter(called).map(|plan| &*plan.id).collect();
        assert_eq!(ids, ["slow-silent-locked-out"], "{time_scale}");
    }
}

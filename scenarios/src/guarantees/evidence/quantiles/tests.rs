use super::*;
use crate::observed::Figures;
use crate::testing::{History, broken_off, given_up, read, refused, scrape, sent_batch};
use mock_server::history::exchange::Exchange;

fn histogram(buckets: &[(f64, f64)], count: f64) -> Histogram {
    Histogram { buckets: buckets.to_vec(), count }
}

#[test]
fn a_quantile_lies_in_the_bucket_of_its_rank_and_its_neighbours() {
    let spread = histogram(&[(0.1, 50.0), (0.5, 90.0), (1.0, 100.0)], 100.0);
    let at = |share| (exposed(&spread, share).low, exposed(&spread, share).high);
    assert_eq!(at(0.25), (0.0, 0.1));
    assert_eq!(at(0.5), (0.0, 0.5)); // rank 50 and its neighbour
    assert_eq!(at(0.95), (0.5, 1.0));
    assert_eq!((at(0.51), at(0.52)), ((0.0, 0.5), (0.1, 0.5)));
    let beyond = histogram(&[(0.1, 0.0)], 10.0);
    assert_eq!(exposed(&beyond, 0.5), Between { low: 0.1, high: f64::INFINITY });
}

#[test]
fn what_was_there_before_is_taken_off() {
    let first = histogram(&[(0.1, 2.0)], 3.0);
    let last = histogram(&[(0.1, 5.0), (1.0, 9.0)], 10.0);
    assert_eq!(added(Some(&first), &last), histogram(&[(0.1, 3.0), (1.0, 9.0)], 7.0));
    assert_eq!(added(None, &last), last);
}

#[test]
fn a_batch_of_other_clicks_is_another_call() {
    let calls = |ids: &[&str]| {
        let history = History::over(&[])
            .exchange(sent_batch(&["a", "b"], 1_000, 503))
            .exchange(sent_batch(ids, 2_000, 202));
        let [first, last] = [0, 90_000].map(|at| scrape(at, Figures::default()));
        let life = Life { first: &first, last: &last };
        Durations::of(&history.case, life).calls.len()
    };
    assert_eq!([calls(&["a", "b"]), calls(&["c"])], [1, 2]);
}

#[test]
fn a_call_counts_where_it_ends_with_all_its_attempts() {
    let calls = |from_ms, until_ms, died: bool| {
        let failed = |at| refused("ann", at, 503);
        let history =
            History::over(&[]).exchanges([failed(1_000), failed(3_000), read("ann", 6_000)]);
        let history = if died { history.killed(2_000) } else { history };
        let [first, last] = [from_ms, until_ms].map(|at| scrape(at, Figures::default()));
        let calls = Durations::of(&history.case, Life { first: &first, last: &last }).calls;
        let millis = |call: &Sample| (call.between.high * 1e3).round();
        calls.iter().map(|call| (millis(call), call.surely)).collect::<Vec<_>>()
    };
    // From its first attempt to its answer, and twice δ.
    assert_eq!(calls(0, 9_000, false), [(5_205.0, true)]);
    assert_eq!(calls(4_000, 9_000, false), [(5_205.0, true)]);
    assert_eq!(calls(0, 5_000, false), [], "it is still under way");
    assert_eq!(calls(2_500, 9_000, true), [(3_205.0, true)], "another process began anew");
}

#[test]
fn one_observation_in_twenty_may_be_of_a_call_that_never_left_and_two_of_a_few() {
    assert_eq!([0, 37, 56, 57, 117].map(unsent), [2, 2, 2, 3, 6]);
}

#[test]
fn ranks_are_the_nearest() {
    assert_eq!([rank(1, 0.5), rank(20, 0.95), rank(100, 0.99), rank(3, 0.5)], [0, 18, 98, 1]);
}

#[test]
fn an_interval_tells_when_it_is_no_wider_than_what_it_is_of_or_twice_the_error() {
    let tells = |low, high| Between { low, high }.tells(0.25);
    assert_eq!([tells(0.0, 0.5), tells(0.0, 0.75)], [true, false]);
    assert_eq!([tells(1.0, 2.0), tells(1.0, 2.25)], [true, false]);
}

/// What may be measured between two scrapes long before and after, or one just before the end.
fn durations(history: &History) -> Durations {
    let [first, last] = [0, 900_000].map(|at| scrape(at, Figures::default()));
    Durations::of(&history.case, Life { first: &first, last: &last })
}

/// A read of which the head came after so many milliseconds, and the end after so many.
fn slow(at: u64, head: u64, end: u64) -> Exchange {
    let moment = |ms| Some(Moment::from_ms(at + ms));
    Exchange { t_first: moment(head), t_w: moment(end), ..read("ann", at) }
}

#[test]
fn a_body_counts_where_one_in_twenty_takes_long() {
    // δ is 100 ms, and a body is long when it takes more than twice that.
    let least = |bodies: &[u64], count: u64| {
        let history = History::over(&[]);
        let long = bodies.iter().map(|body| slow(1_000, 300, 300 + body));
        let others = (bodies.len() as u64..count).map(|n| read("ann", 2_000 + n * 1_000));
        let durations = durations(&history.exchanges(long.chain(others)));
        (durations.surely()[2], (durations.attempts[0].between.low * 1e3).round())
    };
    assert_eq!(least(&[201], 20), (1, 401.0));
    assert_eq!(least(&[201], 21), (1, 200.0));
    assert_eq!(least(&[200], 20), (0, 200.0));
    assert_eq!(least(&[150], 1), (0, 200.0));
}

#[test]
fn a_hiccup_of_the_harness_makes_a_duration_uncertain_both_ways() {
    let between = |history: History| {
        let between = durations(&history.exchange(slow(1_000, 500, 500))).attempts[0].between;
        [between.low, between.high].map(|s| (s * 1e3).round())
    };
    assert_eq!(between(History::over(&[])), [400.0, 700.0]);
    assert_eq!(between(History::over(&[]).lag(1_200, 150)), [250.0, 850.0]);
}

#[test]
fn readings_hold_what_they_are_named_for() {
    let cut = Exchange { end: End::Truncated, ..read("carl", 4_000) };
    let calls = [read("ann", 0), refused("bob", 2_000, 503), cut, given_up("dora", 5_000, 6_000)];
    let fine = (0..80).map(|n| crate::testing::links("ann", 10_000 + n * 100));
    let clicks = [crate::testing::sent_click("c", 30_000, 202)];
    let history = History::over(&[]).exchanges(calls.into_iter().chain(fine).chain(clicks));
    let durations = durations(&history);
    let readings = durations.readings();
    let sizes: Vec<_> =
        readings.iter().map(|one| (one.what.as_str(), one.samples().count())).collect();
    let expected = [
        ("attempts", 85),
        ("answered attempts", 83),
        ("successes", 82),
        ("calls", 85),
        ("attempts of pages", 84),
        ("answered attempts of pages", 82),
        ("successes of pages", 81),
        ("calls of pages", 84),
        ("attempts of profiles", 4),
        ("answered attempts of profiles", 2),
        ("successes of profiles", 1),
        ("calls of profiles", 4),
    ];
    assert_eq!(sizes, expected);
}

#[test]
fn what_broke_off_or_never_left_may_be_counted_besides() {
    let bounds = |broken: &[Exchange]| {
        let mut history = History::over(&[]).exchanges([
            read("ann", 1_000),
            read("bob", 2_000),
            refused("carl", 3_000, 404),
            read("dora", 900_000), // while the last scrape is under way
        ]);
        history.case.linktree.connections.extend(broken.iter().cloned().map(Into::into));
        let durations = durations(&history);
        (durations.readings()[0].counts(), durations.at_most())
    };
    let reset = |n| vec![broken_off("reset", 4_000, 5_000); n];
    assert_eq!(bounds(&[]), ((2, 6), 6));
    assert_eq!(bounds(&reset(3)), ((2, 9), 9));
    let ((least, most), at_most) = bounds(&[broken_off("refuse", 800_000, 950_000)]);
    assert!(least == 2 && most > usize::MAX / 2 && at_most == usize::MAX);
}

#[test]
fn a_quantile_is_as_uncertain_as_it_is_which_samples_were_counted() {
    let history = History::over(&[]).exchanges((0..20).map(|n| slow(1_000 + n * 20_000, 1, 1)));
    let certain = durations(&history).attempts;
    let of = |all: &[Sample], counted| {
        let reading = Reading { what: String::new(), all, measured: [|_| true; 2], besides: 0 };
        reading.quantile(0.5, counted).map(|between| (between.low, between.high))
    };
    let quantile = |unsure: usize, counted| {
        let mut samples = certain.clone();
        for (place, sample) in (0_u32..).zip(&mut samples) {
            let low = f64::from(place);
            sample.between = Between { low, high: low + 0.5 };
            sample.surely = place > 0 || unsure < 1;
            sample.refused = place == 1 && unsure > 1;
        }
        of(&samples, counted)
    };
    assert_eq!(quantile(0, 20), Some((8.0, 10.5)));
    assert_eq!(quantile(2, 20), Some((6.0, 12.5)));
    assert_eq!(quantile(2, 21), Some((5.0, 13.5)));
    assert_eq!(quantile(0, 99), Some((6.0, 12.5)), "two may never have left");
    assert_eq!(of(&[], 1), None);
}

#[test]
fn a_call_that_waits_for_its_next_attempt_when_the_process_dies_may_not_be_measured() {
    // The longest declared delay is 16 s, and δ is 100 ms.
    let surely = |attempt: Exchange, died| {
        let history = History::over(&[]).exchange(attempt).killed(died);
        let [first, last] = [0, 4_000].map(|at| scrape(at, Figures::default()));
        let calls = Durations::of(&history.case, Life { first: &first, last: &last }).calls;
        calls.iter().map(|call| call.surely).collect::<Vec<_>>()
    };
    let failed = || refused("ann", 1_000, 503);
    assert_eq!(surely(failed(), 5_000), [false]);
    assert_eq!([surely(failed(), 17_105), surely(failed(), 17_106)], [[false], [true]]);
    assert_eq!(surely(read("ann", 1_000), 5_000), [true], "it has ended");
    assert_eq!(surely(failed(), 3_000), [false; 0], "of another life");
}

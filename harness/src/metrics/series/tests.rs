//! What is pushed adds up, through restarts, several workers and what is sent twice; what does not is not told.

use super::super::point::{Point, Unit, What};
use super::*;

fn series() -> Series {
    Series::of(["a".to_owned()])
}

fn push(series: &mut Series, worker: &str, what: What) {
    let labels = vec![("worker".to_owned(), worker.to_owned())];
    series.take(Point::new("a".to_owned(), labels, Unit::Unsaid, what), Moment::ZERO);
}

fn counted(series: &Series) -> Read<f64> {
    series.since(Moment::ZERO).counted(&Selector::of_pushed("a").unwrap())
}

fn all(series: &Series) -> Read<Histogram> {
    series.since(Moment::ZERO).histogram(&Selector::of_pushed("a").unwrap(), Unit::Seconds)
}

fn stands(since: u64, at: u64, value: f64) -> What {
    What::Stands { since, at, value }
}

#[test]
fn a_whole_counts_through_restarts_workers_and_what_comes_late() {
    let mut series = series();
    push(&mut series, "1", stands(10, 20, 3.0));
    push(&mut series, "1", stands(10, 30, 5.0));
    push(&mut series, "1", stands(10, 20, 3.0));
    assert_eq!(counted(&series), Ok(Some(5.0)), "an older one has been overtaken");
    push(&mut series, "2", stands(11, 30, 4.0));
    assert_eq!(counted(&series), Ok(Some(9.0)));
    push(&mut series, "1", stands(40, 50, 1.0));
    assert_eq!(
        counted(&series),
        Ok(Some(10.0)),
        "a restart begins at zero, and nothing is forgotten"
    );
    push(&mut series, "1", stands(40, 60, 0.0));
    assert!(counted(&series).unwrap_err().contains("falls without a new start time"));
}

#[test]
fn a_gauge_is_no_counter_and_a_metric_without_the_label_counts_nothing() {
    let mut series = series();
    assert_eq!(counted(&series), Ok(None));
    push(&mut series, "1", What::Grown { by: 1.0, rate: 1.0 });
    let of = |text: &str| series.since(Moment::ZERO).counted(&Selector::of_pushed(text).unwrap());
    assert_eq!((of("a{worker=\"1\"}"), of("a{worker=\"2\"}")), (Ok(Some(1.0)), Ok(Some(0.0))));
    push(&mut series, "2", What::Now(1.0));
    assert!(counted(&series).unwrap_err().contains("pushed as a gauge"));
}

#[test]
fn growth_of_a_histogram_that_is_sent_twice_counts_once() {
    let mut series = series();
    let grown = |since, at, bound: f64| What::Histogram {
        since,
        at,
        cumulative: false,
        buckets: Buckets::Explicit { bounds: vec![bound], counts: vec![1.0, 2.0] },
    };
    push(&mut series, "1", grown(0, 10, 0.5));
    push(&mut series, "1", grown(0, 10, 0.5));
    push(&mut series, "1", grown(10, 20, 0.5));
    push(&mut series, "2", grown(0, 10, 0.5));
    let histogram = all(&series).unwrap().unwrap();
    assert_eq!((histogram.buckets, histogram.count), (vec![(0.5, 3.0)], 9.0));
    push(&mut series, "1", grown(20, 30, 0.7));
    assert!(all(&series).unwrap_err().contains("the bounds of its buckets change"));
}

#[test]
fn a_whole_histogram_replaces_the_one_before_and_a_restart_adds() {
    let mut series = series();
    let whole = |since, at, count: f64| What::Histogram {
        since,
        at,
        cumulative: true,
        buckets: Buckets::Explicit { bounds: vec![0.5], counts: vec![count, 0.0] },
    };
    for (since, at, count) in [(0, 10, 1.0), (0, 20, 4.0), (30, 40, 2.0)] {
        push(&mut series, "1", whole(since, at, count));
    }
    assert_eq!(all(&series).unwrap().unwrap().count, 6.0);
    push(&mut series, "1", whole(30, 50, 1.0));
    assert!(all(&series).is_err());
}

#[test]
fn what_the_system_threw_away_or_nobody_can_keep_is_not_told() {
    let mut series = series();
    push(&mut series, "1", What::Grown { by: 1.0, rate: 1.0 });
    series.pushed.lost = 2;
    assert!(counted(&series).unwrap_err().contains("thrown away 2 datagrams"));
    series.pushed.lost = 0;
    for worker in 0..MOST_SERIES {
        push(&mut series, &worker.to_string(), What::Grown { by: 1.0, rate: 1.0 });
    }
    assert!(counted(&series).is_ok());
    push(&mut series, "another", What::Grown { by: 1.0, rate: 1.0 });
    assert!(counted(&series).unwrap_err().contains("more than 10000 series"));
}

#[test]
fn a_summary_is_said_to_be_one() {
    let mut series = series();
    push(&mut series, "1", What::Quantiles);
    assert!(all(&series).unwrap_err().contains("summary"));
}

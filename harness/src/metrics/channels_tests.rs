//! The same history, told by each channel, comes to the same figures; and what a service gets wrong shows.

use super::point::Unit;
use super::*;
use mock_server::clock::Moment;
use std::fmt::Write;

/// Sixty attempts: outcome, and how many milliseconds each took. Every second one is a worker's, the others
/// another's.
fn history() -> Vec<(&'static str, u32)> {
    let attempt = |n: u32| match n % 10 {
        0 => ("timeout", 2_000),
        3 => ("auth", 12),
        _ => ("ok", 20 + n * 9),
    };
    (0..60).map(attempt).collect()
}

/// The bounds that services are given by the clients of Prometheus, in milliseconds.
const BOUNDS: [u32; 8] = [25, 50, 100, 250, 500, 1_000, 2_500, 5_000];

fn of_worker(worker: usize) -> Vec<(&'static str, u32)> {
    history().into_iter().enumerate().filter(|one| one.0 % 2 == worker).map(|one| one.1).collect()
}

fn counted(all: &[(&str, u32)], outcome: &str) -> usize {
    all.iter().filter(|one| one.0 == outcome).count()
}

fn between(all: &[(&str, u32)], low: u32, high: u32) -> usize {
    all.iter().filter(|one| low < one.1 && one.1 <= high).count()
}

fn names(channel: Channel, latency_unit: LatencyUnit) -> MetricNames {
    let outcome = |word| format!("attempts{{outcome=\"{word}\"}}");
    MetricNames {
        channel,
        latency_unit,
        timeouts: outcome("timeout"),
        auth_errors: outcome("auth"),
        latency: "latency".to_owned(),
        ..MetricNames::default()
    }
}

fn scraped() -> Figures {
    let mut text = String::new();
    for worker in 0..2 {
        let all = of_worker(worker);
        for outcome in ["ok", "timeout", "auth"] {
            let count = counted(&all, outcome);
            writeln!(text, "attempts{{outcome=\"{outcome}\",worker=\"{worker}\"}} {count}")
                .unwrap();
        }
        for bound in BOUNDS {
            let (count, seconds) = (between(&all, 0, bound), f64::from(bound) / 1e3);
            let bucket = format!("latency_bucket{{le=\"{seconds}\",worker=\"{worker}\"}}");
            writeln!(text, "{bucket} {count}").unwrap();
        }
        writeln!(text, "latency_bucket{{le=\"+Inf\",worker=\"{worker}\"}} {}", all.len()).unwrap();
    }
    let picks = Picks::of(&names(Channel::Prometheus, LatencyUnit::Seconds));
    picks.figures(&Exposition::parse(&text))
}

/// The figures of what a channel was told.
fn pushed(channel: Channel, unit: LatencyUnit, take: impl FnOnce(&mut Series)) -> Figures {
    let picks = Picks::of(&names(channel, unit));
    let mut series = Series::of(picks.names());
    take(&mut series);
    assert_eq!(series.pushed.malformed, 0);
    picks.figures(&series.since(Moment::ZERO))
}

fn datagrams(line: impl Fn(&str, u32) -> String) -> Figures {
    pushed(Channel::Dogstatsd, LatencyUnit::Seconds, |series| {
        for (outcome, took) in history() {
            dogstatsd::take(line(outcome, took).as_bytes(), Moment::ZERO, series);
        }
    })
}

/// An export in JSON; growth in halves, or the whole twice.
fn exported(is_cumulative: bool, unit: &str) -> Figures {
    pushed(Channel::Otlp, LatencyUnit::Seconds, |series| {
        for (worker, half) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let all = of_worker(worker);
            let part = match (is_cumulative, half) {
                (true, 0) => &all[..9],
                (true, _) => &all[..],
                (false, 0) => &all[..9],
                (false, _) => &all[9..],
            };
            let times = format!(
                "\"startTimeUnixNano\":\"{}\",\"timeUnixNano\":\"{}\"",
                if is_cumulative { 1 } else { 1 + half },
                2 + half
            );
            let of = |outcome: &str| {
                let count = counted(part, outcome);
                format!(
                    "{{{times},\"asInt\":\"{count}\",\"attributes\":[{{\"key\":\"outcome\",\
                     \"value\":{{\"stringValue\":\"{outcome}\"}}}}]}}"
                )
            };
            let mut low = 0;
            let mut counts: Vec<usize> = BOUNDS
                .map(|bound| between(part, std::mem::replace(&mut low, bound), bound))
                .to_vec();
            counts.push(between(part, low, u32::MAX));
            let temporality = if is_cumulative { 2 } else { 1 };
            let points = ["ok", "timeout", "auth"].map(of).join(",");
            let body = format!(
                "{{\"resourceMetrics\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"service.instance.id\",\
                 \"value\":{{\"intValue\":\"{worker}\"}}}}]}},\"scopeMetrics\":[{{\"metrics\":[\
                 {{\"name\":\"attempts\",\"sum\":{{\"aggregationTemporality\":{temporality},\
                 \"isMonotonic\":true,\"dataPoints\":[{points}]}}}},\
                 {{\"name\":\"latency\",\"unit\":\"{unit}\",\"histogram\":{{\
                 \"aggregationTemporality\":{temporality},\"dataPoints\":[{{{times},\"count\":\"{}\",\
                 \"explicitBounds\":{BOUNDS:?},\"bucketCounts\":{counts:?}}}]}}}}]}}]}}]}}",
                part.len()
            );
            assert!(otlp::take(body.as_bytes(), otlp::Form::Json, Moment::ZERO, series));
        }
    })
}

fn put() -> Figures {
    pushed(Channel::Cloudwatch, LatencyUnit::Seconds, |series| {
        for (outcome, took) in history() {
            let body = format!(
                "{{\"Namespace\":\"Page\",\"MetricData\":[{{\"MetricName\":\"attempts\",\"Value\":1,\
                 \"Unit\":\"Count\",\"Dimensions\":[{{\"Name\":\"outcome\",\"Value\":\"{outcome}\"}}]}},\
                 {{\"MetricName\":\"latency\",\"Value\":{took},\"Unit\":\"Milliseconds\"}}]}}"
            );
            assert!(cloudwatch::take(
                body.as_bytes(),
                cloudwatch::Form::Json,
                Moment::ZERO,
                series
            ));
        }
    })
}

/// How many were counted, and how many of them up to each of the usual bounds.
fn told(figures: &Figures) -> (Option<f64>, Option<f64>, f64, Vec<Option<f64>>) {
    let latency = figures.latency.as_ref().unwrap();
    let up_to = |bound: u32| {
        let seconds = Unit::Milliseconds.seconds(f64::from(bound));
        let found = latency.buckets.iter().find(|one| one.0.total_cmp(&seconds).is_eq());
        found.map(|one| one.1)
    };
    (figures.timeouts, figures.auth_errors, latency.count, BOUNDS.map(up_to).to_vec())
}

#[test]
fn each_channel_tells_of_a_lawful_history_what_a_scrape_tells() {
    let scrape = told(&scraped());
    assert_eq!((scrape.0, scrape.1, scrape.2), (Some(6.0), Some(6.0), 60.0));
    assert!(scrape.3.iter().all(Option::is_some));
    let timers =
        datagrams(|outcome, took| format!("attempts:1|c|#outcome:{outcome}\nlatency:{took}|ms"));
    let distributions = datagrams(|outcome, took| {
        let seconds = f64::from(took) / 1e3;
        format!("latency:{seconds}|d|#outcome:{outcome}\nattempts:1|c|#route:me,outcome:{outcome}")
    });
    for figures in [timers, distributions, exported(true, "ms"), exported(false, "ms"), put()] {
        assert_eq!((told(&figures), &figures.unread), (scrape.clone(), &BTreeMap::new()));
    }
}

#[test]
fn seconds_that_are_sent_as_milliseconds_are_in_the_wrong_buckets() {
    let truth = told(&scraped()).3;
    let short = datagrams(|_, took| format!("latency:{}|ms", f64::from(took) / 1e3));
    assert_eq!(told(&short).3, BOUNDS.map(|_| Some(60.0)), "all within 25 ms");
    // Milliseconds without a unit, where the configuration says seconds.
    for long in [datagrams(|_, took| format!("latency:{took}|h")), exported(true, "")] {
        let up_to = |bound: f64| {
            let buckets = &long.latency.as_ref().unwrap().buckets;
            buckets.iter().filter(|one| one.0 <= bound).map(|one| one.1).fold(0.0, f64::max)
        };
        assert_eq!(up_to(5.0), 0.0, "none within 5 s");
    }
    assert_ne!(truth, BOUNDS.map(|_| Some(60.0)));
}

#[test]
fn what_comes_without_its_tag_is_not_counted_for_it() {
    let untagged = datagrams(|_, took| format!("attempts:1|c|#route:me\nlatency:{took}|ms"));
    assert_eq!((untagged.timeouts, untagged.auth_errors), (Some(0.0), Some(0.0)));
}

#[test]
fn one_in_ten_that_is_sent_as_the_whole_is_too_few_and_with_its_rate_an_estimate() {
    let nth = std::cell::Cell::new(0);
    let sampled = |rate: &'static str| {
        nth.set(0);
        datagrams(|outcome, took| {
            nth.set(nth.get() + 1);
            let counter = format!("attempts:1|c{rate}|#outcome:{outcome}\n");
            let counter = if nth.get() % 10 == 1 { counter } else { String::new() };
            format!("{counter}latency:{took}|ms")
        })
    };
    // All of these are timeouts: six, and no refusal at all of the six.
    assert_eq!(sampled("").auth_errors, Some(0.0));
    let told = sampled("|@0.1");
    // Of what is sampled nobody knows either that it never happened.
    assert_eq!((told.timeouts, told.auth_errors), (None, None));
    let why = &told.unread["timeouts"];
    assert!(why.contains("sampled at 0.1: that it counts 60 is an estimate"), "{why}");
}

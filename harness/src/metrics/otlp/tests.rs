//! Exports as the exporters of Node (JSON) and Python (protobuf) write them.

use super::*;
use crate::metrics::{Reading, Selector};
use proptest::prelude::*;
use wire::{
    ExponentialHistogram, Gauge, Histogram, PowerBuckets, Resource, ResourceMetrics, ScopeMetrics,
    Sum,
};

fn series() -> Series {
    Series::of(["http.errors".to_owned(), "http.latency".to_owned(), "key.age".to_owned()])
}

fn selector(text: &str) -> Selector {
    Selector::of_pushed(text).unwrap()
}

fn counted(series: &Series, text: &str) -> Result<Option<f64>, String> {
    series.since(Moment::ZERO).counted(&selector(text))
}

fn latency(series: &Series) -> Result<scenarios::observed::Histogram, String> {
    let standing = series.since(Moment::ZERO);
    standing.histogram(&selector("http.latency"), Unit::Seconds).map(Option::unwrap)
}

/// As the SDK of JavaScript writes it: whole numbers of 64 bits as texts or numbers, names in camel case.
const JSON: &str = r#"{"resourceMetrics":[{"resource":{"attributes":[
    {"key":"service.instance.id","value":{"stringValue":"w1"}}],"droppedAttributesCount":0},
  "scopeMetrics":[{"scope":{"name":"app"},"metrics":[
    {"name":"http.errors","description":"","unit":"","sum":{"aggregationTemporality":2,"isMonotonic":true,
      "dataPoints":[{"attributes":[{"key":"status","value":{"intValue":"429"}}],
        "startTimeUnixNano":"1700000000000000000","timeUnixNano":"1700000001000000000","asInt":"3"},
        {"attributes":[{"key":"status","value":{"intValue":500}}],
        "startTimeUnixNano":1700000000000000000,"timeUnixNano":1700000001000000000,"asDouble":2}]}},
    {"name":"http.latency","unit":"ms","histogram":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE",
      "dataPoints":[{"attributes":[],"startTimeUnixNano":"1","timeUnixNano":"2","count":"6","sum":9.5,
        "min":1,"max":900,"bucketCounts":["1",2,"3"],"explicitBounds":[100,500]}]}},
    {"name":"key.age","unit":"h","gauge":{"dataPoints":[{"attributes":[],"timeUnixNano":"2","asDouble":1.5}]}},
    {"name":"other","summary":{"dataPoints":[]}}]}]}]}"#;

#[test]
fn what_the_node_exporter_posts_is_read_with_its_units() {
    let mut series = series();
    assert!(take(JSON.as_bytes(), Form::Json, Moment::ZERO, &mut series));
    assert_eq!(counted(&series, "http.errors"), Ok(Some(5.0)));
    assert_eq!(counted(&series, "http.errors{status=\"429\"}"), Ok(Some(3.0)));
    assert_eq!(counted(&series, "http.errors{service.instance.id=\"w1\"}"), Ok(Some(5.0)));
    let latency = latency(&series).unwrap();
    assert_eq!((latency.buckets, latency.count), (vec![(0.1, 1.0), (0.5, 3.0)], 6.0));
    let age = series.since(Moment::ZERO).greatest(&selector("key.age"));
    assert_eq!((age, series.pushed.malformed), (Ok(Some(5_400.0)), 0));
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { string_value: Some(value.to_owned()), ..AnyValue::default() };
    KeyValue { key: key.to_owned(), value: Some(value) }
}

fn export(workers: &[(&str, Metric)]) -> Export {
    let of = |(worker, metric): &(&str, Metric)| ResourceMetrics {
        resource: Some(Resource { attributes: vec![attribute("service.instance.id", worker)] }),
        scope_metrics: vec![ScopeMetrics { metrics: vec![metric.clone()] }],
    };
    Export { resource_metrics: workers.iter().map(of).collect() }
}

fn errors(temporality: i32, since: u64, at: u64, count: i64) -> Metric {
    let point = NumberPoint {
        start_time_unix_nano: since,
        time_unix_nano: at,
        as_int: Some(count),
        ..NumberPoint::default()
    };
    let sum =
        Sum { data_points: vec![point], aggregation_temporality: temporality, is_monotonic: true };
    Metric { name: "http.errors".to_owned(), sum: Some(sum), ..Metric::default() }
}

fn taken(series: &mut Series, export: &Export) {
    assert!(take(&export.encode_to_vec(), Form::Protobuf, Moment::ZERO, series));
}

#[test]
fn in_protobuf_workers_and_restarts_add_up_in_either_temporality() {
    let mut whole = series();
    taken(&mut whole, &export(&[("1", errors(2, 10, 20, 3)), ("2", errors(2, 10, 20, 4))]));
    taken(&mut whole, &export(&[("1", errors(2, 10, 30, 5)), ("2", errors(2, 25, 30, 1))]));
    assert_eq!(counted(&whole, "http.errors"), Ok(Some(10.0)));
    let mut growth = series();
    taken(&mut growth, &export(&[("1", errors(1, 10, 20, 3)), ("2", errors(1, 10, 20, 4))]));
    taken(&mut growth, &export(&[("1", errors(1, 20, 30, 2))]));
    assert_eq!(counted(&growth, "http.errors"), Ok(Some(9.0)));
    assert_eq!(counted(&growth, "http.errors{service.instance.id=\"2\"}"), Ok(Some(4.0)));
}

#[test]
fn powers_are_bounds() {
    // At scale 0: (0.25, 0.5] from power -2, (0.5, 1] from -1, nothing, (2, 4].
    let point = ExponentialPoint {
        count: 8,
        scale: 0,
        zero_count: 1,
        positive: Some(PowerBuckets { offset: -2, bucket_counts: vec![2, 1, 0, 4] }),
        ..ExponentialPoint::default()
    };
    let of = |scale| {
        let histogram = ExponentialHistogram {
            data_points: vec![ExponentialPoint { scale, ..point.clone() }],
            aggregation_temporality: 2,
        };
        let metric = Metric {
            name: "http.latency".to_owned(),
            unit: "s".to_owned(),
            exponential_histogram: Some(histogram),
            ..Metric::default()
        };
        let mut series = series();
        taken(&mut series, &export(&[("1", metric)]));
        (latency(&series), series.pushed.malformed)
    };
    let (told, _) = of(0);
    let told = told.unwrap();
    let up_to = |bound: f64| told.buckets.iter().find(|one| one.0 == bound).unwrap().1;
    assert_eq!([0.25, 0.5, 1.0, 2.0, 4.0].map(up_to), [1.0, 3.0, 4.0, 4.0, 8.0]);
    assert_eq!(told.count, 8.0);
}

#[test]
fn points_that_make_no_sense_are_counted_and_the_others_are_read() {
    let check = |metric: Metric| {
        let mut series = series();
        taken(&mut series, &export(&[("1", metric), ("2", errors(2, 0, 1, 7))]));
        assert_eq!((counted(&series, "http.errors"), series.pushed.malformed), (Ok(Some(7.0)), 1));
    };
    check(errors(0, 0, 1, 1));
    let named = |gauge, histogram, exponential_histogram| Metric {
        name: "http.latency".to_owned(),
        gauge,
        histogram,
        exponential_histogram,
        ..Metric::default()
    };
    check(named(Some(Gauge { data_points: vec![NumberPoint::default()] }), None, None));
    for (bounds, counts) in
        [(vec![2.0, 1.0], vec![1, 1, 1]), (vec![1.0], vec![1]), (vec![f64::NAN], vec![1, 1])]
    {
        let point = wire::HistogramPoint {
            explicit_bounds: bounds,
            bucket_counts: counts,
            ..HistogramPoint::default()
        };
        let histogram = Histogram { data_points: vec![point], aggregation_temporality: 2 };
        check(named(None, Some(histogram), None));
    }
    for (scale, offset) in [(99, 0), (0, i32::MAX)] {
        let positive = Some(PowerBuckets { offset, bucket_counts: vec![1, 1] });
        let point = ExponentialPoint { scale, positive, ..ExponentialPoint::default() };
        let histogram =
            ExponentialHistogram { data_points: vec![point], aggregation_temporality: 2 };
        check(named(None, None, Some(histogram)));
    }
}

#[test]
fn what_nobody_can_read_is_counted_and_refused() {
    let mut series = series();
    for body in ["", "[1]", "{\"resourceMetrics\":1}", "\u{ff}"] {
        assert!(!take(body.as_bytes(), Form::Json, Moment::ZERO, &mut series), "{body}");
    }
    assert!(!take(b"\xff\xff\xff", Form::Protobuf, Moment::ZERO, &mut series));
    assert_eq!((series.pushed.malformed, series.pushed.messages), (5, 5));
    // No metric at all is an export, too.
    assert!(take(b"", Form::Protobuf, Moment::ZERO, &mut series));
    assert!(take(b"{}", Form::Json, Moment::ZERO, &mut series));
}

proptest! {
    /// Whatever comes, the next export is read.
    #[test]
    fn any_export_is_taken(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in 0..400_usize,
        with in any::<u8>(),
    ) {
        let mut own = series();
        take(&bytes, Form::Json, Moment::ZERO, &mut own);
        take(&bytes, Form::Protobuf, Moment::ZERO, &mut own);
        // One that is nearly right, in each form.
        let mut binary = export(&[("1", errors(2, 0, 1, 7))]).encode_to_vec();
        let mut text = JSON.as_bytes().to_vec();
        for (body, form) in [(&mut binary, Form::Protobuf), (&mut text, Form::Json)] {
            let at = at % body.len();
            body[at] = with;
            take(body, form, Moment::ZERO, &mut own);
            let _ = latency_of(&own);
        }
        let mut own = series();
        taken(&mut own, &export(&[("1", errors(2, 0, 1, 7))]));
        prop_assert_eq!(counted(&own, "http.errors"), Ok(Some(7.0)));
    }
}

fn latency_of(series: &Series) -> Result<Option<scenarios::observed::Histogram>, String> {
    series.since(Moment::ZERO).histogram(&selector("http.latency"), Unit::Unsaid)
}

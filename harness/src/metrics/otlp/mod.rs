//! OTLP over HTTP (`POST /v1/metrics`), in JSON or protobuf.
//!
//! Sums and histograms are read whether they tell growth or the whole, with bounds of their own or powers;
//! a whole that begins at another time is another process, or the same after a restart, and is added. What is
//! said of a process (`service.instance.id`) is a label of all its series, unless a point says otherwise.
//! <https://opentelemetry.io/docs/specs/otel/metrics/data-model/>

mod wire;

use super::buckets::Buckets;
use super::point::{Point, Unit, What};
use super::series::Series;
use mock_server::clock::Moment;
use prost::Message;
use std::collections::BTreeMap;
use wire::{AnyValue, ExponentialPoint, Export, HistogramPoint, KeyValue, Metric, NumberPoint};

/// In which form an export comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/json`.
    Json,
    /// `application/x-protobuf`.
    Protobuf,
}

/// Points of no value have this flag.
const NO_VALUE: u32 = 1;
const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;

/// Takes one export; whether it could be read. A point that makes no sense is malformed by itself.
pub fn take(body: &[u8], form: Form, at: Moment, series: &mut Series) -> bool {
    series.pushed.messages += 1;
    let export = match form {
        Form::Json => serde_json::from_slice(body).ok(),
        Form::Protobuf => Export::decode(body).ok(),
    };
    let Some(export) = export else {
        series.pushed.malformed += 1;
        return false;
    };
    for of_resource in export.resource_metrics {
        let resource = of_resource.resource.unwrap_or_default().attributes;
        for metric in of_resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
            if series.wants(&metric.name) {
                take_metric(metric, &resource, at, series);
            }
        }
    }
    true
}

fn take_metric(metric: Metric, resource: &[KeyValue], at: Moment, series: &mut Series) {
    let Metric { name, unit, gauge, sum, histogram, exponential_histogram, summary } = metric;
    let mut add = |attributes: &[KeyValue], flags: u32, what: Option<What>| {
        if flags & NO_VALUE != 0 {
            return;
        }
        let Some(what) = what else {
            series.pushed.malformed += 1;
            return;
        };
        let labels = labels(resource, attributes);
        series.take(Point::new(name.clone(), labels, Unit::named(&unit), what), at);
    };
    for point in gauge.unwrap_or_default().data_points {
        add(&point.attributes, point.flags, number(&point).map(What::Now));
    }
    let sum = sum.unwrap_or_default();
    for point in sum.data_points {
        let value = number(&point);
        let (since, at) = (point.start_time_unix_nano, point.time_unix_nano);
        let what = value.and_then(|value| match (sum.aggregation_temporality, sum.is_monotonic) {
            (CUMULATIVE, true) => Some(What::Stands { since, at, value }),
            (CUMULATIVE, false) => Some(What::Now(value)),
            (DELTA, _) => Some(What::Grown { by: value, rate: 1.0 }),
            _ => None,
        });
        add(&point.attributes, point.flags, what);
    }
    let histogram = histogram.unwrap_or_default();
    for point in histogram.data_points {
        let cumulative = is_cumulative(histogram.aggregation_temporality);
        let (since, at) = (point.start_time_unix_nano, point.time_unix_nano);
        let what = cumulative.zip(explicit(&point)).map(|(cumulative, buckets)| What::Histogram {
            since,
            at,
            cumulative,
            buckets,
        });
        add(&point.attributes, point.flags, what);
    }
    let histogram = exponential_histogram.unwrap_or_default();
    for point in histogram.data_points {
        let cumulative = is_cumulative(histogram.aggregation_temporality);
        let (since, at) = (point.start_time_unix_nano, point.time_unix_nano);
        let what = cumulative
            .zip(exponential(&point))
            .map(|(cumulative, buckets)| What::Histogram { since, at, cumulative, buckets });
        add(&point.attributes, point.flags, what);
    }
    for point in summary.unwrap_or_default().data_points {
        add(&point.attributes, 0, Some(What::Quantiles));
    }
}

fn is_cumulative(temporality: i32) -> Option<bool> {
    match temporality {
        DELTA => Some(false),
        CUMULATIVE => Some(true),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss)] // counts of a run are far below 2^52
fn number(point: &NumberPoint) -> Option<f64> {
    let whole = point.as_int.map(|whole| whole as f64);
    point.as_double.or(whole).filter(|value| value.is_finite())
}

/// The bounds with what lies between them; without any, one bucket that holds all.
#[allow(clippy::cast_precision_loss)]
fn explicit(point: &HistogramPoint) -> Option<Buckets> {
    let bounds = point.explicit_bounds.clone();
    let mut counts: Vec<f64> = point.bucket_counts.iter().map(|count| *count as f64).collect();
    if counts.is_empty() && bounds.is_empty() {
        counts.push(point.count as f64);
    }
    let is_in_order = bounds.is_sorted_by(|one, next| one < next);
    let fits = counts.len() == bounds.len() + 1 && bounds.iter().all(|bound| bound.is_finite());
    (is_in_order && fits).then_some(Buckets::Explicit { bounds, counts })
}

/// Scales beyond those that the specification allows make no sense.
const SCALES: std::ops::RangeInclusive<i32> = -10..=20;

#[allow(clippy::cast_precision_loss)]
fn exponential(point: &ExponentialPoint) -> Option<Buckets> {
    let negative = point.negative.iter().flat_map(|negative| &negative.bucket_counts);
    let below = point.zero_count as f64 + negative.map(|count| *count as f64).sum::<f64>();
    let positive = point.positive.clone().unwrap_or_default();
    let mut counts = BTreeMap::new();
    for (nth, count) in positive.bucket_counts.iter().enumerate() {
        if *count > 0 {
            let power = positive.offset.checked_add(i32::try_from(nth).ok()?)?;
            counts.insert(power, *count as f64);
        }
    }
    let (scale, threshold) = (point.scale, point.zero_threshold);
    let makes_sense = SCALES.contains(&scale) && threshold.is_finite();
    makes_sense.then_some(Buckets::Exponential { scale, counts, below, threshold })
}

/// What is said of the point, and of its process where the point says nothing.
fn labels(resource: &[KeyValue], own: &[KeyValue]) -> Vec<(String, String)> {
    let of_resource =
        resource.iter().filter(|one| !own.iter().any(|attribute| attribute.key == one.key));
    own.iter().chain(of_resource).filter_map(label).collect()
}

fn label(attribute: &KeyValue) -> Option<(String, String)> {
    let AnyValue { string_value, bool_value, int_value, double_value } = attribute.value.clone()?;
    let value = string_value
        .or(bool_value.map(|value| value.to_string()))
        .or(int_value.map(|value| value.to_string()))
        .or(double_value.map(|value| value.to_string()))?;
    Some((attribute.key.clone(), value))
}

#[cfg(test)]
mod tests;

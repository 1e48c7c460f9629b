//! The messages of an export of metrics, as far as they are read: one shape for protobuf and for JSON.
//!
//! Field numbers and names are those of `opentelemetry/proto/metrics/v1/metrics.proto` (1.x). What is one of
//! several there is optional here, which are the same bytes. In JSON 64-bit numbers are texts.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;

/// What is posted.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Export {
    /// By process.
    #[prost(message, repeated, tag = "1")]
    pub resource_metrics: Vec<ResourceMetrics>,
}

/// All of one process.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceMetrics {
    /// Which it is.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// By library.
    #[prost(message, repeated, tag = "2")]
    pub scope_metrics: Vec<ScopeMetrics>,
}

/// A process.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resource {
    /// What is said of it.
    #[prost(message, repeated, tag = "1")]
    pub attributes: Vec<KeyValue>,
}

/// All of one library.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScopeMetrics {
    /// Its metrics.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
}

/// A metric, of one of these kinds.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metric {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its unit, in UCUM.
    #[prost(string, tag = "3")]
    pub unit: String,
    /// A gauge.
    #[prost(message, optional, tag = "5")]
    pub gauge: Option<Gauge>,
    /// A counter, if it only grows.
    #[prost(message, optional, tag = "7")]
    pub sum: Option<Sum>,
    /// A histogram.
    #[prost(message, optional, tag = "9")]
    pub histogram: Option<Histogram>,
    /// A histogram whose bounds are powers.
    #[prost(message, optional, tag = "10")]
    pub exponential_histogram: Option<ExponentialHistogram>,
    /// A summary.
    #[prost(message, optional, tag = "11")]
    pub summary: Option<Summary>,
}

/// A gauge.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Gauge {
    /// Its points.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<NumberPoint>,
}

/// A sum.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sum {
    /// Its points.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<NumberPoint>,
    /// 1 for growth, 2 for the whole.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "temporality")]
    pub aggregation_temporality: i32,
    /// Whether it only grows.
    #[prost(bool, tag = "3")]
    pub is_monotonic: bool,
}

/// A histogram.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Histogram {
    /// Its points.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<HistogramPoint>,
    /// 1 for growth, 2 for the whole.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "temporality")]
    pub aggregation_temporality: i32,
}

/// A histogram whose bounds are powers.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExponentialHistogram {
    /// Its points.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<ExponentialPoint>,
    /// 1 for growth, 2 for the whole.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "temporality")]
    pub aggregation_temporality: i32,
}

/// A summary, of which nothing but its series is read.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Summary {
    /// Its points.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<SummaryPoint>,
}

/// A number.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NumberPoint {
    /// Its labels.
    #[prost(message, repeated, tag = "7")]
    pub attributes: Vec<KeyValue>,
    /// Since when.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "whole")]
    pub start_time_unix_nano: u64,
    /// When.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "whole")]
    pub time_unix_nano: u64,
    /// With a fraction.
    #[prost(double, optional, tag = "4")]
    #[serde(deserialize_with = "maybe_number")]
    pub as_double: Option<f64>,
    /// Or whole.
    #[prost(sfixed64, optional, tag = "6")]
    #[serde(deserialize_with = "maybe_whole")]
    pub as_int: Option<i64>,
    /// 1 where there is no value.
    #[prost(uint32, tag = "8")]
    pub flags: u32,
}

/// A histogram's buckets.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HistogramPoint {
    /// Its labels.
    #[prost(message, repeated, tag = "9")]
    pub attributes: Vec<KeyValue>,
    /// Since when.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "whole")]
    pub start_time_unix_nano: u64,
    /// When.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "whole")]
    pub time_unix_nano: u64,
    /// All observations.
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "whole")]
    pub count: u64,
    /// In each bucket; none at all where only their number is sent.
    #[prost(fixed64, repeated, tag = "6")]
    #[serde(deserialize_with = "wholes")]
    pub bucket_counts: Vec<u64>,
    /// Between them.
    #[prost(double, repeated, tag = "7")]
    #[serde(deserialize_with = "numbers")]
    pub explicit_bounds: Vec<f64>,
    /// 1 where there is no value.
    #[prost(uint32, tag = "10")]
    pub flags: u32,
}

/// A histogram's buckets whose bounds are powers.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExponentialPoint {
    /// Its labels.
    #[prost(message, repeated, tag = "1")]
    pub attributes: Vec<KeyValue>,
    /// Since when.
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "whole")]
    pub start_time_unix_nano: u64,
    /// When.
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "whole")]
    pub time_unix_nano: u64,
    /// All observations.
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "whole")]
    pub count: u64,
    /// The base is 2^(2^-scale).
    #[prost(sint32, tag = "6")]
    pub scale: i32,
    /// Observations of nearly nothing.
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "whole")]
    pub zero_count: u64,
    /// Above zero.
    #[prost(message, optional, tag = "8")]
    pub positive: Option<PowerBuckets>,
    /// Below zero.
    #[prost(message, optional, tag = "9")]
    pub negative: Option<PowerBuckets>,
    /// 1 where there is no value.
    #[prost(uint32, tag = "10")]
    pub flags: u32,
    /// Up to where nearly nothing goes.
    #[prost(double, tag = "14")]
    #[serde(deserialize_with = "number")]
    pub zero_threshold: f64,
}

/// Neighbouring buckets.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PowerBuckets {
    /// The power at which the first one begins.
    #[prost(sint32, tag = "1")]
    pub offset: i32,
    /// Observations in each.
    #[prost(uint64, repeated, tag = "2")]
    #[serde(deserialize_with = "wholes")]
    pub bucket_counts: Vec<u64>,
}

/// A summary's series.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SummaryPoint {
    /// Its labels.
    #[prost(message, repeated, tag = "7")]
    pub attributes: Vec<KeyValue>,
}

/// A label.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KeyValue {
    /// Its name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Its value.
    #[prost(message, optional, tag = "2")]
    pub value: Option<AnyValue>,
}

/// A value, of one of these kinds; lists and bytes are no labels.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnyValue {
    /// A text.
    #[prost(string, optional, tag = "1")]
    pub string_value: Option<String>,
    /// Yes or no.
    #[prost(bool, optional, tag = "2")]
    pub bool_value: Option<bool>,
    /// A whole number.
    #[prost(int64, optional, tag = "3")]
    #[serde(deserialize_with = "maybe_whole")]
    pub int_value: Option<i64>,
    /// A number.
    #[prost(double, optional, tag = "4")]
    #[serde(deserialize_with = "maybe_number")]
    pub double_value: Option<f64>,
}

/// A number, or a text that is one.
fn parsed<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

fn of<'de, D: Deserializer<'de>, T: std::str::FromStr>(from: D) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    parsed(&value).ok_or_else(|| D::Error::custom(format!("{value} is no such number")))
}

fn maybe<'de, D: Deserializer<'de>, T: std::str::FromStr>(from: D) -> Result<Option<T>, D::Error> {
    let value = Option::<Value>::deserialize(from)?;
    let number = |value: Value| parsed(&value).ok_or_else(|| D::Error::custom("no such number"));
    value.map(number).transpose()
}

fn list<'de, D: Deserializer<'de>, T: std::str::FromStr>(from: D) -> Result<Vec<T>, D::Error> {
    let values = Vec::<Value>::deserialize(from)?;
    let all: Option<Vec<T>> = values.iter().map(parsed).collect();
    all.ok_or_else(|| D::Error::custom("the list holds what is no such number"))
}

fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    of(from)
}

fn maybe_whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    maybe(from)
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    of(from)
}

fn maybe_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    maybe(from)
}

fn wholes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u64>, D::Error> {
    list(from)
}

fn numbers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    list(from)
}

/// By its number, as the specification asks for, or by its name.
fn temporality<'de, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
    match Value::deserialize(from)? {
        Value::String(name) if name.ends_with("_DELTA") => Ok(1),
        Value::String(name) if name.ends_with("_CUMULATIVE") => Ok(2),
        value => parsed(&value).ok_or_else(|| D::Error::custom("no temporality")),
    }
}

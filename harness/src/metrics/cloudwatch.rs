//! CloudWatch's `PutMetricData`, in JSON (`application/x-amz-json-1.0`) and in the query form of older SDKs.
//!
//! CloudWatch has no types: a value is an observation, the sum of all is what a counter has counted, and the
//! last one is what a gauge says. `Values` with `Counts` are as many observations; a statistic set is a sum,
//! and no histogram unless it leaves nothing open. Dimensions are labels, and so is the `Namespace`.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>

use super::point::{Point, Unit, What};
use super::series::Series;
use mock_server::clock::Moment;
use serde::Deserialize;
use std::collections::BTreeMap;

/// In which form a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/x-amz-json-1.0`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Query,
}

/// Data of one request that AWS takes.
const MOST_DATA: usize = 1_000;
/// Values of one datum that AWS takes.
const MOST_VALUES: usize = 150;
/// Dimensions of one datum that AWS takes.
const MOST_DIMENSIONS: usize = 30;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    namespace: String,
    #[serde(default)]
    metric_data: Vec<Datum>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Datum {
    metric_name: String,
    dimensions: Vec<Dimension>,
    value: Option<f64>,
    values: Vec<f64>,
    counts: Vec<f64>,
    statistic_values: Option<Statistics>,
    unit: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Dimension {
    name: String,
    value: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statistics {
    sample_count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
}

/// Takes one request; whether AWS would: all of it, or nothing.
pub fn take(body: &[u8], form: Form, at: Moment, series: &mut Series) -> bool {
    series.pushed.messages += 1;
    let put = match form {
        Form::Json => serde_json::from_slice(body).ok(),
        Form::Query => queried(body),
    };
    let Some(points) = put.and_then(points) else {
        series.pushed.malformed += 1;
        return false;
    };
    for point in points {
        series.take(point, at);
    }
    true
}

fn points(put: Put) -> Option<Vec<Point>> {
    let Put { namespace, metric_data } = put;
    if namespace.is_empty() || metric_data.len() > MOST_DATA {
        return None;
    }
    let point = |datum: Datum| {
        let what = what(&datum)?;
        let mut labels: Vec<_> =
            datum.dimensions.into_iter().map(|one| (one.name, one.value)).collect();
        labels.push(("Namespace".to_owned(), namespace.clone()));
        let named = !datum.metric_name.is_empty() && labels.len() <= MOST_DIMENSIONS + 1;
        let unit = Unit::named(&datum.unit);
        named.then(|| Point::new(datum.metric_name, labels, unit, what))
    };
    metric_data.into_iter().map(point).collect()
}

fn what(datum: &Datum) -> Option<What> {
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    match (datum.value, &datum.values[..], datum.statistic_values) {
        (Some(value), [], None) if value.is_finite() => {
            Some(What::Observed { values: vec![(value, 1.0)], rate: 1.0, untyped: true })
        }
        (None, values @ [_, ..], None) if values.len() <= MOST_VALUES && finite(values) => {
            let counts = match &datum.counts[..] {
                [] => vec![1.0; values.len()],
                counts => counts.to_vec(),
            };
            let counts_fit = counts.len() == values.len()
                && counts.iter().all(|count| count.is_finite() && *count >= 0.0);
            let values = values.iter().copied().zip(counts).collect();
            counts_fit.then_some(What::Observed { values, rate: 1.0, untyped: true })
        }
        (None, [], Some(Statistics { sample_count: count, sum, minimum: min, maximum: max })) => {
            let makes_sense = finite(&[count, sum, min, max]) && count >= 1.0 && min <= max;
            makes_sense.then_some(What::Summed { count, sum, min, max })
        }
        _ => None,
    }
}

/// The query form: `MetricData.member.1.Dimensions.member.2.Name=…`, numbered from 1.
fn queried(body: &[u8]) -> Option<Put> {
    let mut put = Put { namespace: String::new(), metric_data: Vec::new() };
    let mut data: BTreeMap<usize, Named> = BTreeMap::new();
    let mut asks = false;
    for (key, value) in form_urlencoded::parse(body) {
        match key.as_ref() {
            "Action" => asks = value == "PutMetricData",
            "Namespace" => put.namespace = value.into_owned(),
            key => {
                let Some((nth, rest)) = member(key, "MetricData") else { continue };
                let len = data.len();
                let datum = data.entry(nth).or_default();
                if len > MOST_DATA {
                    return None;
                }
                datum.set(rest, &value)?;
            }
        }
    }
    put.metric_data = data.into_values().map(Named::datum).collect();
    asks.then_some(put)
}

/// A datum whose lists come with numbers.
#[derive(Default)]
struct Named {
    datum: Datum,
    dimensions: BTreeMap<usize, Dimension>,
    values: BTreeMap<usize, f64>,
    counts: BTreeMap<usize, f64>,
    statistics: [Option<f64>; 4],
}

/// The number after a list's name, and what follows: `MetricData.member.1.Value`.
fn member<'k>(key: &'k str, list: &str) -> Option<(usize, &'k str)> {
    let rest = key.strip_prefix(list)?.strip_prefix(".member.")?;
    let (nth, rest) = rest.split_once('.').unwrap_or((rest, ""));
    Some((nth.parse().ok()?, rest))
}

impl Named {
    /// None for what makes no sense; what is not read is passed over.
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        let number = || value.parse::<f64>().ok();
        match key {
            "MetricName" => value.clone_into(&mut self.datum.metric_name),
            "Unit" => value.clone_into(&mut self.datum.unit),
            "Value" => self.datum.value = Some(number()?),
            "StatisticValues.SampleCount" => self.statistics[0] = Some(number()?),
            "StatisticValues.Sum" => self.statistics[1] = Some(number()?),
            "StatisticValues.Minimum" => self.statistics[2] = Some(number()?),
            "StatisticValues.Maximum" => self.statistics[3] = Some(number()?),
            _ => {
                if let Some((nth, "")) = member(key, "Values") {
                    self.values.insert(nth, number()?);
                } else if let Some((nth, "")) = member(key, "Counts") {
                    self.counts.insert(nth, number()?);
                } else if let Some((nth, rest)) = member(key, "Dimensions") {
                    let dimension = self.dimensions.entry(nth).or_default();
                    match rest {
                        "Name" => value.clone_into(&mut dimension.name),
                        "Value" => value.clone_into(&mut dimension.value),
                        _ => {}
                    }
                }
            }
        }
        Some(())
    }

    fn datum(self) -> Datum {
        let statistic_values = match self.statistics {
            [Some(sample_count), Some(sum), Some(minimum), Some(maximum)] => {
                Some(Statistics { sample_count, sum, minimum, maximum })
            }
            _ => None,
        };
        Datum {
            dimensions: self.dimensions.into_values().collect(),
            values: self.values.into_values().collect(),
            counts: self.counts.into_values().collect(),
            statistic_values,
            ..self.datum
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Reading, Selector};
    use proptest::prelude::*;

    fn series() -> Series {
        Series::of(["Errors".to_owned(), "Latency".to_owned()])
    }

    fn json(data: &str) -> String {
        format!("{{\"Namespace\":\"Page\",\"MetricData\":{data}}}")
    }

    fn counted(series: &Series, selector: &str) -> Result<Option<f64>, String> {
        series.since(Moment::ZERO).counted(&Selector::of_pushed(selector).unwrap())
    }

    fn latency(series: &Series) -> Result<(f64, f64), String> {
        let selector = Selector::of_pushed("Latency").unwrap();
        let all = series.since(Moment::ZERO).histogram(&selector, Unit::Seconds)?.unwrap();
        let half = all.buckets.iter().find(|one| one.0.total_cmp(&0.5).is_eq()).unwrap();
        Ok((half.1, all.count))
    }

    const QUERY: &str = "Action=PutMetricData&Version=2010-08-01&Namespace=Page\
        &MetricData.member.1.MetricName=Errors&MetricData.member.1.Value=2&MetricData.member.1.Unit=Count\
        &MetricData.member.1.Dimensions.member.1.Name=Reason&MetricData.member.1.Dimensions.member.1.Value=time%20out\
        &MetricData.member.2.MetricName=Latency&MetricData.member.2.Unit=Milliseconds\
        &MetricData.member.2.Values.member.1=400&MetricData.member.2.Values.member.2=600\
        &MetricData.member.2.Counts.member.1=3&MetricData.member.2.Counts.member.2=1";

    #[test]
    fn both_forms_say_the_same() {
        let data = r#"[{"MetricName":"Errors","Value":2,"Unit":"Count","Timestamp":1.5,
            "Dimensions":[{"Name":"Reason","Value":"time out"}]},
            {"MetricName":"Latency","Values":[400,600],"Counts":[3,1],"Unit":"Milliseconds"}]"#;
        for (body, form) in [(json(data), Form::Json), (QUERY.to_owned(), Form::Query)] {
            let mut series = series();
            assert!(take(body.as_bytes(), form, Moment::ZERO, &mut series));
            assert_eq!(counted(&series, "Errors{Reason=\"time out\"}"), Ok(Some(2.0)));
            assert_eq!(counted(&series, "Errors{Namespace=\"Page\"}"), Ok(Some(2.0)));
            assert_eq!(counted(&series, "Errors{Reason=\"key\"}"), Ok(Some(0.0)));
            assert_eq!(latency(&series), Ok((3.0, 4.0)));
        }
    }

    #[test]
    fn statistic_sets_count_and_hold_no_buckets_unless_nothing_is_open() {
        let set = |count: u32, sum: f64, min: f64, max: f64| {
            let mut series = series();
            let statistics = format!(
                "{{\"SampleCount\":{count},\"Sum\":{sum},\"Minimum\":{min},\"Maximum\":{max}}}"
            );
            let data = ["Errors", "Latency"].map(|name| {
                format!("{{\"MetricName\":\"{name}\",\"StatisticValues\":{statistics}}}")
            });
            let body = json(&format!("[{}]", data.join(",")));
            assert!(take(body.as_bytes(), Form::Json, Moment::ZERO, &mut series));
            (counted(&series, "Errors"), latency(&series))
        };
        assert_eq!(set(5, 2.0, 0.4, 0.4), (Ok(Some(2.0)), Ok((5.0, 5.0))));
        assert_eq!(set(2, 1.0, 0.4, 0.6), (Ok(Some(1.0)), Ok((1.0, 2.0))));
        let (sum, why) = set(3, 1.5, 0.4, 0.6);
        assert!(
            sum == Ok(Some(1.5)) && why.unwrap_err().contains("statistic sets hold no buckets")
        );
    }

    #[test]
    fn what_aws_refuses_is_refused_as_a_whole_and_counted() {
        for wrong in [
            "",
            "[]",
            "{}",
            "{\"Namespace\":\"\",\"MetricData\":[]}",
            &json("[{\"MetricName\":\"Errors\",\"Value\":1},{\"MetricName\":\"Errors\"}]"),
            &json("[{\"MetricName\":\"\",\"Value\":1}]"),
            &json("[{\"MetricName\":\"Errors\",\"Value\":1,\"Values\":[1]}]"),
            &json("[{\"MetricName\":\"Errors\",\"Values\":[1],\"Counts\":[1,2]}]"),
            &json("[{\"MetricName\":\"Errors\",\"Values\":[1],\"Counts\":[-1]}]"),
            &json("[{\"MetricName\":\"Errors\",\"Value\":\"1\"}]"),
        ] {
            let mut series = series();
            assert!(!take(wrong.as_bytes(), Form::Json, Moment::ZERO, &mut series), "{wrong}");
            assert_eq!((counted(&series, "Errors"), series.pushed.malformed), (Ok(None), 1));
        }
        for wrong in
            ["", "Action=ListMetrics", &QUERY.replace("=400", "=x"), &QUERY.replace("Page", "")]
        {
            assert!(!take(wrong.as_bytes(), Form::Query, Moment::ZERO, &mut series()), "{wrong}");
        }
    }

    proptest! {
        /// Whatever comes, the next request is read.
        #[test]
        fn any_request_is_taken(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            text in "(MetricData|\\.member\\.|[0-9]{1,20}|Values|Value|&|=|Dimensions|Action=PutMetricData|NaN|-|%f){0,30}",
        ) {
            let mut series = series();
            for form in [Form::Json, Form::Query] {
                take(&bytes, form, Moment::ZERO, &mut series);
                take(text.as_bytes(), form, Moment::ZERO, &mut series);
            }
            prop_assert!(take(QUERY.as_bytes(), Form::Query, Moment::ZERO, &mut series));
            prop_assert_eq!(counted(&series, "Errors{Reason=\"time out\"}"), Ok(Some(2.0)));
        }
    }
}

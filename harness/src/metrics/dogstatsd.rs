//! DogStatsD over UDP: `name:value[:value…]|type[|@rate][|#tag:value,…]`, several lines a datagram.
//!
//! Counters (`c`), gauges (`g`), timers in milliseconds (`ms`), histograms (`h`) and distributions (`d`) are
//! read. Events, service checks and sets are counted as ignored, and what nobody can read as malformed.
//! <https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/>

use super::point::{Point, Unit, What};
use super::series::Series;
use mock_server::clock::Moment;

/// Takes one datagram.
pub fn take(datagram: &[u8], at: Moment, series: &mut Series) {
    series.pushed.messages += 1;
    for line in datagram.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        match std::str::from_utf8(line).ok().and_then(read) {
            None => series.pushed.malformed += 1,
            Some(Line::Ignored) => series.pushed.ignored += 1,
            Some(Line::Metric { name, tags, unit, what }) => {
                if series.wants(name) {
                    let point = Point::new(name.to_owned(), labels(tags), unit, what);
                    series.take(point, at);
                }
            }
        }
    }
}

/// What a line says.
#[derive(Debug, PartialEq)]
enum Line<'l> {
    Metric { name: &'l str, tags: &'l str, unit: Unit, what: What },
    Ignored,
}

fn read(line: &str) -> Option<Line<'_>> {
    if line.starts_with("_e{") || line.starts_with("_sc|") {
        return Some(Line::Ignored);
    }
    let mut parts = line.split('|');
    let (name, values) = parts.next()?.split_once(':')?;
    let kind = parts.next()?;
    if name.is_empty() {
        return None;
    }
    let (mut rate, mut tags) = (1.0, "");
    // Containers, times and external data follow as well, each after a letter of its own.
    for part in parts {
        match part.split_at_checked(1)? {
            ("@", text) => rate = number(text).filter(|rate| 0.0 < *rate && *rate <= 1.0)?,
            ("#", text) => tags = text,
            _ => {}
        }
    }
    if kind == "s" {
        return Some(Line::Ignored);
    }
    let values: Vec<f64> = values.split(':').map(number).collect::<Option<_>>()?;
    let unit = if kind == "ms" { Unit::Milliseconds } else { Unit::Unsaid };
    let what = match kind {
        "c" => What::Grown { by: values.iter().sum(), rate },
        // Of several only the last is still true.
        "g" => What::Now(*values.last()?),
        "ms" | "h" | "d" => {
            let values = values.into_iter().map(|value| (value, 1.0)).collect();
            What::Observed { values, rate, untyped: false }
        }
        _ => return None,
    };
    Some(Line::Metric { name, tags, unit, what })
}

/// A number that is one.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A tag without a value is there, with an empty one.
fn labels(tags: &str) -> Vec<(String, String)> {
    let tags = tags.split(',').filter(|tag| !tag.is_empty());
    let label = |tag: &str| match tag.split_once(':') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (tag.to_owned(), String::new()),
    };
    tags.map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Reading, Selector};
    use proptest::prelude::*;

    fn taken(text: &str) -> Series {
        let mut series = Series::of(["a.b".to_owned(), "lat".to_owned()]);
        take(text.as_bytes(), Moment::ZERO, &mut series);
        series
    }

    fn counted(text: &str, selector: &str) -> Result<Option<f64>, String> {
        let selector = Selector::of_pushed(selector).unwrap();
        taken(text).since(Moment::ZERO).counted(&selector)
    }

    #[test]
    fn counters_add_up_by_their_tags_over_lines_values_and_datagrams() {
        let check = |text: &str, selector: &str, expected: Option<f64>| {
            assert_eq!(counted(text, selector), Ok(expected), "{text}");
        };
        check("a.b:1|c\na.b:2|c\n", "a.b", Some(3.0));
        check("a.b:1:2:3|c", "a.b", Some(6.0));
        check("a.b:1|c|#k:v,route:x:y\na.b:4|c|#k:w", "a.b{k=\"v\"}", Some(1.0));
        check("a.b:1|c|#k:v,route:x:y", "a.b{route=\"x:y\"}", Some(1.0));
        check("a.b:1|c|#flag,k:v", "a.b{flag=\"\"}", Some(1.0));
        check("a.b:1|c|#k:v|c:ci-0123|T1656581400|e:it-false", "a.b{k=\"v\"}", Some(1.0));
        check("a.b:1|c|@1|#k:v", "a.b", Some(1.0));
        // Without the tag it is another series of the same metric.
        check("a.b:1|c", "a.b{k=\"v\"}", Some(0.0));
        check("other:1|c", "a.b", None);
    }

    #[test]
    fn what_is_sampled_is_an_estimate_and_blames_nobody() {
        let why = counted("a.b:1|c|@0.1\na.b:2|c", "a.b").unwrap_err();
        assert!(why.contains("sampled at 0.1: that it counts 12 is an estimate"), "{why}");
        let lat = Selector::of_pushed("lat").unwrap();
        let series = taken("lat:3|h|@0.5");
        assert!(series.since(Moment::ZERO).histogram(&lat, Unit::Seconds).is_err());
    }

    #[test]
    fn timers_are_milliseconds_and_histograms_what_the_configuration_says() {
        let lat = Selector::of_pushed("lat").unwrap();
        let up_to_half = |text: &str| {
            let series = taken(text);
            let all = series.since(Moment::ZERO).histogram(&lat, Unit::Seconds).unwrap().unwrap();
            let half = all.buckets.iter().find(|one| one.0.total_cmp(&0.5).is_eq()).unwrap();
            (half.1, all.count)
        };
        assert_eq!(up_to_half("lat:400:600|ms"), (1.0, 2.0));
        assert_eq!(up_to_half("lat:0.4|h\nlat:0.6|d"), (1.0, 2.0));
        assert_eq!(up_to_half("lat:400|ms\nlat:0.6|d"), (1.0, 2.0));
    }

    #[test]
    fn the_last_gauge_counts_while_it_is_fresh() {
        let a = Selector::of_pushed("a.b").unwrap();
        let mut series = taken("a.b:5|g|#w:1\na.b:7|g|#w:2\na.b:6|g|#w:2");
        let now = |series: &Series, since| series.since(Moment::from_ms(since)).greatest(&a);
        assert_eq!((now(&series, 0), now(&series, 1)), (Ok(Some(6.0)), Ok(None)));
        take(b"a.b:-1|g", Moment::from_ms(9), &mut series);
        assert_eq!(now(&series, 1), Ok(Some(-1.0)));
    }

    #[test]
    fn what_is_no_metric_is_counted_and_stops_nothing() {
        let check = |text: &str, malformed: u64, ignored: u64| {
            let series = taken(&format!("{text}\na.b:1|c"));
            let found = (series.pushed.malformed, series.pushed.ignored);
            assert_eq!(found, (malformed, ignored), "{text}");
            let a = Selector::of_pushed("a.b").unwrap();
            assert_eq!(series.since(Moment::ZERO).counted(&a), Ok(Some(1.0)), "{text}");
        };
        check("_e{5,4}:title|text", 0, 1);
        check("_sc|name|0|#k:v", 0, 1);
        check("a.b:user|s", 0, 1);
        for wrong in [
            "a.b",
            "a.b:1",
            ":1|c",
            "a.b:|c",
            "a.b:x|c",
            "a.b:1|z",
            "a.b:1|c|@0",
            "a.b:1|c|@2",
            "a.b:1|c|@x",
            "a.b:NaN|c",
            "a.b:inf|g",
            "a.b:1::2|c",
            "a.b:1|c|",
            "|",
            ":",
        ] {
            check(wrong, 1, 0);
        }
        let mut series = taken("");
        take(b"\xff\xfe:1|c\na.b:1|c", Moment::ZERO, &mut series);
        assert_eq!((series.pushed.malformed, series.pushed.messages), (1, 2));
    }

    proptest! {
        /// Whatever comes: each line is read, ignored or malformed, and the next datagram is read.
        #[test]
        fn any_datagram_is_taken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut series = taken("");
            take(&bytes, Moment::ZERO, &mut series);
            take(b"a.b:1|c", Moment::ZERO, &mut series);
            prop_assert_eq!(series.pushed.messages, 3);
        }

        #[test]
        fn nearly_datagrams_are_taken(text in "(a\\.b|lat|_e\\{|_sc)?(:|\\||@|#|,|[0-9.eNa-]|c|ms|h|é|\n){0,40}") {
            let mut series = taken(&text);
            let [a, lat] = ["a.b", "lat"].map(|name| Selector::of_pushed(name).unwrap());
            take(b"a.b:1|c", Moment::ZERO, &mut series);
            let standing = series.since(Moment::ZERO);
            let _ = standing.histogram(&lat, Unit::Seconds);
            let _ = standing.greatest(&a);
            prop_assert!(standing.counted(&a) != Ok(None));
        }
    }
}

//! Reads the text format of Prometheus (version 0.0.4) as far as samples go.
//!
//! Own code, because the crates for it split labels at every comma and brace, and a route such as
//! `/v1/profiles/{handle}` is a usual label. The same grammar reads the selectors.

use super::point::Unit;
use super::reading::{Read, Reading};
use super::selector::Selector;
use scenarios::observed::Histogram;
use std::borrow::Cow;
use std::collections::HashSet;

/// The samples of one scrape.
#[derive(Debug, Default)]
pub struct Exposition<'t> {
    samples: Vec<Sample<'t>>,
    /// Names that have a type, though there may be no sample yet.
    typed: HashSet<&'t str>,
}

/// One sample.
#[derive(Debug, PartialEq)]
pub struct Sample<'t> {
    pub(super) series: Series<'t>,
    pub(super) value: f64,
}

/// A name with its labels.
#[derive(Debug, PartialEq)]
pub struct Series<'t> {
    /// The metric's name.
    pub name: &'t str,
    /// Label and value, unescaped.
    pub labels: Vec<(&'t str, Cow<'t, str>)>,
}

impl<'t> Exposition<'t> {
    /// Every sample that can be read; other lines are passed over.
    #[must_use]
    pub fn parse(text: &'t str) -> Self {
        let mut all = Self::default();
        for line in text.lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix('#') {
                let mut words = comment.split_whitespace();
                if words.next() == Some("TYPE") {
                    all.typed.extend(words.next());
                }
            } else if let Some(sample) = sample(line) {
                all.samples.push(sample);
            }
        }
        all
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn samples(&self) -> &[Sample<'t>] {
        &self.samples
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn typed(&self) -> impl Iterator<Item = &'t str> {
        self.typed.iter().copied()
    }
}

impl Reading for Exposition<'_> {
    /// None when the metric is not there at all: it may be there without any of the picked series.
    fn counted(&self, selector: &Selector) -> Read<f64> {
        let named = |sample: &&Sample<'_>| sample.series.name == selector.name;
        let is_there =
            self.typed.contains(selector.name.as_str()) || self.samples.iter().any(|s| named(&s));
        let picked = self.samples.iter().filter(named).filter(|one| selector.picks(&one.series));
        Ok(is_there.then(|| picked.map(|sample| sample.value).sum()))
    }

    fn now(&self, selector: &Selector) -> Read<f64> {
        self.counted(selector)
    }

    fn greatest(&self, selector: &Selector) -> Read<f64> {
        let named = self.samples.iter().filter(|one| one.series.name == selector.name);
        let values = named.filter(|one| selector.picks(&one.series)).map(|sample| sample.value);
        Ok(values.filter(|value| value.is_finite()).reduce(f64::max))
    }

    fn histogram(&self, selector: &Selector, unsaid: Unit) -> Read<Histogram> {
        let bucket = format!("{}_bucket", selector.name);
        let mut all: Vec<(f64, f64)> = Vec::new();
        for sample in self.samples.iter().filter(|sample| sample.series.name == bucket) {
            let Some(bound) = sample.series.label("le").and_then(number) else { continue };
            if !selector.picks(&sample.series) {
                continue;
            }
            all.push((bound, sample.value));
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for (bound, value) in all {
            match buckets.last_mut() {
                Some(known) if known.0.total_cmp(&bound).is_eq() => known.1 += value,
                _ => buckets.push((bound, value)),
            }
        }
        // The last bucket holds everything, and is required to be there.
        let Some((_, count)) = buckets.pop_if(|last| last.0.is_infinite()) else { return Ok(None) };
        buckets.iter_mut().for_each(|bucket| bucket.0 = unsaid.seconds(bucket.0));
        Ok(Some(Histogram { buckets, count }))
    }
}

impl Series<'_> {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|label| label.0 == name).map(|label| label.1.as_ref())
    }
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let (series, rest) = series(line)?;
    // A time may follow.
    let value = number(rest.split_whitespace().next()?)?;
    Some(Sample { series, value })
}

/// A name, labels in braces if there are any, and what follows.
pub(super) fn series(text: &str) -> Option<(Series<'_>, &str)> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !letter(c)).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut labels = Vec::new();
    if let Some(inside) = rest.trim_start().strip_prefix('{') {
        rest = inside.trim_start();
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once('=')?;
            if !label.trim().chars().all(letter) {
                return None;
            }
            let (value, after) = quoted(after.trim_start())?;
            labels.push((label.trim(), value));
            rest = after.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        rest = &rest[1..];
    }
    Some((Series { name, labels }, rest))
}

/// A value in quotes, and what follows.
pub(super) fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let inside = text.strip_prefix('"')?;
    let plain = inside.find(['"', '\\'])?;
    if inside[plain..].starts_with('"') {
        return Some((inside[..plain].into(), &inside[plain + 1..]));
    }
    let mut value = inside[..plain].to_owned();
    let mut characters = inside[plain..].char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value.into(), &inside[plain + at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

/// As Go writes it, which `f64` reads but for letters' case in words.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(text: &str, selector: &str) -> Option<f64> {
        Exposition::parse(text).counted(&selector.parse().unwrap()).unwrap()
    }

    #[test]
    fn samples_are_read_with_their_labels_whatever_stands_in_them() {
        let check = |line: &str, expected: Option<f64>| {
            assert_eq!(sum(line, "m{a=\"x\"}"), expected, "{line}");
        };
        check("m{a=\"x\"} 1", Some(1.0));
        check("m { a = \"x\" , b=\"\" , } 1.5e3 1700000000000", Some(1500.0));
        check("m{r=\"/p/{handle},=\",a=\"x\"} 2", Some(2.0));
        check("m{b=\"\\\"}\\\\\\n\",a=\"x\"} 3", Some(3.0));
        check("m{a=\"y\"} 4", Some(0.0));
        check("m 5", Some(0.0));
        check("n{a=\"x\"} 6", None);
        check("m{a=\"x\"} many", None);
        check("m{a=\"x", None);
        check("# TYPE m counter", Some(0.0));
        check("# HELP m of things", None);
    }

    #[test]
    fn a_histogram_is_summed_over_its_series_in_order_of_bounds() {
        let text = "h_bucket{r=\"a\",le=\"+Inf\"} 3\nh_bucket{r=\"a\",le=\"0.5\"} 2\n\
                    h_bucket{r=\"b\",le=\"0.5\"} 1\nh_bucket{r=\"b\",le=\"+Inf\"} 1\n\
                    h_bucket{r=\"b\",le=\"0.1\"} 1\n";
        let histogram = |selector: &str| {
            let selector = selector.parse::<Selector>().unwrap();
            Exposition::parse(text).histogram(&selector, Unit::Unsaid).unwrap()
        };
        let all = histogram("h").unwrap();
        assert_eq!((all.buckets, all.count), (vec![(0.1, 1.0), (0.5, 3.0)], 4.0));
        assert_eq!(histogram("h{r=\"a\"}").unwrap().count, 3.0);
        assert_eq!(histogram("h{r=\"c\"}"), None);
        assert_eq!(histogram("other"), None);
    }

    proptest! {
        /// Nothing that a target may answer makes the reader fail.
        #[test]
        fn any_text_is_read(text in "[a-z{}=\"\\\\,#\n 0-9é]{0,80}") {
            let exposition = Exposition::parse(&text);
            let _ = exposition.counted(&"a".parse().unwrap());
            let _ = exposition.histogram(&"a".parse().unwrap(), Unit::Unsaid);
        }
    }
}

//! Adds up what is pushed to the same cumulative series that a scrape shows.
//!
//! Only metrics that the configuration names are kept, so that nobody fills the memory with others. Where a
//! figure cannot be told for certain it is not told: a wrong one would blame somebody.

use super::buckets::{self, Buckets};
use super::point::{Point, Unit, What};
use super::reading::{Read, Reading};
use super::selector::Selector;
use mock_server::clock::Moment;
use scenarios::observed::{Histogram, Pushed};
use std::collections::{BTreeMap, BTreeSet};

/// Series that are kept of all named metrics together.
const MOST_SERIES: usize = 10_000;
/// Starts of one series that are told apart: each worker, and each of its restarts, has one.
const MOST_STARTS: usize = 1_000;

/// Everything that was pushed so far.
#[derive(Debug, Default)]
pub struct Series {
    wanted: BTreeSet<String>,
    known: BTreeMap<Key, Entry>,
    /// How much has come.
    pub pushed: Pushed,
    overflowed: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    labels: Vec<(String, String)>,
    unit: Unit,
}

/// What is known of one series.
#[derive(Debug, Default)]
struct Entry {
    counter: Option<Counter>,
    gauge: Option<(f64, Moment)>,
    histogram: Option<Observations>,
}

#[derive(Debug, Default)]
struct Counter {
    /// What was sent as growth.
    grown: f64,
    /// Where each start of it stands, and when that was true.
    stands: BTreeMap<u64, (u64, f64)>,
    doubt: Option<Doubt>,
}

#[derive(Debug, Default)]
struct Observations {
    grown: Option<Buckets>,
    stands: BTreeMap<u64, (u64, Buckets)>,
    /// Start and end of the last growth: an exporter that was not sure of our answer sends it again.
    last: Option<(u64, u64)>,
    doubt: Option<Doubt>,
}

/// Why a series is not exact.
#[derive(Clone, Debug, PartialEq)]
enum Doubt {
    /// Only a share of what happened was looked at, at least so much.
    Sampled(f64),
    /// In words.
    Other(String),
}

impl Doubt {
    /// Whether other series of the metric are as doubtful: of what is sampled some may not have been seen.
    const fn is_of_all(&self) -> bool {
        matches!(self, Self::Sampled(_))
    }
}

impl Series {
    /// Nothing yet, of these metrics.
    #[must_use]
    pub fn of(wanted: impl IntoIterator<Item = String>) -> Self {
        Self { wanted: wanted.into_iter().collect(), ..Self::default() }
    }

    /// Whether anybody asks for this metric.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.wanted.contains(name)
    }

    /// Takes what came at a moment.
    pub fn take(&mut self, point: Point, at: Moment) {
        let Point { name, labels, unit, what } = point;
        if !self.wants(&name) {
            return;
        }
        let key = Key { name, labels, unit };
        if self.known.len() >= MOST_SERIES && !self.known.contains_key(&key) {
            self.overflowed = true;
            return;
        }
        self.known.entry(key).or_default().take(what, at);
    }

    /// As it stands, where a gauge counts that came after `since`.
    #[must_use]
    pub fn since(&self, since: Moment) -> Standing<'_> {
        Standing { series: self, since }
    }
}

impl Entry {
    fn take(&mut self, what: What, now: Moment) {
        match what {
            What::Grown { by, rate } => self.counter.get_or_insert_default().grow(by, rate),
            What::Stands { since, at, value } => {
                self.counter.get_or_insert_default().stand(since, at, value);
            }
            What::Now(value) => self.gauge = Some((value, now)),
            What::Observed { values, rate, untyped } => {
                if untyped {
                    let sum = values.iter().map(|(value, times)| value * times).sum();
                    self.counter.get_or_insert_default().grow(sum, 1.0);
                    self.gauge = match values[..] {
                        [(value, _)] => Some((value, now)),
                        _ => self.gauge,
                    };
                }
                let mut buckets = Buckets::grid();
                values.iter().for_each(|(value, times)| buckets.observe(*value, *times));
                let all = self.histogram.get_or_insert_default();
                all.grow(&buckets, None);
                all.doubt(sampled(rate));
            }
            What::Summed { count, sum, min, max } => self.sum_up([count, sum, min, max], now),
            What::Histogram { since, at, cumulative, buckets } => {
                let all = self.histogram.get_or_insert_default();
                if cumulative {
                    all.stand(since, at, buckets);
                } else {
                    all.grow(&buckets, Some((since, at)));
                }
            }
            What::Quantiles => {
                let why = "it is a summary, of which nobody knows the window".to_owned();
                self.histogram.get_or_insert_default().doubt(Some(Doubt::Other(why)));
            }
        }
    }

    /// A statistic set, which says where single observations lay only while there are one or two of them, or
    /// all are alike.
    #[allow(clippy::float_cmp)] // the same number, as it was sent
    fn sum_up(&mut self, [count, sum, min, max]: [f64; 4], now: Moment) {
        self.counter.get_or_insert_default().grow(sum, 1.0);
        let all = self.histogram.get_or_insert_default();
        let mut buckets = Buckets::grid();
        if min == max {
            buckets.observe(min, count);
            self.gauge = Some((min, now));
        } else if count == 2.0 {
            buckets.observe(min, 1.0);
            buckets.observe(max, 1.0);
        } else {
            let why = "statistic sets hold no buckets: send Values and Counts".to_owned();
            return all.doubt(Some(Doubt::Other(why)));
        }
        all.grow(&buckets, None);
    }
}

fn sampled(rate: f64) -> Option<Doubt> {
    (rate < 1.0).then_some(Doubt::Sampled(rate))
}

/// The first doubt stays, except that the smallest share is told.
fn join(doubt: &mut Option<Doubt>, other: Option<Doubt>) {
    match (&mut *doubt, other) {
        (Some(Doubt::Sampled(rate)), Some(Doubt::Sampled(other))) => *rate = rate.min(other),
        (None, other) => *doubt = other,
        _ => {}
    }
}

fn fell() -> Option<Doubt> {
    let why = "it falls without a new start time, as where several workers send the same series: give each \
               an attribute of its own, such as service.instance.id";
    Some(Doubt::Other(why.to_owned()))
}

fn restless() -> Option<Doubt> {
    Some(Doubt::Other(format!("it has begun anew more than {MOST_STARTS} times")))
}

impl Counter {
    fn grow(&mut self, by: f64, rate: f64) {
        self.grown += by / rate;
        join(&mut self.doubt, sampled(rate));
    }

    fn stand(&mut self, since: u64, at: u64, value: f64) {
        if self.stands.len() >= MOST_STARTS && !self.stands.contains_key(&since) {
            return join(&mut self.doubt, restless());
        }
        let (last, stood) = self.stands.entry(since).or_insert((at, value));
        // What is older was sent again, or has been overtaken.
        if at >= *last {
            let has_fallen = value < *stood;
            (*last, *stood) = (at, value);
            if has_fallen {
                join(&mut self.doubt, fell());
            }
        }
    }

    fn total(&self) -> f64 {
        self.grown + self.stands.values().map(|(_, value)| value).sum::<f64>()
    }
}

impl Observations {
    fn doubt(&mut self, doubt: Option<Doubt>) {
        join(&mut self.doubt, doubt);
    }

    fn grow(&mut self, more: &Buckets, span: Option<(u64, u64)>) {
        if span.is_some() && span == self.last {
            return;
        }
        self.last = span;
        match &mut self.grown {
            None => self.grown = Some(more.clone()),
            Some(grown) => {
                if let Err(why) = grown.add(more) {
                    self.doubt(Some(Doubt::Other(why)));
                }
            }
        }
    }

    fn stand(&mut self, since: u64, at: u64, buckets: Buckets) {
        if self.stands.len() >= MOST_STARTS && !self.stands.contains_key(&since) {
            return self.doubt(restless());
        }
        match self.stands.get_mut(&since) {
            Some((last, stood)) if at >= *last => {
                let has_fallen = buckets.count() < stood.count();
                (*last, *stood) = (at, buckets);
                if has_fallen {
                    self.doubt(fell());
                }
            }
            Some(_) => {}
            None => drop(self.stands.insert(since, (at, buckets))),
        }
    }
}

/// All series at a moment.
pub struct Standing<'s> {
    series: &'s Series,
    since: Moment,
}

impl<'s> Standing<'s> {
    /// Every series of a metric, and whether it is picked.
    fn named(&self, selector: &Selector) -> impl Iterator<Item = (&'s Key, &'s Entry, bool)> {
        let all = self.series.known.iter().filter(|(key, _)| key.name == selector.name);
        all.map(|(key, entry)| {
            let has = |name: &str, value: &str| {
                key.labels.iter().any(|label| label.0 == name && label.1 == value)
            };
            (key, entry, selector.picks_where(has))
        })
    }

    /// Why no count is exact.
    fn is_whole(&self) -> Result<(), String> {
        if self.series.overflowed {
            return Err(format!("its labels make more than {MOST_SERIES} series"));
        }
        match self.series.pushed.lost {
            0 => Ok(()),
            lost => Err(format!("the system has thrown away {lost} datagrams unread")),
        }
    }

    /// Gauges that are picked and still true.
    fn gauges(&self, selector: &Selector) -> impl Iterator<Item = (Unit, f64)> {
        let since = self.since;
        let picked = self.named(selector).filter(|(.., is_picked)| *is_picked);
        picked.filter_map(move |(key, entry, _)| {
            let (value, at) = entry.gauge?;
            (at >= since && value.is_finite()).then_some((key.unit, value))
        })
    }
}

impl Reading for Standing<'_> {
    fn counted(&self, selector: &Selector) -> Read<f64> {
        let (mut is_there, mut sum, mut doubts) = (false, 0.0, None);
        for (_, entry, is_picked) in self.named(selector) {
            is_there = true;
            if !is_picked {
                let doubt = entry.counter.as_ref().and_then(|counter| counter.doubt.clone());
                join(&mut doubts, doubt.filter(Doubt::is_of_all));
                continue;
            }
            let Some(counter) = &entry.counter else {
                return Err("it is pushed as a gauge or a histogram: push a counter".to_owned());
            };
            sum += counter.total();
            join(&mut doubts, counter.doubt.clone());
        }
        if !is_there {
            return Ok(None);
        }
        self.is_whole()?;
        match doubts {
            None => Ok(Some(sum)),
            Some(Doubt::Other(why)) => Err(why),
            Some(Doubt::Sampled(rate)) => Err(format!(
                "it is sampled at {rate}: that it counts {sum:.0} is an estimate, which blames nobody; count \
                 all of it, with the rate 1"
            )),
        }
    }

    fn now(&self, selector: &Selector) -> Read<f64> {
        Ok(self.gauges(selector).map(|(_, value)| value).reduce(|sum, value| sum + value))
    }

    fn greatest(&self, selector: &Selector) -> Read<f64> {
        Ok(self.gauges(selector).map(|(unit, value)| unit.seconds(value)).reduce(f64::max))
    }

    fn histogram(&self, selector: &Selector, unsaid: Unit) -> Read<Histogram> {
        let (mut all, mut doubts, mut is_there) = (Vec::new(), None, false);
        for (key, entry, is_picked) in self.named(selector) {
            let Some(histogram) = &entry.histogram else { continue };
            is_there = true;
            if !is_picked {
                join(&mut doubts, histogram.doubt.clone().filter(Doubt::is_of_all));
                continue;
            }
            join(&mut doubts, histogram.doubt.clone());
            let unit = key.unit.or(unsaid);
            all.extend(histogram.grown.iter().map(|buckets| (unit, buckets)));
            all.extend(histogram.stands.values().map(|(_, buckets)| (unit, buckets)));
        }
        if !is_there || all.is_empty() && doubts.is_none() {
            return Ok(None);
        }
        self.is_whole()?;
        match doubts {
            None => buckets::together(&all).map(Some),
            Some(Doubt::Other(why)) => Err(why),
            Some(Doubt::Sampled(rate)) => Err(format!(
                "its observations are sampled at {rate}, so that the rest of them is not known: send all, \
                 with the rate 1"
            )),
        }
    }
}

#[cfg(test)]
mod tests;

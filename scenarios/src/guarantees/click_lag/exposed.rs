//! The exposed lag, beside the ages of the clicks that waited and what became of them.
//!
//! A gauge may be the age of the oldest click that waits, or the lag of clicks that were delivered: of the
//! last one, the greatest, or a mean or a median of the last minutes. It is one of them all the time; as
//! which it fits best, it is judged.

use super::{WITHIN, long};
use crate::case::Case;
use crate::guarantees::evidence::alerts::SCRAPE;
use crate::guarantees::evidence::scrapes;
use crate::guarantees::evidence::waiting::{Wait, Waiting};
use crate::measure::humane;
use crate::observed::Scrape;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use std::time::Duration;

/// A figure may have whole seconds.
const WHOLE: Duration = Duration::from_secs(1);
/// As far back as anybody looks who tells a mean of what was delivered.
const REMEMBERED: Duration = Duration::from_secs(300);

/// What the scrapes show.
#[derive(Default)]
pub(super) struct Exposed {
    pub offences: Offences,
    /// Scrapes that were compared.
    pub seen: usize,
    /// Of these, those at which a click had waited for longer than it may.
    pub shown: usize,
    /// What the figure is, in words; none where nothing was compared.
    pub what: Option<&'static str>,
    /// Why it cannot be told whether the figure is true.
    pub doubt: Option<String>,
    /// Why nothing was compared.
    pub why_none: Option<String>,
}

/// What a gauge may mean.
#[derive(Default)]
struct Reading {
    offences: Offences,
}

impl Reading {
    /// What the gauge says, beside the least and the most that it may.
    fn compare(&mut self, scrape: &Scrape, gauge: f64, (least, most): (Duration, Duration)) {
        let (low, high) =
            (least.saturating_sub(WHOLE).as_secs_f64(), most.saturating_add(WHOLE).as_secs_f64());
        if low <= gauge && gauge <= high {
            return;
        }
        // It is one or the other: whatever lies on a limit is within it.
        let off = if gauge < low { low - gauge } else { gauge - high };
        let off = Duration::try_from_secs_f64(off).unwrap_or(Duration::MAX);
        self.offences.add_lasting(scrape.sent, off, || {
            let (least, most) = (humane(least), humane(most));
            let what = format!("the lag is said to be {gauge} s, and was {least} to {most}");
            Witness::new(scrape.sent, what)
        });
    }
}

/// What was delivered, in the order in which that was heard.
struct Delivered {
    lags: Vec<Lag>,
    /// Up to each of them.
    greatest: Vec<Duration>,
}

#[derive(Clone, Copy)]
struct Lag {
    heard: Moment,
    known: Moment,
    least: Duration,
    most: Duration,
    /// Whether it may not count at all.
    is_odd: bool,
}

pub(super) fn judged(case: &Case, waiting: &Waiting<'_>) -> Exposed {
    let within = case.time(&WITHIN);
    // A figure may be as old as a scrape, and be counted as seldom as ten times in what it is about.
    let stale = SCRAPE + within / 10;
    let (mut waits, mut done) = (Reading::default(), Reading::default());
    let (mut exposed, mut ages) = (Exposed::default(), waiting.ages());
    let (delivered, mut told) = (Delivered::of(case, waiting), 0);
    for scrape in case.target.scrapes.iter().filter(|scrape| scrape.is_ok()) {
        let Some(gauge) = scrape.figures.click_lag else { continue };
        let span = (scrape.sent.minus(stale), scrape.last);
        // Whole seconds hide what is late by less.
        let stalled = case.harness.stalled_within(span.0, span.1);
        if stalled > WHOLE || case.target.disturbed_within(span.0, span.1) {
            continue;
        }
        exposed.seen += 1;
        let least = ages.at_least(span, |wait| waiting.was_under_way(wait, span));
        let (oldest, past) = (ages.at_most(span), delivered.greatest(case, span.1));
        exposed.shown += usize::from(least > long(case));
        let waits_for = (least.saturating_sub(stalled), oldest.max(past).saturating_add(stalled));
        waits.compare(scrape, gauge, waits_for);
        let row = delivered.is_all_long(case, span, within / 2);
        told += usize::from(row && within / 4 > WHOLE);
        let of_row = if row { within / 4 } else { Duration::ZERO };
        done.compare(scrape, gauge, (of_row.saturating_sub(stalled), past.saturating_add(stalled)));
    }
    if exposed.seen == 0 {
        exposed.why_none = Some(scrapes::why_unseen(case, "click_lag"));
        return exposed;
    }
    let is_of_waits = waits.offences.count() <= done.offences.count();
    if !is_of_waits && done.offences.count() == 0 && told == 0 {
        exposed.doubt = Some(
            "the exposed lag is no click's that waits, and whether it is that of clicks which were \
             delivered was not seen: none was scraped after a row of late ones"
                .to_owned(),
        );
    }
    (exposed.offences, exposed.what) = match is_of_waits {
        true => (waits.offences, Some("the age of the oldest click that waits")),
        false => (done.offences, Some("the lag of clicks that were delivered")),
    };
    exposed
}

impl Delivered {
    fn of(case: &Case, waiting: &Waiting<'_>) -> Self {
        let delta = case.harness.delta;
        let heard = |one: &&Wait| one.heard != Moment(u64::MAX);
        let lag = |one: &Wait| Lag {
            heard: one.heard,
            known: one.known.plus(delta),
            least: one.heard.minus(delta).since(one.acked),
            most: one.known.plus(delta).since(one.sent),
            is_odd: one.is_odd,
        };
        let mut lags: Vec<Lag> = waiting.all().iter().filter(heard).map(lag).collect();
        // Of those that go together the shortest may have been the last.
        lags.sort_by_key(|lag| (lag.heard, std::cmp::Reverse(lag.least)));
        let mut greatest = Duration::ZERO;
        let up_to = |lag: &Lag| {
            greatest = greatest.max(lag.most);
            greatest
        };
        Self { greatest: lags.iter().map(up_to).collect(), lags }
    }

    /// Up to this moment no click that was delivered had a greater lag.
    fn greatest(&self, case: &Case, until: Moment) -> Duration {
        let until = until.plus(case.harness.delta);
        let heard = self.lags.partition_point(|lag| lag.heard <= until);
        heard.checked_sub(1).map_or(Duration::ZERO, |last| self.greatest[last])
    }

    /// Whether, whatever somebody makes of the lags of the last minutes, all through this span it is
    /// half of `long` at least: however few of the last ones are taken, most of them were longer.
    fn is_all_long(&self, case: &Case, (from, until): (Moment, Moment), long: Duration) -> bool {
        let delta = case.harness.delta;
        let (from, until) = (from.minus(delta), until.plus(delta));
        let before = self.lags.partition_point(|lag| lag.heard <= from);
        let (before, since) = self.lags.split_at(before);
        let since = since.iter().take_while(|lag| lag.heard <= until);
        // Long ones that may not count take nothing away where they do.
        let counts = |lag: &&Lag| !lag.is_odd || lag.least < long;
        let mut before = before.iter().rev().filter(counts).peekable();
        let Some(last) = before.peek() else { return false };
        if since.into_iter().any(|lag| lag.least < long)
            || !case.target.lived_through(last.heard, until)
        {
            return false;
        }
        let mut more = 0_i64;
        before.take_while(|lag| lag.heard >= from.minus(REMEMBERED)).all(|lag| {
            more += if lag.least >= long { 1 } else { -1 };
            more > 0 && lag.known <= from
        })
    }
}

#[cfg(test)]
mod tests;

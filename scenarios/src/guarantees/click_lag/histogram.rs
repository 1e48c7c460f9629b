//! The exposed lags as a histogram, beside those of the clicks that were delivered.

use super::{Exposed, WITHIN, long};
use crate::case::Case;
use crate::guarantees::evidence::quantiles;
use crate::guarantees::evidence::scrapes::{self, Life};
use crate::guarantees::evidence::waiting::{Wait, Waiting};
use crate::measure::humane;
use crate::observed::Histogram;
use crate::verdict::Witness;
use std::time::Duration;

/// So many clicks that came late must show.
const LATE: usize = 5;

/// Compares what was counted in each life of the process.
pub(super) fn judged(case: &Case, waiting: &Waiting<'_>) -> Exposed {
    let mut exposed = Exposed::default();
    for life in scrapes::lives(case) {
        let Some(last) = life.last.figures.click_lags.as_ref() else { continue };
        let first = life.first.figures.click_lags.as_ref();
        if first.is_none_or(|first| first.count <= last.count) {
            exposed.what = Some("a histogram of the lags of clicks that were delivered");
            exposed.compare(case, waiting, life, &quantiles::added(first, last));
        }
    }
    exposed
}

impl Exposed {
    fn compare(
        &mut self,
        case: &Case,
        waiting: &Waiting<'_>,
        life: Life<'_>,
        histogram: &Histogram,
    ) {
        let (delta, at) = (case.harness.delta, life.last.sent);
        let may_be = |one: &&Wait| {
            one.heard <= life.last.last.plus(delta) && one.known.plus(delta) >= life.first.sent
        };
        let surely_late = |one: &&Wait| {
            let inside = one.heard > life.first.last.plus(delta) && one.known.plus(delta) < at;
            inside && one.heard.minus(delta).since(one.acked) > long(case)
        };
        let most: Vec<Duration> = waiting
            .all()
            .iter()
            .filter(may_be)
            .map(|one| one.known.plus(delta).since(one.sent))
            .collect();
        let late = waiting.certain().filter(surely_late).count();
        self.seen += 1;
        self.shown += late;
        let from = |bound: f64| most.iter().filter(|lag| lag.as_secs_f64() >= bound).count();
        let buckets = || [(0.0, 0.0)].into_iter().chain(histogram.buckets.iter().copied());
        #[allow(clippy::cast_precision_loss)] // clicks of one run
        let beyond = buckets().find(|(bound, up_to)| histogram.count - up_to > from(*bound) as f64);
        if let Some((bound, up_to)) = beyond {
            let (said, can) = (histogram.count - up_to, from(bound));
            self.offences.add(at, || {
                let what = format!(
                    "clicks said to have waited for more than {bound} s: {said}, and there can have been {can}"
                );
                Witness::new(at, what)
            });
        }
        let half = (case.time(&WITHIN) / 2).as_secs_f64();
        let short = buckets().take_while(|(bound, _)| *bound <= half).last();
        if let Some((bound, up_to)) = short.filter(|(_, up_to)| histogram.count <= *up_to)
            && late >= LATE
        {
            self.offences.add(at, || {
                let what = format!(
                    "all of {up_to} clicks are said to have waited for {bound} s at the most: {late} \
                     waited for more than {}",
                    humane(long(case)),
                );
                Witness::new(at, what)
            });
        }
    }
}

#[cfg(test)]
mod tests;

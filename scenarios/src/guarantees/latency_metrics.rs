//! The latency of upstream calls that the metrics expose is the latency that there was.
//!
//! Blind to: the alert. Broken by: `latency-in-milliseconds`, `cache-hits-in-latency`.

use super::evidence::quantiles::{self, Between, Durations};
use super::evidence::scrapes::{self, Life};
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::measure::{Gauge, humane};
use crate::observed::Histogram;
use crate::verdict::{Offences, Verdict, Witness};
use std::time::Duration;

const PROMISE: Promise = Promise {
    id: "latency-metrics",
    statement: "p50, p95, p99 of upstream latency are exposed and true.",
    priority: Priority::Standard,
    source: "checklist; predicates B10: METRIC, and section 3: order statistics between two scrapes",
    why: "An alert on latency is as good as the histogram behind it: a wrong unit, or cache hits \
          among the calls, and it never fires.",
    usual_fix: "Observe each attempt once, in seconds, in the client itself, from sending to the last \
                byte; with buckets around the alert's threshold.",
    blind_to: "The alert, summaries (their window is not known), and differences within one bucket or \
               within delivery and scheduling.",
    bounds: &[],
    minimums: &[],
    // What is compared is the mock's own time.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Metrics],
    sees: &[Sight::Upstream, Sight::Metrics],
};

/// Quantiles that are compared.
const SHARES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];
/// More seconds than any run has.
const FOR_EVER: f64 = 1e9;
/// A 95th percentile of fewer is the largest of them.
const ENOUGH: usize = 20;

/// See the module.
pub struct LatencyMetrics;

impl Guarantee for LatencyMetrics {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

#[derive(Default)]
struct Judged {
    offences: Offences,
    /// Observations in the histograms that were compared.
    seen: usize,
    successes: usize,
    in_words: Vec<String>,
    gauges: Vec<Gauge>,
    /// Quantiles whose bucket has no end.
    endless: Vec<&'static str>,
}

fn judge(case: &Case) -> Verdict {
    let mut judged = Judged::default();
    judged.gauges.extend(SHARES.map(|(name, _)| distance(name)));
    judged.gauges.push(surplus());
    let mut compared = 0;
    for life in scrapes::lives(case) {
        if let Some(last) = &life.last.figures.latency {
            compared += 1;
            let histogram = quantiles::added(life.first.figures.latency.as_ref(), last);
            judged.compare(case, life, &histogram);
        }
    }
    let Judged { offences, seen, successes, in_words, gauges, endless } = judged;
    let observed = format!(
        "{seen} calls in the histogram, {successes} succeeded for certain; {}",
        if in_words.is_empty() { "no quantile compared".to_owned() } else { in_words.join("; ") },
    );
    let rule = format!(
        "each quantile is in the bucket where it lay, give or take {} (2 δ) for delivery and scheduling",
        humane(case.harness.delta * 2)
    );
    let wide = format!("the histogram's buckets end below {}", endless.join(", "));
    offences
        .verdict(seen, "upstream calls in the histogram")
        .only_if(compared > 0, scrapes::why_unseen(case, "latency"))
        .only_if(seen >= ENOUGH, format!("{seen} calls in the histogram, {ENOUGH} are needed"))
        .only_if(endless.is_empty(), wide)
        .measured(Gauge::tightest(gauges), observed, rule)
}

impl Judged {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn compare(&mut self, case: &Case, life: Life<'_>, histogram: &Histogram) {
        let durations = Durations::of(case, life);
        let (counted, most) = (histogram.count.max(0.0) as usize, durations.at_most());
        self.seen += counted;
        self.successes += durations.sure_successes();
        let at = life.last.sent;
        if !durations.refused {
            self.gauges.push(surplus().counted(counted.saturating_sub(most) as u64, counted));
        }
        if counted > most && !durations.refused {
            self.offences.add(|| {
                let what = format!("the histogram holds {counted} calls, and there were {most}");
                Witness::new(at, what)
            });
        }
        if counted < ENOUGH {
            return;
        }
        for (name, share) in SHARES {
            let Some(truth) = durations.quantile(share) else { continue };
            let exposed = quantiles::exposed(histogram, share);
            let words = format!("{name} {} of {}", shown(exposed), shown(truth));
            let apart = exposed.low > truth.high || exposed.high < truth.low;
            // Where both have an end that is not known they are not apart.
            let gap = (exposed.low - truth.high).max(truth.low - exposed.high);
            let gap = Duration::from_secs_f64(gap.clamp(0.0, FOR_EVER));
            let gap = gap.max(Duration::from_nanos(apart.into()));
            self.gauges.push(distance(name).took(Some(gap)));
            if apart {
                self.offences.add(|| {
                    let what =
                        format!("{name} is exposed as {} and was {}", shown(exposed), shown(truth));
                    Witness::new(at, what)
                });
            }
            // A timeout may well lie beyond the last bucket; the alert's quantile may not.
            let endless = exposed.high.is_infinite() && name != "p99";
            if endless && !apart && !self.endless.contains(&name) {
                self.endless.push(name);
            }
            self.in_words.push(words);
        }
    }
}

/// How far the quantile that is exposed is from where it can have been.
fn distance(quantile: &str) -> Gauge {
    Gauge::within(&format!("{quantile} off by"), Duration::ZERO, Duration::ZERO)
}

/// Calls in the histogram beyond those that there were.
fn surplus() -> Gauge {
    Gauge::none_of("calls too many")
}

fn shown(between: Between) -> String {
    let high = if between.high.is_infinite() {
        "∞".to_owned()
    } else {
        format!("{:.0}", between.high * 1e3)
    };
    format!("{:.0} to {high} ms", between.low * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Figures;
    use crate::testing::{History, given_up, read, scrape};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::clock::Moment;
    use mock_server::history::exchange::Exchange;

    /// A read that took so long.
    fn slow(at_ms: u64, took_ms: u64) -> Exchange {
        let end = Moment::from_ms(at_ms + took_ms);
        Exchange { t_first: Some(end), t_w: Some(end), t_end: end, ..read("ann", at_ms) }
    }

    /// Ninety reads of 1 s and ten of 3 s, and what the metrics say of them.
    fn exposed(buckets: &[(f64, f64)], count: f64) -> History {
        let reads = (0..100).map(|n| slow(1_000 + n * 100, if n < 90 { 1_000 } else { 3_000 }));
        let latency = Some(Histogram { buckets: buckets.to_vec(), count });
        History::over(&[])
            .scrape(scrape(0, Figures::default()))
            .exchanges(reads)
            .scrape(scrape(60_000, Figures { latency, ..Figures::default() }))
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind) -> Verdict {
        let verdict = history.judged_by(&LatencyMetrics);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
        verdict
    }

    const TRUE: [(f64, f64); 4] = [(0.5, 0.0), (1.5, 90.0), (2.5, 90.0), (5.0, 100.0)];

    #[test]
    fn a_true_histogram_holds() {
        assert_eq!(check(exposed(&TRUE, 100.0), Held).seen, 100);
    }

    #[test]
    fn a_wrong_unit_violates() {
        check(exposed(&[(0.5, 0.0), (1.5, 0.0), (2.5, 0.0), (5.0, 0.0)], 100.0), Violated);
        check(exposed(&[(0.5, 100.0), (1.5, 100.0), (2.5, 100.0), (5.0, 100.0)], 100.0), Violated);
    }

    #[test]
    fn a_tail_that_is_missing_violates() {
        check(exposed(&[(0.5, 0.0), (1.5, 100.0), (2.5, 100.0), (5.0, 100.0)], 100.0), Violated);
    }

    #[test]
    fn more_calls_than_there_were_violate() {
        let with_hits = [(0.5, 900.0), (1.5, 990.0), (2.5, 990.0), (5.0, 1_000.0)];
        let verdict = check(exposed(&with_hits, 1_000.0), Violated);
        assert!(verdict.witnesses[0].what.contains("1000 calls"), "{verdict:?}");
    }

    #[test]
    fn only_successes_or_all_attempts_may_be_measured() {
        let outage = (0..50).map(|n| given_up("ann", 20_000 + n * 100, 30_000 + n * 100));
        check(exposed(&TRUE, 100.0).exchanges(outage.clone()), Held);
        let all = [(0.5, 0.0), (1.5, 90.0), (2.5, 90.0), (5.0, 100.0), (15.0, 150.0)];
        check(exposed(&all, 150.0).exchanges(outage), Held);
    }

    #[test]
    fn whole_calls_with_their_retries_may_be_measured() {
        // Every call fails twice before: 4 s from the first attempt to the answer.
        let failed = |at| Exchange { status: Some(503), ..slow(at, 10) };
        let calls = (0..50_u64).flat_map(|n| {
            let at = 1_000 + n * 5_000;
            [failed(at), failed(at + 1_500), slow(at + 3_000, 1_000)]
        });
        let history = |buckets: &[(f64, f64)]| {
            let latency = Some(Histogram { buckets: buckets.to_vec(), count: 50.0 });
            History::over(&[])
                .scrape(scrape(0, Figures::default()))
                .exchanges(calls.clone())
                .scrape(scrape(300_000, Figures { latency, ..Figures::default() }))
        };
        check(history(&[(3.5, 0.0), (4.1, 50.0)]), Held);
        check(history(&[(5.0, 0.0), (9.0, 50.0)]), Violated);
    }

    #[test]
    fn what_a_pause_lengthened_excuses() {
        let frozen = [(0.5, 0.0), (1.5, 0.0), (2.5, 0.0), (5.0, 0.0), (60.0, 100.0)];
        check(exposed(&frozen, 100.0).paused(1_000, 14_000), Held);
        check(exposed(&frozen, 100.0), Violated);
    }

    #[test]
    fn too_few_calls_no_histogram_or_no_end_are_inconclusive() {
        check(exposed(&[(0.5, 0.0), (1.5, 19.0)], 19.0), Inconclusive);
        check(exposed(&[(0.5, 0.0)], 100.0), Inconclusive);
        let without = History::over(&[]).scrape(scrape(0, Figures::default()));
        check(without.scrape(scrape(9_000, Figures::default())), Inconclusive);
        check(History::over(&[]), Inconclusive);
    }
}

//! The upstream latency that is exposed is that which there was, and an alert comes when it is too long.
//!
//! Blind to: summaries. Broken by: `latency-in-milliseconds`, `cache-hits-in-latency`,
//! `latency-to-first-byte`, `timeouts-not-in-latency`, `latency-alert-never-fires`,
//! `latency-alert-on-the-mean`, `latency-alert-on-the-slowest`, `latency-alert-counts-hits`.

mod alert;

use super::evidence::quantiles::{self, Between, Durations, Reading};
use super::evidence::scrapes::{self, Life};
use super::{
    AtOnce, Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit, profile_timeout,
};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::measure::{self, Gauge, humane};
use crate::observed::{Histogram, Scrape};
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use std::time::Duration;

const ALERT: Bound = Bound {
    of: "latency-metrics",
    name: "alert_ms",
    what: "an alert fires when the 95th percentile in the declared window is longer; it is what people wait, \
           and does not shrink with the time scale",
    unit: Unit::RealTime,
    default: 500,
};

const CALLS: Minimum = Minimum { name: "upstream calls in the histogram", least: 50 };
const TIMEOUTS: Minimum = Minimum { name: "attempts that timed out", least: 5 };
const LONG_BODIES: Minimum = Minimum { name: "answers whose body took long", least: 10 };
const TOLD: Minimum = Minimum { name: "quantiles told from untrue ones", least: 3 };

const PROMISE: Promise = Promise {
    id: "latency-metrics",
    statement: "p50, p95, p99 of upstream latency are exposed and true; an alert fires when p95 is past \
                500 ms, and not otherwise.",
    priority: Priority::Standard,
    source: "checklist; what the metrics count between two scrapes is compared with what Linktree \
             saw: timeouts and bodies belong to it. An alert must come once its condition has \
             certainly held for long enough, and must not where it certainly never did, by every \
             reading of a latency. The bound is real time, the window (`latency_window_ms` of \
             [declared]) is contract time",
    why: "An alert on latency is as good as the histogram behind it: a wrong unit, or cache hits \
          among the calls, and it never fires.",
    usual_fix: "Observe each attempt once, however it ends, in seconds, in the client itself, from \
                sending to the last byte; with buckets around the alert's threshold. Take the alert's \
                p95 from it over the whole window, analytics left out.",
    blind_to: "Summaries in the metrics (their window is not known), and differences within one bucket or \
               within delivery and scheduling. The alert between half its bound and where every histogram \
               with a bound in between shows it: there it may fire or not. How soon it ends. An alert that \
               has no name in [observe.alerts] while none comes that has none: the metrics alone are \
               judged then, and the verdict says so.",
    bounds: &[ALERT],
    minimums: &[CALLS, TIMEOUTS, LONG_BODIES, TOLD, alert::LOUD, alert::NEAR],
    // What is compared is the mock's own time.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Metrics],
    sees: &[Sight::Upstream, Sight::Metrics, Sight::Alerts],
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

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        alert::tests::decided()
    }
}

#[derive(Default)]
struct Judged {
    offences: Offences,
    /// Observations in the histograms that were compared.
    seen: usize,
    timeouts: usize,
    long_bodies: usize,
    told: usize,
    in_words: Vec<String>,
    gauges: Vec<Gauge>,
    /// Quantiles whose bucket has no end.
    endless: Vec<&'static str>,
}

fn judge(case: &Case) -> Verdict {
    let mut judged = Judged::default();
    judged.gauges.extend(SHARES.map(|(name, _)| distance(name)));
    judged.gauges.extend([surplus(), missing()]);
    let (mut compared, mut fell) = (false, None);
    for life in scrapes::lives(case) {
        let Some(histogram) = between(life) else { continue };
        if let Some(why) = life.fell(case) {
            fell.get_or_insert(why);
            continue;
        }
        compared = true;
        let [timeouts, long_bodies] = judged.compare(case, life, &histogram, "in all");
        judged.seen += counted(&histogram);
        judged.timeouts += timeouts;
        judged.long_bodies += long_bodies;
        for phase in &case.plan.phases {
            let (from, until) = (case.moment(phase.from_ms), case.moment(phase.until_ms));
            let inside = |scrape: &&Scrape| {
                let lived = life.first.sent <= scrape.sent && scrape.last <= life.last.last;
                lived && scrape.is_ok() && from <= scrape.sent && scrape.last <= until
            };
            let mut scrapes = case.target.scrapes.iter().filter(inside);
            let (Some(first), Some(last)) = (scrapes.next(), scrapes.next_back()) else { continue };
            let part = Life { first, last };
            if let Some(histogram) = between(part) {
                judged.compare(case, part, &histogram, &format!("in {:?}", phase.name));
            }
        }
    }
    let Judged { mut offences, seen, timeouts, long_bodies, told, in_words, gauges, endless } =
        judged;
    let alert = alert::compared(case);
    let observed = format!(
        "{} in the histogram; {timeouts} timed out and {long_bodies} had a body that took long, for certain; \
         {}; of the alert: {}",
        measure::so_many(seen, "call", "calls"),
        if in_words.is_empty() { "no quantile compared".to_owned() } else { in_words.join("; ") },
        alert.words,
    );
    let rule = format!(
        "in all, and in each phase, each quantile is in the bucket where it lay, give or take {} (2 δ) \
         for delivery and scheduling; of each attempt, each call, or, where less than a twentieth timed \
         out, of what was answered; of calls that never left there may be as few besides; {}",
        humane(case.harness.delta * 2),
        alert::rule(case),
    );
    let wide = format!("the histogram's buckets end below {}", endless.join(", "));
    let strength =
        [CALLS.seen(seen), TIMEOUTS.seen(timeouts), LONG_BODIES.seen(long_bodies), TOLD.seen(told)];
    let calls = alert::is_called_for(case);
    let asked = |one: Minimum| Minimum { least: if calls { one.least } else { 0 }, ..one };
    let of_the_alert = alert.strength_of([alert::LOUD, alert::NEAR].map(asked));
    let strength = strength.into_iter().chain(of_the_alert);
    let (seen, unknown) = (seen + alert.seen(), alert.undecided().filter(|_| calls));
    let gauges = Gauge::tightest(gauges).into_iter().chain(alert.gauges());
    offences.join(alert.offences);
    offences
        .verdict(seen, "upstream calls in the histogram, and alerts")
        .because((!compared).then(|| scrapes::why_unseen(case, "latency")))
        .only_if(compared, scrapes::why_unseen(case, "latency"))
        .only_if(endless.is_empty(), wide)
        .at_least(strength)
        .undecided(unknown)
        .undecided(fell)
        .measured(gauges, observed, rule)
}

/// What the histogram took in between two scrapes, if it is exposed.
fn between(life: Life<'_>) -> Option<Histogram> {
    let last = life.last.figures.latency.as_ref()?;
    Some(quantiles::added(life.first.figures.latency.as_ref(), last))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // no fraction and no sign is left
const fn counted(histogram: &Histogram) -> usize {
    histogram.count.max(0.0) as usize
}

/// A quantile of one reading beside what is exposed.
struct Compared {
    name: &'static str,
    exposed: Between,
    truth: Between,
}

impl Compared {
    fn words(&self) -> String {
        format!("{} {} of {}", self.name, shown(self.exposed), shown(self.truth))
    }
}

fn compared(reading: &Reading<'_>, histogram: &Histogram) -> Vec<Compared> {
    let of = |(name, share)| {
        let (exposed, truth) =
            (quantiles::exposed(histogram, share), reading.quantile(share, counted(histogram))?);
        Some(Compared { name, exposed, truth })
    };
    SHARES.into_iter().filter_map(of).collect()
}

impl Judged {
    /// Says how far what is exposed is from what was; how many attempts timed out for certain, and how
    /// many answers had a body that took long.
    fn compare(
        &mut self,
        case: &Case,
        life: Life<'_>,
        histogram: &Histogram,
        when: &str,
    ) -> [usize; 2] {
        let durations = Durations::of(case, life);
        self.find_best(case, (life, when), histogram, &durations);
        let [_, timeouts, long_bodies] = durations.surely();
        [timeouts, long_bodies]
    }

    /// Finds the way of measuring that fits best.
    fn find_best(
        &mut self,
        case: &Case,
        (life, when): (Life<'_>, &str),
        histogram: &Histogram,
        durations: &Durations,
    ) {
        let [sure, timeouts, _] = durations.surely();
        let (counted, most) = (counted(histogram), durations.at_most());
        let at = life.last.sent;
        self.gauges.push(surplus().counted(counted.saturating_sub(most) as u64, counted));
        if counted > most {
            let what = format!(
                "the histogram holds {counted} calls {when}, and there can have been {most}"
            );
            self.offences.add(at, || Witness::new(at, what));
        }
        if counted.max(sure) < ENOUGH {
            return;
        }
        let readings = durations.readings();
        let fits =
            |reading: &&Reading<'_>| (reading.counts().0..=reading.counts().1).contains(&counted);
        let worst = |compared: &[Compared]| {
            compared.iter().map(|one| one.truth.gap(one.exposed)).fold(0.0, f64::max)
        };
        let best = readings
            .iter()
            .filter(fits)
            .map(|reading| (reading, compared(reading, histogram)))
            .min_by(|one, other| worst(&one.1).total_cmp(&worst(&other.1)));
        let Some((reading, best)) = best else {
            let least = readings.iter().map(|reading| reading.counts().0).min().unwrap_or(0);
            let left_out = least.saturating_sub(counted);
            self.gauges.push(missing().counted(left_out.max(1) as u64, counted));
            if counted <= most {
                let what = format!(
                    "the histogram holds {counted} calls {when}: {sure} attempts ended for certain, of \
                     which {timeouts} timed out",
                );
                self.offences.add(at, || Witness::new(at, what));
            }
            return;
        };
        self.gauges.push(missing().counted(0, counted));
        let tells = (case.harness.delta * 2).as_secs_f64();
        // A client's own timer may be as early as `profile-timeout` lets it.
        let timeout = case.time(&profile_timeout::WITHIN).as_secs_f64() * 0.9;
        let ends = histogram.buckets.iter().map(|bucket| bucket.0).fold(0.0, f64::max);
        for one in &best {
            let gap = one.truth.gap(one.exposed);
            // Where both have an end that is not known they are not apart.
            let took = Duration::from_secs_f64(gap.min(FOR_EVER));
            let took = took.max(Duration::from_nanos((gap > 0.0).into()));
            self.gauges.push(distance(one.name).took(Some(took)));
            if gap > 0.0 {
                let what = format!(
                    "{} {when} is exposed as {} and was {}, measured over {}",
                    one.name,
                    shown(one.exposed),
                    shown(one.truth),
                    reading.what,
                );
                self.offences.add(at, || Witness::new(at, what).lasting(took));
            }
            self.told += usize::from(one.truth.tells(tells));
            // A timeout may well lie beyond the last bucket, as it does of Prometheus' own, which end at
            // 10 s; the alert's quantile of what was answered may not.
            let timed_out = one.truth.low >= timeout;
            // Beside the last bucket's end it may have been within it.
            let beyond = one.exposed.high.is_infinite() && one.exposed.low >= ends;
            let endless = beyond && one.name != "p99" && gap <= 0.0 && !timed_out;
            if endless && !self.endless.contains(&one.name) {
                self.endless.push(one.name);
            }
        }
        let words: Vec<String> = best.iter().map(Compared::words).collect();
        self.in_words.push(format!("{when} over {}: {}", reading.what, words.join(", ")));
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

/// Calls that every way of measuring would hold.
fn missing() -> Gauge {
    Gauge::none_of("calls left out")
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
mod tests;

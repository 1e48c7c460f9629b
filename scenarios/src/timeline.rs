//! What happened over time, as the lines of a chart: load, upstream calls, latency, cache, backlog.
//!
//! Memory depends on the number of steps and not on the number of operations.

mod breakers;

use crate::case::{Case, JudgedExchange};
use crate::guarantees::evidence::deliveries::Deliveries;
use crate::history::Operation;
use crate::observed::Held;
use crate::traffic::actions::{ACTIONS, Action};
use hdrhistogram::Histogram;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use std::time::Duration;

pub use breakers::{Breaker, BreakerState, breakers};

/// Into how many steps a scenario is divided.
pub const STEPS: usize = 240;

/// The longest latency distinguished, µs; longer ones count as this.
const LONGEST_US: u64 = 120_000_000;

/// Fewer steps with a look at what the target holds are no course.
const LEAST_HELD: usize = 60;

const MIB: f64 = 1_048_576.0;

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The panel that it belongs to: `load`, `upstream`, `latency`, `cache`, `clicks`, `memory` or
    /// `open files`.
    pub group: &'static str,
    /// What it shows.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// Start of the step in plan milliseconds, and the value in it. Steps without a value are left
    /// out: there is no latency without visitors, and no share of nothing.
    pub points: Vec<(u64, f64)>,
}

/// Builds the lines from the case and one pass over the operations.
pub struct Timeline<'c> {
    case: &'c Case,
    deliveries: Deliveries<'c>,
    /// Length of a step, ms.
    width_ms: u64,
    steps: Vec<Step>,
}

#[derive(Default)]
struct Step {
    /// By action: offered, and answered well.
    load: [[u64; 2]; ACTIONS.len()],
    /// By class, see [`CLASSES`].
    upstream: [u64; 5],
    fetches: u64,
    /// Acknowledged minus delivered in this step.
    backlog: i64,
    latency_us: Option<Histogram<u32>>,
}

const CLASSES: [&str; 5] = ["2xx", "429", "5xx", "other", "no answer"];
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

impl<'c> Timeline<'c> {
    /// Begins with the upstream side, which the case has.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        let duration = case.plan.duration_ms().max(case.plan_ms(case.harness.closed));
        let mut timeline = Self {
            case,
            deliveries: Deliveries::of(case),
            width_ms: duration.div_ceil(STEPS as u64).max(1),
            steps: std::iter::repeat_with(Step::default).take(STEPS).collect(),
        };
        for exchange in case.linktree.exchanges.iter() {
            let step = timeline.step(exchange.t_req);
            step.upstream[class(exchange)] += 1;
            step.fetches += u64::from(exchange.route == Route::Profile && !exchange.is_head());
        }
        timeline
    }

    /// Takes in a front-door operation.
    ///
    /// # Panics
    ///
    /// Never: the bounds of the histograms are constants that fit.
    pub fn operation(&mut self, operation: &Operation<'_>) {
        if operation.did.action().info().lines.is_none() {
            return;
        }
        let action = operation.did.action() as usize;
        let latency = operation.last.since(operation.intended);
        let offered = self.step(operation.intended);
        offered.load[action][0] += 1;
        let histogram = offered.latency_us.get_or_insert_with(|| {
            Histogram::new_with_bounds(1, LONGEST_US, 2).expect("the bounds are in order")
        });
        histogram.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US));
        if !operation.is_ok() {
            return;
        }
        self.step(operation.last).load[action][1] += 1;
        if let Some(event_id) = operation.event_id() {
            self.step(operation.last).backlog += 1;
            let settled = self.deliveries.find(event_id).and_then(|click| click.settled());
            if let Some(at) = settled {
                self.step(at.max(operation.last)).backlog -= 1;
            }
        }
    }

    /// The lines, panel by panel.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of a step are far below 2^52
    pub fn series(self) -> Vec<Series> {
        let seconds = Duration::from_millis(self.width_ms).as_secs_f64();
        let rate = |count: u64| Some(count as f64 / seconds);
        let mut all = Vec::new();
        for action in ACTIONS {
            for (index, name) in action.info().lines.into_iter().flatten().enumerate() {
                let load = |step: &Step| rate(step.load[*action as usize][index]);
                all.push(self.line("load", name, "per s", load));
            }
        }
        for (index, name) in CLASSES.into_iter().enumerate() {
            all.push(self.line("upstream", name, "per s", |step| rate(step.upstream[index])));
        }
        for (name, quantile) in QUANTILES {
            all.push(self.line("latency", name, "ms", |step| {
                let latency = step.latency_us.as_ref()?;
                Some(latency.value_at_quantile(quantile) as f64 / 1_000.0)
            }));
        }
        all.push(self.line("cache", "pages served without a profile call", "%", |step| {
            let served = step.load[Action::Page as usize][1];
            let fetched = step.fetches as f64 * 100.0 / served as f64;
            (served > 0).then(|| (100.0 - fetched).max(0.0))
        }));
        let mut waiting = 0;
        all.push(self.line("clicks", "acknowledged and not delivered", "clicks", |step| {
            waiting += step.backlog;
            Some(waiting as f64)
        }));
        all.extend(
            self.held("memory", "resident", "MiB", |held| Some(held.resident_bytes as f64 / MIB)),
        );
        all.extend(self.held("open files", "open", "files", |held| Some(held.open_files? as f64)));
        all
    }

    /// The most that the target held in each step; no line where it was looked at too seldom to show more
    /// than the two figures of the report do.
    fn held(
        &self,
        group: &'static str,
        name: &'static str,
        unit: &'static str,
        value: impl Fn(&Held) -> Option<f64>,
    ) -> Option<Series> {
        let mut points: Vec<(u64, f64)> = Vec::new();
        for held in &self.case.target.held {
            let Some(value) = value(held) else { continue };
            let start = self.case.plan_ms(held.at) / self.width_ms * self.width_ms;
            match points.last_mut().filter(|last| last.0 == start) {
                Some(last) => last.1 = last.1.max(value),
                None => points.push((start, value)),
            }
        }
        (points.len() >= LEAST_HELD).then_some(Series { group, name, unit, points })
    }

    fn step(&mut self, at: Moment) -> &mut Step {
        let index = usize::try_from(self.case.plan_ms(at) / self.width_ms).unwrap_or(STEPS);
        &mut self.steps[index.min(STEPS - 1)]
    }

    fn line(
        &self,
        group: &'static str,
        name: &'static str,
        unit: &'static str,
        mut value: impl FnMut(&Step) -> Option<f64>,
    ) -> Series {
        let starts = (0..).step_by(usize::try_from(self.width_ms).unwrap_or(usize::MAX));
        let points = starts.zip(&self.steps);
        let points = points.filter_map(|(start, step)| Some((start, value(step)?))).collect();
        Series { group, name, unit, points }
    }
}

fn class(exchange: &JudgedExchange) -> usize {
    match exchange.status {
        Some(200..=299 | 304) => 0,
        Some(429) => 1,
        Some(500..=599) => 2,
        Some(_) => 3,
        None => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind::Control;
    use crate::testing::{History, click, given_up, page, read, refused, sent_click};

    /// 240 s, so that a step is a second.
    fn value(history: &History, name: &str, second: usize) -> Option<f64> {
        let mut timeline = Timeline::of(&history.case);
        history.operations.iter().for_each(|operation| timeline.operation(operation));
        let series = timeline.series();
        let line = series.iter().find(|line| line.name == name).unwrap();
        let at = second as u64 * 1_000;
        line.points.iter().find(|point| point.0 == at).map(|point| point.1)
    }

    fn history() -> History {
        History::over(&[(Control, 0, 240)])
    }

    #[test]
    fn load_is_offered_when_intended_and_served_when_answered() {
        let unserved = Operation { status: Some(503), ..page("ann", 5_000, 5_100, "-") };
        let history = history().operation(page("ann", 5_900, 6_100, "v")).operation(unserved);
        assert_eq!(value(&history, "pages offered", 5), Some(2.0));
        assert_eq!(value(&history, "pages served", 5), Some(0.0));
        assert_eq!(value(&history, "pages served", 6), Some(1.0));
    }

    #[test]
    fn latency_counts_from_the_intended_start() {
        let late = Operation { sent: Moment::from_ms(900), ..page("ann", 500, 1_000, "v") };
        let history = history().operation(late);
        let p95 = value(&history, "p95", 0).unwrap();
        assert!((495.0..=505.0).contains(&p95), "{p95}");
        assert_eq!(value(&history, "p95", 1), None);
    }

    #[test]
    fn upstream_calls_are_counted_by_status() {
        let calls = [read("ann", 10), refused("ann", 20, 429), refused("ann", 30, 503)];
        let history = history().exchanges(calls).exchange(given_up("ann", 40, 90));
        let seen = CLASSES.map(|class| value(&history, class, 0).unwrap());
        assert_eq!(seen, [1.0, 1.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn offload_is_the_share_of_pages_without_a_profile_call() {
        let pages = (0..10).map(|n| page("ann", 2_000 + n, 2_001 + n, "v"));
        let history = history().operations(pages).exchange(read("ann", 2_000));
        let name = "pages served without a profile call";
        assert_eq!((value(&history, name, 2), value(&history, name, 3)), (Some(90.0), None));
    }

    #[test]
    fn the_backlog_grows_with_acknowledgements_and_shrinks_with_deliveries() {
        let clicks = [click("a", 1_000, 1_005), click("b", 1_000, 1_006)];
        let history = history().operations(clicks).exchange(sent_click("a", 3_000, 202));
        let waiting = |second| value(&history, "acknowledged and not delivered", second).unwrap();
        assert_eq!([0, 1, 2, 3, 239].map(waiting), [0.0, 2.0, 2.0, 1.0, 1.0]);
    }

    #[test]
    fn what_the_target_held_is_a_line_where_it_was_looked_at_for_long() {
        let held = |looks: u64, every_ms: u64| {
            let mut history = history();
            history.case.target.held = (0..looks)
                .map(|n| Held {
                    at: history.case.harness.armed.plus(Duration::from_millis(n * every_ms)),
                    processes: 1,
                    resident_bytes: (n + 1) * 1_048_576,
                    open_files: None,
                })
                .collect();
            history
        };
        let long = held(480, 500);
        assert_eq!(
            (value(&long, "resident", 0), value(&long, "resident", 9)),
            (Some(2.0), Some(20.0))
        );
        let names = |history: &History| {
            let series = Timeline::of(&history.case).series();
            series.iter().map(|line| line.name).collect::<Vec<_>>()
        };
        assert!(!names(&long).contains(&"open"), "nobody counted files");
        assert!(!names(&held(59, 1_000)).contains(&"resident"));
    }
}

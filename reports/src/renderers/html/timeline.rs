//! Places a scenario on one axis of time: phases, fault windows, a panel per group, markers.
//!
//! Only geometry: the template draws it. Coordinates are pixels of the view box.

use std::collections::BTreeMap;

use super::anchor;
use crate::report::{FaultWindow, ScenarioReport, Series};
use crate::text;

const LEFT: f64 = 260.0;
const RIGHT: f64 = 985.0;
const LANE: f64 = 18.0;
const TOP: f64 = 40.0;
const GAP: f64 = 26.0;

/// Everything that is drawn for one scenario.
pub(super) struct Timeline {
    pub height: f64,
    pub bottom: f64,
    pub phases: Vec<Band>,
    pub lanes: Vec<Lane>,
    pub shades: Vec<Band>,
    pub panels: Vec<Panel>,
    pub ticks: Vec<Tick>,
    pub marks: Vec<Mark>,
}

pub(super) struct Band {
    pub x: f64,
    pub width: f64,
    pub label: String,
}

/// All windows of one fault rule.
pub(super) struct Lane {
    pub y: f64,
    pub label: String,
    pub bands: Vec<Band>,
}

/// One chart: the series of one group.
pub(super) struct Panel {
    pub title: String,
    pub y: f64,
    pub height: f64,
    pub base: f64,
    pub max: String,
    pub min: String,
    pub lines: Vec<Line>,
}

pub(super) struct Line {
    /// Chooses colour and dashes.
    pub style: usize,
    pub legend_y: f64,
    pub name: String,
    pub path: String,
}

pub(super) struct Tick {
    pub x: f64,
    pub label: String,
}

pub(super) struct Mark {
    pub x: f64,
    pub label: String,
    pub link: Option<String>,
}

impl Timeline {
    /// Thins every series to about `max_points`; markers on one spot are counted, never dropped.
    pub fn of(scenario: &ScenarioReport, max_points: usize) -> Self {
        let end_ms = end_ms(scenario);
        let place = |at_ms: u64| px(LEFT + (RIGHT - LEFT) * at_ms as f64 / end_ms as f64);
        let band = |from_ms: u64, until_ms: u64, label: String| {
            let x = place(from_ms);
            Band { x, width: px((place(until_ms) - x).max(1.0)), label }
        };

        let mut rules: Vec<(&str, Vec<&FaultWindow>)> = Vec::new();
        for window in &scenario.fault_windows {
            match rules.iter_mut().find(|(rule, _)| *rule == window.rule) {
                Some((_, windows)) => windows.push(window),
                None => rules.push((&window.rule, vec![window])),
            }
        }
        let lane_of = |(index, (rule, windows)): (usize, &(&str, Vec<&FaultWindow>))| {
            let hits: u64 = windows.iter().map(|window| window.hits).sum();
            let bands = windows.iter().map(|window| {
                let (from, until) = (text::seconds(window.from_ms), text::seconds(window.until_ms));
                let title = format!("{} from {from} to {until}: {} hits", window.kind, window.hits);
                band(window.from_ms, window.until_ms, title)
            });
            let label = text::printable(&format!("{rule}: {hits} hits"), 36);
            Lane { y: TOP + LANE * index as f64, label, bands: bands.collect() }
        };
        let lanes: Vec<_> = rules.iter().enumerate().map(lane_of).collect();

        let mut groups: Vec<(&str, Vec<&Series>)> = Vec::new();
        for series in &scenario.series {
            match groups.iter_mut().find(|(group, _)| *group == series.group) {
                Some((_, members)) => members.push(series),
                None => groups.push((&series.group, vec![series])),
            }
        }
        let mut y = TOP + LANE * lanes.len() as f64 + GAP;
        let mut panels = Vec::new();
        for (group, members) in groups {
            let panel = panel(group, &members, y, &place, max_points);
            y += panel.height + GAP;
            panels.push(panel);
        }
        Self {
            height: y + 14.0,
            bottom: y - GAP + 6.0,
            phases: scenario
                .phases
                .iter()
                .map(|phase| band(phase.from_ms, phase.until_ms, phase.name.clone()))
                .collect(),
            lanes,
            shades: scenario
                .fault_windows
                .iter()
                .map(|window| band(window.from_ms, window.until_ms, window.rule.clone()))
                .collect(),
            panels,
            ticks: (0..=6)
                .map(|tick| (u128::from(end_ms) * tick / 6) as u64)
                .map(|at_ms| Tick {
                    x: place(at_ms),
                    label: format!("{} s", text::number(at_ms as f64 / 1000.0)),
                })
                .collect(),
            marks: marks(scenario, &place, max_points),
        }
    }
}

/// Where a moment stands on the axis: what came before the traffic stands at its beginning, and says so.
fn on_axis(at_ms: i64) -> u64 {
    u64::try_from(at_ms).unwrap_or(0)
}

/// Everything fits on the axis, even what was recorded after the official end.
fn end_ms(scenario: &ScenarioReport) -> u64 {
    let phases = scenario.phases.iter().map(|phase| phase.until_ms);
    let windows = scenario.fault_windows.iter().map(|window| window.until_ms);
    let markers = scenario.markers.iter().map(|marker| on_axis(marker.at_ms));
    let points =
        scenario.series.iter().flat_map(|series| series.points.iter().map(|point| point.0));
    let last = phases.chain(windows).chain(markers).chain(points).max();
    last.unwrap_or(0).max(scenario.duration_ms).max(1)
}

fn panel(
    group: &str,
    members: &[&Series],
    y: f64,
    place: &dyn Fn(u64) -> f64,
    max_points: usize,
) -> Panel {
    let height = (20.0 * members.len() as f64 + 24.0).max(100.0);
    let values = || {
        let points = members.iter().flat_map(|series| &series.points);
        points.map(|point| point.1).filter(|value| value.is_finite())
    };
    let max = round_up(values().fold(0.0, f64::max));
    let min = 0.0 - round_up(0.0 - values().fold(0.0, f64::min));
    let (min, max) = if max > min { (min, max) } else { (0.0, 1.0) };
    let base = y + height;
    // Scaling before subtracting keeps the largest numbers finite.
    let level = |value: f64| px(base - height * (value / (max - min) - min / (max - min)));
    let mut units: Vec<&str> = Vec::new();
    for unit in members.iter().map(|series| series.unit.as_str()) {
        if !unit.is_empty() && !units.contains(&unit) {
            units.push(unit);
        }
    }
    let lines = members.iter().enumerate().map(|(index, series)| Line {
        style: index % 8,
        legend_y: y + 26.0 + 20.0 * index as f64,
        name: text::printable(&series.name, 28),
        path: path(&thinned(&series.points, max_points), place, &level),
    });
    Panel {
        title: text::printable(&format!("{group}, {}", units.join(" / ")), 40),
        y,
        height,
        base,
        max: text::number(max),
        min: text::number(min),
        lines: lines.collect(),
    }
}

fn path(points: &[(u64, f64)], place: &dyn Fn(u64) -> f64, level: &dyn Fn(f64) -> f64) -> String {
    let mut path = String::new();
    for (index, (at_ms, value)) in points.iter().enumerate() {
        let step = if index == 0 { 'M' } else { 'L' };
        path.push_str(&format!("{step}{} {}", place(*at_ms), level(*value)));
    }
    path
}

/// Keeps the lowest and the highest point of each bucket, so that no peak disappears.
fn thinned(points: &[(u64, f64)], max_points: usize) -> Vec<(u64, f64)> {
    let finite: Vec<_> = points.iter().copied().filter(|point| point.1.is_finite()).collect();
    if finite.len() <= max_points {
        return finite;
    }
    let bucket = finite.len().div_ceil((max_points / 2).max(1));
    let mut kept = Vec::new();
    for bucket in finite.chunks(bucket) {
        let positions = 0..bucket.len();
        let by_value = |a: &usize, b: &usize| bucket[*a].1.total_cmp(&bucket[*b].1);
        let (low, high) = (positions.clone().min_by(by_value), positions.max_by(by_value));
        if let (Some(low), Some(high)) = (low, high) {
            kept.push(bucket[low.min(high)]);
            if low != high {
                kept.push(bucket[low.max(high)]);
            }
        }
    }
    kept
}

/// The next of 1, 1.5, 2, 3, …, 10, 15, …: an axis that a person can read, and mostly filled.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= value && step.is_finite()).unwrap_or(value)
}

/// Violations close together share a mark, which then says how many they are.
fn marks(scenario: &ScenarioReport, place: &dyn Fn(u64) -> f64, max_marks: usize) -> Vec<Mark> {
    let width = ((RIGHT - LEFT) / max_marks as f64).max(1.0);
    let mut places: BTreeMap<(u64, bool), (usize, Mark)> = BTreeMap::new();
    for marker in &scenario.markers {
        let x = place(on_axis(marker.at_ms));
        let guarantee = marker.guarantee.as_deref();
        let key = ((x / width) as u64, guarantee.is_some());
        let (count, _) = places.entry(key).or_insert_with(|| {
            let what = guarantee.map(|guarantee| format!("{guarantee}: ")).unwrap_or_default();
            let label = format!("{} {what}{}", text::moment(marker.at_ms), marker.label);
            (0, Mark { x, label, link: guarantee.map(|id| anchor("guarantee", id)) })
        });
        *count += 1;
    }
    let counted = places.into_values().map(|(count, mut mark)| {
        if count > 1 {
            mark.label.push_str(&format!(" – the first of {count}"));
        }
        mark
    });
    counted.collect()
}

/// A tenth of a pixel is enough, and short.
fn px(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Marker;

    #[test]
    fn thinning_keeps_the_single_peak() {
        let mut points: Vec<_> = (0..10_000).map(|at_ms| (at_ms, 1.0)).collect();
        points[7_777].1 = 99.0;
        let kept = thinned(&points, 100);
        assert!(kept.len() <= 100, "{}", kept.len());
        assert!(kept.contains(&(7_777, 99.0)));
        assert!(kept.is_sorted_by_key(|point| point.0));
    }

    #[test]
    fn an_axis_ends_on_a_round_number() {
        let cases = [(0.0, 0.0), (0.3, 0.3), (1.0, 1.0), (118.0, 150.0), (8_001.0, 10_000.0)];
        for (value, expected) in cases {
            assert_eq!(text::number(round_up(value)), text::number(expected), "{value}");
        }
    }

    /// Proves that every violation is on the chart: those on one spot are counted.
    #[test]
    fn crowded_markers_are_counted() {
        let marker = |at_ms| Marker { at_ms, label: "late".into(), guarantee: Some("g".into()) };
        let markers: Vec<_> = (0..5_000).map(marker).chain([marker(60_000)]).collect();
        let scenario = ScenarioReport { markers, duration_ms: 60_000, ..Default::default() };
        let marks = Timeline::of(&scenario, 100).marks;
        let counted = marks.iter().map(|mark| {
            let count = mark.label.split_once("the first of ").map(|(_, count)| count);
            count.map_or(1, |count| count.parse::<usize>().unwrap())
        });
        assert_eq!(counted.sum::<usize>(), 5_001);
    }

    #[test]
    fn values_without_measure_do_not_reach_the_drawing() {
        let points = vec![(0, f64::MAX), (1, f64::MIN), (2, f64::NAN), (u64::MAX, f64::INFINITY)];
        let series = vec![Series { points, ..Default::default() }];
        let scenario = ScenarioReport { series, ..Default::default() };
        let timeline = Timeline::of(&scenario, 100);
        let path = &timeline.panels[0].lines[0].path;
        assert!(!path.contains("NaN") && !path.contains("inf"), "{path}");
    }
}

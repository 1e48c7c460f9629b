//! Places a scenario on one axis of time: phases, fault windows, a panel per group, markers.
//!
//! Only geometry: the template draws it. Coordinates are pixels of the view box.

use std::collections::BTreeMap;

mod breakers;

use super::examples::Links;
use crate::report::{FaultWindow, ScenarioReport, Series};
use crate::text;
use breakers::{Breakers, breakers};

const LEFT: f64 = 300.0;
const RIGHT: f64 = 985.0;
const LANE: f64 = 18.0;
const TOP: f64 = 40.0;
const GAP: f64 = 26.0;
/// About as wide as a character is.
const CHAR: f64 = 6.8;
/// Markers closer than this share one: their signs would cover each other.
const MARK: f64 = 26.0;

/// Everything that is drawn for one scenario.
pub(super) struct Timeline {
    pub height: f64,
    pub bottom: f64,
    pub phases: Vec<Band>,
    pub lanes: Vec<Lane>,
    pub breakers: Option<Breakers>,
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

impl Band {
    /// As much of the label as fits into it; nothing where that says nothing.
    pub fn fitting(&self) -> String {
        let fits = ((self.width - 8.0) / CHAR).max(0.0) as usize;
        match self.label.chars().count() {
            all if all <= fits => self.label.clone(),
            _ if fits < 6 => String::new(),
            _ => text::printable(&self.label, fits - 1),
        }
    }
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
    /// The names of those that stayed at zero, which are not drawn.
    pub none_of: String,
    pub none_y: f64,
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
    /// A cross, with the number of those that stand here.
    pub sign: String,
    pub label: String,
    pub link: Option<String>,
}

impl Timeline {
    /// Thins every series to about `max_points`; markers on one spot are counted, never dropped.
    pub fn of(scenario: &ScenarioReport, max_points: usize, links: &Links<'_>) -> Self {
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
                let hits = hits_of(window.hits);
                let title = format!("{} from {from} to {until}: {hits}", window.kind);
                band(window.from_ms, window.until_ms, title)
            });
            let label = text::printable(&format!("{rule}: {}", hits_of(hits)), 36);
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
        let below = TOP + LANE * lanes.len() as f64;
        let breakers = breakers(scenario, below, &band);
        let mut y = breakers.as_ref().map_or(below, |shown| shown.bottom) + GAP;
        let mut panels = Vec::new();
        for (group, members) in groups {
            if let Some(panel) = panel(group, &members, y, &place, max_points) {
                y += panel.height + GAP;
                panels.push(panel);
            }
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
            breakers,
            shades: scenario
                .fault_windows
                .iter()
                .map(|window| band(window.from_ms, window.until_ms, window.rule.clone()))
                .collect(),
            panels,
            ticks: ticks(end_ms)
                .map(|at_ms| Tick { x: place(at_ms), label: text::duration(at_ms) })
                .collect(),
            marks: marks(scenario, &place, links),
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

/// At most eight times that a person can read, from the beginning on.
fn ticks(end_ms: u64) -> impl Iterator<Item = u64> {
    let seconds = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800];
    let rounds = [100, 200, 500].into_iter().chain(seconds.map(|s| s * 1_000));
    let hours = (0..40).map(|power| 3_600_000_u64 << power);
    let step = rounds.chain(hours).find(|step| end_ms / step < 8).unwrap_or(u64::MAX);
    (0..=end_ms / step).map(move |tick| tick * step)
}

fn hits_of(hits: u64) -> String {
    format!("{hits} hit{}", if hits == 1 { "" } else { "s" })
}

/// `load, per s`; of clicks that are counted in clicks one word.
fn title(group: &str, units: &str) -> String {
    let title = if group == units { group.to_owned() } else { format!("{group}, {units}") };
    text::printable(&title, 36)
}

/// Nothing where nothing was seen but zeros.
fn panel(
    group: &str,
    all: &[&Series],
    y: f64,
    place: &dyn Fn(u64) -> f64,
    max_points: usize,
) -> Option<Panel> {
    let moves = |series: &&&Series| {
        series.points.iter().any(|(_, value)| value.is_finite() && *value != 0.0)
    };
    let members: Vec<&Series> = all.iter().filter(moves).copied().collect();
    if members.is_empty() {
        return None;
    }
    let still: Vec<_> = all.iter().filter(|one| !moves(one)).map(|one| &*one.name).collect();
    let rows = members.len() + usize::from(!still.is_empty());
    let height = (20.0 * rows as f64 + 24.0).max(100.0);
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
        name: text::printable(&series.name, 36),
        path: path(&thinned(&series.points, max_points), place, &level),
    });
    Some(Panel {
        title: title(group, &units.join(" / ")),
        y,
        height,
        base,
        max: text::number(max),
        min: text::number(min),
        none_of: match still.join(", ") {
            none if none.is_empty() => none,
            some => text::printable(&format!("no {some}"), 34),
        },
        none_y: y + 26.0 + 20.0 * members.len() as f64 + 4.0,
        lines: lines.collect(),
    })
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
fn marks(scenario: &ScenarioReport, place: &dyn Fn(u64) -> f64, links: &Links<'_>) -> Vec<Mark> {
    let mut places: BTreeMap<(u64, bool), (usize, Mark)> = BTreeMap::new();
    for marker in &scenario.markers {
        let x = place(on_axis(marker.at_ms));
        let guarantee = marker.guarantee.as_deref();
        let key = ((x / MARK) as u64, guarantee.is_some());
        let (count, _) = places.entry(key).or_insert_with(|| {
            let what = guarantee.map(|guarantee| format!("{guarantee}: ")).unwrap_or_default();
            let label = format!("{} {what}{}", text::moment(marker.at_ms), marker.label);
            let link = links.of(&scenario.id, marker);
            (0, Mark { x, sign: "✗".into(), label, link })
        });
        *count += 1;
    }
    let counted = places.into_values().map(|(count, mut mark)| {
        if count > 1 {
            mark.label.push_str(&format!(" – the first of {count}"));
            mark.sign.push_str(&count.to_string());
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
mod tests;

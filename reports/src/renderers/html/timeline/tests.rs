//! Holds the drawing to what was recorded: nothing is lost by thinning, counting and folding.

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
    let marks = Timeline::of(&scenario, 100, &Links::default()).marks;
    let signs: Vec<_> = marks.iter().map(|mark| &*mark.sign).collect();
    let counted = signs.iter().map(|sign| sign.trim_start_matches('✗').parse().unwrap_or(1));
    assert_eq!(counted.sum::<usize>(), 5_001, "{signs:?}");
    assert_eq!(signs.last(), Some(&"✗"));
    assert!(marks.is_sorted_by(|one, next| one.x + 1.0 < next.x));
}

#[test]
fn ticks_are_round_and_few() {
    let check = |end_ms, expected: &[&str]| {
        let told: Vec<_> = ticks(end_ms).map(text::duration).collect();
        assert_eq!(told, expected);
    };
    check(1, &["0 s"]);
    check(700, &["0 s", "0.1 s", "0.2 s", "0.3 s", "0.4 s", "0.5 s", "0.6 s", "0.7 s"]);
    check(14_500, &["0 s", "2 s", "4 s", "6 s", "8 s", "10 s", "12 s", "14 s"]);
    check(26_500, &["0 s", "5 s", "10 s", "15 s", "20 s", "25 s"]);
    check(600_000, &["0 s", "2 min", "4 min", "6 min", "8 min", "10 min"]);
    assert!(ticks(u64::MAX).count() <= 8);
}

#[test]
fn a_label_is_shown_as_far_as_it_fits() {
    let check = |width, expected: &str| {
        let band = Band { x: 0.0, width, label: "an ordinary day".into() };
        assert_eq!(band.fitting(), expected);
    };
    check(200.0, "an ordinary day");
    check(80.0, "an ordina…");
    check(40.0, "");
}

/// Proves that what stayed at zero takes no room and is named all the same.
#[test]
fn nothing_is_drawn_of_what_stayed_at_zero() {
    let series = |name: &str, group: &str, value| Series {
        name: name.into(),
        group: group.into(),
        points: vec![(0, 0.0), (9, value)],
        ..Series::default()
    };
    let all = vec![
        series("200", "calls", 1.0),
        series("503", "calls", 0.0),
        series("p50", "latency", 0.0),
    ];
    let scenario = ScenarioReport { series: all, ..Default::default() };
    let panels = Timeline::of(&scenario, 100, &Links::default()).panels;
    assert_eq!(panels.len(), 1);
    assert_eq!((panels[0].lines.len(), &*panels[0].none_of), (1, "no 503"));
}

#[test]
fn values_without_measure_do_not_reach_the_drawing() {
    let points = vec![(0, f64::MAX), (1, f64::MIN), (2, f64::NAN), (u64::MAX, f64::INFINITY)];
    let series = vec![Series { points, ..Default::default() }];
    let scenario = ScenarioReport { series, ..Default::default() };
    let timeline = Timeline::of(&scenario, 100, &Links::default());
    let path = &timeline.panels[0].lines[0].path;
    assert!(!path.contains("NaN") && !path.contains("inf"), "{path}");
}

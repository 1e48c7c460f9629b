//! Proves that a run's export has a family for each line of its timeline, and that the dashboard asks for
//! nothing that no export has.

use mock_server::profile::ContractProfile;
use reports::renderers::{FAMILIES, by_name};
use reports::report::{Cell, FaultWindow, Marker, Report, ScenarioReport, Series};
use scenarios::case::Case;
use scenarios::catalogue::{Settings, run_plan};
use scenarios::timeline::Timeline;
use serde_json::Value;
use std::collections::BTreeSet;

/// The export of a run in which every line of a timeline has a point.
fn export() -> String {
    let run = run_plan(&Settings::default(), ContractProfile::linktree_v1(), &["steady-state"]);
    let case = Case::new(&run, &run.scenarios[0]);
    let series = Timeline::of(&case).series().into_iter().map(|line| Series {
        name: line.name.to_owned(),
        unit: line.unit.to_owned(),
        group: line.group.to_owned(),
        points: vec![(1_000, 1.0)],
    });
    let window =
        FaultWindow { rule: "r".into(), kind: "status".into(), until_ms: 1, ..Default::default() };
    let scenario = ScenarioReport {
        id: "steady-state".into(),
        duration_ms: 2_000,
        series: series.collect(),
        fault_windows: vec![window],
        markers: vec![Marker { guarantee: Some("click-lag".into()), ..Marker::default() }],
        ..ScenarioReport::default()
    };
    let cell =
        Cell { scenario: "steady-state".into(), guarantee: "click-lag".into(), ..Cell::default() };
    let report = Report { scenarios: vec![scenario], cells: vec![cell], ..Report::default() };
    let mut bytes = Vec::new();
    by_name("openmetrics").unwrap().render(&report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_line_of_a_timeline_has_a_family_of_its_own() {
    let text = export();
    let others: Vec<_> =
        text.lines().filter(|line| line.starts_with("windthrow_timeline")).collect();
    assert_eq!(others, [""; 0], "give these a family");
    for family in FAMILIES.iter().filter(|family| family.series != "windthrow_timeline") {
        assert!(text.contains(&format!("\n{}{{", family.series)), "{} in {text}", family.series);
    }
}

/// The words of a text that begin like this, up to the first letter that no name has.
fn words<'t>(text: &'t str, begin: &str) -> Vec<&'t str> {
    let name = |(at, _)| {
        let rest: &str = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    };
    text.match_indices(begin).map(name).collect()
}

/// Every text under one of these keys.
fn texts<'v>(value: &'v Value, keys: &[&str], found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                found.extend(inner.as_str().filter(|_| keys.contains(&key.as_str())));
                texts(inner, keys, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|inner| texts(inner, keys, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_for_what_an_export_has() {
    let board: Value =
        serde_json::from_str(include_str!("../examples/grafana/windthrow.json")).unwrap();
    let (mut queries, mut legends) = (Vec::new(), Vec::new());
    texts(&board, &["expr", "query", "definition"], &mut queries);
    texts(&board, &["legendFormat"], &mut legends);
    let asked: BTreeSet<&str> =
        queries.iter().flat_map(|query| words(query, "windthrow_")).collect();
    let known: BTreeSet<&str> = FAMILIES
        .iter()
        .map(|family| family.series)
        .filter(|name| *name != "windthrow_timeline")
        .collect();
    assert_eq!(asked, known, "the dashboard shows each family, and no other");
    let text = export();
    let labels = legends.iter().flat_map(|legend| legend.split("{{").skip(1));
    let labels: BTreeSet<&str> = labels.map(|rest| rest.split("}}").next().unwrap()).collect();
    assert!(labels.contains("scenario") && labels.len() > 5, "{labels:?}");
    for label in labels {
        let has = |before: &str| text.contains(&format!("{before}{label}=\""));
        assert!(has("{") || has(","), "no series has the label {label}");
    }
}

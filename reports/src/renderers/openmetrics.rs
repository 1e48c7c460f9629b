//! Writes `openmetrics.txt`: the run's course as series with timestamps, for Prometheus and Grafana.
//!
//! The format is OpenMetrics 1.0, which `promtool tsdb create-blocks-from openmetrics` loads. Scenarios run
//! side by side or one after the other; each is laid where the run began, so that equal times are equal
//! distances from the beginning of their traffic.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Renderer;
use crate::report::{Report, ScenarioReport, Series};

/// Longer texts are cut: a label is kept with each of its series.
const MAX_CHARS: usize = 200;

/// Writes `openmetrics.txt`, when it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Openmetrics;

/// One metric family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The name of its series in a query.
    pub series: &'static str,
    /// What it says.
    pub help: &'static str,
    /// The unit, where the name ends with one.
    unit: Option<&'static str>,
}

const fn family(series: &'static str, help: &'static str) -> Family {
    Family { series, help, unit: None }
}

/// Every family that a run is exported as, in the order of the file.
pub const FAMILIES: &[Family] = &[
    family("windthrow_run_info", "what was run: its seed, plan, profile, contract and target"),
    family("windthrow_arrivals_per_second", "front-door operations by line, such as pages offered"),
    family("windthrow_upstream_requests_per_second", "calls to Linktree by status"),
    Family {
        unit: Some("seconds"),
        ..family(
            "windthrow_latency_seconds",
            "latency of visitors by percentile, from when they meant to come",
        )
    },
    Family {
        unit: Some("ratio"),
        ..family("windthrow_cache_offload_ratio", "pages served without a call for the profile")
    },
    family("windthrow_clicks_waiting", "clicks that were acknowledged and are not delivered yet"),
    family("windthrow_timeline", "lines of the timeline that have no family of their own"),
    family("windthrow_fault_active", "1 while a rule of the plan is armed"),
    family("windthrow_fault_hits", "how many exchanges a rule hit in the whole scenario"),
    family("windthrow_verdict", "1 for the verdict of a guarantee in a scenario"),
    family("windthrow_violations", "violations of a guarantee in a scenario"),
    family(
        "windthrow_violation_moments",
        "violations of a guarantee that are told of at this moment",
    ),
];

impl Renderer for Openmetrics {
    fn name(&self) -> &'static str {
        "openmetrics"
    }

    fn file_name(&self) -> Option<&'static str> {
        Some("openmetrics.txt")
    }

    fn is_usual(&self) -> bool {
        false
    }

    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let report = report.printable(MAX_CHARS);
        let samples = samples(&report);
        for family in FAMILIES {
            let own: Vec<&Sample> =
                samples.iter().filter(|one| one.series == family.series).collect();
            if own.is_empty() {
                continue;
            }
            let (name, kind) = match family.series.strip_suffix("_info") {
                Some(name) => (name, "info"),
                None => (family.series, "gauge"),
            };
            writeln!(out, "# TYPE {name} {kind}")?;
            if let Some(unit) = family.unit {
                writeln!(out, "# UNIT {name} {unit}")?;
            }
            writeln!(out, "# HELP {name} {}", escaped(family.help))?;
            for sample in own {
                sample.write(out)?;
            }
        }
        writeln!(out, "# EOF")
    }
}

/// Values of one series at their times.
struct Sample {
    series: &'static str,
    labels: Vec<(&'static str, String)>,
    /// Milliseconds since the Unix epoch, and the value.
    points: Vec<(i64, f64)>,
}

impl Sample {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let label = |(name, value): &(&str, String)| format!("{name}=\"{}\"", escaped(value));
        let labels: Vec<String> = self.labels.iter().map(label).collect();
        for (at_ms, value) in self.points.iter().filter(|(_, value)| value.is_finite()) {
            let (s, ms) = (at_ms.div_euclid(1_000), at_ms.rem_euclid(1_000));
            writeln!(out, "{}{{{}}} {value} {s}.{ms:03}", self.series, labels.join(","))?;
        }
        Ok(())
    }
}

/// A text as it stands between quotes, and in a help line.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn samples(report: &Report) -> Vec<Sample> {
    let began: i64 = report.started.parse().map_or(0, jiff::Timestamp::as_millisecond);
    let mut all = vec![info(report, began)];
    for scenario in &report.scenarios {
        all.extend(scenario.series.iter().map(|series| course(scenario, series, began)));
        all.extend(faults(scenario, began));
        all.extend(moments(scenario, began));
    }
    for cell in &report.cells {
        let of = |id: &String| report.scenarios.iter().find(|one| one.id == *id);
        let ended = began + of(&cell.scenario).map_or(0, |one| millis(one.duration_ms));
        let named =
            || vec![("scenario", cell.scenario.clone()), ("guarantee", cell.guarantee.clone())];
        let mut judged = named();
        judged.push(("verdict", cell.verdict.word().to_owned()));
        all.push(Sample {
            series: "windthrow_verdict",
            labels: judged,
            points: vec![(ended, 1.0)],
        });
        let points = vec![(ended, count(cell.total_violations))];
        all.push(Sample { series: "windthrow_violations", labels: named(), points });
    }
    all
}

/// What was run, at its beginning.
fn info(report: &Report, began: i64) -> Sample {
    let identity = &report.identity;
    let labels = [
        ("run_id", &report.run_id),
        ("verdict", &report.verdict.word().to_owned()),
        ("seed", &identity.seed),
        ("plan", &identity.plan_hash),
        ("profile", &identity.profile),
        ("contract", &identity.contract.name),
        ("target", &identity.target.name),
        ("tool_version", &report.tool_version),
    ];
    let labels = labels.into_iter().map(|(name, value)| (name, value.clone())).collect();
    Sample { series: "windthrow_run_info", labels, points: vec![(began, 1.0)] }
}

/// One line of the timeline: its family by the panel that it is drawn in.
fn course(scenario: &ScenarioReport, series: &Series, began: i64) -> Sample {
    let name = || series.name.clone();
    let (family, label, factor) = match (series.group.as_str(), series.unit.as_str()) {
        ("load", "per s") => ("windthrow_arrivals_per_second", Some(("line", name())), 1.0),
        ("upstream", "per s") => {
            ("windthrow_upstream_requests_per_second", Some(("status", name())), 1.0)
        }
        ("latency", "ms") => ("windthrow_latency_seconds", Some(("percentile", name())), 0.001),
        ("cache", "%") => ("windthrow_cache_offload_ratio", None, 0.01),
        ("clicks", "clicks") => ("windthrow_clicks_waiting", None, 1.0),
        _ => ("windthrow_timeline", Some(("line", name())), 1.0),
    };
    let mut labels = vec![("scenario", scenario.id.clone())];
    labels.extend(label);
    if family == "windthrow_timeline" {
        labels.extend([("group", series.group.clone()), ("unit", series.unit.clone())]);
    }
    let points = series.points.iter().map(|(ms, value)| (began + millis(*ms), value * factor));
    Sample { series: family, labels, points: points.collect() }
}

/// When each rule was armed, at the moments of the timeline; and what it hit.
fn faults(scenario: &ScenarioReport, began: i64) -> Vec<Sample> {
    let mut moments: Vec<u64> =
        scenario.series.iter().flat_map(|one| &one.points).map(|point| point.0).collect();
    moments.extend(scenario.fault_windows.iter().flat_map(|one| [one.from_ms, one.until_ms]));
    moments.retain(|moment| *moment <= scenario.duration_ms);
    moments.sort_unstable();
    moments.dedup();
    let mut all: Vec<Sample> = Vec::new();
    for window in &scenario.fault_windows {
        let labels = vec![
            ("scenario", scenario.id.clone()),
            ("rule", window.rule.clone()),
            ("kind", window.kind.clone()),
        ];
        let is_armed = |at: u64| (window.from_ms..window.until_ms).contains(&at);
        // A rule that is armed twice is one series.
        match all
            .iter_mut()
            .find(|one| one.labels == labels && one.series == "windthrow_fault_active")
        {
            Some(known) => {
                for (point, moment) in known.points.iter_mut().zip(&moments) {
                    point.1 = point.1.max(f64::from(is_armed(*moment)));
                }
                let hits = all
                    .iter_mut()
                    .find(|one| one.labels == labels && one.series == "windthrow_fault_hits");
                hits.into_iter().for_each(|hits| hits.points[0].1 += count(window.hits));
            }
            None => {
                let point = |at: &u64| (began + millis(*at), f64::from(is_armed(*at)));
                let points = moments.iter().map(point).collect();
                let hits = vec![(began + millis(scenario.duration_ms), count(window.hits))];
                let (active, hit) = ("windthrow_fault_active", "windthrow_fault_hits");
                all.push(Sample { series: active, labels: labels.clone(), points });
                all.push(Sample { series: hit, labels, points: hits });
            }
        }
    }
    all
}

/// How many violations of each guarantee are told of, at their moments.
fn moments(scenario: &ScenarioReport, began: i64) -> Vec<Sample> {
    let mut all: BTreeMap<&String, BTreeMap<i64, f64>> = BTreeMap::new();
    for marker in &scenario.markers {
        if let Some(guarantee) = &marker.guarantee {
            let at = began.saturating_add(marker.at_ms);
            *all.entry(guarantee).or_default().entry(at).or_default() += 1.0;
        }
    }
    let sample = |(guarantee, points): (&String, BTreeMap<i64, f64>)| Sample {
        series: "windthrow_violation_moments",
        labels: vec![("scenario", scenario.id.clone()), ("guarantee", guarantee.clone())],
        points: points.into_iter().collect(),
    };
    all.into_iter().map(sample).collect()
}

fn millis(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX / 2)
}

#[allow(clippy::cast_precision_loss)] // far below 2^52
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::example::hostile;
    use crate::renderers::rendered;

    /// The series of an export with their points, read strictly: families in one piece, times in order.
    fn read(text: &str) -> BTreeMap<String, Vec<(f64, f64)>> {
        let mut series: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        let (mut family, mut families) = (String::new(), Vec::new());
        let body = text.strip_suffix("# EOF\n").expect("it ends with # EOF");
        for line in body.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split(' ').next().unwrap().to_owned();
                assert!(!families.contains(&family), "{family} is in two pieces");
                families.push(family.clone());
            } else if !line.starts_with('#') {
                assert!(line.starts_with(&family), "{line} is not of {family}");
                let (rest, at) = line.rsplit_once(' ').unwrap();
                let (name, value) = rest.rsplit_once("} ").unwrap();
                let points = series.entry(name.to_owned()).or_default();
                let at: f64 = at.parse().unwrap();
                assert!(points.last().is_none_or(|last| last.0 < at), "{line} is out of order");
                points.push((at, value.parse().unwrap()));
            }
        }
        series
    }

    #[test]
    fn the_course_of_a_run_is_exported_with_its_times() {
        let mut report = Report::example();
        let (storm, began) = (&mut report.scenarios[1], 1_772_330_400.0);
        storm.series = vec![
            Series {
                name: "p95".into(),
                unit: "ms".into(),
                group: "latency".into(),
                points: vec![(250, 1_500.0), (500, f64::NAN)],
            },
            Series {
                name: "429".into(),
                unit: "per s".into(),
                group: "upstream".into(),
                points: vec![(12_000, 4.0)],
            },
        ];
        let series = read(&rendered(&Openmetrics, &report));
        let of = |name: &str| series.get(name).unwrap_or_else(|| panic!("{name} in {series:#?}"));
        let latency = "windthrow_latency_seconds{scenario=\"viral-spike\",percentile=\"p95\"";
        assert_eq!(of(latency), &[(began + 0.25, 1.5)]);
        let upstream =
            "windthrow_upstream_requests_per_second{scenario=\"viral-spike\",status=\"429\"";
        assert_eq!(of(upstream), &[(began + 12.0, 4.0)]);
        // Armed twice, from 12 to 25 s and from 30 to 34 s.
        let active =
            of("windthrow_fault_active{scenario=\"viral-spike\",rule=\"outage\",kind=\"status\"");
        let armed = |s: f64| active.iter().find(|point| point.0 == began + s).unwrap().1;
        assert_eq!([12.0, 25.0, 30.0, 34.0].map(armed), [1.0, 0.0, 1.0, 0.0]);
        let hits =
            of("windthrow_fault_hits{scenario=\"viral-spike\",rule=\"outage\",kind=\"status\"");
        assert_eq!(hits, &[(began + 60.0, 155.0)]);
    }

    proptest! {
        /// Proves that no text can end a label, a line or a family.
        #[test]
        fn hostile_text_stays_a_label(hostile in hostile()) {
            let count = |report: &Report| {
                let text = rendered(&Openmetrics, report);
                text.lines().filter(|line| !line.starts_with('#')).count()
            };
            let report = Report::example().with_every_text_after(&hostile);
            prop_assert_eq!(count(&report), count(&Report::example()));
            let text = rendered(&Openmetrics, &report);
            prop_assert!(text.lines().all(|line| line.starts_with("windthrow_") || line.starts_with("# ")));
        }
    }

    /// Proves that the program which people load it with takes it; where it is not installed, each commit's
    /// check of a whole run does.
    #[test]
    fn promtool_loads_the_export() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("openmetrics.txt");
        std::fs::write(&file, rendered(&Openmetrics, &Report::example())).unwrap();
        let load = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&file, &folder.path().join("data")])
            .output();
        let loaded = match load {
            Ok(output) => output,
            Err(error) => return eprintln!("promtool is not here ({error}): nothing was loaded"),
        };
        let said = String::from_utf8_lossy(&loaded.stderr);
        assert!(loaded.status.success() && !said.contains("error"), "{said}");
    }
}

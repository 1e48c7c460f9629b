//! Gives the tests one fixed report with every verdict, and hostile text to put into it.

mod news;

use proptest::prelude::*;

use crate::report::*;

/// Text that ends elements, attributes, cells, code and lines in one format or another.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<script>alert(1)</script>".to_owned()),
        Just("</style><script src=//x>".to_owned()),
        Just("\"><svg onload=alert(1)>".to_owned()),
        Just("]]><!--".to_owned()),
        Just("&lt;&#60;".to_owned()),
        Just("```\n| a |\n~~~".to_owned()),
        Just("[x](javascript:alert(1))".to_owned()),
        Just("\u{1b}]0;title\u{7}\u{1b}[2J".to_owned()),
        Just("\u{0}\u{9b}31m\u{202e}\u{ffff}".to_owned()),
        Just("{{ x }}{% x %}'\\".to_owned()),
        "\\PC{0,8}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 1..3).prop_map(|pieces| pieces.concat())
}

impl Report {
    /// A small run: three scenarios, five guarantees, every verdict, one scenario lost.
    pub(crate) fn example() -> Self {
        Self {
            tool_version: "0.1.0".into(),
            run_id: "20260301T020000Z-7f3a".into(),
            verdict: Standing::Violated,
            sentence: "2 of 5 guarantees were violated in 3 scenarios; 2 are inconclusive.".into(),
            why: Some("crash-in-outage: the process did not listen again within 10 s".into()),
            started: "2026-03-01T02:00:00Z".into(),
            identity: Identity {
                seed: "18446744073709551615".into(),
                plan_hash: "b3c1f0de5a6b7c8d9e0f".into(),
                config_hash: Some("0123456789abcdef0123".into()),
                profile: "nightly".into(),
                time_scale: 20.0,
                contract: Contract { name: "linktree-2026".into(), assumed: true },
                target: TargetIdentity {
                    kind: "embedded".into(),
                    name: "reference".into(),
                    version: Some("v1.4.2-7-gdeadbee".into()),
                    mutant: Some("fresh-key-per-attempt".into()),
                },
                machine: Machine { cores: 2, os: "linux x86_64".into() },
                versions: [("goose", "0.19.1"), ("wiremock", "0.6.5")]
                    .map(|(name, version)| (name.into(), version.into()))
                    .into(),
            },
            rerun: "windthrow run --seed 18446744073709551615 --profile nightly".into(),
            scenarios: scenarios(),
            guarantees: guarantees(),
            cells: cells(),
            not_tested: vec![
                untested("key-rotation", Priority::Standard, "no selected scenario rotates a key"),
                untested("cors-allowlist", Priority::Standard, "no judge yet"),
                untested("tls-verified", Priority::Critical, "no judge yet"),
            ],
            news: Some(News {
                since: "my-baseline".into(),
                changes: news::changes(),
                ..News::default()
            }),
            ..Self::default()
        }
    }
}

fn untested(id: &str, priority: Priority, reason: &str) -> NotTested {
    NotTested { id: id.into(), section: "Security".into(), priority, reason: reason.into() }
}

fn scenarios() -> Vec<ScenarioReport> {
    let storm = ScenarioReport {
        id: "viral-spike".into(),
        title: "A creator goes viral while Linktree answers 503".into(),
        verdict: Standing::Violated,
        duration_ms: 60_000,
        phases: [("warm-up", 0, 10_000), ("storm", 10_000, 40_000), ("settle", 40_000, 60_000)]
            .map(|(name, from_ms, until_ms)| Phase { name: name.into(), from_ms, until_ms })
            .into(),
        fault_windows: vec![
            window("outage", "status", 12_000, 25_000, 143),
            window("slow-head", "latency", 20_000, 38_000, 71),
            window("outage", "status", 30_000, 34_000, 12),
        ],
        evidence: Evidence {
            operations: 12_345,
            exchanges: 871,
            clicks: 2_041,
            faults_hit: 226,
            lateness: Some(Lateness { p50_us: 180, p99_us: 24_000, max_us: 91_000 }),
            arrivals_planned: Some(10_306),
            arrivals_sent: 10_304,
            users: Some(400),
            dispatcher: Some("open-loop".into()),
            dispatch: Some(Dispatch { releases: 10_034, spins: 210, cpu_us: 410_000 }),
            peak_arrivals_per_s: 512.0,
            cpu: CpuTime { generator_ms: Some(8_000), mock_ms: Some(1_200), target_ms: None },
            held: Some(Held {
                looks: 12,
                resident_bytes: Course { first: 32 << 20, last: 33 << 20, most: 34 << 20 },
                open_files: Some(Course { first: 21, last: 22, most: 90 }),
            }),
            tolerance: Tolerance {
                delta_ms: Some(5.0),
                lag_max_ms: Some(3.25),
                wait_max_ms: Some(12.5),
            },
        },
        started: Some("2026-03-01T02:00:31.250Z".into()),
        breakers: vec![Breaker {
            guards: "all calls".into(),
            states: [
                (BreakerState::Closed, 0, 12_400),
                (BreakerState::Open, 12_900, 15_800),
                (BreakerState::HalfOpen, 16_000, 16_001),
                (BreakerState::Closed, 42_000, 60_000),
            ]
            .map(|(state, from_ms, until_ms)| BreakerSpan { state, from_ms, until_ms })
            .into(),
        }],
        troubles: vec![
            "the load generator was late: p99 24 ms of 10304 arrivals; visitors are not judged"
                .into(),
        ],
        notes: vec!["what is no click was answered 202 (a list): it cannot be delivered".into()],
        series: series(),
        markers: vec![
            marker(13_200, "the key changed between attempts", Some("clicks-counted-once")),
            marker(13_201, "the key changed between attempts", Some("clicks-counted-once")),
            marker(40_000, "healed", None),
        ],
        ..ScenarioReport::default()
    };
    let calm = ScenarioReport {
        id: "calm-day".into(),
        title: "An ordinary day without faults".into(),
        verdict: Standing::Held,
        duration_ms: 30_000,
        ..ScenarioReport::default()
    };
    let lost = ScenarioReport {
        id: "crash-in-outage".into(),
        title: "The integration is killed in mid-outage".into(),
        ending: Ending::TargetLost,
        ending_reason: Some("the process did not listen again within 10 s".into()),
        duration_ms: 21_500,
        ..ScenarioReport::default()
    };
    vec![calm, storm, lost]
}

fn window(rule: &str, kind: &str, from_ms: u64, until_ms: u64, hits: u64) -> FaultWindow {
    FaultWindow { rule: rule.into(), kind: kind.into(), from_ms, until_ms, hits }
}

fn marker(at_ms: i64, label: &str, guarantee: Option<&str>) -> Marker {
    Marker { at_ms, label: label.into(), guarantee: guarantee.map(Into::into) }
}

/// Name, unit, group, and the value at a second.
type Shape = (&'static str, &'static str, &'static str, fn(f64) -> f64);

fn series() -> Vec<Series> {
    let shapes: [Shape; 6] = [
        ("offered", "1/s", "load", |s| if (10.0..40.0).contains(&s) { 500.0 } else { 50.0 }),
        ("served", "1/s", "load", |s| if (10.0..40.0).contains(&s) { 470.0 + s } else { 50.0 }),
        ("200", "1/s", "upstream calls", |s| if (12.0..25.0).contains(&s) { 0.0 } else { 1.5 }),
        ("503", "1/s", "upstream calls", |s| if (12.0..25.0).contains(&s) { 1.2 } else { 0.0 }),
        ("p50", "ms", "latency", |s| 20.0 + s),
        ("p99", "ms", "latency", |s| 90.0 + 8.0 * s),
    ];
    shapes
        .map(|(name, unit, group, shape)| Series {
            name: name.into(),
            unit: unit.into(),
            group: group.into(),
            points: (0..=12).map(|step| (step * 5_000, shape(step as f64 * 5.0))).collect(),
        })
        .into()
}

fn guarantees() -> Vec<GuaranteeReport> {
    let promise = |id: &str, priority, statement: &str, bound: &str| GuaranteeReport {
        id: id.into(),
        section: match id {
            "client-rate-cap" | "profile-timeout" | "bulk-batched" => "API integration".into(),
            _ => "Errors and resilience".into(),
        },
        follows: match id {
            "clicks-survive-crash" => vec!["clicks-counted-once".into()],
            _ => Vec::new(),
        },
        statement: statement.into(),
        severity: crate::report::Severity::Must,
        priority,
        bound: bound.into(),
        bound_source: "contract profile linktree-2026".into(),
        why: "A 429 storm during a viral spike loses data.".into(),
        usual_fix: "Take a token before every attempt, retries included.".into(),
        blind_to: "Calls that do not pass the mock.".into(),
    };
    vec![
        promise(
            "client-rate-cap",
            Priority::Critical,
            "At most 90 requests a minute leave for Linktree, whatever the visitors do.",
            "at most 90 requests in any 60 s",
        ),
        promise(
            "clicks-counted-once",
            Priority::High,
            "Each click has its effect once.",
            "one idempotency key per click",
        ),
        promise(
            "clicks-survive-crash",
            Priority::High,
            "Acknowledged clicks survive a kill of the integration.",
            "none lost",
        ),
        promise(
            "profile-timeout",
            Priority::Standard,
            "A profile read that stalls is given up.",
            "10 s",
        ),
        promise(
            "bulk-batched",
            Priority::Standard,
            "A campaign goes out in batches & inside the cap.",
            "at most 50 < 51 links a call",
        ),
    ]
}

fn cells() -> Vec<Cell> {
    use Standing::*;
    let judged = |guarantee: &str, scenario: &str, verdict, seen, of_what: &str| Cell {
        guarantee: guarantee.into(),
        scenario: scenario.into(),
        verdict,
        seen,
        of_what: of_what.into(),
        observed: format!("{seen} {of_what}"),
        promised: "what the contract says".into(),
        rerun: format!("windthrow run {scenario} --seed 18446744073709551615"),
        ..Cell::default()
    };
    let because = |cell, reason: &str| Cell { reason: Some(reason.into()), ..cell };
    let peak = |observed| measure("most requests in any window", observed, 90, Unit::Count, 0);
    let repeated = |observed| measure("repeated clicks", observed, 0, Unit::Count, 0);
    let kept = |us| measure("longest stalled read", us, 10_000_000, Unit::Micros, 150_000);
    vec![
        Cell {
            measures: vec![peak(85)],
            margin: margin(
                "most requests in any window",
                ["at most 90", "85"],
                55,
                "5 to spare (5.5 %)",
            ),
            ..judged("client-rate-cap", "calm-day", Held, 30, "minutes")
        },
        Cell {
            observed: "118 requests in 60 s".into(),
            promised: "at most 90 requests in any 60 s".into(),
            measures: vec![peak(118)],
            margin: margin(
                "most requests in any window",
                ["at most 90", "118"],
                -312,
                "28 over (31.1 %)",
            ),
            counter_examples: vec![CounterExample {
                at_ms: 21_004,
                promised: "at most 90".into(),
                observed: "118".into(),
                story: vec!["14.2 s … 21.0 s: 118 requests left".into()],
                context: vec!["16.004 s … 26.004 s: 61 upstream calls, 12 of them 503".into()],
                active_faults: vec!["outage".into(), "slow-head".into()],
            }],
            total_violations: 1,
            check_next: "whether retries pass the limiter".into(),
            ..judged("client-rate-cap", "viral-spike", Violated, 60, "minutes")
        },
        because(
            judged("client-rate-cap", "crash-in-outage", Inconclusive, 0, "minutes"),
            "the target was lost",
        ),
        Cell {
            measures: vec![repeated(0)],
            strength: vec![Strength { name: "retried clicks".into(), seen: 12, least: 10 }],
            margin: margin("repeated clicks", ["none", "0"], 1_000, "none, as promised"),
            ..judged("clicks-counted-once", "calm-day", Held, 12, "retried clicks")
        },
        Cell {
            observed: "2 keys for click c-17".into(),
            promised: "one key per click".into(),
            measures: vec![repeated(143)],
            margin: margin("repeated clicks", ["none", "143"], -143_000, "143 over"),
            counter_examples: (0..25).map(counter_example).collect(),
            total_violations: 143,
            check_next: "where the idempotency key is made".into(),
            ..judged("clicks-counted-once", "viral-spike", Violated, 143, "retried clicks")
        },
        Cell {
            measures: vec![measure("lost clicks", 0, 0, Unit::Count, 0)],
            margin: margin("lost clicks", ["none", "0"], 1_000, "none, as promised"),
            reason: Some("the target did not come back".into()),
            ..judged("clicks-survive-crash", "crash-in-outage", Inconclusive, 3, "kills")
        },
        Cell {
            advice: vec!["Linktree must be asked while it is slow.".into()],
            ..because(
                judged("profile-timeout", "viral-spike", Inconclusive, 0, "stalled reads"),
                "no read was stalled",
            )
        },
        Cell {
            measures: vec![kept(10_040_000)],
            margin: margin(
                "longest stalled read",
                ["at most 10 s (± 150 ms)", "10.04 s"],
                -4,
                "40 ms over (0.4 %), within the tolerance of 150 ms",
            ),
            ..judged("profile-timeout", "calm-day", Held, 4, "stalled reads")
        },
        because(
            judged("bulk-batched", "calm-day", NotApplicable, 0, "campaigns"),
            "the target has no campaigns",
        ),
    ]
}

fn measure(name: &str, observed: u64, bound: u64, unit: Unit, tolerance: u64) -> Measure {
    Measure { name: name.into(), observed, bound, unit, better: Better::Less, tolerance }
}

fn margin(
    measure: &str,
    [promised, observed]: [&str; 2],
    per_mille: i64,
    words: &str,
) -> Option<Margin> {
    Some(Margin {
        measure: measure.into(),
        promised: format!("{measure}: {promised}"),
        observed: format!("{measure}: {observed}"),
        per_mille,
        within_tolerance: words.contains("within the tolerance"),
        words: words.into(),
    })
}

fn counter_example(index: i64) -> CounterExample {
    CounterExample {
        at_ms: 13_200 + index,
        promised: "one key".into(),
        observed: format!("keys a{index} and b{index}"),
        story: vec![
            format!("13.100 s POST /v1/clicks key=a{index} → 503 (outage)"),
            format!("13.200 s POST /v1/clicks key=b{index} → 201"),
        ],
        context: Vec::new(),
        active_faults: vec!["outage".into()],
    }
}

//! Each mistake is found, named by its place, and found together with all others.

use super::*;
use crate::catalogue::{Settings, run_plan};
use crate::plan::{Creators, Pace, PhaseKind, Shape, Traffic, WindowKind};
use mock_server::faults::{
    Fault, Kill, Matcher, Pause, Pick, Ratio, Refuse, Status, Strike, Terminate, Window,
};
use mock_server::profile::ContractProfile;
use mock_server::world::population::Group;

fn lawful() -> RunPlan {
    let contract = ContractProfile::linktree_v1();
    run_plan(&Settings::default(), contract, &["outage-and-replay", "calibration"])
}

/// Breaks a lawful plan in one way; the check must complain about this place, and say this.
fn check(break_it: impl FnOnce(&mut RunPlan), path: &str, says: &str) {
    let mut run = lawful();
    break_it(&mut run);
    let problems = run.check().expect_err(path);
    let found = problems.iter().any(|problem| {
        problem.path.starts_with(path)
            && problem.problem.contains(says)
            && !problem.advice.is_empty()
    });
    assert!(found, "{path}: {says}: {problems:#?}");
}

fn first(run: &mut RunPlan) -> &mut Traffic {
    &mut run.scenarios[0].traffic[0]
}

const fn steady(rate: u32) -> Pace {
    Pace::Open { shape: Shape::Steady { rate } }
}

#[test]
fn the_run_as_a_whole_is_checked() {
    assert_eq!(lawful().check(), Ok(()));
    check(|run| run.format = 9, "format", "format 9");
    check(|run| run.soak_ms = Some(u64::MAX), "soak_ms", "no scenario lasts so long");
    check(|run| run.time_scale = 0, "time_scale", "0 is no time scale");
    check(|run| run.time_scale = 1_001, "time_scale", "1001");
    check(|run| run.scenarios.clear(), "scenarios", "no scenarios");
    check(|run| run.scenarios[1].id = run.scenarios[0].id.clone(), "scenarios", "occurs twice");
}

#[test]
fn a_limiters_own_cap_lies_within_the_contracts_and_leaves_room_for_pages() {
    let cap = |cap| move |run: &mut RunPlan| run.declared.rate_cap = Some(cap);
    check(cap(0), "declared.rate_cap", "0 is out of range");
    check(cap(91), "declared.rate_cap", "promises at most 90");
    check(cap(24), "declared.click_slots", "24 of 24 requests are kept for clicks");
    let mut run = lawful();
    for own in [25, 90] {
        run.declared.rate_cap = Some(own);
        assert_eq!(run.check(), Ok(()));
    }
}

#[test]
fn a_growing_open_time_has_room_to_grow_and_a_window_that_begins_anew_has_a_length() {
    let short = |run: &mut RunPlan| {
        (run.declared.breaker_open_factor_milli, run.declared.breaker_open_cap_ms) =
            (2_000, 29_999);
    };
    check(short, "declared.breaker_open_cap_ms", "grows up to 29999 ms, and is 30000 ms at first");
    let endless = |run: &mut RunPlan| run.declared.breaker_window_kind = WindowKind::Tumbling;
    check(endless, "declared.breaker_window_kind", "no sampling window that could begin anew");
    let mut run = lawful();
    (run.declared.breaker_open_factor_milli, run.declared.breaker_open_cap_ms) = (2_000, 30_000);
    endless(&mut run);
    run.declared.breaker_window_ms = Some(10_000);
    assert_eq!(run.check(), Ok(()));
}

#[test]
fn bounds_are_checked_and_stand_in_one_place() {
    let named =
        |id: &str, name: &str, value: u64| (id.to_owned(), [(name.to_owned(), value)].into());
    let typo = |run: &mut RunPlan| run.bounds.extend([named("click-lug", "within_ms", 1)]);
    check(typo, "bounds.click-lug", "there is no guarantee click-lug");
    let set = |run: &mut RunPlan, name: &str, value| {
        run.bounds.get_mut("click-lag").unwrap().insert(name.into(), value);
    };
    check(|run| set(run, "within", 1), "bounds.click-lag.within", "no bound within");
    check(|run| set(run, "within_ms", 0), "bounds.click-lag.within_ms", "within_ms is 0");
    check(|run| drop(run.bounds.remove("click-lag")), "bounds.click-lag", "within_ms is missing");
    let twice =
        |run: &mut RunPlan| run.contract.promises.extend([named("click-lag", "within_ms", 1)]);
    check(twice, "contract.promises", "promised elsewhere");
}

#[test]
fn phases_population_and_generator_are_checked() {
    check(|run| run.scenarios[0].phases.clear(), "scenarios[0].phases", "no phases");
    check(
        |run| run.scenarios[0].phases[0].from_ms = 5,
        "scenarios[0].phases.phase 0",
        "begins at 5",
    );
    check(
        |run| run.scenarios[0].phases[1].until_ms = 0,
        "scenarios[0].phases.phase 1",
        "ends before",
    );
    check(
        |run| run.scenarios[0].phases[2].from_ms += 1,
        "scenarios[0].phases.phase 2",
        "begins at",
    );
    let groups = "scenarios[0].population.groups";
    check(|run| run.scenarios[0].population.groups[0].count = 0, groups, "nobody is in it");
    let crowd = |run: &mut RunPlan| {
        let one = run.scenarios[0].population.groups[0].clone();
        for nth in 0..3 {
            let (prefix, count) = (format!("crowd{nth}"), 90_000);
            run.scenarios[0].population.groups.push(Group { prefix, count, ..one.clone() });
        }
    };
    check(crowd, groups, "creators in all");
    check(|run| run.scenarios[0].population.groups[0].min_links = 99, groups, "min_links");
    check(|run| run.scenarios[0].population.groups[0].prefix = "Page".into(), groups, "unlawful");
    check(
        |run| run.scenarios[0].generator.users = 0,
        "scenarios[0].generator.users",
        "0 is out of",
    );
    check(|run| run.scenarios[0].generator.users = 20_001, "scenarios[0].generator", "20001");
    check(|run| run.scenarios[0].generator.timeout_ms = 0, "scenarios[0].generator", "0 is out of");
    check(
        |run| run.scenarios[0].generator.p99_lateness_ms = 0,
        "scenarios[0].generator.p99_lateness_ms",
        "0 is out of range",
    );
}

#[test]
fn traffic_is_checked() {
    let stream = "scenarios[0].traffic[0]";
    check(|run| first(run).until_ms = 0, stream, "it ends at 0 ms");
    check(|run| first(run).until_ms = 9_000_000, stream, "after the last phase");
    check(
        |run| first(run).pace = steady(20_001),
        &format!("{stream}.pace.shape"),
        "20001 is out of range",
    );
    let idle = Pace::Sequential { calls: 1, gap_ms: 3_600_001 };
    check(
        |run| first(run).pace = idle,
        &format!("{stream}.pace.gap_ms"),
        "3600001 is out of range",
    );
    let everybody = Creators::InTurn { group: "everybody".into() };
    check(
        |run| first(run).creators = everybody,
        "scenarios[0].traffic[0].creators",
        "\"everybody\"",
    );
    let steep = Creators::Zipf { group: "page".into(), exponent_milli: 10_001 };
    check(|run| first(run).creators = steep, "scenarios[0].traffic[0].creators", "10001");
    let does = "scenarios[0].traffic[0].does";
    check(|run| first(run).does.clear(), does, "do nothing");
    check(|run| first(run).does[0].share_per_mille = 1_001, does, "1001");
    let twice = |run: &mut RunPlan| {
        let step = first(run).does[0];
        first(run).does.push(step);
    };
    check(twice, does, "\"page\" occurs twice");
    let crowd = |run: &mut RunPlan| {
        run.scenarios[0].phases.last_mut().unwrap().until_ms = 600_000;
        first(run).until_ms = 600_000;
        first(run).pace = steady(10_000);
    };
    check(crowd, "scenarios[0].traffic", "arrivals in all");
    let same =
        |run: &mut RunPlan| run.scenarios[0].traffic[1] = run.scenarios[0].traffic[0].clone();
    check(same, "scenarios[0].traffic", "\"first-visitors\" occurs twice");
}

#[test]
fn faults_edits_and_guarantees_are_checked() {
    let first = "scenarios[0].faults[0]";
    check(|run| run.scenarios[0].faults[0].window.until_ms = 1, first, "ends at 1 ms");
    let share = |hits, of| Pick::Share { ratio: Ratio { hits, of } };
    check(|run| run.scenarios[0].faults[0].pick = share(0, 0), first, "0 of 0");
    check(|run| run.scenarios[0].faults[0].pick = share(3, 2), first, "3 of 2");
    let none = Pick::Nth { from: 4, until: 4 };
    check(|run| run.scenarios[0].faults[0].pick = none, first, "4th");
    let status = |codes| Fault::Status(Status { codes, retry_after: vec![] });
    check(|run| run.scenarios[0].faults[0].fault = status(vec![]), first, "no status codes");
    check(|run| run.scenarios[0].faults[0].fault = status(vec![100]), first, "100");
    let refuse = |run: &mut RunPlan| {
        let rule = &mut run.scenarios[0].faults[0];
        (rule.fault, rule.pick) = (Fault::Refuse(Refuse {}), share(1, 2));
        rule.matcher.method = Some("GET".into());
    };
    check(refuse, "scenarios[0].faults[0].pick", "cannot choose");
    check(refuse, "scenarios[0].faults[0].matcher", "nothing is known of a request");
    let same = |run: &mut RunPlan| run.scenarios[0].faults[0].id = "lost-receipt".into();
    check(same, "scenarios[0].faults", "\"lost-receipt\" occurs twice");
    let stranger = |run: &mut RunPlan| {
        run.scenarios[0].faults[0].matcher.handle = Some("stranger-*".into());
    };
    check(stranger, "scenarios[0].faults[0].matcher.handle", "stranger");
    let typo = |run: &mut RunPlan| run.scenarios[0].guarantees[0] = "click-lug".into();
    check(typo, "scenarios[0].guarantees", "\"click-lug\"");
    let typo = |run: &mut RunPlan| run.scenarios[0].watches[0] = "click-lug".into();
    check(typo, "scenarios[0].watches", "\"click-lug\"");
    let twice = |run: &mut RunPlan| {
        let plan = &mut run.scenarios[0];
        plan.watches.push(plan.guarantees[0].clone());
    };
    check(twice, "scenarios[0].watches", "decided by this scenario already");
}

#[test]
fn events_of_the_world_are_checked() {
    let with = |event: &'static str| {
        move |run: &mut RunPlan| {
            run.scenarios[0].world[0].event = serde_json::from_str(event).unwrap();
        }
    };
    let event = |key: &str| format!("scenarios[0].world[0].event.{key}");
    let late = |run: &mut RunPlan| run.scenarios[0].world[0].at_ms = u64::MAX;
    check(late, "scenarios[0].world[0].at_ms", "after the last");
    check(with(r#"{"kind":"edit","handles":"page-0099"}"#), &event("handles"), "0099");
    let long = r#"{"kind":"rotate-key","overlap_ms":86400001}"#;
    check(with(long), &event("overlap_ms"), "86400001 is out of range");
    let scopes = r#"{"kind":"grant-scopes","scopes":["links:eat"]}"#;
    check(with(scopes), &event("scopes"), "no scope \"links:eat\"");
    let webhook = r#"{"kind":"send-webhook","event":"link.clicked","handle":"page-*"}"#;
    check(with(webhook), &event("handle"), "nobody has");
}

#[test]
fn faults_of_the_process_are_checked() {
    // The lawful plan, all of it a storm, with a process fault instead of its first rule, made
    // unlawful in one way.
    let with = |fault: Fault, window: (u64, u64), break_it: fn(&mut mock_server::faults::Rule)| {
        move |run: &mut RunPlan| {
            run.scenarios[0].phases.iter_mut().for_each(|phase| phase.kind = PhaseKind::Storm);
            let rule = &mut run.scenarios[0].faults[0];
            (rule.fault, rule.matcher, rule.pick) = (fault, Matcher::default(), Pick::All);
            rule.window = Window { from_ms: window.0, until_ms: window.1 };
            break_it(rule);
        }
    };
    let end = lawful().scenarios[0].duration_ms();
    let kill = |on| Fault::Kill(Kill { on, down_ms: 500 });
    let fine = |fault, window| {
        let mut run = lawful();
        with(fault, window, |_| ())(&mut run);
        assert_eq!(run.check(), Ok(()));
    };
    fine(kill(Strike::WindowStart), (end - 2_500, end));
    fine(kill(Strike::NthAck { n: 9 }), (0, end - 3_000));
    let window = "scenarios[0].faults[0].window";
    let late = "be back at";
    check(with(kill(Strike::WindowStart), (end - 2_000, end), |_| ()), window, late);
    check(with(kill(Strike::NthAck { n: 9 }), (0, end), |_| ()), window, late);
    let stop = Fault::Terminate(Terminate { on: Strike::WindowStart, grace_ms: 9, down_ms: 9 });
    check(with(stop, (end - 1_518, end), |_| ()), window, late);
    let pause = Fault::Pause(Pause { on: Strike::WindowStart, for_ms: 5_000 });
    check(with(pause, (end - 5_000, end), |_| ()), window, late);
    let early = (0, end - 3_000);
    let hits = "scenarios[0].faults[0].matcher";
    let choosy = |rule: &mut mock_server::faults::Rule| rule.matcher.method = Some("GET".into());
    check(with(kill(Strike::WindowStart), early, choosy), hits, "looks at no requests");
    let some = |rule: &mut mock_server::faults::Rule| rule.pick = Pick::Nth { from: 0, until: 1 };
    let pick = "scenarios[0].faults[0].pick";
    check(with(kill(Strike::WindowStart), early, some), pick, "among no requests");
    let always = |rule: &mut mock_server::faults::Rule| rule.window = Window::default();
    check(with(kill(Strike::WindowStart), early, always), window, "after the last phase");
    let zeroth = kill(Strike::NthAck { n: 0 });
    check(with(zeroth, early, |_| ()), "scenarios[0].faults[0].fault.on", "number 0");
}

#[test]
fn a_name_that_becomes_a_folder_or_a_label_is_an_id() {
    let named = |id: &str| {
        let id = id.to_owned();
        move |run: &mut RunPlan| run.scenarios[0].id = id
    };
    for wrong in ["../../../../victim", "/etc", "a/b", "", ".", "a b", "Ä", "\u{1b}[31m"] {
        check(named(wrong), "scenarios[0].id", "is no id");
    }
    check(named(&"a".repeat(65)), "scenarios[0].id", "is no id");
    check(|run| first(run).id = "a\nb".into(), "scenarios[0].traffic[0].id", "is no id");
    check(|run| run.scenarios[0].faults[0].id = "a/b".into(), "scenarios[0].faults[0].id", "no id");
    let mut run = lawful();
    run.scenarios[0].id = "a".repeat(64);
    assert_eq!(run.check(), Ok(()));
}

#[test]
fn no_number_of_a_plan_or_a_declaration_is_without_bounds() {
    assert_eq!(ranges::unbounded::<Plan>(), [""; 0]);
    assert_eq!(ranges::unbounded::<Declared>(), [""; 0]);
}

#[test]
fn numbers_that_cannot_be_reckoned_with_are_refused_before_anybody_does() {
    let links = "scenarios[0].population.groups[0].max_links";
    check(|run| run.scenarios[0].population.groups[0].max_links = u32::MAX, links, "4294967295 is");
    let count = "scenarios[0].population.groups[0].count";
    check(|run| run.scenarios[0].population.groups[0].count = 1_000_000_000, count, "is out of");
    for ms in [0, u64::MAX] {
        check(
            |run| run.contract.limit.window_ms = ms,
            "contract.limit.window_ms",
            "is out of range",
        );
    }
    check(|run| run.declared.max_attempts = u32::MAX, "declared.max_attempts", "is out of range");
    check(|run| run.declared.fast_ms = u64::MAX, "declared.fast_ms", "is out of range");
    check(
        |run| run.contract.limit.limit_header = "a: b".into(),
        "contract.limit",
        "cannot be used",
    );
    let many = |run: &mut RunPlan| run.scenarios = vec![run.scenarios[0].clone(); 201];
    check(many, "scenarios", "there are 201 scenarios");
}

#[test]
fn all_problems_are_found_at_once() {
    let mut run = lawful();
    run.format = 0;
    run.scenarios[0].generator.users = 0;
    run.scenarios[1].guarantees.push("nonsense".into());
    let problems = run.check().unwrap_err();
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["format", "scenarios[0].generator.users", "scenarios[1].guarantees"]);
    assert!(problems[0].to_string().starts_with("format: this is format 0 ("));
}

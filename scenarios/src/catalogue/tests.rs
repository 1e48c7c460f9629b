//! The catalogue polices itself: names, files, timelines, seeds, and what each storm asks for.

use super::*;
use crate::guarantees::GUARANTEES;
use crate::plan::{BreakerCounting, BreakerScope, PhaseKind, Traffic};
use crate::traffic::Schedule;
use crate::traffic::actions::Action;
use mock_server::contract::Route;
use mock_server::faults::engine::Engine;
use mock_server::faults::{Effect, Fault, Harm, RequestView, RetryAfterSpec, Rewrite, Rule, Stage};
use std::collections::{BTreeMap, HashSet};

fn settings(profile: Profile, time_scale: u32, root_seed: u64) -> Settings {
    Settings { profile, time_scale, root_seed, ..Settings::default() }
}

fn whole_run(settings: &Settings) -> RunPlan {
    run_plan(settings, ContractProfile::linktree_v1(), &[])
}

fn quick() -> RunPlan {
    whole_run(&Settings::default())
}

#[test]
fn every_file_is_registered_and_says_what_it_does() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/catalogue");
    let mut stems = HashSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{stem} does not say what it does");
        stems.insert(stem);
    }
    for helper in ["crowd", "mod", "one_by_one", "parts", "tests"] {
        stems.remove(helper);
    }
    let ids: HashSet<_> = SCENARIOS.iter().map(|info| info.id.replace('-', "_")).collect();
    assert_eq!(ids, stems);
    assert_eq!(ids.len(), SCENARIOS.len(), "ids are unique");
}

#[test]
fn an_entry_says_the_same_as_its_plan() {
    for info in SCENARIOS {
        let plan = info.plan(&Settings::default());
        assert_eq!((plan.id.as_str(), plan.summary.as_str()), (info.id, info.summary));
        assert!(!info.tags.is_empty() && !plan.guarantees.is_empty());
        assert_eq!(find(info.id).unwrap().id, info.id);
    }
    assert!(find("no-such-storm").is_none());
    let two = ["brownout", "steady-state"];
    let run = run_plan(&Settings::default(), ContractProfile::linktree_v1(), &two);
    let ids: Vec<_> = run.scenarios.iter().map(|plan| plan.id.as_str()).collect();
    assert_eq!(ids, ["steady-state", "brownout"], "in the order of the catalogue");
}

#[test]
fn every_plan_passes_its_own_check_at_every_scale() {
    for profile in PROFILES {
        for time_scale in (1..=10).chain([20]) {
            let run = whole_run(&settings(profile, time_scale, 3));
            assert_eq!(run.check(), Ok(()), "{profile:?} at time scale {time_scale}");
        }
    }
}

/// The same JSON after a tool that holds every number as floating point, as most do.
fn through_floats(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) => {
            let float = number.as_f64().unwrap();
            *value = serde_json::from_str(&format!("{float}")).unwrap();
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(through_floats),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(through_floats),
        _ => {}
    }
}

#[test]
fn a_plan_survives_its_file_and_tools_that_hold_numbers_as_floating_point() {
    let run = whole_run(&settings(Profile::Quick, 10, u64::MAX));
    let mut json = serde_json::to_value(&run).unwrap();
    through_floats(&mut json);
    assert_eq!(serde_json::from_value::<RunPlan>(json).unwrap(), run);
}

#[test]
fn the_calibration_fits_every_declared_breaker() {
    for breaker_failures in 1..=7 {
        for max_attempts in 1..=7 {
            let declared = Declared { breaker_failures, max_attempts, ..Declared::default() };
            let run = whole_run(&Settings { declared, ..Settings::default() });
            assert_eq!(run.check(), Ok(()), "{breaker_failures} failures, {max_attempts} attempts");
        }
    }
}

/// Visitors come until the end of what opens the breaker, and what is told of no policy needs a look at
/// the history.
#[test]
fn every_declared_breaker_has_a_plan_that_can_show_it() {
    let usual = Declared::default;
    let policies = [
        Declared { breaker_counting: BreakerCounting::Call, ..usual() },
        Declared { breaker_counting: BreakerCounting::Call, max_attempts: 3, ..usual() },
        Declared { breaker_scope: BreakerScope::Route, ..usual() },
        Declared { instances: 4, ..usual() },
        Declared { half_open_probes: 10, ..usual() },
        Declared { breaker_window_ms: Some(60_000), ..usual() },
        Declared { breaker_open_factor_milli: 2_000, breaker_open_cap_ms: 120_000, ..usual() },
        Declared { breaker_open_ms: 60_000, breaker_failures: 20, ..usual() },
    ];
    for declared in policies {
        for time_scale in [1, 5, 10] {
            let what = format!("{declared:?} at time scale {time_scale}");
            let declared = declared.clone();
            let run = whole_run(&Settings { declared, time_scale, ..Settings::default() });
            assert_eq!(run.check(), Ok(()), "{what}");
            assert_eq!(crate::guarantees::undecidable(&run), BTreeMap::new(), "{what}");
        }
    }
}

#[test]
fn a_seed_without_quotes_is_refused_in_words() {
    let mut json = serde_json::to_value(quick()).unwrap();
    json["seed"] = 7.into();
    let error = serde_json::from_value::<RunPlan>(json).unwrap_err().to_string();
    assert!(error.contains("a seed in quotes, such as \"7\""), "{error}");
}

#[test]
fn the_seed_decides_everything() {
    let text =
        |seed| serde_json::to_string(&whole_run(&settings(Profile::Quick, 10, seed))).unwrap();
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
    let run = quick();
    let seeds: HashSet<u64> = run.scenarios.iter().map(|plan| plan.seed).collect();
    assert_eq!(seeds.len(), SCENARIOS.len(), "each scenario has its own");
}

#[test]
fn together_the_scenarios_of_the_quick_profile_exercise_every_guarantee() {
    let mut run = quick();
    run.scenarios.retain(|plan| find(&plan.id).unwrap().is_of(Profile::Quick));
    let named: HashSet<_> =
        run.scenarios.iter().flat_map(|plan| plan.guarantees.iter().map(String::as_str)).collect();
    // A limit that is used nearly wholly is read at a scale that the quick profile has no time for.
    let of_the_night = HashSet::from(["headroom-alert"]);
    let all: HashSet<_> = GUARANTEES.iter().map(|known| known.promise().id).collect();
    assert_eq!(named, &all - &of_the_night);
    let run = quick();
    let decided = |id: &&str| run.scenarios.iter().any(|plan| plan.decides(id));
    assert!(of_the_night.iter().all(decided));
}

#[test]
fn a_storm_has_a_control_before_and_a_heal_and_time_to_settle_after() {
    let run = quick();
    let lag = run.bounds["click-lag"]["within_ms"];
    let lag = crate::plan::contract_time(lag, run.time_scale);
    for plan in &run.scenarios {
        let at = |kind| plan.phases.iter().find(|phase| phase.kind == kind);
        let (id, control) = (&plan.id, at(PhaseKind::Control).expect(&plan.id));
        let first_fault = plan.faults.iter().map(|rule| rule.window.from_ms).min();
        assert!(first_fault.is_none_or(|from| control.until_ms <= from), "{id}");
        // Slow answers alone are no failures: a service that returns may well be slow.
        let fails = |rule: &&Rule| !matches!(rule.fault.harm(), Harm::Slows { .. });
        let failing = plan.faults.iter().filter(fails);
        if let Some(last_fault) = failing.map(|rule| rule.window.until_ms).max() {
            let healed =
                |p: &&crate::plan::Phase| p.kind == PhaseKind::Heal && p.from_ms >= last_fault;
            assert!(plan.phases.iter().any(|phase| healed(&phase)), "{id} never heals");
        }
        let last_visitor = plan.traffic.iter().map(|traffic| traffic.until_ms).max().unwrap();
        if plan.traffic.iter().any(clicks) {
            let settle = at(PhaseKind::Settle).expect(id);
            assert!(last_visitor <= settle.from_ms, "{id}: nobody comes while it settles");
            let length = std::time::Duration::from_millis(settle.until_ms - settle.from_ms);
            assert!(length > lag, "{id}");
        }
    }
}

fn clicks(traffic: &Traffic) -> bool {
    traffic.does.iter().any(|step| step.action == Action::Click)
}

#[test]
fn a_viral_spike_asks_for_twice_as_many_cold_pages_as_the_limit_lets_through() {
    for seed in 0..5 {
        let plan = viral_spike::INFO.plan(&settings(Profile::Quick, 10, seed));
        let schedule = Schedule::of(&plan).unwrap();
        let window_us = 6_000_000;
        let storm = plan.phases.iter().find(|phase| phase.kind == PhaseKind::Storm).unwrap();
        let from = storm.from_ms * 1_000;
        let cold: HashSet<u32> = schedule
            .arrivals
            .iter()
            .filter(|a| (from..from + window_us).contains(&a.at_us))
            .map(|arrival| arrival.planned.creator)
            .collect();
        assert!(cold.len() >= 200, "{}", cold.len());
        assert!(schedule.peak_per_s() >= 1_100, "{}", schedule.peak_per_s());
    }
}

/// How many visitors of a plan click in each phase of a kind, by its schedule.
fn clicks_in(plan: &crate::plan::Plan, kind: PhaseKind) -> usize {
    let schedule = Schedule::of(plan).unwrap();
    let phase = plan.phases.iter().find(|phase| phase.kind == kind).unwrap();
    let within = phase.from_ms * 1_000..phase.until_ms * 1_000;
    let clicks = |does| schedule.actions(does).contains(&Action::Click);
    let arrivals = schedule.arrivals.iter();
    arrivals.filter(|one| within.contains(&one.at_us) && clicks(one.planned.does)).count()
}

#[test]
fn an_outage_leaves_more_clicks_than_one_batch_may_hold() {
    for seed in 0..10 {
        let plan = outage_and_replay::INFO.plan(&settings(Profile::Quick, 10, seed));
        let clicks = clicks_in(&plan, PhaseKind::Outage);
        assert!(clicks >= 150, "{clicks} with seed {seed}");
    }
}

#[test]
fn a_long_tail_is_asked_for_as_a_whole_in_the_outage_at_every_scale() {
    for (profile, time_scale) in [(Profile::Quick, 10), (Profile::Nightly, 1), (Profile::Quick, 20)]
    {
        let plan = long_tail::INFO.plan(&settings(profile, time_scale, 1));
        let schedule = Schedule::of(&plan).unwrap();
        let outage = plan.phases.iter().find(|phase| phase.kind == PhaseKind::Outage).unwrap();
        let within = outage.from_ms * 1_000..outage.until_ms * 1_000;
        let arrivals = schedule.arrivals.iter().filter(|one| within.contains(&one.at_us));
        let asked: HashSet<u32> = arrivals.map(|arrival| arrival.planned.creator).collect();
        // The regulars are six.
        assert!(asked.len() >= 166, "{} at time scale {time_scale}", asked.len());
    }
}

#[test]
fn each_status_names_its_time_in_both_forms_and_once_for_longer_than_clients_cap() {
    let plan = rate_limit_storm::INFO.plan(&Settings::default());
    let waits: Vec<_> = plan.faults.iter().filter(|rule| rule.id.contains("long")).collect();
    assert_eq!(waits.len(), 2);
    for rule in waits {
        let asked = rule.window.until_ms - rule.window.from_ms;
        assert!(asked > 2_000, "the waits before it last 2 s");
        let later = plan.faults.iter().filter(|other| other.window.from_ms > rule.window.from_ms);
        let next = later.map(|other| other.window.from_ms).min().unwrap();
        assert!(next >= rule.window.until_ms + 8_000, "nothing else answers while they wait");
    }
}

/// How many clicks are planned of visitors who come whatever happens, and how many creators have visitors.
fn load(plan: &Plan) -> (usize, usize) {
    let schedule = Schedule::of(plan).unwrap();
    let planned = || schedule.arrivals.iter().map(|arrival| arrival.planned);
    let clicks = planned().flat_map(|one| schedule.actions(one.does));
    let clicks = clicks.filter(|action| **action == Action::Click).count();
    let visited: HashSet<u32> = planned().map(|one| one.creator).collect();
    (clicks, visited.len())
}

/// The limit, the breaker's open time and everything else of the contract are longer by the time scale,
/// so that what is asked for in each of them must be the same.
#[test]
fn the_true_time_shows_what_the_quick_profile_shows() {
    let profile = ContractProfile::linktree_v1();
    for (time_scale, max_age_s) in [(1, 40), (2, 20), (3, 14), (5, 8), (10, 4), (20, 2), (100, 1)] {
        assert_eq!(profile.cache.max_age_on_the_wire(time_scale), max_age_s, "{time_scale}");
        let settings = settings(Profile::Quick, time_scale, 0);
        assert_eq!(settings.max_age_ms(), u64::from(max_age_s) * 1_000, "{time_scale}");
    }
    let quick = quick();
    for time_scale in [1, 2, 5] {
        let slow = whole_run(&settings(Profile::Nightly, time_scale, 0));
        for (slow, quick) in slow.scenarios.iter().zip(&quick.scenarios) {
            let what = format!("{}, time scale {time_scale}", slow.id);
            let (clicks, visited) = load(slow);
            let (quick_clicks, quick_visited) = load(quick);
            assert!(visited >= quick_visited, "{what}: {visited} of {quick_visited} creators");
            // Four times as long at night where nothing of the contract makes it longer.
            let usual = quick_clicks / 2..=quick_clicks * 4 + 4;
            assert!(usual.contains(&clicks), "{what}: {clicks} clicks, {quick_clicks} are usual");
            let lasts = |plan: &Plan| plan.duration_ms() * u64::from(plan.time_scale);
            let (lasts, usual) = (lasts(slow), lasts(quick));
            assert!(lasts * 3 > usual * 2, "{what}: {lasts} ms of the contract, {usual} are usual");
        }
    }
}

/// Short delays are looked at more slowly, and by one scenario alone.
#[test]
fn backoff_is_shown_at_the_largest_time_scale_at_which_it_can_be_read() {
    let check = |time_scale, declared: Declared, expected: u32| {
        let what = format!("{declared:?}");
        let run = whole_run(&Settings { time_scale, declared, ..Settings::default() });
        assert_eq!(run.check(), Ok(()), "{what}");
        for plan in &run.scenarios {
            let own = match &*plan.id {
                id if id == retry_gaps::INFO.id => expected,
                // A call of half a second would be over before at a larger one.
                id if id == slow_silent_locked_out::INFO.id => time_scale.min(10),
                // Use that is nearly all of the limit could not be told from less.
                id if id == close_to_the_limit::INFO.id => time_scale.min(3),
                _ => time_scale,
            };
            assert_eq!(plan.time_scale, own, "{}, {what}", plan.id);
            let shows = plan.time_scale == expected || plan.id != "rate-limit-storm";
            assert_eq!(plan.decides("backoff-grows") || !plan.judges("backoff-grows"), shows);
        }
        run.scenarios.iter().find(|plan| plan.id == retry_gaps::INFO.id).unwrap().clone()
    };
    let usual = Declared::default;
    let of = |ms, max_attempts| Declared { backoff_base_ms: ms, max_attempts, ..usual() };
    check(10, usual(), 10);
    check(1, usual(), 1);
    check(20, usual(), 19);
    for (ms, scale) in [(501, 10), (500, 9), (200, 3), (101, 2)] {
        let plan = check(10, of(ms, 3), scale);
        let longest = if ms < 200 { 200_000 } else { 120_000 };
        assert!(plan.duration_ms() <= longest, "{ms}: {} ms", plan.duration_ms());
        assert_eq!(plan.summary.contains(&format!("begins with {ms} ms")), scale < 10);
    }
    check(10, of(100, 3), 1);
    check(10, Declared { click_backoff_base_ms: Some(200), ..usual() }, 3);
    check(10, Declared { click_backoff_base_ms: Some(50), ..usual() }, 10);
    let told_nothing =
        Settings { has_own_scale: true, declared: of(200, 3), ..Settings::default() };
    assert!(whole_run(&told_nothing).scenarios.iter().all(|plan| plan.time_scale == 10));
}

/// Whoever obeys is told to wait for long once, and no breaker opens for it.
#[test]
fn long_waits_are_told_once_at_every_scale() {
    for time_scale in [1, 2, 5, 10, 20] {
        let plan = rate_limit_storm::INFO.plan(&settings(Profile::Nightly, time_scale, 0));
        for id in ["429-long", "503-long"] {
            let rule = plan.faults.iter().find(|rule| rule.id == id).unwrap();
            let Fault::Status(status) = &rule.fault else { panic!("{id} is no status") };
            let [wait] = &status.retry_after[..] else { panic!("{id} has one wait") };
            let (RetryAfterSpec::Seconds { s } | RetryAfterSpec::Date { s }) = wait else {
                panic!("{id} says no time");
            };
            let told_ms = rule.window.until_ms - rule.window.from_ms;
            assert!(told_ms < u64::from(*s) * 1_000, "{id}, {time_scale}: {told_ms} ms, {s} s");
        }
    }
}

/// Of clicks that Linktree has already, nobody can lose a failure.
#[test]
fn the_first_batches_with_failing_items_come_before_any_lost_receipt() {
    let plan = rate_limit_storm::INFO.plan(&Settings::default());
    let items = plan.phases.iter().find(|phase| phase.name.starts_with("some clicks of a batch"));
    let now = items.expect("the phase of failing items").from_ms;
    for seed in 0..100 {
        let engine = Engine::new(seed, plan.faults.clone()).unwrap();
        for batch in 0..3 {
            let decision = engine.decide(&batch_of_clicks(), Some(now));
            let fails = |(how, _): &(Rewrite, _)| matches!(how, Rewrite::PartialFailure { .. });
            assert!(decision.rewrites.iter().any(fails), "seed {seed}, batch {batch}");
            assert_eq!(decision.effect, Effect::Pass, "seed {seed}, batch {batch}");
        }
    }
}

fn batch_of_clicks() -> RequestView<'static> {
    let (method, key) = ("POST", "POST /v1/clicks/batch");
    RequestView { stage: Stage::Request, method, route: Route::ClicksBatch, handle: None, key }
}

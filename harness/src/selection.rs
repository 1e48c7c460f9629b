//! Which scenarios a run has: those of the catalogue or of a plan file that the arguments choose.
//!
//! Whoever asks for two things and is given one must hear of it: a word that chooses nothing is an
//! error, also beside others that do.

use crate::cli::commands::nearest_command;
use crate::cli::{ProfileName, RunArgs};
use crate::config::target::TargetSpec;
use crate::config::{Config, alerts};
use crate::contract;
use crate::evidence::plans;
use crate::failure::{Failure, nearest};
use crate::rerun;
use scenarios::catalogue::{self, Profile, SCENARIOS, Settings, USUAL_SOAK_MS};
use scenarios::guarantees;
use scenarios::plan::{Plan, RunPlan};

/// The plan that the arguments describe.
///
/// # Errors
///
/// [`Failure`] for a broken plan file, an unknown guarantee or tag, or when nothing matches.
pub fn plan(args: &RunArgs, config: &Config) -> Result<RunPlan, Failure> {
    for id in &args.guarantee {
        if guarantees::find(id).is_none() {
            let known = guarantees::GUARANTEES.iter().map(|known| known.promise().id);
            return Err(unknown("guarantee", id, known, "windthrow list --guarantees"));
        }
    }
    let tags = catalogue::tags();
    if let Some(tag) = args.tag.iter().find(|tag| !tags.contains(tag.as_str())) {
        let tags: Vec<&str> = tags.into_iter().collect();
        return Err(Failure::usage(
            format!("there is no tag {tag}"),
            format!("the tags are: {}", tags.join(", ")),
        ));
    }
    let mut plan = match &args.plan {
        Some(path) => plans::read(path)?,
        None => catalogue_plan(args, config)?,
    };
    let all: Vec<String> = plan.scenarios.iter().map(|scenario| scenario.id.clone()).collect();
    plan.scenarios.retain(|scenario| chosen(args, &all, scenario));
    match idle(args, &all, &plan.scenarios) {
        None => Ok(plan),
        Some(idle) => Err(nothing_matched(args, &all, &idle)),
    }
}

/// One of the patterns, one of the tags and one of the guarantees must be a scenario's; where none
/// are named, any will do that the profile has unasked.
fn chosen(args: &RunArgs, all: &[String], scenario: &Plan) -> bool {
    let is_named = !args.patterns.is_empty() || !args.tag.is_empty() || args.plan.is_some();
    let profile = Profile::from(args.profile);
    let is_of_it = catalogue::find(&scenario.id).is_none_or(|info| info.is_of(profile));
    if !is_named && !is_of_it {
        return false;
    }
    let any = |words: &[String], fits: &dyn Fn(&String) -> bool| {
        words.is_empty() || words.iter().any(fits)
    };
    any(&args.patterns, &|pattern| matches(pattern, &scenario.id, all))
        && any(&args.tag, &|tag| has_tag(scenario, tag))
        && any(&args.guarantee, &|id| scenario.guarantees.contains(id))
}

/// A pattern that is a whole id means that one alone, whatever other ids contain it.
fn matches(pattern: &String, id: &str, all: &[String]) -> bool {
    if all.contains(pattern) { id == pattern } else { id.contains(pattern.as_str()) }
}

/// A scenario that is not in the catalogue has no tags.
fn has_tag(scenario: &Plan, tag: &str) -> bool {
    catalogue::find(&scenario.id).is_some_and(|info| info.tags.contains(&tag))
}

/// What is asked for and no chosen scenario has, as it stands on the command line.
fn idle(args: &RunArgs, all: &[String], chosen: &[Plan]) -> Option<String> {
    let had = |fits: &dyn Fn(&Plan) -> bool| chosen.iter().any(fits);
    let pattern = |word: &&String| !had(&|scenario| matches(word, &scenario.id, all));
    let tag = |word: &&String| !had(&|scenario| has_tag(scenario, word));
    let guarantee = |word: &&String| !had(&|scenario| scenario.guarantees.contains(word));
    let patterns = args.patterns.iter().filter(pattern).cloned();
    let tags = args.tag.iter().filter(tag).map(|word| format!("--tag {word}"));
    let guarantees = args.guarantee.iter().filter(guarantee);
    let words: Vec<String> =
        patterns.chain(tags).chain(guarantees.map(|word| format!("--guarantee {word}"))).collect();
    (chosen.is_empty() || !words.is_empty()).then(|| words.join(" "))
}

fn nothing_matched(args: &RunArgs, all: &[String], idle: &str) -> Failure {
    let asked = rerun::selection(args).join(" ");
    let what = if idle == asked || idle.is_empty() {
        format!("no scenario matches {asked}")
    } else {
        format!("no scenario matches {idle} (of {asked})")
    };
    let ids = all.join(", ");
    let near = args.patterns.iter().filter(|word| idle.split(' ').any(|one| one == word.as_str()));
    let near: Vec<String> = near
        .filter_map(|word| {
            let scenario = nearest(word, all.iter().map(String::as_str)).map(str::to_owned);
            scenario.or_else(|| Some(format!("the command {}", nearest_command(word)?)))
        })
        .collect();
    let too_short = |word: &&String| {
        let known = SCENARIOS.iter().any(|known| matches(word, known.id, &[]));
        known && args.profile == ProfileName::Soak
    };
    let help = match near.as_slice() {
        _ if args.patterns.iter().any(|word| too_short(&word)) => format!(
            "the profile soak is for what lasts: {ids}. The others are over when their storm is; run them \
             with --profile nightly"
        ),
        [] => format!("there are: {ids}"),
        near => format!("did you mean {}? There are: {ids}", near.join(", ")),
    };
    Failure::NothingMatched { what, help }
}

fn catalogue_plan(args: &RunArgs, config: &Config) -> Result<RunPlan, Failure> {
    let contract = contract::load(args.contract.as_deref())?;
    let profile = Profile::from(args.profile);
    if args.duration.is_some() && profile != Profile::Soak {
        return Err(Failure::usage(
            format!("--duration is said of the profile soak, and this is {}", profile.name()),
            "say --profile soak as well: the others last as long as their storms do",
        ));
    }
    let seed = args.given_seed().map_err(|why| {
        Failure::usage(format!("WINDTHROW_SEED holds no seed: {why}"), "set it, or unset it")
    })?;
    let target = &config.file.target;
    let is_reference = args.mutant.is_some() || (target.spawn.is_none() && target.url.is_none());
    let mut declared = config.file.declared.clone();
    if is_reference && declared.scopes.is_none() {
        let embedded = target.embedded.as_ref().and_then(|embedded| embedded.mutant.as_deref());
        let scopes = reference::mutants::scopes(args.mutant.as_deref().or(embedded));
        declared.scopes = Some(scopes.iter().map(|&scope| scope.to_owned()).collect());
    }
    let settings = Settings {
        profile,
        time_scale: args.time_scale.unwrap_or(profile.usual_scale()),
        root_seed: seed.unwrap_or_else(rand_seed),
        declared,
        soak_ms: args
            .duration
            .map_or(USUAL_SOAK_MS, |time| u64::try_from(time.as_millis()).unwrap_or(USUAL_SOAK_MS)),
        ..settings(config, args.mutant.is_some())
    };
    let fitting = SCENARIOS.iter().filter(|scenario| scenario.fits(profile));
    let ids: Vec<&str> = fitting.map(|scenario| scenario.id).collect();
    let alerts = alerts::names(&config.file.observe.alerts, is_reference);
    Ok(RunPlan { alerts, ..catalogue::run_plan(&settings, contract, &ids) })
}

/// What the target decides of a plan; a mutant is told everything.
#[must_use]
pub fn settings(config: &Config, is_mutant: bool) -> Settings {
    let target = || TargetSpec::of(config);
    Settings {
        has_own_scale: !is_mutant && target().is_ok_and(|target| !target.takes_time_scale()),
        logs_in: is_mutant || target().is_ok_and(|target| target.takes_vault_role()),
        ..Settings::default()
    }
}

/// A fresh seed, small enough to be typed.
fn rand_seed() -> u64 {
    let now = mock_server::clock::Clock::wall().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| u64::from(since.subsec_nanos()) ^ (since.as_secs() << 8)) % 1_000_000_000
}

/// A name that a registry does not have, with the nearest one.
#[must_use]
pub fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
    see: &str,
) -> Failure {
    let help = match nearest(name, known) {
        Some(near) => format!("did you mean {near}? `{see}` names all of them"),
        None => format!("`{see}` names all of them"),
    };
    Failure::usage(format!("there is no {what} {name}"), help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn check(args: &[&str], expected: &[&str]) {
        let cli = Cli::parse_from([&["windthrow"], args].concat());
        let plan = plan(&cli.run, &Config::default()).unwrap();
        let ids: Vec<_> = plan.scenarios.iter().map(|scenario| scenario.id.as_str()).collect();
        assert_eq!(ids, expected, "{args:?}");
    }

    #[test]
    fn several_tags_are_a_union_and_narrow_what_is_chosen_otherwise() {
        let load = ["viral-spike", "thundering-herd", "gray-failure"];
        check(&["--tag", "load"], &load);
        check(&["--tag", "load", "--tag", "crash"], &[&load[..], &["crash-and-replay"]].concat());
        check(&["replay", "--tag", "breaker"], &["outage-and-replay"]);
        let stale = ["outage-and-replay", "flapping"];
        check(&["--tag", "clicks", "--guarantee", "stale-on-outage"], &stale);
    }

    #[test]
    fn what_takes_long_is_for_the_night_and_for_whoever_asks_for_it() {
        let quick = ["outage-and-replay", "calibration", "kinds-of-failure"];
        check(&["--guarantee", "breaker-recovers"], &quick);
        let night = ["--profile", "nightly", "--guarantee", "breaker-recovers"];
        let all = [&["gray-failure", "outage-and-replay", "flapping"], &quick[1..]].concat();
        check(&night, &all);
        check(&["flapping"], &["flapping"]);
        let all = ["gray-failure", "flapping", "close-to-the-limit"];
        check(&["--tag", "night"], &all);
    }

    #[test]
    fn a_soak_is_what_lasts_for_as_long_as_it_is_asked_for_and_nothing_else() {
        check(&["--profile", "soak"], &["ordinary-hours"]);
        check(&["ordinary", "--profile", "soak", "--duration", "8h"], &["ordinary-hours"]);
        let planned = |args: &[&str]| {
            let cli = Cli::parse_from([&["windthrow"], args].concat());
            plan(&cli.run, &Config::default())
        };
        let soak = planned(&["--profile", "soak", "--duration", "8h"]).unwrap();
        assert_eq!((soak.soak_ms, soak.time_scale), (Some(28_800_000), 1));
        assert_eq!(planned(&["--profile", "soak"]).unwrap().soak_ms, Some(USUAL_SOAK_MS));
        assert_eq!(planned(&["ordinary-hours"]).unwrap().soak_ms, None);
        let Err(Failure::NothingMatched { help, .. }) =
            planned(&["viral-spike", "--profile", "soak"])
        else {
            panic!("a spike lasts for hours")
        };
        assert!(help.contains("what lasts: ordinary-hours."), "{help}");
        let refused = planned(&["--duration", "8h"]).unwrap_err().to_string();
        assert!(refused.contains("--duration is said of the profile soak"), "{refused}");
    }

    #[test]
    fn a_whole_id_is_one_scenario_and_a_part_of_ids_is_many() {
        check(&["calibration"], &["calibration"]);
        let all = ["storm", "storm-again"].map(String::from);
        let matching = |pattern: &str| all.each_ref().map(|id| matches(&pattern.into(), id, &all));
        assert_eq!(matching("storm"), [true, false]);
        assert_eq!(matching("stor"), [true, true]);
    }

    #[test]
    fn a_word_that_chooses_nothing_is_an_error_beside_others_that_do() {
        for (args, what, help) in [
            (
                &["calibration", "viral-spiek"][..],
                "no scenario matches viral-spiek (of",
                "mean viral-spike?",
            ),
            (&["comparison", "calibration"], "no scenario matches comparison (of", "There are: "),
            (&["explian"], "no scenario matches explian", "mean the command explain?"),
            (
                &["viral-spike", "calibration", "--tag", "load"],
                "matches calibration (of",
                "re are: ",
            ),
            (
                &["viral-spike", "--tag", "load", "--tag", "crash"],
                "matches --tag crash (of",
                "re are: ",
            ),
            (
                &["viral-spike", "--guarantee", "clicks-survive-crash"],
                "no scenario matches viral-spike",
                "",
            ),
        ] {
            let cli = Cli::parse_from([&["windthrow"], args].concat());
            let Err(Failure::NothingMatched { what: said, help: helped }) =
                plan(&cli.run, &Config::default())
            else {
                panic!("{args:?} chose something")
            };
            assert!(
                said.contains(what) && helped.to_lowercase().contains(&help.to_lowercase()),
                "{said}; {helped}"
            );
        }
    }
}

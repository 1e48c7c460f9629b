//! Which scenarios a run has: those of the catalogue or of a plan file that the arguments choose.

use crate::cli::{ProfileName, RunArgs};
use crate::config::Config;
use crate::contract;
use crate::evidence::plans;
use crate::failure::{Failure, nearest};
use scenarios::catalogue::{self, Profile, SCENARIOS, Settings};
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
    plan.scenarios.retain(|scenario| chosen(args, scenario));
    if plan.scenarios.is_empty() {
        let help = match nearest(&args.patterns.join(" "), all.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}? There are: {}", all.join(", ")),
            None => format!("there are: {}", all.join(", ")),
        };
        let what = format!("no scenario matches{}", words(args));
        return Err(Failure::NothingMatched { what, help });
    }
    Ok(plan)
}

/// One of the patterns, one of the tags and one of the guarantees must be a scenario's; where none
/// are named, any will do. A scenario that is not in the catalogue has no tags.
fn chosen(args: &RunArgs, scenario: &Plan) -> bool {
    let tags = catalogue::find(&scenario.id).map_or(&[][..], |info| info.tags);
    let any = |words: &[String], fits: &dyn Fn(&String) -> bool| {
        words.is_empty() || words.iter().any(fits)
    };
    any(&args.patterns, &|pattern| scenario.id.contains(pattern.as_str()))
        && any(&args.tag, &|tag| tags.contains(&tag.as_str()))
        && any(&args.guarantee, &|id| scenario.guarantees.contains(id))
}

/// The selection as it stands on the command line, with a space before each word.
#[must_use]
pub fn words(args: &RunArgs) -> String {
    let patterns = args.patterns.iter().map(|pattern| format!(" {pattern}"));
    let tags = args.tag.iter().map(|tag| format!(" --tag {tag}"));
    let guarantees = args.guarantee.iter().map(|id| format!(" --guarantee {id}"));
    patterns.chain(tags).chain(guarantees).collect()
}

fn catalogue_plan(args: &RunArgs, config: &Config) -> Result<RunPlan, Failure> {
    let contract = contract::load(args.contract.as_deref())?;
    let (profile, default_scale) = match args.profile {
        ProfileName::Quick => (Profile::Quick, 10),
        ProfileName::Nightly => (Profile::Nightly, 1),
    };
    let settings = Settings {
        profile,
        time_scale: args.time_scale.unwrap_or(default_scale),
        root_seed: args.seed.unwrap_or_else(rand_seed),
        declared: config.file.declared.clone(),
    };
    let ids: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.id).collect();
    Ok(catalogue::run_plan(&settings, contract, &ids))
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
        check(&["--tag", "load"], &["viral-spike"]);
        check(&["--tag", "load", "--tag", "crash"], &["viral-spike", "crash-and-replay"]);
        check(&["replay", "--tag", "breaker"], &["outage-and-replay"]);
        check(&["--tag", "clicks", "--guarantee", "stale-on-outage"], &["outage-and-replay"]);
    }

    #[test]
    fn what_was_chosen_can_be_said_again() {
        let args = ["windthrow", "run", "a", "b", "--tag", "load", "--guarantee", "base-url"];
        let Some(crate::cli::Command::Run(args)) = Cli::parse_from(args).command else {
            panic!("not run")
        };
        assert_eq!(words(&args), " a b --tag load --guarantee base-url");
    }
}

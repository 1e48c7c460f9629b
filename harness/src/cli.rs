//! The command line.

pub mod commands;
mod contract;
mod desk;
mod mock;
mod preflight;
mod prove;

pub use contract::ContractArgs;
pub use desk::{
    BaselineCommand, BaselineSetArgs, BaselineShowArgs, CompareArgs, RunsCommand, RunsExportArgs,
    RunsPruneArgs,
};
pub use mock::{MockCommand, MockServeArgs};
pub use preflight::{PreflightArgs, PreflightCheck};
pub use prove::ProveArgs;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;
use scenarios::catalogue::{MAX_SOAK_MS, MIN_SOAK_MS, Profile};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Throws the storm at a Linktree integration before its launch does.
#[derive(Debug, Parser)]
#[command(name = "windthrow", version, args_conflicts_with_subcommands = true)]
#[command(after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do; `run` when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The default command's arguments.
    #[command(flatten)]
    pub run: RunArgs,
}

const EXIT_CODES: &str = "\
Exit codes: 0 held; 1 violated; 2 usage or configuration; 3 inconclusive; 4 nothing matched;
5 target, harness or evidence missing or lost; 6 no worse and yet not as approved (compare --exact);
70 a bug of windthrow; 130 interrupted.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios, judge them and report (the default)
    Run(RunArgs),
    /// List scenarios, guarantees, mutants or faults
    List(ListArgs),
    /// Explain a scenario, guarantee, mutant, fault or key of windthrow.toml, the contract or a plan
    Explain {
        /// Its id or name, as `click_slots`; or `contract`: what the service calls and is called with; or `plan`
        id: String,
        /// Where the contract stands
        #[command(flatten)]
        contract: ContractArgs,
    },
    /// Print the plan that `run` with the same arguments would carry out, to be edited for `run --plan`
    #[command(mut_args(|arg| match arg.get_id().as_str() {
        "plan" | "jobs" | "out_dir" | "reporter" | "fail_on" | "baseline" | "failed" | "repeat" => {
            arg.hide(true)
        }
        _ => arg,
    }))]
    Plan(RunArgs),
    /// Judge recorded evidence again, without traffic
    Recheck(StoredArgs),
    /// Write the reports of a recorded run again
    Report(StoredArgs),
    /// Say what is new in a run since another one, or since what was approved
    Compare(CompareArgs),
    /// Approve what a run found, in files that are reviewed, or show what is approved
    Baseline {
        /// What to do with it
        #[command(subcommand)]
        command: BaselineCommand,
    },
    /// List, show, remove or export the runs that are kept
    Runs {
        /// What to do with them
        #[command(subcommand)]
        command: RunsCommand,
    },
    /// Print what a shell needs to complete this command line
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Run every mutant of the reference and print which guarantee caught it
    Prove(ProveArgs),
    /// The mock Linktree alone
    Mock {
        /// What it shall do
        #[command(subcommand)]
        command: MockCommand,
    },
    /// Write a commented windthrow.toml and a nightly CI workflow; nothing is overwritten
    Init(InitArgs),
    /// Ask a live deployment five small questions before its launch; never a load
    Preflight(PreflightArgs),
    /// Print a JSON schema, or the contract as OpenAPI 3.1
    Schema {
        /// Of what
        #[arg(value_enum, default_value_t = SchemaOf::Result)]
        of: SchemaOf,
        /// Where the contract stands
        #[command(flatten)]
        contract: ContractArgs,
    },
    /// One scenario, in a process of its own; its order comes on standard input
    #[command(name = "__scenario", hide = true)]
    Scenario,
    /// Starts a target and ends it with the harness; what it starts comes on standard input
    #[command(name = "__guard", hide = true)]
    Guard,
    /// The embedded reference integration
    #[command(name = "__reference", hide = true)]
    Reference {
        /// A mutant of it
        mutant: Option<String>,
    },
}

/// Arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Scenarios whose id is one of these, or contains it; all without any
    pub patterns: Vec<String>,
    /// Only scenarios with this tag, or one of these when given more than once
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only scenarios that exercise this guarantee
    #[arg(long, value_name = "ID")]
    pub guarantee: Vec<String>,
    /// What was violated or inconclusive in the last run, again: with its seed, its target and all else
    #[arg(long, conflicts_with_all = ["patterns", "tag", "guarantee", "config", "no_config", "mutant",
          "seed", "plan", "profile", "duration", "time_scale", "contract", "repeat"])]
    pub failed: bool,
    /// So many runs one after the other, each with the next seed, and how often each promise was broken
    #[arg(long, value_name = "N", conflicts_with = "plan", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: Option<u32>,
    /// The configuration [env: WINDTHROW_CONFIG]; windthrow.toml in this folder when absent and there
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no configuration, even where there is one: the reference, with the contract's promises
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
    /// A mutant of the reference, instead of the configured target
    #[arg(long, value_name = "NAME")]
    pub mutant: Option<String>,
    /// The seed [env: WINDTHROW_SEED]; drawn anew and printed when absent
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Run this edited plan file, which has a seed of its own, instead of the catalogue
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "profile", "duration", "time_scale", "contract"])]
    pub plan: Option<PathBuf>,
    /// How long and how much
    #[arg(long, value_enum, default_value_t = ProfileName::Quick)]
    pub profile: ProfileName,
    /// How long `--profile soak` lasts, such as 30m or 8h: 1m to 23h; 2h when absent
    #[arg(long, value_name = "TIME", value_parser = soak_time)]
    pub duration: Option<Duration>,
    /// Divide contract durations by this; 10 in the quick profile, 1 in the others
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(1..=60))]
    pub time_scale: Option<u32>,
    /// Another contract profile (TOML)
    #[arg(long, value_name = "FILE")]
    pub contract: Option<PathBuf>,
    /// At most so many scenarios at once; as many as the machine has room for when absent
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub jobs: Option<usize>,
    /// Where runs are kept
    #[arg(long, default_value = "runs", env = "WINDTHROW_OUT_DIR", value_name = "DIR")]
    pub out_dir: PathBuf,
    /// Reports to write, and result.json in any case; the terminal's goes to standard output
    #[arg(long, value_delimiter = ',', value_name = "NAME,…",
          default_values = reports::renderers::usual_names())]
    pub reporter: Vec<String>,
    /// What was approved (`windthrow baseline set`): only what is new since then ends with another exit
    /// code than 0
    #[arg(long, value_name = "PATH")]
    pub baseline: Option<PathBuf>,
    /// The mildest verdict that ends with another exit code than 0; what could not be carried out does
    /// in any case
    #[arg(long, value_enum, default_value_t = FailOn::Inconclusive)]
    pub fail_on: FailOn,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct ListWhat {
    /// Guarantees instead of scenarios
    #[arg(long)]
    pub guarantees: bool,
    /// Mutants instead of scenarios
    #[arg(long)]
    pub mutants: bool,
    /// Faults instead of scenarios
    #[arg(long)]
    pub faults: bool,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What is listed.
    #[command(flatten)]
    pub what: ListWhat,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of commands that read a recorded run.
#[derive(Debug, Args)]
pub struct StoredArgs {
    /// The run's folder, its name under --out-dir, or how its name or its id begins
    #[arg(default_value = "latest")]
    pub run: String,
    /// Where runs are kept
    #[arg(long, default_value = "runs", env = "WINDTHROW_OUT_DIR", value_name = "DIR")]
    pub out_dir: PathBuf,
    /// Reports to write
    #[arg(long, visible_alias = "reporter", value_delimiter = ',', value_name = "NAME,…",
          default_values = reports::renderers::usual_names())]
    pub format: Vec<String>,
    /// A baseline's folder or file, or a run: what is new since then is said in all reports from now on; what
    /// the run was compared with before when absent
    #[arg(long, value_name = "PATH")]
    pub baseline: Option<String>,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where to
    #[arg(default_value = ".")]
    pub folder: PathBuf,
}

/// Profiles of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// A minute and a half, time scaled by 10
    Quick,
    /// Full length, true time
    Nightly,
    /// Hours of an ordinary day with the faults of everyday, true time: the scenario ordinary-hours alone
    Soak,
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Quick => Self::Quick,
            ProfileName::Nightly => Self::Nightly,
            ProfileName::Soak => Self::Soak,
        }
    }
}

/// What makes a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A violation (1)
    Violated,
    /// A violation (1), and a promise that could not be judged (3)
    Inconclusive,
    /// No verdict
    Never,
}

/// Schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// `result.json`
    Result,
    /// `windthrow.toml`
    Config,
    /// `plan.json`
    Plan,
    /// What the service calls, and what is called of it: OpenAPI 3.1
    Contract,
}

impl RunArgs {
    /// The configuration that is named; the command line comes before the environment.
    #[must_use]
    pub fn named_config(&self) -> Option<PathBuf> {
        named_config(self.config.as_deref())
    }

    /// The seed that is given; the command line comes before the environment.
    ///
    /// # Errors
    ///
    /// In words, when the variable holds none.
    pub fn given_seed(&self) -> Result<Option<u64>, String> {
        let variable = || environment("WINDTHROW_SEED").map(|text| seed(&text)).transpose();
        self.seed.map_or_else(variable, |given| Ok(Some(given)))
    }
}

/// The configuration that a command line or the environment names.
fn named_config(given: Option<&Path>) -> Option<PathBuf> {
    given.map(Path::to_owned).or_else(|| environment("WINDTHROW_CONFIG").map(PathBuf::from))
}

/// A variable of the environment that is set to something. It is not given to the parser, which would
/// take it for a flag that contradicts others: whoever exports a variable asks for nothing.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Decimal, or hexadecimal with `0x`.
fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "a seed is a whole number from 0 to 2^64-1, such as 7 or 0x2a".to_owned())
}

/// A handle of the contract.
fn handle(text: &str) -> Result<String, String> {
    let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if (1..=30).contains(&text.len()) && text.chars().all(lawful) {
        return Ok(text.to_owned());
    }
    Err("a handle is 1 to 30 of a-z, 0-9, dot, underscore and hyphen".to_owned())
}

/// As long as a soak may last.
fn soak_time(text: &str) -> Result<Duration, String> {
    let time = text.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    let bounds = Duration::from_millis(MIN_SOAK_MS)..=Duration::from_millis(MAX_SOAK_MS);
    time.filter(|time| bounds.contains(time))
        .ok_or_else(|| "a time from 1m to 23h, such as 30m or 1h30m".to_owned())
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err("a whole number from 1 to 64".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn patterns_without_a_command_are_those_of_run() {
        let cli = Cli::parse_from(["windthrow", "viral", "--seed", "0x2a"]);
        assert!(cli.command.is_none());
        assert_eq!((cli.run.patterns, cli.run.seed), (vec!["viral".to_owned()], Some(42)));
    }

    #[test]
    fn a_soak_lasts_as_long_as_people_write_it_within_a_day() {
        let check = |text: &str, expected: Option<u64>| {
            let time = soak_time(text).ok().map(|time| time.as_secs());
            assert_eq!(time, expected, "{text}");
        };
        check("90s", Some(90));
        check("1h30m", Some(5_400));
        check("2 hours", Some(7_200));
        check("23h", Some(82_800));
        for wrong in ["59s", "23h1s", "-2h", "2", "2x", "", "18446744073709551615h"] {
            check(wrong, None);
        }
    }

    /// What the README prints can be typed.
    #[test]
    fn every_command_line_in_the_readme_is_one() {
        let readme = include_str!("../../README.md");
        let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
        let mut lines = 0;
        for line in blocks.flat_map(str::lines) {
            let line = line.split(['#', '>', '&', '|']).next().unwrap_or_default();
            let words: Vec<&str> =
                line.split_whitespace().skip_while(|word| *word != "windthrow").collect();
            if !words.is_empty() {
                lines += 1;
                Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
        assert!(lines >= 20, "{lines}");
    }
}

//! The command that does the same again, or one scenario of it: made once from what was called, and
//! true when it is copied into a shell.

use crate::cli::RunArgs;
use crate::config::Config;
use crate::config::model::usual_env;
use crate::config::target::TargetSpec;
use crate::shell;
use scenarios::plan::RunPlan;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Everything that decides what a run does and to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rerun {
    /// Where it must be called, when a path is relative to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
    /// Variables that the target or a secret takes from the environment. Their values are nobody's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    environment: Vec<String>,
    /// What was chosen of the plan, as words of the command line.
    chosen: Vec<String>,
    /// Where the plan comes from.
    plan: PlanFrom,
    /// What is tested, and what it is promised to do, as words of the command line.
    target: Vec<String>,
    /// What of a plan file is not the catalogue's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    edited: Vec<String>,
}

/// Where a plan comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PlanFrom {
    /// The catalogue, with these settings.
    Catalogue(Vec<String>),
    /// A file: the copy in the run's folder, which nobody edits.
    File(Option<PathBuf>),
}

impl Default for PlanFrom {
    fn default() -> Self {
        Self::Catalogue(Vec::new())
    }
}

impl Rerun {
    /// What was called in this folder, and the plan and target that came of it.
    #[must_use]
    pub fn of(args: &RunArgs, config: &Config, plan: &RunPlan, target: &TargetSpec) -> Self {
        let mut words = Vec::new();
        let mut named = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
        if let Some(contract) = &args.contract {
            named("--contract", contract.display().to_string());
        }
        match &config.path {
            Some(path) => named("--config", path.display().to_string()),
            None => words.push("--no-config".to_owned()),
        }
        if let Some(mutant) = &args.mutant {
            words.extend(["--mutant".to_owned(), mutant.clone()]);
        }
        let setting = |(flag, value): (&str, String)| [flag.to_owned(), value];
        let settings = [
            ("--seed", plan.seed.to_string()),
            ("--profile", plan.profile.clone()),
            ("--time-scale", plan.time_scale.to_string()),
        ];
        let time = |ms: u64| match ms % 1_000 {
            0 => format!("{}s", ms / 1_000),
            _ => format!("{ms}ms"),
        };
        let lasts = plan.soak_ms.map(|ms| ("--duration", time(ms)));
        let rerun = Self {
            folder: None,
            environment: environment(config, target),
            chosen: selection(args),
            plan: match &args.plan {
                Some(_) => PlanFrom::File(None),
                None => {
                    let settings = settings.into_iter().chain(lasts);
                    PlanFrom::Catalogue(settings.flat_map(setting).collect())
                }
            },
            target: words,
            edited: Vec::new(),
        };
        rerun.relative_to_here([args.contract.as_deref(), config.path.as_deref()])
    }

    /// The run's plan stands in this file from now on.
    #[must_use]
    pub fn recorded_in(mut self, file: &Path) -> Self {
        if let PlanFrom::File(from) = &mut self.plan {
            *from = Some(file.to_owned());
            return self.relative_to_here([Some(file), None]);
        }
        self
    }

    /// Of a plan file, what is not the catalogue's.
    #[must_use]
    pub fn with_edited(self, edited: Vec<String>) -> Self {
        Self { edited, ..self }
    }

    /// That the plan is not the catalogue's, for whoever reads the verdict; none where it is.
    #[must_use]
    pub fn edited(&self) -> Option<String> {
        let edited = self.edited.join(", ");
        (!edited.is_empty())
            .then(|| format!("The plan was edited: not the catalogue's are {edited}."))
    }

    fn relative_to_here(mut self, paths: [Option<&Path>; 2]) -> Self {
        if paths.into_iter().flatten().any(Path::is_relative) {
            self.folder = std::env::current_dir().ok();
        }
        self
    }

    /// Whether it is every scenario that the profile has, and not what somebody chose or wrote.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.chosen.is_empty() && matches!(self.plan, PlanFrom::Catalogue(_))
    }

    /// The command line, of one scenario or of the whole run.
    #[must_use]
    pub fn command(&self, scenario: Option<&str>) -> String {
        let chosen = match (scenario, &self.plan) {
            (Some(scenario), _) => vec![scenario.to_owned()],
            // What was recorded holds only what had been chosen.
            (None, PlanFrom::File(_)) => Vec::new(),
            (None, PlanFrom::Catalogue(_)) => self.chosen.clone(),
        };
        let mut command = String::new();
        if let Some(folder) = &self.folder {
            command = format!("cd {} && ", shell::word(&folder.display().to_string()));
        }
        // A shell that lacks one of them says so, instead of testing something else.
        self.environment.iter().for_each(|name| command += &format!("{name}=\"${{{name}?}}\" "));
        command += "windthrow run";
        self.words(&chosen).iter().for_each(|word| command += &format!(" {}", shell::word(word)));
        command
    }

    /// The arguments of `run` that do the same again with what is chosen here.
    #[must_use]
    pub fn words(&self, chosen: &[String]) -> Vec<String> {
        let file = |path: &PathBuf| vec!["--plan".to_owned(), path.display().to_string()];
        let plan = match &self.plan {
            PlanFrom::Catalogue(settings) => settings.clone(),
            PlanFrom::File(path) => path.as_ref().map(file).unwrap_or_default(),
        };
        chosen.iter().chain(&plan).chain(&self.target).cloned().collect()
    }

    /// Why those arguments would not do the same here and now, and what to do about it.
    #[must_use]
    pub fn refusal_here(&self) -> Option<(String, String)> {
        let here = std::env::current_dir().ok();
        if let Some(folder) = self.folder.as_ref().filter(|folder| here.as_ref() != Some(*folder)) {
            let what = format!("the last run was called in {}", folder.display());
            return Some((what, "call it there: its files are named from there".to_owned()));
        }
        let lacking = |name: &&String| std::env::var_os(name.as_str()).is_none();
        let name = self.environment.iter().find(lacking)?;
        let help = "set it: the target or a secret takes it from the environment".to_owned();
        Some((format!("{name} was set for the last run, and is not now"), help))
    }
}

/// What the arguments choose, as words of the command line.
#[must_use]
pub fn selection(args: &RunArgs) -> Vec<String> {
    let flag = |flag: &str, value: &String| [flag.to_owned(), value.clone()];
    let tags = args.tag.iter().flat_map(|tag| flag("--tag", tag));
    let guarantees = args.guarantee.iter().flat_map(|id| flag("--guarantee", id));
    args.patterns.iter().cloned().chain(tags).chain(guarantees).collect()
}

/// The variables that are set and decide what is tested. What every machine has of its own, such as
/// the PATH, does not.
fn environment(config: &Config, target: &TargetSpec) -> Vec<String> {
    let handed_on = match target {
        TargetSpec::Spawn { command, .. } => command.pass_env.as_slice(),
        TargetSpec::Embedded { .. } | TargetSpec::Url { .. } => &[],
    };
    let usual = usual_env();
    let handed_on = handed_on.iter().filter(|name| !usual.contains(name)).map(String::as_str);
    let session = config.file.secrets.session.as_deref();
    let mut names: Vec<String> = session
        .and_then(|reference| reference.strip_prefix("env:"))
        .into_iter()
        .chain(handed_on)
        .filter(|name| shell::is_name(name) && std::env::var_os(name).is_some())
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;
    use mock_server::profile::ContractProfile;
    use scenarios::catalogue::{Settings, run_plan};

    /// What these arguments with this configuration's file print for the run and for `calibration`.
    fn check(args: &[&str], config: Option<&str>, expected: [&str; 2]) {
        let cli = Cli::parse_from([&["windthrow", "run"], args].concat());
        let Some(Command::Run(args)) = cli.command else { panic!("not run") };
        let config = Config { path: config.map(PathBuf::from), ..Config::default() };
        let plan = run_plan(&Settings::default(), ContractProfile::linktree_v1(), &["calibration"]);
        let plan = RunPlan { seed: 7, ..plan };
        let rerun = Rerun::of(&args, &config, &plan, &TargetSpec::Embedded { mutant: None });
        let rerun = rerun.recorded_in(Path::new("/r/plan.json"));
        let here = std::env::current_dir().unwrap();
        let cd = format!("cd {} && ", shell::word(&here.display().to_string()));
        let shown = [rerun.command(None), rerun.command(Some("calibration"))];
        assert_eq!(shown.map(|line| line.replace(&cd, "cd HERE && ")), expected);
    }

    #[test]
    fn nothing_that_decides_what_is_tested_is_left_out() {
        let settings = "--seed 7 --profile quick --time-scale 10";
        check(
            &["--tag", "outage", "calibration", "--guarantee", "click-lag"],
            None,
            [
                &format!(
                    "windthrow run calibration --tag outage --guarantee click-lag {settings} --no-config"
                ),
                &format!("windthrow run calibration {settings} --no-config"),
            ],
        );
        let all = format!("{settings} --contract '/my contract.toml' --config windthrow.toml");
        check(
            &["--contract", "/my contract.toml", "--mutant", "breaker-opens-at-six"],
            Some("windthrow.toml"),
            [
                &format!("cd HERE && windthrow run {all} --mutant breaker-opens-at-six"),
                &format!(
                    "cd HERE && windthrow run calibration {all} --mutant breaker-opens-at-six"
                ),
            ],
        );
    }

    #[test]
    fn a_soak_is_run_again_for_as_long() {
        let Some(Command::Run(args)) =
            Cli::parse_from(["windthrow", "run", "--profile", "soak"]).command
        else {
            panic!("not run")
        };
        let settings = Settings {
            profile: scenarios::catalogue::Profile::Soak,
            time_scale: 1,
            root_seed: 7,
            soak_ms: 5_400_000,
            ..Settings::default()
        };
        let plan = run_plan(&settings, ContractProfile::linktree_v1(), &["ordinary-hours"]);
        let target = TargetSpec::Embedded { mutant: None };
        let rerun = Rerun::of(&args, &Config::default(), &plan, &target);
        let expected =
            "windthrow run --seed 7 --profile soak --time-scale 1 --duration 5400s --no-config";
        assert_eq!(rerun.command(None), expected);
    }

    #[test]
    fn a_plan_is_run_again_from_the_copy_that_was_recorded() {
        let from = "--plan /r/plan.json --config /c.toml";
        let expected =
            [&format!("windthrow run {from}"), &format!("windthrow run calibration {from}")];
        check(&["cal", "--plan", "mine.json"], Some("/c.toml"), expected.map(String::as_str));
    }
}

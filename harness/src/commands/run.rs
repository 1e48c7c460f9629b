//! `run`: choose scenarios, carry them out, judge the evidence, write the reports.

use crate::baseline::{self, Base, Frame, Kept, folder};
use crate::cli::{FailOn, RunArgs};
use crate::commands::report::{check_formats, write};
use crate::commands::{failed, repeat, say};
use crate::config::target::TargetSpec;
use crate::config::{Config, secret};
use crate::edited::edited;
use crate::evidence::folder::LAST;
use crate::evidence::plans;
use crate::evidence::recorded::Recorded;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::rerun::Rerun;
use crate::runner::{self, Request};
use crate::schedule::Room;
use crate::selection;
use reports::renderers::RENDERERS;
use reports::report::{Ending, Report, Standing};
use scenarios::guarantees;
use scenarios::measure::so_many;
use scenarios::plan::{Plan, RunPlan};
use std::path::PathBuf;
use std::sync::Arc;

/// Carries out `run`.
///
/// # Errors
///
/// [`Failure`] for wrong arguments, or when nothing could be recorded at all.
pub async fn run(args: &RunArgs) -> Result<Exit, Failure> {
    if args.failed {
        return Ok(once(&failed::again(args)?).await?.exit);
    }
    match args.repeat {
        Some(times) => repeat::repeat(args, times).await,
        None => Ok(once(args).await?.exit),
    }
}

/// What became of one run.
pub struct Done {
    /// What was found.
    pub report: Report,
    /// What it ends with.
    pub exit: Exit,
}

/// One run, from the arguments to the reports.
///
/// # Errors
///
/// As [`run`].
pub async fn once(args: &RunArgs) -> Result<Done, Failure> {
    check_formats(&args.reporter)?;
    let Prepared { config, target, plan, untold } = prepare(args)?;
    let base = base(args, &plan, &target)?;
    let is_edited = |_: &PathBuf| edited(&plan, &config, args.mutant.is_some());
    let changed = args.plan.as_ref().map(is_edited).unwrap_or_default();
    let rerun = Rerun::of(args, &config, &plan, &target).with_edited(changed);
    let progress = Progress::new();
    progress.note(&format!(
        "{}, seed {}, profile {}, time scale {}, target {}",
        so_many(plan.scenarios.len(), "scenario", "scenarios"),
        plan.seed,
        plan.profile,
        plan.time_scale,
        target.label()
    ));
    for slower in plan.scenarios.iter().filter(|one| one.time_scale != plan.time_scale) {
        progress.note(&format!("{}: {}", slower.id, slower.summary));
    }
    for untold in untold {
        progress.note(&format!("! {untold}"));
    }
    for (id, why) in guarantees::undecidable(&plan) {
        progress.note(&format!("! {id} will be inconclusive: {why}"));
    }
    // Something that runs already has one address for its mock.
    let jobs = if matches!(target, TargetSpec::Url { .. }) { Some(1) } else { args.jobs };
    let room = Arc::new(Room::here(jobs));
    let request =
        Request { plan, target, config, out_dir: args.out_dir.clone(), room, rerun, base };
    let ran = runner::run(&request, &progress).await?;
    let mut recorded = Recorded::judged(&ran.folder)?;
    let base = request.base.as_ref();
    let compared = base.map(|base| base.compare(&recorded)).transpose()?;
    recorded.report.news = base.zip(compared.as_ref()).map(|(base, compared)| base.told(compared));
    let report = recorded.report;
    let written = write(&ran.folder, &report, &with_result(&args.reporter));
    let verdict = match base.zip(compared) {
        Some((base, compared)) => {
            say(baseline::comparison(&compared, &base.since));
            compared.verdict
        }
        None => report.verdict,
    };
    let exit =
        if ran.interrupted { Exit::Interrupted } else { exit(&report, verdict, args.fail_on) };
    match written {
        Ok(()) => {
            progress.note(&format!("evidence and reports: {}", ran.folder.path.display()));
            Ok(Done { report, exit })
        }
        // It was shown, and it stays violated whatever could not be written.
        Err(failure) if exit == Exit::Violated => {
            progress.note(&format!("! {failure}"));
            Ok(Done { report, exit })
        }
        Err(failure) => Err(failure),
    }
}

/// What a run is made of, before anything is started.
pub struct Prepared {
    /// The configuration.
    pub config: Config,
    /// What is tested.
    pub target: TargetSpec,
    /// What will happen.
    pub plan: RunPlan,
    /// Which scenarios are left out, and why.
    pub untold: Vec<String>,
}

/// Reads and checks what the arguments name, and chooses scenarios that the target can have.
///
/// # Errors
///
/// [`Failure`] for whatever is wrong with arguments, configuration or plan.
pub fn prepare(args: &RunArgs) -> Result<Prepared, Failure> {
    let config = match args.no_config {
        true => Config::none(),
        false => Config::find(args.named_config().as_deref(), args.mutant.is_none())?,
    };
    let target = target(args, &config)?;
    let mut plan = selection::plan(args, &config)?;
    if args.plan.is_none() {
        config.apply(&mut plan);
        if let Some(wrong) = plans::wrong(&plan) {
            return Err(Failure::usage(
                format!("what is declared and promised does not fit the scenarios; {wrong}"),
                "mend the configuration, the contract or the time scale, or leave these scenarios out",
            ));
        }
    }
    if matches!(target, TargetSpec::Url { .. }) {
        without_process_faults(&mut plan)?;
    }
    let untold = [
        without_tls(&mut plan, &target, &config)?,
        without_other_environments(&mut plan, &target)?,
    ];
    let untold = untold.into_iter().flatten().collect();
    if let Some(reference) = &config.file.secrets.session {
        secret::resolve(reference, &config.folder)?;
    }
    Ok(Prepared { config, target, plan, untold })
}

/// The reports that are asked for, and in any case the one without which a run is not whole.
fn with_result(asked: &[String]) -> Vec<String> {
    let result = RENDERERS.iter().find(|known| known.file_name() == Some(LAST));
    let result = result.map(|known| known.name().to_owned());
    asked.iter().cloned().chain(result).collect()
}

/// What was approved, as far as this run can be compared with it: whoever cannot is told before the storm.
fn base(args: &RunArgs, plan: &RunPlan, target: &TargetSpec) -> Result<Option<Kept>, Failure> {
    let Some(path) = &args.baseline else { return Ok(None) };
    let approved = folder::read(path)?;
    Frame::of(plan, target.kind()).must_fit(&approved)?;
    Ok(Some(Kept::of(&Base::Approved(path.clone(), approved))))
}

/// 1 outranks 5 outranks 3. The verdict is the report's, or that on what is new since a baseline.
#[must_use]
pub fn exit(report: &Report, verdict: Standing, fail_on: FailOn) -> Exit {
    let failed = |scenario: &reports::report::ScenarioReport| match scenario.ending {
        Ending::SetupFailed | Ending::TargetLost | Ending::HarnessLost => true,
        Ending::Completed | Ending::Interrupted | Ending::Unreached | Ending::EvidenceLost => false,
    };
    match verdict {
        Standing::Violated if fail_on != FailOn::Never => Exit::Violated,
        _ if report.scenarios.iter().any(failed) => Exit::Setup,
        // Whatever is asked of verdicts: there was evidence, and it is no more.
        _ if report.scenarios.iter().any(|one| one.ending == Ending::EvidenceLost) => {
            Exit::Inconclusive
        }
        Standing::Inconclusive | Standing::NotApplicable if fail_on == FailOn::Inconclusive => {
            Exit::Inconclusive
        }
        _ => Exit::Held,
    }
}

/// Takes out the scenarios that kill or pause the target, where it is not the harness's to kill.
fn without_process_faults(plan: &mut RunPlan) -> Result<(), Failure> {
    let harmless = |plan: &Plan| plan.faults.iter().all(|rule| rule.fault.as_process().is_none());
    let ids = |plan: &RunPlan| {
        plan.scenarios.iter().map(|scenario| scenario.id.clone()).collect::<Vec<_>>().join(", ")
    };
    let asked = ids(plan);
    plan.scenarios.retain(harmless);
    if plan.scenarios.is_empty() {
        return Err(Failure::usage(
            format!("{asked} kills the target, and what runs already is not Windthrow's to kill"),
            "let Windthrow start it: [target.spawn]",
        ));
    }
    Ok(())
}

/// Takes out the scenarios over TLS, where the target cannot be told whom to trust; says which, and why.
fn without_tls(
    plan: &mut RunPlan,
    target: &TargetSpec,
    config: &Config,
) -> Result<Option<String>, Failure> {
    let Some(why) = target.cannot_trust(config.file.mock.tls) else { return Ok(None) };
    let help = "hand the file over, as in SSL_CERT_FILE = \"{ca_file}\" in [target.spawn.env]";
    leave_out(plan, |scenario| scenario.tls, why, help)
}

/// Takes out the scenarios in another environment than the contract's, where the target cannot be told in which
/// it runs; says which, and why.
fn without_other_environments(
    plan: &mut RunPlan,
    target: &TargetSpec,
) -> Result<Option<String>, Failure> {
    if target.takes_environment() {
        return Ok(None);
    }
    let usual = plan.contract.keys.environment;
    let is_elsewhere = |scenario: &Plan| scenario.key.environment.is_some_and(|one| one != usual);
    let why = "the target is not told in which environment it runs: neither {environment} nor \
               {vault.secret} stands in its command or its environment, and of environment-separation \
               one half is judged";
    let help = "hand it over, as in VAULT_PATH = \"{vault.secret}\" in [target.spawn.env]";
    leave_out(plan, is_elsewhere, why, help)
}

/// Takes out scenarios; says which, and why. A failure where none is left.
fn leave_out(
    plan: &mut RunPlan,
    goes: impl Fn(&Plan) -> bool,
    why: &str,
    help: &str,
) -> Result<Option<String>, Failure> {
    let (over, kept): (Vec<_>, Vec<_>) =
        std::mem::take(&mut plan.scenarios).into_iter().partition(goes);
    plan.scenarios = kept;
    let ids: Vec<_> = over.iter().map(|scenario| scenario.id.as_str()).collect();
    let untold = format!("{} is left out: {why}", ids.join(", "));
    match (ids.is_empty(), plan.scenarios.is_empty()) {
        (true, _) => Ok(None),
        (false, false) => Ok(Some(untold)),
        (false, true) => Err(Failure::usage(untold, help)),
    }
}

/// What the arguments and the configuration name; a mutant on the command line comes first.
fn target(args: &RunArgs, config: &Config) -> Result<TargetSpec, Failure> {
    let Some(name) = &args.mutant else { return TargetSpec::of(config) };
    if reference::mutants::find(name).is_some() {
        return Ok(TargetSpec::Embedded { mutant: Some(name.clone()) });
    }
    let known = reference::mutants::MUTANTS.iter().map(|mutant| mutant.id);
    Err(selection::unknown("mutant", name, known, "windthrow list --mutants"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::report::ScenarioReport;
    use scenarios::catalogue::{Settings, run_plan};

    #[test]
    fn what_goes_over_tls_is_left_out_where_nobody_is_told_whom_to_trust() {
        let plan = || {
            let contract = mock_server::profile::ContractProfile::linktree_v1();
            run_plan(&Settings::default(), contract, &["steady-state", "tls-faults"])
        };
        let left = |text: &str, mut plan: RunPlan| {
            let config = Config { file: toml::from_str(text).unwrap(), ..Config::default() };
            let target = TargetSpec::of(&config).unwrap();
            let said = without_tls(&mut plan, &target, &config);
            (plan.scenarios.len(), said.map_err(|failure| failure.to_string()))
        };
        let spawned = "[target.spawn]\ncommand = [\"server\"]\n";
        let (kept, said) = left(spawned, plan());
        assert_eq!(kept, 1);
        assert!(said.unwrap().unwrap().starts_with("tls-faults is left out: the target is not"));
        let told = format!("{spawned}env = {{ SSL_CERT_FILE = \"{{ca_file}}\" }}\n");
        assert_eq!(left(&told, plan()), (2, Ok(None)));
        let mut alone = plan();
        alone.scenarios.remove(0);
        assert!(left(spawned, alone).1.unwrap_err().contains("{ca_file}"));
    }

    #[test]
    fn staging_is_left_out_where_nobody_is_told_of_it() {
        let left = |text: &str, ids: &[&str]| {
            let contract = mock_server::profile::ContractProfile::linktree_v1();
            let mut plan = run_plan(&Settings::default(), contract, ids);
            let config = Config { file: toml::from_str(text).unwrap(), ..Config::default() };
            let target = TargetSpec::of(&config).unwrap();
            let said = without_other_environments(&mut plan, &target);
            (plan.scenarios.len(), said.map_err(|failure| failure.to_string()))
        };
        let both = ["wrong-environment", "wrong-environment-in-staging"];
        let spawned = "[target.spawn]\ncommand = [\"server\"]\n";
        let (kept, said) = left(spawned, &both);
        assert_eq!(kept, 1);
        assert!(said.unwrap().unwrap().starts_with("wrong-environment-in-staging is left out"));
        assert!(left(spawned, &both[1..]).1.unwrap_err().contains("{vault.secret}"));
        assert_eq!(left(spawned, &both[..1]), (1, Ok(None)));
        for told in ["{environment}", "{vault.secret}"] {
            let told = format!("{spawned}env = {{ TOLD = \"{told}\" }}\n");
            assert_eq!(left(&told, &both), (2, Ok(None)));
        }
        assert_eq!(left("[target.embedded]\n", &both), (2, Ok(None)));
    }

    #[test]
    fn fail_on_says_which_verdicts_end_with_another_code_than_0() {
        use Standing::{Held, Inconclusive, NotApplicable, Violated};
        let check = |verdict, ending, expected: [Exit; 3]| {
            let scenario = ScenarioReport { ending, ..ScenarioReport::default() };
            let report = Report { scenarios: vec![scenario], ..Report::default() };
            let fail_on = [FailOn::Violated, FailOn::Inconclusive, FailOn::Never];
            assert_eq!(fail_on.map(|one| exit(&report, verdict, one)), expected, "{verdict:?}");
        };
        let done = Ending::Completed;
        check(Held, done, [Exit::Held; 3]);
        check(Violated, done, [Exit::Violated, Exit::Violated, Exit::Held]);
        check(Inconclusive, done, [Exit::Held, Exit::Inconclusive, Exit::Held]);
        check(NotApplicable, done, [Exit::Held, Exit::Inconclusive, Exit::Held]);
        check(Violated, Ending::TargetLost, [Exit::Violated, Exit::Violated, Exit::Setup]);
        check(Inconclusive, Ending::SetupFailed, [Exit::Setup; 3]);
        check(Violated, Ending::HarnessLost, [Exit::Violated, Exit::Violated, Exit::Setup]);
        check(Inconclusive, Ending::HarnessLost, [Exit::Setup; 3]);
        check(Inconclusive, Ending::EvidenceLost, [Exit::Inconclusive; 3]);
    }
}

//! `prove`: runs the mutants of the reference and prints which guarantee caught which.

use crate::cli::{FailOn, ProfileName, ProveArgs, RunArgs};
use crate::commands::honest::honest;
use crate::commands::say;
use crate::config::Config;
use crate::config::target::TargetSpec;
use crate::evidence::build;
use crate::failure::{Exit, Failure, nearest};
use crate::progress::Progress;
use crate::rerun::Rerun;
use crate::runner::{self, Request};
use crate::schedule::Room;
use crate::selection;
use comfy_table::{Table, presets};
use reference::mutants::{MUTANTS, Mutant};
use reports::report::{Report, Standing};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What one mutant came to, over all its seeds.
struct Row {
    mutant: &'static Mutant,
    caught: u32,
    also: BTreeSet<String>,
    undeclared: BTreeSet<String>,
    failures: Vec<String>,
}

/// Runs the mutants, prints the table; held when every mutant was caught with every seed and broke
/// nothing that its file does not declare.
///
/// # Errors
///
/// [`Failure`] when no mutant matches or a run cannot be set up.
pub async fn prove(args: &ProveArgs) -> Result<Exit, Failure> {
    if args.honest {
        return honest(args).await;
    }
    let chosen = |mutant: &&Mutant| {
        args.patterns.is_empty()
            || args.patterns.iter().any(|pattern| mutant.id.contains(pattern.as_str()))
    };
    let mutants: Vec<&'static Mutant> = MUTANTS.iter().filter(chosen).collect();
    let fits = |pattern: &&String| !MUTANTS.iter().any(|one| one.id.contains(pattern.as_str()));
    if let Some(idle) = args.patterns.iter().find(fits) {
        let near = nearest(idle, MUTANTS.iter().map(|mutant| mutant.id));
        let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
        return Err(Failure::NothingMatched {
            what: format!("no mutant matches {idle}"),
            help: format!("{near}`windthrow list --mutants` names all of them"),
        });
    }
    let room = Arc::new(Room::here(args.jobs));
    let progress = Arc::new(Progress::new());
    let runs = mutants.iter().flat_map(|&mutant| (0..args.seeds).map(move |n| (mutant, n)));
    let mut requests = Vec::new();
    for (mutant, n) in runs {
        let seed = args.seed + u64::from(n);
        let shown_by = [mutant.shown_by.to_owned()];
        let request = request(&shown_by, Some(mutant.id), seed, args, &room)?;
        requests.push((mutant, seed, request));
    }
    // Whoever needs the machine alone comes last, or the others would wait for it in between.
    requests
        .sort_by_key(|(_, _, request)| request.plan.scenarios.iter().any(|plan| plan.exclusive));
    let mut tasks = Vec::new();
    for (mutant, seed, request) in requests {
        let progress = Arc::clone(&progress);
        let task = tokio::spawn(async move {
            let ran = runner::run(&request, &progress).await?;
            Ok::<_, Failure>((build::report(&ran.folder)?, ran))
        });
        tasks.push((mutant, seed, task));
    }
    let mut rows: Vec<Row> = mutants.iter().map(|&mutant| Row::new(mutant)).collect();
    let mut interrupted = false;
    for (mutant, seed, task) in tasks {
        let done = task.await.map_err(|error| Failure::setup(error.to_string(), "a bug"))?;
        let (report, ran) = done?;
        interrupted |= ran.interrupted;
        crate::commands::report::write(&ran.folder, &report, &["json".into(), "html".into()])?;
        if let Some(row) = rows.iter_mut().find(|row| row.mutant.id == mutant.id) {
            row.take(&report, seed, &ran.folder.path.display().to_string());
        }
    }
    say(table(&rows, args.seeds));
    let mut proven = true;
    for row in &rows {
        row.failures.iter().for_each(say);
        for id in &row.undeclared {
            say(format_args!("{} also broke {id}, which its file does not declare", row.mutant.id));
        }
        proven &= row.caught == args.seeds && row.undeclared.is_empty();
    }
    Ok(match (interrupted, proven) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Held,
        (false, false) => Exit::Violated,
    })
}

/// The reference, as it is or mutated, through these scenarios or all.
///
/// # Errors
///
/// [`Failure`] when a pattern matches nothing.
pub fn request(
    patterns: &[String],
    mutant: Option<&str>,
    seed: u64,
    args: &ProveArgs,
    room: &Arc<Room>,
) -> Result<Request, Failure> {
    let run = RunArgs {
        patterns: patterns.to_vec(),
        tag: Vec::new(),
        guarantee: Vec::new(),
        failed: false,
        repeat: None,
        config: None,
        no_config: true,
        mutant: mutant.map(str::to_owned),
        seed: Some(seed),
        plan: None,
        profile: ProfileName::Quick,
        duration: None,
        time_scale: None,
        contract: None,
        jobs: args.jobs,
        out_dir: args.out_dir.clone(),
        reporter: Vec::new(),
        baseline: None,
        fail_on: FailOn::Inconclusive,
    };
    let config = Config::default();
    let plan = selection::plan(&run, &config)?;
    let target = TargetSpec::Embedded { mutant: run.mutant.clone() };
    let rerun = Rerun::of(&run, &config, &plan, &target);
    let (out_dir, room) = (run.out_dir, Arc::clone(room));
    Ok(Request { plan, target, config, out_dir, room, rerun, base: None })
}

impl Row {
    const fn new(mutant: &'static Mutant) -> Self {
        Self {
            mutant,
            caught: 0,
            also: BTreeSet::new(),
            undeclared: BTreeSet::new(),
            failures: Vec::new(),
        }
    }

    fn take(&mut self, report: &Report, seed: u64, folder: &str) {
        let violated = report.cells.iter().filter(|cell| cell.verdict == Standing::Violated);
        let violated: BTreeSet<&str> = violated.map(|cell| cell.guarantee.as_str()).collect();
        if violated.contains(self.mutant.breaks) {
            self.caught += 1;
        } else {
            let cell = report.cells.iter().find(|cell| cell.guarantee == self.mutant.breaks);
            let said = cell.map_or("not judged".to_owned(), |cell| {
                format!(
                    "{:?}: {} {}",
                    cell.verdict,
                    cell.observed,
                    cell.reason.as_deref().unwrap_or("")
                )
            });
            self.failures
                .push(format!("{} escaped with seed {seed} ({folder}): {said}", self.mutant.id));
        }
        for id in violated.into_iter().filter(|id| *id != self.mutant.breaks) {
            let declared = self.mutant.may_also_break.contains(&id);
            let set = if declared { &mut self.also } else { &mut self.undeclared };
            set.insert(id.to_owned());
        }
    }
}

fn table(rows: &[Row], seeds: u32) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["mutant", "scenario", "guarantee", "caught", "also broke"]);
    for row in rows {
        let join = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        table.add_row([
            row.mutant.id.to_owned(),
            row.mutant.shown_by.to_owned(),
            row.mutant.breaks.to_owned(),
            format!("{}/{seeds}", row.caught),
            join(&row.also),
        ]);
    }
    table
}

//! `baseline`: approves what a run found, in files that are reviewed, and shows what is approved.

use crate::baseline::changes::compare;
use crate::baseline::{self, Approved, folder};
use crate::cli::{BaselineCommand, BaselineSetArgs, BaselineShowArgs};
use crate::commands::say;
use crate::evidence::folder::RunFolder;
use crate::evidence::recorded::Recorded;
use crate::failure::{Exit, Failure};
use comfy_table::{ContentArrangement, Table, presets};
use reports::text::listed;
use scenarios::measure::so_many;
use serde_json::json;

/// Of what speaks against a run, so much is named.
const MOST_NAMED: usize = 5;

/// Carries out `baseline`.
///
/// # Errors
///
/// [`Failure`] when there is no such run or baseline, or nobody says why what is broken is approved.
pub fn baseline(command: &BaselineCommand) -> Result<Exit, Failure> {
    match command {
        BaselineCommand::Set(args) => set(args),
        BaselineCommand::Show(args) => show(args),
    }
}

fn set(args: &BaselineSetArgs) -> Result<Exit, Failure> {
    let run = Recorded::judged(&RunFolder::find(&args.out_dir, &args.run)?)?;
    let place = args.baseline.display();
    let before = match folder::is_there(&args.baseline) {
        true => folder::read(&args.baseline)?,
        false => Vec::new(),
    };
    let mut found = Approved::of(&run.report, &run.plan);
    for one in &mut found {
        let known = before.iter().find(|known| known.scenario == one.scenario);
        give_reason(one, known, args.reason.as_deref());
    }
    refuse_without_reason(&found)?;
    let change = compare(&before, &found, &run.report, false)?;
    folder::write(&args.baseline, &found)?;
    if before.is_empty() {
        say(format_args!(
            "approved in {place}: {} of {}",
            so_many(found.len(), "scenario", "scenarios"),
            run.report.run_id
        ));
    } else {
        say(baseline::comparison(&change, &place.to_string()));
        say(format_args!(
            "{} of {} in {place} changed",
            change.differing.len(),
            so_many(found.len(), "file", "files")
        ));
    }
    say(format_args!(
        "review them and commit them; from then on: windthrow run --baseline {place}"
    ));
    Ok(Exit::Held)
}

/// Whatever needs a reason has the one that is given, or the one for which the same was approved before.
fn give_reason(found: &mut Approved, known: Option<&Approved>, given: Option<&str>) {
    if found.unsound().next().is_none() {
        return;
    }
    let same = |known: &&Approved| {
        found
            .unsound()
            .all(|(id, is)| known.guarantees.get(id).is_some_and(|was| was.verdict == is.verdict))
    };
    let given = given.map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
    found.reason = given.or_else(|| known.filter(same)?.reason.clone());
}

fn refuse_without_reason(found: &[Approved]) -> Result<(), Failure> {
    let unsound: Vec<String> = found
        .iter()
        .filter(|one| one.reason.is_none())
        .flat_map(|one| {
            let scenario = &one.scenario;
            one.unsound().map(move |(id, finding)| {
                format!("{id} is {} in {scenario}", finding.verdict.word())
            })
        })
        .collect();
    if unsound.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(
        format!("this is not approved without a reason: {}", listed(&unsound, MOST_NAMED)),
        "mend it and run again, or say why it may stay: --reason \"…\"",
    ))
}

fn show(args: &BaselineShowArgs) -> Result<Exit, Failure> {
    let approved = folder::read(&args.baseline)?;
    if args.json {
        say(format_args!("{:#}", json!(approved)));
        return Ok(Exit::Held);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["scenario", "guarantee", "verdict", "exercised", "minimum met", "bound"]);
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    for one in &approved {
        for (id, finding) in &one.guarantees {
            let (exercised, met) = (yes(finding.exercised), yes(finding.minimum_met));
            let verdict = finding.verdict.word();
            table.add_row([&*one.scenario, id.as_str(), verdict, exercised, met, &*finding.bound]);
        }
    }
    say(table);
    for one in &approved {
        if let Some(reason) = &one.reason {
            say(format_args!("{}: approved because: {reason}", one.scenario));
        }
    }
    Ok(Exit::Held)
}

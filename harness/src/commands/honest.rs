//! `prove --honest`: runs the reference as it is with several seeds, and prints how much each promise was
//! seen with the worst of them beside how much it needs.
//!
//! Mutants prove that each check can fail; this proves that an honest service passes, and that it
//! does not pass by luck: a minimum that is met by one only is one seed away from *inconclusive*.

use crate::cli::ProveArgs;
use crate::commands::{prove, say};
use crate::evidence::build;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::runner;
use crate::schedule::Room;
use comfy_table::{Table, presets};
use reports::report::{Report, Standing};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was seen of one thing in one scenario, with the seed that saw the least.
#[derive(Debug, PartialEq, Eq)]
struct Least {
    guarantee: String,
    scenario: String,
    of: String,
    seen: u64,
    seed: u64,
    least: u64,
}

/// Everything that was seen over all seeds.
#[derive(Debug, Default)]
struct Tally {
    rows: Vec<Least>,
    /// Cells that are not held, by what they say.
    open: BTreeMap<String, Vec<u64>>,
}

/// Runs the reference, prints the table; held when every cell was held with every seed.
///
/// # Errors
///
/// [`Failure`] when no scenario matches or a run cannot be set up.
pub async fn honest(args: &ProveArgs) -> Result<Exit, Failure> {
    let progress = Progress::new();
    let mut tally = Tally::default();
    let mut interrupted = false;
    let room = Arc::new(Room::here(args.jobs));
    for seed in args.seed..args.seed + u64::from(args.seeds) {
        let request = prove::request(&args.patterns, None, seed, args, &room)?;
        let ran = runner::run(&request, &progress).await?;
        let report = build::report(&ran.folder)?;
        super::report::write(&ran.folder, &report, &["json".into(), "html".into()])?;
        tally.take(&report, seed);
        interrupted |= ran.interrupted;
        if interrupted {
            break;
        }
    }
    say(tally.table());
    for (what, seeds) in &tally.open {
        let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
        say(format_args!("{what} (seed {})", seeds.join(", ")));
    }
    Ok(match (interrupted, tally.open.is_empty()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Held,
        (false, false) => Exit::Violated,
    })
}

impl Tally {
    fn take(&mut self, report: &Report, seed: u64) {
        for cell in &report.cells {
            let (guarantee, scenario) = (&cell.guarantee, &cell.scenario);
            if cell.verdict != Standing::Held {
                let why = cell.reason.as_deref().unwrap_or(&cell.observed);
                let what = format!("{}: {guarantee} in {scenario}: {why}", cell.verdict.word());
                self.open.entry(what).or_default().push(seed);
            }
            for strength in &cell.strength {
                let now = Least {
                    guarantee: guarantee.clone(),
                    scenario: scenario.clone(),
                    of: strength.name.clone(),
                    seen: strength.seen,
                    seed,
                    least: strength.least,
                };
                let same = |row: &&mut Least| {
                    row.guarantee == now.guarantee
                        && row.scenario == now.scenario
                        && row.of == now.of
                };
                match self.rows.iter_mut().find(same) {
                    Some(row) if row.seen * now.least.max(1) > now.seen * row.least.max(1) => {
                        *row = now;
                    }
                    Some(_) => {}
                    None => self.rows.push(now),
                }
            }
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["guarantee", "scenario", "seen", "fewest", "with seed", "needed"]);
        for row in &self.rows {
            let Least { guarantee, scenario, of, seen, seed, least } = row;
            let numbers = [seen, seed, least].map(ToString::to_string);
            let [seen, seed, least] = numbers;
            table.add_row([guarantee.clone(), scenario.clone(), of.clone(), seen, seed, least]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::report::{Cell, Strength};

    fn report(verdict: Standing, seen: u64) -> Report {
        let strength = Strength { name: "retried clicks".into(), seen, least: 10 };
        let cell = Cell {
            guarantee: "clicks-counted-once".into(),
            scenario: "outage-and-replay".into(),
            verdict,
            reason: (verdict == Standing::Inconclusive).then(|| "too few".to_owned()),
            strength: vec![strength],
            ..Cell::default()
        };
        Report { cells: vec![cell], ..Report::default() }
    }

    #[test]
    fn the_seed_that_saw_the_least_is_kept() {
        let mut tally = Tally::default();
        for (seed, seen) in [(1, 30), (2, 12), (3, 25)] {
            tally.take(&report(Standing::Held, seen), seed);
        }
        let row = &tally.rows[0];
        assert_eq!((tally.rows.len(), row.seen, row.seed, row.least), (1, 12, 2, 10));
        assert!(tally.open.is_empty());
        assert!(tally.table().to_string().contains("retried clicks"));
    }

    #[test]
    fn what_was_not_held_is_said_with_its_seeds() {
        let mut tally = Tally::default();
        for (seed, seen) in [(4, 3), (5, 30), (6, 2)] {
            let verdict = if seen < 10 { Standing::Inconclusive } else { Standing::Held };
            tally.take(&report(verdict, seen), seed);
        }
        let (what, seeds) = tally.open.first_key_value().unwrap();
        assert!(
            what.starts_with("inconclusive: clicks-counted-once in outage-and-replay"),
            "{what}"
        );
        assert_eq!(seeds, &[4, 6]);
    }
}

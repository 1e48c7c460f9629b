//! `run --repeat N`: the same with N seeds, one after the other, and how often each promise was broken.

use crate::cli::RunArgs;
use crate::commands::run::once;
use crate::commands::say;
use crate::failure::{Exit, Failure};
use crate::proportion;
use reports::report::{Report, Standing};
use scenarios::measure::so_many;

/// How often one promise of one scenario was found to be what.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    guarantee: String,
    scenario: String,
    violated: u64,
    held: u64,
    inconclusive: u64,
}

/// What all runs together found.
#[derive(Debug, Default)]
struct Tally(Vec<Count>);

/// Runs them; the exit code is that of the worst of them, and 130 when one was interrupted, which is the
/// last.
///
/// # Errors
///
/// [`Failure`] when a run cannot be set up.
pub async fn repeat(args: &RunArgs, times: u32) -> Result<Exit, Failure> {
    // What a person sees is what all of them come to; the runs' own reports are in their folders.
    let reporter = args.reporter.iter().filter(|name| *name != "terminal").cloned().collect();
    let mut args = RunArgs { reporter, repeat: None, ..args.clone() };
    let mut tally = Tally::default();
    let mut worst = Exit::Held;
    for n in 1..=times {
        let done = once(&args).await?;
        let seed: u64 = done.report.identity.seed.parse().unwrap_or_default();
        say(format_args!(
            "{n} of {times}, seed {seed}: {} ({}){}",
            done.report.verdict.word(),
            done.report.run_id,
            broken(&done.report)
        ));
        tally.take(&done.report);
        worst = worse(worst, done.exit);
        if done.exit == Exit::Interrupted {
            break;
        }
        args.seed = Some(seed.wrapping_add(1));
    }
    tally.lines().into_iter().for_each(say);
    Ok(worst)
}

/// 130 outranks 1, 1 outranks 5, 5 outranks 3.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit: Exit| match exit {
        Exit::Held => 0,
        Exit::Inconclusive => 1,
        Exit::Unapproved => 2,
        Exit::NothingMatched | Exit::Usage | Exit::Bug => 3,
        Exit::Setup => 4,
        Exit::Violated => 5,
        Exit::Interrupted => 6,
    };
    if rank(other) > rank(one) { other } else { one }
}

/// What was violated in a run, in a few words.
fn broken(report: &Report) -> String {
    let violated = report.cells.iter().filter(|cell| cell.verdict == Standing::Violated);
    let words: Vec<String> =
        violated.map(|cell| format!("{} in {}", cell.guarantee, cell.scenario)).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
}

impl Tally {
    fn take(&mut self, report: &Report) {
        for cell in &report.cells {
            let same =
                |one: &Count| one.guarantee == cell.guarantee && one.scenario == cell.scenario;
            let at = self.0.iter().position(same).unwrap_or_else(|| {
                let (guarantee, scenario) = (cell.guarantee.clone(), cell.scenario.clone());
                self.0.push(Count { guarantee, scenario, ..Count::default() });
                self.0.len() - 1
            });
            let count = &mut self.0[at];
            match cell.verdict {
                Standing::Violated => count.violated += 1,
                Standing::Held => count.held += 1,
                Standing::Inconclusive => count.inconclusive += 1,
                Standing::NotApplicable => {}
            }
        }
    }

    /// What was broken at least once, and how much it says that the others were not.
    fn lines(&self) -> Vec<String> {
        let broken = self.0.iter().filter(|count| count.violated > 0);
        let mut lines: Vec<String> = broken.map(Count::words).collect();
        let open = self.0.iter().filter(|count| count.violated == 0 && count.inconclusive > 0);
        lines.extend(open.map(|count| {
            let Count { guarantee, scenario, held, inconclusive, .. } = count;
            let all = held + inconclusive;
            format!("{guarantee} in {scenario}: inconclusive in {inconclusive} of {all}")
        }));
        let kept = self.0.iter().filter(|count| count.violated == 0 && count.held > 0);
        let fewest = kept.clone().map(|count| count.held).min();
        if let Some(fewest) = fewest {
            let (_, most) = proportion::bounds(0, fewest);
            lines.push(format!(
                "never violated: {} in their scenarios, each judged in {} or more; what breaks in up to {} of \
                 runs would not have shown",
                so_many(kept.count(), "promise", "promises"),
                so_many(fewest, "run", "runs"),
                percent(most)
            ));
        }
        lines
    }
}

impl Count {
    fn words(&self) -> String {
        let Self { guarantee, scenario, violated, held, inconclusive } = self;
        let judged = violated + held;
        let (least, most) = proportion::bounds(*violated, judged);
        let open = match inconclusive {
            0 => String::new(),
            open => format!(", inconclusive in {open} more"),
        };
        format!(
            "{guarantee} in {scenario}: violated in {violated} of {judged}, between {} and {}{open}",
            percent(least),
            percent(most)
        )
    }
}

/// A share as a person says it.
fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::report::Cell;

    fn report(verdicts: &[(&str, Standing)]) -> Report {
        let cell = |(guarantee, verdict): &(&str, Standing)| Cell {
            guarantee: (*guarantee).to_owned(),
            scenario: "calibration".to_owned(),
            verdict: *verdict,
            ..Cell::default()
        };
        Report { cells: verdicts.iter().map(cell).collect(), ..Report::default() }
    }

    #[test]
    fn a_rate_is_told_with_its_bounds_and_what_was_not_judged_is_no_part_of_it() {
        use Standing::{Held, Inconclusive, Violated};
        let mut tally = Tally::default();
        for n in 0..12 {
            let breaker = match n {
                0..3 => Violated,
                3..10 => Held,
                _ => Inconclusive,
            };
            let lag = if n == 0 { Inconclusive } else { Held };
            tally.take(&report(&[
                ("breaker-opens", breaker),
                ("click-lag", lag),
                ("base-url", Held),
            ]));
        }
        assert_eq!(
            tally.lines(),
            [
                "breaker-opens in calibration: violated in 3 of 10, between 7 % and 65 %, inconclusive in 2 \
                 more",
                "click-lag in calibration: inconclusive in 1 of 12",
                "never violated: 2 promises in their scenarios, each judged in 11 runs or more; what breaks \
                 in up to 28 % of runs would not have shown",
            ]
        );
        assert_eq!(broken(&report(&[("a", Violated), ("b", Held)])), ": a in calibration");
        assert!(Tally::default().lines().is_empty());
    }

    #[test]
    fn the_worst_of_all_runs_is_what_it_ends_with() {
        let all = [Exit::Held, Exit::Inconclusive, Exit::Setup, Exit::Violated, Exit::Interrupted];
        for (at, one) in all.into_iter().enumerate() {
            for other in &all[at..] {
                assert_eq!((worse(one, *other), worse(*other, one)), (*other, *other));
            }
        }
    }
}

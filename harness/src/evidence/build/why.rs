//! Says in one line why a run came to no better verdict, where the sentence does not: how scenarios
//! ended, or what was not seen.

use reports::report::{Cell, Ending, Priority, Report, Severity, Standing};
use scenarios::measure::so_many;

/// Nothing where everything ran to its end, and what must hold held or was broken.
pub fn why(report: &Report) -> Option<String> {
    cut_short(report).or_else(|| unseen(report).filter(|_| report.verdict != Standing::Violated))
}

/// How most of those ended that did not run to their end, and why.
fn cut_short(report: &Report) -> Option<String> {
    let mut endings: Vec<(Ending, &str, Vec<&str>)> = Vec::new();
    for scenario in report.scenarios.iter().filter(|one| one.ending != Ending::Completed) {
        let reason = scenario.ending_reason.as_deref().unwrap_or("no reason was recorded");
        let same = |one: &&mut (Ending, &str, _)| (one.0, one.1) == (scenario.ending, reason);
        match endings.iter_mut().find(same) {
            Some((.., ids)) => ids.push(&scenario.id),
            None => endings.push((scenario.ending, reason, vec![&scenario.id])),
        }
    }
    let cut: usize = endings.iter().map(|(.., ids)| ids.len()).sum();
    // Of equals the first.
    let most = endings.iter().rev().max_by_key(|(.., ids)| ids.len())?;
    let (ending, reason, ids) = most;
    let all = report.scenarios.len();
    let places = match ids[..] {
        [one] => one.to_owned(),
        _ => format!("{} of {}", ids.len(), so_many(all, "scenario", "scenarios")),
    };
    let others = match cut - ids.len() {
        0 => String::new(),
        1 => "; one more did not run to its end".to_owned(),
        more => format!("; {more} more did not run to their end"),
    };
    Some(format!("{places}, {}: {reason}{others}.", ending.word()))
}

/// What was not seen of the gravest promises that could not be judged.
fn unseen(report: &Report) -> Option<String> {
    let weight = |cell: &&Cell| {
        let of = report.guarantees.iter().find(|guarantee| guarantee.id == cell.guarantee);
        of.map_or((Severity::Must, Priority::Standard), |about| (about.severity, about.priority))
    };
    let open = || report.cells.iter().filter(|cell| cell.verdict == Standing::Inconclusive);
    let first = open().min_by_key(weight)?;
    let reason = first.reason.as_deref().unwrap_or("no reason was recorded");
    let others = open().count() - 1;
    let others = match others {
        0 => String::new(),
        more => format!("; {more} more could not be judged"),
    };
    let Cell { guarantee, scenario, advice, .. } = first;
    let advice = advice.first().map_or(String::new(), |advice| format!(" {advice}"));
    Some(format!("{guarantee} could not be judged in {scenario}: {reason}{others}.{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::report::{GuaranteeReport, ScenarioReport};

    fn scenario(id: &str, ending: Ending, reason: &str) -> ScenarioReport {
        let ending_reason = (ending != Ending::Completed).then(|| reason.to_owned());
        ScenarioReport { id: id.into(), ending, ending_reason, ..ScenarioReport::default() }
    }

    fn cell(guarantee: &str, verdict: Standing, reason: &str) -> Cell {
        Cell {
            guarantee: guarantee.into(),
            scenario: "x".into(),
            verdict,
            reason: Some(reason.into()),
            ..Cell::default()
        }
    }

    #[track_caller]
    fn check(
        verdict: Standing,
        scenarios: Vec<ScenarioReport>,
        cells: Vec<Cell>,
        expected: Option<&str>,
    ) {
        let guarantee = |id: &str, priority| GuaranteeReport {
            id: id.into(),
            priority,
            ..GuaranteeReport::default()
        };
        let guarantees =
            vec![guarantee("a", Priority::Standard), guarantee("b", Priority::Critical)];
        let report = Report { verdict, scenarios, cells, guarantees, ..Report::default() };
        assert_eq!(why(&report).as_deref(), expected);
    }

    #[test]
    fn what_ran_to_its_end_and_was_judged_needs_no_reason() {
        let done = || vec![scenario("x", Ending::Completed, "")];
        check(Standing::Held, done(), vec![], None);
        let broken = vec![
            cell("a", Standing::Violated, ""),
            cell("b", Standing::Inconclusive, "nothing was seen"),
        ];
        check(Standing::Violated, done(), broken, None);
    }

    #[test]
    fn how_most_scenarios_ended_is_said_whatever_the_verdict() {
        let stopped = |id| scenario(id, Ending::Interrupted, "the run was interrupted");
        check(
            Standing::Violated,
            vec![
                scenario("w", Ending::SetupFailed, "the port is taken"),
                stopped("x"),
                stopped("y"),
                scenario("z", Ending::Completed, ""),
            ],
            vec![],
            Some(
                "2 of 4 scenarios, interrupted: the run was interrupted; one more did not run to its \
                 end.",
            ),
        );
        check(
            Standing::Inconclusive,
            vec![scenario("x", Ending::SetupFailed, "the port is taken")],
            vec![],
            Some("x, setup failed: the port is taken."),
        );
    }

    #[test]
    fn what_to_do_about_it_is_said_behind_it() {
        let advice = vec!["Log a line for each request.".into(), "Or two.".into()];
        check(
            Standing::Inconclusive,
            vec![scenario("x", Ending::Completed, "")],
            vec![Cell { advice, ..cell("b", Standing::Inconclusive, "lines: 0 seen, 10 needed") }],
            Some(
                "b could not be judged in x: lines: 0 seen, 10 needed. Log a line for each request.",
            ),
        );
    }

    #[test]
    fn of_what_was_not_seen_the_gravest_is_said() {
        check(
            Standing::Inconclusive,
            vec![scenario("x", Ending::Completed, "")],
            vec![
                cell("a", Standing::Inconclusive, "no click was retried"),
                cell("b", Standing::Inconclusive, "9 clicks were seen, 10 are asked for"),
            ],
            Some(
                "b could not be judged in x: 9 clicks were seen, 10 are asked for; 1 more could not be \
                 judged.",
            ),
        );
    }
}

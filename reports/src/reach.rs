//! Says in a few words how far the evidence of a run reaches, and what it was not put to the test by.

use crate::report::{Ending, Report, ScenarioReport};
use crate::text;

impl Report {
    /// One line over all scenarios: what was sent, how late at the worst, what came of it.
    pub(crate) fn reach(&self) -> String {
        let evidence = || self.scenarios.iter().map(|scenario| &scenario.evidence);
        let sum = |of: fn(&crate::report::Evidence) -> u64| evidence().map(of).sum::<u64>();
        let sent = sum(|seen| seen.arrivals_sent);
        // Where one generator gave no account nobody knows how many should have been sent.
        let planned: Option<u64> = evidence().map(|seen| seen.arrivals_planned).sum();
        let planned = planned.map_or(String::new(), |planned| format!(" of {planned}"));
        let latest = evidence().filter_map(|seen| seen.lateness).map(|late| late.p99_us).max();
        let latest = match latest {
            Some(us) => format!(", 99 of 100 at most {} late", text::micros(us)),
            None => String::new(),
        };
        format!(
            "{sent}{planned} arrivals sent{latest}; {} operations at the front door, {} clicks acknowledged; \
             {} upstream calls, {} of them hit by faults",
            sum(|seen| seen.operations),
            sum(|seen| seen.clicks),
            sum(|seen| seen.exchanges),
            sum(|seen| seen.faults_hit),
        )
    }

    /// The fault rules that hit nothing in a scenario that ran to its end, as `rule in scenario`: they
    /// exercised nothing.
    pub(crate) fn idle_faults(&self) -> Vec<String> {
        let of_scenario = |scenario: &ScenarioReport| {
            let mut rules: Vec<(&str, u64)> = Vec::new();
            for window in &scenario.fault_windows {
                match rules.iter_mut().find(|(rule, _)| *rule == window.rule) {
                    Some((_, hits)) => *hits += window.hits,
                    None => rules.push((&window.rule, window.hits)),
                }
            }
            let idle = rules.into_iter().filter(|(_, hits)| *hits == 0);
            idle.map(|(rule, _)| format!("{rule} in {}", scenario.id)).collect::<Vec<_>>()
        };
        let whole = self.scenarios.iter().filter(|one| one.ending == Ending::Completed);
        whole.flat_map(of_scenario).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::FaultWindow;

    /// Proves that the line adds up what the scenarios say, and invents no plan.
    #[test]
    fn the_evidence_of_all_scenarios_is_added_up() {
        let mut report = Report::example();
        let line = "10304 arrivals sent, 99 of 100 at most 24 ms late; 12345 operations at the front \
                    door, 2041 clicks acknowledged; 871 upstream calls, 226 of them hit by faults";
        assert_eq!(report.reach(), line);
        for scenario in &mut report.scenarios {
            scenario.evidence.arrivals_planned = Some(10_306);
        }
        assert!(report.reach().starts_with("10304 of 30918 arrivals sent"), "{}", report.reach());
        let nothing = "0 of 0 arrivals sent; 0 operations";
        assert!(Report::default().reach().starts_with(nothing), "{}", Report::default().reach());
    }

    /// Proves that a rule counts as idle only if none of its windows hit anything.
    #[test]
    fn a_fault_that_hit_nothing_is_named() {
        let window =
            |rule: &str, hits| FaultWindow { rule: rule.into(), hits, ..FaultWindow::default() };
        let scenario = ScenarioReport {
            id: "x".into(),
            fault_windows: vec![window("a", 0), window("b", 0), window("a", 3)],
            ..ScenarioReport::default()
        };
        let cut = ScenarioReport { ending: Ending::Interrupted, ..scenario.clone() };
        let report = Report { scenarios: vec![cut, scenario], ..Report::default() };
        assert_eq!(report.idle_faults(), ["b in x"]);
    }
}

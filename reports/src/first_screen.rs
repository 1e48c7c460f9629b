//! Says what nobody may overlook: what broke off, where the harness failed, what was not looked at.

use crate::report::{Cell, Ending, Report, ScenarioReport};

/// So many characters tell one trouble from another; of a long one the line below the verdict has no more.
const BEGIN: usize = 160;

fn begin(told: &str) -> &str {
    told.char_indices().nth(BEGIN).map_or(told, |(end, _)| &told[..end])
}

impl Report {
    /// What nobody may overlook, with the scenarios in which it was so: how they ended unless they ran to
    /// their end, what failed in the harness itself, and what is to be known of the integration; without
    /// what the line below the verdict says.
    pub(crate) fn troubles(&self) -> Vec<(String, Vec<&str>)> {
        let of_scenario = |one: &'_ ScenarioReport| {
            let reason = one.ending_reason.as_deref().unwrap_or("no reason was recorded");
            let ended = format!("{}: {reason}", one.ending.word());
            let ended = (one.ending != Ending::Completed).then_some(ended);
            let told = one.troubles.iter().chain(&one.notes).cloned();
            ended.into_iter().chain(told).collect::<Vec<_>>()
        };
        let said = self.why.as_deref().unwrap_or_default();
        let mut troubles: Vec<(String, Vec<&str>)> = Vec::new();
        for scenario in &self.scenarios {
            for told in of_scenario(scenario).into_iter().filter(|told| !said.contains(begin(told)))
            {
                match troubles.iter_mut().find(|(known, _)| *known == told) {
                    Some((_, scenarios)) => scenarios.push(&scenario.id),
                    None => troubles.push((told, vec![&scenario.id])),
                }
            }
        }
        troubles
    }

    /// ` (new)` or ` (known)` behind a violation of which a baseline says so, and nothing otherwise.
    pub(crate) fn marked(&self, cell: &Cell) -> String {
        let mark = self.news.as_ref().and_then(|news| news.mark(cell));
        mark.map_or_else(String::new, |mark| format!(" ({mark})"))
    }

    /// The ids of what was not tested, by reason, those with the highest priority first.
    pub(crate) fn untested(&self) -> Vec<(&str, Vec<&str>)> {
        let mut sorted: Vec<_> = self.not_tested.iter().collect();
        sorted.sort_by_key(|untested| untested.priority);
        let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
        for untested in sorted {
            match by_reason.iter_mut().find(|(reason, _)| *reason == untested.reason) {
                Some((_, ids)) => ids.push(&untested.id),
                None => by_reason.push((&untested.reason, vec![&untested.id])),
            }
        }
        by_reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that scenarios share a line, and that what is said already takes none.
    #[test]
    fn what_nobody_may_overlook_is_said_once() {
        let mut report = Report::example();
        let lost = report.scenarios[2].clone();
        report.scenarios.push(ScenarioReport { id: "another".into(), ..lost });
        let troubles = report.troubles();
        let told = "target lost: the process did not listen again within 10 s".to_owned();
        assert_eq!(troubles[2], (told.clone(), vec!["crash-in-outage", "another"]));
        report.why = Some(format!("2 of 4 scenarios, {told}."));
        assert_eq!(report.troubles().len(), 2);
        // Of a long reason the line has the beginning.
        let long = format!("{told}; it said at last: {}", "é".repeat(500));
        report.scenarios[2].ending_reason = Some(long.replace("target lost: ", ""));
        report.why = Some(long.chars().take(300).collect());
        let told: Vec<_> = report.troubles().into_iter().map(|(_, scenarios)| scenarios).collect();
        assert_eq!(told, [vec!["viral-spike"], vec!["viral-spike"]]);
    }
}

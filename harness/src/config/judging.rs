//! What a configuration changes about judging: severities, exercise minimums, sources, absent routes.
//!
//! It stands in `run.json`, so that a recorded run is judged again as it was.

use super::Config;
use super::model::Guarantee;
use reports::report::Severity;
use scenarios::front_door::FrontRoute;
use scenarios::plan::{RunPlan, Traffic};
use scenarios::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The rules of judging beside the plan's bounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JudgingRules {
    /// Settings by guarantee; absent ones are `must` without a minimum.
    pub guarantees: BTreeMap<String, Guarantee>,
    /// Routes that the integration does not have.
    pub without: Vec<FrontRoute>,
}

impl JudgingRules {
    /// The rules of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let guarantees = config.file.guarantee.clone();
        Self { guarantees, without: config.file.front_door.without.clone() }
    }

    /// What a violation of a guarantee means for the run.
    #[must_use]
    pub fn severity(&self, guarantee: &str) -> Severity {
        self.guarantees.get(guarantee).map_or(Severity::Must, |settings| settings.severity)
    }

    /// Where a guarantee's own bounds come from.
    #[must_use]
    pub fn source(&self, guarantee: &str) -> Option<&str> {
        self.guarantees.get(guarantee)?.source.as_deref()
    }

    /// A verdict that held over too little is inconclusive.
    #[must_use]
    pub fn enough(&self, guarantee: &str, verdict: Verdict) -> Verdict {
        let minimum = self.guarantees.get(guarantee).and_then(|settings| settings.minimum);
        let Some(minimum) = minimum else { return verdict };
        let reason =
            format!("{} {} were seen, {minimum} are asked for", verdict.seen, verdict.of_what);
        let enough = verdict.seen >= minimum;
        verdict.only_if(enough, reason)
    }

    /// Why a guarantee is not applicable, if it is not.
    #[must_use]
    pub fn not_applicable(&self, guarantee: &str) -> Option<String> {
        let route = needs(guarantee).filter(|route| self.without.contains(route))?;
        let route = serde_json::to_value(route).ok()?;
        let route = route.as_str()?;
        Some(format!("the integration does not offer {route} (front_door.without)"))
    }
}

/// The route that a guarantee cannot be judged without.
fn needs(guarantee: &str) -> Option<FrontRoute> {
    match guarantee {
        "clicks-delivered" | "clicks-counted-once" | "click-lag" | "clicks-survive-crash" => {
            Some(FrontRoute::Clicks)
        }
        _ => None,
    }
}

/// Takes visitors' clicks out of a plan for an integration that has no route for them.
pub fn without_clicks(run: &mut RunPlan) {
    for plan in &mut run.scenarios {
        plan.traffic.retain(|stream| !matches!(stream, Traffic::Sequential { click: true, .. }));
        for stream in &mut plan.traffic {
            if let Traffic::Open { click_per_mille, .. } = stream {
                *click_per_mille = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenarios::verdict::VerdictKind;

    fn rules(minimum: u64) -> JudgingRules {
        let settings = Guarantee { minimum: Some(minimum), ..Guarantee::default() };
        JudgingRules {
            guarantees: [("click-lag".to_owned(), settings)].into(),
            without: vec![FrontRoute::Clicks],
        }
    }

    #[test]
    fn too_few_observations_are_inconclusive_and_say_how_many_are_missing() {
        let judged =
            |minimum, seen| rules(minimum).enough("click-lag", Verdict::held_over(seen, "clicks"));
        assert_eq!(judged(10, 10).kind, VerdictKind::Held);
        let few = judged(10, 9);
        assert_eq!(few.kind, VerdictKind::Inconclusive);
        assert_eq!(few.reason.as_deref(), Some("9 clicks were seen, 10 are asked for"));
        let other = rules(10).enough("hard-limit", Verdict::held_over(1, "calls"));
        assert_eq!(other.kind, VerdictKind::Held);
    }

    #[test]
    fn a_missing_route_makes_its_guarantees_not_applicable() {
        let why = rules(1).not_applicable("click-lag").unwrap();
        assert!(why.contains("clicks"), "{why}");
        assert_eq!(rules(1).not_applicable("hard-limit"), None);
        assert_eq!(JudgingRules::default().not_applicable("click-lag"), None);
    }
}

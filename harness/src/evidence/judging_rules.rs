//! What a configuration changes about judging: severities, exercise minimums, sources, absent routes.
//!
//! It stands in `run.json`, so that a recorded run is judged again as it was.

use crate::config::Config;
use crate::config::model::Guarantee;
use crate::config::target::TargetSpec;
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
    /// Guarantees about what cannot be seen of this target, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unseen: BTreeMap<String, String>,
}

impl JudgingRules {
    /// The rules of a configuration for a target.
    #[must_use]
    pub fn of(config: &Config, target: &TargetSpec) -> Self {
        let file = &config.file;
        let mut unseen = BTreeMap::new();
        if matches!(target, TargetSpec::Url { .. }) {
            let mut see = |id: &str, why: &str| unseen.insert(id.to_owned(), why.to_owned());
            see("key-from-vault", "a process that Windthrow did not start is not looked into");
            if file.observe.logs.is_empty() {
                let why = "the output of what runs already is not seen; name its log files in \
                           [observe] logs";
                see("no-pii-in-logs", why);
            }
        }
        let without = file.front_door.without.clone();
        Self { guarantees: file.guarantee.clone(), without, unseen }
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
        if let Some(why) = self.unseen.get(guarantee) {
            return Some(why.clone());
        }
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
        "timeout-not-auth" | "latency-metrics" => Some(FrontRoute::Metrics),
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
            ..JudgingRules::default()
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
        let without = vec![FrontRoute::Metrics];
        let no_metrics = JudgingRules { without, ..JudgingRules::default() };
        assert!(no_metrics.not_applicable("latency-metrics").is_some());
        assert_eq!(no_metrics.not_applicable("cache-hit-ratio"), None, "it is seen from outside");
    }

    #[test]
    fn what_cannot_be_seen_of_a_running_target_is_not_applicable() {
        let judged = |text: &str| {
            let file = toml::from_str(text).unwrap();
            let config = Config { file, ..Config::default() };
            let rules = JudgingRules::of(&config, &TargetSpec::of(&config));
            ["key-from-vault", "no-pii-in-logs", "no-secret-leaked"]
                .map(|id| rules.not_applicable(id).is_some())
        };
        let running = "[target.url]\nbase = \"http://127.0.0.1:80\"\nmock_port = 4010\n";
        assert_eq!(judged(running), [true, true, false]);
        let with_logs = format!("{running}[observe]\nlogs = [\"app.log\"]\n");
        assert_eq!(judged(&with_logs), [true, false, false]);
        assert_eq!(judged("[target.spawn]\ncommand = [\"server\"]\n"), [false, false, false]);
    }
}

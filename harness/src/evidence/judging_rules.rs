//! What a configuration changes about judging: severities, exercise minimums, sources, absent routes.
//!
//! It stands in `run.json`, so that a recorded run is judged again as it was.

use crate::config::Config;
use crate::config::model::{File, Guarantee};
use crate::config::target::TargetSpec;
use reports::report::Severity;
use scenarios::front_door::FrontRoute;
use scenarios::guarantees::{self, Sight};
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
    /// What cannot be seen of this target, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unseen: BTreeMap<Sight, String>,
}

impl JudgingRules {
    /// The rules of a configuration for a target.
    #[must_use]
    pub fn of(config: &Config, target: &TargetSpec) -> Self {
        let file = &config.file;
        let why = |sight: Sight| Some((sight, unseen(sight, target, file)?.to_owned()));
        let unseen = Sight::ALL.into_iter().filter_map(why).collect();
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
        let reason = format!("{}: {} seen, {minimum} asked for", verdict.of_what, verdict.seen);
        let enough = verdict.seen >= minimum;
        verdict.only_if(enough, reason)
    }

    /// Why a guarantee is not applicable, if it is not.
    #[must_use]
    pub fn not_applicable(&self, guarantee: &str) -> Option<String> {
        let promise = guarantees::find(guarantee)?.promise();
        if let Some(why) = promise.sees.iter().find_map(|sight| self.unseen.get(sight)) {
            return Some(why.clone());
        }
        let route = promise.needs.iter().find(|route| self.without.contains(route))?;
        Some(format!("the integration does not offer {route} (front_door.without)"))
    }
}

/// Why something of the target cannot be seen, if it cannot.
fn unseen(sight: Sight, target: &TargetSpec, file: &File) -> Option<&'static str> {
    let runs_already = matches!(target, TargetSpec::Url { .. });
    match sight {
        Sight::Tls => target.cannot_trust(file.mock.tls),
        Sight::Process if runs_already => {
            Some("a process that Windthrow did not start is neither ended nor looked into")
        }
        Sight::Logs if runs_already && file.observe.logs.is_empty() => Some(
            "the output of what runs already is not seen; name its log files in [observe] logs",
        ),
        Sight::Kept
            if file.observe.kept_file.is_none()
                && file.observe.kept_route.is_none()
                && !matches!(target, TargetSpec::Embedded { .. }) =>
        {
            Some(
                "nobody says where it keeps the webhooks that it could not process: kept_file or \
                 kept_route of [observe]",
            )
        }
        Sight::Scopes
            if file.declared.scopes.is_none() && !matches!(target, TargetSpec::Embedded { .. }) =>
        {
            Some("nobody says which scopes its key needs: scopes of [declared]")
        }
        // Metrics are a route, which `front_door.without` takes away.
        Sight::Metrics
        | Sight::Upstream
        | Sight::FrontDoor
        | Sight::Alerts
        | Sight::Process
        | Sight::Logs
        | Sight::Kept
        | Sight::Scopes => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenarios::guarantees::GUARANTEES;
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
        assert_eq!(few.reason.as_deref(), Some("clicks: 9 seen, 10 asked for"));
        let other = rules(10).enough("hard-limit", Verdict::held_over(1, "calls"));
        assert_eq!(other.kind, VerdictKind::Held);
    }

    #[test]
    fn a_missing_route_makes_the_guarantees_that_need_it_not_applicable_and_no_other() {
        for route in [FrontRoute::Clicks, FrontRoute::Metrics, FrontRoute::Webhooks] {
            let rules = JudgingRules { without: vec![route], ..JudgingRules::default() };
            for promise in GUARANTEES.iter().map(|known| known.promise()) {
                let why = rules.not_applicable(promise.id);
                assert_eq!(
                    why.is_some(),
                    promise.needs.contains(&route),
                    "{}: {why:?}",
                    promise.id
                );
            }
        }
        let why = rules(1).not_applicable("click-lag").unwrap();
        assert!(why.contains("does not offer clicks"), "{why}");
        assert_eq!(JudgingRules::default().not_applicable("click-lag"), None);
    }

    #[test]
    fn what_cannot_be_seen_of_a_running_target_is_not_applicable() {
        let hidden = |text: &str| {
            let file = toml::from_str(text).unwrap();
            let config = Config { file, ..Config::default() };
            let rules = JudgingRules::of(&config, &TargetSpec::of(&config).unwrap());
            let ids = GUARANTEES.iter().map(|known| known.promise().id);
            ids.filter(|id| rules.not_applicable(id).is_some()).collect::<Vec<_>>()
        };
        let running = "[target.url]\nbase = \"http://127.0.0.1:80\"\nmock_port = 4010\n";
        let process = [
            "key-from-vault",
            "least-scope",
            "webhook-registered",
            "clicks-survive-crash",
            "webhook-failures-logged",
            "tls-verified",
        ];
        assert_eq!(hidden(running), [&process[..], &["no-pii-in-logs"]].concat());
        let with_logs = format!("{running}[observe]\nlogs = [\"app.log\"]\n");
        assert_eq!(hidden(&with_logs), process);
        let spawned = "[target.spawn]\ncommand = [\"server\"]\n";
        assert_eq!(hidden(spawned), ["least-scope", "webhook-failures-logged", "tls-verified"]);
        let kept = "[declared]\nscopes = []\n[observe]\nkept_file = \"failed.jsonl\"\n";
        assert_eq!(hidden(&format!("{spawned}{kept}")), ["tls-verified"]);
        let none: [&str; 0] = [];
        let trusting = "env = { CA = \"{ca_file}\" }\n";
        assert_eq!(hidden(&format!("{spawned}{trusting}{kept}")), none);
        let shown = "[declared]\nscopes = []\n[observe]\nkept_route = \"/failed\"\n";
        assert_eq!(hidden(&format!("{spawned}[mock]\ntls = true\n{shown}")), none);
    }
}

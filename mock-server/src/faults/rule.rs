//! One line of a fault plan: when, whom, how often, and what.

use super::{Caution, Fault, Mistake, Stage};
use crate::contract::Route;
use crate::webhooks::WebhookEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A share of requests as two integers, so that no rounding differs between machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// How many …
    #[schemars(range(min = 0, max = u32::MAX))]
    pub hits: u32,
    /// … of how many.
    #[schemars(range(min = 0, max = u32::MAX))]
    pub of: u32,
}

/// When a rule is active, in real milliseconds since the traffic of the scenario began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First active millisecond.
    #[schemars(range(min = 0, max = u64::MAX))]
    pub from_ms: u64,
    /// First millisecond after the window.
    #[schemars(range(min = 0, max = u64::MAX))]
    pub until_ms: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { from_ms: 0, until_ms: u64::MAX }
    }
}

/// Which requests a rule looks at; an absent field matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// Routes of the contract; empty means all but `health`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub routes: Vec<Route>,
    /// The method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub method: Option<String>,
    /// A handle, or a prefix of handles ending in `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub handle: Option<String>,
    /// Events of webhooks; empty means all. A request that is no delivery has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub events: Vec<WebhookEvent>,
}

/// Which of the matching requests are hit, counted for each request key from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "by", deny_unknown_fields)]
pub enum Pick {
    /// Every one.
    #[default]
    All,
    /// Those with `from <= nth < until`, for each key.
    Nth {
        /// First ordinal hit.
        #[schemars(range(min = 0, max = u64::MAX))]
        from: u64,
        /// First ordinal no longer hit.
        #[schemars(range(min = 0, max = u64::MAX))]
        until: u64,
    },
    /// A share, by hash.
    Share {
        /// The share.
        ratio: Ratio,
    },
    /// The first `hits` of every `of`, for each key: who always comes with another key is hit as
    /// often as who comes with the same one for ever.
    InTurn {
        /// How many of how many.
        ratio: Ratio,
    },
}

/// One line of a fault plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique in the plan; it stands in the history beside each exchange it hit.
    #[schemars(length(min = 1, max = 128))]
    pub id: String,
    /// When; always, unless it says otherwise.
    #[serde(default)]
    pub window: Window,
    /// Who is looked at.
    #[serde(default)]
    pub matcher: Matcher,
    /// Who is hit; everybody, unless it says otherwise.
    #[serde(default)]
    pub pick: Pick,
    /// What happens.
    pub fault: Fault,
}

impl Rule {
    /// What does not fit together, beside the settings of the fault itself.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if self.fault.stage() == Stage::Connection && self.matcher != Matcher::default() {
            let what = "nothing is known of a request when its connection is accepted";
            found.push(Mistake::new("matcher", what, "leave the matcher out"));
        }
        if self.fault.stage() == Stage::Vault && self.matcher != Matcher::default() {
            let what = "what is asked of the vault has no route, handle or event";
            let fix = "leave the matcher out: the fault's `path` says which secret it is about";
            found.push(Mistake::new("matcher", what, fix));
        }
        let refuses = self.fault.info().calls_for(Caution::RefusesConnections);
        if refuses && self.pick != Pick::All {
            let what = "a port that is shut cannot choose whom it keeps out";
            found.push(Mistake::new("pick", what, "leave the pick out, and set the window"));
        }
        if self.fault.stage() == Stage::Process {
            let fix = "leave it out: the fault's `on` says when it strikes, once for each rule";
            if self.matcher != Matcher::default() {
                let what = "a fault of the process looks at no requests";
                found.push(Mistake::new("matcher", what, fix));
            }
            if self.pick != Pick::All {
                let what = "a fault of the process chooses among no requests";
                found.push(Mistake::new("pick", what, fix));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kill, Refuse, Reset, ResetAt, Strike};
    use super::*;

    fn check(fault: Fault, matcher: Matcher, pick: Pick, expected: &[&str]) {
        let rule = Rule { id: "r".into(), window: Window::default(), matcher, pick, fault };
        let keys: Vec<_> = rule.mistakes().iter().map(|mistake| mistake.key).collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_rule_for_connections_cannot_look_at_requests() {
        let some = || Matcher { method: Some("GET".into()), ..Matcher::default() };
        let reset = |at| Fault::Reset(Reset { at });
        let once = Pick::Nth { from: 0, until: 1 };
        check(reset(ResetAt::Accept), Matcher::default(), once, &[]);
        check(reset(ResetAt::Accept), some(), once, &["matcher"]);
        check(reset(ResetAt::BeforeHead), some(), once, &[]);
        check(Fault::Refuse(Refuse {}), Matcher::default(), Pick::All, &[]);
        check(Fault::Refuse(Refuse {}), some(), once, &["matcher", "pick"]);
    }

    #[test]
    fn a_rule_for_the_process_cannot_look_at_requests() {
        let some = Matcher { method: Some("GET".into()), ..Matcher::default() };
        let kill = || Fault::Kill(Kill { on: Strike::WindowStart, down_ms: 1 });
        let once = Pick::Nth { from: 0, until: 1 };
        check(kill(), Matcher::default(), Pick::All, &[]);
        check(kill(), some, once, &["matcher", "pick"]);
    }
}

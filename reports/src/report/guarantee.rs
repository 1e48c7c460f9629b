//! Tells what was promised, what was seen instead, and what was never looked at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Margin, Measure, Standing};

/// How much hangs on a promise.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// Skipping it loses data, accounts or money.
    Critical,
    /// Skipping it hurts visitors or creators.
    High,
    /// Good practice.
    #[default]
    Standard,
}

impl Priority {
    /// The priority in words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Standard => "standard",
        }
    }
}

/// What a violation means for the run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It fails the run.
    #[default]
    Must,
    /// It is reported, and does not fail the run.
    Should,
    /// For information.
    Info,
}

/// One promise of the checklist, as it was judged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct GuaranteeReport {
    /// The guarantee's id.
    pub id: String,
    /// The part of the checklist that it belongs to, such as `Security`.
    #[serde(default)]
    pub section: String,
    /// The promise, as one sentence.
    pub statement: String,
    /// How much hangs on it.
    pub priority: Priority,
    /// What a violation means for the run.
    #[serde(default)]
    pub severity: Severity,
    /// The bound that was judged, such as `at most 90 requests in any 60 s`.
    pub bound: String,
    /// Where the bound comes from.
    pub bound_source: String,
    /// What goes wrong in production without it.
    pub why: String,
    /// How teams usually fix it.
    pub usual_fix: String,
    /// What the judge cannot see.
    pub blind_to: String,
    /// Guarantees that, broken in the same scenario, usually are why this one is broken.
    #[serde(default)]
    pub follows: Vec<String>,
}

/// What one scenario showed about one guarantee.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// The guarantee's id.
    pub guarantee: String,
    /// The scenario's id.
    pub scenario: String,
    /// What was found out.
    pub verdict: Standing,
    /// How often the promise was put to the test.
    pub seen: u64,
    /// What was counted, such as `retried clicks`.
    pub of_what: String,
    /// What was observed, in a few words.
    pub observed: String,
    /// What was promised, in a few words.
    pub promised: String,
    /// What was measured; empty where nothing was seen, or where there is no number.
    pub measures: Vec<Measure>,
    /// How much was seen of each thing that must have been seen, or it would be inconclusive.
    pub strength: Vec<Strength>,
    /// How much room the tightest of the measures left; negative beyond its bound.
    pub margin: Option<Margin>,
    /// Why it is inconclusive or not applicable.
    pub reason: Option<String>,
    /// What to do about that, a sentence or two each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
    /// The worst violations, the worst first, and of equals the earliest; fewer than `total_violations`
    /// if thinned.
    pub counter_examples: Vec<CounterExample>,
    /// How many violations there were in all.
    pub total_violations: u64,
    /// The command that shows it again.
    pub rerun: String,
    /// Where to look first.
    pub check_next: String,
}

impl Margin {
    /// What was promised, observed, and the room, without the measure's name, which stands beside them.
    pub(crate) fn short(&self) -> [&str; 3] {
        [&self.promised, &self.observed, &self.words].map(|words| {
            let rest = words.strip_prefix(&*self.measure).and_then(|rest| rest.strip_prefix(": "));
            rest.unwrap_or(words)
        })
    }

    /// All of it in one line: `secrets in answers: 4; promised none; 4 over`.
    pub(crate) fn told(&self) -> String {
        let [promised, _, room] = self.short();
        format!("{}; promised {promised}; {room}", self.observed)
    }

    /// How much of the allowed was used, in thousandths; a bound that was kept only within the
    /// measurement's own error, or not at all, is used up.
    pub(crate) fn used_per_mille(&self) -> i64 {
        1_000 - self.per_mille.clamp(0, 1_000)
    }
}

impl Cell {
    /// The margin in words, or a dash.
    pub fn margin_words(&self) -> &str {
        self.margin.as_ref().map_or("–", |margin| &margin.words)
    }

    /// How much of what was seen broke the promise, in thousandths: what is ranked by, and never shown,
    /// since violations need not be counted in what was seen.
    pub(crate) fn share_per_mille(&self) -> u64 {
        let seen = self.seen.max(self.total_violations).max(1);
        u64::try_from(u128::from(self.total_violations) * 1_000 / u128::from(seen)).unwrap_or(1_000)
    }

    /// The worst of its violations in its own words, or what was observed instead.
    pub(crate) fn offence(&self) -> &str {
        self.counter_examples.first().map_or(&self.observed, |worst| &worst.observed)
    }

    /// How often it was put to the test, and what was seen beside the least that is needed.
    pub fn strength_words(&self) -> String {
        let beside =
            |one: &Strength| format!("{}: {} (at least {})", one.name, one.seen, one.least);
        let seen = format!("{}: {}", self.of_what, self.seen);
        [seen].into_iter().chain(self.strength.iter().map(beside)).collect::<Vec<_>>().join("; ")
    }
}

/// What was seen of something, beside what is needed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Strength {
    /// Of what, in the plural, such as `retried clicks`.
    pub name: String,
    /// How many were seen.
    pub seen: u64,
    /// How many are needed at least.
    pub least: u64,
}

/// One violation with the evidence around it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CounterExample {
    /// When it happened, since the traffic began; negative before.
    pub at_ms: i64,
    /// What should have been.
    pub promised: String,
    /// What was.
    pub observed: String,
    /// The recorded events around it, a line each, in an order that a person can follow.
    pub story: Vec<String>,
    /// What else happened five seconds before and after, a line each, in order of time.
    #[serde(default)]
    pub context: Vec<String>,
    /// The fault rules that were armed at that moment.
    pub active_faults: Vec<String>,
}

/// A promise of the checklist that this run says nothing about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct NotTested {
    /// The promise's id.
    pub id: String,
    /// The part of the checklist that it belongs to.
    #[serde(default)]
    pub section: String,
    /// How much hangs on it.
    pub priority: Priority,
    /// Why it was not tested.
    pub reason: String,
}

//! Guarantees: each is a pure function from a history to a verdict.
//!
//! A guarantee does no I/O and reads no clock. It looks at the [`Case`] (all upstream exchanges and
//! everything else that is small) and is shown every front-door operation once, in the order in
//! which they were recorded, which is the order of their ends and not of their starts.

mod backoff_grows;
mod base_url;
mod bearer_header_only;
mod breaker_opens;
mod breaker_recovers;
mod cache_hit_ratio;
mod click_lag;
mod clicks_counted_once;
mod clicks_delivered;
mod clicks_survive_crash;
mod client_rate_cap;
pub(crate) mod evidence;
mod hard_limit;
mod json_headers;
mod key_from_vault;
mod latency_metrics;
mod no_pii_in_logs;
mod no_secret_leaked;
mod profile_timeout;
mod retry_after_honoured;
mod stale_on_outage;
mod timeout_not_auth;

use crate::case::Case;
use crate::history::Operation;
use crate::verdict::Verdict;
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Everything that is said of a guarantee besides its verdicts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Promise {
    /// The id of the checklist.
    pub id: &'static str,
    /// The promise, in a sentence.
    pub statement: &'static str,
    /// The priority of the checklist.
    pub priority: Priority,
    /// Where bound and rule come from.
    pub source: &'static str,
    /// What is lost when it is broken.
    pub why: &'static str,
    /// How teams usually mend it.
    pub usual_fix: &'static str,
    /// What this judge cannot see.
    pub blind_to: &'static str,
}

/// The priority of a guarantee in the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// From the risk matrix: the launch must not go ahead without it.
    Critical,
    /// From the risk matrix.
    High,
    /// Everything else.
    Standard,
}

/// One promise of the checklist.
pub trait Guarantee: Sync {
    /// What is promised.
    fn promise(&self) -> &'static Promise;

    /// Begins to judge a history.
    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c>;
}

/// A judgement in progress.
pub trait Judge {
    /// Sees one front-door operation; upstream-only guarantees ignore them.
    fn operation(&mut self, _operation: &Operation<'_>) {}

    /// The verdict, after the last operation.
    fn verdict(self: Box<Self>) -> Verdict;
}

/// A judge that needs no front-door operations.
pub struct AtOnce<F>(pub F);

impl<F: FnOnce() -> Verdict> Judge for AtOnce<F> {
    fn verdict(self: Box<Self>) -> Verdict {
        (self.0)()
    }
}

/// Every guarantee, in the order of the checklist.
pub const GUARANTEES: &[&dyn Guarantee] = &[
    &key_from_vault::KeyFromVault,
    &bearer_header_only::BearerHeaderOnly,
    &base_url::BaseUrl,
    &client_rate_cap::ClientRateCap,
    &hard_limit::HardLimit,
    &profile_timeout::ProfileTimeout,
    &json_headers::JsonHeaders,
    &breaker_opens::BreakerOpens,
    &breaker_recovers::BreakerRecovers,
    &backoff_grows::BackoffGrows,
    &retry_after_honoured::RetryAfterHonoured,
    &stale_on_outage::StaleOnOutage,
    &clicks_delivered::ClicksDelivered,
    &clicks_counted_once::ClicksCountedOnce,
    &clicks_survive_crash::ClicksSurviveCrash,
    &timeout_not_auth::TimeoutNotAuth,
    &latency_metrics::LatencyMetrics,
    &click_lag::ClickLag,
    &cache_hit_ratio::CacheHitRatio,
    &no_pii_in_logs::NoPiiInLogs,
    &no_secret_leaked::NoSecretLeaked,
];

/// The guarantee with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static dyn Guarantee> {
    GUARANTEES.iter().copied().find(|guarantee| guarantee.promise().id == id)
}

/// Several judgements over one pass of the operations. A judge that panics is inconclusive.
pub struct Judging<'c> {
    judges: Vec<(&'static str, Option<Box<dyn Judge + 'c>>)>,
}

impl<'c> Judging<'c> {
    /// Begins to judge the given guarantees.
    #[must_use]
    pub fn begin(case: &'c Case, guarantees: &[&'static dyn Guarantee]) -> Self {
        let begin = |guarantee: &&'static dyn Guarantee| {
            let judge = catch_unwind(AssertUnwindSafe(|| guarantee.begin(case))).ok();
            (guarantee.promise().id, judge)
        };
        Self { judges: guarantees.iter().map(begin).collect() }
    }

    /// Shows one operation to every judge.
    pub fn operation(&mut self, operation: &Operation<'_>) {
        for (_, slot) in &mut self.judges {
            if let Some(judge) = slot
                && catch_unwind(AssertUnwindSafe(|| judge.operation(operation))).is_err()
            {
                *slot = None;
            }
        }
    }

    /// The verdicts, in the order of the guarantees given.
    #[must_use]
    pub fn verdicts(self) -> Vec<(&'static str, Verdict)> {
        let finish = |(id, judge): (&'static str, Option<Box<dyn Judge + 'c>>)| {
            let verdict =
                judge.and_then(|judge| catch_unwind(AssertUnwindSafe(|| judge.verdict())).ok());
            let crashed = || Verdict::inconclusive("the judge itself failed: a bug of Windthrow");
            (id, verdict.unwrap_or_else(crashed))
        };
        self.judges.into_iter().map(finish).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn ids_are_unique_and_found() {
        let ids: BTreeSet<&str> = GUARANTEES.iter().map(|one| one.promise().id).collect();
        assert_eq!(ids.len(), GUARANTEES.len());
        assert!(ids.iter().all(|id| find(id).is_some_and(|one| one.promise().id == *id)));
    }

    #[test]
    fn every_file_is_a_listed_guarantee_and_opens_with_a_sentence() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guarantees");
        let mut stems = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() || stem == "mod" {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let opening = text.lines().next().unwrap_or_default();
            assert!(opening.starts_with("//! ") && opening.ends_with('.'), "{stem}: {opening}");
            let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "//!").collect();
            for needed in ["Blind to: ", "Broken by: `"] {
                assert!(words.join(" ").contains(needed), "{stem} does not say: {needed}");
            }
            stems.insert(stem);
        }
        let listed: BTreeSet<String> =
            GUARANTEES.iter().map(|one| one.promise().id.replace('-', "_")).collect();
        assert_eq!(stems, listed);
    }
}

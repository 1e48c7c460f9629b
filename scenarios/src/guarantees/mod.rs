//! Guarantees: each is a pure function from a history to a verdict.
//!
//! A guarantee does no I/O and reads no clock. It looks at the [`Case`] (all upstream exchanges and
//! everything else that is small) and is shown every front-door operation once, in the order in
//! which they were recorded, which is the order of their ends and not of their starts.
//!
//! A new guarantee touches:
//! 1. its file here: the promise with all that is said of it, its bounds and minimums, the judge with what
//!    it measures, and three tiny histories below, one for each verdict; `json_headers.rs` is the
//!    smallest, and `click_lag.rs` one with a bound that sees operations;
//! 2. its `mod` line and its line in [`GUARANTEES`];
//! 3. its id in the `guarantees` of a scenario in `catalogue/` that forces all of its minimums; and in
//!    `EVERYWHERE` of `catalogue/parts.rs`, if no scenario may break it;
//! 4. a mutant of the reference that it catches, and the row that `windthrow prove` prints of it, in
//!    `harness/tests/mutant_table.md`. Where an older mutant breaks it as well, that one's file says
//!    so.
//!
//! Judges are themselves tried by mutation, one file at a time: `cargo mutants --in-place -p scenarios
//! -f scenarios/src/guarantees/click_lag.rs -C=--lib -- guarantees`; without the last word the simulated
//! clients of `models` look on as well. A survivor is killed by a test, or explained where it
//! stands.
//!
//! What several judges derive from a history is a file in `evidence/`. What a new bound touches
//! stands in [`crate::bounds`]. The tests below, and `harness/tests/registries.rs`, say what is
//! missing.

mod analytics_scope;
mod analytics_timeout;
mod backoff_grows;
mod base_url;
mod bearer_header_only;
mod breaker_opens;
mod breaker_recovers;
mod bulk_batched;
mod cache_hit_ratio;
mod click_lag;
mod clicks_counted_once;
pub(crate) mod clicks_delivered;
mod clicks_survive_crash;
pub(crate) mod client_rate_cap;
mod cors_allowlist;
mod cursor_pagination;
mod environment_separation;
mod error_rate_alert;
pub(crate) mod evidence;
#[cfg(test)]
mod growth_tests;
mod hard_limit;
mod headroom_alert;
mod html_sanitised;
mod json_headers;
mod key_from_vault;
mod key_rotation;
mod latency_metrics;
mod least_scope;
mod no_pii_in_logs;
mod no_secret_leaked;
mod pages_served;
pub(crate) mod profile_timeout;
mod retry_after_honoured;
mod stale_on_outage;
mod timeout_not_auth;
mod tls_verified;
mod webhook_failures_logged;
mod webhook_registered;
mod webhook_signature;
#[cfg(test)]
mod worse_tests;

pub use crate::promise::{Bound, Priority, Promise, Sight, Stands, Unit};

use crate::case::Case;
use crate::history::Operation;
use crate::nearest::nearest;
use crate::plan::RunPlan;
#[cfg(test)]
use crate::testing::Decides;
use crate::verdict::Verdict;
use std::collections::BTreeMap;

/// One promise of the checklist.
pub trait Guarantee: Sync {
    /// What is promised.
    fn promise(&self) -> &'static Promise;

    /// Why no history decides it, given what the plan's run declares and at which time scale; nothing
    /// where one may.
    fn undecidable(&self, _case: &Case) -> Option<String> {
        None
    }

    /// Begins to judge a history.
    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c>;

    /// For each of its bounds, a history whose verdict the bound decides.
    #[cfg(test)]
    fn decided(&self) -> Vec<Decides> {
        Vec::new()
    }
}

/// A judgement in progress.
pub trait Judge {
    /// Sees one front-door operation; upstream-only guarantees ignore them.
    fn operation(&mut self, _operation: &Operation<'_>) {}

    /// The verdict, after the last operation.
    fn verdict(self: Box<Self>) -> Verdict;

    /// Whether most of the memory that it takes is needed for the verdict alone.
    fn is_at_once(&self) -> bool {
        false
    }
}

/// A judge that needs no front-door operations.
pub struct AtOnce<F>(pub F);

impl<F: FnOnce() -> Verdict> Judge for AtOnce<F> {
    fn verdict(self: Box<Self>) -> Verdict {
        (self.0)()
    }

    fn is_at_once(&self) -> bool {
        true
    }
}

/// Every guarantee, in the order of the checklist.
pub const GUARANTEES: &[&dyn Guarantee] = &[
    &key_from_vault::KeyFromVault,
    &key_rotation::KeyRotation,
    &environment_separation::EnvironmentSeparation,
    &bearer_header_only::BearerHeaderOnly,
    &least_scope::LeastScope,
    &base_url::BaseUrl,
    &client_rate_cap::ClientRateCap,
    &hard_limit::HardLimit,
    &cursor_pagination::CursorPagination,
    &profile_timeout::ProfileTimeout,
    &analytics_timeout::AnalyticsTimeout,
    &json_headers::JsonHeaders,
    &webhook_registered::WebhookRegistered,
    &bulk_batched::BulkBatched,
    &pages_served::PagesServed,
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
    &error_rate_alert::ErrorRateAlert,
    &headroom_alert::HeadroomAlert,
    &click_lag::ClickLag,
    &cache_hit_ratio::CacheHitRatio,
    &webhook_failures_logged::WebhookFailuresLogged,
    &webhook_signature::WebhookSignature,
    &cors_allowlist::CorsAllowlist,
    &html_sanitised::HtmlSanitised,
    &analytics_scope::AnalyticsScope,
    &tls_verified::TlsVerified,
    &no_pii_in_logs::NoPiiInLogs,
    &no_secret_leaked::NoSecretLeaked,
];

/// Which promises of a run no history of a scenario that exercises them can decide, and why: what is
/// declared leaves them undecided at the run's time scale. As tolerances those stand that nothing has
/// widened.
#[must_use]
pub fn undecidable(run: &RunPlan) -> BTreeMap<&'static str, String> {
    let mut why = BTreeMap::new();
    for plan in &run.scenarios {
        let case = Case::new(run, plan);
        for guarantee in plan.guarantees.iter().filter_map(|id| find(id)) {
            if let Some(reason) = guarantee.undecidable(&case) {
                why.insert(guarantee.promise().id, reason);
            }
        }
    }
    why
}

/// The guarantee with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static dyn Guarantee> {
    GUARANTEES.iter().copied().find(|guarantee| guarantee.promise().id == id)
}

/// Advice for an id that no guarantee has.
#[must_use]
pub fn did_you_mean(id: &str) -> String {
    let ids = || GUARANTEES.iter().map(|known| known.promise().id);
    match nearest(id, ids()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the guarantees are: {}", ids().collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Settings, run_plan};
    use crate::front_door::FrontRoute;
    use crate::plan::Declared;
    use mock_server::profile::ContractProfile;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn ids_are_unique_and_found() {
        let ids: BTreeSet<&str> = GUARANTEES.iter().map(|one| one.promise().id).collect();
        assert_eq!(ids.len(), GUARANTEES.len());
        assert!(ids.iter().all(|id| find(id).is_some_and(|one| one.promise().id == *id)));
    }

    /// A measure of something that was not seen must be absent: a zero would look like the best there
    /// is. What was seen is tested with each guarantee, by [`crate::testing::History::judged_by`].
    #[test]
    fn where_nothing_was_seen_nothing_is_measured_and_the_bounds_are_said() {
        for guarantee in GUARANTEES {
            let verdict = crate::testing::History::over(&[]).judged_by(*guarantee);
            let id = guarantee.promise().id;
            assert_eq!(verdict.kind, crate::verdict::VerdictKind::Inconclusive, "{id}");
            assert!(verdict.measures.is_empty(), "{id}: {:?}", verdict.measures);
            assert!(verdict.promised.contains(": "), "{id}: {}", verdict.promised);
        }
    }

    #[test]
    fn what_is_declared_and_leaves_a_promise_undecided_is_told_with_the_scale_that_shows_it() {
        let check = |time_scale, declared: Declared, expected: &[(&str, &str)]| {
            let settings = Settings { time_scale, declared, ..Settings::default() };
            let told = undecidable(&run_plan(&settings, ContractProfile::linktree_v1(), &[]));
            assert_eq!(told.len(), expected.len(), "{told:?}");
            for (id, words) in expected {
                assert!(told[id].contains(words), "{told:?}");
            }
        };
        let usual = Declared::default;
        check(10, usual(), &[]);
        check(20, usual(), &[]);
        check(10, Declared { backoff_base_ms: 200, ..usual() }, &[]);
        let at_once = Declared { click_backoff_base_ms: Some(50), ..usual() };
        check(10, at_once, &[("backoff-grows", "no time scale shows it")]);
        let once = Declared { max_attempts: 1, ..usual() };
        check(10, once, &[("backoff-grows", "no call can be retried")]);
        let short = Declared { breaker_open_ms: 7_000, ..usual() };
        check(10, short, &[("breaker-opens", "a time scale of 9 or less")]);
    }

    /// A bound that nobody reads, or that only words depend on, changes no verdict.
    #[test]
    fn every_bound_has_a_meaning_and_a_unit_and_decides_a_verdict() {
        for guarantee in GUARANTEES {
            let (promise, decided) = (guarantee.promise(), guarantee.decided());
            let names = |bounds: &mut dyn Iterator<Item = &Bound>| -> BTreeSet<&'static str> {
                bounds.map(|bound| bound.name).collect()
            };
            let shown = names(&mut decided.iter().map(|one| one.bound));
            assert_eq!(names(&mut promise.bounds.iter()), shown, "{}: decided()", promise.id);
            assert_eq!(shown.len(), promise.bounds.len(), "{}: two of one name", promise.id);
            for Decides { bound, value, history } in decided {
                let name = format!("{}.{}", bound.of, bound.name);
                let named_by_unit = match bound.unit {
                    Unit::ContractTime | Unit::RealTime => bound.name.ends_with("_ms"),
                    Unit::Percent => bound.name.ends_with("percent"),
                    Unit::Count => !bound.name.ends_with("_ms") && !bound.name.ends_with("percent"),
                };
                assert!(
                    bound.of == promise.id && named_by_unit && !bound.what.is_empty(),
                    "{name}"
                );
                assert!(bound.unit.range().contains(&bound.default), "{name}");
                let judged = |value| history().promising(bound, value).judged_by(*guarantee);
                let (usual, other) = (judged(bound.default), judged(value));
                assert_ne!(usual.kind, other.kind, "{name} decides nothing: {other:?}");
            }
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_told_from_what_nobody_has() {
        assert_eq!(did_you_mean("clicks-deliverd"), "did you mean clicks-delivered?");
        assert!(did_you_mean("-").starts_with("the guarantees are: "));
    }

    #[test]
    fn every_promise_says_what_it_must_see() {
        for promise in GUARANTEES.iter().map(|known| known.promise()) {
            assert!(!promise.sees.is_empty(), "{}", promise.id);
            let scraped = promise.sees.contains(&Sight::Metrics);
            assert_eq!(promise.needs.contains(&FrontRoute::Metrics), scraped, "{}", promise.id);
        }
    }

    #[test]
    fn every_file_is_a_listed_guarantee_and_opens_with_a_sentence() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guarantees");
        let mut stems = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() || stem == "mod" || stem.ends_with("_tests") {
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

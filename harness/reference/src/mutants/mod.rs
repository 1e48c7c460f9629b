//! Mutants: ways in which a real integration would be wrong, each swapping one seam.
//!
//! A mutant breaks one guarantee of the checklist, and says in which scenario this shows. What it
//! may break besides is listed, so that a table of all can be compared with what was found.

mod accept_missing_on_links;
mod ack_before_write;
mod auth_counted_as_timeouts;
mod authorization_in_log;
mod backoff_constant;
mod backoff_without_jitter;
mod base_without_v1_on_links;
mod breaker_never_closes;
mod breaker_never_opens;
mod breaker_opens_at_six;
mod cache_hits_in_latency;
mod cache_ttl_too_short;
mod click_dropped_after_attempts;
mod click_dropped_on_429;
mod click_resent_after_success;
mod content_type_missing_on_clicks;
mod email_in_log;
mod fresh_key_per_attempt;
mod half_open_lets_everyone_through;
mod in_flight_forgotten;
mod key_exported_to_environment;
mod key_in_metric_label;
mod key_in_query_on_links;
mod key_on_error_page;
mod key_on_helper_command_line;
mod latency_in_milliseconds;
mod limiter_fixed_window;
mod limiter_per_route;
mod misses_counted_as_hits;
mod no_limiter;
mod no_stale_on_timeout;
mod no_timeout;
mod queue_without_sync;
mod replay_slow;
mod retries_bypass_limiter;
mod retry_after_date_ignored;
mod retry_after_ignored_on_503;
mod retry_hot_loop;
mod timeouts_counted_as_auth;
mod timeouts_not_failures;
mod trickle_resets_timeout;
mod visitor_address_in_log;
mod wrong_creator_under_collapsing;

use crate::seams::Seams;

/// One way to be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// The file's name, with dashes.
    pub id: &'static str,
    /// What it does wrong, in one sentence.
    pub summary: &'static str,
    /// The guarantee that it breaks.
    pub breaks: &'static str,
    /// Guarantees that may be broken as a consequence.
    pub may_also_break: &'static [&'static str],
    /// The scenario in which this is seen.
    pub shown_by: &'static str,
    /// Swaps the seam.
    pub apply: fn(&mut Seams),
}

/// All mutants, in reading order: breaker, retries, rate limit, clicks, pages, requests,
/// secrets, logs, metrics.
pub const MUTANTS: &[Mutant] = &[
    breaker_opens_at_six::MUTANT,
    breaker_never_opens::MUTANT,
    half_open_lets_everyone_through::MUTANT,
    breaker_never_closes::MUTANT,
    timeouts_not_failures::MUTANT,
    retry_after_date_ignored::MUTANT,
    retry_after_ignored_on_503::MUTANT,
    backoff_constant::MUTANT,
    backoff_without_jitter::MUTANT,
    retry_hot_loop::MUTANT,
    retries_bypass_limiter::MUTANT,
    no_limiter::MUTANT,
    limiter_per_route::MUTANT,
    limiter_fixed_window::MUTANT,
    fresh_key_per_attempt::MUTANT,
    click_resent_after_success::MUTANT,
    click_dropped_after_attempts::MUTANT,
    click_dropped_on_429::MUTANT,
    ack_before_write::MUTANT,
    queue_without_sync::MUTANT,
    in_flight_forgotten::MUTANT,
    replay_slow::MUTANT,
    no_stale_on_timeout::MUTANT,
    wrong_creator_under_collapsing::MUTANT,
    cache_ttl_too_short::MUTANT,
    trickle_resets_timeout::MUTANT,
    no_timeout::MUTANT,
    key_in_query_on_links::MUTANT,
    accept_missing_on_links::MUTANT,
    content_type_missing_on_clicks::MUTANT,
    base_without_v1_on_links::MUTANT,
    key_exported_to_environment::MUTANT,
    key_on_helper_command_line::MUTANT,
    key_on_error_page::MUTANT,
    key_in_metric_label::MUTANT,
    authorization_in_log::MUTANT,
    email_in_log::MUTANT,
    visitor_address_in_log::MUTANT,
    latency_in_milliseconds::MUTANT,
    cache_hits_in_latency::MUTANT,
    timeouts_counted_as_auth::MUTANT,
    auth_counted_as_timeouts::MUTANT,
    misses_counted_as_hits::MUTANT,
];

/// The mutant with this id.
pub fn find(id: &str) -> Option<&'static Mutant> {
    MUTANTS.iter().find(|mutant| mutant.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const GUARANTEES: &[&str] = &[
        "client-rate-cap",
        "hard-limit",
        "retry-after-honoured",
        "backoff-grows",
        "breaker-opens",
        "breaker-recovers",
        "stale-on-outage",
        "clicks-delivered",
        "clicks-counted-once",
        "clicks-survive-crash",
        "click-lag",
        "cache-hit-ratio",
        "profile-timeout",
        "bearer-header-only",
        "json-headers",
        "base-url",
        "key-from-vault",
        "no-secret-leaked",
        "no-pii-in-logs",
        "latency-metrics",
        "timeout-not-auth",
    ];
    const SCENARIOS: &[&str] = &[
        "steady-state",
        "viral-spike",
        "rate-limit-storm",
        "brownout",
        "outage-and-replay",
        "crash-and-replay",
        "calibration",
    ];

    /// Every file in the folder is listed once under its own name, and says what it does.
    #[test]
    fn the_registry_lists_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mutants");
        let mut files = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//! "), "{} does not say what it does", path.display());
            files.insert(path.file_stem().unwrap().to_str().unwrap().replace('_', "-"));
        }
        files.remove("mod");
        let listed: BTreeSet<_> = MUTANTS.iter().map(|mutant| mutant.id.to_owned()).collect();
        assert_eq!(listed, files);
        assert_eq!(listed.len(), MUTANTS.len(), "an id is listed twice");
    }

    #[test]
    fn every_guarantee_is_broken_and_every_word_is_known() {
        for guarantee in GUARANTEES {
            assert!(MUTANTS.iter().any(|m| m.breaks == *guarantee), "{guarantee} is not broken");
        }
        for mutant in MUTANTS {
            let id = mutant.id;
            for guarantee in mutant.may_also_break.iter().chain([&mutant.breaks]) {
                assert!(GUARANTEES.contains(guarantee), "{id}: {guarantee}");
            }
            assert!(!mutant.may_also_break.contains(&mutant.breaks), "{id}");
            assert!(SCENARIOS.contains(&mutant.shown_by), "{id}: {}", mutant.shown_by);
            assert_eq!(find(id).map(|found| found.id), Some(id));
        }
    }
}

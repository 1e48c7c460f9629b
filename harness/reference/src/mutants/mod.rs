//! Mutants: ways in which a real integration would be wrong, each swapping one seam.
//!
//! A mutant breaks one guarantee of the checklist, and says in which scenario this shows. What it
//! may break besides is listed, so that a table of all can be compared with what was found.
//!
//! # How to add one
//!
//! 1. `mutants/<name>.rs`: how one comes to do it in one sentence, and its `MUTANT`. The smallest
//!    to copy is `breaker_opens_at_six.rs`; `no_limiter.rs` brings an implementation of its own.
//! 2. This file: its `mod` line.
//! 3. `list.rs`: its line in [`MUTANTS`], beside those of its kind.
//! 4. `harness/tests/mutant_table.md`: the proof, as `windthrow prove --seeds 3` prints it.
//!
//! Where nothing can be swapped yet, the module that decides gets one more field in its policy,
//! whose default is what it does today. That the words in a `MUTANT` are known to the catalogue
//! and to the guarantees, is tested in `harness/tests/registries.rs`.

mod accept_missing_on_links;
mod ack_before_write;
mod age_of_the_first_key;
mod analytics_checked_on_a_miss;
mod analytics_for_anybody;
mod analytics_handle_from_query;
mod analytics_limit_of_ten_seconds;
mod analytics_trickle_resets_limit;
mod any_origin_reflected;
mod auth_counted_as_timeouts;
mod authorization_in_log;
mod backoff_constant;
mod backoff_without_jitter;
mod bad_click_ends_the_process;
mod bad_click_in_log;
mod bad_gateways_not_failures;
mod base_without_v1_on_links;
mod batch_beyond_the_limit;
mod begins_again_and_appends;
mod breaker_never_closes;
mod breaker_never_opens;
mod breaker_never_probes;
mod breaker_open_too_long;
mod breaker_opens_at_six;
mod breaker_opens_at_three;
mod cache_hits_in_latency;
mod cache_key_cut_off;
mod cache_of_a_hundred;
mod cache_ttl_too_short;
mod campaign_batch_sent_again;
mod campaign_failed_links_forgotten;
mod campaign_in_one_batch;
mod campaign_link_by_link;
mod campaigns_of_its_own;
mod certificates_not_checked;
mod click_dropped_after_attempts;
mod click_dropped_on_401;
mod click_dropped_on_429;
mod click_given_up_after_a_while;
mod click_lag_alert_at_half;
mod click_lag_alert_never_fires;
mod click_lag_always_zero;
mod click_lag_of_the_last_attempt;
mod click_lag_when_delivered;
mod click_resent_after_success;
mod clicks_keep_the_first_key;
mod clicks_retry_at_once;
mod clicks_retry_constant;
mod clicks_without_jitter;
mod content_type_missing_on_clicks;
mod denied_clicks_open_the_breaker;
mod dots_match_any_letter;
mod email_in_log;
mod error_alert_above_twenty_percent;
mod error_alert_never_fires;
mod error_rate_counts_hits;
mod error_rate_of_a_moment;
mod errors_reflect_any_origin;
mod expired_fills_not_shared;
mod failed_items_dropped;
mod figures_of_its_own;
mod fill_lock_expires_early;
mod fills_not_shared;
mod first_links_only;
mod fresh_key_per_attempt;
mod front_door_gives_up_first;
mod half_open_gate_races;
mod half_open_lets_everyone_through;
mod headroom_alert_at_once;
mod headroom_alert_never_fires;
mod headroom_counts_page_views;
mod headroom_of_the_pages_share;
mod host_names_not_checked;
mod in_flight_forgotten;
mod javascript_denied_by_prefix;
mod key_age_alert_at_sixty_days;
mod key_age_alert_never_fires;
mod key_age_since_the_start;
mod key_exported_to_environment;
mod key_in_log_of_bad_clicks;
mod key_in_log_of_refusals;
mod key_in_metric_label;
mod key_in_query_on_links;
mod key_in_second_header_on_clicks;
mod key_on_error_page;
mod key_on_helper_command_line;
mod key_read_once;
mod latency_alert_counts_hits;
mod latency_alert_never_fires;
mod latency_alert_on_the_mean;
mod latency_alert_on_the_slowest;
mod latency_in_milliseconds;
mod latency_to_first_byte;
mod limiter_fixed_window;
mod limiter_forgets_on_restart;
mod limiter_per_route;
mod links_by_offset;
mod links_in_reverse_order;
mod links_route_guessed;
mod live_key_in_staging;
mod live_key_when_staging_has_none;
mod look_alikes_share_a_page;
mod misses_counted_as_hits;
mod name_unescaped;
mod name_unescaped_in_the_head;
mod no_cache_no_limiter;
mod no_click_queue;
mod no_limiter;
mod no_page_while_the_key_is_refused;
mod no_page_without_links;
mod no_stale_on_timeout;
mod no_timeout;
mod null_origin_allowed;
mod one_alert_for_both;
mod one_fetch_at_a_time;
mod one_link_for_each_address;
mod open_time_doubles_with_each_trip;
mod origins_by_beginning;
mod origins_by_ending;
mod page_cached_per_url;
mod pages_forgotten_on_recovery;
mod probe_without_status_closes;
mod query_in_log;
mod queue_without_sync;
mod quotes_left_in_addresses;
mod referer_in_log;
mod refused_key_alert_never_fires;
mod replay_in_small_batches;
mod replay_slow;
mod resets_not_failures;
mod retries_bypass_limiter;
mod retry_after_capped;
mod retry_after_date_ignored;
mod retry_after_ignored_on_503;
mod retry_hot_loop;
mod rush_after_the_wait;
mod scheme_check_misses_tabs;
mod scope_for_campaigns_forgotten;
mod script_tags_taken_out_once;
mod session_code_cut_off;
mod small_cache;
mod staging_key_for_the_account;
mod staging_key_in_production;
mod staging_key_when_the_vault_fails;
mod stale_for_ever;
mod stops_at_a_short_page;
mod timeout_ends_with_the_head;
mod timeout_of_three_seconds;
mod timeouts_counted_as_auth;
mod timeouts_not_failures;
mod timeouts_not_in_latency;
mod title_cut_in_a_letter;
mod title_unescaped;
mod trickle_resets_timeout;
mod unavailable_when_limited;
mod vary_on_allowed_only;
mod vault_certificates_not_checked;
mod views_sent_as_clicks;
mod visitor_address_in_log;
mod visitors_wait_out_timeouts;
mod webhook_acts_before_it_checks;
mod webhook_duplicates_processed;
mod webhook_failures_gone_on_restart;
mod webhook_failures_in_log_only;
mod webhook_first_signature_only;
mod webhook_json_verified_again;
mod webhook_moves_on_restart;
mod webhook_never_registered;
mod webhook_payload_cut;
mod webhook_registered_once_or_never;
mod webhook_signature_not_checked;
mod webhook_signature_prefix;
mod webhook_timestamp_unchecked;
mod webhook_unknown_fields_dropped;
mod workers_wait_for_linktree;
mod wrong_creator_under_collapsing;

mod list;

pub use list::MUTANTS;

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

/// What the key of the service, or of one of its mutants, is asked to be good for.
pub fn scopes(mutant: Option<&str>) -> &'static [&'static str] {
    let mut seams = Seams::default();
    if let Some(mutant) = mutant.and_then(find) {
        (mutant.apply)(&mut seams);
    }
    seams.scopes
}

/// The mutant with this id.
pub fn find(id: &str) -> Option<&'static Mutant> {
    MUTANTS.iter().find(|mutant| mutant.id == id)
}

#[cfg(test)]
mod tests;

//! One visitor after the other: what scenarios that look at single calls are put together from.
//!
//! Open-loop traffic would hide single gaps and the fifth failure behind limiter and concurrency.

use super::Settings;
use super::parts::{everything, in_turn, pages, rule};
use crate::plan::{Pace, Traffic};
use mock_server::faults::{Fault, Pick, Rule, Window};

/// Pages filled before an outage. With two reads each they are twenty successes in a row, after which
/// every breaker that counts consecutive failures is known to be closed (predicates, B4).
pub const CALM_CALLS: u32 = 11;
/// Between them.
pub const CALM_PAUSE_MS: u64 = 30;
/// Longer than 4 δ of 100 ms: whoever comes sooner after the fifth failure may have been on its way
/// (predicates 1.12), and a breaker that opens at the sixth would be a doubt and no violation.
pub const GAP_MS: u64 = 450;

/// A trip after a call's five attempts or five calls, the open time, a probe that fails and what
/// follows it; longer where more calls open the declared breaker, or for longer.
pub fn failing_ms(settings: &Settings) -> u64 {
    let declared = &settings.declared;
    let lasts = declared.waits_of_a_row_ms() + 2 * declared.breaker_open_ms;
    let more_calls = declared.calls_of_a_row().saturating_sub(5);
    settings.contract(lasts.max(75_000)) + more_calls * GAP_MS
}

/// The same where each failure and each probe takes the timeout of 10 s.
pub fn silent_ms(settings: &Settings) -> u64 {
    let declared = &settings.declared;
    let failures = declared.certain_failures() * declared.instances + declared.half_open_probes;
    let attempts = u64::from(failures.saturating_mul(declared.attempts_counted_once()));
    // The first two are part of what follows.
    failing_ms(settings) + settings.contract(attempts.saturating_sub(2).max(4) * 10_000)
}

/// Visitors who come until the end of a window.
pub fn crowd(window: Window) -> u32 {
    let visitors = (window.until_ms - window.from_ms) / GAP_MS;
    u32::try_from(visitors.max(200)).unwrap_or(u32::MAX)
}

/// The open time, recovery, and pages enough that are asked for after it.
pub fn heal_ms(settings: &Settings) -> u64 {
    settings.contract(30_000 + 15_000)
        + settings.longer_open_ms()
        + 16 * slowly(settings)
        + quiet_ms(settings)
}

/// Between the visitors after a heal, so that there is room for each in the limiter, and in that of each
/// instance.
pub fn slowly(settings: &Settings) -> u64 {
    settings.contract(2_500) * u64::from(settings.declared.instances)
}

/// Until a breaker with a sampling window has forgotten every success.
pub fn quiet_ms(settings: &Settings) -> u64 {
    settings.declared.breaker_window_ms.map_or(0, |window| settings.contract(window))
}

/// A window that ends in silence: what fails within δ of a success may not count, nor what fails within
/// the sampling window of one.
pub fn rested(settings: &Settings, window: Window) -> Window {
    Window { until_ms: window.until_ms - 2 * GAP_MS - quiet_ms(settings), ..window }
}

/// A visitor who asks one creator of a group after the other.
pub fn calls(group: &str, calls: u32, window: Window, gap_ms: u64) -> Traffic {
    Traffic {
        id: format!("{group}-reader"),
        from_ms: window.from_ms,
        until_ms: window.until_ms,
        pace: Pace::Sequential { calls, gap_ms },
        creators: in_turn(group),
        does: pages(),
    }
}

/// Nothing else for anybody.
pub fn total(id: &str, window: Window, fault: Fault) -> Rule {
    rule(id, window, everything(), Pick::All, fault)
}

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
/// Longer than delivery and scheduling together, or a sixth failure would look like the fifth.
pub const GAP_MS: u64 = 300;

/// A trip after a call's five attempts or five calls, the open time, a probe that fails and what
/// follows it.
pub fn failing_ms(settings: &Settings) -> u64 {
    settings.contract(75_000)
}

/// The open time, recovery, and pages enough that are asked for after it.
pub fn heal_ms(settings: &Settings) -> u64 {
    settings.contract(30_000 + 15_000) + 16 * slowly(settings)
}

/// Between the visitors after a heal, so that there is room for each in the limiter.
pub fn slowly(settings: &Settings) -> u64 {
    settings.contract(2_500)
}

/// A window that ends in silence: what fails within δ of a success may not count.
pub const fn rested(window: Window) -> Window {
    Window { until_ms: window.until_ms - 2 * GAP_MS, ..window }
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

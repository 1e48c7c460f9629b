//! The gauge of waiting clicks is registered, and nobody ever sets it.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "click-lag-always-zero",
    summary: "the exposed click lag is zero, whatever waits",
    breaks: "click-lag",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.lag.exposed = |_| Duration::ZERO,
};

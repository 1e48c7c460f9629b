//! The bounds that a team may promise differently, by guarantee and name, and where they go in a plan.

use scenarios::plan::RunPlan;

/// One bound of one guarantee.
pub struct Bound {
    /// The guarantee.
    pub guarantee: &'static str,
    /// The bound's name under `[guarantee.<id>.bounds]`.
    pub name: &'static str,
    /// What it means, with its unit.
    pub what: &'static str,
    /// Puts it into a plan.
    pub apply: fn(&mut RunPlan, u64),
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Every bound that can be set; durations are contract milliseconds.
pub const BOUNDS: &[Bound] = &[
    Bound {
        guarantee: "client-rate-cap",
        name: "requests",
        what: "most requests in any window of the limit",
        apply: |run, value| run.contract.promises.client_cap = small(value),
    },
    Bound {
        guarantee: "hard-limit",
        name: "requests",
        what: "the server's own limit in any window",
        apply: |run, value| run.contract.limit.requests = small(value),
    },
    Bound {
        guarantee: "profile-timeout",
        name: "within_ms",
        what: "a stalled attempt is given up after this",
        apply: |run, value| run.contract.promises.profile_timeout_ms = value,
    },
    Bound {
        guarantee: "click-lag",
        name: "within_ms",
        what: "a deliverable click is delivered within this",
        apply: |run, value| run.contract.promises.click_lag_ms = value,
    },
    Bound {
        guarantee: "cache-hit-ratio",
        name: "percent",
        what: "share of a viral creator's reads that need no upstream call",
        apply: |run, value| run.contract.promises.hit_percent = small(value),
    },
    Bound {
        guarantee: "breaker-recovers",
        name: "within_ms",
        what: "normal service after the heal and the open time",
        apply: |run, value| run.contract.promises.recover_ms = value,
    },
];

/// The bound of a guarantee with this name.
#[must_use]
pub fn find(guarantee: &str, name: &str) -> Option<&'static Bound> {
    BOUNDS.iter().find(|bound| bound.guarantee == guarantee && bound.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenarios::guarantees;

    #[test]
    fn every_bound_belongs_to_a_guarantee() {
        for bound in BOUNDS {
            assert!(guarantees::find(bound.guarantee).is_some(), "{}", bound.guarantee);
        }
    }
}

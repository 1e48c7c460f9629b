//! The integration's processes stand still (SIGSTOP) and go on after a while (SIGCONT).
//!
//! Connections stay open and the kernel goes on accepting for it, as on a machine that swaps, is
//! migrated, or collects garbage: clocks have moved on when it wakes up.

use super::{ActsOnProcess, FaultInfo, Mistake, Place, Strike};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pause of the target with all its descendants, once for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// When.
    #[serde(default)]
    pub on: Strike,
    /// How long; real milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub for_ms: u64,
}

impl ActsOnProcess for Pause {
    const PROCESS_INFO: FaultInfo = FaultInfo {
        kind: "pause",
        place: Place::Process,
        cautions: &[],
        summary: "The integration stands still with SIGSTOP, and goes on after a while.",
        example_toml: r#"
kind = "pause"
on = { at = "nth-delivery", n = 3 }
for_ms = 2000
"#,
    };

    fn on(&self) -> Strike {
        self.on
    }

    fn back_after_ms(&self, _start_ms: u64) -> u64 {
        self.for_ms
    }

    fn mistake(&self) -> Option<Mistake> {
        let none = self.for_ms == 0;
        none.then(|| Mistake::new("for_ms", "a pause of 0 ms is none", "choose more than 0"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Decide;
    use super::*;

    #[test]
    fn a_pause_takes_time() {
        let mistakes = |for_ms| Pause { on: Strike::WindowStart, for_ms }.mistakes().len();
        assert_eq!([1, 0].map(mistakes), [0, 1]);
    }
}

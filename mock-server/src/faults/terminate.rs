//! The integration is asked to stop with SIGTERM in mid-flight, and started again after a while.
//!
//! A graceful stop finishes what it has begun and loses nothing. What has not ended when the grace
//! is over is killed with SIGKILL.

use super::{ActsOnProcess, FaultInfo, Mistake, Place, Strike};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stop as a deployment makes it, once for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terminate {
    /// When.
    #[serde(default)]
    pub on: Strike,
    /// How long it may take to end; real milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub grace_ms: u64,
    /// From its end to the next start; real milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub down_ms: u64,
}

impl ActsOnProcess for Terminate {
    const PROCESS_INFO: FaultInfo = FaultInfo {
        kind: "terminate",
        place: Place::Process,
        cautions: &[],
        summary: "The integration is stopped with SIGTERM, and started again after a while.",
        example_toml: r#"
kind = "terminate"
on = { at = "window-start" }
grace_ms = 10000
down_ms = 500
"#,
    };

    fn on(&self) -> Strike {
        self.on
    }

    fn back_after_ms(&self, start_ms: u64) -> u64 {
        self.grace_ms.saturating_add(self.down_ms).saturating_add(start_ms)
    }

    fn mistake(&self) -> Option<Mistake> {
        let fix = "choose more than 0, or the fault kill";
        let none = self.grace_ms == 0;
        none.then(|| Mistake::new("grace_ms", "a stop without any grace is a kill", fix))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Decide;
    use super::*;

    #[test]
    fn a_grace_is_needed() {
        let mistakes =
            |grace_ms| Terminate { on: Strike::WindowStart, grace_ms, down_ms: 0 }.mistakes().len();
        assert_eq!([1, 0].map(mistakes), [0, 1]);
    }
}

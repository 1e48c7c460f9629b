//! The integration's processes are killed with SIGKILL, and started again after a while.
//!
//! Whatever was only in their memory is gone. The data folder and the port stay the same.

use super::{ActsOnProcess, FaultInfo, Place, Strike};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kill of the target with all its descendants, once for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    /// When.
    #[serde(default)]
    pub on: Strike,
    /// From the kill to the next start; real milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub down_ms: u64,
}

impl ActsOnProcess for Kill {
    const PROCESS_INFO: FaultInfo = FaultInfo {
        kind: "kill",
        place: Place::Process,
        cautions: &[],
        summary: "The integration is killed with SIGKILL, and started again after a while.",
        example_toml: r#"
kind = "kill"
on = { at = "nth-ack", n = 50 }
down_ms = 500
"#,
    };

    fn on(&self) -> Strike {
        self.on
    }

    fn back_after_ms(&self, start_ms: u64) -> u64 {
        self.down_ms.saturating_add(start_ms)
    }
}

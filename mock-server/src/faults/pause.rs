//! The integration's processes stand still (SIGSTOP) and go on after a while (SIGCONT).
//!
//! Connections stay open and the kernel goes on accepting for it, as on a machine that swaps, is
//! migrated, or collects garbage: clocks have moved on when it wakes up.

use super::{Decide, Effect, FaultInfo, Mistake, Place, RequestView, Roll, Strike};
use serde::{Deserialize, Serialize};

/// A pause of the whole process group, once for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// When.
    #[serde(default)]
    pub on: Strike,
    /// How long; real milliseconds.
    pub for_ms: u64,
}

impl Decide for Pause {
    const INFO: FaultInfo = FaultInfo {
        kind: "pause",
        place: Place::Process,
        summary: "The integration stands still with SIGSTOP, and goes on after a while.",
        example_toml: r#"
kind = "pause"
on = { at = "nth-delivery", n = 3 }
for_ms = 2000
"#,
    };

    /// No request meets it: the harness acts on the process.
    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Pass
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut found: Vec<Mistake> = self.on.mistake().into_iter().collect();
        if self.for_ms == 0 {
            found.push(Mistake::new("for_ms", "a pause of 0 ms is none", "choose more than 0"));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn no_request_is_hit() {
        check(&Pause { on: Strike::WindowStart, for_ms: 1 }, &Effect::Pass);
    }

    #[test]
    fn a_pause_takes_time_and_clicks_count_from_one() {
        let mistakes = |on, for_ms| Pause { on, for_ms }.mistakes().len();
        assert_eq!(mistakes(Strike::NthDelivery { n: 1 }, 1), 0);
        assert_eq!(mistakes(Strike::NthDelivery { n: 0 }, 0), 2);
    }
}

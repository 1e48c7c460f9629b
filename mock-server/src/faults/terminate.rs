//! The integration is asked to stop with SIGTERM in mid-flight, and started again after a while.
//!
//! A graceful stop finishes what it has begun and loses nothing. What has not ended when the grace
//! is over is killed with SIGKILL.

use super::{Decide, Effect, FaultInfo, Mistake, Place, RequestView, Roll, Strike};
use serde::{Deserialize, Serialize};

/// A stop as a deployment makes it, once for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminate {
    /// When.
    #[serde(default)]
    pub on: Strike,
    /// How long it may take to end; real milliseconds.
    pub grace_ms: u64,
    /// From its end to the next start; real milliseconds.
    pub down_ms: u64,
}

impl Decide for Terminate {
    const INFO: FaultInfo = FaultInfo {
        kind: "terminate",
        place: Place::Process,
        summary: "The integration is stopped with SIGTERM, and started again after a while.",
        example_toml: r#"
kind = "terminate"
on = { at = "window-start" }
grace_ms = 10000
down_ms = 500
"#,
    };

    /// No request meets it: the harness acts on the process.
    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Pass
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut found: Vec<Mistake> = self.on.mistake().into_iter().collect();
        if self.grace_ms == 0 {
            let what = "a stop without any grace is a kill";
            found.push(Mistake::new("grace_ms", what, "choose more than 0, or the fault kill"));
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
        let fault = Terminate { on: Strike::WindowStart, grace_ms: 1, down_ms: 0 };
        check(&fault, &Effect::Pass);
    }

    #[test]
    fn a_grace_is_needed_and_clicks_count_from_one() {
        let mistakes = |on, grace_ms| Terminate { on, grace_ms, down_ms: 0 }.mistakes().len();
        assert_eq!(mistakes(Strike::NthAck { n: 1 }, 1), 0);
        assert_eq!(mistakes(Strike::NthAck { n: 0 }, 0), 2);
    }
}

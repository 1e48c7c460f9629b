//! The integration's processes are killed with SIGKILL, and started again after a while.
//!
//! Whatever was only in their memory is gone. The data folder and the port stay the same.

use super::{Decide, Effect, FaultInfo, Mistake, Place, RequestView, Roll};
use serde::{Deserialize, Serialize};

/// A kill of the whole process group, once for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    /// When.
    #[serde(default)]
    pub on: Strike,
    /// From the kill to the next start; real milliseconds.
    pub down_ms: u64,
}

/// When a fault of the process strikes: at most once for each rule, while its window is open.
///
/// The number of a click is exact; which click bears it depends on the interleaving, as times do.
/// Strikes happen one after the other: whatever falls due while the integration is down, or paused,
/// waits until it is back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "at", deny_unknown_fields)]
pub enum Strike {
    /// When the rule's window opens.
    #[default]
    WindowStart,
    /// When this click, counted from 1 since the window opened, was acknowledged at the front door.
    NthAck {
        /// Which.
        n: u64,
    },
    /// When this upstream call that carries clicks, counted from 1 since the window opened, is over:
    /// its answer was just written, and the integration may not have read it yet.
    NthDelivery {
        /// Which.
        n: u64,
    },
}

impl Strike {
    /// What is wrong with it.
    pub(super) fn mistake(self) -> Option<Mistake> {
        let zeroth = matches!(self, Self::NthAck { n: 0 } | Self::NthDelivery { n: 0 });
        zeroth.then(|| Mistake::new("on", "there is no click number 0", "count from 1"))
    }
}

impl Decide for Kill {
    const INFO: FaultInfo = FaultInfo {
        kind: "kill",
        place: Place::Process,
        summary: "The integration is killed with SIGKILL, and started again after a while.",
        example_toml: r#"
kind = "kill"
on = { at = "nth-ack", n = 50 }
down_ms = 500
"#,
    };

    /// No request meets it: the harness acts on the process.
    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Pass
    }

    fn mistakes(&self) -> Vec<Mistake> {
        self.on.mistake().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn no_request_is_hit_and_the_window_start_is_the_default() {
        check(&Kill { on: Strike::NthAck { n: 1 }, down_ms: 5 }, &Effect::Pass);
        let kill: Kill = toml::from_str("down_ms = 5").unwrap();
        assert_eq!(kill.on, Strike::WindowStart);
    }

    #[test]
    fn there_is_no_click_number_zero() {
        for (on, expected) in [
            (Strike::WindowStart, 0),
            (Strike::NthAck { n: 1 }, 0),
            (Strike::NthAck { n: 0 }, 1),
            (Strike::NthDelivery { n: 0 }, 1),
        ] {
            assert_eq!(Kill { on, down_ms: 0 }.mistakes().len(), expected, "{on:?}");
        }
    }
}

//! What faults of the process share: they strike once for each rule, and hit no request.

use super::{Decide, Effect, FaultInfo, Harm, Mistake, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fault that the harness carries out on the integration's process.
///
/// Whoever implements this decides like all of them: [`Decide`] follows.
pub trait ActsOnProcess {
    /// As [`Decide::INFO`].
    const PROCESS_INFO: FaultInfo;

    /// When it strikes.
    fn on(&self) -> Strike;

    /// Real milliseconds from the strike until the integration is back, for one that needs
    /// `start_ms` from its start until it is ready.
    fn back_after_ms(&self, start_ms: u64) -> u64;

    /// What is wrong with the settings beside [`ActsOnProcess::on`].
    fn mistake(&self) -> Option<Mistake> {
        None
    }
}

impl<T: ActsOnProcess> Decide for T {
    const INFO: FaultInfo = T::PROCESS_INFO;

    /// No request meets it: the harness acts on the process.
    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Pass
    }

    fn harm(&self) -> Harm {
        Harm::HitsNone
    }

    fn mistakes(&self) -> Vec<Mistake> {
        self.on().mistake().into_iter().chain(self.mistake()).collect()
    }
}

/// When a fault of the process strikes: at most once for each rule, while its window is open.
///
/// The number of a click is exact; which click bears it depends on the interleaving, as times do.
/// Strikes happen one after the other: whatever falls due while the integration is down, or paused,
/// waits until it is back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "at", deny_unknown_fields)]
pub enum Strike {
    /// When the rule's window opens.
    #[default]
    WindowStart,
    /// When this click, counted from 1 since the window opened, was acknowledged at the front door.
    NthAck {
        /// Which.
        #[schemars(range(min = 0, max = 5_000_000))]
        n: u64,
    },
    /// When this upstream call that carries clicks, counted from 1 since the window opened, is over:
    /// its answer was just written, and the integration may not have read it yet.
    NthDelivery {
        /// Which.
        #[schemars(range(min = 0, max = 5_000_000))]
        n: u64,
    },
}

impl Strike {
    fn mistake(self) -> Option<Mistake> {
        let zeroth = match self {
            Self::WindowStart => false,
            Self::NthAck { n } | Self::NthDelivery { n } => n == 0,
        };
        zeroth.then(|| Mistake::new("on", "there is no click number 0", "count from 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::super::{Fault, Kill, Pause, Terminate};
    use super::*;

    fn all(on: Strike, ms: u64) -> [Fault; 3] {
        [
            Fault::Kill(Kill { on, down_ms: ms }),
            Fault::Terminate(Terminate { on, grace_ms: ms, down_ms: ms }),
            Fault::Pause(Pause { on, for_ms: ms }),
        ]
    }

    #[test]
    fn no_request_is_hit_and_the_window_start_is_the_default() {
        check(&Kill { on: Strike::NthAck { n: 1 }, down_ms: 5 }, &Effect::Pass);
        let kill: Kill = toml::from_str("down_ms = 5").unwrap();
        assert_eq!(kill.on, Strike::WindowStart);
    }

    #[test]
    fn there_is_no_click_number_zero() {
        let mistakes = |on| all(on, 1).map(|fault| fault.mistakes().len());
        assert_eq!(mistakes(Strike::WindowStart), [0; 3]);
        assert_eq!(mistakes(Strike::NthAck { n: 1 }), [0; 3]);
        assert_eq!(mistakes(Strike::NthAck { n: 0 }), [1; 3]);
        assert_eq!(mistakes(Strike::NthDelivery { n: 0 }), [1; 3]);
    }

    #[test]
    fn who_was_ended_needs_its_start_to_be_back_and_who_stood_still_does_not() {
        let back = all(Strike::WindowStart, 10).map(|fault| {
            fault.as_process().expect("all of them act on the process").back_after_ms(100)
        });
        assert_eq!(back, [110, 120, 10]);
    }
}

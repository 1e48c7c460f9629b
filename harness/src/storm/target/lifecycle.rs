//! How a target is asked whether it is ready, and asked to end.

use crate::config::model::StopSignal;
use crate::config::target::TargetSpec;
use nix::sys::signal::Signal;
use std::time::Duration;

/// How long the reference may take to answer its readiness route.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long the reference may take to end after SIGTERM.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// How a target is asked whether it is ready, and asked to end.
#[derive(Clone)]
pub struct Lifecycle {
    /// The path that answers 2xx once it is ready.
    pub ready: String,
    /// How long that may take.
    pub ready_within: Duration,
    /// The signal that asks it to end.
    pub stop: Signal,
    /// How long that may take before it is killed.
    pub stop_within: Duration,
}

impl Lifecycle {
    /// The lifecycle of a target; the reference's where nothing else is configured.
    #[must_use]
    pub fn of(spec: &TargetSpec) -> Self {
        let usual = Self {
            ready: "/healthz".to_owned(),
            ready_within: READY_WITHIN,
            stop: Signal::SIGTERM,
            stop_within: STOP_WITHIN,
        };
        match spec {
            TargetSpec::Embedded { .. } => usual,
            TargetSpec::Url { running } => Self { ready: running.ready.clone(), ..usual },
            TargetSpec::Spawn { command, .. } => Self {
                ready: command.ready.clone(),
                ready_within: Duration::from_millis(command.ready_within_ms),
                stop: match command.stop_signal {
                    StopSignal::Term => Signal::SIGTERM,
                    StopSignal::Int => Signal::SIGINT,
                    StopSignal::Quit => Signal::SIGQUIT,
                },
                stop_within: Duration::from_millis(command.stop_within_ms),
            },
        }
    }
}

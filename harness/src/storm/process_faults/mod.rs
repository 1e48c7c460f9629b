//! Carries out the plan's faults of the process: kills, stops and pauses the target, and brings it
//! back. One after the other; what falls due meanwhile waits.

pub mod due;

use super::target::Target;
use due::{DueFault, DueFaults};
use mock_server::faults::ProcessFault;
use std::time::Duration;

/// Lets every fault of the process happen that is due, for as long as the target comes back.
/// Returns when the target is lost, and says how: it ended without being asked, or did not become
/// ready again.
///
/// May be dropped at any time; [`Target::stop`] ends the target in whatever state that leaves it.
pub async fn inject_all(target: &mut Target, faults: &mut DueFaults) -> Lost {
    loop {
        let due = tokio::select! {
            how = target.died() => return Lost::Died { how },
            due = faults.next() => due,
        };
        if let Err(lost) = inject(target, &due).await {
            return lost;
        }
    }
}

/// How a target was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It ended without being asked.
    Died {
        /// How, in words.
        how: String,
    },
    /// It was started again and did not become ready.
    NotReady {
        /// How, in words.
        how: String,
    },
}

/// Carries out one fault of the process, and returns when the target is as before.
///
/// # Errors
///
/// [`Lost`] when it is not.
pub async fn inject(target: &mut Target, due: &DueFault) -> Result<(), Lost> {
    let down_ms = match due.fault {
        ProcessFault::Kill(kill) => {
            target.kill(&due.rule).await;
            kill.down_ms
        }
        ProcessFault::Terminate(stop) => {
            target.terminate(&due.rule, Duration::from_millis(stop.grace_ms)).await;
            stop.down_ms
        }
        ProcessFault::Pause(pause) => {
            target.pause(&due.rule);
            // Something else may end it while it stands still, such as the kernel for want of memory.
            let end = Duration::from_millis(pause.for_ms);
            return match tokio::time::timeout(end, target.died()).await {
                Ok(how) => Err(Lost::Died { how }),
                Err(_) => {
                    target.resume();
                    Ok(())
                }
            };
        }
    };
    tokio::time::sleep(Duration::from_millis(down_ms)).await;
    target.look_again().await;
    target.launch().await.map_err(|error| Lost::NotReady { how: error.to_string() })
}

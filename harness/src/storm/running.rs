//! A process of the target with its whole group: signals, waiting, and nobody left behind.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io;
use tokio::process::{Child, ChildStdin, Command};

/// A process that the harness has started; dropping it kills its whole group.
pub struct Running {
    child: Child,
    pid: u32,
    /// Waiting for a child would close the pipe, whose end tells it that the harness is gone.
    _pipe: Option<ChildStdin>,
    /// Whether its readiness route has answered.
    pub ready: bool,
}

impl Running {
    /// Starts a process as the leader of a group of its own.
    ///
    /// # Errors
    ///
    /// When the operating system refuses.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
        let pid = child.id().unwrap_or_default();
        let pipe = child.stdin.take();
        Ok(Self { child, pid, _pipe: pipe, ready: false })
    }

    /// The process, which is also its group.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal to every process of the group.
    pub fn signal(&self, signal: Signal) {
        if let Ok(pid @ 1..) = i32::try_from(self.pid) {
            // It fails only when nobody of the group is left.
            let _ = kill(Pid::from_raw(-pid), signal);
        }
    }

    /// Waits until the leader ends; says how.
    pub async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// How the leader ended, if it has.
    pub fn has_ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }
}

impl Drop for Running {
    /// Processes that a leader left behind when it ended are not left behind here.
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

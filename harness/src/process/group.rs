//! A process with its whole group: signals, waiting, and nobody left behind.

use super::guard::Guard;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;

/// How long the last lines of an ended process may take to be read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What a process prints on one of its streams.
pub type Printed = Box<dyn AsyncRead + Unpin + Send>;

/// A process that the harness has started; dropping it kills its whole group.
pub struct Group {
    child: Child,
    pid: u32,
    /// Waiting for a child would close the pipe, whose end tells it that the harness is gone.
    _pipe: Option<ChildStdin>,
    reading: Vec<JoinHandle<()>>,
    /// Kills the group when the harness itself is killed.
    guard: Option<Guard>,
}

impl Group {
    /// Starts a process as the leader of a group of its own. `read` reads what it prints on the
    /// stream of this name, and `program`, the binary of Windthrow, guards it.
    ///
    /// # Errors
    ///
    /// When the operating system refuses.
    pub fn spawn(
        command: &mut Command,
        program: &Path,
        read: impl Fn(&'static str, Printed) -> JoinHandle<()>,
    ) -> io::Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
        let pid = child.id().unwrap_or_default();
        let pipe = child.stdin.take();
        let out = child.stdout.take().map(|stream| read("stdout", Box::new(stream)));
        let errors = child.stderr.take().map(|stream| read("stderr", Box::new(stream)));
        let reading = out.into_iter().chain(errors).collect();
        let guard = Some(Guard::over(program, pid)?);
        Ok(Self { child, pid, _pipe: pipe, reading, guard })
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

    /// Waits until the leader ends, kills whoever it left behind, and reads what they printed; says
    /// how it ended.
    pub async fn ended(&mut self) -> String {
        let how = match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        self.signal(Signal::SIGKILL);
        for reading in self.reading.drain(..) {
            // Somebody who left the group may hold the pipe open for ever.
            let _ = tokio::time::timeout(LAST_LINES, reading).await;
        }
        how
    }

    /// How the leader ended, if it has.
    pub fn has_ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }
}

impl Drop for Group {
    /// Processes that a leader left behind when it ended are not left behind here.
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
    }
}

//! Kills a process group when the harness is gone, however it went.
//!
//! A target of the user's does not watch a pipe as the reference does, and a harness that is killed
//! cannot clean up. So a second process of the same binary holds the other end of a pipe.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io::{PipeWriter, Read, Write};
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// Says that the group has ended in order and need not be killed.
const DISMISSED: u8 = b'.';

/// A guard over one process group; dropping it without [`Guard::dismiss`] kills the group.
pub struct Guard {
    _child: Child,
    pipe: Option<PipeWriter>,
}

impl Guard {
    /// Starts a guard over the group of `leader`; `program` is the binary of Windthrow.
    ///
    /// # Errors
    ///
    /// The operating system's word when it could not be started.
    pub fn over(program: &Path, leader: u32) -> std::io::Result<Self> {
        let (theirs, ours) = std::io::pipe()?;
        let child = Command::new(program)
            .arg("__guard")
            .arg(leader.to_string())
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at a terminal reaches whole groups; the guard must outlive the others.
            .process_group(0)
            .spawn()?;
        Ok(Self { _child: child, pipe: Some(ours) })
    }

    /// The group has ended: its number may soon belong to somebody else.
    pub fn dismiss(mut self) {
        // One byte always fits into a pipe. The guard ends by itself, and tokio reaps it.
        if let Some(mut pipe) = self.pipe.take() {
            let _ = pipe.write_all(&[DISMISSED]);
        }
    }
}

/// What the guarding process does: waits for the word or the end of standard input.
pub fn stand(leader: i32) {
    let mut word = [0];
    let dismissed = matches!(std::io::stdin().read(&mut word), Ok(1)) && word[0] == DISMISSED;
    if !dismissed && leader > 1 {
        // It fails only when the group is gone, which is what was wanted.
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}

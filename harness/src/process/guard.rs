//! The process between the harness and a target: it starts the target, adopts whoever of it leaves
//! their parents, and kills them all when the harness is gone, however it went.
//!
//! A target of the user's does not watch a pipe as the reference does, and a harness that is killed
//! cannot clean up. Whoever daemonises or calls setsid(2) leaves the process group, but not the
//! guard: it is their subreaper (prctl(2)), so everyone that a target ever starts descends from it.
//! What it cannot do: end whoever is started by somebody else on the target's behalf, such as a
//! container's engine or a service manager; end what belongs to another user; and outlive a kill of
//! its own, after which only what watches its standard input ends.

use super::tree;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the guard tries to kill whoever is left, and for how long.
const TRY_EVERY: Duration = Duration::from_millis(5);
const TRIES: u32 = 400;

/// A program to be started with exactly this environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Launch {
    /// The program, found in the PATH of `env`.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// Where it is started; where the harness is, when absent.
    pub folder: Option<PathBuf>,
    /// Whether it gets a pipe as its standard input, whose end tells it that the guard is gone.
    pub lifeline: bool,
}

/// What a guard says, a line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Said {
    /// The program runs, and leads a process group of its own.
    Started { pid: u32 },
    /// It could not be started.
    Failed { os_error: Option<i32>, words: String },
    /// It has ended; others may be left.
    Ended { how: String },
    /// Nobody that it has started, or that those have started, is left.
    Empty,
}

/// What the guarding process does, from its launch, which comes on standard input, to that input's
/// end.
///
/// # Errors
///
/// When standard input is not what the harness gives.
pub fn stand() -> io::Result<()> {
    let mut link = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut words = BufReader::new(link.try_clone()?);
    let mut launch = String::new();
    words.read_line(&mut launch)?;
    let launch: Launch = serde_json::from_str(&launch)?;
    let child = match adopt().and_then(|()| start(&launch)) {
        Ok(child) => child,
        Err(error) => {
            let failed = Said::Failed { os_error: error.raw_os_error(), words: error.to_string() };
            return say(&mut link, &failed);
        }
    };
    // The target alone holds the other ends of what is read of it.
    let nowhere = File::options().write(true).open("/dev/null")?;
    nix::unistd::dup2_stdout(&nowhere)?;
    nix::unistd::dup2_stderr(&nowhere)?;
    // Whoever does not hear it is gone, which the thread below sees.
    let _ = say(&mut link, &Said::Started { pid: child.id() });
    let empty = Arc::new(AtomicBool::new(false));
    let is_empty = Arc::clone(&empty);
    std::thread::spawn(move || {
        let _ = io::copy(&mut words, &mut io::sink());
        leave_nobody(&is_empty);
        std::process::exit(0);
    });
    reap(child.id(), &mut link);
    empty.store(true, Ordering::Release);
    let _ = say(&mut link, &Said::Empty);
    loop {
        std::thread::park();
    }
}

/// From now on this process is the parent of every descendant that loses its own.
fn adopt() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)?;
    Ok(())
}

fn start(launch: &Launch) -> io::Result<Child> {
    let mut command = Command::new(&launch.program);
    command.args(&launch.args).env_clear().envs(launch.env.iter().map(|(key, value)| (key, value)));
    if let Some(folder) = &launch.folder {
        command.current_dir(folder);
    }
    command.stdin(if launch.lifeline { Stdio::piped() } else { Stdio::null() });
    command.process_group(0).spawn()
}

/// Waits for every child and everyone adopted, until there is nobody left to wait for.
fn reap(leader: u32, link: &mut UnixStream) {
    loop {
        let (pid, status) = match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) => (pid, ExitStatus::from_raw(code << 8)),
            Ok(WaitStatus::Signaled(pid, signal, core)) => {
                (pid, ExitStatus::from_raw(signal as i32 | if core { 0x80 } else { 0 }))
            }
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(_) => return,
        };
        if i32::try_from(leader).is_ok_and(|leader| Pid::from_raw(leader) == pid) {
            let _ = say(link, &Said::Ended { how: status.to_string() });
        }
    }
}

/// Kills everyone, and whoever they start meanwhile.
fn leave_nobody(is_empty: &AtomicBool) {
    for _ in 0..TRIES {
        tree::family(std::process::id()).iter().for_each(|one| one.signal(Signal::SIGKILL));
        if is_empty.load(Ordering::Acquire) {
            return;
        }
        std::thread::sleep(TRY_EVERY);
    }
}

fn say(link: &mut UnixStream, said: &Said) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    link.write_all(&line)
}

/// The next line of what a guard says, and nothing behind it.
pub(super) fn hear(link: &mut impl Read) -> io::Result<Said> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    loop {
        let read = link.read_exact(&mut byte);
        read.map_err(|error| {
            io::Error::new(error.kind(), format!("its guard is silent: {error}"))
        })?;
        if byte == *b"\n" {
            return Ok(serde_json::from_slice(&line)?);
        }
        line.push(byte[0]);
    }
}

//! A target's processes: started under a guard, signalled, waited for, and nobody left behind.

use super::guard::{self, Launch, Said};
use super::tree::{self, Member};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a guard may take to say that the program runs: two starts on a busy machine.
const STARTED_WITHIN: Duration = Duration::from_secs(20);
/// How long killed processes may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(2);
/// How often whoever is left is killed again: they may have started others.
const AGAIN: Duration = Duration::from_millis(5);
/// How long the last lines of an ended process may take to be read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How whoever has lost the guard has ended, as far as anybody knows.
const WITHOUT_GUARD: &str = "its guard was killed";

/// What a process prints on one of its streams.
pub type Printed = Box<dyn AsyncRead + Unpin + Send>;

/// A program that the harness has started, with all its descendants; dropping it kills them.
pub struct Group {
    /// Reaped when it is dropped.
    _guard: Child,
    root: u32,
    leader: u32,
    /// Its end tells the guard that the harness is gone.
    _lifeline: OwnedWriteHalf,
    state: watch::Receiver<State>,
    reading: Vec<JoinHandle<()>>,
}

#[derive(Clone, Default)]
struct State {
    /// How the leader ended, if it has.
    ended: Option<String>,
    /// Whether nobody is left.
    empty: bool,
}

/// What was found when everyone was killed.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// Who was alive, but for the leader.
    pub found: Vec<Member>,
    /// Who still is.
    pub left: Vec<Member>,
}

impl Group {
    /// Starts a program as the leader of a process group of its own. `read` reads what it prints on
    /// the stream of this name, and `guarding`, the binary of Windthrow, guards it.
    ///
    /// # Errors
    ///
    /// When the operating system refuses.
    ///
    /// # Panics
    ///
    /// Outside of a runtime with several threads: it waits for the start.
    pub fn spawn(
        launch: &Launch,
        guarding: &Path,
        read: impl Fn(&'static str, Printed) -> JoinHandle<()>,
    ) -> io::Result<Self> {
        let (mut ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        let mut guard = Command::new(guarding)
            .arg("__guard")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C at a terminal reaches whole groups; the guard must outlive the others.
            .process_group(0)
            .spawn()?;
        let root = guard.id().unwrap_or_default();
        ours.set_read_timeout(Some(STARTED_WITHIN))?;
        let said = tokio::task::block_in_place(|| {
            let mut line = serde_json::to_vec(launch)?;
            line.push(b'\n');
            ours.write_all(&line)?;
            guard::hear(&mut ours)
        })?;
        let leader = match said {
            Said::Started { pid } => pid,
            Said::Failed { os_error: Some(code), .. } => {
                return Err(io::Error::from_raw_os_error(code));
            }
            Said::Failed { words, .. } => return Err(io::Error::other(words)),
            Said::Ended { .. } | Said::Empty => {
                return Err(io::Error::other("the guard spoke out of turn"));
            }
        };
        ours.set_nonblocking(true)?;
        let (hearing, lifeline) = UnixStream::from_std(ours)?.into_split();
        let (tell, state) = watch::channel(State::default());
        tokio::spawn(listen(hearing, tell));
        let out = guard.stdout.take().map(|stream| read("stdout", Box::new(stream)));
        let errors = guard.stderr.take().map(|stream| read("stderr", Box::new(stream)));
        let reading = out.into_iter().chain(errors).collect();
        Ok(Self { _guard: guard, root, leader, _lifeline: lifeline, state, reading })
    }

    /// The program's process, which leads its group.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.leader
    }

    /// The guard's process, from which all of them descend.
    #[must_use]
    pub const fn root(&self) -> u32 {
        self.root
    }

    /// Sends a signal to the process group, and to everyone who has left it.
    pub fn signal(&self, signal: Signal) {
        self.signal_these(&tree::family(self.root), signal);
    }

    fn signal_these(&self, family: &[Member], signal: Signal) {
        // The group's number is its own for as long as anybody is in it. Without a guard nobody is
        // known as a descendant, but the leader is as alive as it was.
        let in_group = family.iter().any(|one| one.group == self.leader)
            || self.guard_is_gone() && self.state.borrow().ended.is_none();
        if let (true, Ok(leader @ 1..)) = (in_group, i32::try_from(self.leader)) {
            // It fails only when nobody of the group is left. All at once: a crash spares nobody.
            let _ = kill(Pid::from_raw(-leader), signal);
        }
        let strays = family.iter().filter(|one| one.group != self.leader);
        strays.for_each(|one| one.signal(signal));
    }

    /// Waits until the leader ends, and says how; others may be left.
    pub async fn ended(&mut self) -> String {
        let ended = self.state.wait_for(|state| state.ended.is_some()).await;
        let how = ended.ok().and_then(|state| state.ended.clone());
        how.unwrap_or_else(|| WITHOUT_GUARD.to_owned())
    }

    fn guard_is_gone(&self) -> bool {
        self.state.has_changed().is_err()
    }

    /// How the leader ended, if it has.
    #[must_use]
    pub fn has_ended(&self) -> Option<String> {
        let ended = self.state.borrow().ended.clone();
        ended.or_else(|| self.guard_is_gone().then(|| WITHOUT_GUARD.to_owned()))
    }

    /// Waits until nobody is left.
    pub async fn empty(&mut self) {
        // It fails when the guard is gone, and with it whoever could know better.
        let _ = self.state.wait_for(|state| state.empty).await;
    }

    /// Kills everyone, and whoever they start meanwhile, until nobody is left; reads what they
    /// printed. To be called when it was the last signal: nothing can be waited for after it.
    pub async fn sweep(&mut self) -> Swept {
        let mut swept = Swept::default();
        let until_empty = async {
            loop {
                let family = tokio::task::block_in_place(|| tree::family(self.root));
                self.signal_these(&family, Signal::SIGKILL);
                for one in family.into_iter().filter(|one| one.pid != self.leader) {
                    if !swept.found.iter().any(|known| known.pid == one.pid) {
                        swept.found.push(one);
                    }
                }
                let mut state = self.state.clone();
                let empty = state.wait_for(|state| state.empty);
                if tokio::time::timeout(AGAIN, empty).await.is_ok() {
                    return;
                }
            }
        };
        if tokio::time::timeout(GONE_WITHIN, until_empty).await.is_err() {
            swept.left = tokio::task::block_in_place(|| tree::family(self.root));
        }
        for reading in self.reading.drain(..) {
            // Somebody who is no descendant may hold the pipe open for ever.
            let _ = tokio::time::timeout(LAST_LINES, reading).await;
        }
        swept
    }
}

/// Takes in what the guard says until it is gone.
async fn listen(from: OwnedReadHalf, tell: watch::Sender<State>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Said::Ended { how }) => tell.send_modify(|state| state.ended = Some(how)),
            Ok(Said::Empty) => tell.send_modify(|state| state.empty = true),
            Ok(Said::Started { .. } | Said::Failed { .. }) | Err(_) => {}
        }
    }
}

impl Drop for Group {
    /// Nobody is left behind here either; the guard goes on where this ends, and tokio reaps it.
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

//! What is left of a target after its end: nobody, and a port that refuses; or whoever survived, by
//! name.

use super::Target;
use crate::process::port;
use crate::process::tree::Member;
use scenarios::history::{Change, Seen};
use std::net::SocketAddr;

/// As much of a command line as is recorded.
const SHOWN: usize = 120;

impl Target {
    /// Kills whoever is left, reads what they printed last, looks whether the port refuses, and
    /// records what was seen.
    pub(super) async fn leave_nobody(&mut self) {
        let Some(group) = &mut self.group else { return };
        let (leader, swept) = (group.pid(), group.sweep().await);
        self.group = None;
        self.output.end();
        let strays = swept.found.into_iter().filter(|one| one.group != leader);
        let strays = strays.map(|one| self.seen(one.pid, &one.command)).collect();
        let change = if swept.left.is_empty() && self.refuses().await {
            Change::Gone { strays }
        } else {
            self.survived(&swept.left).await
        };
        self.note(self.clock.now(), change);
    }

    /// Looks once more, just before the next start: somebody else may have brought it back.
    pub async fn look_again(&self) {
        if !self.refuses().await {
            let survived = self.survived(&[]).await;
            self.note(self.clock.now(), survived);
        }
    }

    async fn survived(&self, left: &[Member]) -> Change {
        let left = left.iter().map(|one| self.seen(one.pid, &one.command)).collect();
        let accepts = !self.refuses().await;
        let port = self.address().filter(|_| accepts).map_or(0, |address| address.port());
        let listeners = tokio::task::block_in_place(|| port::listeners(port));
        let listeners = listeners.iter().map(|(pid, command)| self.seen(*pid, command)).collect();
        Change::Survived { left, accepts, listeners }
    }

    async fn refuses(&self) -> bool {
        match self.address() {
            Some(address) => port::refuses(address).await,
            None => false,
        }
    }

    /// Where it listens, if the harness has given it a port.
    fn address(&self) -> Option<SocketAddr> {
        self.url.strip_prefix("http://")?.parse().ok()
    }

    fn seen(&self, pid: u32, command: &str) -> Seen {
        let command = self.search.redacted(command);
        Seen { pid, command: command.chars().take(SHOWN).collect() }
    }
}

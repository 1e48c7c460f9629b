//! Processes: a target's and who guards them, the signals that ask them to stop, and a log's end.

pub mod group;
pub mod guard;
pub mod lifeline;
pub mod port;
pub mod system;
pub mod tree;

use std::path::Path;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The last `count` lines of a log, for a message about what went wrong.
pub fn tail(log: &Path, count: usize) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Ctrl-C and SIGTERM, from now on: one that comes before it is waited for is not lost.
pub struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// Listens.
    ///
    /// # Errors
    ///
    /// The operating system's word.
    pub fn listen() -> std::io::Result<Self> {
        let (term, int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { term, int })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// Ctrl-C or SIGTERM.
pub async fn interrupted() {
    match Signals::listen() {
        Ok(mut signals) => signals.next().await,
        Err(_) => std::future::pending().await,
    }
}

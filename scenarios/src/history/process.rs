//! What happened to the target's processes: starts, ends, pauses, and what was left after an end.

use mock_server::clock::Moment;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that happened to a process of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// When.
    pub at: Moment,
    /// What.
    pub change: Change,
}

/// What happened to the target's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum Change {
    /// It was started.
    Started {
        /// Process id.
        pid: u32,
    },
    /// Its readiness route answered.
    Ready,
    /// The harness killed it with SIGKILL.
    Killed {
        /// The rule of the plan that says so.
        rule: String,
    },
    /// The harness asked it to end, with SIGTERM.
    Terminated {
        /// The rule of the plan that says so.
        rule: String,
    },
    /// It ended as it had been asked to.
    Ended {
        /// How, in words.
        how: String,
    },
    /// The harness stopped it with SIGSTOP: it is there, but stands still.
    Paused {
        /// The rule of the plan that says so.
        rule: String,
    },
    /// The harness let it go on with SIGCONT.
    Resumed,
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
    /// The harness stopped it.
    Stopped,
    /// After it was killed or had ended the harness looked: nobody of it was left, and its port
    /// refused connections.
    Gone {
        /// Who had left the process group, and was killed, too.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        strays: Vec<Seen>,
    },
    /// After it was killed or had ended the harness looked: something of it still went on.
    Survived {
        /// Who could not be killed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<Seen>,
        /// Whether its port still accepted connections.
        accepts: bool,
        /// Who listened there, of those who may be looked into.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        listeners: Vec<Seen>,
    },
}

/// A process as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its number.
    pub pid: u32,
    /// The beginning of its command line, without what was planted.
    pub command: String,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, command } = self;
        if command.is_empty() { write!(f, "{pid}") } else { write!(f, "{pid} ({command})") }
    }
}

impl Change {
    /// The rule of the plan that brought it about, when it begins what the rule says.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::Killed { rule } | Self::Terminated { rule } | Self::Paused { rule } => Some(rule),
            Self::Started { .. }
            | Self::Ready
            | Self::Ended { .. }
            | Self::Resumed
            | Self::Died { .. }
            | Self::NotReady { .. }
            | Self::Stopped
            | Self::Gone { .. }
            | Self::Survived { .. } => None,
        }
    }

    /// Whether a process is gone after this, with all that was only in its memory.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        match self {
            Self::Killed { .. } | Self::Ended { .. } | Self::Died { .. } | Self::Stopped => true,
            Self::Started { .. }
            | Self::Ready
            | Self::Terminated { .. }
            | Self::Paused { .. }
            | Self::Resumed
            | Self::NotReady { .. }
            | Self::Gone { .. }
            | Self::Survived { .. } => false,
        }
    }

    /// What still went on, in words; none of anything else.
    #[must_use]
    pub fn survivors(&self) -> Option<String> {
        let Self::Survived { left, accepts, listeners } = self else { return None };
        let list = |all: &[Seen]| all.iter().map(Seen::to_string).collect::<Vec<_>>().join(", ");
        let left =
            (!left.is_empty()).then(|| format!("processes {} could not be killed", list(left)));
        let by = match listeners.as_slice() {
            [] => String::new(),
            some => format!(", where process {} listens", list(some)),
        };
        let port = accepts.then(|| format!("its port still accepted connections{by}"));
        Some(left.into_iter().chain(port).collect::<Vec<_>>().join(", and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_survived_is_named_with_number_and_command() {
        let seen = |pid, command: &str| Seen { pid, command: command.into() };
        let check = |left: &[Seen], accepts, listeners: &[Seen], expected: &str| {
            let (left, listeners) = (left.to_vec(), listeners.to_vec());
            let survived = Change::Survived { left, accepts, listeners };
            assert_eq!(survived.survivors().as_deref(), Some(expected));
        };
        let one = [seen(7, "node server.js")];
        check(&one, false, &[], "processes 7 (node server.js) could not be killed");
        check(&[], true, &[], "its port still accepted connections");
        check(
            &[seen(8, ""), seen(9, "x")],
            true,
            &one,
            "processes 8, 9 (x) could not be killed, and its port still accepted connections, \
             where process 7 (node server.js) listens",
        );
        assert_eq!(Change::Ready.survivors(), None);
    }
}

//! Why a target did not come up, and what to change in the configuration.

use crate::config::target::TargetSpec;
use std::io;

/// Why a target is not ready.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program could not be started.
    #[error("failed to start the target: {0}")]
    Program(io::Error),
    /// It ended again.
    #[error("the target ended before it was ready ({how}){}", left_behind(*behind))]
    Ended {
        /// How, in words.
        how: String,
        /// How many processes it left running; they have been killed.
        behind: usize,
    },
    /// Its readiness route did not answer in time.
    #[error("the target did not answer {url} with 2xx within {within_s} s; at last: {instead}")]
    NotReady {
        /// The readiness route.
        url: String,
        /// How long it was waited for, seconds.
        within_s: f64,
        /// What came at last, in words.
        instead: String,
    },
    /// Its reset route did not answer as it should.
    #[error("{0}")]
    Reset(String),
    /// The harness has no client to ask it with.
    #[error("failed to build an HTTP client: {0}")]
    Client(String),
}

impl StartError {
    /// What to change.
    #[must_use]
    pub fn help(&self, spec: &TargetSpec) -> &'static str {
        match (self, spec) {
            (Self::Program(error), TargetSpec::Spawn { .. })
                if error.raw_os_error() == Some(libc::E2BIG) =>
            {
                "this system takes no variable or argument of more than 128 KiB, and not more than about \
                 2 MiB together: hand what is larger over in a file"
            }
            (Self::Program(_), TargetSpec::Spawn { .. }) => {
                "name the program in target.spawn.command, relative to target.spawn.cwd or in a PATH \
                 that target.spawn.pass_env hands on"
            }
            (Self::Ended { behind: 1.., .. }, TargetSpec::Spawn { .. }) => {
                "start it in the foreground (no daemon, no `&` at the end): the target has ended when \
                 its first process has"
            }
            (Self::Ended { .. }, TargetSpec::Spawn { .. }) => {
                "read target.log of the scenario, and say in target.spawn.env what it needs"
            }
            (Self::NotReady { .. }, TargetSpec::Spawn { .. }) => {
                "it must listen on {port} of target.spawn.host; say in target.spawn.ready which path answers \
                 2xx, and in ready_within_ms how long that may take"
            }
            (Self::NotReady { .. }, TargetSpec::Url { .. }) => {
                "start it first, and say in target.url.base where it listens and in target.url.ready \
                 which path answers 2xx"
            }
            (Self::Reset(_), _) => "say in target.url.reset what to POST to, or leave it out",
            (Self::Client(_), _) | (_, TargetSpec::Embedded { .. } | TargetSpec::Url { .. }) => {
                "this is a bug of Windthrow; please report it with target.log"
            }
        }
    }
}

fn left_behind(behind: usize) -> String {
    match behind {
        0 => String::new(),
        1 => " and left a process in the background".to_owned(),
        more => format!(" and left {more} processes in the background"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// A target that is down costs its whole time to be ready, so the table of mistakes has none of them.
    #[test]
    fn what_runs_already_and_is_down_is_told_with_its_keys() {
        let target = "[target.url]\nbase = \"http://127.0.0.1:9\"\nmock_port = 4010\n";
        let config = Config { file: toml::from_str(target).unwrap(), ..Config::none() };
        let spec = TargetSpec::of(&config).unwrap();
        let url = "http://127.0.0.1:9/healthz".to_owned();
        let instead = "Connection refused".to_owned();
        let down = StartError::NotReady { url, within_s: 20.0, instead };
        let help = down.help(&spec);
        for word in ["start it first", "target.url.base", "target.url.ready"] {
            assert!(help.contains(word), "{help}");
        }
        let said = down.to_string();
        assert!(
            said.contains("healthz") && said.ends_with("at last: Connection refused"),
            "{said}"
        );
    }
}

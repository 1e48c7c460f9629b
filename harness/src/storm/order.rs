//! What passes between a run and the process that carries out one of its scenarios: the order on its
//! standard input, and one line of its standard output for each thing that it has to say.
//!
//! Nothing of the order stands on the command line: every user of the machine may read that.

use crate::config::model::{MockSection, Observe};
use crate::config::target::TargetSpec;
use crate::failure::Failure;
use mock_server::contract::SecretsManager;
use scenarios::front_door::FrontDoor;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// What is to be carried out.
#[derive(Clone, Serialize, Deserialize)]
pub struct Order {
    /// The run's id.
    pub run: String,
    /// SHA-256 of its `run.json`.
    pub run_hash: String,
    /// The run's plan file.
    pub plan: PathBuf,
    /// Its SHA-256.
    pub plan_hash: String,
    /// The scenario's id.
    pub scenario: String,
    /// The scenario's folder.
    pub folder: PathBuf,
    /// What is tested.
    pub target: TargetSpec,
    /// Where the mock listens, and for whom.
    pub mock: MockSection,
    /// How its routes are spelled.
    pub front_door: FrontDoor,
    /// What is seen of it beside its answers.
    pub observe: Observe,
    /// Who hands the run's credentials out.
    pub secrets: SecretsManager,
    /// A reference to the secret that signs creators' sessions; drawn from the seed when absent.
    pub session_secret: Option<String>,
    /// What references to files are relative to.
    pub config_folder: PathBuf,
}

impl Order {
    /// Writes the order as one line; what it is written to stays open, as the other's life line.
    ///
    /// # Errors
    ///
    /// When nobody reads it.
    pub async fn send(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        to.write_all(&line).await?;
        to.flush().await
    }

    /// Reads what [`Order::send`] has written, and nothing behind it.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`], without a word of what was read.
    pub fn receive(from: &mut impl BufRead) -> Result<Self, Failure> {
        let mut line = String::new();
        let read = from.read_line(&mut line).ok();
        let order = read.and_then(|_| serde_json::from_str(&line).ok());
        order.ok_or_else(|| {
            Failure::usage("there is no order on standard input", "use windthrow run")
        })
    }
}

/// What the process says, a line each; goose prints lines of its own in between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// The target has started and answers.
    Ready,
    /// This phase has begun.
    Phase(String),
    /// How the last second went.
    Load {
        /// Visitors of whom something was seen first.
        arrived: u32,
        /// Arrivals a second that the plan asks for; 0 where they come one after the other.
        planned: u32,
        /// The rules that are armed.
        faults: Vec<String>,
    },
    /// What the target does not show that judges need, and what to change.
    Lacks(String),
    /// Why there is no recording, and what to do.
    Failure(String),
}

/// How its lines begin.
const MARK: &str = "windthrow: ";

impl Said {
    /// Says it.
    pub fn say(&self) {
        // Where nobody hears it, there is still a history to be ended.
        let _ = writeln!(io::stdout(), "{}", self.line());
    }

    fn line(&self) -> String {
        // It fails only for maps with keys that JSON could not write.
        format!("{MARK}{}", serde_json::to_string(self).unwrap_or_default())
    }

    /// What a line says, if it is one of these.
    #[must_use]
    pub fn heard(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix(MARK)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order {
            run: "20260101T000000Z-abcdef".into(),
            run_hash: "def".into(),
            plan: "runs/latest/plan.json".into(),
            plan_hash: "abc".into(),
            scenario: "steady-state".into(),
            folder: "a\nb".into(),
            target: TargetSpec::Embedded { mutant: None },
            mock: MockSection::default(),
            front_door: FrontDoor::default(),
            observe: Observe::default(),
            secrets: SecretsManager::Vault,
            session_secret: Some("env:SESSION".into()),
            config_folder: ".".into(),
        }
    }

    #[tokio::test]
    async fn an_order_is_one_line_and_what_comes_behind_it_is_left() {
        let mut sent = Vec::new();
        order().send(&mut sent).await.unwrap();
        sent.extend(b"more");
        let mut rest = sent.as_slice();
        let received = Order::receive(&mut rest).unwrap();
        assert_eq!((received.folder, rest), (PathBuf::from("a\nb"), b"more".as_slice()));
    }

    #[test]
    fn what_is_no_order_is_refused_and_not_repeated() {
        for wrong in ["", "hunter2\n", "{\"plan\": \"hunter2\"}\n"] {
            let refused = Order::receive(&mut wrong.as_bytes()).err().unwrap();
            assert!(!format!("{refused:?}").contains("hunter2"), "{wrong}");
        }
    }

    #[test]
    fn what_is_said_is_heard_among_other_lines() {
        let failure = Said::Failure("why\nand so on".into());
        let lacks = Said::Lacks("GET /metrics was answered 404".into());
        let load = Said::Load { arrived: 41, planned: 45, faults: vec!["outage".into()] };
        for said in [Said::Ready, Said::Phase("control".into()), load, lacks, failure] {
            assert_eq!(Said::heard(&said.line()), Some(said));
        }
        assert_eq!(Said::heard("phase: control"), None);
    }
}

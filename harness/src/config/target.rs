//! What is to be tested: the embedded reference, a command, or something that runs already.

use super::conceal::concealed;
use super::model::{File, Running, Spawn, TargetSection};
use super::shape::place;
use super::{Config, template};
use crate::failure::{Failure, Mistake, MistakesInFile, nearest};
use crate::reading;
use mock_server::contract::SecretsManager;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is to be tested, as it stands in `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum TargetSpec {
    /// The reference integration, as a child process of the same binary.
    Embedded {
        /// A mutant of it; none for the reference itself.
        mutant: Option<String>,
    },
    /// A command of the user's.
    Spawn {
        /// How it is started and stopped.
        command: Spawn,
        /// Where its configuration file stands; the command's paths are relative to it.
        folder: PathBuf,
    },
    /// Something that runs already.
    Url {
        /// Where, and where it expects the mock.
        running: Running,
    },
}

impl TargetSpec {
    /// The target of a configuration; the reference without a file.
    ///
    /// # Errors
    ///
    /// [`Failure::Mistakes`] when there is a file that names none: it would look as if the service of
    /// that file had been tested.
    pub fn of(config: &Config) -> Result<Self, Failure> {
        let TargetSection { spawn, url, embedded, .. } = &config.file.target;
        match &config.path {
            Some(path) if spawn.is_none() && url.is_none() && embedded.is_none() => {
                Err(nothing_to_test(path))
            }
            _ => Ok(Self::named(config)),
        }
    }

    fn named(config: &Config) -> Self {
        let target = &config.file.target;
        if let Some(command) = &target.spawn {
            let folder = std::path::absolute(&config.folder).unwrap_or(config.folder.clone());
            return Self::Spawn { command: command.clone(), folder };
        }
        if let Some(running) = &target.url {
            return Self::Url { running: running.clone() };
        }
        let mutant = target.embedded.as_ref().and_then(|embedded| embedded.mutant.clone());
        Self::Embedded { mutant }
    }

    /// Where it is, if the configuration names its address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Embedded { .. } => None,
            Self::Spawn { command, .. } => Some(command.host()),
            Self::Url { running } => {
                let url = reqwest::Url::parse(&running.base).ok()?;
                url.host_str()?.trim_matches(['[', ']']).parse().ok()
            }
        }
    }

    /// Whether it is told the time scale when it is started, in its arguments or its environment.
    #[must_use]
    pub fn takes_time_scale(&self) -> bool {
        self.is_told(template::TIME_SCALE)
    }

    /// Whether it is told the authority's file when it is started, in its arguments or its environment.
    #[must_use]
    pub fn takes_ca_file(&self) -> bool {
        self.is_told(template::CA_FILE)
    }

    /// Whether it is told a role and its secret when it is started, with which it logs in at the vault.
    #[must_use]
    pub fn takes_vault_role(&self) -> bool {
        template::VAULT_ROLE.iter().all(|name| self.is_told(name))
    }

    /// Whether it is told in which environment it runs when it is started, by its name or by the path of its
    /// secret.
    #[must_use]
    pub fn takes_environment(&self) -> bool {
        template::ENVIRONMENT.iter().any(|name| self.is_told(name))
    }

    /// Why there can be no TLS between it and the mock, if it cannot; `assured` where the configuration
    /// says that there can.
    #[must_use]
    pub fn cannot_trust(&self, assured: bool) -> Option<&'static str> {
        match self {
            Self::Url { .. } => Some(
                "what runs already cannot be told whose certificates to trust: the authority is \
                 another one in each run",
            ),
            Self::Spawn { .. } if !assured && !self.takes_ca_file() => Some(
                "the target is not told whose certificates to trust: {ca_file} stands in neither its \
                 command nor its environment, and [mock] tls is not set",
            ),
            Self::Spawn { .. } | Self::Embedded { .. } => None,
        }
    }

    /// Whether this template stands in its arguments or its environment.
    fn is_told(&self, name: &str) -> bool {
        let asks = |text: &String| template::names(text).contains(&name);
        match self {
            Self::Embedded { .. } => true,
            Self::Spawn { command, .. } => {
                command.command.iter().chain(command.env.values()).any(asks)
            }
            Self::Url { .. } => false,
        }
    }

    /// As it may be written down: values of the environment and a token for the vault stand in the
    /// configuration only.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut spec = self.clone();
        match &mut spec {
            Self::Embedded { .. } => {}
            Self::Spawn { command, .. } => command.env.values_mut().for_each(String::clear),
            Self::Url { running } => running.vault_token.clear(),
        }
        spec
    }

    /// `embedded`, `spawn` or `url`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Embedded { .. } => "embedded",
            Self::Spawn { .. } => "spawn",
            Self::Url { .. } => "url",
        }
    }

    /// The command or address; `reference` for the embedded one.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Embedded { .. } => "reference".to_owned(),
            Self::Spawn { command, .. } => command.command.join(" "),
            Self::Url { running } => running.base.clone(),
        }
    }

    /// The mutant, if it is one.
    #[must_use]
    pub const fn mutant(&self) -> Option<&String> {
        match self {
            Self::Embedded { mutant } => mutant.as_ref(),
            Self::Spawn { .. } | Self::Url { .. } => None,
        }
    }

    /// The port at which the target expects the mock; 0 for any.
    #[must_use]
    pub const fn mock_port(&self) -> u16 {
        match self {
            Self::Url { running } => running.mock_port,
            Self::Embedded { .. } | Self::Spawn { .. } => 0,
        }
    }

    /// Who hands it its credentials: what its configuration says, and the vault for the reference, whatever
    /// stands in a file that another target was meant by.
    #[must_use]
    pub const fn secrets_manager(&self, file: &File) -> SecretsManager {
        match self {
            Self::Embedded { .. } => SecretsManager::Vault,
            Self::Spawn { .. } | Self::Url { .. } => file.secrets.backend,
        }
    }

    /// The port at which the target expects the vault; 0 for any.
    #[must_use]
    pub const fn vault_port(&self) -> u16 {
        match self {
            Self::Url { running } => running.vault_port,
            Self::Embedded { .. } | Self::Spawn { .. } => 0,
        }
    }

    /// The token that the target shows to the vault, where it is fixed.
    #[must_use]
    pub fn vault_token(&self) -> Option<&str> {
        match self {
            Self::Url { running } => Some(running.vault_token.as_str()).filter(|t| !t.is_empty()),
            Self::Embedded { .. } | Self::Spawn { .. } => None,
        }
    }

    /// In a history's head: `embedded`, `embedded:MUTANT`, `spawn:COMMAND` or `url:ADDRESS`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Embedded { mutant: None } => "embedded".to_owned(),
            Self::Embedded { mutant: Some(mutant) } => format!("embedded:{mutant}"),
            other => format!("{}:{}", other.kind(), other.name()),
        }
    }
}

fn nothing_to_test(path: &Path) -> Failure {
    let text = match reading::text(path) {
        Ok(text) => concealed(&text),
        Err(failure) => return failure,
    };
    let shown = path.display().to_string();
    let mistakes = missing(&text).into_iter().collect();
    Failure::Mistakes(Box::new(MistakesInFile::new(&shown, &text, mistakes)))
}

/// That a file names nothing to test, at the section that names nothing, or else where the file begins.
/// Where it is no TOML, or the section is misspelt or has other mistakes, nothing is missing.
pub(super) fn missing(text: &str) -> Option<Mistake> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = table.get_ref();
    let names_one = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let is_empty = matches!(value.get_ref(), DeValue::Table(inner) if inner.is_empty());
        !(is_empty && key.get_ref() == "target") && nearest(key.get_ref(), ["target"]).is_some()
    };
    if !errors.is_empty() || table.iter().any(names_one) {
        return None;
    }
    let help = "name your service in [target.spawn] or [target.url], as `windthrow init` shows; \
                [target.embedded] is the built-in reference, and so is --no-config";
    Some(Mistake::new(place(table, "target"), "there is no target", help))
}

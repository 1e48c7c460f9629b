//! Arguments of what prints the contract: whose numbers Linktree has, and whose front door it calls.

use super::named_config;
use clap::Args;
use std::path::PathBuf;

/// What the contract is read from. Nothing else that is printed asks for it.
#[derive(Clone, Debug, Default, Args)]
pub struct ContractArgs {
    /// Another contract profile (TOML), for `contract`
    #[arg(long, value_name = "FILE")]
    pub contract: Option<PathBuf>,
    /// The configuration whose front door `contract` shows [env: WINDTHROW_CONFIG]; windthrow.toml in this
    /// folder when absent and there
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The contract's own front door for `contract`, even where there is a configuration
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
}

impl ContractArgs {
    /// The configuration that is named; the command line comes before the environment.
    #[must_use]
    pub fn named_config(&self) -> Option<PathBuf> {
        named_config(self.config.as_deref())
    }
}

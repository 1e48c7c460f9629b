//! The commands, one file each.

pub mod baseline;
pub mod compare;
pub mod completions;
pub mod explain;
pub mod failed;
pub mod honest;
pub mod init;
pub mod list;
pub mod mock_serve;
pub mod plan;
pub mod preflight;
pub mod prove;
pub mod repeat;
pub mod report;
pub mod run;
pub mod runs;
pub mod schema;

use crate::cli::ContractArgs;
use crate::config::Config;
use crate::document::{self, Service};
use crate::failure::Failure;
use reports::text::clean;
use std::io::Write;

/// Prints a result, fit to be shown. A reader that has seen enough (`| head`) is no failure of the
/// command.
pub fn say(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{}", clean(&text.to_string()));
}

/// The contract of both sides: of Linktree with the numbers of a profile, of the service as its configuration
/// spells it.
///
/// # Errors
///
/// [`Failure`] when the contract profile or the configuration cannot be used.
pub fn contract_document(args: &ContractArgs) -> Result<serde_json::Value, Failure> {
    let config = match args.no_config {
        true => Config::none(),
        false => Config::find(args.named_config().as_deref(), false)?,
    };
    let profile = crate::contract::load(args.contract.as_deref())?;
    Ok(document::contract(&profile, &Service::of(&config)))
}

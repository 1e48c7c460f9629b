//! Reads the contract profile that a command names, with the place of what is wrong underlined.

use crate::failure::Failure;
use mock_server::profile::{ContractProfile, ProfileError};
use std::path::Path;

const HELP: &str = "start from mock-server/profiles/linktree-v1.toml";

/// The profile in this file; the built-in one without any.
///
/// # Errors
///
/// [`Failure::Usage`] when the file cannot be read, [`Failure::Syntax`] when it is no profile.
pub fn load(path: Option<&Path>) -> Result<ContractProfile, Failure> {
    let Some(path) = path else { return Ok(ContractProfile::linktree_v1()) };
    ContractProfile::load(path).map_err(|error| match &error {
        ProfileError::Parse { source, .. } => match std::fs::read_to_string(path) {
            Ok(text) => {
                let at = source.span().unwrap_or_default();
                Failure::syntax(path, &text, at.into(), source.message(), HELP)
            }
            Err(error) => Failure::unreadable(path, &error),
        },
        ProfileError::Read { .. } => Failure::usage(error.to_string(), HELP),
    })
}

//! `schema`: JSON schemas of what is read and written, and the contract as OpenAPI.

use crate::cli::SchemaOf;
use crate::commands::say;
use crate::failure::{Exit, Failure};
use crate::{config, contract, document};
use scenarios::front_door::FrontDoor;
use serde_json::Value;
use std::path::Path;

/// Prints one of them; a contract profile is read for the contract alone.
///
/// # Errors
///
/// [`Failure`] when the contract profile cannot be used.
pub fn schema(of: SchemaOf, profile: Option<&Path>) -> Result<Exit, Failure> {
    let schema: Value = match of {
        SchemaOf::Result => reports::renderers::schema().to_value(),
        SchemaOf::Config => config::schema(),
        SchemaOf::Plan => document::plan_schema(),
        SchemaOf::Contract => document::contract(&contract::load(profile)?, &FrontDoor::default()),
    };
    say(format_args!("{schema:#}"));
    Ok(Exit::Held)
}

//! `schema`: JSON schemas of what is read and written, and the contract as OpenAPI.

use crate::cli::{ContractArgs, SchemaOf};
use crate::commands::{contract_document, say};
use crate::failure::{Exit, Failure};
use crate::{config, document};
use serde_json::Value;

/// Prints one of them; contract profile and configuration are read for the contract alone.
///
/// # Errors
///
/// [`Failure`] when the contract profile or the configuration cannot be used.
pub fn schema(of: SchemaOf, contract: &ContractArgs) -> Result<Exit, Failure> {
    let schema: Value = match of {
        SchemaOf::Result => reports::renderers::schema().to_value(),
        SchemaOf::Config => config::schema(),
        SchemaOf::Plan => document::plan_schema(),
        SchemaOf::Contract => contract_document(contract)?,
    };
    say(format_args!("{schema:#}"));
    Ok(Exit::Held)
}

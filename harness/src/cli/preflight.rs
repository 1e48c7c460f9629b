//! The command line of `preflight`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `preflight`.
#[derive(Debug, Args)]
pub struct PreflightArgs {
    /// Linktree's address, without /v1
    #[arg(long, value_name = "URL")]
    pub base_url: String,
    /// Where the key stands: env:NAME or file:PATH, never the key itself
    #[arg(long, value_name = "REF")]
    pub key: String,
    /// A creator whose profile and links the key must be able to read
    #[arg(long, value_name = "HANDLE", value_parser = super::handle)]
    pub handle: Option<String>,
    /// The integration's webhook endpoint
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// Checks that are left out
    #[arg(long, value_enum, value_delimiter = ',', value_name = "CHECK,…")]
    pub skip: Vec<PreflightCheck>,
    /// Another contract profile (TOML), for the names of headers
    #[arg(long, value_name = "FILE")]
    pub contract: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// The questions of a preflight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreflightCheck {
    /// Linktree answers within 5 s
    Reachable,
    /// The key is not refused with 401
    Key,
    /// The key may read profiles
    Permissions,
    /// More than 20 requests are left in the limit's window
    Headroom,
    /// Links can be read
    Links,
    /// The webhook endpoint answers HEAD
    Webhook,
}

impl PreflightCheck {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 6] =
        [Self::Reachable, Self::Key, Self::Permissions, Self::Headroom, Self::Links, Self::Webhook];

    /// As on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Key => "key",
            Self::Permissions => "permissions",
            Self::Headroom => "headroom",
            Self::Links => "links",
            Self::Webhook => "webhook",
        }
    }
}

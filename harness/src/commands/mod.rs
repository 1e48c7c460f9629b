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

use reports::text::clean;
use std::io::Write;

/// Prints a result, fit to be shown. A reader that has seen enough (`| head`) is no failure of the
/// command.
pub fn say(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{}", clean(&text.to_string()));
}

//! `plan`: what `run` would do with the same arguments, as a plan file on standard output.

use crate::cli::RunArgs;
use crate::commands::run;
use crate::commands::say;
use crate::evidence::plans;
use crate::failure::{Exit, Failure};
use scenarios::guarantees;
use std::io::{IsTerminal, Write};

/// Prints the plan; nothing is started. What cannot be judged is said on standard error.
///
/// # Errors
///
/// Those of [`run::prepare`].
pub fn plan(args: &RunArgs) -> Result<Exit, Failure> {
    let run::Prepared { plan, untold, .. } = run::prepare(args)?;
    let undecidable = guarantees::undecidable(&plan).into_iter();
    let undecidable = undecidable.map(|(id, why)| format!("{id} will be inconclusive: {why}"));
    untold.into_iter().chain(undecidable).for_each(|line| eprintln!("! {line}"));
    let (bytes, _) = plans::to_bytes(&plan);
    // A file gets the bytes that a run would write, and a person what can be shown.
    if std::io::stdout().is_terminal() {
        say(String::from_utf8_lossy(&bytes).trim_end());
    } else {
        // A reader that has seen enough (`| head`) is no failure of the command.
        let _ = std::io::stdout().write_all(&bytes);
    }
    Ok(Exit::Held)
}

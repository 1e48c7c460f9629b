//! `completions`: what a shell needs to complete the command line.

use crate::cli::Cli;
use crate::failure::Exit;
use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// Prints the script.
#[must_use]
pub fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "windthrow", &mut script);
    // A reader that has seen enough (`| head`) is no failure of the command.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
    Exit::Held
}

//! The real binary, called in a folder; what it says is kept.

use std::path::Path;
use std::process::{Child, Command, Stdio};

pub fn start(folder: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(args)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

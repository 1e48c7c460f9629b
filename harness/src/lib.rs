//! The harness: targets, runner, recorder, command line — all the input and output of Windthrow.

pub mod baseline;
pub mod body;
pub mod cli;
pub mod commands;
pub mod config;
pub mod contract;
pub mod document;
pub mod edited;
pub mod evidence;
pub mod failure;
pub mod files;
pub mod kept;
pub mod metrics;
#[cfg(test)]
#[path = "../../mock-server/tests/mutations/mod.rs"]
mod mutations;
pub mod private;
pub mod process;
pub mod progress;
pub mod proportion;
pub mod reading;
pub mod rerun;
pub mod runner;
pub mod schedule;
pub mod selection;
pub mod shell;
pub mod storm;

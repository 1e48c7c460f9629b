//! A run's folder: what is written into it, how it is read back, and how it becomes a report.

pub mod build;
pub mod folder;
mod format;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
#[cfg(test)]
mod fuzz_tests;
pub mod hash;
pub mod judging;
pub mod judging_rules;
mod lines;
pub mod plans;
pub mod reader;
pub mod recorded;
pub mod runs;
pub mod shortfall;
pub mod writer;

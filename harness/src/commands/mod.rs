//! The commands, one file each.

pub mod explain;
pub mod list;
pub mod prove;
pub mod report;
pub mod run;

//! What a person reads after the storm: a finished report and its renderers.
//!
//! This crate never judges and knows none of the other crates. Whoever judged
//! fills in a [`Report`]; the same report always gives the same bytes.

pub mod report;

pub use report::Report;

//! What a person reads after the storm: a finished report and its renderers.
//!
//! This crate never judges and knows none of the other crates. Whoever judged
//! fills in a [`Report`]; the same report always gives the same bytes.

mod cards;
#[cfg(test)]
mod example;
mod first_screen;
mod held;
mod matrix;
mod reach;
pub mod renderers;
pub mod report;
pub mod text;

pub use renderers::{RENDERERS, Renderer};
pub use report::Report;

//! One scenario, carried out in its own process: goose has process-wide state, and a scenario that
//! crashes must not take the others' evidence with it.

pub mod child;
pub mod cpu;
pub mod guard;
mod output;
pub mod recorder;
pub mod spec;
pub mod target;
pub mod tolerances;

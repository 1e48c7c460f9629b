//! One scenario, carried out in its own process: goose has process-wide state, and a scenario that
//! crashes must not take the others' evidence with it.

pub mod chaos;
pub mod child;
pub mod cpu;
pub mod guard;
mod output;
mod port;
pub mod recorder;
mod running;
pub mod spec;
pub mod strikes;
pub mod target;
pub mod tolerances;

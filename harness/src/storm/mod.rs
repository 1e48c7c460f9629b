//! One scenario, carried out in its own process: goose has process-wide state, and a scenario that
//! crashes must not take the others' evidence with it.

pub mod chaos;
pub mod child;
pub mod guard;
mod manners;
pub mod measure;
pub mod observe;
mod output;
pub mod port;
pub mod reach;
pub mod recorder;
mod running;
pub mod stage;
pub mod start_error;
pub mod strikes;
pub mod tap;
pub mod target;

//! One scenario, carried out in its own process: goose has process-wide state, and a scenario that
//! crashes must not take the others' evidence with it.

pub mod child;
pub mod measure;
pub mod observe;
pub mod order;
pub mod process_faults;
pub mod reach;
pub mod recorder;
pub mod stage;
pub mod tap;
pub mod target;

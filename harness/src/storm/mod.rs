//! One scenario, carried out in its own process: goose has process-wide state, and a scenario that
//! crashes must not take the others' evidence with it.
//!
//! The [`testbed`] is what stands: mock, target and their watchers. The [`load`] is who comes, and
//! knows of the testbed only its [`load::Entrance`]. The [`child`] joins them: it sets the testbed up,
//! lets the load begin at one moment of one clock, and ends both. What it is to do stands in the
//! [`order`], what happens goes to the [`recorder`].

pub mod bodies;
pub mod child;
pub mod first_visit;
pub mod load;
pub mod measure;
pub mod observe;
pub mod order;
pub mod pace;
pub mod process_faults;
pub mod reach;
pub mod recorder;
pub mod tap;
pub mod target;
pub mod testbed;

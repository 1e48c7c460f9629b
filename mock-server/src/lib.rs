//! The assumed Linktree and all that it can do wrong.
//!
//! wiremock decides, the edge acts: routes, state and fault decisions are `Respond`
//! implementations over one [`world::World`]; the [`edge`] in front owns the public port, executes
//! what was decided on raw bytes, and records how every exchange really ended.

pub mod clock;
pub mod exchange;
pub mod faults;
pub mod population;
pub mod profile;
pub mod seed;

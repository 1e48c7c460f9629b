//! The assumed Linktree and all that it can do wrong.
//!
//! wiremock decides, the edge acts: routes, state and fault decisions are `Respond`
//! implementations over one shared `world`; the `edge` in front owns the public port, executes
//! what was decided on raw bytes, and records how every exchange really ended.

#[cfg(test)]
extern crate self as mock_server;
/// Tests inside the crate use the same rig as those outside.
#[cfg(test)]
#[allow(dead_code)]
#[path = "../tests/mock/rig.rs"]
mod rig;

mod alerts;
mod beside;
pub mod click_book;
pub mod clock;
mod desk;
mod edge;
pub mod edits;
pub mod exchange;
pub mod faults;
pub mod keyring;
pub mod limiter;
pub mod link;
pub mod link_change;
mod link_index;
mod needles;
mod ordinals;
mod page_book;
mod pages;
pub mod population;
pub mod profile;
pub mod record;
mod retained;
mod routes;
pub mod secrets;
pub mod seed;
pub mod server;
pub mod world;
mod written;

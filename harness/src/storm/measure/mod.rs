//! What this machine can do, measured before a run, and what the processes took, after it.

pub mod cpu;
pub mod headroom;
mod loopback;
pub mod tolerances;

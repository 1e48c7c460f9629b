//! What this machine can do, measured before a run, how late it is in it, and what the processes took.

pub mod cpu;
pub mod headroom;
pub mod lag;
mod loopback;
pub mod tolerances;

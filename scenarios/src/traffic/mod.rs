//! Simulated visitors: a seeded schedule of arrivals.

pub mod schedule;
pub mod shape;

pub use schedule::{Arrival, Schedule, ScheduleError, Sequence};

//! Simulated visitors: a seeded schedule of arrivals, thrown at the front door by goose.
//!
//! The [`schedule`] is a pure function of the plan, the [`dispatcher`] releases its arrivals at
//! their instants, the [`visits`] carry out what the [`actions`] say, and [`mod@run`] ties them to one
//! goose attack.
//!
//! goose itself is closed-loop: a user that is free claims the next released arrival, and time
//! counts from the instant at which the arrival was due, so a slow answer delays nobody's clock
//! (open loop, as in wrk2). What the integration does wrong is an event, never an error here.

pub mod actions;
pub mod campaigns;
pub mod dispatcher;
pub mod goose_run;
pub mod habits;
pub mod page;
pub mod run;
pub mod schedule;
pub mod sessions;
pub mod shape;
pub mod visitor;
pub mod visits;

pub use habits::Habits;
pub use run::{LEAD, OperationSink, Storm, TrafficError, run};
pub use schedule::{Arrival, Planned, Schedule, ScheduleError, Sequence};
pub use visitor::Visitor;
pub use visits::Answer;

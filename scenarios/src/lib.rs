//! Plans, traffic, histories and the guarantees judged from them.

pub mod backlog;
pub mod case;
pub mod deliverable;
pub mod deliveries;
pub mod fills;
pub mod guarantees;
pub mod history;
pub mod plan;
pub mod sent;
pub mod spans;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
pub mod trace;
pub mod verdict;

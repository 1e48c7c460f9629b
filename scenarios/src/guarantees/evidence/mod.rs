//! What several judges derive from the history: rates, demand, the breaker's state, what became of
//! clicks and pages, exact tails.

pub mod backlog;
pub mod circuit;
pub mod deliverable;
pub mod deliveries;
pub mod demand;
pub mod fills;
pub mod rate;
pub mod retries;
pub mod sent;
pub mod spacing;
pub mod tails;
pub mod trace;

//! What several judges derive from the history: rates, demand, the breaker's state, exact tails.

pub mod circuit;
pub mod demand;
pub mod rate;
pub mod retries;
pub mod spacing;
pub mod tails;

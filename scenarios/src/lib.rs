//! Plans, traffic, histories and the guarantees judged from them.

pub mod case;
pub mod guarantees;
pub mod history;
pub mod plan;
#[cfg(test)]
pub(crate) mod testing;
pub mod traffic;
pub mod verdict;

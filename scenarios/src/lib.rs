//! Plans, traffic, histories and the guarantees judged from them.

pub use mock_server::nearest;

pub mod advice;
pub mod bounds;
pub mod case;
pub mod catalogue;
pub mod checklist;
pub mod front_door;
pub mod guarantees;
pub mod health;
pub mod history;
pub mod judging;
pub mod measure;
#[cfg(test)]
mod models;
pub mod observed;
pub mod oddities;
pub mod plan;
pub mod plan_check;
pub mod promise;
pub mod spans;
pub mod strength;
#[cfg(test)]
#[path = "../../mock-server/tests/mock/strict_json.rs"]
mod strict_json;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
pub mod traffic;
pub mod verdict;

//! The assumed API as a document: what can be asked, what is sent, what comes back.
//!
//! The mock finds its routes in [`OPERATIONS`] and answers with the types of [`bodies`], so that the
//! document, which is made of the same two and of a contract profile, says what the mock does.

pub mod bodies;
mod document;
mod operations;
mod services;
mod webhooks;

pub use document::openapi;
pub use operations::{Answer, OPERATIONS, Operation, Parameter, Trace};
pub use webhooks::{Delivery, LinkClicked, LinkUpdated, ProfileUpdated};

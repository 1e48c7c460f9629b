//! The assumed Linktree and all that it can do wrong.
//!
//! wiremock decides, the edge acts: routes, state and fault decisions are `Respond`
//! implementations over one shared `world`; the `edge` in front owns the public port, executes
//! what was decided on raw bytes, and records how every exchange really ended. What takes microseconds it
//! decides itself, by the same code, where an embedding program has no route of its own.
//!
//! # In a test
//!
//! Start it, point the client at it, say what shall go wrong, call, and ask the history:
//!
//! ```
//! use mock_server::contract::Route;
//! use mock_server::faults::{Fault, Rule, Status};
//! use mock_server::server::MockLinktree;
//! use mock_server::wiremock::matchers::{method, path};
//! use mock_server::wiremock::{Mock, ResponseTemplate};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A route of your own beside ours, with wiremock's matchers.
//! let oembed = || {
//!     let answer = ResponseTemplate::new(200).set_body_string("{}");
//!     Mock::given(method("GET")).and(path("/v1/oembed")).respond_with(answer)
//! };
//! let mock = MockLinktree::builder().route(oembed).start()?;
//!
//! // The first read of every page fails. A plan file says the same in TOML or JSON.
//! let busy = Fault::Status(Status { codes: vec![503], retry_after: vec![] });
//! mock.add_rule(Rule::new("busy", busy).on(Route::Profile).first(1))?;
//!
//! let client = reqwest::Client::new();
//! let get = |path: &str| {
//!     client.get(format!("{}{path}", mock.url())).bearer_auth(mock.api_key()).send()
//! };
//! assert_eq!(get("/v1/profiles/creator-0001").await?.status(), 503);
//! assert_eq!(get("/v1/profiles/creator-0001").await?.status(), 200);
//! assert_eq!(get("/v1/oembed").await?.status(), 200);
//!
//! // An answer reaches its client a moment before it is recorded.
//! assert!(mock.history().settled(Duration::from_secs(5)).await);
//! assert_eq!(mock.history().to(Route::Profile).len(), 2);
//! assert_eq!(mock.history().hit_by("busy")[0].status, Some(503));
//! assert_eq!(mock.history().to(Route::Unknown)[0].target, "/v1/oembed");
//! # Ok(())
//! # }
//! ```
//!
//! The same mock runs alone, for services in any language: `windthrow mock serve`, steered
//! through the [`control`] API.

#[cfg(test)]
extern crate self as mock_server;
/// Tests inside the crate use the same rig as those outside.
#[cfg(test)]
#[allow(dead_code)]
#[path = "../tests/mock/rig.rs"]
mod rig;
#[cfg(test)]
#[path = "../tests/mock/strict_json.rs"]
mod strict_json;
#[cfg(test)]
#[path = "../tests/mock/tls_client.rs"]
mod tls_client;

#[cfg(fuzzing)]
pub use edge::fuzz;
pub use wiremock;

pub mod api;
pub mod clock;
pub mod contract;
pub mod control;
mod edge;
pub mod faults;
pub mod history;
pub mod keyring;
pub mod listen;
pub mod nearest;
mod overload;
pub mod profile;
pub mod ranges;
pub mod redact;
mod rendezvous;
mod retained;
mod routes;
pub mod seed;
pub mod server;
pub mod services;
mod serving;
mod timeline;
pub mod tls;
pub mod webhooks;
pub mod world;

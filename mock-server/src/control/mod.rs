//! The control API: reads and steers a running mock over HTTP and JSON.
//!
//! `GET /` names every endpoint; [`ENDPOINTS`] is that list. It has a port of its own, so that
//! nothing that a service asks of the mock can ever reach it.
//!
//! - Bodies are JSON; rules may also be TOML (`Content-Type: application/toml`). Unknown fields
//!   are refused with the nearest name. An error is `{"error":{"code","message","help"}}`.
//! - `GET /plan` answers an `ETag`. A change with `If-Match` is refused with 412 when somebody
//!   else has changed the rules meanwhile. Every change is atomic: a request meets the old rules
//!   or the new ones, never a mixture.
//! - `GET /history` is NDJSON: one record a line, with `seq`. `follow=true` goes on until the mock
//!   stops; `from` continues after an interruption. Who reads too slowly finds
//!   `{"event":"missed","count":…}` instead of what made room for newer records.
//! - On loopback no token is needed, but requests with an `Origin`, or for another `Host` than
//!   loopback, are refused: no web page may steer the mock, whatever name it gave to 127.0.0.1.
//!   Elsewhere a token is needed: `Authorization: Bearer …`.

mod endpoints;
mod guard;
mod history;
mod holds;
mod input;
mod keys;
mod plan;
mod problem;
mod reset;
mod status;
mod webhooks;
mod world;

pub use endpoints::{ENDPOINTS, Endpoint};

use crate::listen::named;
use crate::overload::Overloads;
use crate::server::MockLinktree;
use crate::serving::{self, Bounds, Serving};
use axum::extract::State;
use guard::Guard;
use problem::Problem;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// Followers of the history at once; each costs a task and a few kilobytes.
const FOLLOWERS: usize = 64;

/// How long [`Control::stop`] waits for answers that are under way.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// Where the control API listens, and for whom.
#[derive(Clone)]
pub struct ControlConfig {
    /// Address and port; port 0 for any.
    pub listen: SocketAddr,
    /// The bearer token; needed when the address is not loopback.
    pub token: Option<String>,
}

/// Why the control API could not start.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Anybody could steer the mock.
    #[error("failed to open the control API on {at} without a token; give one, or use loopback")]
    NoToken {
        /// Where.
        at: SocketAddr,
    },
    /// Somebody else has the port.
    #[error("failed to open the control API on {at}: the port is in use; give another, or 0")]
    PortInUse {
        /// Where.
        at: SocketAddr,
    },
    /// Another refusal of the operating system.
    #[error("failed to open the control API on {at}: {source}")]
    Start {
        /// Where.
        at: SocketAddr,
        /// The operating system's word.
        source: io::Error,
    },
}

/// What all handlers share.
struct Api {
    mock: Arc<MockLinktree>,
    followers: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
}

type ApiState = State<Arc<Api>>;
type ApiResult<T> = Result<T, Problem>;

/// A running control API. Dropping it closes the port; answers under way go on.
pub struct Control {
    address: SocketAddr,
    closing: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Control {
    /// Opens the control API of `mock` on the present runtime.
    ///
    /// # Errors
    ///
    /// [`ControlError`] when the port cannot be had, or when a token is needed and missing.
    pub async fn start(
        mock: Arc<MockLinktree>,
        config: ControlConfig,
    ) -> Result<Self, ControlError> {
        Self::start_bounded(mock, config, Bounds::default()).await
    }

    pub(crate) async fn start_bounded(
        mock: Arc<MockLinktree>,
        config: ControlConfig,
        bounds: Bounds,
    ) -> Result<Self, ControlError> {
        let ControlConfig { listen: at, token } = config;
        let token = token.filter(|token| !token.is_empty());
        if token.is_none() && !at.ip().is_loopback() {
            return Err(ControlError::NoToken { at });
        }
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ControlError::PortInUse { at },
            _ => ControlError::Start { at, source },
        };
        let listener = tokio::net::TcpListener::bind(at).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (closing, closed) = watch::channel(false);
        let recorder = Arc::new(mock.history().clone());
        let overloads = Overloads::new(mock.clock(), recorder);
        let followers = Arc::new(Semaphore::new(FOLLOWERS));
        let api = Api { mock, followers, closing: closed.clone() };
        let router = endpoints::router(Arc::new(api), Guard::new(token.as_deref()));
        // Elsewhere than on loopback the token says who may, whatever the address.
        let peers = Arc::default();
        let serving =
            Serving { name: "control", bounds, overloads, peers, tls: None, closing: closed };
        let server = tokio::spawn(serving::serve(listener, router, serving));
        Ok(Self { address, closing, server })
    }

    /// Its address without a path; loopback, where it listens on every interface.
    #[must_use]
    pub fn url(&self) -> String {
        named(self.address, false)
    }

    /// Closes the port and lets answers under way finish for a moment. Followers of the history
    /// still get what is recorded by now.
    pub async fn stop(mut self) {
        self.closing.send_replace(true);
        // What takes longer is a client that does not read.
        let _ = tokio::time::timeout(STOP_PATIENCE, &mut self.server).await;
    }
}

//! Forwards requests to wiremock on loopback, and replaces wiremock before it has grown too large.
//!
//! Every mounted mock keeps a clone of every request that it matched, for as long as its server
//! lives. So after a number of requests a fresh server takes over; the old one is dropped with the
//! last request that it is answering.

use super::backend::{Backend, Question};
use super::message::UpstreamAnswer;
use super::tuning::Tuning;
use crate::routes::Shared;
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The wiremock server that answers at present.
pub(super) struct Upstream {
    shared: Arc<Shared>,
    current: RefCell<Rc<Backend>>,
    forwarded: Cell<u64>,
    swap_after: u64,
    swaps: Cell<u64>,
    places: Semaphore,
}

impl Upstream {
    pub async fn start(shared: Arc<Shared>, tuning: &Tuning) -> io::Result<Self> {
        let current = RefCell::new(Rc::new(Backend::start(&shared).await?));
        let (forwarded, swaps) = (Cell::new(0), Cell::new(0));
        let swap_after = tuning.swap_after.max(1);
        let places = Semaphore::new(tuning.backend.max(1));
        Ok(Self { shared, current, forwarded, swap_after, swaps, places })
    }

    /// How often wiremock was replaced.
    pub fn swaps(&self) -> u64 {
        self.swaps.get()
    }

    /// True once for every `swap_after` requests: the caller shall then [`Self::swap`].
    pub fn is_full(&self) -> bool {
        let full = self.forwarded.get() >= self.swap_after;
        if full {
            self.forwarded.set(0);
        }
        full
    }

    /// Puts a fresh server in place; requests that are under way finish on the old one.
    pub async fn swap(&self) -> io::Result<()> {
        let fresh = Rc::new(Backend::start(&self.shared).await?);
        self.current.replace(fresh);
        self.swaps.set(self.swaps.get() + 1);
        Ok(())
    }

    /// Sends a request to the routes and reads their answer.
    pub async fn forward(&self, question: &Question<'_>) -> io::Result<UpstreamAnswer> {
        self.forwarded.set(self.forwarded.get() + 1);
        // Also bounds the idle connections: there are never more than were busy at once.
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        let is_untouched = || self.shared.rendezvous.is_untouched(question.id);
        let backend = Rc::clone(&self.current.borrow());
        match backend.forward(question, is_untouched).await {
            // A wiremock that has failed to accept once never accepts again (0.6.5).
            Err(_) if is_untouched() => {
                if Rc::ptr_eq(&backend, &self.current.borrow()) {
                    self.swap().await?;
                }
                let backend = Rc::clone(&self.current.borrow());
                backend.forward(question, || false).await
            }
            answered => answered,
        }
    }
}

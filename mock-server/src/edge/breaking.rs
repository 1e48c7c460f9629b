//! How all connections end at once, when the plan takes the port away: whoever asks is reset.

use crate::faults::FaultMark;
use crate::tls::BrokenBy;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use tokio::sync::watch;

/// Says to all connections that they are over.
#[derive(Default)]
pub(super) struct Breaking(watch::Sender<Broken>);

/// How often all connections were broken off so far, and by which rules the last time.
#[derive(Clone, Default)]
pub(super) struct Broken {
    pub times: u64,
    pub marks: Vec<FaultMark>,
}

/// What becomes of one connection that was open when this was made.
pub(super) struct Fate(watch::Receiver<Broken>);

/// All connections were broken off.
pub(super) struct IsBroken;

impl Breaking {
    /// The fate of a connection that is accepted now.
    pub fn fate(&self) -> Fate {
        Fate(self.0.subscribe())
    }

    /// Breaks all connections off that are open now.
    pub fn break_all(&self, marks: &[FaultMark]) {
        self.0.send_modify(|broken| {
            *broken = Broken { times: broken.times + 1, marks: marks.to_vec() };
        });
    }

    /// Says later which rules have broken off what is begun now.
    pub fn watched(&self) -> BrokenBy {
        let broken = self.0.subscribe();
        let times = self.times();
        Box::new(move || {
            let broken = broken.borrow();
            (broken.times > times).then(|| broken.marks.clone())
        })
    }

    /// How often that has happened.
    pub fn times(&self) -> u64 {
        self.0.borrow().times
    }

    /// The rules that broke off what was begun after so many times; none if nothing has.
    pub fn marks_since(&self, times: u64) -> Option<Vec<FaultMark>> {
        let broken = self.0.borrow();
        (broken.times > times).then(|| broken.marks.clone())
    }
}

impl Fate {
    /// What the work comes to, unless the connection is broken off before; the work is dropped then.
    pub async fn unless_broken<T>(&mut self, work: impl Future<Output = T>) -> Result<T, IsBroken> {
        let mut work = pin!(work);
        // Mostly there is nothing to wait for, and so nobody to be waked.
        if !self.0.has_changed().unwrap_or(true) {
            let at_once = poll_fn(|context| Poll::Ready(work.as_mut().poll(context)));
            if let Poll::Ready(done) = at_once.await {
                return Ok(done);
            }
        }
        tokio::select! {
            biased;
            _ = self.0.changed() => Err(IsBroken),
            done = work => Ok(done),
        }
    }
}

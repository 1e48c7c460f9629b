//! How a mock ends: in order, letting answers finish, or at once, but never without its records.

use super::MockLinktree;
use crate::webhooks;
use std::sync::{PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long [`MockLinktree::stop`] waits for the last records.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How to stop the threads of edge and webhook sender.
pub(super) struct Running {
    pub stop: oneshot::Sender<()>,
    pub done: mpsc::Receiver<()>,
    pub thread: JoinHandle<()>,
    pub sender: webhooks::Sender,
}

impl MockLinktree {
    /// Accepts no more connections, ends each connection with the exchange that it is at, and
    /// waits until none is under way; says whether that came true in time. The mock still has to
    /// be stopped afterwards.
    pub async fn drain(&self, within: Duration) -> bool {
        self.draining.send_replace(true);
        self.history.settled(within).await
    }

    /// Stops the mock. When this returns, everything is recorded; what was still open with
    /// [`crate::history::exchange::End::Open`].
    pub fn stop(self) {
        self.shut_down();
    }

    /// Stops a mock that is shared; the second time it does nothing.
    pub fn shut_down(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { stop, done, thread, mut sender }) = running else { return };
        // It fails only when the thread is gone already.
        let _ = stop.send(());
        if done.recv_timeout(STOP_PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::error!("the mock did not stop in time; its last records may be missing");
        } else if thread.join().is_err() {
            tracing::error!("the mock's thread panicked");
        }
        sender.stop();
        self.history.close();
    }
}

impl Drop for MockLinktree {
    fn drop(&mut self) {
        self.shut_down();
    }
}

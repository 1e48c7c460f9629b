//! The sender's thread: takes messages from the outbox, and lets each delivery live its life.
//!
//! It has a thread and a runtime of its own, so that nothing else that is busy delays its stamps.

use super::courier;
use super::edits;
use super::office::{Office, SigningSecrets};
use super::outbox::Command;
use crate::clock::Clock;
use crate::record::Recorder;
use crate::routes::Shared;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle as Task, LocalSet, spawn_local};

/// How long stopping waits for the last records.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// What a sender needs from outside.
pub(crate) struct Settings {
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub recorder: Arc<dyn Recorder>,
    pub secrets: SigningSecrets,
    pub time_scale: u32,
}

/// A running sender. Dropping it stops it.
pub(crate) struct Sender {
    stop: Option<oneshot::Sender<()>>,
    done: Mutex<mpsc::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sender {
    /// Starts the thread; there is one sender for an outbox.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let inbox = settings.shared.world.outbox.take_end();
        let inbox = inbox.ok_or_else(|| io::Error::other("the outbox has a sender already"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (alive, done) = mpsc::channel::<()>();
        let (ready, started) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name("mock-webhooks".to_owned()).spawn(move || {
                let _alive = alive;
                let Settings { shared, clock, recorder, secrets, time_scale } = settings;
                match Office::new(shared, clock, recorder, secrets, time_scale) {
                    Ok(office) => {
                        let _ = ready.send(Ok(()));
                        run(&runtime, Rc::new(office), inbox, stopped);
                    }
                    Err(error) => drop(ready.send(Err(io::Error::other(error)))),
                }
            })?;
        started.recv().map_err(|_| io::Error::other("the sender's thread ended early"))??;
        Ok(Self { stop: Some(stop), done: Mutex::new(done), thread: Some(thread) })
    }

    /// Stops it: what is on the wire is recorded as cut off, and what waits is dropped.
    pub fn stop(&mut self) {
        let Some(stop) = self.stop.take() else { return };
        // It fails only when the thread is gone already.
        let _ = stop.send(());
        let done = self.done.get_mut().unwrap_or_else(PoisonError::into_inner);
        let ended = done.recv_timeout(STOP_PATIENCE);
        let Some(thread) = self.thread.take() else { return };
        if ended == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::error!("the webhook sender did not stop in time");
        } else if thread.join().is_err() {
            tracing::error!("the webhook sender's thread panicked");
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(
    runtime: &tokio::runtime::Runtime,
    office: Rc<Office>,
    inbox: UnboundedReceiver<Command>,
    stopped: oneshot::Receiver<()>,
) {
    let local = LocalSet::new();
    local.block_on(runtime, serve(office, inbox, stopped));
    // Deliveries are local tasks: dropping them here records what is still on the wire.
    let _inside = runtime.enter();
    drop(local);
}

async fn serve(
    office: Rc<Office>,
    mut inbox: UnboundedReceiver<Command>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut edits: Option<Task<()>> = None;
    loop {
        let command = tokio::select! {
            _ = &mut stopped => return,
            Some(command) = inbox.recv() => command,
        };
        let lost = office.outbox().lost();
        if lost > 0 {
            office.overload(&format!("{lost} webhooks were dropped: the queue was full"));
        }
        match command {
            Command::Send(message) => {
                office.outbox().taken();
                courier::dispatch(&office, message);
            }
            Command::Check { webhook, url } => {
                let office = Rc::clone(&office);
                spawn_local(async move { office.look(webhook, url).await });
            }
            Command::Edited { at, handles } => {
                let office = Rc::clone(&office);
                spawn_local(async move {
                    edits::announce(&office.shared, office.clock, at, &[&handles]).await;
                });
            }
            Command::Armed(at) => {
                let watch = edits::watch(Arc::clone(&office.shared), office.clock, at);
                if let Some(earlier) = edits.replace(spawn_local(watch)) {
                    earlier.abort();
                }
            }
        }
    }
}

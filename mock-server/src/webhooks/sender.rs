//! The sender's thread: takes messages from the queue, lets each delivery live its life, and carries
//! out what is planned for the world.
//!
//! It has a thread and a runtime of its own, so that nothing else that is busy delays its stamps.

use super::context::{Context, SigningSecrets};
use super::delivery;
use super::edits;
use super::queue::Command;
use crate::clock::{Clock, Moment};
use crate::history::record::Recorder;
use crate::routes::Shared;
use crate::timeline;
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
pub(crate) struct SenderConfig {
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
    /// Starts the thread; there is one sender for a queue.
    pub fn start(settings: SenderConfig) -> io::Result<Self> {
        let inbox = settings.shared.world.webhooks.take_end();
        let inbox = inbox.ok_or_else(|| io::Error::other("the queue has a sender already"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (alive, done) = mpsc::channel::<()>();
        let (ready, started) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name("mock-webhooks".to_owned()).spawn(move || {
                let _alive = alive;
                let SenderConfig { shared, clock, recorder, secrets, time_scale } = settings;
                match Context::new(shared, clock, recorder, secrets, time_scale) {
                    Ok(context) => {
                        let _ = ready.send(Ok(()));
                        run(&runtime, Rc::new(context), inbox, stopped);
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
    context: Rc<Context>,
    inbox: UnboundedReceiver<Command>,
    stopped: oneshot::Receiver<()>,
) {
    let local = LocalSet::new();
    local.block_on(runtime, serve(context, inbox, stopped));
    // Deliveries are local tasks: dropping them here records what is still on the wire.
    let _inside = runtime.enter();
    drop(local);
}

async fn serve(
    context: Rc<Context>,
    mut inbox: UnboundedReceiver<Command>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut running: Option<Task<()>> = None;
    loop {
        let command = tokio::select! {
            _ = &mut stopped => return,
            Some(command) = inbox.recv() => command,
        };
        let lost = context.queue().lost();
        if lost > 0 {
            context.overloads.say(&format!("{lost} webhooks were dropped: the queue was full"));
        }
        match command {
            Command::Send(message) => {
                context.queue().taken();
                delivery::dispatch(&context, message);
            }
            Command::Check { webhook, url } => {
                let context = Rc::clone(&context);
                spawn_local(async move { context.look(webhook, url).await });
            }
            Command::Edited { at, handles } => {
                let context = Rc::clone(&context);
                spawn_local(async move {
                    edits::announce(&context.shared, context.clock, at, &[&handles]).await;
                });
            }
            Command::Armed(at) => {
                let planned = planned(Rc::clone(&context), at);
                if let Some(earlier) = running.replace(spawn_local(planned)) {
                    earlier.abort();
                }
            }
        }
    }
}

/// What happens at planned times, counted from `armed`: the events of the world, and the webhooks
/// that edits of pages make, which may take their time.
async fn planned(context: Rc<Context>, armed: Moment) {
    let world = &context.shared.world;
    tokio::join!(
        timeline::carry_out(world, context.clock, context.recorder(), armed),
        edits::watch(&context.shared, context.clock, armed),
    );
}

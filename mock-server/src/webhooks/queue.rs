//! Where messages are posted: cheap for whoever posts, and nothing at all while nobody wants them.

use super::event::WebhookEvent;
use super::message::Message;
use super::registrations::{
    Destination, Registration, RegistrationError, RegistrationRequest, Registrations,
};
use super::schemes::SchemeName;
use crate::api::LinkUpdated;
use crate::api::bodies::json;
use crate::clock::Moment;
use crate::listen::IpNet;
use crate::world::link::Link;
use serde_json::Value;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::mpsc;

/// Messages that may wait for the sender; more are dropped, and the history says so.
const MOST_QUEUED: usize = 10_000;

/// What the sender shall do.
#[derive(Debug)]
pub(super) enum Command {
    /// Send this to whoever wants it.
    Send(Message),
    /// Look whether the address of this registration answers.
    Check { webhook: String, url: String },
    /// Traffic begins at this moment.
    Armed(Moment),
    /// These pages change at this moment, beside the plan.
    Edited { at: Moment, handles: String },
}

/// The registrations and the way to the sender.
pub(crate) struct Queue {
    root: u64,
    scheme: SchemeName,
    registrations: Mutex<Registrations>,
    /// Who may be called beside this machine; nobody until somebody is named.
    named: OnceLock<Vec<IpNet>>,
    /// The events that some active registration wants, one bit for each.
    wanted: AtomicU8,
    posted: AtomicU64,
    queued: AtomicUsize,
    lost: AtomicU64,
    way: mpsc::UnboundedSender<Command>,
    /// The sender takes it when it starts.
    end: Mutex<Option<mpsc::UnboundedReceiver<Command>>>,
}

impl Queue {
    pub fn new(root: u64, scheme: SchemeName) -> Self {
        let (way, end) = mpsc::unbounded_channel();
        Self {
            root,
            scheme,
            registrations: Mutex::default(),
            named: OnceLock::new(),
            wanted: AtomicU8::new(0),
            posted: AtomicU64::new(0),
            queued: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            way,
            end: Mutex::new(Some(end)),
        }
    }

    /// Names who may be called beside this machine, once.
    pub fn may_call(&self, named: Vec<IpNet>) {
        let _ = self.named.set(named);
    }

    /// Posts a message if somebody wants it, and says its id. It never waits, so that routes may
    /// call it under a lock; `data` is only computed when it is needed.
    pub fn post(
        &self,
        event: WebhookEvent,
        handle: &str,
        data: impl FnOnce() -> Value,
    ) -> Option<String> {
        if !self.wants(event) {
            return None;
        }
        if self.queued.fetch_add(1, Ordering::AcqRel) >= MOST_QUEUED {
            self.queued.fetch_sub(1, Ordering::AcqRel);
            self.lost.fetch_add(1, Ordering::AcqRel);
            return None;
        }
        let number = self.posted.fetch_add(1, Ordering::AcqRel);
        let message = Message::new(self.root, number, event, handle, data());
        let id = message.id.clone();
        self.send(Command::Send(message)).then_some(id)
    }

    /// Posts that a link is another now.
    pub fn link_updated(&self, handle: &str, link: &Link) {
        self.post(WebhookEvent::LinkUpdated, handle, || {
            let Link { id: link_id, title, url, position, is_active, .. } = link.clone();
            json(LinkUpdated { link_id, title, url, position, is_active })
        });
    }

    /// Whether some active registration wants to hear of this.
    pub fn wants(&self, event: WebhookEvent) -> bool {
        self.wanted.load(Ordering::Acquire) & event.bit() != 0
    }

    /// Registers, or changes the registration of the same address, and has the address looked at.
    /// True for a new one.
    pub fn register(
        &self,
        url: &str,
        events: &[WebhookEvent],
        secret: Option<&str>,
    ) -> Result<(Registration, bool), RegistrationError> {
        let named = self.named.get().map_or(&[][..], Vec::as_slice);
        let request = RegistrationRequest { url, events, secret, named };
        let made = self.change(|registrations| {
            registrations.register(self.root, self.scheme.scheme(), &request)
        })?;
        let (webhook, url) = (made.0.id.clone(), made.0.url.clone());
        self.send(Command::Check { webhook, url });
        Ok(made)
    }

    /// Removes a registration; false when there is none of this id.
    pub fn remove(&self, id: &str) -> bool {
        self.change(|registrations| registrations.remove(id))
    }

    /// Removes all registrations.
    pub fn forget(&self) {
        self.change(Registrations::forget);
    }

    pub fn registrations(&self) -> Vec<Registration> {
        self.lock().all()
    }

    /// Traffic begins at this moment: planned edits count from here.
    pub fn arm(&self, at: Moment) {
        self.send(Command::Armed(at));
    }

    /// These pages change at this moment, beside the plan.
    pub fn edited(&self, at: Moment, handles: &str) {
        self.send(Command::Edited { at, handles: handles.to_owned() });
    }

    pub(super) fn wanting(&self, event: WebhookEvent) -> Vec<String> {
        self.lock().wanting(event)
    }

    pub(super) fn destination(&self, id: &str) -> Option<Destination> {
        self.lock().destination(id)
    }

    pub(super) fn disable(&self, id: &str) {
        self.change(|registrations| registrations.disable(id));
    }

    pub(super) fn note_reachable(&self, id: &str, reachable: bool) {
        self.lock().note_reachable(id, reachable);
    }

    /// The sender's end of the way; none when a sender has it already.
    pub(super) fn take_end(&self) -> Option<mpsc::UnboundedReceiver<Command>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The sender has taken a message from the queue.
    pub(super) fn taken(&self) {
        self.queued.fetch_sub(1, Ordering::AcqRel);
    }

    /// How many messages were dropped since the last question.
    pub(super) fn lost(&self) -> u64 {
        self.lost.swap(0, Ordering::AcqRel)
    }

    fn send(&self, command: Command) -> bool {
        // It fails only after the sender has stopped.
        self.way.send(command).is_ok()
    }

    fn change<T>(&self, then: impl FnOnce(&mut Registrations) -> T) -> T {
        let mut registrations = self.lock();
        let result = then(&mut registrations);
        let wanted =
            WebhookEvent::ALL.into_iter().filter(|event| !registrations.wanting(*event).is_empty());
        self.wanted.store(wanted.fold(0, |bits, event| bits | event.bit()), Ordering::Release);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Registrations> {
        self.registrations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CLICK: WebhookEvent = WebhookEvent::LinkClicked;

    fn queue() -> Queue {
        Queue::new(7, SchemeName::StandardWebhooks)
    }

    #[test]
    fn nothing_is_computed_for_an_event_that_nobody_wants() {
        let queue = queue();
        let post = || queue.post(CLICK, "a-0001", || unreachable!("nobody wants it"));
        assert_eq!(post(), None);
        let other = &[WebhookEvent::ProfileUpdated];
        let (registration, _) = queue.register("http://127.0.0.1:1/", other, None).unwrap();
        assert_eq!(post(), None);
        queue.register("http://127.0.0.1:1/", &[CLICK], None).unwrap();
        assert!(queue.post(CLICK, "a-0001", || json!({})).is_some());
        queue.disable(&registration.id);
        assert_eq!(post(), None);
        queue.register("http://127.0.0.1:1/", &[CLICK], None).unwrap();
        assert!(queue.wants(CLICK));
        assert!(queue.remove(&registration.id));
        assert_eq!(post(), None);
    }

    #[test]
    fn a_full_queue_loses_messages_and_counts_them() {
        let queue = queue();
        queue.register("http://127.0.0.1:1/", &[CLICK], None).unwrap();
        let post = || queue.post(CLICK, "a-0001", || json!({})).is_some();
        assert!((0..MOST_QUEUED).all(|_| post()));
        assert!(!post() && !post());
        assert_eq!((queue.lost(), queue.lost()), (2, 0));
        queue.taken();
        assert!(post());
    }
}

//! What can be done to a running mock: arming, holds, webhooks, events of the world, and back to
//! the start.

use super::MockLinktree;
use crate::clock::Moment;
use crate::faults::holds::Held;
use crate::timeline;
use crate::webhooks::{Registration, RegistrationError, WebhookEvent};
use crate::world::{PageChange, WorldError, WorldEvent};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

impl MockLinktree {
    /// Traffic begins at this moment: fault windows and the plan's events count from here.
    pub fn arm(&self, at: Moment) {
        self.shared.world.arm(at);
        self.shared.world.webhooks.arm(at);
        self.shared.engine.wake();
    }

    /// Registers an address on this machine, or one of [`hooks`](crate::listen::Listen::hooks), for these
    /// events, as `POST /v1/webhooks` does; the same address again changes its registration. The
    /// account's secrets sign.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`] when the address is not plain HTTP to one of those, or there are no events.
    pub fn register_webhook(
        &self,
        url: &str,
        events: &[WebhookEvent],
    ) -> Result<Registration, RegistrationError> {
        self.shared.world.webhooks.register(url, events, None).map(|(registration, _)| registration)
    }

    /// Removes a registration, and drops what was still to be sent to it; false when there is none
    /// of this id.
    pub fn remove_webhook(&self, id: &str) -> bool {
        self.shared.world.webhooks.remove(id)
    }

    /// The registrations, oldest first.
    #[must_use]
    pub fn webhooks(&self) -> Vec<Registration> {
        self.shared.world.webhooks.registrations()
    }

    /// What the fault `hold` holds back at present, in order of arrival.
    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        self.shared.holds.held()
    }

    /// Releases everything that this rule holds back, and says how much that was.
    pub fn release(&self, rule: &str) -> usize {
        self.shared.holds.release(rule)
    }

    /// Releases everything that is held back, and says how much that was.
    pub fn release_all(&self) -> usize {
        let rules: BTreeSet<_> = self.held().into_iter().map(|held| held.rule).collect();
        rules.iter().map(|rule| self.release(rule)).sum()
    }

    /// Lets an event of the world happen now, beside the plan, and says the id of what it made: of
    /// the new key, or of the message. It is recorded like a planned one.
    ///
    /// # Errors
    ///
    /// [`WorldError`] when it makes no sense in this world, or after too many edits.
    pub fn happen(&self, event: &WorldEvent) -> Result<Option<String>, WorldError> {
        event.check(&self.shared.world.population)?;
        self.steer(event)
    }

    /// Lets an event happen whose settings are known to make sense.
    pub(super) fn steer(&self, event: &WorldEvent) -> Result<Option<String>, WorldError> {
        timeline::steer(&self.shared.world, self.clock, &self.history, event)
    }

    /// Sends a webhook to every active registration that wants this event. The data's `handle` and
    /// `nonce` are the mock's. Returns the message's id, which is the same everywhere, or none when
    /// nobody wants it or the queue is full.
    ///
    /// # Errors
    ///
    /// [`WorldError`] when nobody has this handle.
    pub fn send_webhook(
        &self,
        event: WebhookEvent,
        handle: &str,
        data: Map<String, Value>,
    ) -> Result<Option<String>, WorldError> {
        self.happen(&WorldEvent::SendWebhook { event, handle: handle.to_owned(), data })
    }

    /// Edits pages from now on, beside the plan: of this handle, or of all that begin with what
    /// stands before a final `*`. So a test inserts or removes links between two requests.
    ///
    /// # Errors
    ///
    /// [`WorldError`] when nobody has such a handle, or after too many edits.
    pub fn edit(&self, handles: &str, change: PageChange) -> Result<(), WorldError> {
        self.happen(&WorldEvent::Edit { handles: handles.to_owned(), change }).map(drop)
    }

    /// Back to the start, for the next test: no click was counted, no link was written or edited
    /// beside the plan, no request counts against a limit, the rules are those of the start with
    /// fresh ordinals, windows and the plan's events count from now, nothing is held back, the
    /// history is empty, and keys, secrets and vault version are those of the start. Addresses,
    /// creators and webhook registrations stay.
    ///
    /// An exchange that is under way is recorded when it ends, after the reset: wait for
    /// [`crate::history::History::settled`] before it where that matters.
    pub fn reset(&self) {
        // First, so that no planned event happens between here and there.
        self.shared.world.disarm();
        self.shared.world.reset();
        self.reset_keys();
        self.reset_rules();
        self.release_all();
        self.arm(self.clock.now());
        self.history.clear();
    }
}

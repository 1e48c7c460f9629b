//! The state of the assumed Linktree: creators, what was made of their links, limits, and what has counted.

pub(crate) mod edits;
mod events;
pub mod hostile;
pub mod idempotency;
pub mod limiter;
pub mod link;
pub mod link_change;
mod link_index;
mod oddities;
mod pages;
pub(crate) mod pagination;
pub mod population;
pub(crate) mod profiles;
mod writes;

use crate::clock::Moment;
use crate::keyring::{Keyring, Rotation};
use crate::profile::ContractProfile;
use crate::seed;
use crate::webhooks::Queue;
use idempotency::IdempotencyStore;
use limiter::{Limits, Standing};
use link_change::LinkChange;
pub(crate) use pages::Page;
use population::{Creator, Population};
use profiles::{Basis, Profiles, Wrote};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use edits::Edit;
pub use edits::{PageChange, handle_matches};
pub use events::{MAX_OVERLAP_MS, TimedEvent, WorldError, WorldEvent};

const UNARMED: u64 = u64::MAX;

fn planned_edit(timed: &TimedEvent) -> Option<Edit> {
    match &timed.event {
        WorldEvent::Edit { handles, change } => {
            Some(Edit { at_ms: timed.at_ms, handles: handles.clone(), change: *change })
        }
        WorldEvent::RotateKey { .. }
        | WorldEvent::RotateWebhookSecret { .. }
        | WorldEvent::GrantScopes { .. }
        | WorldEvent::ExpireVaultTokens { .. }
        | WorldEvent::ForgetWebhooks {}
        | WorldEvent::SendWebhook { .. } => None,
    }
}

/// What came of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The id of the new key, or of the message.
    pub made: Option<String>,
    /// Which credential took the place of which.
    pub rotation: Option<Rotation>,
}

/// All state behind the routes. Creators are computed, not stored; what is stored is bounded: by
/// the number of keys, by the number of links, and for clicks by the profile.
pub(crate) struct World {
    pub profile: ContractProfile,
    pub seed: u64,
    pub population: Population,
    /// Where webhooks are posted.
    pub webhooks: Queue,
    pub keys: Keyring,
    time_scale: u32,
    timeline: Vec<TimedEvent>,
    /// Those events of the timeline that edit pages.
    edits: Vec<Edit>,
    armed: AtomicU64,
    state: Mutex<State>,
}

struct State {
    /// For each key's id.
    limits: Limits<String>,
    clicks: IdempotencyStore,
    profiles: Profiles,
}

impl World {
    pub fn new(
        profile: ContractProfile,
        time_scale: u32,
        seed: u64,
        population: Population,
        mut timeline: Vec<TimedEvent>,
    ) -> Self {
        let edits = timeline.iter().filter_map(planned_edit).collect();
        // Events at the same time stay in the order of the plan.
        timeline.sort_by_key(|timed| timed.at_ms);
        let window = ContractProfile::scaled(profile.limit.window_ms, time_scale);
        let state = State {
            limits: Limits::new(profile.limit.requests, window),
            clicks: IdempotencyStore::new(profile.idempotency.retained as usize),
            profiles: Profiles::default(),
        };
        let webhooks = Queue::new(seed, profile.webhooks.scheme);
        let keys = Keyring::new(seed, &profile.keys, &profile.vault);
        // So that whoever looks for what must not come to light knows it before it is there.
        keys.foresee(timeline.iter().filter(|timed| timed.event.rotates()).count());
        Self {
            webhooks,
            keys,
            profile,
            seed,
            population,
            time_scale,
            timeline,
            edits,
            armed: AtomicU64::new(UNARMED),
            state: Mutex::new(state),
        }
    }

    /// Fault windows and the plan's events count from here.
    pub fn arm(&self, at: Moment) {
        self.armed.store(at.0.min(UNARMED - 1), Ordering::Release);
    }

    /// Nothing that is planned happens from here on, until the world is armed again.
    pub fn disarm(&self) {
        self.armed.store(UNARMED, Ordering::Release);
    }

    /// Forgets every request: limits, clicks, writes to links and edits beside the plan.
    pub fn reset(&self) {
        let state = &mut *self.state();
        state.limits.reset();
        state.clicks.reset();
        state.profiles = Profiles::default();
    }

    /// When the traffic began.
    pub fn armed(&self) -> Option<Moment> {
        let armed = self.armed.load(Ordering::Acquire);
        (armed != UNARMED).then_some(Moment(armed))
    }

    /// The moment of a millisecond since the traffic began, or none before that.
    pub fn moment(&self, ms: u64) -> Option<Moment> {
        Some(self.armed()?.plus(Duration::from_millis(ms)))
    }

    /// Whole milliseconds since the traffic began, or none before that.
    pub fn ms_since_armed(&self, at: Moment) -> Option<u64> {
        self.armed().filter(|armed| at >= *armed).map(|armed| (at.0 - armed.0) / 1_000_000)
    }

    /// The creator as of this moment.
    pub fn creator(&self, handle: &str, at: Moment) -> Option<Creator> {
        Some(self.page(handle, at)?.creator.clone())
    }

    /// The creator's page as of this moment.
    pub fn page(&self, handle: &str, at: Moment) -> Option<Arc<Page>> {
        self.state().profiles.page(self.basis(), handle, at)
    }

    /// Lets an event happen beside the plan, and says what came of it.
    pub fn happen(&self, event: &WorldEvent, at: Moment) -> Result<Outcome, WorldError> {
        Ok(match event {
            WorldEvent::Edit { handles, change } => {
                self.state().profiles.edit(at, handles, *change)?;
                self.webhooks.edited(at, handles);
                Outcome::default()
            }
            WorldEvent::RotateKey { overlap_ms } => {
                let overlap = Duration::from_millis(*overlap_ms);
                let rotation = self.keys.rotate_api_key(at, overlap);
                Outcome { made: Some(rotation.new_id.clone()), rotation: Some(rotation) }
            }
            WorldEvent::RotateWebhookSecret { overlap_ms } => {
                let overlap = Duration::from_millis(*overlap_ms);
                let rotation = Some(self.keys.rotate_webhook_secret(at, overlap));
                Outcome { made: None, rotation }
            }
            WorldEvent::GrantScopes { scopes } => {
                self.keys.grant(scopes);
                Outcome::default()
            }
            WorldEvent::ExpireVaultTokens { left_ms } => {
                self.keys.expire_tokens(at, Duration::from_millis(*left_ms));
                Outcome::default()
            }
            WorldEvent::ForgetWebhooks {} => {
                self.webhooks.forget();
                Outcome::default()
            }
            WorldEvent::SendWebhook { event, handle, data } => {
                let made = self.webhooks.post(*event, handle, || data.clone().into());
                Outcome { made, rotation: None }
            }
        })
    }

    /// Writes into a link, if it exists at this moment and `may` says that its creator's page is
    /// the caller's business.
    pub fn write_link(
        &self,
        id: &str,
        change: &LinkChange,
        at: Moment,
        may: impl Fn(&str) -> bool,
    ) -> Wrote {
        self.state().profiles.write(self.basis(), id, change, at, may)
    }

    fn basis(&self) -> Basis<'_> {
        Basis {
            seed: self.seed,
            population: &self.population,
            plan: &self.edits,
            armed: self.armed(),
            limits: &self.profile.links,
        }
    }

    /// What is planned, in order of time.
    pub fn timeline(&self) -> &[TimedEvent] {
        &self.timeline
    }

    /// The planned edits, in the order of the plan.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The nonce of one answer, unique in the run.
    pub fn nonce(&self, exchange: u64) -> String {
        let hash = seed::derive(self.seed, &["nonce", &exchange.to_string()]);
        ["n-", &hex::encode(&hash[..8])].concat()
    }

    /// Counts an authenticated request against its key's limit.
    pub fn admit(&self, key_id: &str, at: Moment) -> Standing {
        let limits = &mut self.state().limits;
        if let Some(known) = limits.known(key_id) {
            return known.admit(at);
        }
        limits.admit(key_id.to_owned(), at)
    }

    /// The secrets that sign a webhook at this moment, newest first; several in a rotation.
    pub fn signing_secrets(&self, at: Moment) -> Vec<String> {
        self.keys.ring().signing_secrets(at)
    }

    /// The length of the limit's window in whole seconds, at least one.
    pub fn window_s(&self) -> u64 {
        ContractProfile::scaled(self.profile.limit.window_ms, self.time_scale).as_secs().max(1)
    }

    /// Runs with the store of clicks, which no other exchange touches meanwhile.
    pub fn with_clicks<T>(&self, then: impl FnOnce(&mut IdempotencyStore) -> T) -> T {
        then(&mut self.state().clicks)
    }

    /// What contract durations are divided by.
    pub const fn time_scale(&self) -> u32 {
        self.time_scale
    }

    /// How long a cursor is taken after it was given out.
    pub fn cursor_ttl(&self) -> Duration {
        ContractProfile::scaled(self.profile.pages.cursor_ttl_ms, self.time_scale)
    }

    /// How long an answer to an analytics query takes.
    pub fn analytics_latency(&self) -> Duration {
        ContractProfile::scaled(self.profile.analytics.latency_ms, self.time_scale)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use population::Group;

    #[test]
    fn an_edit_counts_from_its_time_after_arming_and_only_for_its_handles() {
        let group = |prefix: &str| Group {
            prefix: prefix.into(),
            count: 2,
            min_links: 1,
            max_links: 1,
            ..Group::default()
        };
        let edit_of = |handles: &str, at_ms| TimedEvent {
            at_ms,
            event: WorldEvent::Edit { handles: handles.into(), change: PageChange::Text },
        };
        let world = World::new(
            ContractProfile::linktree_v1(),
            1,
            7,
            Population { groups: vec![group("a"), group("b")] },
            vec![edit_of("a-*", 100), edit_of("a-0001", 200)],
        );
        let edit = |handle, ms| world.creator(handle, Moment::from_ms(ms)).unwrap().edit;
        assert_eq!(edit("a-0001", 5_000), 0, "nothing happens before arming");
        world.arm(Moment::from_ms(1_000));
        assert_eq!(edit("a-0001", 500), 0);
        assert_eq!(edit("a-0001", 1_099), 0);
        assert_eq!(edit("a-0001", 1_100), 1);
        assert_eq!(edit("a-0001", 1_200), 2);
        assert_eq!(edit("a-0002", 9_000), 1);
        assert_eq!(edit("b-0001", 9_000), 0);
    }
}

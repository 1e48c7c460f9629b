//! The state of the assumed Linktree: creators, what was made of their links, limits, and what has counted.

mod edits;
pub mod idempotency;
pub mod limiter;
pub mod link;
pub mod link_change;
mod link_index;
pub(crate) mod pagination;
pub mod population;
pub(crate) mod profiles;
mod writes;

use crate::clock::Moment;
use crate::keyring::Keyring;
use crate::profile::ContractProfile;
use crate::seed;
use crate::webhooks::Queue;
use idempotency::IdempotencyStore;
use limiter::{Limits, Standing};
use link_change::LinkChange;
use population::{Creator, Population};
use profiles::{Basis, Profiles, Wrote};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use edits::{Change, Edit, EditError, handle_matches};

const UNARMED: u64 = u64::MAX;

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
    edits: Vec<Edit>,
    armed: AtomicU64,
    state: Mutex<State>,
}

struct State {
    /// For each key's id.
    limits: Limits<String>,
    clicks: IdempotencyStore,
    pages: Profiles,
}

impl World {
    pub fn new(
        profile: ContractProfile,
        time_scale: u32,
        seed: u64,
        population: Population,
        edits: Vec<Edit>,
    ) -> Self {
        let window = ContractProfile::scaled(profile.limit.window_ms, time_scale);
        let state = State {
            limits: Limits::new(profile.limit.requests, window),
            clicks: IdempotencyStore::new(profile.idempotency.retained as usize),
            pages: Profiles::default(),
        };
        let webhooks = Queue::new(seed, profile.webhooks.scheme);
        Self {
            webhooks,
            keys: Keyring::new(seed, &profile.keys),
            profile,
            seed,
            population,
            time_scale,
            edits,
            armed: AtomicU64::new(UNARMED),
            state: Mutex::new(state),
        }
    }

    /// Fault windows and edits count from here.
    pub fn arm(&self, at: Moment) {
        self.armed.store(at.0.min(UNARMED - 1), Ordering::Release);
    }

    /// Forgets every request: limits, clicks, writes to links and edits that were told. The time
    /// since arming runs on: whoever wants the plan's edits from the start arms again, too.
    pub fn reset(&self) {
        let state = &mut *self.state();
        state.limits.reset();
        state.clicks.reset();
        state.pages = Profiles::default();
    }

    fn armed(&self) -> Option<Moment> {
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
        self.state().pages.creator(self.basis(), handle, at)
    }

    /// Edits pages from `at` on, beside the plan.
    pub fn edit(&self, at: Moment, handles: &str, change: Change) -> Result<(), EditError> {
        self.state().pages.edit(at, handles, change)
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
        self.state().pages.write(self.basis(), id, change, at, may)
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

    /// The planned edits, as they stand in the plan.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The nonce of one answer, unique in the run.
    pub fn nonce(&self, exchange: u64) -> String {
        format!(
            "n-{}",
            hex::encode(&seed::derive(self.seed, &["nonce", &exchange.to_string()])[..8])
        )
    }

    /// Counts an authenticated request against its key's limit.
    pub fn admit(&self, key_id: &str, at: Moment) -> Standing {
        self.state().limits.admit(key_id.to_owned(), at)
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
        let group =
            |prefix: &str| Group { prefix: prefix.into(), count: 2, min_links: 1, max_links: 1 };
        let world = World::new(
            ContractProfile::linktree_v1(),
            1,
            7,
            Population { groups: vec![group("a"), group("b")] },
            vec![
                Edit { at_ms: 100, handles: "a-*".into(), change: Change::Text },
                Edit { at_ms: 200, handles: "a-0001".into(), change: Change::Text },
            ],
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

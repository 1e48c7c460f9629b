//! The state of the assumed Linktree: creators and their edits, keys, the limit, and what has counted.

use crate::click_book::ClickBook;
use crate::clock::Moment;
use crate::desk::Token;
use crate::limiter::{Limiter, Standing};
use crate::population::{Creator, Population};
use crate::profile::ContractProfile;
use crate::secrets::Secrets;
use crate::seed;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

const UNARMED: u64 = u64::MAX;

/// Creators change their pages: from this time on they have a new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Real milliseconds since the traffic began.
    pub at_ms: u64,
    /// A handle, or a prefix of handles ending in `*`.
    pub handles: String,
}

/// True when `pattern` is this handle, or a prefix of it ending in `*`.
#[must_use]
pub fn handle_matches(pattern: &str, handle: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => handle.starts_with(prefix),
        None => pattern == handle,
    }
}

/// All state behind the routes. Creators are computed, not stored: only limits and clicks are.
pub(crate) struct World {
    pub profile: ContractProfile,
    pub seed: u64,
    pub population: Population,
    pub secrets: Secrets,
    /// `created_at` of the key, RFC 3339.
    pub key_created_at: String,
    time_scale: u32,
    edits: Vec<Edit>,
    armed: AtomicU64,
    state: Mutex<State>,
}

struct State {
    limiters: HashMap<Token, Limiter>,
    clicks: ClickBook,
}

impl World {
    pub fn new(
        profile: ContractProfile,
        time_scale: u32,
        seed: u64,
        population: Population,
        edits: Vec<Edit>,
    ) -> Self {
        let secrets = Secrets::derive(seed, &profile.keys);
        let clicks = ClickBook::new(profile.idempotency.retained as usize);
        let state = State { limiters: HashMap::new(), clicks };
        let created = crate::clock::Clock::wall() - std::time::Duration::from_secs(10 * 86_400);
        let key_created_at = jiff::Timestamp::try_from(created)
            .unwrap_or_default()
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string();
        Self {
            profile,
            seed,
            population,
            secrets,
            key_created_at,
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

    /// Whole milliseconds since the traffic began, or none before that.
    pub fn ms_since_armed(&self, at: Moment) -> Option<u64> {
        let armed = self.armed.load(Ordering::Acquire);
        (armed != UNARMED && at.0 >= armed).then(|| (at.0 - armed) / 1_000_000)
    }

    /// The creator as of this moment.
    pub fn creator(&self, handle: &str, at: Moment) -> Option<Creator> {
        let edit = self.ms_since_armed(at).map_or(0, |now| {
            let due = |edit: &&Edit| edit.at_ms <= now && handle_matches(&edit.handles, handle);
            u32::try_from(self.edits.iter().filter(due).count()).unwrap_or(u32::MAX)
        });
        self.population.creator_after(self.seed, handle, edit)
    }

    /// The nonce of one answer, unique in the run.
    pub fn nonce(&self, exchange: u64) -> String {
        format!(
            "n-{}",
            hex::encode(&seed::derive(self.seed, &["nonce", &exchange.to_string()])[..8])
        )
    }

    /// Counts an authenticated request against its key's limit.
    pub fn admit(&self, token: Token, at: Moment) -> Standing {
        let limit = &self.profile.limit;
        let window = ContractProfile::scaled(limit.window_ms, self.time_scale);
        self.state()
            .limiters
            .entry(token)
            .or_insert_with(|| Limiter::new(limit.requests, window))
            .admit(at)
    }

    /// The length of the limit's window in whole seconds, at least one.
    pub fn window_s(&self) -> u64 {
        ContractProfile::scaled(self.profile.limit.window_ms, self.time_scale).as_secs().max(1)
    }

    /// Runs with the book of clicks, which no other exchange touches meanwhile.
    pub fn with_clicks<T>(&self, then: impl FnOnce(&mut ClickBook) -> T) -> T {
        then(&mut self.state().clicks)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::population::Group;

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
                Edit { at_ms: 100, handles: "a-*".into() },
                Edit { at_ms: 200, handles: "a-0001".into() },
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

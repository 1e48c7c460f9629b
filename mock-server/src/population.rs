//! Placeholder for the creators' population; replaced at the merge.

use serde::{Deserialize, Serialize};

/// Who lives in the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Groups of creators, in order.
    pub groups: Vec<Group>,
}

/// Creators with a common prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Handles are `{prefix}-{0001..}`.
    pub prefix: String,
    /// How many.
    pub count: u32,
    /// Fewest links.
    pub min_links: u32,
    /// Most links.
    pub max_links: u32,
}

/// A change of profiles at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Milliseconds since the traffic began.
    pub at_ms: u64,
    /// A handle, or a prefix ending in `*`.
    pub handles: String,
}

//! What becomes of an attempt that a fault hits, as far as the fault's settings say.

use std::time::Duration;

/// From harmless to certain failure; what lies between depends on the client or on luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// It hits no attempt: webhooks come from Linktree, and processes are the integration's own.
    HitsNone,
    /// The attempt succeeds, in its own time.
    None,
    /// The attempt succeeds, so much later at the most.
    Slows {
        /// The most that one rule adds.
        most: Duration,
    },
    /// Some attempts fail and others do not; or one client takes the answer for a success and
    /// another for a failure; or it may make a client hold back.
    MayFail,
    /// Every attempt fails, whatever it asks for: an answer of 5xx, or none.
    Fails,
}

impl Harm {
    /// [`Harm::Fails`] if this is true of the settings, and otherwise [`Harm::MayFail`].
    #[must_use]
    pub(super) const fn certain_if(certain: bool) -> Self {
        if certain { Self::Fails } else { Self::MayFail }
    }
}

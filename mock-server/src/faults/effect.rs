//! What can happen to a request, a connection or a delivery, once a fault has decided.

use super::{ChunkFlaw, HeadFlaw, ResetAt, RetryAfterSpec, Rewrite, StallAt};
use crate::webhooks::DeliveryEffect;
use serde::{Deserialize, Serialize};

/// What shall happen to a request; latency adds up, rewrites follow each other in the plan's order,
/// and of all others the first one wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "effect")]
pub enum Effect {
    /// Nothing.
    Pass,
    /// Answer later by this many microseconds.
    Delay {
        /// Microseconds.
        us: u64,
    },
    /// Answer with this status, and do nothing.
    Answer {
        /// The status.
        status: u16,
        /// The `Retry-After`, if any.
        retry_after: Option<RetryAfterSpec>,
    },
    /// Stop writing at this place, and wait for the client to give up.
    Stall {
        /// Where.
        at: StallAt,
    },
    /// Reset the connection at this place.
    Reset {
        /// Where.
        at: ResetAt,
    },
    /// Close after a part of the body.
    Truncate {
        /// Per cent of the body that is written.
        percent: u8,
    },
    /// Do the effect, then close without an answer.
    LoseAnswer,
    /// Do the effect, then answer with this status instead.
    LateError {
        /// The status.
        status: u16,
    },
    /// Close without an answer, and do nothing.
    EmptyReply,
    /// Send bytes that are no HTTP, and do nothing.
    Garbage {
        /// Which bytes.
        seed: u64,
        /// How many.
        bytes: u32,
    },
    /// Send the body in chunks that are not right.
    BadChunk {
        /// In what way.
        how: ChunkFlaw,
    },
    /// Send the answer no faster than this.
    Bandwidth {
        /// Bytes a second.
        bytes_per_s: u64,
    },
    /// Send the whole answer, and close only after a while.
    SlowClose {
        /// Milliseconds.
        ms: u64,
    },
    /// Hold the answer until it is released.
    Hold,
    /// Do not listen.
    Refuse,
    /// Answer the first bytes with a TLS alert.
    TlsAlert {
        /// The alert's description.
        alert: u8,
    },
    /// Send a head that is not right.
    MalformedHead {
        /// In what way.
        how: HeadFlaw,
    },
    /// Change the answer before it is sent.
    Rewrite {
        /// In what way.
        how: Rewrite,
    },
    /// Send a webhook otherwise.
    Delivery(DeliveryEffect),
}

impl Effect {
    /// Whether the request never gets as far as being processed.
    #[must_use]
    pub const fn keeps_from_processing(&self) -> bool {
        matches!(
            self,
            Self::Stall { at: StallAt::BeforeHead }
                | Self::Reset { at: ResetAt::Accept | ResetAt::BeforeHead }
                | Self::EmptyReply
                | Self::Garbage { .. }
        )
    }
}

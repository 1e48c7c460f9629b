//! What can happen to a request, a connection or a delivery, once a fault has decided.

use super::{
    CertificateFlaw, ChunkFlaw, HandshakeFlaw, HeadFlaw, ResetAt, RetryAfterSpec, Rewrite, StallAt,
};
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
    /// Listen, and answer no handshake.
    NoConnect,
    /// Answer the first bytes with a TLS alert.
    TlsAlert {
        /// The alert's description.
        alert: u8,
    },
    /// Show a certificate that is not right.
    Certificate {
        /// In what way.
        flaw: CertificateFlaw,
    },
    /// Do a handshake that is not right.
    Handshake {
        /// In what way.
        how: HandshakeFlaw,
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

/// What an effect means for the answer that it hits: the one place that tells effects apart for all
/// who act on them, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Where it begins.
    pub onset: Onset,
    /// Whether the request is processed, though its answer may never come.
    pub processed: bool,
    /// Whether the head says that the connection closes after this answer.
    pub closes: bool,
    /// Whether lenient clients accept what strict ones refuse.
    pub doubtful: bool,
}

/// Where an effect begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onset {
    /// On no answer: it is nothing, adds to whatever is sent, or happens to webhooks.
    Elsewhere,
    /// When the connection is accepted, or is not.
    Accept(Accept),
    /// In the routes, which write another answer.
    Routes,
    /// Before the first byte, or in place of all of them.
    BeforeHead,
    /// With the head.
    Head,
    /// Inside the body: it cannot happen where there is none.
    Body,
    /// After the last byte.
    End,
}

/// What happens to a connection in place of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// There is none: nobody can connect, and all who were connected are broken off.
    Shut(Shut),
    /// It is reset.
    Reset,
    /// Its first bytes are answered with this TLS alert.
    Alert(u8),
    /// Its TLS handshake shows a certificate that is not right: who takes it is served.
    Certificate(CertificateFlaw),
    /// Its TLS handshake is not right.
    Handshake(HandshakeFlaw),
}

/// How a port keeps everybody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// Nobody listens: a handshake is refused.
    Refused,
    /// The queue of who listens is full: a handshake is not answered.
    Unanswered,
}

impl Shape {
    /// The request is processed, and nothing but the effect itself is unusual.
    const fn plain(onset: Onset) -> Self {
        Self { onset, processed: true, closes: false, doubtful: false }
    }

    /// No request is ever read.
    const fn accept(how: Accept) -> Self {
        Self { processed: false, ..Self::plain(Onset::Accept(how)) }
    }
}

impl Effect {
    /// Whether it happens in a TLS handshake.
    #[must_use]
    pub const fn is_of_tls(&self) -> bool {
        matches!(self.shape().onset, Onset::Accept(Accept::Certificate(_) | Accept::Handshake(_)))
    }

    /// What it means for the answer that it hits.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        match self {
            Self::Pass | Self::Delay { .. } | Self::Rewrite { .. } | Self::Delivery(_) => {
                Shape::plain(Onset::Elsewhere)
            }
            Self::Refuse => Shape::accept(Accept::Shut(Shut::Refused)),
            Self::NoConnect => Shape::accept(Accept::Shut(Shut::Unanswered)),
            Self::Reset { at: ResetAt::Accept } => Shape::accept(Accept::Reset),
            Self::TlsAlert { alert } => Shape::accept(Accept::Alert(*alert)),
            Self::Certificate { flaw } => Shape::accept(Accept::Certificate(*flaw)),
            Self::Handshake { how } => Shape::accept(Accept::Handshake(*how)),
            Self::Answer { .. } => Shape { processed: false, ..Shape::plain(Onset::Routes) },
            Self::LateError { .. } => Shape::plain(Onset::Routes),
            Self::Stall { at: StallAt::BeforeHead }
            | Self::Reset { at: ResetAt::BeforeHead }
            | Self::EmptyReply
            | Self::Garbage { .. } => Shape { processed: false, ..Shape::plain(Onset::BeforeHead) },
            Self::LoseAnswer | Self::Hold => Shape::plain(Onset::BeforeHead),
            Self::MalformedHead { how } => {
                let onset = match how {
                    HeadFlaw::StatusLine => Onset::BeforeHead,
                    // Both lengths of no body are the same.
                    HeadFlaw::TwoLengths => Onset::Body,
                    HeadFlaw::HugeField | HeadFlaw::NoColon | HeadFlaw::NulByte => Onset::Head,
                };
                Shape { closes: true, doubtful: true, ..Shape::plain(onset) }
            }
            Self::Bandwidth { .. } => Shape::plain(Onset::Head),
            Self::Stall {
                at: StallAt::BeforeBody | StallAt::MidBody { .. } | StallAt::Trickle { .. },
            }
            | Self::Reset { at: ResetAt::MidBody }
            | Self::Truncate { .. } => Shape::plain(Onset::Body),
            Self::BadChunk { .. } => Shape { closes: true, ..Shape::plain(Onset::Body) },
            Self::SlowClose { .. } => Shape { closes: true, ..Shape::plain(Onset::End) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(effect: &Effect, onset: Onset, processed: bool, closes: bool, doubtful: bool) {
        assert_eq!(effect.shape(), Shape { onset, processed, closes, doubtful }, "{effect:?}");
    }

    #[test]
    fn an_effect_before_the_head_may_come_before_or_after_the_processing() {
        check(&Effect::EmptyReply, Onset::BeforeHead, false, false, false);
        check(&Effect::LoseAnswer, Onset::BeforeHead, true, false, false);
        check(&Effect::Hold, Onset::BeforeHead, true, false, false);
        let answer = Effect::Answer { status: 503, retry_after: None };
        check(&answer, Onset::Routes, false, false, false);
        check(&Effect::LateError { status: 500 }, Onset::Routes, true, false, false);
    }

    #[test]
    fn the_place_of_a_stall_or_a_reset_decides_whether_a_body_is_needed() {
        let stall = |at| Effect::Stall { at };
        check(&stall(StallAt::BeforeHead), Onset::BeforeHead, false, false, false);
        check(&stall(StallAt::BeforeBody), Onset::Body, true, false, false);
        let reset = |at| Effect::Reset { at };
        check(&reset(ResetAt::Accept), Onset::Accept(Accept::Reset), false, false, false);
        check(&reset(ResetAt::BeforeHead), Onset::BeforeHead, false, false, false);
        check(&reset(ResetAt::MidBody), Onset::Body, true, false, false);
    }

    #[test]
    fn a_bent_head_is_doubtful_and_closes() {
        let bent = |how| Effect::MalformedHead { how };
        check(&bent(HeadFlaw::StatusLine), Onset::BeforeHead, true, true, true);
        check(&bent(HeadFlaw::TwoLengths), Onset::Body, true, true, true);
        check(&bent(HeadFlaw::NoColon), Onset::Head, true, true, true);
        check(&Effect::SlowClose { ms: 1 }, Onset::End, true, true, false);
    }
}

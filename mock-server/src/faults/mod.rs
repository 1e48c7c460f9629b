//! Faults decide: a rule picks requests by hash, and its fault says what shall happen to them.
//!
//! Only the server and the edge act on a decision. A decision depends on the seed, the rule, the
//! request's key and its ordinal for that key, and on nothing else: interleaving cannot change who
//! is hit.

mod bad_chunk;
mod bad_json;
mod bandwidth;
mod content_type;
mod delay;
mod duplicate;
mod empty_reply;
pub mod engine;
mod expired_cursor;
mod forge;
mod future;
mod garbage;
mod hold;
mod hostile_strings;
mod html;
mod late_error;
mod latency;
mod lose_answer;
mod malformed_head;
mod partial_failure;
mod rate_headers;
mod refuse;
mod registry;
mod reorder;
mod reset;
mod rewrite;
mod roll;
mod rotate;
mod rule;
mod short_pages;
mod skewed_date;
mod slow_close;
mod stale;
mod stall;
mod status;
mod tls_alert;
mod truncate;

pub use bad_chunk::{BadChunk, ChunkFlaw};
pub use bad_json::{BadJson, JsonFlaw};
pub use bandwidth::Bandwidth;
pub use content_type::ContentType;
pub use delay::Delay;
pub use duplicate::Duplicate;
pub use empty_reply::EmptyReply;
pub use expired_cursor::ExpiredCursor;
pub use forge::Forge;
pub use future::Future;
pub use garbage::Garbage;
pub use hold::Hold;
pub use hostile_strings::HostileStrings;
pub use html::Html;
pub use late_error::LateError;
pub use latency::Latency;
pub use lose_answer::LoseAnswer;
pub use malformed_head::{HeadFlaw, MalformedHead};
pub use partial_failure::PartialFailure;
pub use rate_headers::{RateHeaders, RateLie};
pub use refuse::Refuse;
pub use registry::{FaultInfo, Mistake, Place};
pub use reorder::Reorder;
pub use reset::{Reset, ResetAt};
pub use rewrite::Rewrite;
pub use roll::Roll;
pub use rotate::Rotate;
pub use rule::{Matcher, Pick, Ratio, Rule, Window};
pub use short_pages::ShortPages;
pub use skewed_date::{DateFlaw, SkewedDate};
pub use slow_close::SlowClose;
pub use stale::Stale;
pub use stall::{Stall, StallAt};
pub(crate) use status::HUGE;
pub use status::{RetryAfterSpec, Status};
pub use tls_alert::TlsAlert;
pub use truncate::Truncate;

use crate::exchange::Route;
use crate::webhooks::{DeliveryEffect, WebhookEvent};
use serde::{Deserialize, Serialize};

/// When in the life of a request, a delivery or a process a fault decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// A connection was accepted, and nothing was read.
    Connection,
    /// A request was read.
    Request,
    /// A webhook is about to be sent.
    Delivery,
    /// The integration's process runs.
    Process,
}

/// What a fault may look at.
#[derive(Clone, Debug)]
pub struct RequestView<'a> {
    /// Only faults of this stage decide.
    pub stage: Stage,
    /// The method.
    pub method: &'a str,
    /// The route of the contract.
    pub route: Route,
    /// The creator, where the route names one.
    pub handle: Option<&'a str>,
    /// The stable key that decisions hash.
    pub key: &'a str,
}

impl RequestView<'_> {
    /// The stable key of a webhook delivery, which begins with its event.
    pub(crate) fn delivery_key(event: WebhookEvent, handle: &str) -> String {
        format!("{event} {handle}")
    }

    /// The event of a delivery; none of anything else.
    pub(crate) fn event(&self) -> Option<WebhookEvent> {
        let (event, _) = self.key.split_once(' ')?;
        if self.stage == Stage::Delivery { event.parse().ok() } else { None }
    }
}

/// The fault that hit an exchange or a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultMark {
    /// The rule's id in the plan.
    pub rule: String,
    /// The fault's kind, such as `status` or `reset`.
    pub kind: String,
    /// The request key that the decision hashed.
    pub key: String,
    /// The ordinal, from 0, of this request among those that the rule matched with the same key.
    pub nth: u64,
}

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
    /// Send a webhook otherwise.
    Delivery(DeliveryEffect),
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

/// One fault: settings that decide.
pub trait Decide {
    /// What a reader needs to know of it.
    const INFO: FaultInfo;

    /// When it decides.
    fn stage(&self) -> Stage {
        Stage::Request
    }

    /// What happens to this request, once a rule has picked it.
    fn decide(&self, request: &RequestView<'_>, roll: &mut Roll) -> Effect;

    /// What is wrong with the settings, beyond what their types say.
    fn mistakes(&self) -> Vec<Mistake> {
        Vec::new()
    }
}

/// Names every fault once; the enum, its dispatch and the registry follow.
macro_rules! faults {
    ($($name:ident)*) => {
        /// Every fault, by its settings.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", tag = "kind")]
        pub enum Fault {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        /// Every fault that a rule may name, in reading order.
        pub const FAULTS: &[FaultInfo] = &[$($name::INFO),*];

        impl Fault {
            /// What a reader needs to know of this fault.
            #[must_use]
            pub const fn info(&self) -> FaultInfo {
                match self { $(Self::$name(_) => $name::INFO,)* }
            }

            /// When it decides.
            #[must_use]
            pub fn stage(&self) -> Stage {
                match self { $(Self::$name(fault) => fault.stage(),)* }
            }

            /// What happens to this request, once a rule has picked it.
            #[must_use]
            pub fn decide(&self, request: &RequestView<'_>, roll: &mut Roll) -> Effect {
                match self { $(Self::$name(fault) => fault.decide(request, roll),)* }
            }

            /// What is wrong with the settings, beyond what their types say.
            #[must_use]
            pub fn mistakes(&self) -> Vec<Mistake> {
                match self { $(Self::$name(fault) => fault.mistakes(),)* }
            }
        }
    };
}

faults! {
    Status
    LateError
    PartialFailure
    ExpiredCursor
    ShortPages
    RateHeaders
    SkewedDate
    Html
    ContentType
    BadJson
    HostileStrings
    Latency
    Bandwidth
    Stall
    Hold
    SlowClose
    Refuse
    TlsAlert
    Reset
    EmptyReply
    LoseAnswer
    Garbage
    MalformedHead
    BadChunk
    Truncate
    Duplicate
    Reorder
    Delay
    Stale
    Future
    Forge
    Rotate
}

impl Fault {
    /// The fault's name, as in a plan file.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.info().kind
    }
}

/// What the faults' own tests share.
#[cfg(test)]
mod testing {
    use super::{Decide, Effect, RequestView, Roll};
    use crate::exchange::Route;

    /// What `fault` decides for the `nth` request of one key.
    pub fn decided(fault: &impl Decide, nth: u64) -> Effect {
        let view = RequestView {
            stage: super::Stage::Request,
            method: "GET",
            route: Route::Profile,
            handle: Some("a-0001"),
            key: "GET /v1/profiles/a-0001",
        };
        fault.decide(&view, &mut Roll::new(7, "rule", view.key, nth))
    }

    /// Asserts that `fault` always decides `expected`.
    pub fn check(fault: &impl Decide, expected: &Effect) {
        for nth in 0..20 {
            assert_eq!(decided(fault, nth), *expected);
        }
    }
}

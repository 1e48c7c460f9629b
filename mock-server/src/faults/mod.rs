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
mod effect;
mod empty_reply;
pub mod engine;
mod expired_cursor;
mod forge;
mod future;
mod garbage;
mod hold;
pub mod holds;
mod hostile_strings;
mod html;
mod kill;
mod late_error;
mod latency;
mod lose_answer;
mod malformed_head;
mod ordinals;
mod partial_failure;
mod pause;
pub mod plan;
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
mod terminate;
mod tls_alert;
mod truncate;

pub use bad_chunk::{BadChunk, ChunkFlaw};
pub use bad_json::{BadJson, JsonFlaw};
pub use bandwidth::Bandwidth;
pub use content_type::ContentType;
pub use delay::Delay;
pub use duplicate::Duplicate;
pub use effect::Effect;
pub use empty_reply::EmptyReply;
pub use expired_cursor::ExpiredCursor;
pub use forge::Forge;
pub use future::Future;
pub use garbage::Garbage;
pub use hold::Hold;
pub use hostile_strings::HostileStrings;
pub use html::Html;
pub use kill::{Kill, Strike};
pub use late_error::LateError;
pub use latency::Latency;
pub use lose_answer::LoseAnswer;
pub use malformed_head::{HeadFlaw, MalformedHead};
pub use partial_failure::PartialFailure;
pub use pause::Pause;
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
pub use terminate::Terminate;
pub use tls_alert::TlsAlert;
pub use truncate::Truncate;

use crate::contract::Route;
use crate::webhooks::WebhookEvent;
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

/// One fault: settings that decide.
pub trait Decide {
    /// What a reader needs to know of it.
    const INFO: FaultInfo;

    /// When it decides.
    fn stage(&self) -> Stage {
        Self::INFO.place.stage()
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
    Kill
    Terminate
    Pause
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
    use crate::contract::Route;

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

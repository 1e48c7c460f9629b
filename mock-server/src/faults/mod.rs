//! Faults decide: a rule picks requests by hash, and its fault says what shall happen to them.
//!
//! Only the server and the edge act on a decision. A decision depends on the seed, the rule, the
//! request's key and its ordinal for that key, and on nothing else: interleaving cannot change who
//! is hit.

mod delay;
mod duplicate;
pub mod engine;
mod forge;
mod future;
mod latency;
mod lose_answer;
mod registry;
mod reorder;
mod reset;
mod roll;
mod rotate;
mod stale;
mod stall;
mod status;
mod truncate;

pub use delay::Delay;
pub use duplicate::Duplicate;
pub use forge::Forge;
pub use future::Future;
pub use latency::Latency;
pub use lose_answer::LoseAnswer;
pub use registry::{FaultInfo, Mistake, Place};
pub use reorder::Reorder;
pub use reset::{Reset, ResetAt};
pub use roll::Roll;
pub use rotate::Rotate;
pub use stale::Stale;
pub use stall::{Stall, StallAt};
pub use status::{RetryAfterSpec, Status};
pub use truncate::Truncate;

use crate::exchange::Route;
use crate::webhooks::{DeliveryEffect, WebhookEvent};
use serde::{Deserialize, Serialize};

/// A share of requests as two integers, so that no rounding differs between machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// How many …
    pub hits: u32,
    /// … of how many.
    pub of: u32,
}

/// When a rule is active, in real milliseconds since the traffic of the scenario began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First active millisecond.
    pub from_ms: u64,
    /// First millisecond after the window.
    pub until_ms: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { from_ms: 0, until_ms: u64::MAX }
    }
}

/// Which requests a rule looks at; an absent field matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// Routes of the contract; empty means all but `health`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// The method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A handle, or a prefix of handles ending in `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Events of webhooks; empty means all. A request that is no delivery has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<WebhookEvent>,
}

/// Which of the matching requests are hit, counted for each request key from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by", deny_unknown_fields)]
pub enum Pick {
    /// Every one.
    #[default]
    All,
    /// Those with `from <= nth < until`, for each key.
    Nth {
        /// First ordinal hit.
        from: u64,
        /// First ordinal no longer hit.
        until: u64,
    },
    /// A share, by hash.
    Share {
        /// The share.
        ratio: Ratio,
    },
}

/// One line of a fault plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique in the plan; it stands in the history beside each exchange it hit.
    pub id: String,
    /// When; always, unless it says otherwise.
    #[serde(default)]
    pub window: Window,
    /// Who is looked at.
    #[serde(default)]
    pub matcher: Matcher,
    /// Who is hit; everybody, unless it says otherwise.
    #[serde(default)]
    pub pick: Pick,
    /// What happens.
    pub fault: Fault,
}

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

/// What shall happen to a request; latency adds up, of the others the first one wins.
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
    Latency
    Stall
    Reset
    Truncate
    LoseAnswer
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

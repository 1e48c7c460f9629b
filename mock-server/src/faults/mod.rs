//! Faults decide: a rule picks requests by hash, and its fault says what shall happen to them.
//!
//! Only the server and the edge act on a decision. A decision depends on the seed, the rule, the
//! request's key and its ordinal for that key, and on nothing else: interleaving cannot change who
//! is hit.
//!
//! # Adding a fault
//!
//! 1. Its file, named like its kind: settings, [`FaultInfo`], and [`Decide`] with what it decides and
//!    what harm that does. The smallest to copy is `empty_reply.rs`; `lose_answer.rs` has its effect
//!    all the same, `rate_headers.rs` chooses among flaws, and `kill.rs` acts on the process.
//! 2. Here, its `mod` line and its line in `faults!`.
//! 3. Its act, if no [`Effect`] does what it needs. A new effect does not compile before it has a
//!    [`Shape`] and stands in the matches of `edge/act/mod.rs` and `edge/act/body.rs`. A change of
//!    the answer is a [`Rewrite`] with its arm in `routes/rewrite/mod.rs`, something about a webhook a
//!    `DeliveryEffect` with its arm in `webhooks/effect.rs`, a new fault of the process an arm in the
//!    harness's match of [`ProcessFault`].
//!
//! Nothing else: plans, `list`, `explain`, marks in the history and judges read what the file says.
//! The tables of what a client sees are made by tests, whose heads say how to write them anew:
//! `tests/fault_table.md` by `tests/mock/faults/table.rs`, `tests/webhook_table.md` by
//! `tests/mock/webhook_table.rs`.

mod bad_certificate;
mod bad_chunk;
mod bad_handshake;
mod bad_json;
mod bandwidth;
mod choice;
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
mod harm;
mod hold;
pub mod holds;
mod hostile_strings;
mod html;
mod kill;
mod kind;
mod late_error;
mod latency;
mod lose_answer;
mod malformed_head;
mod no_connect;
mod ordinals;
mod partial_failure;
mod pause;
pub mod plan;
mod poison;
mod process;
mod rate_headers;
mod reformat;
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
mod vault_path;
mod vault_slow;
mod vault_stale;
mod vault_stall;
mod vault_status;

pub use effect::{Accept, Effect, Onset, Shape, Shut};
pub use harm::Harm;
pub use kind::UnknownFault;
pub use process::{ActsOnProcess, Strike};
pub use registry::{Caution, FaultInfo, Mistake, Place};
pub use rewrite::Rewrite;
pub use roll::Roll;
pub use rule::{Matcher, Pick, Ratio, Rule, Window};
pub(crate) use status::HUGE;

use crate::contract::Route;
use crate::webhooks::WebhookEvent;
use schemars::JsonSchema;
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
    /// The vault was asked.
    Vault,
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
    /// A connection that was accepted just now.
    pub(crate) const fn connection() -> Self {
        let (stage, route, key) = (Stage::Connection, Route::Unknown, engine::CONNECTION_KEY);
        Self { stage, method: "", route, handle: None, key }
    }

    /// A request to a secrets manager: the path below `/v1/` at which the vault has the same is its key.
    pub(crate) const fn vault<'a>(method: &'a str, path: &'a str) -> RequestView<'a> {
        RequestView { stage: Stage::Vault, method, route: Route::Unknown, handle: None, key: path }
    }

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
    pub kind: FaultKind,
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

    /// What becomes of an attempt that it hits.
    fn harm(&self) -> Harm;

    /// What is wrong with the settings, beyond what their types say.
    fn mistakes(&self) -> Vec<Mistake> {
        Vec::new()
    }
}

/// Names every fault once, with its file and whatever else is its own; the enums, their dispatch and
/// the registry follow. Those of the process are named apart, so that whoever carries them out has
/// an exhaustive match of them alone.
macro_rules! faults {
    (
        wire { $($file:ident::{$name:ident $(, $with:ident)*})* }
        process { $($process_file:ident::{$process:ident})* }
    ) => {
        $(pub use $file::{$name $(, $with)*};)*
        $(pub use $process_file::$process;)*

        /// Every fault, by its settings.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", tag = "kind")]
        pub enum Fault {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
            $(#[doc = concat!("See [`", stringify!($process), "`].")] $process($process),)*
        }

        /// Every fault, without its settings. What a history names and this version does not know
        /// is no kind: it cannot be read as one that does no harm.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum FaultKind {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name,)*
            $(#[doc = concat!("See [`", stringify!($process), "`].")] $process,)*
        }

        /// The faults that the harness carries out on the integration's process.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum ProcessFault {
            $(#[doc = concat!("See [`", stringify!($process), "`].")] $process($process),)*
        }

        /// Every fault that a rule may name, in reading order.
        pub const FAULTS: &[FaultInfo] =
            &[$(<$name as Decide>::INFO,)* $(<$process as Decide>::INFO,)*];

        impl Fault {
            /// Its kind, as it stands in the history.
            #[must_use]
            pub const fn kind(&self) -> FaultKind {
                match self {
                    $(Self::$name(_) => FaultKind::$name,)*
                    $(Self::$process(_) => FaultKind::$process,)*
                }
            }

            /// The fault of the process that it is, if it is one.
            #[must_use]
            pub const fn as_process(&self) -> Option<ProcessFault> {
                match self {
                    $(Self::$name(_) => None,)*
                    $(Self::$process(fault) => Some(ProcessFault::$process(*fault)),)*
                }
            }

            /// When it decides.
            #[must_use]
            pub fn stage(&self) -> Stage {
                match self {
                    $(Self::$name(fault) => fault.stage(),)*
                    $(Self::$process(fault) => fault.stage(),)*
                }
            }

            /// What happens to this request, once a rule has picked it.
            #[must_use]
            pub fn decide(&self, request: &RequestView<'_>, roll: &mut Roll) -> Effect {
                match self {
                    $(Self::$name(fault) => fault.decide(request, roll),)*
                    $(Self::$process(fault) => fault.decide(request, roll),)*
                }
            }

            /// What becomes of an attempt that it hits.
            #[must_use]
            pub fn harm(&self) -> Harm {
                match self {
                    $(Self::$name(fault) => fault.harm(),)*
                    $(Self::$process(fault) => fault.harm(),)*
                }
            }

            /// What is wrong with the settings, beyond what their types say.
            #[must_use]
            pub fn mistakes(&self) -> Vec<Mistake> {
                match self {
                    $(Self::$name(fault) => fault.mistakes(),)*
                    $(Self::$process(fault) => fault.mistakes(),)*
                }
            }
        }

        impl FaultKind {
            /// Every kind, in the order of [`FAULTS`].
            pub const ALL: &[Self] = &[$(Self::$name,)* $(Self::$process,)*];

            /// What a reader needs to know of it.
            #[must_use]
            pub const fn info(self) -> FaultInfo {
                match self {
                    $(Self::$name => <$name as Decide>::INFO,)*
                    $(Self::$process => <$process as Decide>::INFO,)*
                }
            }
        }

        impl ProcessFault {
            /// When it strikes.
            #[must_use]
            pub fn on(&self) -> Strike {
                match self { $(Self::$process(fault) => fault.on(),)* }
            }

            /// See [`ActsOnProcess::back_after_ms`].
            #[must_use]
            pub fn back_after_ms(&self, start_ms: u64) -> u64 {
                match self { $(Self::$process(fault) => fault.back_after_ms(start_ms),)* }
            }
        }
    };
}
faults! {
    wire {
        status::{Status, RetryAfterSpec}
        late_error::{LateError}
        partial_failure::{PartialFailure}
        expired_cursor::{ExpiredCursor}
        short_pages::{ShortPages}
        rate_headers::{RateHeaders, RateLie}
        skewed_date::{SkewedDate, DateFlaw}
        html::{Html}
        content_type::{ContentType}
        bad_json::{BadJson, JsonFlaw}
        hostile_strings::{HostileStrings}
        latency::{Latency}
        bandwidth::{Bandwidth}
        stall::{Stall, StallAt}
        hold::{Hold}
        slow_close::{SlowClose}
        refuse::{Refuse}
        no_connect::{NoConnect}
        tls_alert::{TlsAlert}
        bad_certificate::{BadCertificate, CertificateFlaw}
        bad_handshake::{BadHandshake, HandshakeFlaw}
        reset::{Reset, ResetAt}
        empty_reply::{EmptyReply}
        lose_answer::{LoseAnswer}
        garbage::{Garbage}
        malformed_head::{MalformedHead, HeadFlaw}
        bad_chunk::{BadChunk, ChunkFlaw}
        truncate::{Truncate}
        duplicate::{Duplicate}
        reorder::{Reorder}
        delay::{Delay}
        stale::{Stale}
        future::{Future}
        forge::{Forge}
        rotate::{Rotate}
        reformat::{Reformat}
        poison::{Poison}
        vault_status::{VaultStatus}
        vault_stall::{VaultStall}
        vault_slow::{VaultSlow}
        vault_stale::{VaultStale}
    }
    process {
        kill::{Kill}
        terminate::{Terminate}
        pause::{Pause}
    }
}

impl Fault {
    /// What a reader needs to know of this fault.
    #[must_use]
    pub const fn info(&self) -> FaultInfo {
        self.kind().info()
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

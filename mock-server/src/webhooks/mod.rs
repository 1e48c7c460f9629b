//! Webhooks: who wants them, how they are signed, when they are sent again, and how a bad sender lies.
//!
//! Whoever changes something posts a message to the `queue`, which costs next to nothing while
//! nobody is registered. The `sender`, on a thread of its own, asks the fault plan once for each
//! message and registration, seals the message under the contract's scheme, sends it, and tries
//! again on the schedule. Every attempt is a [`crate::history::record::Delivery`]; whether it was authentic
//! is the word of the same [`Oracle`] that a judge may ask, never of the fault that shaped it.
//!
//! One message has one id, the same at every registration and in every attempt, as in Standard
//! Webhooks. Traffic goes to loopback, and to whom the configuration names.

mod address;
mod context;
mod delivery;
mod edits;
mod effect;
mod event;
mod forgery;
mod indigestible;
mod message;
mod oracle;
mod queue;
mod registrations;
mod schedule;
mod schemes;
mod sender;
mod signing;

pub use effect::{DeliveryEffect, SignatureList};
pub use event::{UnknownEvent, WebhookEvent};
pub use forgery::Forgery;
pub use indigestible::Indigestible;
pub use oracle::{Oracle, Refusal};
pub use registrations::{Registration, RegistrationError};
pub use schemes::SchemeName;

pub(crate) use queue::Queue;
pub(crate) use sender::{Sender, SenderConfig};

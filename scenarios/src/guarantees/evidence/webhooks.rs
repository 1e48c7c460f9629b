//! What was sent to the integration: what makes each delivery what it is, and which were one message.

use crate::case::Case;
use mock_server::faults::Fault;
use mock_server::history::record::Delivery;
use mock_server::webhooks::{Forgery, Indigestible, SchemeName, SignatureList};
use std::collections::BTreeMap;

/// What makes a delivery what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Nothing: it is genuine, and of now.
    Genuine,
    /// It was forged.
    Forged(Forgery),
    /// Its timestamp is off by so many seconds; less than 0 is the past.
    Shifted(i64),
    /// It is genuine, and its signature stands in a list.
    Listed(SignatureList),
    /// It is genuine, and laid out oddly.
    Reformatted,
    /// It is genuine, and nobody can process it.
    Poison(Indigestible, u32),
}

/// The attempts to deliver one message to one registration.
pub struct Message<'c> {
    /// In order of their beginnings; never none.
    pub attempts: Vec<&'c Delivery>,
}

impl Nature {
    /// What the faults that shaped a delivery made of it.
    #[must_use]
    pub fn of(case: &Case, delivery: &Delivery) -> Self {
        let faults = delivery.faults.iter().filter_map(|mark| {
            case.plan.faults.iter().find(|rule| rule.id == mark.rule).map(|rule| &rule.fault)
        });
        for fault in faults {
            match fault {
                Fault::Forge(forge) => return Self::Forged(forge.how),
                Fault::Stale(stale) => return Self::Shifted(-i64::from(stale.age_s)),
                Fault::Future(future) => return Self::Shifted(future.ahead_s.into()),
                Fault::Rotate(rotate) => return Self::Listed(rotate.list),
                Fault::Reformat(_) => return Self::Reformatted,
                Fault::Poison(poison) => return Self::Poison(poison.how, poison.bytes),
                _ => {}
            }
        }
        Self::Genuine
    }

    /// In words, for people.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Genuine => "genuine".to_owned(),
            Self::Forged(how) => format!("forged ({})", word(how)),
            Self::Shifted(by) if by < 0 => format!("{} s old", -by),
            Self::Shifted(by) => format!("{by} s ahead of time"),
            Self::Listed(list) => format!("genuine, in a list ({})", word(list)),
            Self::Reformatted => "genuine, laid out oddly".to_owned(),
            Self::Poison(how, _) => format!("genuine and senseless ({})", word(how)),
        }
    }
}

fn word(value: impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Every message with its attempts, in order of their first ones. What a forgery calls by another id is a
/// message of its own.
#[must_use]
pub fn messages(case: &Case) -> Vec<Message<'_>> {
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut all: Vec<Message<'_>> = Vec::new();
    for delivery in &case.linktree.deliveries {
        let place = *places.entry((&delivery.webhook, &delivery.id)).or_insert(all.len());
        match all.get_mut(place) {
            Some(message) => message.attempts.push(delivery),
            None => all.push(Message { attempts: vec![delivery] }),
        }
    }
    all
}

/// Whether it was accepted.
#[must_use]
pub fn is_accepted(delivery: &Delivery) -> bool {
    delivery.status.is_some_and(|status| (200..300).contains(&status))
}

/// Whether nothing but the integration decided how it was answered: it ran from then on until then.
#[must_use]
pub fn is_undisturbed(case: &Case, delivery: &Delivery) -> bool {
    !case.target.disturbed_within(delivery.t_sent.minus(case.harness.delta), delivery.t_end)
}

/// A line of a witness's story.
#[must_use]
pub fn tell(case: &Case, delivery: &Delivery) -> String {
    let answer = match (delivery.status, &delivery.failure) {
        (Some(status), _) => status.to_string(),
        (None, Some(why)) => why.clone(),
        (None, None) => "no answer".to_owned(),
    };
    let (at, nature) = (case.at(delivery.t_sent), Nature::of(case, delivery).words());
    let Delivery { webhook_event, handle, id, .. } = delivery;
    format!("{at} {webhook_event} about {handle} ({id}), {nature} → {answer}")
}

/// Whether this scheme's headers carry a time, and whether they have room for several signatures.
#[must_use]
pub const fn carries(scheme: SchemeName) -> (bool, bool) {
    match scheme {
        SchemeName::StandardWebhooks | SchemeName::LinktreeAssumed | SchemeName::Stripe => {
            (true, true)
        }
        SchemeName::Github => (false, false),
    }
}

/// On either side of the contract's tolerance nobody is judged for so long: clocks are read in whole
/// seconds, and a delivery may wait.
const ROUNDING_S: i64 = 10;

/// What is off by this is believed, for certain or not at all.
#[must_use]
pub fn is_near(case: &Case, by_s: i64) -> Option<bool> {
    let tolerance = i64::from(case.contract.webhooks.tolerance_s);
    match by_s.abs() {
        off if off <= tolerance - ROUNDING_S => Some(true),
        off if off >= tolerance + ROUNDING_S => Some(false),
        _ => None,
    }
}

/// Whether nobody may believe it. Of an upper-case signature that is an open question: who decodes hex
/// before comparing takes it.
#[must_use]
pub fn is_unbelievable(case: &Case, delivery: &Delivery) -> bool {
    !delivery.authentic
        && match Nature::of(case, delivery) {
            Nature::Forged(how) => how != Forgery::UpperCaseHex,
            Nature::Shifted(by) => is_near(case, by) == Some(false),
            _ => false,
        }
}

//! What a webhook fault may do to a delivery, and the part of it that is done to the letter itself.

use super::forgery::{Forgery, Sealing};
use super::indigestible::{self, Indigestible};
use super::signing::{Letter, Signature};
use serde::{Deserialize, Serialize};

/// What shall happen to the delivery of one message to one registration.
///
/// Times and copies concern the first attempt; what is sent is shaped in later attempts only where
/// the effect says so, so that a refused forgery is followed by the genuine message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "delivery")]
pub enum DeliveryEffect {
    /// The same bytes are sent this often.
    Duplicate {
        /// How often in all.
        copies: u32,
        /// Real milliseconds between the beginnings of two copies.
        gap_ms: u64,
    },
    /// It waits until later messages were delivered or refused, or a time has passed.
    Reorder {
        /// How many later messages.
        behind: u32,
        /// The time, real milliseconds.
        at_most_ms: u64,
    },
    /// The timestamp is wrong by this, under a right signature.
    Shift {
        /// Seconds; less than 0 is the past.
        by_s: i64,
        /// Whether later attempts are shifted too.
        every_attempt: bool,
    },
    /// The delivery is spoiled.
    Forge {
        /// How.
        how: Forgery,
        /// Whether later attempts are spoiled too.
        every_attempt: bool,
    },
    /// The right signatures come in a list with others, in every attempt.
    Rotate {
        /// Which list.
        list: SignatureList,
    },
    /// It says something that nobody can process, rightly signed, in every attempt.
    Poison {
        /// What is wrong with it.
        how: Indigestible,
        /// Bytes of the body at the least.
        bytes: u32,
    },
    /// The same JSON, laid out otherwise and rightly signed, in every attempt.
    Reformat,
}

/// A signature list as it comes while keys rotate; all of them are authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureList {
    /// A signature of a secret that the receiver does not have, then the right ones.
    StrangerFirst,
    /// The right ones, then a signature of a secret that the receiver does not have.
    StrangerLast,
    /// Entries of unknown versions before and after the right ones.
    UnknownVersions,
}

impl DeliveryEffect {
    /// Whether attempts after the first are shaped, too.
    #[must_use]
    pub const fn is_for_every_attempt(&self) -> bool {
        match *self {
            Self::Duplicate { .. } | Self::Reorder { .. } => false,
            Self::Shift { every_attempt, .. } | Self::Forge { every_attempt, .. } => every_attempt,
            Self::Rotate { .. } | Self::Poison { .. } | Self::Reformat => true,
        }
    }
}

/// Seals a letter as the effect wants it. False when the scheme has no room for the effect (a
/// timestamp or a list that it does not carry): then the letter is an ordinary one.
pub(super) fn seal(
    letter: &mut Letter,
    sealing: &Sealing<'_>,
    effect: Option<DeliveryEffect>,
) -> bool {
    let scheme = sealing.scheme;
    if let Some(DeliveryEffect::Shift { by_s, .. }) = effect
        && scheme.covers_timestamp()
    {
        let seconds: i64 = letter.stamp.timestamp.parse().unwrap_or_default();
        letter.stamp.timestamp = seconds.saturating_add(by_s).to_string();
    }
    match effect {
        Some(DeliveryEffect::Poison { how, bytes }) => indigestible::poison(letter, how, bytes),
        Some(DeliveryEffect::Reformat) => indigestible::reformat(&mut letter.body),
        _ => {}
    }
    letter.sign(scheme, sealing.secrets);
    match effect {
        Some(DeliveryEffect::Shift { .. }) => scheme.covers_timestamp(),
        Some(DeliveryEffect::Forge { how, .. }) => {
            how.spoil(letter, sealing);
            true
        }
        Some(DeliveryEffect::Rotate { list }) if scheme.lists() => {
            add_strangers(letter, sealing, list);
            true
        }
        Some(DeliveryEffect::Rotate { .. }) => false,
        Some(
            DeliveryEffect::Duplicate { .. }
            | DeliveryEffect::Reorder { .. }
            | DeliveryEffect::Poison { .. }
            | DeliveryEffect::Reformat,
        )
        | None => true,
    }
}

fn add_strangers(letter: &mut Letter, sealing: &Sealing<'_>, list: SignatureList) {
    let Some(stranger) = letter.signature(sealing.scheme, sealing.stranger) else { return };
    let versioned = |version: &str| Signature { version: version.to_owned(), ..stranger.clone() };
    let signatures = letter.stamp.signatures.get_or_insert_default();
    match list {
        SignatureList::StrangerFirst => signatures.insert(0, stranger),
        SignatureList::StrangerLast => signatures.push(stranger),
        SignatureList::UnknownVersions => {
            signatures.insert(0, versioned("v2"));
            signatures.push(versioned("v1a"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::Refusal;
    use super::super::schemes::SchemeName;
    use super::super::schemes::testing::{NOW, SECRET, letter, verdict};
    use super::*;

    fn shaped(name: SchemeName, effect: DeliveryEffect) -> (Letter, bool) {
        let secrets = [SECRET.to_owned()];
        let stranger = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let sealing = Sealing { scheme: name.scheme(), secrets: &secrets, stranger };
        let mut letter = letter();
        let done = seal(&mut letter, &sealing, Some(effect));
        (letter, done)
    }

    #[test]
    fn a_shifted_letter_is_rightly_signed_for_its_own_time() {
        for name in SchemeName::ALL {
            let shift = DeliveryEffect::Shift { by_s: -301, every_attempt: false };
            let (letter, done) = shaped(name, shift);
            let timeless = name == SchemeName::Github;
            assert_eq!(done, !timeless, "{name:?}");
            assert_eq!(verdict(name, &letter, NOW - 301), Ok(()), "{name:?}");
            let now = if timeless { Ok(()) } else { Err(Refusal::TooOld) };
            assert_eq!(verdict(name, &letter, NOW), now, "{name:?}");
        }
    }

    #[test]
    fn a_rotating_sender_is_authentic_whatever_the_list() {
        for name in SchemeName::ALL {
            for (list, length) in [
                (SignatureList::StrangerFirst, 2),
                (SignatureList::StrangerLast, 2),
                (SignatureList::UnknownVersions, 3),
            ] {
                let (letter, done) = shaped(name, DeliveryEffect::Rotate { list });
                let single = name == SchemeName::Github;
                assert_eq!(done, !single, "{name:?}");
                let expected = if single { 1 } else { length };
                assert_eq!(letter.stamp.signatures.as_ref().unwrap().len(), expected);
                assert_eq!(verdict(name, &letter, NOW), Ok(()), "{name:?} {list:?}");
            }
        }
    }
}

//! Secrets that are printed in two pieces, because another writer's output came between two writes.
//!
//! The first piece is the beginning of a secret that does not go on; the last one is what is missing of it.
//! Each alone is no find: a mask or a fingerprint shows as much. Only secrets as they stand are pieced
//! together, in either case.

use std::ops::Range;
use std::sync::Arc;

/// The shortest first piece, bytes: one more than masks show, which is what keys begin alike, and four
/// characters.
pub const FIRST: usize = 13;

/// The shortest last piece, bytes.
pub const LAST: usize = 8;

/// A secret whose beginning stands somewhere, and whose end does not stand behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun<L> {
    /// Which.
    pub label: L,
    /// Where its beginning stands; what follows may go on with it by chance.
    pub range: Range<usize>,
    /// In lower case.
    secret: Arc<[u8]>,
}

impl<L> Begun<L> {
    /// Whether it is the same secret that begins.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.secret, &other.secret)
    }

    /// How long the rest of the secret is with which `bytes` begin, if they do.
    #[must_use]
    pub fn rest(&self, bytes: &[u8]) -> Option<usize> {
        let most = self.range.len().min(self.secret.len().saturating_sub(LAST));
        let rests = (FIRST..=most).map(|from| &self.secret[from..]);
        let begins = |rest: &&[u8]| {
            bytes.get(..rest.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(rest))
        };
        rests.rev().find(begins).map(<[u8]>::len)
    }
}

/// One of two pieces, to be taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<L> {
    /// Of which secret.
    pub label: L,
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether it is the first one.
    pub is_first: bool,
}

/// Secrets that begin alike and may come in two pieces, in lower case and in order.
pub(super) struct Beginnings<L>(Vec<(Arc<[u8]>, L)>);

impl<L> Default for Beginnings<L> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<L: Copy> Beginnings<L> {
    /// Adds a secret, unless it is too short for two pieces.
    pub fn add(&mut self, secret: &str, label: L) {
        if secret.len() < FIRST + LAST {
            return;
        }
        let secret: Arc<[u8]> = secret.as_bytes().into();
        let place = self.0.partition_point(|(known, _)| *known < secret);
        if self.0.get(place).is_none_or(|(known, _)| *known != secret) {
            self.0.insert(place, (secret, label));
        }
    }

    /// Calls back for each secret with whose beginning `bytes` begin, from `at` on where they stand.
    pub fn each(&self, bytes: &[u8], at: usize, mut begun: impl FnMut(Begun<L>)) {
        let Some(first) = bytes.get(..FIRST).filter(|_| !self.0.is_empty()) else { return };
        let first = first.to_ascii_lowercase();
        let from = self.0.partition_point(|(secret, _)| secret[..FIRST] < first[..]);
        let alike = self.0[from..].iter().take_while(|(secret, _)| secret[..FIRST] == first[..]);
        for (secret, label) in alike {
            let pairs = secret.iter().zip(bytes);
            let length = pairs.take_while(|(known, byte)| **known == byte.to_ascii_lowercase());
            let range = at..at + length.count();
            begun(Begun { label: *label, range, secret: Arc::clone(secret) });
        }
    }
}

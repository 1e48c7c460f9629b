//! Finds secrets in bytes however they are written: plain, in another case, escaped, in hex or base64, or
//! byte by byte as programs print their buffers.
//!
//! Bytes are searched once as they stand, and again with their escapes undone (percent-encoding, JSON's,
//! HTML's, quoted-printable), a few times over, but only where they have any. Base64 is not undone: the characters that a
//! secret becomes in it, for each of the three positions that it can have in a group of three bytes,
//! are searched for like the secret itself. Upper and lower case of ASCII letters are the same.

mod escapes;
mod forms;
mod heads;
mod levels;
mod torn;

pub use torn::{Begun, FIRST, LAST, Piece};

use forms::forms;
use heads::Heads;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use torn::Beginnings;

/// What stands where a secret stood.
pub const REDACTED: &str = "[key]";

/// Shorter secrets, such as the `root` of a development vault, would be found in harmless words.
pub const SHORTEST: usize = 8;

/// What a credential of the mock is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is an API key, whose place is the bearer header.
    ApiKey,
    /// It opens the vault.
    Vault,
    /// It signs webhooks.
    Other,
}

/// Which kinds of secret were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub api_key: bool,
    pub other: bool,
}

impl Found {
    /// Whether it is of this kind, and no more than that.
    pub fn only(self, kind: Kind) -> Self {
        match kind {
            Kind::ApiKey => Self { other: false, ..self },
            Kind::Vault | Kind::Other => Self { api_key: false, ..self },
        }
    }

    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::ApiKey => self.api_key = true,
            Kind::Vault | Kind::Other => self.other = true,
        }
    }
}

/// A set of secrets to look for, each with a label.
///
/// Keys begin alike, so that a few beginnings are searched for, and only what follows one of them is
/// looked up among the secrets: hundreds of keys cost a request no more than two.
pub struct SecretScanner<L> {
    heads: Heads,
    bodies: Vec<Bodies<L>>,
}

/// The forms of secrets that share their first bytes, in lower case.
struct Bodies<L> {
    /// Longest first.
    lengths: Vec<usize>,
    forms: HashMap<Vec<u8>, L>,
    /// Those that may come in two pieces.
    beginnings: Beginnings<L>,
}

/// What stands in bytes.
enum Hit<L> {
    Whole(L, Range<usize>),
    Begun(Begun<L>),
}

impl<L: Copy> Bodies<L> {
    fn add(&mut self, form: String, label: L) {
        if !self.lengths.contains(&form.len()) {
            self.lengths.push(form.len());
            self.lengths.sort_unstable_by(|a, b| b.cmp(a));
        }
        self.forms.entry(form.into_bytes()).or_insert(label);
    }

    /// The longest form that `bytes` begin with, and its length.
    fn longest(&self, bytes: &[u8]) -> Option<(L, usize)> {
        self.lengths.iter().find_map(|&length| {
            let form = bytes.get(..length)?.to_ascii_lowercase();
            self.forms.get(&form).map(|&label| (label, length))
        })
    }
}

impl<L: Copy> SecretScanner<L> {
    /// A scanner for these secrets; those of fewer than [`SHORTEST`] bytes are left out. Of two
    /// labels for the same secret the first one counts.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, L)>) -> Self {
        Self::tearing(secrets, |_| false)
    }

    /// The same, which notices where those that may come in two pieces begin.
    pub fn tearing<'a>(
        secrets: impl IntoIterator<Item = (&'a str, L)>,
        may_tear: impl Fn(L) -> bool,
    ) -> Self {
        let mut numbers: HashMap<[u8; SHORTEST], usize> = HashMap::new();
        let mut heads = Vec::new();
        let mut bodies: Vec<Bodies<L>> = Vec::new();
        for (secret, label) in secrets {
            if secret.len() < SHORTEST {
                continue;
            }
            for form in forms(secret) {
                let Some(head) = form.as_bytes().first_chunk::<SHORTEST>() else { continue };
                let number = *numbers.entry(*head).or_insert_with_key(|head| {
                    heads.push(*head);
                    let (lengths, forms) = (Vec::new(), HashMap::new());
                    bodies.push(Bodies { lengths, forms, beginnings: Beginnings::default() });
                    bodies.len() - 1
                });
                // As it stands, but for its case.
                if may_tear(label) && form.eq_ignore_ascii_case(secret) {
                    bodies[number].beginnings.add(&form, label);
                }
                bodies[number].add(form, label);
            }
        }
        Self { heads: Heads::new(&heads), bodies }
    }

    /// Calls back with the label of every secret in these bytes, at whatever depth of escapes; more
    /// than once for a secret that is found at several depths.
    pub fn each_in(&self, bytes: &[u8], mut found: impl FnMut(L)) {
        self.each_and_begun(bytes, &mut found, |_| ());
    }

    /// The same, and calls back with each secret that begins in these very bytes and does not end there.
    pub fn each_and_begun(
        &self,
        bytes: &[u8],
        mut found: impl FnMut(L),
        mut begun: impl FnMut(Begun<L>),
    ) {
        let mut is_plain = true;
        levels::each(bytes, false, &mut |text, _| {
            self.each(text, |hit| match hit {
                Hit::Whole(label, _) => found(label),
                Hit::Begun(one) if is_plain => begun(one),
                Hit::Begun(_) => {}
            });
            is_plain = false;
        });
    }

    /// The text with `mark` in place of every secret.
    pub fn replaced<'t>(&self, text: &'t str, mark: impl Fn(L) -> &'static str) -> Cow<'t, str> {
        self.replaced_with(text, &[], mark)
    }

    /// The same, and in place of these pieces, with an ellipsis where the other one is missing.
    pub fn replaced_with<'t>(
        &self,
        text: &'t str,
        pieces: &[Piece<L>],
        mark: impl Fn(L) -> &'static str,
    ) -> Cow<'t, str> {
        let whole = self.ranges(text.as_bytes()).into_iter();
        let mut hits: Vec<_> = whole.map(|(label, range)| (range, ["", mark(label), ""])).collect();
        hits.extend(pieces.iter().map(|Piece { label, range, is_first }| {
            let dots = if *is_first { ["", "…"] } else { ["…", ""] };
            (range.clone(), [dots[0], mark(*label), dots[1]])
        }));
        if hits.is_empty() {
            return Cow::Borrowed(text);
        }
        // What stands whole at the same place comes first.
        hits.sort_by_key(|hit| hit.0.start);
        let mut out = Vec::with_capacity(text.len());
        let mut done = 0;
        for (hit, shown) in hits {
            if hit.start >= done {
                out.extend_from_slice(&text.as_bytes()[done..hit.start]);
                out.extend_from_slice(shown.concat().as_bytes());
            }
            done = done.max(hit.end);
        }
        out.extend_from_slice(&text.as_bytes()[done..]);
        Cow::Owned(String::from_utf8_lossy(&out).into_owned())
    }

    /// The first place from `at` on where these bytes can be cut without cutting a secret in two, or the
    /// first of its pieces.
    pub fn cut(&self, bytes: &[u8], at: usize) -> usize {
        let mut hits = self.ranges(bytes);
        self.each_and_begun(bytes, |_| (), |begun| hits.push((begun.label, begun.range)));
        let mut at = at.min(bytes.len());
        while let Some((_, hit)) = hits.iter().find(|(_, hit)| hit.start < at && at < hit.end) {
            at = hit.end;
        }
        at
    }

    /// The bytes that secrets take up, at whatever depth they are found.
    fn ranges(&self, bytes: &[u8]) -> Vec<(L, Range<usize>)> {
        let (mut hits, mut any) = (Vec::new(), false);
        // Where each byte of an undone text began is only worth remembering where something is found.
        self.each_in(bytes, |_| any = true);
        if !any {
            return hits;
        }
        levels::each(bytes, true, &mut |text, origin| {
            let began = |at: usize| origin.map_or(at, |origin| origin[at]);
            self.each(text, |hit| {
                if let Hit::Whole(label, range) = hit {
                    hits.push((label, began(range.start)..began(range.end)));
                }
            });
        });
        hits
    }

    /// Calls back for every secret that stands, or begins, in these very bytes.
    fn each(&self, bytes: &[u8], mut hit: impl FnMut(Hit<L>)) {
        self.heads.each(bytes, |number, at| {
            let (bodies, rest) = (&self.bodies[number], &bytes[at..]);
            match bodies.longest(rest) {
                Some((label, length)) => hit(Hit::Whole(label, at..at + length)),
                None => bodies.beginnings.each(rest, at, |begun| hit(Hit::Begun(begun))),
            }
        });
    }
}

impl SecretScanner<Kind> {
    /// Which kinds of secret these bytes hold.
    pub(crate) fn find(&self, bytes: &[u8]) -> Found {
        let mut found = Found::default();
        self.each_in(bytes, |kind| found.add(kind));
        found
    }

    /// The text with `[key]` in place of every secret.
    pub(crate) fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replaced(text, |_| REDACTED)
    }
}

#[cfg(test)]
mod tests;

//! Links in pages by keyset: a cursor names the last link that was listed, not how many there were.
//!
//! Ranks never change, so every link that exists during a whole traversal is listed exactly once,
//! whatever comes and goes before, behind and at the cursor.

use crate::clock::Moment;
use crate::seed;
use crate::world::link::Link;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt;

/// Where a page begins: behind the link of this rank, listed in an answer to a request at `issued`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub rank: u64,
    pub issued: Moment,
}

impl Cursor {
    /// As it stands on the wire: rank, moment and a seal over both and the creator's handle, so
    /// that no other creator's cursor, and none that was tampered with, is taken for one.
    pub fn written(self, seed: u64, handle: &str) -> String {
        let mut bytes = self.plain().to_vec();
        bytes.extend_from_slice(&self.seal(seed, handle));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this creator's links.
    pub fn read(text: &str, seed: u64, handle: &str) -> Option<Self> {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let number = |from: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[from..from + 8]);
            u64::from_be_bytes(eight)
        };
        let cursor = Self { rank: number(0), issued: Moment(number(8)) };
        (bytes[16..] == cursor.seal(seed, handle)).then_some(cursor)
    }

    fn plain(self) -> [u8; 16] {
        (u128::from(self.rank) << 64 | u128::from(self.issued.0)).to_be_bytes()
    }

    fn seal(self, seed: u64, handle: &str) -> [u8; 8] {
        let digest = seed::derive(seed, &["cursor", handle, &hex::encode(self.plain())]);
        let mut seal = [0; 8];
        seal.copy_from_slice(&digest[..8]);
        seal
    }
}

/// The links of one page, and the rank behind which the next one begins, if there are more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<'a> {
    pub links: &'a [Link],
    pub next: Option<u64>,
}

/// The page behind rank `after` with so many links; rank 0 is before them all. None at all is
/// lawful, too: the next page then begins where this one does.
pub(crate) fn page(links: &[Link], after: u64, count: usize) -> Page<'_> {
    let rest = &links[links.partition_point(|link| link.rank <= after)..];
    let listed = &rest[..count.min(rest.len())];
    let last = listed.last().map_or(after, |link| link.rank);
    Page { links: listed, next: (listed.len() < rest.len()).then_some(last) }
}

/// How many links a page of at most `limit` shows, when `per_mille` in a thousand pages are short
/// by lot; one at the least.
pub(crate) fn length(seed: u64, handle: &str, after: u64, limit: usize, per_mille: u32) -> usize {
    if per_mille == 0 || limit < 2 {
        return limit;
    }
    let mut dice = seed::stream(seed, &["short page", handle, &after.to_string()]);
    let short = dice.random_range(0..1_000) < per_mille;
    if short { dice.random_range(1..limit) } else { limit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CURSOR: Cursor = Cursor { rank: 9 << 32 | 5, issued: Moment(1_234_567) };

    fn links(ranks: &[u64]) -> Vec<Link> {
        let link = |rank| Link { rank, ..Link::inserted(7, "a", format!("lnk_{rank}"), 0, 0) };
        ranks.iter().map(|&rank| link(rank)).collect()
    }

    #[test]
    fn a_cursor_belongs_to_one_creator_of_one_run() {
        let text = CURSOR.written(7, "a-0001");
        assert_eq!(Cursor::read(&text, 7, "a-0001"), Some(CURSOR));
        assert_eq!(Cursor::read(&text, 7, "a-0002"), None);
        assert_eq!(Cursor::read(&text, 8, "a-0001"), None);
        for odd in ["", "40", "*", &text[1..], &format!("{text}AAAA")] {
            assert_eq!(Cursor::read(odd, 7, "a-0001"), None, "{odd}");
        }
    }

    #[test]
    fn the_next_page_begins_behind_the_last_link_even_if_that_is_gone() {
        let all = links(&[3, 5, 8, 9]);
        let check = |links: &[Link], after, count, ranks: &[u64], next| {
            let page = page(links, after, count);
            assert_eq!(page.links.iter().map(|link| link.rank).collect::<Vec<_>>(), ranks);
            assert_eq!(page.next, next);
        };
        check(&all, 0, 2, &[3, 5], Some(5));
        check(&links(&[3, 8, 9]), 5, 2, &[8, 9], None);
        check(&links(&[3, 4, 5, 6, 8, 9]), 5, 2, &[6, 8], Some(8));
        check(&all, 9, 2, &[], None);
        check(&all, u64::MAX, 2, &[], None);
        check(&all, 3, 0, &[], Some(3));
        check(&[], 0, 2, &[], None);
    }

    #[test]
    fn so_many_pages_are_short_and_none_is_empty() {
        let of = |per_mille| (0..1_000).map(move |after| length(7, "a", after, 20, per_mille));
        assert!(of(0).all(|length| length == 20));
        assert!(of(1_000).all(|length| (1..20).contains(&length)));
        let short = of(250).filter(|&length| length < 20).count();
        assert!((200..300).contains(&short), "{short}");
        assert!(of(1_000).eq(of(1_000)));
        assert_eq!(length(7, "a", 0, 1, 1_000), 1);
    }

    proptest! {
        /// No change to a cursor's text goes unnoticed.
        #[test]
        fn a_tampered_cursor_is_no_cursor(at in 0usize..32, with in "[A-Za-z0-9_-]") {
            let mut text = CURSOR.written(7, "a-0001");
            prop_assert_eq!(text.len(), 32);
            let same = text[at..=at] == with;
            text.replace_range(at..=at, &with);
            prop_assert_eq!(Cursor::read(&text, 7, "a-0001").is_some(), same);
        }
    }
}

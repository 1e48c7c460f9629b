//! Where one of thousands of heads stands in bytes, upper and lower case being the same.
//!
//! An automaton of so many heads does not fit into a processor's caches, and has to look at each byte.
//! Heads are all of one length, so that most bytes can be skipped (Wu and Manber, "A Fast Algorithm for
//! Multi-Pattern Searching", 1994): a block of three bytes that stands in no head at all cannot be part of
//! one, and the next head that could hold it ends as far behind.

use super::SHORTEST;
use std::collections::HashMap;

/// Bytes that are looked at together.
const BLOCK: usize = 3;
/// Blocks are told apart by so many bits of a hash: the table of jumps fits into a second-level cache.
const BITS: u32 = 16;
/// How far a block that stands in no head lets the search jump.
const FAR: u8 = (SHORTEST - BLOCK + 1) as u8;

/// Heads of [`SHORTEST`] bytes each.
pub(super) struct Heads {
    /// For the hash of each block how far the nearest head that holds it ends behind it; nothing without
    /// heads.
    jumps: Vec<u8>,
    /// Whether any head has this hash.
    known: Vec<bool>,
    numbers: HashMap<[u8; SHORTEST], usize>,
}

impl Heads {
    /// A search for these, which are numbered in their order; the first of two that are alike counts.
    pub fn new<'h>(heads: impl IntoIterator<Item = &'h [u8; SHORTEST]>) -> Self {
        let mut numbers = HashMap::new();
        for (number, head) in heads.into_iter().enumerate() {
            numbers.entry(head.map(|byte| byte.to_ascii_lowercase())).or_insert(number);
        }
        if numbers.is_empty() {
            return Self { jumps: Vec::new(), known: Vec::new(), numbers };
        }
        let (mut jumps, mut known) = (vec![FAR; 1 << BITS], vec![false; 1 << BITS]);
        for head in numbers.keys() {
            known[of_head(head)] = true;
            for (at, block) in head.windows(BLOCK).enumerate() {
                let behind = FAR - 1 - at as u8;
                let jump = &mut jumps[of_block(block)];
                *jump = behind.min(*jump);
            }
        }
        Self { jumps, known, numbers }
    }

    /// Calls back with the number of each head that stands in these bytes, and where, in order.
    pub fn each(&self, bytes: &[u8], mut found: impl FnMut(usize, usize)) {
        if self.jumps.is_empty() {
            return;
        }
        let mut end = SHORTEST;
        while end <= bytes.len() {
            let jump = self.jumps[of_block(&bytes[end - BLOCK..end])];
            if jump > 0 {
                end += usize::from(jump);
                continue;
            }
            let at = end - SHORTEST;
            let mut head = [0; SHORTEST];
            head.copy_from_slice(&bytes[at..end]);
            head.make_ascii_lowercase();
            if self.known[of_head(&head)]
                && let Some(number) = self.numbers.get(&head)
            {
                found(*number, at);
            }
            end += 1;
        }
    }
}

/// The hash of a block. Letters of either case have the same, and so have a few other bytes.
fn of_block(block: &[u8]) -> usize {
    let folded = u32::from_le_bytes([block[0], block[1], block[2], 0]) | 0x0020_2020;
    (folded.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
}

fn of_head(head: &[u8; SHORTEST]) -> usize {
    (u64::from_le_bytes(*head).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn found(heads: &[[u8; SHORTEST]], bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        Heads::new(heads).each(bytes, |number, at| all.push((number, at)));
        all
    }

    #[test]
    fn heads_are_found_wherever_they_stand_and_in_either_case() {
        let heads = [*b"lt_live_", *b"ann@mail", *b"aaaaaaaa"];
        assert_eq!(found(&heads, b"x LT_live_ann@MAIL"), [(0, 2), (1, 10)]);
        assert_eq!(found(&heads, b"aaAaaaaaaa"), [(2, 0), (2, 1), (2, 2)]);
        for nothing in [&b""[..], b"lt_live", b"lt_live-0", b"nn@mail_aaaaaaa"] {
            assert_eq!(found(&heads, nothing), [], "{nothing:?}");
        }
        assert_eq!(found(&[], b"lt_live_"), []);
    }

    proptest! {
        /// What is skipped holds nothing: with few different bytes, so that much is nearly a head.
        #[test]
        fn as_if_each_place_were_looked_at(
            heads in vec(proptest::array::uniform8(b'`'..=b'c'), 0..40),
            text in vec(prop_oneof![b'@'..=b'C', b'`'..=b'c'], 0..200),
        ) {
            let place = |at: usize| {
                let here = text.get(at..at + SHORTEST)?;
                let is_here = |head: &[u8; SHORTEST]| head.eq_ignore_ascii_case(here);
                Some((heads.iter().position(is_here)?, at))
            };
            let expected: Vec<_> = (0..text.len()).filter_map(place).collect();
            prop_assert_eq!(found(&heads, &text), expected);
        }
    }
}

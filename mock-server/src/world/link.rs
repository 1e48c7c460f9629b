//! A creator's link: what identifies it, what it says, and where it stands.

use crate::seed;
use crate::world::population::{Creator, pick};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

const TITLE: [&str; 8] = [
    "Shop",
    "Newsletter",
    "Latest video",
    "Tour dates",
    "Podcast",
    "Portfolio",
    "Tip jar",
    "Archive",
];

/// Ranks between a creator's original links, so that there is room for others.
pub(crate) const RANK_STEP: u64 = 1 << 32;

/// One link of a creator; id and rank survive edits and writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The link's id.
    pub id: String,
    /// The text; the first link's changes with every edit of the texts.
    pub title: String,
    /// Where it leads.
    pub url: String,
    /// Where the page shows it, from 0: pages show links by position, and by rank where two have
    /// the same. It may leave gaps.
    pub position: u32,
    /// Whether the page shows it.
    pub is_active: bool,
    /// Where it stands in listings: it never changes, so that every link is listed once however
    /// the others come and go.
    pub rank: u64,
    /// When it was last changed, in the calendar of [`Creator::updated_s`].
    pub updated_s: u64,
}

impl Link {
    /// A link that the creator has from the start, after `edit` edits of the texts.
    pub(crate) fn original(
        dice: &mut ChaCha8Rng,
        seed: u64,
        handle: &str,
        position: u32,
        edit: u32,
    ) -> Self {
        let title = pick(dice, &TITLE);
        let is_active = dice.random_range(0..8_u32) != 0;
        let edit = if position == 0 { edit } else { 0 };
        let again = if edit > 0 { format!(" ({edit})") } else { String::new() };
        let number = u64::from(position) + 1;
        Self {
            id: Self::id(seed, &[handle, &position.to_string()]),
            title: format!("{title} {number}{again}"),
            url: format!("https://example.org/{handle}/{number}"),
            position,
            is_active,
            rank: number * RANK_STEP,
            updated_s: Creator::stamp(edit, 0),
        }
    }

    /// A link that comes later, at any rank.
    pub(crate) fn inserted(
        seed: u64,
        handle: &str,
        id: String,
        position: u32,
        updated_s: u64,
    ) -> Self {
        let mut dice = seed::stream(seed, &["inserted", &id]);
        let number = u64::from(position) + 1;
        Self {
            title: format!("{} {number}", pick(&mut dice, &TITLE)),
            url: format!("https://example.org/{handle}/{number}"),
            is_active: dice.random_range(0..8_u32) != 0,
            rank: dice.random(),
            id,
            position,
            updated_s,
        }
    }

    /// The id of the link that these labels name.
    pub(crate) fn id(seed: u64, labels: &[&str]) -> String {
        let labels: Vec<_> = std::iter::once("link").chain(labels.iter().copied()).collect();
        format!("lnk_{}", hex::encode(&seed::derive(seed, &labels)[..6]))
    }

    /// The number in a link's id; none when this is no such id.
    pub(crate) fn key(id: &str) -> Option<u64> {
        let digits = id.strip_prefix("lnk_").filter(|digits| digits.len() == 12)?;
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        digits.bytes().all(lower).then(|| u64::from_str_radix(digits, 16).ok()).flatten()
    }

    /// Whether it is the first of the creator's original links.
    pub(crate) fn is_first(&self) -> bool {
        self.rank == RANK_STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_a_number_and_nothing_else_has() {
        let id = Link::id(7, &["a-0001", "3"]);
        assert_eq!(Link::key(&id), u64::from_str_radix(&id[4..], 16).ok());
        assert_ne!(id, Link::id(8, &["a-0001", "3"]));
        let upper = id.to_uppercase();
        for odd in ["", "lnk_", "lnk_00000000000", "lnk_+00000000000", "xnk_000000000000", &upper] {
            assert_eq!(Link::key(odd), None, "{odd}");
        }
    }
}

//! The links that a page shows, short enough to be noted of every view.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How many links a page shows, and which, in which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// How many.
    pub links: u32,
    /// The first 32 bits of a SHA-256 over their ids, a line each.
    pub ids: u32,
}

impl Shown {
    /// What a page with these link ids shows.
    pub fn of<'i>(ids: impl IntoIterator<Item = &'i str>) -> Self {
        let (mut links, mut digest) = (0, Sha256::new());
        for id in ids {
            links += 1;
            digest.update(id);
            digest.update(b"\n");
        }
        let mut first = [0; 4];
        first.copy_from_slice(&digest.finalize()[..4]);
        Self { links, ids: u32::from_be_bytes(first) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_links_or_another_order_are_another_page() {
        let all = Shown::of(["a", "b"]);
        assert_eq!((all.links, all), (2, Shown::of(["a", "b"])));
        for other in [&["b", "a"][..], &["a"], &["a", "c"], &["ab"], &[]] {
            assert_ne!(Shown::of(other.iter().copied()), all, "{other:?}");
        }
    }
}

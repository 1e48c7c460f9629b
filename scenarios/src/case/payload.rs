//! What a click says, as Linktree got it.

use super::pool::Text;
use std::fmt;

/// Hashes of what a click says, hardly any of which is that of another click.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// As [`click_payload`](mock_server::history::exchange::click_payload) writes them.
    Hashes([u32; 3]),
    /// Anything else.
    Other(Text),
}

impl Payload {
    /// These hashes, if they are written as such.
    pub(super) fn hashes(payload: &str) -> Option<Self> {
        hashes(payload).map(Self::Hashes)
    }
}

/// The numbers of hashes in hex with hyphens between them; none of what is written otherwise.
fn hashes(payload: &str) -> Option<[u32; 3]> {
    let mut parts = payload.split('-').map(|part| {
        let is_hash = part.len() == 8 && !part.contains(|c| !matches!(c, '0'..='9' | 'a'..='f'));
        u32::from_str_radix(part, 16).ok().filter(|_| is_hash)
    });
    let hashes = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(hashes)
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashes([creator, link, time]) => write!(f, "{creator:08x}-{link:08x}-{time:08x}"),
            Self::Other(text) => text.fmt(f),
        }
    }
}

impl PartialEq<str> for Payload {
    fn eq(&self, other: &str) -> bool {
        match self {
            Self::Hashes(own) => hashes(other).as_ref() == Some(own),
            Self::Other(text) => text == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::JudgedExchange;
    use crate::testing::sent_click;

    #[test]
    fn hashes_are_kept_as_numbers_and_written_as_they_came() {
        let judged = |payload: &str| {
            let mut click = sent_click("e", 7, 202);
            click.clicks[0].payload = payload.into();
            JudgedExchange::from(click).clicks[0].payload.clone()
        };
        let hashes = "00000001-0a0b0c0d-ffffffff";
        assert_eq!(judged(hashes), Payload::Hashes([1, 0x0a0b_0c0d, u32::MAX]));
        let others = ["", "-", "1-2-3", "+0000001-0a0b0c0d-ffffffff", "00000001-0a0b0c0d-FFFFFFFF"];
        let others = others.into_iter().chain(["00000001-0a0b0c0d", "00000001-0a0b0c0d-ffffffff-"]);
        for other in others {
            assert_eq!(judged(other), Payload::Other(other.into()));
            assert!(judged(other) == *other && judged(other) != *hashes, "{other}");
            assert!(judged(hashes) != *other && judged(hashes) == *hashes, "{other}");
        }
        assert_eq!(judged(hashes).to_string(), hashes);
        assert_eq!(judged("made up").to_string(), "made up");
    }
}

//! What is noted of a look at a creator's figures: with which session, and whose figures came.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What is noted of a look at a creator's figures. The answer's body is written nowhere: this was found
/// in its beginning, 256 KiB, when it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look<'a> {
    /// What was shown as a session.
    pub session: Session,
    /// The creator whom it vouches for; none where it vouches for nobody.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Cow<'a, str>>,
    /// The creators whose links the answer names, some of them where these are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Nonces of Linktree's answers that it repeats, some of them where these are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nonces: Vec<String>,
}

/// What was shown as a session by whoever looks at a creator's figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Session {
    /// The creator's own token.
    #[default]
    Own,
    /// The good token of another creator.
    Another,
    /// The creator's name with the code of another.
    OthersMac,
    /// The creator's name with the first half of the right code.
    CutMac,
    /// The creator's name with no code.
    EmptyMac,
    /// None at all.
    Absent,
    /// The creator's name with a code under another secret.
    WrongSecret,
    /// Another's good token, and the creator's name in capital letters in the path.
    OtherCase,
    /// Another's good token, and the creator's name with an encoded dot behind it in the path.
    EncodedDot,
    /// Another's good token, that one's own path, and the creator's name in the query.
    HandleInQuery,
}

impl Session {
    /// Every way to come without a right to what is asked for, but for another's token as it is.
    pub const FORGED: [Self; 8] = [
        Self::OthersMac,
        Self::CutMac,
        Self::EmptyMac,
        Self::Absent,
        Self::WrongSecret,
        Self::OtherCase,
        Self::EncodedDot,
        Self::HandleInQuery,
    ];

    /// Whether the token itself is one that somebody was given.
    #[must_use]
    pub const fn is_good(self) -> bool {
        match self {
            Self::Own
            | Self::Another
            | Self::OtherCase
            | Self::EncodedDot
            | Self::HandleInQuery => true,
            Self::OthersMac | Self::CutMac | Self::EmptyMac | Self::Absent | Self::WrongSecret => {
                false
            }
        }
    }

    /// In a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Own => "with the creator's own session",
            Self::Another => "with another creator's session",
            Self::OthersMac => "with another's code under the creator's name",
            Self::CutMac => "with the first half of the right code",
            Self::EmptyMac => "with an empty code",
            Self::Absent => "without a session",
            Self::WrongSecret => "with a code under another secret",
            Self::OtherCase => "with another's session, the name in capital letters",
            Self::EncodedDot => "with another's session, an encoded dot behind the name",
            Self::HandleInQuery => "with another's session and path, the name in the query",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_session_that_is_not_plain_is_forged_and_its_words_are_its_own() {
        let all = [&[Session::Own, Session::Another][..], &Session::FORGED].concat();
        let words: std::collections::BTreeSet<_> = all.iter().map(|one| one.words()).collect();
        assert_eq!(words.len(), 10);
        assert_eq!(all.iter().filter(|one| one.is_good()).count(), 5);
    }
}

//! Whether the version that a page shows can be traced to what Linktree sent for its creator.

use crate::guarantees::evidence::fills::Fills;
use crate::history::Operation;
use mock_server::clock::Moment;
use std::fmt;
use std::time::Duration;

/// What is wrong with a page's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untrue<'c> {
    /// It belongs to this other creator.
    Foreign(&'c str),
    /// Linktree never sent it.
    Unheard,
    /// Linktree sent it later.
    Early,
    /// A newer one was wholly filled long before.
    Behind {
        /// The newer version.
        newer: &'c str,
        /// When that was certain.
        filled: Moment,
    },
}

/// What is wrong with `version`, shown by `read`, if anything. A newer version may be missing for
/// `grace` after its fill, as another copy of the page may have been fresh until then.
#[must_use]
pub fn untrue<'c>(
    fills: &'c Fills,
    place: Option<usize>,
    version: &str,
    read: &Operation<'_>,
    grace: Duration,
    delta: Duration,
) -> Option<Untrue<'c>> {
    let creator = place.map(|place| fills.creator(place));
    let Some((creator, shown)) = creator.and_then(|of| Some((of, of.version(version)?))) else {
        return Some(fills.owner(version).map_or(Untrue::Unheard, Untrue::Foreign));
    };
    if creator.versions[shown].first > read.last.plus(delta) {
        return Some(Untrue::Early);
    }
    let fill = creator.filled_before(read.sent.minus(grace))?;
    let newer = &*creator.versions[fill.version].name;
    creator.is_older(shown, fill.version).then_some(Untrue::Behind { newer, filled: fill.at })
}

impl fmt::Display for Untrue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(owner) => write!(f, "shows a version of {owner}"),
            Self::Unheard => write!(f, "shows a version that Linktree never sent"),
            Self::Early => write!(f, "shows a version before Linktree sent it"),
            Self::Behind { newer, .. } => {
                write!(f, "shows an older version than {newer}, which was whole before")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, links, page, read};
    use mock_server::history::exchange::Exchange;

    #[track_caller]
    fn check(version: &'static str, at_ms: u64, expected: Option<Untrue<'static>>) {
        let newer = |exchange| Exchange { version: Some("v1".into()), ..exchange };
        let history = History::over(&[])
            .exchanges([read("ann", 0), links("ann", 10), read("bob", 20)])
            .exchanges([read("ann", 1_000), links("ann", 1_010)].map(newer));
        let fills = Fills::of(&history.case);
        let read = page("ann", at_ms, at_ms + 1, version);
        let (grace, delta) = (Duration::from_secs(4), Duration::from_millis(100));
        let place = fills.place("ann");
        assert_eq!(untrue(&fills, place, version, &read, grace, delta), expected);
    }

    #[test]
    fn a_version_must_be_the_creators_own_and_have_been_sent() {
        check("v0-ann", 500, None);
        check("v0-bob", 500, Some(Untrue::Foreign("bob")));
        check("v7", 500, Some(Untrue::Unheard));
        check("v1", 500, Some(Untrue::Early));
        check("v1", 903, Some(Untrue::Early));
        check("v1", 904, None); // within the tolerance
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let says = |untrue: Untrue<'_>| format!("the page {untrue}");
        assert_eq!(says(Untrue::Foreign("bob")), "the page shows a version of bob");
        assert_eq!(says(Untrue::Unheard), "the page shows a version that Linktree never sent");
        assert_eq!(says(Untrue::Early), "the page shows a version before Linktree sent it");
        let behind = says(Untrue::Behind { newer: "v1", filled: Moment::ZERO });
        assert_eq!(behind, "the page shows an older version than v1, which was whole before");
    }

    #[test]
    fn an_older_version_may_be_shown_for_the_grace_only() {
        let filled = Moment::from_ms(1_115);
        check("v0-ann", 5_115, None);
        check("v0-ann", 5_116, Some(Untrue::Behind { newer: "v1", filled }));
        check("v1", 9_000, None);
    }
}

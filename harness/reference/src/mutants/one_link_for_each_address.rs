//! Links are kept in a map by their address.

use super::Mutant;
use std::collections::HashSet;

pub const MUTANT: Mutant = Mutant {
    id: "one-link-for-each-address",
    summary: "of links with the same address a page shows one",
    breaks: "stale-on-outage",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.pages.links = |links| {
            let mut known = HashSet::new();
            Ok(links.into_iter().filter(|link| known.insert(link.url.clone())).collect())
        };
    },
};

//! One worker fetches all pages, one after the other, and visitors wait for theirs to have its turn: that
//! keeps the load low, until many pages expire at once.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "one-fetch-at-a-time",
    summary: "expired pages are fetched one after the other, while their visitors wait",
    breaks: "pages-served",
    may_also_break: &[],
    shown_by: "thundering-herd",
    apply: |seams| {
        seams.pages.fills_at_once = Some(1);
        seams.pages.revalidation_wait = |_| Duration::from_secs(60);
    },
};

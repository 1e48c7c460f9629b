//! What has changed since a baseline, of each kind one.

use crate::report::*;

pub(super) fn changes() -> Vec<Change> {
    use ChangeKind::{Altered, Broken, Mended, StillBroken, Unapproved};
    use Standing::{Held, Violated};
    let change = |kind, guarantee: &str, scenario: &str, was, is, words: &str| Change {
        kind,
        scenario: scenario.into(),
        guarantee: (!guarantee.is_empty()).then(|| guarantee.into()),
        was,
        is,
        words: words.into(),
        ..Change::default()
    };
    let (rate, clicks) = ("client-rate-cap", "clicks-counted-once");
    let plan = "its plan, the contract or what is declared differs from what was approved";
    vec![
        change(Broken, rate, "viral-spike", Some(Held), Some(Violated), "118"),
        change(
            StillBroken,
            clicks,
            "viral-spike",
            Some(Violated),
            Some(Violated),
            "keys a0 and b0",
        ),
        change(Mended, clicks, "calm-day", Some(Violated), Some(Held), "12 retried clicks"),
        change(
            Unapproved,
            "profile-timeout",
            "calm-day",
            None,
            Some(Held),
            "the baseline does not have it",
        ),
        change(Altered, "", "viral-spike", None, None, plan),
    ]
}

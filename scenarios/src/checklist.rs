//! The checklist: every promise that a production Linktree integration makes, judged here or not.
//!
//! A run says of each of them what it found out, or that it did not test it: what nobody looked at must
//! not be taken for held. A promise whose judge is written moves nothing here: its id is the same.

use crate::promise::Priority::{self, Critical, High, Standard};

/// A row of the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The id, the same word everywhere.
    pub id: &'static str,
    /// How much hangs on it.
    pub priority: Priority,
    /// The promise, in a sentence.
    pub statement: &'static str,
}

const fn row(id: &'static str, priority: Priority, statement: &'static str) -> Row {
    Row { id, priority, statement }
}

/// All rows, in reading order.
pub const CHECKLIST: &[Row] = &[
    row("key-from-vault", Critical, "Keys come from a secrets manager."),
    row(
        "key-rotation",
        Standard,
        "A key that is rotated under traffic costs no click and no page; its age is exposed.",
    ),
    row("environment-separation", Standard, "The staging key is never sent to production."),
    row("bearer-header-only", Critical, "The key travels as a bearer token and nowhere else."),
    row("least-scope", Standard, "No scope is granted that is not used."),
    row("base-url", Standard, "Every call goes to the configured base, under /v1."),
    row("client-rate-cap", Critical, "At most 90 requests a minute leave, whatever visitors do."),
    row("hard-limit", Critical, "The limit of 100 a minute is never reached."),
    row("cursor-pagination", Standard, "Every link is listed once, by cursor, under edits."),
    row("profile-timeout", Standard, "A profile read that stalls is given up after 10 s."),
    row("analytics-timeout", Standard, "Analytics queries get 30 s, no less and no more."),
    row("json-headers", Standard, "Every request says that it speaks JSON."),
    row("webhook-registered", Standard, "The click webhook is registered and reachable."),
    row("bulk-batched", Standard, "Hundreds of changes go out in batches, each applied once."),
    row("pages-served", Critical, "While Linktree is well, pages are served, fast."),
    row("breaker-opens", Critical, "After 5 failures in a row nothing is called for a while."),
    row("breaker-recovers", Standard, "After the heal a few probes, then normal service."),
    row("backoff-grows", Standard, "Retries are spaced exponentially, with jitter, and bounded."),
    row("retry-after-honoured", Critical, "No attempt before the time that Retry-After names."),
    row("stale-on-outage", High, "While Linktree is down, the last good pages are served, fast."),
    row("clicks-delivered", High, "Every acknowledged click arrives; none is invented or altered."),
    row("clicks-counted-once", High, "Each click has its effect once."),
    row("clicks-survive-crash", High, "Acknowledged clicks survive a kill in mid-outage."),
    row("timeout-not-auth", Standard, "Timeouts and refused keys are told apart."),
    row("latency-metrics", Standard, "Exposed latencies are true, and alert past 500 ms."),
    row("error-rate-alert", Standard, "An alert when more than 1 % of calls fail, and only then."),
    row("headroom-alert", Standard, "An alert above 80 requests a minute, and only then."),
    row("click-lag", Standard, "Clicks arrive within 60 s of becoming deliverable."),
    row("cache-hit-ratio", Standard, "More than 90 % of a viral page's reads need no call."),
    row("webhook-failures-logged", Standard, "A delivery that failed is kept for a replay."),
    row("webhook-signature", Critical, "Only signed, fresh and unseen deliveries have an effect."),
    row("cors-allowlist", Standard, "Only known front-end origins are allowed."),
    row("html-sanitised", Standard, "What users write cannot run script in the page."),
    row("analytics-scope", Standard, "A creator sees own analytics only."),
    row("tls-verified", Critical, "No credential travels over an unverified connection."),
    row("no-pii-in-logs", Standard, "No e-mail and no visitor's address appears in a log."),
    row("no-secret-leaked", Critical, "No key and no secret appears in anything that is written."),
];

/// The parts of the checklist, each with the row that it begins with.
const SECTIONS: &[(&str, &str)] = &[
    ("Authentication and secrets", "key-from-vault"),
    ("API integration", "base-url"),
    ("Errors and resilience", "pages-served"),
    ("Monitoring and alerting", "latency-metrics"),
    ("Security", "webhook-signature"),
];

/// The part of the checklist that a row belongs to; empty for what is no row.
#[must_use]
pub fn section(id: &str) -> &'static str {
    let mut section = "";
    for row in CHECKLIST {
        if let Some((name, _)) = SECTIONS.iter().find(|(_, first)| *first == row.id) {
            section = name;
        }
        if row.id == id {
            return section;
        }
    }
    ""
}

/// What is usually broken because something else is, in the same storm: a lost click is a late one, and
/// whoever keeps no cap meets the limit. Each is shown by a mutant that breaks both.
pub const FOLLOWS: &[(&str, &[&str])] = &[
    ("hard-limit", &["client-rate-cap"]),
    ("clicks-delivered", &["clicks-survive-crash", "breaker-recovers"]),
    ("click-lag", &["clicks-delivered", "breaker-recovers"]),
    ("webhook-signature", &["webhook-registered"]),
];

/// What a breach of this promise usually follows from.
#[must_use]
pub fn follows(id: &str) -> &'static [&'static str] {
    FOLLOWS.iter().find(|(of, _)| *of == id).map_or(&[], |(_, causes)| causes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::GUARANTEES;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_there_once_and_says_something() {
        let ids: BTreeSet<&str> = CHECKLIST.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), CHECKLIST.len());
        assert!(CHECKLIST.iter().all(|row| row.statement.ends_with('.')));
    }

    #[test]
    fn every_row_belongs_to_a_part() {
        let mut parts: Vec<&str> = CHECKLIST.iter().map(|row| section(row.id)).collect();
        parts.dedup();
        assert_eq!(parts, SECTIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        assert_eq!(section("click-lug"), "");
    }

    #[test]
    fn what_follows_from_what_are_rows_and_no_circle() {
        let known = |id: &str| CHECKLIST.iter().any(|row| row.id == id);
        for (of, causes) in FOLLOWS {
            assert!(known(of) && causes.iter().all(|cause| known(cause)), "{of}");
            let mut reached = causes.to_vec();
            for step in 0.. {
                let Some(at) = reached.get(step).copied() else { break };
                assert_ne!(at, *of, "{of} follows from itself");
                reached.extend(follows(at));
            }
        }
        assert_eq!(follows("client-rate-cap"), [""; 0]);
    }

    #[test]
    fn every_guarantee_is_a_row_with_its_priority_and_in_its_order() {
        let promised = GUARANTEES.iter().map(|known| known.promise());
        let promised: Vec<_> = promised.map(|promise| (promise.id, promise.priority)).collect();
        let judged = |row: &&Row| promised.iter().any(|(id, _)| *id == row.id);
        let listed: Vec<_> =
            CHECKLIST.iter().filter(judged).map(|row| (row.id, row.priority)).collect();
        assert_eq!(listed, promised);
    }
}

//! Carries out every change of an answer that the plan asks for, in the plan's order.
//!
//! A change that could not take place (broken JSON without a body, an expired cursor without a
//! cursor) leaves no mark.

mod hostile;
mod json;
mod rate;

use super::{Body, Call, Reply};
use crate::faults::{DateFlaw, FaultMark, Rewrite};
use crate::history::exchange::{CursorIn, Listed};
use crate::profile::ContractProfile;
use crate::seed;
use rand::RngExt;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The page for people: its words must not look like JSON, and it needs nothing from elsewhere.
const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>We will be right back</title></head>\n<body><h1>Down for maintenance</h1>\
    <p>Please try again in a few minutes.</p></body></html>\n";

/// The bytes of an answer that nothing is to be changed of.
pub(super) fn rendered(mut reply: Reply, profile: &ContractProfile) -> Option<Vec<u8>> {
    hostile::resolve(&mut reply, profile);
    match reply.body {
        Body::Raw { bytes, .. } => Some(bytes),
        _ => None,
    }
}

/// The changes for one request, and which items of its batch they have refused.
pub(crate) struct Rewriting {
    changes: Vec<(Rewrite, FaultMark)>,
    refusing: RefCell<BTreeSet<usize>>,
}

/// What became of the changes.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    /// Marks of what happened with the processing, whether or not the answer is sent.
    pub done: Vec<FaultMark>,
    /// Marks of what happened to the answer.
    pub marks: Vec<FaultMark>,
    /// What is wrong with the `Date`, which the edge writes.
    pub date: Option<DateFlaw>,
    /// See [`crate::history::exchange::Exchange::doubtful`].
    pub doubtful: bool,
}

impl Rewriting {
    pub fn new(changes: Vec<(Rewrite, FaultMark)>) -> Self {
        Self { changes, refusing: RefCell::default() }
    }

    /// Whether the plan asks for any change.
    pub fn changes_something(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The most items of a page.
    pub fn page_limit(&self) -> Option<usize> {
        let limits = self.changes.iter().filter_map(|(change, _)| match change {
            Rewrite::ShortPages { limit } => usize::try_from(*limit).ok(),
            _ => None,
        });
        limits.min()
    }

    /// The status with which one item of a batch is refused: the first change that hits it decides.
    pub fn refused_item(&self, id: &str) -> Option<u16> {
        self.changes.iter().enumerate().find_map(|(index, (change, _))| {
            let Rewrite::PartialFailure { seed, ratio, codes } = change else { return None };
            let mut dice = seed::stream(*seed, &["item", id]);
            if ratio.of == 0 || dice.random_range(0..ratio.of) >= ratio.hits || codes.is_empty() {
                return None;
            }
            self.refusing.borrow_mut().insert(index);
            Some(codes[dice.random_range(0..codes.len())])
        })
    }

    /// Changes the answer.
    pub(super) fn apply(&self, reply: &mut Reply, call: &Call<'_>) -> Rewritten {
        let mut rewritten = Rewritten::default();
        for (index, (change, mark)) in self.changes.iter().enumerate() {
            if matches!(change, Rewrite::PartialFailure { .. }) {
                if self.refusing.borrow().contains(&index) {
                    rewritten.done.push(mark.clone());
                }
                continue;
            }
            if change_answer(change, reply, call) {
                rewritten.marks.push(mark.clone());
                rewritten.doubtful |= change.makes_doubtful();
                if let Rewrite::Date { flaw } = change {
                    rewritten.date = Some(flaw.clone());
                }
            }
        }
        hostile::resolve(reply, &call.world.profile);
        rewritten
    }
}

/// Carries out one change; false when there was nothing to change.
fn change_answer(change: &Rewrite, reply: &mut Reply, call: &Call<'_>) -> bool {
    let profile = &call.world.profile;
    match change {
        Rewrite::RateHeaders { lie } => rate::lie(reply, &profile.limit, *lie),
        Rewrite::Html { status } => html(reply, *status),
        Rewrite::BadJson { flaw, percent } => json::spoil(reply, profile, *flaw, *percent),
        Rewrite::ContentType { value } => {
            let Some((bytes, kind)) = hostile::rendered(reply, profile) else { return false };
            let changed = kind != *value;
            reply.body = Body::Raw { bytes, kind: value.clone() };
            changed
        }
        Rewrite::HostileStrings { seed } => hostile::replace(reply, *seed),
        Rewrite::Date { .. } => true,
        Rewrite::ExpiredCursor => {
            let given = asked(call, "cursor").is_some_and(|cursor| !cursor.is_empty());
            let expired = given && (200..300).contains(&reply.status);
            if expired {
                let (code, message) = ("cursor_expired".into(), "the cursor has expired".into());
                reply.replace(410, Body::Error { code, message });
                reply.listed = Some(Box::new(Listed::met(CursorIn::Expired)));
            }
            expired
        }
        Rewrite::ShortPages { limit } => is_cut_short(reply, call, *limit),
        Rewrite::PartialFailure { .. } => false,
    }
}

fn html(reply: &mut Reply, status: Option<u16>) -> bool {
    let status = status.unwrap_or(reply.status);
    if [204, 205, 304].contains(&status) {
        return false;
    }
    let kind = Some("text/html; charset=utf-8".to_owned());
    reply.replace(status, Body::Raw { bytes: PAGE.as_bytes().to_vec(), kind });
    true
}

/// Whether a page ends where the change says, with more to come, though more was asked for.
fn is_cut_short(reply: &Reply, call: &Call<'_>, limit: u32) -> bool {
    let Body::Json(body) = &reply.body else { return false };
    let wanted = asked(call, "limit").and_then(|value| value.parse().ok());
    let wanted: u32 = wanted.unwrap_or(call.world.profile.pages.default_limit);
    let length = body["data"].as_array().map_or(0, Vec::len);
    wanted > limit && body["has_more"] == true && u32::try_from(length) == Ok(limit)
}

/// A parameter of the query.
fn asked(call: &Call<'_>, name: &str) -> Option<String> {
    let mut pairs = call.request.url.query_pairs();
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{FaultKind, Ratio};
    use serde_json::json;

    fn failing(hits: u32, of: u32, codes: &[u16]) -> (Rewrite, FaultMark) {
        let (ratio, codes) = (Ratio { hits, of }, codes.to_vec());
        let mark = FaultMark { rule: "r".into(), kind: FaultKind::Html, key: "x".into(), nth: 0 };
        (Rewrite::PartialFailure { seed: 7, ratio, codes }, mark)
    }

    #[test]
    fn items_are_refused_by_their_ids_in_the_share_that_was_asked_for() {
        let rewriting = Rewriting::new(vec![failing(1, 4, &[503, 429])]);
        let all: Vec<_> = (0..400).map(|n| rewriting.refused_item(&format!("e{n}"))).collect();
        let count = |status| all.iter().filter(|one| **one == status).count();
        assert!((70..130).contains(&(400 - count(None))), "{}", count(None));
        assert!(count(Some(503)) > 20 && count(Some(429)) > 20);
        assert_eq!(rewriting.refused_item("e7"), all[7], "the same item meets the same");
        for none in [failing(0, 4, &[503]), failing(1, 0, &[503]), failing(1, 1, &[])] {
            assert_eq!(Rewriting::new(vec![none]).refused_item("e"), None);
        }
    }

    #[test]
    fn the_shortest_page_counts() {
        let short = |limit| (Rewrite::ShortPages { limit }, failing(0, 1, &[]).1);
        assert_eq!(Rewriting::new(vec![short(5), short(3)]).page_limit(), Some(3));
        assert_eq!(Rewriting::new(vec![failing(1, 1, &[503])]).page_limit(), None);
    }

    #[test]
    fn a_page_for_people_needs_a_status_with_a_body_and_forgets_the_validators() {
        let fresh = || Reply::json(200, json!({})).with_header("ETag", "\"v\"");
        let mut page = fresh();
        assert!(html(&mut page, Some(503)) && page.status == 503 && page.headers.is_empty());
        let mut unchanged = Reply::empty(304);
        assert!(!html(&mut unchanged, None) && matches!(unchanged.body, Body::Nothing));
    }
}

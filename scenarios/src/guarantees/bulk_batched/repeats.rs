//! Links that were written again although Linktree had said that they are.

use super::launches::Launches;
use super::writes::{Attempt, Writes};
use crate::case::Case;
use crate::guarantees::evidence::busy::Hearing;
use crate::guarantees::evidence::heard;
use crate::verdict::Witness;
use std::collections::{BTreeMap, HashMap};

/// For each call with such links: how many, and what shows it. Nobody owes to have read what may not have
/// reached it, and two campaigns with the same words are two.
pub fn again(
    case: &Case,
    launches: &Launches,
    writes: &Writes<'_>,
    hearing: &Hearing,
) -> Vec<(u64, Witness)> {
    let reused = case.linktree.last_use_of_connections();
    let mut found: BTreeMap<u64, (u64, Attempt<'_>, Attempt<'_>)> = BTreeMap::new();
    for (id, attempts) in writes.links() {
        let mut first: HashMap<&str, Attempt<'_>> = HashMap::new();
        for attempt in attempts {
            let payload = attempt.receipt.payload.as_str();
            if let Some(first) = first.get(payload) {
                let known = first.exchange.t_known();
                let heard =
                    heard::settled(case, known).max(hearing.heard_by(known, case.harness.delta));
                let sent = attempt.exchange;
                let excused = heard::asker_died(case, first.exchange, sent.t_req)
                    || launches.that_ask_for(id, payload) > 1;
                if sent.t_head > heard && !excused {
                    found.entry(sent.id).or_insert((0, *first, *attempt)).0 += 1;
                }
            } else if attempt.is_confirmed()
                && !heard::may_have_been_given_up(case, attempt.exchange, &reused)
            {
                first.insert(payload, *attempt);
            }
        }
    }
    let tell = |(links, first, again): (u64, Attempt<'_>, Attempt<'_>)| {
        let what = format!("{links} links were written again after Linktree had confirmed them");
        let witness = Witness::new(again.exchange.t_req, what)
            .line(format!("{}, among others {}", case.tell(first.exchange), first.receipt.id))
            .line(format!("{}, again", case.tell(again.exchange)));
        (links, witness)
    };
    found.into_values().map(tell).collect()
}

//! Which words stand in the end, where several campaigns change the same link.

use super::launches::{Launch, Launches};
use super::writes::{Attempt, Writes};
use crate::case::Case;
use crate::verdict::Witness;

/// Links that ended with what an earlier campaign makes of them, although a later one's words had been
/// there. What was on its way when the later one was acknowledged is nobody's fault.
pub fn overwritten(case: &Case, launches: &Launches, writes: &Writes<'_>) -> Vec<(u64, Witness)> {
    let mut found: Vec<_> = writes
        .links()
        .filter_map(|(id, attempts)| {
            let written: Vec<&Attempt<'_>> =
                attempts.iter().filter(|one| one.is_written()).collect();
            let last = written.last()?;
            let asked = launches.of_link(id).filter(|(_, words)| *words == last.receipt.payload);
            let asked: Vec<&Launch> = asked.map(|(launch, _)| launch).collect();
            // Where several campaigns have the same words, any of them may have had the last.
            if asked.iter().any(|one| launches.may_stand(id, one)) {
                return None;
            }
            let own = asked.last()?;
            let known = |(later, payload): &(&Launch, &str)| {
                let were_there = written.iter().any(|one| one.receipt.payload == *payload);
                were_there && last.exchange.t_head > later.last.plus(case.harness.delta)
            };
            let (later, payload) = launches.later(id, own).find(known)?;
            let before = written.iter().rev().find(|one| one.receipt.payload == payload)?;
            let what = format!("link {id} ended with an earlier campaign's words");
            let witness = Witness::new(last.exchange.t_req, what)
                .line(format!("{} the later campaign was acknowledged", case.at(later.last)))
                .line(case.tell(before.exchange))
                .line(format!("{}, with the earlier words", case.tell(last.exchange)));
            Some((1, witness))
        })
        .collect();
    found.sort_by(|(_, one), (_, other)| (one.at, &one.what).cmp(&(other.at, &other.what)));
    found
}

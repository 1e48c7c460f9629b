//! How many calls carried what, and which carried what nobody asked for.

use super::launches::{Answer, Launches};
use super::writes::{Call, Writes};
use crate::case::Case;
use crate::guarantees::evidence::deliveries::says_it_is_wrong;
use crate::verdict::Witness;
use mock_server::contract::Route;
use mock_server::history::exchange::LinkReceipt;
use std::collections::HashSet;

/// Links of one campaign that may go one by one.
const LEFT_OVER: usize = 10;

/// Writes that no campaign asked for, by call.
pub fn strange(case: &Case, launches: &Launches, writes: &Writes<'_>) -> Vec<(u64, Witness)> {
    let found = writes.calls().iter().filter_map(|call| {
        let unasked = |link: &&LinkReceipt| launches.that_ask_for(&link.id, &link.payload) == 0;
        let strange: Vec<_> = call.links.iter().filter(unasked).collect();
        let first = strange.first()?;
        let known = launches.of_link(&first.id).next().is_some();
        let what = if known { "words that no campaign asked for" } else { "of no campaign" };
        let what = format!("{} links were written, {what}: {}", strange.len(), first.id);
        let witness = Witness::new(call.exchange.t_req, what).line(case.tell(call.exchange));
        Some((strange.len() as u64, witness))
    });
    found.collect()
}

/// Batches that Linktree refused whole, as too large or not well made: whatever it says of itself, of the
/// key or of the rate is another matter, and so is what a fault said.
pub fn refused_whole(case: &Case, writes: &Writes<'_>) -> Vec<(u64, Witness)> {
    let refused = |call: &&Call<'_>| {
        let of_the_batch = call.exchange.status.is_some_and(says_it_is_wrong);
        call.exchange.route == Route::LinksBatch && of_the_batch && call.exchange.faults.is_empty()
    };
    let tell = |call: &Call<'_>| {
        let (count, at) = (call.links.len(), call.exchange.t_req);
        let what = format!("a batch of {count} links was refused whole");
        (1, Witness::new(at, what).line(case.tell(call.exchange)))
    };
    writes.calls().iter().filter(refused).map(tell).collect()
}

/// Calls that carried something for the first time, and how many are enough.
///
/// A call with half a batch or more in it is as good as a full one: it counts for what is new in it, as a
/// part of such a half, since links that had failed before may go with it. That shifts what is left for the
/// last call of a campaign, so one more is enough, too.
pub fn carrying(case: &Case, launches: &Launches, writes: &Writes<'_>) -> (usize, usize) {
    let most = (case.contract.batch.max_items as usize).max(2);
    let half = most / 2;
    let mut seen = HashSet::new();
    let (mut parts, mut single) = (0, 0);
    for call in writes.calls() {
        let new = call.links.iter().map(|link| (link.id.as_str(), link.payload.as_str()));
        let new = new.filter(|said| seen.insert(*said)).count();
        if new == 0 {
            continue;
        }
        if call.exchange.route == Route::Link {
            single += 1;
        } else {
            parts += if call.links.len() >= half { new.min(half) } else { half };
        }
    }
    let taken = || launches.all().iter().filter(|one| one.answer != Answer::Refused);
    let singly = taken().count() * LEFT_OVER;
    let calls = parts.div_ceil(half) + single_beyond(single, singly);
    let ends = case.target.deaths().count() * 2;
    let enough = taken().map(|one| one.links.len().div_ceil(most) * 2 + 1).sum::<usize>() + ends;
    (calls, enough)
}

const fn single_beyond(single: usize, allowed: usize) -> usize {
    single.saturating_sub(allowed)
}

/// What shows that there were too many.
pub fn too_many(calls: usize, enough: usize, writes: &Writes<'_>) -> Vec<(u64, Witness)> {
    let Some(last) = writes.calls().last().filter(|_| calls > enough) else { return Vec::new() };
    let singly = writes.calls().iter().filter(|call| call.exchange.route == Route::Link).count();
    let what = format!("{calls} calls carried what {enough} could have carried, half full");
    let all = format!("{} calls in all, {singly} of them for a single link", writes.calls().len());
    vec![(1, Witness::new(last.exchange.t_req, what).line(all))]
}

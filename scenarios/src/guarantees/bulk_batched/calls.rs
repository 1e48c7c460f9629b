//! How many calls carried what, and which carried what nobody asked for.

use super::launches::{Answer, Launches};
use super::writes::{Call, Writes};
use crate::case::Case;
use crate::guarantees::evidence::deliveries::says_it_is_wrong;
use crate::measure::so_many;
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
        let what = format!(
            "{}, {what}: {}",
            so_many(strange.len(), "link was written", "links were written"),
            first.id
        );
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
        let what = format!("a batch of {} was refused whole", so_many(count, "link", "links"));
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
    let what = format!(
        "{} carried what {enough} could have carried, half full",
        so_many(calls, "call", "calls")
    );
    let all = format!("{} calls in all, {singly} of them for a single link", writes.calls().len());
    vec![(1, Witness::new(last.exchange.t_req, what).line(all))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Did, Operation};
    use crate::testing::{History, launched, wrote};
    use mock_server::history::exchange::Exchange;

    /// Links with these numbers.
    fn links(numbers: std::ops::Range<u32>) -> Vec<(String, String)> {
        numbers.map(|n| (format!("l{n}"), format!("w{n}"))).collect()
    }

    fn refs(links: &[(String, String)]) -> Vec<(&str, &str)> {
        links.iter().map(|(id, words)| (id.as_str(), words.as_str())).collect()
    }

    fn batch(numbers: std::ops::Range<u32>, at_ms: u64) -> Exchange {
        wrote(&refs(&links(numbers)), at_ms, 200)
    }

    fn single(number: u32, at_ms: u64) -> Exchange {
        Exchange { route: Route::Link, ..batch(number..number + 1, at_ms) }
    }

    fn launches(all: &[(u32, Option<u16>)]) -> Launches {
        let mut launches = Launches::default();
        for (count, status) in all {
            let operation = launched(&refs(&links(0..*count)), 0, 5);
            let operation = Operation { status: *status, ..operation };
            let Did::Campaign(campaign) = &operation.did else { panic!("a campaign") };
            launches.take(&operation, campaign);
        }
        launches
    }

    fn history(calls: impl IntoIterator<Item = Exchange>) -> History {
        let mut history = History::over(&[]).exchanges(calls);
        history.case.contract.batch.max_items = 10;
        history.case.ready();
        history
    }

    /// How many calls these come to, of batches of ten at the most.
    #[track_caller]
    fn check(calls: Vec<Exchange>, expected: usize) {
        let history = history(calls);
        let writes = Writes::of(&history.case);
        let (found, _) = carrying(&history.case, &launches(&[(100, Some(202))]), &writes);
        assert_eq!(found, expected, "{writes:?}");
    }

    #[test]
    fn a_call_counts_for_what_is_new_in_it_where_it_is_half_full() {
        check(vec![], 0);
        check(vec![batch(0..10, 0)], 1);
        check(vec![batch(0..5, 0), batch(5..15, 1)], 2);
        check(vec![batch(0..4, 0), batch(4..8, 1)], 2);
        // Two that are new in each, which would go together.
        check(vec![batch(0..5, 0), batch(2..7, 1), batch(4..9, 2)], 2);
        check(vec![batch(0..5, 0), batch(2..7, 1), batch(4..9, 2), batch(6..11, 3)], 3);
        check(vec![batch(0..5, 0), batch(0..5, 1)], 1);
        check(vec![batch(0..5, 0), batch(0..4, 1)], 1);
    }

    #[test]
    fn ten_links_of_a_campaign_may_go_singly() {
        check((0..10).map(|n| single(n, u64::from(n))).collect(), 0);
        check((0..12).map(|n| single(n, u64::from(n))).collect(), 2);
        check((0..12).map(|n| single(n % 10, u64::from(n))).collect(), 0);
    }

    #[test]
    fn enough_is_two_for_each_full_batch_and_one_and_two_for_each_end_of_the_target() {
        let enough = |history: History, all: &[(u32, Option<u16>)]| {
            let writes = Writes::of(&history.case);
            carrying(&history.case, &launches(all), &writes).1
        };
        assert_eq!(enough(history([]), &[]), 0);
        assert_eq!(enough(history([]), &[(20, Some(202))]), 5);
        assert_eq!(enough(history([]), &[(30, Some(202))]), 7);
        assert_eq!(enough(history([]), &[(21, Some(202)), (10, None)]), 10);
        assert_eq!(enough(history([]), &[(20, Some(202)), (20, Some(400))]), 5);
        let killed = history([]).killed(10).killed(20);
        assert_eq!(enough(killed, &[(20, Some(202))]), 9);
        let mut tiny = history([]);
        tiny.case.contract.batch.max_items = 0;
        assert_eq!(enough(tiny, &[(4, Some(202))]), 5);
    }

    #[test]
    fn too_many_are_told_with_how_many_went_singly() {
        let history = history([batch(0..5, 0), single(7, 10), single(8, 20)]);
        let writes = Writes::of(&history.case);
        assert_eq!(too_many(5, 5, &writes).len(), 0);
        let [(1, witness)] = &too_many(6, 5, &writes)[..] else { panic!("one") };
        assert_eq!(witness.what, "6 calls carried what 5 could have carried, half full");
        assert_eq!(witness.story, ["3 calls in all, 2 of them for a single link"]);
        assert_eq!(witness.at, mock_server::clock::Moment::from_ms(20));
    }

    #[test]
    fn of_words_that_nobody_asked_for_it_is_told_how_many_and_of_what() {
        let strange = |calls: Vec<Exchange>| {
            let history = history(calls);
            let launches = launches(&[(10, Some(202))]);
            let found = strange(&history.case, &launches, &Writes::of(&history.case));
            found.into_iter().map(|(count, one)| (count, one.what)).collect::<Vec<_>>()
        };
        assert_eq!(strange(vec![batch(0..10, 0)]), []);
        let other = wrote(&[("l1", "w1"), ("l2", "x"), ("l3", "y")], 0, 200);
        let words = "2 links were written, words that no campaign asked for: l2".to_owned();
        assert_eq!(strange(vec![other]), [(2, words)]);
        let nobodys = "1 link was written, of no campaign: l10".to_owned();
        assert_eq!(strange(vec![batch(8..11, 0), batch(0..3, 1)]), [(1, nobodys)]);
    }
}

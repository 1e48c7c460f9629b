//! Links that were written again although Linktree had said that they are.

use super::launches::Launches;
use super::writes::{Attempt, Writes};
use crate::case::{Case, JudgedExchange};
use crate::guarantees::evidence::busy::Hearing;
use crate::guarantees::evidence::heard;
use crate::measure::so_many;
use crate::verdict::Witness;
use mock_server::clock::Moment;
use std::collections::{BTreeMap, HashMap};

/// When connections were used on which links were written, by position on them.
struct NextUses(HashMap<u64, Vec<(u32, Moment)>>);

impl NextUses {
    fn of(case: &Case, writes: &Writes<'_>) -> Self {
        let written = writes.links().flat_map(|(_, attempts)| attempts);
        let mut uses: HashMap<_, Vec<_>> =
            written.map(|attempt| (attempt.exchange.conn, Vec::new())).collect();
        for exchange in case.linktree.exchanges.iter() {
            if let Some(uses) = uses.get_mut(&exchange.conn) {
                uses.push((exchange.conn_seq, exchange.t_head));
            }
        }
        uses.values_mut().for_each(|uses| uses.sort_unstable());
        Self(uses)
    }

    /// When the connection of this exchange was used again, if it was.
    fn after(&self, exchange: &JudgedExchange) -> Option<Moment> {
        let uses = self.0.get(&exchange.conn)?;
        let next = uses.partition_point(|(seq, _)| *seq <= exchange.conn_seq);
        uses.get(next).map(|(_, at)| *at)
    }
}

/// What was written again.
pub struct Repeats {
    /// For each call with such links: how many, and what shows it.
    pub needless: Vec<(u64, Witness)>,
    /// Links whose first answer came while the target had no processor: it may not have read that.
    pub unread: u64,
}

impl Repeats {
    /// Why it is not said that nothing was written again without need.
    pub fn doubt(&self) -> Option<String> {
        (self.unread > 0).then(|| {
            format!(
                "{} links were written again after Linktree had confirmed them while the target had no \
                 processor: it may have given up before it could read that",
                self.unread
            )
        })
    }
}

/// Nobody owes to have read what may not have reached it, and two campaigns with the same words are two.
pub fn again(case: &Case, launches: &Launches, writes: &Writes<'_>, hearing: &Hearing) -> Repeats {
    let reused = case.linktree.last_use_of_connections();
    let next_uses = NextUses::of(case, writes);
    let is_needless = |id: &str, first: &Attempt<'_>, again: &Attempt<'_>| {
        let (known, sent) = (first.exchange.t_known(), again.exchange);
        let heard = heard::settled(case, known).max(hearing.heard_by(known, case.harness.delta));
        let excused = heard::asker_died(case, first.exchange, sent.t_req)
            || launches.that_ask_for(id, &again.receipt.payload) > 1;
        // Whoever sends on a connection has read what came there before (RFC 9112 section 9.3).
        let read = next_uses.after(first.exchange).is_some_and(|at| at <= sent.t_head);
        (read || sent.t_head > heard) && !excused
    };
    let mut found: BTreeMap<u64, (u64, Attempt<'_>, Attempt<'_>)> = BTreeMap::new();
    let mut unread = 0;
    for (id, attempts) in writes.links() {
        // Of each text, the first answer that was read, and the first that may not have been.
        let [mut told, mut starved] = [(); 2].map(|()| HashMap::<&str, Attempt<'_>>::new());
        for attempt in attempts {
            let payload = attempt.receipt.payload.as_str();
            let needless = |first: &&Attempt<'_>| is_needless(id, first, attempt);
            if let Some(first) = told.get(payload).filter(needless) {
                found.entry(attempt.exchange.id).or_insert((0, *first, *attempt)).0 += 1;
            } else if starved.get(payload).filter(needless).is_some() {
                unread += 1;
            }
            if attempt.is_confirmed()
                && !heard::may_have_been_given_up(case, attempt.exchange, &reused)
            {
                let starves = heard::may_have_been_starved(case, attempt.exchange, &reused);
                let first = if starves { &mut starved } else { &mut told };
                first.entry(payload).or_insert(*attempt);
            }
        }
    }
    let tell = |(links, first, again): (u64, Attempt<'_>, Attempt<'_>)| {
        let what = format!(
            "{} written again after Linktree had confirmed that",
            so_many(links, "link was", "links were")
        );
        let witness = Witness::new(again.exchange.t_req, what)
            .line(format!("{}, among others {}", case.tell(first.exchange), first.receipt.id))
            .line(format!("{}, again", case.tell(again.exchange)));
        (links, witness)
    };
    Repeats { needless: found.into_values().map(tell).collect(), unread }
}

//! In a total outage, whatever happened before: failures and those in the air, or the probes, and then
//! nothing for the open time.

use super::super::evidence::circuit::budget::{begin, most_within_one, span};
use super::super::evidence::circuit::{Class, attempts, class};
use crate::case::{Case, JudgedExchange};
use crate::plan::PhaseKind;
use crate::verdict::Witness;

/// The first burst that is more than that.
pub fn over_budget(case: &Case) -> Option<Witness> {
    let outages = case.phases_that(PhaseKind::is_total_outage);
    if outages.is_empty() {
        return None;
    }
    let breakers = attempts(case);
    let each = outages.iter().flat_map(|outage| breakers.iter().map(move |all| (outage, all)));
    each.into_iter().find_map(|(&(from, until), attempts)| {
        // What succeeded before may keep a window's breaker closed until it is forgotten.
        let from = from.plus(case.times.breaker_window.unwrap_or_default());
        let sent = attempts.iter().copied();
        let sent = sent.filter(|one| from <= one.t_req && one.t_req < until);
        let sent: Vec<&JudgedExchange> =
            sent.filter(|one| class(case, one) != Class::Dropped).collect();
        if sent.iter().any(|one| class(case, one) != Class::Failure) {
            return None;
        }
        let most = most_within_one(case, &sent);
        let burst = sent.windows(most.saturating_add(1)).find(|burst| {
            let (first, last) = (burst[0].t_req, burst[most].t_req);
            last.since(first) < span(case)
                && !case.harness.too_slow_within(first, last)
                && !case.target.disturbed_within(begin(case, burst[0]), last)
        })?;
        let what = format!("{} attempts within one open time of a total outage", burst.len());
        let witness = Witness::new(burst[most].t_req, what);
        Some(burst.iter().fold(witness, |witness, one| witness.line(case.tell(one))))
    })
}

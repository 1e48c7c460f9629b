//! What was written though nobody who came had asked for it: links, when a page is opened, and clicks.
//!
//! A job of the integration's own writes links at times of its own, before a page is opened as well as
//! after; whoever writes because a page is opened does so just after its first visit, and not before.

use super::about;
use crate::case::{Case, JudgedExchange};
use crate::guarantees::evidence::deliveries::Deliveries;
use crate::history::Operation;
use crate::plan::{Plan, contract_time};
use crate::verdict::Offences;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// So soon after a visit, contract time.
const WITHIN_MS: u64 = 5_000;
/// So many of a kind are no accident.
const LEAST: usize = 5;
/// For each creator whose links were written at other times, so many were written just after a visit.
const RARE: usize = 10;

/// So soon after a first visit a write was made because of it.
pub(super) fn within(case: &Case) -> Duration {
    contract_time(WITHIN_MS, case.time_scale) + case.harness.delta
}

/// Writes, and who may have asked for them.
pub(super) struct Writes<'c> {
    case: &'c Case,
    /// For each creator whose links were written one by one: the first such call, and the first visit.
    links: BTreeMap<String, (&'c JudgedExchange, Option<Moment>)>,
    deliveries: Deliveries<'c>,
    /// Clicks that somebody made, in the order of `deliveries`.
    made: Vec<bool>,
}

impl<'c> Writes<'c> {
    pub fn of(case: &'c Case) -> Self {
        let is_write = |one: &&JudgedExchange| one.route == Route::Link && one.head.method != "GET";
        let written: Vec<_> = case.linktree.exchanges.iter().filter(is_write).collect();
        let owners = if written.is_empty() { HashMap::new() } else { owners(case) };
        let mut links = BTreeMap::new();
        for one in written.into_iter().filter(|one| !one.is_head()) {
            if let Some(handle) = id_of(one).and_then(|id| owners.get(id)) {
                links.entry(handle.clone()).or_insert((one, None));
            }
        }
        let deliveries = Deliveries::of(case);
        Self { case, links, made: vec![false; deliveries.count()], deliveries }
    }

    pub fn note(&mut self, operation: &Operation<'_>) {
        let sent = operation.event_id().or_else(|| operation.did.odd_event_id());
        if let Some(place) = sent.and_then(|id| self.deliveries.place(id)) {
            self.made[place] = true;
        }
        if operation.page().is_some()
            && let Some((_, visited)) = self.links.get_mut(operation.handle.as_ref())
        {
            // They come in the order of their ends.
            *visited = Some(visited.map_or(operation.sent, |first| first.min(operation.sent)));
        }
    }

    /// Those that nobody asked for, where they are too many to be an accident.
    pub fn judged(&self) -> Offences {
        let mut offences = Offences::default();
        let within = within(self.case);
        let follows = |(write, visited): &&(&JudgedExchange, Option<Moment>)| {
            visited.is_some_and(|at| at <= write.t_req && write.t_req <= at.plus(within))
        };
        let (after, others): (Vec<_>, Vec<_>) = self.links.values().partition(follows);
        if after.len() >= LEAST && others.len() * RARE <= after.len() {
            for (write, _) in after {
                offences.add(write.t_req, || {
                    let what = "a link was written because its page was opened".to_owned();
                    about(self.case, write, what)
                });
            }
        }
        // Who had no answer yet when the recording ended is not in it.
        let whole = self.case.harness.completed();
        let unmade: Vec<_> = (0..self.made.len()).filter(|place| !self.made[*place]).collect();
        if whole && unmade.len() >= LEAST {
            for place in unmade {
                if let Some((first, receipt)) = self.case.linktree.click_attempts(place).next() {
                    offences.add(first.t_req, || {
                        let what =
                            format!("click {} was sent, which nobody made", receipt.event_id);
                        about(self.case, first, what)
                    });
                }
            }
        }
        offences
    }
}

/// The link that a call is about.
fn id_of(one: &JudgedExchange) -> Option<&str> {
    one.target.split('?').next()?.rsplit('/').next()
}

/// Whose each link is.
fn owners(case: &Case) -> HashMap<String, String> {
    let Plan { population, seed, .. } = &case.plan;
    let mut owners = HashMap::new();
    for handle in population.handles() {
        let links = population.creator(*seed, &handle).map(|creator| creator.links);
        owners.extend(links.into_iter().flatten().map(|link| (link.id, handle.clone())));
    }
    owners
}

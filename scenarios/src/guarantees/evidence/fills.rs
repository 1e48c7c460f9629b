//! What Linktree sent of each creator's page, and when a page was certainly filled as a whole.

use crate::case::{Case, JudgedExchange, Text};
use crate::guarantees::evidence::sent::{Creator, Fill};
use crate::spans::Spans;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::{Caution, Rule};
use mock_server::world::{PageChange, WorldEvent, handle_matches};
use std::collections::HashMap;
use std::time::Duration;

/// All creators that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Fills {
    creators: Vec<Creator>,
    /// Whether a page was asked for again while it was surely kept and fresh: by another worker, which
    /// has a cache of its own.
    pub several_caches: bool,
    index: HashMap<Text, usize>,
    owners: HashMap<Text, Text>,
}

/// A profile answer and the links that followed it, so far.
struct Chain<'c> {
    version: &'c str,
    certain: bool,
    pages: usize,
    last_target: &'c str,
    begun: Moment,
    last: Moment,
}

#[derive(Default)]
struct Reading<'c> {
    chain: Option<Chain<'c>>,
    unfinished: bool,
    busy_until: Moment,
    asked: Vec<(Moment, Moment)>,
}

impl Fills {
    /// Reads them from the case's exchanges; [`Case::fills`] does so once for all.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let mut all = Self::default();
        let mut readings: Vec<Reading<'_>> = Vec::new();
        for exchange in case.linktree.exchanges.iter().filter(|exchange| exchange.is_page_read()) {
            let Some(handle) = &exchange.handle else { continue };
            let place = match all.index.get(handle) {
                Some(place) => *place,
                None => *all.index.entry(handle.clone()).or_insert(readings.len()),
            };
            if place == readings.len() {
                readings.push(Reading::default());
                all.creators.push(Creator::default());
            }
            if let Some(version) = &exchange.version {
                if !all.owners.contains_key(version) {
                    all.owners.insert(version.clone(), handle.clone());
                }
                all.creators[place].note(version, exchange);
            }
            let (creator, reading) = (&mut all.creators[place], &mut readings[place]);
            if exchange.route == Route::Profile {
                reading.end_chain(case, handle, creator);
                all.several_caches |= is_kept_elsewhere(case, exchange, creator);
                reading.begin_chain(exchange, creator);
            } else if let Some(chain) = &mut reading.chain
                && exchange.is_success()
                && *chain.last_target != *exchange.target
            {
                chain.pages += 1;
                chain.last_target = &exchange.target;
                chain.last = chain.last.max(exchange.t_known());
            }
            reading.busy_until = reading.busy_until.max(exchange.t_known());
            reading.asked.push((exchange.t_head, exchange.t_known()));
        }
        for (handle, &place) in &all.index {
            let (creator, reading) = (&mut all.creators[place], &mut readings[place]);
            reading.end_chain(case, handle, creator);
            creator.validated.sort_unstable();
            creator.fills.sort_by_key(|fill| fill.at);
            creator.validated.shrink_to_fit();
            creator.fills.shrink_to_fit();
            creator.asked = Spans::joined(std::mem::take(&mut reading.asked), Duration::ZERO);
        }
        all
    }

    /// The place of a creator who was asked for.
    #[must_use]
    pub fn place(&self, handle: &str) -> Option<usize> {
        self.index.get(handle).copied()
    }

    /// The creator at a place.
    #[must_use]
    pub fn creator(&self, place: usize) -> &Creator {
        &self.creators[place]
    }

    /// How many creators were asked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.creators.len()
    }

    /// Whose version this is.
    #[must_use]
    pub fn owner(&self, version: &str) -> Option<&str> {
        self.owners.get(version).map(|owner| &**owner)
    }
}

impl<'c> Reading<'c> {
    fn begin_chain(&mut self, profile: &'c JudgedExchange, creator: &mut Creator) {
        if !profile.is_success() {
            return;
        }
        creator.validated.push(profile.t_known());
        // A 304 vouches for a page that is filled already.
        if profile.status != Some(304)
            && let Some(version) = profile.version.as_deref()
        {
            let certain = !self.unfinished && profile.t_head >= self.busy_until;
            let last = profile.t_known();
            let begun = profile.t_head;
            self.chain = Some(Chain { version, certain, pages: 0, last_target: "", begun, last });
        }
    }

    /// A chain with all its links pages was a fill, unless another was under way at the same time,
    /// which might have had the last word, or the process ended or stood still meanwhile: whoever
    /// wakes up may take an answer for a timeout.
    fn end_chain(&mut self, case: &Case, handle: &str, creator: &mut Creator) {
        let Some(chain) = self.chain.take() else { return };
        let whole = chain.pages >= pages_needed(case, handle, chain.last_target);
        let settled = chain.last.plus(case.harness.delta);
        let kept =
            whole && !case.target.disturbed_within(chain.begun.minus(case.harness.delta), settled);
        self.unfinished = !kept;
        if kept
            && chain.certain
            && let Some(version) = creator.version(chain.version)
        {
            let at = settled.plus(case.harness.stalled_within(chain.last, settled));
            creator.fills.push(Fill { at, version });
        }
    }
}

/// Whether this profile is asked for though the same version of it is kept, and fresh, for certain.
fn is_kept_elsewhere(case: &Case, profile: &JudgedExchange, creator: &Creator) -> bool {
    let (Some(fill), Some(validated)) = (creator.fills.last(), creator.validated.last()) else {
        return false;
    };
    let (from, at) = (fill.at, profile.t_head);
    let is_fresh = from < at && at.plus(case.harness.delta) < validated.plus(case.max_age());
    let is_same = profile.version.as_ref() == Some(&creator.versions[fill.version].name);
    is_fresh && is_same && case.target.lived_through(from, at)
}

/// How many links pages this creator would need, from one on, with the most links that the plan allows for. Pages
/// that are short by lot or by a fault, and cursors that expire, leave it open, so that no fill is
/// certain.
fn pages_needed(case: &Case, handle: &str, target: &str) -> usize {
    let bent = |rule: &Rule| rule.fault.info().calls_for(Caution::BendsPages);
    if case.contract.pages.short_per_mille > 0 || case.plan.faults.iter().any(bent) {
        return usize::MAX;
    }
    let asked = target.split(['?', '&']).find_map(|part| part.strip_prefix("limit="));
    let limit = asked.and_then(|limit| limit.parse().ok());
    let limit = limit.unwrap_or(case.contract.pages.default_limit).max(1);
    let inserted = case.plan.world.iter().map(|timed| match &timed.event {
        WorldEvent::Edit { handles, change: PageChange::Insert { count } }
            if handle_matches(handles, handle) =>
        {
            u32::from(*count)
        }
        _ => 0,
    });
    let most = case.plan.population.most_links(handle).unwrap_or(0);
    let most = most.saturating_add(inserted.sum());
    most.div_ceil(limit).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, links, read, refused};
    use mock_server::history::exchange::Exchange;
    use mock_server::world::TimedEvent;
    use mock_server::world::population::Group;

    fn version(exchange: Exchange, version: &str) -> Exchange {
        Exchange { version: Some(version.into()), ..exchange }
    }

    fn fills(history: &History) -> Vec<(u64, String)> {
        let fills = Fills::of(&history.case);
        let creator = fills.creator(fills.place("ann-0001").unwrap());
        let show =
            |fill: &Fill| (fill.at.0 / 1_000_000, creator.versions[fill.version].name.to_string());
        creator.fills.iter().map(show).collect()
    }

    #[test]
    fn a_profile_and_its_links_fill_a_page_and_a_304_does_not() {
        let vouched = Exchange { status: Some(304), ..read("ann-0001", 500) };
        let history = History::over(&[]).exchanges([
            read("ann-0001", 0),
            links("ann-0001", 10),
            vouched,
            read("ann-0001", 600),
        ]);
        assert_eq!(fills(&history), [(115, "v0-ann-0001".into())]);
        assert_eq!(Fills::of(&history.case).owner("v0-ann-0001"), Some("ann-0001"));
    }

    #[test]
    fn who_asks_for_what_is_kept_and_fresh_has_another_cache() {
        let several = |again: Exchange| {
            let history =
                History::over(&[]).exchanges([read("ann-0001", 0), links("ann-0001", 10)]);
            Fills::of(&history.exchange(again).case).several_caches
        };
        assert!(several(read("ann-0001", 116)) && several(read("ann-0001", 3_904)));
        assert!(!several(read("ann-0001", 115)), "it may not be kept yet");
        assert!(!several(read("ann-0001", 3_905)), "it may have expired");
        assert!(!several(version(read("ann-0001", 120), "v1")), "it may have been purged");
        assert!(!several(read("bob-0001", 120)));
    }

    #[test]
    fn a_page_with_many_links_is_filled_by_its_last_part() {
        let more =
            |at| Exchange { target: format!("/l?limit=20&cursor={at}"), ..links("ann-0001", at) };
        let part = |count: u64| {
            let mut history = History::over(&[]).exchange(read("ann-0001", 0));
            history = history.exchanges((1..=count).map(|n| more(n * 10)));
            let group = Group {
                prefix: "ann".into(),
                count: 1,
                min_links: 1,
                max_links: 60,
                ..Group::default()
            };
            history.case.plan.population.groups = vec![group];
            fills(&history).len()
        };
        assert_eq!((part(2), part(3)), (0, 1));
    }

    #[test]
    fn inserted_links_and_short_pages_need_more_parts() {
        let filled = |handles: &str, inserted: u16, short_per_mille: u32| {
            let mut history =
                History::over(&[]).exchanges([read("ann-0001", 0), links("ann-0001", 10)]);
            let change = PageChange::Insert { count: inserted };
            let event = WorldEvent::Edit { handles: handles.into(), change };
            history.case.plan.world = vec![TimedEvent { at_ms: 0, event }];
            history.case.contract.pages.short_per_mille = short_per_mille;
            fills(&history).len()
        };
        assert_eq!(
            [("ann-*", 0), ("ann-*", 100), ("ann-*", 101)].map(|(of, n)| filled(of, n, 0)),
            [1, 1, 0]
        );
        assert_eq!(filled("bob-*", 101, 0), 1, "another creator's");
        assert_eq!(filled("ann-*", 0, 1), 0);
    }

    #[test]
    fn where_a_fault_shortens_pages_or_expires_cursors_no_fill_is_certain() {
        let filled = |fault: Option<&str>| {
            let mut history =
                History::over(&[]).exchanges([read("ann-0001", 0), links("ann-0001", 10)]);
            let rule = |fault| format!("{{\"id\":\"r\",\"fault\":{fault}}}");
            let rule = fault.map(|fault| serde_json::from_str(&rule(fault)).unwrap());
            history.case.plan.faults.extend(rule);
            fills(&history).len()
        };
        assert_eq!(filled(None), 1);
        assert_eq!(filled(Some(r#"{"kind":"short-pages","min":1,"max":2}"#)), 0);
        assert_eq!(filled(Some(r#"{"kind":"expired-cursor"}"#)), 0);
    }

    #[test]
    fn who_only_asks_whether_a_page_is_there_fills_nothing() {
        let head = |exchange| Exchange { method: "HEAD".into(), nonce: None, ..exchange };
        let mut history = History::over(&[]).exchanges([
            head(version(read("ann-0001", 0), "v1")),
            head(version(links("ann-0001", 10), "v1")),
        ]);
        assert!(Fills::of(&history.case).place("ann-0001").is_none());
        history = history.exchanges([read("ann-0001", 20), links("ann-0001", 30)]);
        history = history.exchange(head(version(read("ann-0001", 40), "v1")));
        assert_eq!(fills(&history), [(135, "v0-ann-0001".into())]);
    }

    #[test]
    fn a_fill_beside_an_unfinished_or_overlapping_one_is_not_certain() {
        let failed = Exchange { route: Route::ProfileLinks, ..refused("ann-0001", 10, 503) };
        let history = History::over(&[]).exchanges([read("ann-0001", 0), failed]);
        let history =
            history.exchanges([version(read("ann-0001", 20), "v1"), links("ann-0001", 30)]);
        assert_eq!(fills(&history), []);
        let slow = Exchange { t_w: Some(Moment::from_ms(40)), ..read("ann-0001", 0) };
        let history = History::over(&[]).exchanges([slow, links("ann-0001", 1)]);
        let history =
            history.exchanges([version(read("ann-0001", 20), "v1"), links("ann-0001", 30)]);
        assert_eq!(
            fills(&history),
            [(140, "v0-ann-0001".into())],
            "the first one may be the last to be kept"
        );
    }
}

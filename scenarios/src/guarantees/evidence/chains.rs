//! Lists of links that were read to their end: from a first page, by each cursor that was handed out, to
//! the page behind which there are no more.

use crate::case::{Case, Listing};
use mock_server::clock::Moment;
use mock_server::history::exchange::CursorIn;
use mock_server::world::{PageChange, WorldEvent, handle_matches};
use std::collections::{HashMap, HashSet};

/// A list that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain<'c> {
    /// When its first page was asked for.
    pub begun: Moment,
    /// When its last page was sent.
    pub ended: Moment,
    /// When its last page was asked for.
    asked_last: Moment,
    /// The links that pages shall show, in the list's order.
    pub ids: Vec<&'c str>,
    /// Its pages.
    pub pages: usize,
    /// Whether one of them was shorter than asked for, and there were more.
    pub has_short_page: bool,
}

/// What was listed of one creator.
#[derive(Debug, Default)]
pub struct Lists<'c> {
    /// Lists that were read to their end, in the order of their ends.
    pub chains: Vec<Chain<'c>>,
    /// Every link of every page, with when that was sent.
    sent: Vec<(Moment, &'c str)>,
    /// When a cursor was answered with 410.
    pub expired: Vec<Moment>,
    /// Of those the ones after which a first page was asked for.
    pub begun_again: usize,
    /// Whether nobody can say what a client took for a page.
    pub doubtful: bool,
}

impl<'c> Lists<'c> {
    /// Reads the lists of each creator. Of a service that shows so many links at the most a list is read
    /// to its end when it has as many.
    #[must_use]
    pub fn of(case: &'c Case, most: Option<usize>) -> HashMap<&'c str, Self> {
        let mut by_handle: HashMap<&str, Vec<&Listing>> = HashMap::new();
        for listing in &case.linktree.listings {
            if let Some(handle) = listing.handle.as_deref() {
                by_handle.entry(handle).or_default().push(listing);
            }
        }
        let read = |(handle, listings): (&'c str, Vec<&'c Listing>)| {
            (handle, Self::read(&listings, case.contract.pages.default_limit as usize, most))
        };
        by_handle.into_iter().map(read).collect()
    }

    fn read(listings: &[&'c Listing], default_limit: usize, most: Option<usize>) -> Self {
        let mut lists = Self::default();
        let mut by_cursor: HashMap<&str, &'c Listing> = HashMap::new();
        for listing in listings.iter().filter(|one| one.is_whole) {
            by_cursor.extend(listing.listed.next.as_deref().map(|next| (next, *listing)));
        }
        for listing in listings {
            let listed = &listing.listed;
            lists.doubtful |= listing.doubtful;
            if listed.cursor_in == CursorIn::Expired {
                lists.expired.push(listing.t_known);
            }
            if !listing.is_whole {
                continue;
            }
            let ids = listed.ids.iter().chain(&listed.inactive);
            lists.sent.extend(ids.map(|id| (listing.t_known, id.as_str())));
            let Some(pages) = back_to_the_first(listing, &by_cursor) else { continue };
            let ids: Vec<&str> =
                pages.iter().flat_map(|page| &page.listed.ids).map(String::as_str).collect();
            let before = ids.len() - listed.ids.len();
            let enough = most.is_some_and(|most| before < most && most <= ids.len());
            if listed.has_more && !enough {
                continue;
            }
            let is_short = |page: &&Listing| {
                let held = page.listed.ids.len() + page.listed.inactive.len();
                page.listed.has_more && held < page.limit.unwrap_or(default_limit)
            };
            lists.chains.push(Chain {
                begun: pages[0].t_req,
                ended: listing.t_known,
                asked_last: listing.t_req,
                ids,
                pages: pages.len(),
                has_short_page: pages.iter().rev().skip(1).any(is_short),
            });
        }
        lists.chains.sort_by_key(|chain| chain.ended);
        let firsts = listings.iter().filter(|one| one.listed.cursor_in == CursorIn::None);
        let firsts: Vec<Moment> = firsts.map(|one| one.t_req).collect();
        let again = |expired: &&Moment| firsts.iter().any(|first| first >= *expired);
        lists.begun_again = lists.expired.iter().filter(again).count();
        lists
    }

    /// Every link that was sent since the last list before this one was whole, and until its end: whoever
    /// begins anew may keep what came before the cursor expired.
    #[must_use]
    pub fn sent_for(&self, chain: &Chain<'_>, since_ever: bool) -> HashSet<&'c str> {
        let before = self.chains.iter().map(|one| one.ended).filter(|ended| *ended < chain.begun);
        let from = before.max().filter(|_| !since_ever).unwrap_or(Moment::ZERO);
        let sent = self.sent.iter().filter(|(at, _)| from < *at && *at <= chain.ended);
        sent.map(|(_, id)| *id).collect()
    }

    /// Whether each of these links was ever sent.
    #[must_use]
    pub fn has_sent(&self, links: &[String]) -> bool {
        let sent: HashSet<&str> = self.sent.iter().map(|(_, id)| *id).collect();
        links.iter().all(|id| sent.contains(id.as_str()))
    }

    /// Whether a cursor expired while this list was read, or since the one before it was whole.
    #[must_use]
    pub fn expired_for(&self, chain: &Chain<'_>) -> bool {
        let before = self.chains.iter().map(|one| one.ended).filter(|ended| *ended < chain.begun);
        let from = before.max().unwrap_or(Moment::ZERO);
        self.expired.iter().any(|at| from < *at && *at <= chain.ended)
    }
}

impl Chain<'_> {
    /// Whether a link was inserted, and whether one was removed, between its first page and its last.
    #[must_use]
    pub fn edits(&self, case: &Case, handle: &str) -> [bool; 2] {
        let mut inside = [false; 2];
        for timed in &case.plan.world {
            let WorldEvent::Edit { handles, change } = &timed.event else { continue };
            let at = case.moment(timed.at_ms);
            if handle_matches(handles, handle) && self.begun < at && at < self.asked_last {
                match change {
                    PageChange::Insert { .. } => inside[0] = true,
                    PageChange::Remove { .. } => inside[1] = true,
                    PageChange::Text => {}
                }
            }
        }
        inside
    }
}

/// The pages from the first to this one, if each was asked for with the cursor of one before.
fn back_to_the_first<'c>(
    last: &'c Listing,
    by_cursor: &HashMap<&str, &'c Listing>,
) -> Option<Vec<&'c Listing>> {
    let mut pages = vec![last];
    while let Some(cursor) = pages.last().and_then(|page| page.cursor.as_deref()) {
        let before = *by_cursor.get(cursor)?;
        // A cursor is older than what was asked for with it, so that there is no circle.
        if before.t_req >= pages.last()?.t_req {
            return None;
        }
        pages.push(before);
    }
    pages.reverse();
    Some(pages)
}

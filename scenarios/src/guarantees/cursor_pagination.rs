//! A page shows every link once, though links come and go between the pages of their list.
//!
//! Blind to: links without the declared attribute; which version's links a page shows; a list that is
//! read whole and shown by nobody. Broken by: `links-by-offset`, `stops-at-a-short-page`,
//! `begins-again-and-appends`.

use super::evidence::chains::{Chain, Lists};
use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, Listing};
use crate::history::{Body, BodyHash, Operation};
use crate::measure::{Gauge, so_many};
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::contract::Route;
use mock_server::history::exchange::CursorIn;
use std::collections::{HashMap, HashSet};

/// What a page shows is what a whole list held.
pub struct CursorPagination;

/// As much of a page is looked at where it is read, bytes.
const LOOKED_AT: u64 = 256 * 1024;
/// Parameters that number pages or links.
const NUMBERS: [&str; 5] = ["offset", "page", "skip", "start", "p"];

const CHAINS: Minimum = Minimum { name: "lists of two pages or more that a page showed", least: 5 };
const INSERTS: Minimum = Minimum { name: "of these with a link inserted meanwhile", least: 1 };
const REMOVALS: Minimum = Minimum { name: "of these with a link removed meanwhile", least: 1 };
const SHORT: Minimum = Minimum { name: "of these with a short page in the middle", least: 1 };
const EXPIRED: Minimum =
    Minimum { name: "expired cursors after which a list was begun anew", least: 1 };

const PROMISE: Promise = Promise {
    id: "cursor-pagination",
    statement: "Every link is listed exactly once, by cursor, even when links are added or removed \
                between pages; offset is never used.",
    priority: Priority::Standard,
    source: "assumed contract: lists end where `has_more` is false; a cursor names the last link that was \
             listed, and expires with 410",
    why: "a creator with many links loses those behind the first page, or shows some twice, and nobody \
          notices before their fans do",
    usual_fix: "follow each cursor until `has_more` is false, however short a page is; begin anew without \
                a cursor after a 410, with an empty list",
    blind_to: "links without the declared attribute; which version's links a page shows; lists that \
               nobody is shown; what is sent again in answers that may be taken either way",
    bounds: &[],
    minimums: &[CHAINS, INSERTS, REMOVALS, SHORT, EXPIRED],
    // What is shown is compared with what was sent before, whenever that was.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

impl Guarantee for CursorPagination {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let most = case.declared.links_shown_max.and_then(|most| usize::try_from(most).ok());
        Box::new(Pages {
            case,
            most,
            lists: Lists::of(case, most),
            own_lists: case.linktree.exchanges.iter().any(|one| one.route == Route::Links),
            moved: case.linktree.exchanges.iter().any(|one| one.writes_links),
            known: HashSet::new(),
            places: HashMap::new(),
            shown: HashSet::new(),
            compared: 0,
            repeats_anyhow: false,
            repeated: Offences::default(),
            wrong: Offences::default(),
        })
    }
}

/// Position and rank of links, by their ids.
type Places = HashMap<String, (u32, u64)>;

/// Pages that are compared with the lists that were read for them.
struct Pages<'c> {
    case: &'c Case,
    most: Option<usize>,
    lists: HashMap<&'c str, Lists<'c>>,
    /// Whether links may have come by the list of the own account, which names no creator.
    own_lists: bool,
    /// Whether links may have been moved.
    moved: bool,
    /// Pages that were compared already, each with so many lists before it.
    known: HashSet<(BodyHash, usize)>,
    /// Where the links stand that a creator had from the start, once somebody asks.
    places: HashMap<&'c str, Places>,
    /// Lists that a page showed: whose, and which of them.
    shown: HashSet<(&'c str, usize)>,
    compared: usize,
    /// Whether pages show links in several places whatever happened.
    repeats_anyhow: bool,
    repeated: Offences,
    wrong: Offences,
}

impl Judge for Pages<'_> {
    fn operation(&mut self, view: &Operation<'_>) {
        let case = self.case;
        let hash = view.page().and_then(|page| page.body).filter(|_| view.is_ok());
        let Some(body) = hash.and_then(|hash| case.target.body(hash)) else { return };
        let Some((&handle, lists)) = self.lists.get_key_value(view.handle.as_ref()) else { return };
        if lists.doubtful || self.own_lists || body.links.is_empty() || body.bytes > LOOKED_AT {
            return;
        }
        let by = view.last.plus(case.harness.delta);
        let before = lists.chains.partition_point(|chain| chain.ended <= by);
        if !self.known.insert((body.hash, before)) {
            return;
        }
        let chains = &lists.chains[..before];
        if chains.is_empty() && !lists.has_sent(&body.links) {
            // They came from somewhere else.
            return;
        }
        self.compared += 1;
        if !self.moved {
            self.places.entry(handle).or_insert_with(|| places(case, handle));
        }
        let fits = |chain: &Chain<'_>| self.is_shown(handle, lists, chain, body);
        let Some(place) = chains.iter().rposition(fits) else {
            self.wrong.add(view.last, || {
                Witness::new(view.last, differs(handle, chains, body))
                    .line(case.tell_operation(view))
            });
            return;
        };
        self.shown.insert((handle, place));
        if body.repeated.is_empty() {
            return;
        }
        if lists.expired_for(&chains[place]) {
            self.repeated.add(view.last, || {
                let twice = body.repeated.len();
                let what = format!(
                    "the page of {handle} shows {} twice, after its list was begun anew",
                    so_many(twice, "link", "links")
                );
                Witness::new(view.last, what).line(case.tell_operation(view))
            });
        } else {
            self.repeats_anyhow = true;
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, lists, shown, compared, repeats_anyhow, repeated, wrong, .. } = *self;
        let (calls, numbered, again) = calls(case);
        let repeated = if repeats_anyhow { Offences::default() } else { repeated };
        let gauges = [
            Gauge::none_of("pages that show no whole list").counted(wrong.count(), compared),
            Gauge::none_of("pages that show links twice").counted(repeated.count(), compared),
            Gauge::none_of("pages of lists by number or by a stranger's cursor")
                .counted(numbered.count(), calls),
            Gauge::none_of("cursors asked for after their 410").counted(again.count(), calls),
        ];
        let mut long: Vec<(&str, &Chain<'_>)> = Vec::new();
        for (handle, place) in &shown {
            let chain = &lists[handle].chains[*place];
            if chain.pages > 1 {
                long.push((*handle, chain));
            }
        }
        let edited = |kind: usize| {
            long.iter().filter(|(handle, chain)| chain.edits(case, handle)[kind]).count()
        };
        let short = long.iter().filter(|(_, chain)| chain.has_short_page).count();
        let expired = lists.values().map(|lists| lists.begun_again).sum();
        let observed = format!(
            "{compared} different pages compared, {} lists of two pages or more shown, {} with a link \
             inserted and {} with one removed meanwhile, {short} with a short page; {expired} lists begun \
             anew after a 410{}",
            long.len(),
            edited(0),
            edited(1),
            if repeats_anyhow {
                "; pages show links in several places, which is not judged"
            } else {
                ""
            },
        );
        let strength = [
            CHAINS.seen(long.len()),
            INSERTS.seen(edited(0)),
            REMOVALS.seen(edited(1)),
            SHORT.seen(short),
            EXPIRED.seen(expired),
        ];
        let mut offences = wrong;
        offences.join(repeated);
        offences.join(numbered);
        offences.join(again);
        offences.verdict(compared, "pages").at_least(strength).measured(
            gauges,
            observed,
            "every link of a list that was read to its end, each once",
        )
    }
}

impl Pages<'_> {
    /// Whether this page is what this list held: all of it, in order, and nothing that was not sent.
    fn is_shown(&self, handle: &str, lists: &Lists<'_>, chain: &Chain<'_>, body: &Body) -> bool {
        let shown: HashSet<&str> = body.links.iter().map(String::as_str).collect();
        let held = chain.ids.iter().filter(|id| shown.contains(*id)).count();
        let wanted = self.most.map_or(chain.ids.len(), |most| most.min(chain.ids.len()));
        // Several processes may read lists at the same time.
        let sent = lists.sent_for(chain, self.case.declared.instances > 1);
        held >= wanted && shown.is_subset(&sent) && self.in_order(handle, chain, body)
    }

    /// Whether the links that the creator had from the start are in order, as far as the list held them.
    /// Where new links stand, position and list may disagree.
    fn in_order(&self, handle: &str, chain: &Chain<'_>, body: &Body) -> bool {
        let Some(places) = self.places.get(handle) else { return true };
        let held: HashSet<&str> = chain.ids.iter().copied().collect();
        let shown = body.links.iter().map(String::as_str).filter(|id| held.contains(id));
        shown.filter_map(|id| places.get(id)).is_sorted()
    }
}

/// Where the links stand that a creator had from the start; nobody has any who is not in the plan.
fn places(case: &Case, handle: &str) -> Places {
    let creator = case.plan.population.creator(case.plan.seed, handle);
    let links = creator.into_iter().flat_map(|creator| creator.links);
    links.map(|link| (link.id, (link.position, link.rank))).collect()
}

/// How a page differs from the list that was read last.
fn differs(handle: &str, chains: &[Chain<'_>], body: &Body) -> String {
    let shows = body.links.len();
    let Some(last) = chains.last() else {
        return format!(
            "the page of {handle} shows {}, and no list of them was read to its end",
            so_many(shows, "link", "links")
        );
    };
    let shown: HashSet<&str> = body.links.iter().map(String::as_str).collect();
    let missing = last.ids.iter().filter(|id| !shown.contains(*id)).count();
    let of = last.ids.len();
    format!(
        "the page of {handle} shows {}, and lacks {missing} of the {of} that were listed last, or has them in \
         another order",
        so_many(shows, "link", "links")
    )
}

/// How many pages of lists were asked for; those by number or with a cursor of nobody's; those with a
/// cursor that was known to have expired.
fn calls(case: &Case) -> (usize, Offences, Offences) {
    let (mut numbered, mut again) = (Offences::default(), Offences::default());
    let is_list = |route: Route| matches!(route, Route::ProfileLinks | Route::Links);
    let mut calls = 0;
    for call in case.linktree.exchanges.iter().filter(|one| is_list(one.route)) {
        calls += 1;
        let query = call.target.split_once('?').map_or("", |(_, query)| query);
        let names = query.split('&').map(|one| one.split_once('=').map_or(one, |(name, _)| name));
        if let Some(name) = names.into_iter().find(|name| NUMBERS.contains(name)) {
            numbered.add(call.t_req, || {
                let what = format!("links were asked for by number: `{name}`");
                Witness::new(call.t_req, what).line(case.tell(call))
            });
        }
    }
    let mut gone: HashMap<&str, &Listing> = HashMap::new();
    for listing in &case.linktree.listings {
        let Some(cursor) = listing.cursor.as_deref() else { continue };
        if listing.listed.cursor_in == CursorIn::Foreign {
            numbered.add(listing.t_req, || {
                let what =
                    "links were asked for with a cursor that was not handed out for this list";
                Witness::new(listing.t_req, what).line(tell(case, listing))
            });
        }
        let told = gone.get(cursor).map(|told| told.t_known.plus(case.harness.delta));
        if told.is_some_and(|told| told < listing.t_req) {
            again.add(listing.t_req, || {
                let what = "a cursor was asked for again after it had expired";
                Witness::new(listing.t_req, what).line(tell(case, listing))
            });
        }
        if listing.listed.cursor_in == CursorIn::Expired {
            gone.entry(cursor).or_insert(listing);
        }
    }
    (calls, numbered, again)
}

/// A line about a page of a list. The search begins where its exchange may be; it finds the same from any
/// place before that.
fn tell(case: &Case, listing: &Listing) -> String {
    let all = &case.linktree.exchanges;
    let from = all.partition_point(|one| one.t_req < listing.t_req);
    let exchange = all.iter().skip(from).find(|one| one.id == listing.id);
    exchange.map_or_else(|| listing.target.clone(), |exchange| case.tell(exchange))
}

#[cfg(test)]
mod tests;

//! Simulated services that read lists of links: with any limit, through short pages, expired cursors and
//! edits, and the ways in which they lose links or show them twice.

use super::{Tally, judged};
use crate::history::{Body, BodyHash, Did, Event, Operation, PageView};
use crate::testing::{History, links, page};
use mock_server::history::exchange::{CursorIn, Exchange, Listed};
use mock_server::world::population::{Group, Population};
use mock_server::world::{PageChange, TimedEvent, WorldEvent};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;

/// A service.
#[derive(Clone, Copy, Debug)]
struct Service {
    /// Links on a page of the list at the most.
    limit: usize,
    /// Whether it reads the whole list anew where that has changed meanwhile.
    reloads: bool,
    /// Whether what was read before a cursor expired stays, without links that come twice.
    keeps: bool,
    /// Whether an older page is shown where a list cannot be read.
    stale: bool,
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// Only the first page is read.
    First,
    /// A page that is not full is the last.
    Short,
    /// What was read before a cursor expired stands there twice.
    Appends,
    /// The last links of a page are lost.
    OffByOne,
    /// An expired cursor is asked for again.
    Insists,
    /// Pages are asked for by their number, beside the cursor.
    Numbers,
    /// Now and then another creator's cursor is sent.
    Mixes,
    /// The newest link is shown first.
    Reverses,
    /// What was shown once is shown for ever.
    NeverForgets,
}

const SOUND: Service =
    Service { limit: 100, reloads: false, keeps: false, stale: false, flaw: Flaw::None };

struct Run<'r> {
    random: &'r mut ChaCha8Rng,
    service: Service,
    history: History,
    /// Links by rank; and the next rank that is free.
    world: Vec<(u64, String)>,
    named: u64,
    at: u64,
    cursors: u64,
}

impl Run<'_> {
    fn exchange(&mut self, exchange: Exchange) {
        let history = std::mem::replace(&mut self.history, History::over(&[]));
        self.history = history.exchange(exchange);
    }

    /// A link comes or goes, anywhere.
    fn edit(&mut self, handle: &str) {
        let change = if self.random.random_range(0..2) == 0 && self.world.len() > 5 {
            let gone = self.random.random_range(0..self.world.len());
            self.world.remove(gone);
            PageChange::Remove { count: 1 }
        } else {
            self.named += 1;
            let end = self.world.last().map_or(1, |(rank, _)| rank + 1_000);
            let rank = self.random.random_range(0..end);
            self.world.push((rank, format!("{handle}-new{}", self.named)));
            self.world.sort();
            PageChange::Insert { count: 1 }
        };
        let event = WorldEvent::Edit { handles: handle.to_owned(), change };
        self.history.case.plan.world.push(TimedEvent { at_ms: self.at, event });
    }

    /// Reads the list once; none where the cursor expired too often. Gives the links, those that come
    /// again, and whether the list changed meanwhile.
    fn read(&mut self, handle: &str) -> Option<(Vec<String>, Vec<String>, bool)> {
        let (mut read, mut repeated, mut changed) = (Vec::<String>::new(), vec![], false);
        let (mut after, mut cursor, mut expiries) = (0, None::<String>, 0);
        loop {
            self.at += self.random.random_range(5..200);
            if self.random.random_range(0..5) == 0 {
                self.edit(handle);
                changed = true;
                self.at += 5;
            }
            let query = cursor.as_ref().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
            let number = if self.service.flaw == Flaw::Numbers { "&page=2" } else { "" };
            let limit = self.service.limit;
            let target = format!("/v1/profiles/{handle}/links?limit={limit}{query}{number}");
            let mixes = self.service.flaw == Flaw::Mixes && self.random.random_range(0..3) == 0;
            let cursor_in = match cursor {
                Some(_) if mixes => CursorIn::Foreign,
                Some(_) => CursorIn::Fresh,
                None => CursorIn::None,
            };
            let answer = Exchange { target, ..links(handle, self.at) };
            if cursor.is_some() && self.random.random_range(0..9) == 0 {
                let met = Some(Box::new(Listed::met(CursorIn::Expired)));
                let gone = Exchange { status: Some(410), listed: met, ..answer };
                self.exchange(gone.clone());
                self.at += 200;
                if self.service.flaw == Flaw::Insists {
                    let (t_req, t_end) =
                        (links(handle, self.at).t_req, links(handle, self.at).t_end);
                    self.exchange(Exchange { t_req, t_end, t_w: Some(t_end), ..gone });
                }
                expiries += 1;
                if expiries > 2 {
                    return None;
                }
                (after, cursor) = (0, None);
                if !self.service.keeps && self.service.flaw != Flaw::Appends {
                    read.clear();
                }
                continue;
            }
            let short = self.random.random_range(0..3) == 0;
            let most = if short { self.service.limit.div_ceil(2) } else { self.service.limit };
            let rest = self.world.iter().filter(|(rank, _)| *rank > after);
            let part: Vec<(u64, String)> = rest.clone().take(most).cloned().collect();
            let has_more = rest.count() > part.len();
            after = part.last().map_or(after, |(rank, _)| *rank);
            self.cursors += 1;
            let next = has_more.then(|| format!("k{}", self.cursors));
            let ids: Vec<String> = part.into_iter().map(|(_, id)| id).collect();
            let listed = Listed {
                ids: ids.clone(),
                inactive: vec![],
                has_more,
                cursor_in,
                next: next.clone(),
            };
            self.exchange(Exchange { listed: Some(Box::new(listed)), ..answer });
            self.at += 10;
            let lost = usize::from(self.service.flaw == Flaw::OffByOne && has_more);
            for id in &ids[..ids.len() - lost] {
                if !read.contains(id) {
                    read.push(id.clone());
                } else if self.service.flaw == Flaw::Appends && !repeated.contains(id) {
                    repeated.push(id.clone());
                }
            }
            let ends = match self.service.flaw {
                Flaw::First => true,
                Flaw::Short => !has_more || ids.len() < self.service.limit,
                _ => !has_more,
            };
            if ends {
                return Some((read, repeated, changed));
            }
            cursor = next;
        }
    }

    fn shows(&mut self, handle: &str, links: Vec<String>, repeated: Vec<String>) {
        self.at += 10;
        let hash = BodyHash::of(format!("{links:?}{repeated:?}").as_bytes());
        let body = Body { hash, bytes: 9, cut: false, links, repeated, text: String::new() };
        self.history.case.take(Event::Body(Box::new(body)));
        let did = Did::Page(PageView { body: Some(hash), ..PageView::default() });
        let view = page("-", self.at, self.at + 5, "v");
        let handle = Cow::Owned(handle.to_owned());
        let history = std::mem::replace(&mut self.history, History::over(&[]));
        self.history = history.operation(Operation { did, handle, ..view });
    }
}

fn simulated(random: &mut ChaCha8Rng, service: Service) -> History {
    let mut history = History::over(&[]);
    let group =
        Group { prefix: "c".into(), count: 12, min_links: 45, max_links: 250, ..Group::default() };
    history.case.plan.population = Population { groups: vec![group] };
    history.case.plan.seed = random.random();
    let mut run = Run { random, service, history, world: vec![], named: 0, at: 1_000, cursors: 0 };
    for creator in 1..=12 {
        let handle = format!("c-{creator:04}");
        let plan = &run.history.case.plan;
        let links = plan.population.creator(plan.seed, &handle).expect("a creator").links;
        run.world = links.into_iter().map(|link| (link.rank, link.id)).collect();
        let mut shown: Option<(Vec<String>, Vec<String>)> = None;
        for _ in 0..2 {
            let mut read = run.read(&handle);
            if service.reloads && read.as_ref().is_some_and(|(.., changed)| *changed) {
                read = run.read(&handle);
            }
            match read {
                Some((mut links, repeated, _)) => {
                    if service.flaw == Flaw::Reverses {
                        links.reverse();
                    }
                    if service.flaw == Flaw::NeverForgets {
                        let before = shown.take().map(|(before, _)| before).unwrap_or_default();
                        let gone = before.into_iter().filter(|id| !links.contains(id));
                        links = gone.collect::<Vec<_>>().into_iter().chain(links).collect();
                    }
                    shown = Some((links, repeated));
                }
                None if service.stale => {}
                None => shown = None,
            }
            if let Some((links, repeated)) = shown.clone() {
                run.shows(&handle, links, repeated);
            }
            run.at += 4_000;
        }
    }
    run.history
}

fn outcome(service: Service) -> Tally {
    judged("cursor-pagination", |random| simulated(random, service))
}

#[test]
fn lists_that_are_read_to_their_end_are_never_blamed() {
    for limit in [20, 33, 50, 100] {
        outcome(Service { limit, ..SOUND }).is_never_blamed(&format!("limit {limit}"), 60);
    }
    outcome(Service { reloads: true, limit: 40, ..SOUND })
        .is_never_blamed("read anew after a change", 60);
    let kept = Service { keeps: true, limit: 50, ..SOUND };
    outcome(kept).is_never_blamed("each link once, whatever came before", 60);
    outcome(Service { stale: true, limit: 30, ..SOUND }).is_never_blamed("a stale page", 60);
}

#[test]
fn lists_that_end_too_early_lose_links_or_repeat_them_are_caught() {
    for flaw in [
        Flaw::First,
        Flaw::Short,
        Flaw::Appends,
        Flaw::OffByOne,
        Flaw::Insists,
        Flaw::Numbers,
        Flaw::Mixes,
        Flaw::Reverses,
        Flaw::NeverForgets,
    ] {
        let service = Service { flaw, limit: 40, ..SOUND };
        outcome(service).is_caught(&format!("{flaw:?}"), 90);
    }
}

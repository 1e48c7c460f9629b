//! A service with a cache, and the Linktree that it calls.

use crate::history::{OpFailure, Operation, PageView};
use crate::observed::Figures;
use crate::plan::PhaseKind::{Control, Heal, Outage, Warmup};
use crate::testing::{History, given_up, links, page, read, refused, scrape};
use mock_server::clock::Moment;
use mock_server::history::exchange::{End, Exchange};
use mock_server::world::population::{Group, Population};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};

const END: u64 = 60_000;
/// The outage, in the milliseconds in which all of this is counted, at time scale 10.
const OUT: std::ops::Range<u64> = 20_000..32_000;
const TIMEOUT: u64 = 1_000;
const OPEN: u64 = 3_000;
const MAX_AGE: u64 = 4_000;
/// A visitor waits so long for a fresh page where an old one is at hand.
const PATIENCE: u64 = 60;

/// What is wrong with a cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flaw {
    None,
    /// 503 instead of the expired page.
    Blank,
    WaitsOutTimeouts,
    /// One view in fifty shows another creator's page.
    Foreign,
    /// After the outage nothing is fetched again.
    OldForEver,
    /// A new page is kept one time in four.
    ForgetsNewPages,
    /// Only the last two pages are kept.
    Small,
    ShortLived,
    MissesAsHits,
    HitsAsMisses,
    OftenRefuses,
    OftenSlow,
}

#[derive(Clone, Copy, Debug)]
pub struct Cache {
    /// Each has a cache of its own.
    pub workers: usize,
    /// Shows an expired page at once, and fetches it in the background (RFC 5861).
    pub while_revalidate: bool,
    /// Visitors who come during a fetch share it.
    pub coalesces: bool,
    /// Asks whether its page is still the newest (304).
    pub revalidates: bool,
    pub killed: bool,
    /// What the upstream takes, at most.
    pub upstream_ms: u64,
    pub creators: usize,
    /// Visitors of the first page come once in so long.
    pub every_ms: u64,
    pub flaw: Flaw,
}

pub const SOUND: Cache = Cache {
    workers: 1,
    while_revalidate: false,
    coalesces: true,
    revalidates: false,
    killed: false,
    upstream_ms: 30,
    creators: 4,
    every_ms: 200,
    flaw: Flaw::None,
};

struct Kept {
    version: String,
    until: u64,
}

struct Visit {
    creator: usize,
    since: u64,
    /// What is shown if nothing better comes.
    old: Option<String>,
}

struct Fetch {
    cache: usize,
    creator: usize,
    version: String,
    visits: Vec<usize>,
    is_probe: bool,
}

enum Event {
    Visit(usize),
    /// The visit has waited for long enough.
    Patience(usize),
    /// Of a fetch the profile, or all of it, came; or it failed.
    Profile(usize),
    Whole(usize),
    Failed(usize),
    Killed,
    Scrape,
}

#[derive(Default)]
struct Counts {
    hits: u32,
    misses: u32,
    stale: u32,
}

struct World<'r> {
    random: &'r mut ChaCha8Rng,
    cache: Cache,
    agenda: BTreeMap<(u64, usize), Event>,
    events: usize,
    kept: Vec<HashMap<usize, Kept>>,
    /// Those under way, of `begun` in all.
    fetches: BTreeMap<usize, Fetch>,
    begun: usize,
    visits: Vec<Option<Visit>>,
    failures: u32,
    opened: Option<u64>,
    counts: Counts,
    exchanges: Vec<Exchange>,
    operations: Vec<Operation<'static>>,
}

fn handle(creator: usize) -> String {
    format!("ann-{:04}", creator + 1)
}

impl World<'_> {
    fn at(&mut self, time: u64, event: Event) {
        self.events += 1;
        self.agenda.insert((time, self.events), event);
    }

    fn once_in(&mut self, times: u32) -> bool {
        self.random.random_range(0..times) == 0
    }

    fn version(creator: usize, now: u64) -> String {
        format!("v{}-{}", (now + creator as u64 * 1_700) / 7_000, handle(creator))
    }

    /// Ends a visit: with this version, or without any page.
    fn show(&mut self, now: u64, visit: usize, version: Option<String>) {
        let Some(Visit { creator, since, .. }) = self.visits[visit].take() else { return };
        let slow = self.cache.flaw == Flaw::OftenSlow && self.once_in(30);
        let refuses = self.cache.flaw == Flaw::OftenRefuses && self.once_in(30);
        let end = now + self.random.random_range(1..5) + if slow { 400 } else { 0 };
        let foreign = self.cache.flaw == Flaw::Foreign && self.once_in(50);
        let version = version.filter(|_| !refuses).map(|version| {
            if foreign {
                version.replace(&handle(creator), &handle((creator + 1) % 4))
            } else {
                version
            }
        });
        let status = Some(if version.is_some() { 200 } else { 503 });
        let view = PageView { version: version.map(Into::into), ..PageView::default() };
        let did = crate::history::Did::Page(view);
        let seen =
            Operation { handle: handle(creator).into(), status, did, ..page("-", since, end, "-") };
        self.operations.push(seen);
    }

    /// Whether the breaker lets a fetch through, and whether as a probe.
    fn permits(&mut self, now: u64) -> Option<bool> {
        let Some(opened) = self.opened else { return Some(false) };
        let probing = self.fetches.values().any(|fetch| fetch.is_probe);
        (now >= opened + OPEN && !probing).then_some(true)
    }

    fn visit(&mut self, now: u64, creator: usize) {
        let Cache { workers, while_revalidate, coalesces, flaw, .. } = self.cache;
        let worker = self.random.random_range(0..workers);
        let own = self.kept[worker].get(&creator);
        let is_fresh = own.is_some_and(|kept| now < kept.until);
        // What this worker never had it finds where each of them leaves its pages.
        let all = self.kept.iter().filter_map(|kept| kept.get(&creator));
        let old = own.or(all.max_by_key(|kept| kept.until)).map(|kept| kept.version.clone());
        let visit = self.visits.len();
        self.visits.push(Some(Visit { creator, since: now, old: old.clone() }));
        if is_fresh {
            self.counts.hits += 1;
            return self.show(now, visit, old);
        }
        let mine = |fetch: &Fetch| fetch.cache == worker && fetch.creator == creator;
        let mut under_way = self.fetches.iter().filter(|(_, fetch)| mine(fetch));
        let under_way = under_way.next().map(|(place, _)| *place);
        let joined = under_way.filter(|_| coalesces);
        let gives_up = flaw == Flaw::OldForEver && now > OUT.end && old.is_some();
        let fetch = match joined {
            Some(fetch) => Some(fetch),
            None if gives_up => None,
            None => self.permits(now).map(|probe| self.fetch(now, worker, creator, probe)),
        };
        let shows_at_once = while_revalidate && old.is_some() && flaw != Flaw::WaitsOutTimeouts;
        match fetch {
            Some(fetch) if !shows_at_once => {
                self.counts.misses += 1;
                self.fetches.get_mut(&fetch).expect("under way").visits.push(visit);
                if old.is_some() && flaw != Flaw::WaitsOutTimeouts {
                    self.at(now + PATIENCE, Event::Patience(visit));
                }
            }
            _ if old.is_some() => {
                self.counts.stale += 1;
                self.show(now, visit, old.filter(|_| flaw != Flaw::Blank || fetch.is_some()));
            }
            _ => {
                self.counts.misses += 1;
                self.show(now, visit, None);
            }
        }
    }

    /// Sends a profile read.
    fn fetch(&mut self, now: u64, cache: usize, creator: usize, is_probe: bool) -> usize {
        let place = self.begun;
        self.begun += 1;
        let known = self.call(now, (cache, creator), true, place);
        let version = Self::version(creator, known);
        let fetch = Fetch { cache, creator, version, visits: Vec::new(), is_probe };
        self.fetches.insert(place, fetch);
        place
    }

    /// One upstream call; when its answer was written.
    fn call(&mut self, now: u64, page: (usize, usize), is_profile: bool, fetch: usize) -> u64 {
        let (cache, creator) = page;
        let arrived = now + self.random.random_range(0..5);
        let name = handle(creator);
        let is_out = OUT.contains(&arrived);
        let known = arrived + self.random.random_range(2..self.cache.upstream_ms);
        let heard = known + self.random.random_range(0..10);
        if is_out && self.once_in(2) {
            self.exchanges.push(given_up(&name, arrived, now + TIMEOUT));
            self.at(now + TIMEOUT, Event::Failed(fetch));
            return now + TIMEOUT;
        }
        let version = (!is_out).then(|| Self::version(creator, known));
        let kept = self.kept[cache].get(&creator).map(|kept| &kept.version);
        let is_same = self.cache.revalidates && kept.is_some() && kept == version.as_ref();
        let call = if is_out {
            refused(&name, arrived, 503)
        } else if is_profile {
            read(&name, arrived)
        } else {
            links(&name, arrived)
        };
        let end = Moment::from_ms(known);
        let status = if is_same && is_profile { Some(304) } else { call.status };
        let (t_first, t_w, t_end) = (Some(end), Some(end), end);
        self.exchanges.push(Exchange { t_first, t_w, t_end, version, status, ..call });
        let event = match (is_out, is_profile) {
            (true, _) => Event::Failed(fetch),
            (false, true) if !is_same => Event::Profile(fetch),
            (false, _) => Event::Whole(fetch),
        };
        self.at(heard, event);
        known
    }

    fn ended(&mut self, now: u64, fetch: usize, failed: bool) {
        let ended = self.fetches.remove(&fetch);
        let Some(Fetch { cache, creator, version, visits, is_probe }) = ended else { return };
        if failed {
            self.failures += 1;
            if is_probe || self.failures >= 5 && self.opened.is_none() {
                self.opened = Some(now);
            }
        } else {
            (self.failures, self.opened) = (0, None);
            let forgets = self.cache.flaw == Flaw::ForgetsNewPages && !self.once_in(4);
            let age = if self.cache.flaw == Flaw::ShortLived { 400 } else { MAX_AGE };
            let before = self.kept[cache].get(&creator).filter(|_| forgets);
            let version = before.map_or(version.clone(), |kept| kept.version.clone());
            self.kept[cache].insert(creator, Kept { version, until: now + age });
            if self.cache.flaw == Flaw::Small && self.kept[cache].len() > 2 {
                let oldest = self.kept[cache].iter().min_by_key(|(_, kept)| kept.until);
                let oldest = *oldest.expect("there are three").0;
                self.kept[cache].remove(&oldest);
            }
        }
        let new =
            self.kept[cache].get(&creator).filter(|_| !failed).map(|kept| kept.version.clone());
        for visit in visits {
            let old = self.visits[visit].as_ref().and_then(|visit| visit.old.clone());
            let old = old.filter(|_| self.cache.flaw != Flaw::Blank);
            self.show(now, visit, new.clone().or(old));
        }
    }
}

/// Warm-up, control, an outage in which half of the calls hang, and the time after it; three pages are
/// visited seldom, one often, and each changes now and then.
pub fn simulated(random: &mut ChaCha8Rng, cache: Cache) -> History {
    let phases = [(Warmup, 0, 5), (Control, 5, 20), (Outage, 20, 32), (Heal, 32, 60)];
    let mut history = History::over(&phases).scaled(10);
    let case = &mut history.case;
    case.contract.cache.max_age_s = 40;
    let group =
        Group { prefix: "ann".into(), count: 50, min_links: 1, max_links: 9, ..Group::default() };
    case.plan.population = Population { groups: vec![group] };
    let mut world = World {
        random,
        cache,
        agenda: BTreeMap::new(),
        events: 0,
        kept: (0..cache.workers).map(|_| HashMap::new()).collect(),
        fetches: BTreeMap::new(),
        begun: 0,
        visits: Vec::new(),
        failures: 0,
        opened: None,
        counts: Counts::default(),
        exchanges: Vec::new(),
        operations: Vec::new(),
    };
    for creator in 0..cache.creators {
        let every = if creator == 0 { cache.every_ms } else { 200 * cache.creators as u64 };
        let mut now = world.random.random_range(0..every * 2);
        while now < END {
            world.at(now, Event::Visit(creator));
            now += world.random.random_range(1..every * 2);
        }
    }
    (0..12).for_each(|n| world.at(n * 5_000 + 700, Event::Scrape));
    let killed = world.random.random_range(8_000..30_000);
    if cache.killed {
        world.at(killed, Event::Killed);
    }
    let gone = killed..killed + 400;
    while let Some(((now, _), event)) = world.agenda.pop_first() {
        let is_away = cache.killed && gone.contains(&now);
        match event {
            Event::Visit(creator) if is_away => {
                let failure = Some(OpFailure::Broken);
                let seen = page("-", now, now + 1, "-");
                let handle = handle(creator).into();
                world.operations.push(Operation { handle, status: None, failure, ..seen });
            }
            Event::Visit(creator) => world.visit(now, creator),
            Event::Patience(visit) => {
                let old = world.visits[visit].as_ref().and_then(|visit| visit.old.clone());
                let old = old.filter(|_| cache.flaw != Flaw::Blank);
                world.show(now, visit, old);
            }
            Event::Profile(fetch) => {
                let page = world.fetches.get(&fetch).map(|fetch| (fetch.cache, fetch.creator));
                if let Some(page) = page {
                    world.call(now, page, false, fetch);
                }
            }
            Event::Whole(fetch) => world.ended(now, fetch, false),
            Event::Failed(fetch) => world.ended(now, fetch, true),
            Event::Killed => {
                world.kept.iter_mut().for_each(HashMap::clear);
                world.fetches.clear();
                for visit in world.visits.iter_mut().filter_map(Option::take) {
                    let handle = handle(visit.creator).into();
                    let failure = Some(OpFailure::Broken);
                    let seen = page("-", visit.since, now, "-");
                    world.operations.push(Operation { handle, status: None, failure, ..seen });
                }
                let cut = |one: &&mut Exchange| one.t_known() > Moment::from_ms(now);
                for one in world.exchanges.iter_mut().filter(cut) {
                    (one.end, one.status, one.version) = (End::ClientAbort, None, None);
                    (one.t_first, one.t_w, one.t_end) = (None, None, Moment::from_ms(now));
                }
                (world.counts, world.failures, world.opened) = (Counts::default(), 0, None);
            }
            Event::Scrape if is_away => {}
            Event::Scrape => {
                let Counts { hits, misses, stale } = world.counts;
                let (hits, misses, stale) = match cache.flaw {
                    Flaw::MissesAsHits => (hits + misses + stale, 0, 0),
                    Flaw::HitsAsMisses => (hits / 2, misses + hits / 2, stale),
                    _ => (hits, misses, stale),
                };
                let [cache_hits, cache_misses, cache_stale] =
                    [hits, misses, stale].map(|count| Some(f64::from(count)));
                let figures =
                    Figures { cache_hits, cache_misses, cache_stale, ..Figures::default() };
                history = history.scrape(scrape(now, figures));
            }
        }
    }
    history = history.exchanges(world.exchanges).operations(world.operations);
    if cache.killed { history.killed_until(gone.start, gone.end) } else { history }
}

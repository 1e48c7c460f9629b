//! Keeps pages by handle, whatever stands in the query: fresh ones are shown at once, expired ones are shown when asking fails.
//!
//! Fills of one handle are collapsed into one flight, which goes on when its visitors leave.

use super::{
    fill::{Filler, Page},
    policy::PagePolicy,
};
use crate::{
    clock,
    config::PageSettings,
    linktree::{Barrier, Failure, Route},
    logs::LogPolicy,
    source::Source,
    upstream::Upstream,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::Instant,
};

type Landing = Result<Arc<Page>, Failure>;

/// A fill in the air.
#[derive(Clone)]
struct Flight {
    since: Instant,
    landing: watch::Receiver<Option<Landing>>,
}

/// What a visitor gets.
#[derive(Clone, Debug)]
pub enum Reading {
    /// A page, and where it came from.
    Page(Arc<Page>, Source),
    /// There is no such handle.
    Missing,
    /// There is no page to show now.
    Unavailable(Failure),
}

#[derive(Default)]
struct Shelves {
    pages: HashMap<String, Arc<Page>>,
    missing_until: HashMap<String, Instant>,
    cooling_until: HashMap<String, Instant>,
    flights: HashMap<String, Flight>,
    /// How often the breaker had closed when this was last looked at.
    recoveries: u64,
    /// Pages that changed while somebody asked for them: what lands may be what was before.
    changed: HashSet<String>,
}

/// The cache.
pub struct Pages {
    upstream: Arc<Upstream>,
    settings: PageSettings,
    policy: PagePolicy,
    log: LogPolicy,
    shelves: Mutex<Shelves>,
    workers: Option<Semaphore>,
    runways: Option<Semaphore>,
}

impl Pages {
    /// An empty cache in front of `upstream`.
    pub fn new(
        upstream: Arc<Upstream>,
        settings: &PageSettings,
        policy: PagePolicy,
        log: LogPolicy,
    ) -> Self {
        Self {
            upstream,
            settings: settings.clone(),
            policy,
            log,
            shelves: Mutex::default(),
            workers: policy.workers.map(Semaphore::new),
            runways: policy.fills_at_once.map(Semaphore::new),
        }
    }

    /// The page of `handle`, asked for with this query, by the best way that is open.
    pub async fn read(self: &Arc<Self>, handle: &str, query: Option<&str>) -> Reading {
        let _worker = one_of(self.workers.as_ref()).await;
        let now = clock::now();
        let kept_at = (self.policy.cache_key)(handle, query);
        let kept_at = kept_at.as_str();
        let cached = {
            let shelves = self.shelves.lock().unwrap();
            if shelves.missing_until.get(kept_at).is_some_and(|until| now < *until) {
                return Reading::Missing;
            }
            shelves.pages.get(kept_at).cloned()
        };
        let usable = cached.clone().filter(|page| page.freshness.is_usable(now));
        if let Some(page) = cached.as_ref().filter(|page| page.freshness.is_fresh(now)) {
            return Reading::Page(page.clone(), Source::Hit);
        }
        if let Some(failure) = self.why_not_ask(kept_at, usable.is_some(), now) {
            return self.fall_back(usable, failure.clone(), Source::HitStale(failure));
        }
        let had_page = cached.is_some();
        let (mut flight, collapsed) = self.board(handle, kept_at, cached);
        let patience = match usable {
            Some(_) => (self.policy.revalidation_wait)(self.settings.revalidation_wait),
            None => self.settings.cold_wait,
        };
        let landed = flight.landing.wait_for(Option::is_some);
        let landing = match tokio::time::timeout(patience, landed).await {
            Ok(Ok(landing)) => (*landing).clone().expect("waited for it"),
            Ok(Err(_)) => Err(Failure::Malformed),
            Err(_) => Err(Failure::Timeout),
        };
        match landing {
            Ok(page) => {
                // The flight shelved it already; this keeps it if it was evicted meanwhile.
                self.shelve(kept_at, &page);
                Reading::Page(page, Source::Filled { had_page, collapsed })
            }
            Err(Failure::Status(404)) => Reading::Missing,
            Err(failure @ Failure::Barred(_)) => {
                self.fall_back(usable, failure.clone(), Source::HitStale(failure))
            }
            Err(failure) => {
                self.fall_back(usable, failure.clone(), Source::FellBack { failure, collapsed })
            }
        }
    }

    /// Linktree says that this page is another now: whoever comes next asks for it, and has the old one
    /// should that fail.
    pub fn expire(&self, handle: &str) {
        let kept_at = (self.policy.cache_key)(handle, None);
        let now = clock::now();
        let mut shelves = self.shelves.lock().unwrap();
        shelves.missing_until.remove(&kept_at);
        if let Some(page) = shelves.pages.get_mut(&kept_at) {
            Arc::make_mut(page).freshness.expire(now);
        }
        if shelves.flights.contains_key(&kept_at) {
            shelves.changed.insert(kept_at);
        }
    }

    /// The reason to answer from the shelf at once, if there is one.
    fn why_not_ask(&self, kept_at: &str, has_page: bool, now: Instant) -> Option<Failure> {
        let (cooling, in_flight) = {
            let shelves = self.shelves.lock().unwrap();
            let cooling = shelves.cooling_until.get(kept_at).is_some_and(|until| now < *until);
            (cooling, shelves.flights.contains_key(kept_at))
        };
        match self.upstream.barrier(Route::Profile) {
            // A slot is worth a short wait to a visitor who would get nothing otherwise.
            Some(Barrier::RateLimit(_)) if in_flight || !has_page => {}
            Some(barrier) => return Some(Failure::Barred(barrier)),
            None => {}
        }
        (cooling && !in_flight).then_some(Failure::Connection)
    }

    fn fall_back(&self, page: Option<Arc<Page>>, failure: Failure, source: Source) -> Reading {
        match page {
            Some(page) if (self.policy.stale_after)(&failure) => Reading::Page(page, source),
            _ => Reading::Unavailable(failure),
        }
    }

    /// Joins the flight for this handle, or starts one.
    fn board(
        self: &Arc<Self>,
        handle: &str,
        kept_at: &str,
        known: Option<Arc<Page>>,
    ) -> (Flight, bool) {
        let mut shelves = self.shelves.lock().unwrap();
        let some_flight = shelves.flights.keys().next().map(String::as_str);
        let key = (self.policy.collapse_key)(kept_at, some_flight);
        // A sender that is gone without landing has panicked; do not wait for it.
        let joined = |flight: &&Flight| {
            flight.landing.has_changed().is_ok()
                && (self.policy.joins)(known.is_some(), flight.since.elapsed())
        };
        if let Some(flight) = shelves.flights.get(&key).filter(joined) {
            return (flight.clone(), true);
        }
        let (land, landing) = watch::channel(None);
        let flight = Flight { since: clock::now(), landing };
        shelves.flights.insert(key.clone(), flight.clone());
        drop(shelves);
        let (pages, handle, kept_at) = (self.clone(), handle.to_owned(), kept_at.to_owned());
        tokio::spawn(async move {
            let landing = pages.fly(&handle, known).await;
            pages.finish(&kept_at, &key, &landing);
            land.send_replace(Some(landing));
        });
        (flight, false)
    }

    async fn fly(&self, handle: &str, known: Option<Arc<Page>>) -> Landing {
        let _runway = one_of(self.runways.as_ref()).await;
        let filler = Filler {
            upstream: &self.upstream,
            stale_if_error: self.settings.stale_if_error,
            policy: self.policy,
            log: self.log,
        };
        filler.fill(handle, known.as_deref()).await.map(Arc::new)
    }

    fn finish(&self, kept_at: &str, key: &str, landing: &Landing) {
        let now = clock::now();
        if let Ok(page) = landing {
            self.shelve(kept_at, page);
        }
        let mut shelves = self.shelves.lock().unwrap();
        shelves.flights.remove(key);
        let recoveries = self.upstream.recoveries();
        if self.policy.forgets_on_recovery && shelves.recoveries != recoveries {
            shelves.recoveries = recoveries;
            shelves.pages.retain(|other, _| other == kept_at);
        }
        if shelves.changed.remove(key)
            && let Some(page) = shelves.pages.get_mut(kept_at)
        {
            Arc::make_mut(page).freshness.expire(now);
        }
        shelves.missing_until.retain(|_, until| now < *until);
        shelves.cooling_until.retain(|_, until| now < *until);
        match landing {
            Err(Failure::Status(404)) => {
                shelves.pages.remove(kept_at);
                shelves.missing_until.insert(kept_at.to_owned(), now + self.settings.negative_ttl);
            }
            // The next visitor's flight would else be a retry without any backoff.
            Err(failure) if !matches!(failure, Failure::Barred(_)) => {
                shelves.cooling_until.insert(kept_at.to_owned(), now + self.upstream.cool_down());
            }
            _ => {}
        }
    }

    fn shelve(&self, kept_at: &str, page: &Arc<Page>) {
        let mut shelves = self.shelves.lock().unwrap();
        let newer = |known: &Arc<Page>| known.freshness.validated_at > page.freshness.validated_at;
        if shelves.pages.get(kept_at).is_some_and(newer) {
            return;
        }
        let capacity = (self.policy.capacity)(self.settings.capacity);
        if shelves.pages.len() >= capacity && !shelves.pages.contains_key(kept_at) {
            let oldest = shelves.pages.iter().min_by_key(|(_, page)| page.freshness.validated_at);
            if let Some(oldest) = oldest.map(|(handle, _)| handle.clone()) {
                shelves.pages.remove(&oldest);
            }
        }
        shelves.pages.insert(kept_at.to_owned(), page.clone());
    }
}

/// One of so many, or nothing where there is no bound.
async fn one_of(bound: Option<&Semaphore>) -> Option<SemaphorePermit<'_>> {
    match bound {
        Some(bound) => bound.acquire().await.ok(),
        None => None,
    }
}

//! Keeps the requests of any window under the cap: a sliding log of the times they were let go.
//!
//! A counter per minute or a bucket of tokens would let nearly two caps through around a boundary,
//! and Linktree counts in a sliding window. It also counts on while this process is started again:
//! the log is kept in a file, or a crash at the wrong moment would double what is sent.

use super::journal::Journal;
use crate::{
    config::RateSettings,
    linktree::{Lane, Route},
};
use std::{collections::VecDeque, io, path::Path, sync::Mutex, time::Duration};
use tokio::time::Instant;

/// Decides when a request may go.
pub trait Limiter: Send + Sync {
    /// Takes a slot.
    ///
    /// # Errors
    /// With the time to ask again, when there is none.
    fn try_take(&self, route: Route, now: Instant) -> Result<(), Instant>;

    /// When a slot will be free, if none is now.
    fn free_at(&self, route: Route, now: Instant) -> Option<Instant>;

    /// Whether so many slots are free; nothing is taken. Who does not count how many are free looks
    /// for one.
    ///
    /// # Errors
    /// With the time when there will be so many.
    fn room_for(&self, route: Route, _slots: usize, now: Instant) -> Result<(), Instant> {
        self.free_at(route, now).map_or(Ok(()), Err)
    }

    /// Requests in the current window, of one lane or of all.
    fn used(&self, lane: Option<Lane>, now: Instant) -> usize;
}

/// The times of all requests of the last window.
pub struct SlidingLog {
    cap: usize,
    pages_cap: usize,
    span: Duration,
    log: Mutex<VecDeque<(Instant, Lane)>>,
    journal: Option<Journal>,
}

impl SlidingLog {
    /// An empty log, which is forgotten with its process.
    pub fn new(settings: &RateSettings) -> Self {
        Self {
            cap: settings.cap,
            pages_cap: settings.cap - settings.reserved_for_clicks,
            span: settings.window + settings.guard,
            log: Mutex::new(VecDeque::with_capacity(settings.cap)),
            journal: None,
        }
    }

    /// The log of the last process in this folder, to be continued.
    ///
    /// # Errors
    /// When the folder or the file cannot be used.
    pub fn kept_in(settings: &RateSettings, folder: &Path) -> io::Result<Self> {
        let new = Self::new(settings);
        let (journal, sent) = Journal::open(folder, new.span)?;
        Ok(Self { log: Mutex::new(sent.into()), journal: Some(journal), ..new })
    }

    fn forget_old(&self, log: &mut VecDeque<(Instant, Lane)>, now: Instant) {
        while log.front().is_some_and(|(sent, _)| *sent + self.span <= now) {
            log.pop_front();
        }
    }

    /// When so many slots are free, if they are not now.
    fn free_in(
        &self,
        log: &VecDeque<(Instant, Lane)>,
        lane: Lane,
        slots: usize,
        now: Instant,
    ) -> Option<Instant> {
        let free = |sent: Vec<Instant>, cap: usize| {
            let over = (sent.len() + slots).saturating_sub(cap);
            // Slots may be set aside of which nothing was sent: when all that was is forgotten, it is
            // time to look again.
            let gone = sent.get(over.checked_sub(1)?).or(sent.last());
            Some(*gone.unwrap_or(&now) + self.span)
        };
        let all = free(log.iter().map(|(sent, _)| *sent).collect(), self.cap);
        if lane != Lane::Pages {
            return all;
        }
        let pages = log.iter().filter(|(_, lane)| *lane == Lane::Pages).map(|(sent, _)| *sent);
        all.max(free(pages.collect(), self.pages_cap))
    }
}

impl Limiter for SlidingLog {
    fn try_take(&self, route: Route, now: Instant) -> Result<(), Instant> {
        let mut log = self.log.lock().unwrap();
        self.forget_old(&mut log, now);
        match self.free_in(&log, route.lane(), 1, now) {
            Some(at) => Err(at),
            None => {
                log.push_back((now, route.lane()));
                // Without the file the cap still holds, as long as this process lives.
                if let Some(Err(error)) =
                    self.journal.as_ref().map(|kept| kept.note(now, route.lane()))
                {
                    tracing::error!(%error, "a request was not written down");
                }
                Ok(())
            }
        }
    }

    fn free_at(&self, route: Route, now: Instant) -> Option<Instant> {
        let mut log = self.log.lock().unwrap();
        self.forget_old(&mut log, now);
        self.free_in(&log, route.lane(), 1, now)
    }

    fn room_for(&self, route: Route, slots: usize, now: Instant) -> Result<(), Instant> {
        let mut log = self.log.lock().unwrap();
        self.forget_old(&mut log, now);
        self.free_in(&log, route.lane(), slots, now).map_or(Ok(()), Err)
    }

    fn used(&self, lane: Option<Lane>, now: Instant) -> usize {
        let mut log = self.log.lock().unwrap();
        self.forget_old(&mut log, now);
        log.iter().filter(|(_, used)| lane.is_none_or(|lane| lane == *used)).count()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::clock;
    use proptest::prelude::*;

    pub(crate) fn settings() -> RateSettings {
        RateSettings {
            cap: 90,
            reserved_for_clicks: 24,
            window: Duration::from_secs(60),
            guard: Duration::from_millis(30),
            patience: Duration::ZERO,
        }
    }

    /// The most requests let go within any window, when they arrive with these gaps in ms.
    pub(crate) fn peak(
        arrivals: &[(u64, Route)],
        mut lets_go: impl FnMut(Route, Instant) -> bool,
    ) -> usize {
        let mut now = clock::now();
        let mut taken = Vec::new();
        for (gap_ms, route) in arrivals {
            now += Duration::from_millis(*gap_ms);
            if lets_go(*route, now) {
                taken.push(now);
            }
        }
        let window = settings().window;
        let within =
            |start: Instant| taken.iter().filter(move |t| **t >= start && **t - start < window);
        taken.iter().map(|start| within(*start).count()).max().unwrap_or(0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_pattern_of_arrivals_exceeds_the_cap(
            arrivals in prop::collection::vec((0u64..1500, prop::sample::select(&Route::ALL)), 0..600)
        ) {
            let limiter = SlidingLog::new(&settings());
            let peak = peak(&arrivals, |route, now| limiter.try_take(route, now).is_ok());
            prop_assert!(peak <= 90);
        }
    }

    #[test]
    fn what_was_sent_counts_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || SlidingLog::kept_in(&settings(), folder.path()).unwrap();
        let start = clock::now();
        let taken = |limiter: &SlidingLog, route, now| {
            (0..100).filter(|_| limiter.try_take(route, now).is_ok()).count()
        };
        assert_eq!(taken(&open(), Route::Links, start), 66);
        let second = open();
        assert_eq!(taken(&second, Route::Links, start + Duration::from_secs(1)), 0);
        assert_eq!(taken(&second, Route::ClickBatch, start + Duration::from_secs(30)), 24);
        let third = open();
        assert_eq!(taken(&third, Route::Links, start + Duration::from_secs(61)), 66);
        assert_eq!(taken(&third, Route::Click, start + Duration::from_secs(61)), 0);
    }

    #[test]
    fn pages_leave_the_reserve_to_clicks() {
        let (limiter, now) = (SlidingLog::new(&settings()), clock::now());
        let taken = |route| (0..100).filter(|_| limiter.try_take(route, now).is_ok()).count();
        assert_eq!(taken(Route::Links), 66);
        assert_eq!(taken(Route::ClickBatch), 24);
        assert_eq!(limiter.used(Some(Lane::Clicks), now), 24);
    }

    #[test]
    fn a_slot_is_free_when_it_was_said_to_be() {
        let (limiter, start) = (SlidingLog::new(&settings()), clock::now());
        for n in 0..90 {
            limiter.try_take(Route::Click, start + Duration::from_secs(n / 10)).unwrap();
        }
        let later = start + Duration::from_secs(9);
        let free = limiter.try_take(Route::Profile, later).unwrap_err();
        assert_eq!(free, start + Duration::from_millis(60_030));
        assert_eq!(limiter.free_at(Route::Profile, free), None);
        limiter.try_take(Route::Profile, free).unwrap();
    }
}

//! Remembers how the attempts of the last minutes ended, for the rules that alerts follow.

use crate::{clock, linktree::Route};
use std::{collections::VecDeque, sync::Mutex, time::Duration};
use tokio::time::Instant;

/// One attempt that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// When it ended.
    pub at: Instant,
    /// The route.
    pub route: Route,
    /// The metrics' word for how it ended.
    pub outcome: &'static str,
    /// How long it took.
    pub took: Duration,
}

/// The attempts of a span that ends now. The rate limit bounds how many there are.
#[derive(Debug, Default)]
pub struct Recent {
    span: Duration,
    attempts: Mutex<VecDeque<Attempt>>,
    views: Mutex<VecDeque<Instant>>,
}

impl Recent {
    /// Remembers for so long.
    pub fn new(span: Duration) -> Self {
        Self { span, attempts: Mutex::default(), views: Mutex::default() }
    }

    /// An attempt ended now.
    pub fn ended(&self, route: Route, outcome: &'static str, took: Duration) {
        let at = clock::now();
        let mut attempts = self.attempts.lock().unwrap();
        attempts.push_back(Attempt { at, route, outcome, took });
        while attempts.front().is_some_and(|first| first.at + self.span < at) {
            attempts.pop_front();
        }
    }

    /// A visitor got a page, which no rule has to do with.
    pub fn viewed(&self) {
        let at = clock::now();
        let mut views = self.views.lock().unwrap();
        views.push_back(at);
        while views.front().is_some_and(|first| *first + self.span < at) {
            views.pop_front();
        }
    }

    /// The attempts that ended within so long before now.
    pub fn within(&self, window: Duration) -> Vec<Attempt> {
        let now = clock::now();
        let attempts = self.attempts.lock().unwrap();
        let from = attempts.partition_point(|one| one.at + window <= now);
        attempts.iter().skip(from).copied().collect()
    }

    /// The views within so long before now.
    pub fn views_within(&self, window: Duration) -> usize {
        let now = clock::now();
        let views = self.views.lock().unwrap();
        views.len() - views.partition_point(|at| *at + window <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_window_ends_now_and_what_is_older_than_the_span_is_forgotten() {
        let recent = Recent::new(Duration::from_secs(10));
        for ms in [0, 4_000, 4_000] {
            tokio::time::advance(Duration::from_millis(ms)).await;
            recent.ended(Route::Profile, "ok", Duration::from_millis(ms));
            recent.viewed();
        }
        let seen = |s| recent.within(Duration::from_secs(s)).len();
        assert_eq!([seen(4), seen(5), seen(9), seen(60)], [1, 2, 3, 3]);
        assert_eq!(recent.views_within(Duration::from_secs(5)), 2);
        tokio::time::advance(Duration::from_secs(5)).await;
        recent.ended(Route::Links, "timeout", Duration::ZERO);
        assert_eq!(seen(60), 3);
        assert_eq!(recent.within(Duration::from_secs(1))[0].outcome, "timeout");
    }
}

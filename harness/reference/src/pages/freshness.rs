//! How long a page is fresh, and how long it may be shown on errors (RFC 9111, RFC 5861 §4).

use reqwest::header::{CACHE_CONTROL, HeaderMap};
use std::time::Duration;
use tokio::time::Instant;

/// The life of a cached page.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// When Linktree last vouched for it.
    pub validated_at: Instant,
    /// Fresh for so long.
    pub max_age: Duration,
    /// Usable on errors for so long after that.
    pub stale_if_error: Duration,
}

impl Freshness {
    /// Reads `Cache-Control` of an answer that came at `now`. Without `max-age` an answer is
    /// expired at once; without `stale-if-error` it may be shown for `default_stale`.
    pub fn read(
        headers: &HeaderMap,
        now: Instant,
        default_stale: Duration,
        ttl: fn(Duration) -> Duration,
    ) -> Self {
        let fields = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        let (mut max_age, mut stale_if_error) = (Duration::ZERO, default_stale);
        let (mut reusable, mut stale_allowed) = (true, true);
        for directive in fields.flat_map(|field| field.split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = value.trim().trim_matches('"').parse().ok().map(Duration::from_secs);
            match (name.trim().to_ascii_lowercase().as_str(), seconds) {
                ("max-age", Some(seconds)) => max_age = seconds,
                ("stale-if-error", Some(seconds)) => stale_if_error = seconds,
                ("no-store" | "no-cache", _) => (reusable, stale_allowed) = (false, false),
                ("must-revalidate", _) => stale_allowed = false,
                _ => {}
            }
        }
        // Absurd ages would overflow the clock; a year is as good as for ever.
        let year = Duration::from_secs(31_536_000);
        Self {
            validated_at: now,
            max_age: if reusable { ttl(max_age.min(year)) } else { Duration::ZERO },
            stale_if_error: if stale_allowed { stale_if_error.min(year) } else { Duration::ZERO },
        }
    }

    /// From now on it may only be shown when asking fails.
    pub fn expire(&mut self, now: Instant) {
        self.max_age = self.max_age.min(now.saturating_duration_since(self.validated_at));
    }

    /// Whether it may be shown without asking.
    pub fn is_fresh(&self, now: Instant) -> bool {
        now < self.validated_at + self.max_age
    }

    /// Whether it may be shown when asking fails.
    pub fn is_usable(&self, now: Instant) -> bool {
        now < self.validated_at + self.max_age + self.stale_if_error
    }

    /// Whole seconds since it was validated.
    pub fn age(&self, now: Instant) -> u64 {
        now.duration_since(self.validated_at).as_secs()
    }

    /// Whole seconds of freshness left, rounded down: negative as soon as it is expired.
    pub fn ttl(&self, now: Instant) -> i64 {
        let left = self.max_age.as_secs_f64() - (now - self.validated_at).as_secs_f64();
        left.floor() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[track_caller]
    fn check(cache_control: &str, expected: (u64, u64)) {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, cache_control.parse().unwrap());
        let life = Freshness::read(&headers, clock::now(), Duration::from_secs(9), |age| age);
        assert_eq!((life.max_age.as_secs(), life.stale_if_error.as_secs()), expected);
    }

    #[test]
    fn directives_are_read() {
        check("max-age=4, stale-if-error=86400", (4, 86_400));
        check("public,MAX-AGE=\"4\"", (4, 9));
        check("max-age=-1", (0, 9));
        check("no-store, max-age=4", (0, 0));
        check("max-age=4, must-revalidate", (4, 0));
        check("", (0, 9));
    }

    #[test]
    fn ttl_turns_negative_with_expiry() {
        let start = clock::now();
        let second = Duration::from_secs(1);
        let life = Freshness { validated_at: start, max_age: 4 * second, stale_if_error: second };
        assert_eq!(life.ttl(start + second / 2), 3);
        assert_eq!(life.ttl(start + 4 * second + second / 2), -1);
        assert!(life.is_usable(start + 4 * second) && !life.is_fresh(start + 4 * second));
        assert!(!life.is_usable(start + 5 * second));
    }
}

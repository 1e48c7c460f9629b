//! A breaker in virtual milliseconds, with the points in which libraries differ.

use crate::guarantees::evidence::circuit::Class;
use std::collections::VecDeque;

/// Of which failures it makes a trip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trips {
    /// So many in a row: pybreaker, gobreaker, resilience4j with a window of that many and 100 %.
    InARow,
    /// So many in a row, none longer ago than this.
    Within(u64),
    /// So many in a row since the count began anew, which it does whenever this is over: gobreaker's
    /// `Interval`.
    Tumbling(u64),
    /// So many results and at least this share of failures among those of the last so many milliseconds:
    /// Polly, opossum.
    Ratio { percent: usize, within: u64 },
}

/// How half-open probes are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Probes {
    /// Each result decides: opossum, pybreaker.
    Each,
    /// All of them must succeed, one failure opens: gobreaker.
    All,
    /// Once all results are there: half of them failed opens, as in resilience4j.
    Share,
    /// A failure keeps it half-open, so that the next call goes through as well: no sound breaker.
    WithoutEffect,
}

/// How a breaker decides.
#[derive(Clone, Copy, Debug)]
pub struct Fashion {
    pub threshold: usize,
    pub trips: Trips,
    pub open_ms: u64,
    /// In percent of the last open time, and up to the cap.
    pub growth: u64,
    pub cap_ms: u64,
    pub probes: usize,
    pub judges: Probes,
    /// 429 and 404 count as failures, instead of being ignored.
    pub strict: bool,
    /// Results of attempts sent before the trip are heard: a success closes.
    pub hears_late: bool,
    pub counts_timeouts: bool,
    /// A success of a probe does not close it: no sound breaker.
    pub never_closes: bool,
}

pub const SOUND: Fashion = Fashion {
    threshold: 5,
    trips: Trips::InARow,
    open_ms: 30_000,
    growth: 100,
    cap_ms: 30_000,
    probes: 1,
    judges: Probes::Each,
    strict: false,
    hears_late: false,
    counts_timeouts: true,
    never_closes: false,
};

/// One breaker at work.
#[derive(Clone, Debug)]
pub struct Breaker {
    fashion: Fashion,
    /// When each result came, and whether it was a failure.
    results: VecDeque<(u64, bool)>,
    /// When a tumbling window began.
    began: u64,
    /// When it opened, and for how long; `None` while closed.
    opened: Option<(u64, u64)>,
    /// Probes in the air or judged since it was half-open, and their results.
    let_through: usize,
    succeeded: usize,
    failed: usize,
}

impl Breaker {
    pub fn new(fashion: Fashion) -> Self {
        Self {
            fashion,
            results: VecDeque::new(),
            began: 0,
            opened: None,
            let_through: 0,
            succeeded: 0,
            failed: 0,
        }
    }

    pub fn permits(&mut self, now: u64) -> bool {
        let Some((opened, lasts)) = self.opened else { return true };
        let allowed = now >= opened + lasts && self.let_through < self.fashion.probes;
        self.let_through += usize::from(allowed);
        allowed
    }

    /// Hears a result of what was permitted then.
    pub fn hear(&mut self, now: u64, permitted: u64, class: Class, timeout: bool) {
        let probe = self.opened.is_some_and(|(opened, lasts)| permitted >= opened + lasts);
        let failed = class == Class::Failure && (self.fashion.counts_timeouts || !timeout)
            || class == Class::Unclear && self.fashion.strict;
        let succeeded = class == Class::Success;
        if self.opened.is_some() && !probe {
            if self.fashion.hears_late && succeeded {
                self.close();
            }
        } else if probe && (succeeded || failed) {
            self.judge_probe(now, failed);
        } else if probe {
            self.let_through -= 1;
        } else if succeeded || failed {
            self.count(now, failed);
        }
    }

    fn judge_probe(&mut self, now: u64, failed: bool) {
        self.failed += usize::from(failed);
        self.succeeded += usize::from(!failed);
        let Fashion { judges, probes, never_closes, .. } = self.fashion;
        let all = self.failed + self.succeeded >= probes;
        match judges {
            Probes::WithoutEffect if failed => self.let_through -= 1,
            Probes::Each | Probes::All if failed => self.open(now),
            Probes::Share if all && self.failed * 2 >= probes => self.open(now),
            Probes::Each | Probes::WithoutEffect if never_closes => self.open(now),
            Probes::Each | Probes::WithoutEffect => self.close(),
            Probes::All | Probes::Share if all => self.close(),
            Probes::All | Probes::Share => {}
        }
    }

    fn count(&mut self, now: u64, failed: bool) {
        match self.fashion.trips {
            Trips::InARow => {}
            Trips::Within(window) => self.forget(now, window),
            Trips::Tumbling(window) => {
                if now >= self.began + window {
                    self.began = now - (now - self.began) % window;
                    self.results.clear();
                }
            }
            Trips::Ratio { within, .. } => self.forget(now, within),
        }
        let is_ratio = matches!(self.fashion.trips, Trips::Ratio { .. });
        if !failed && !is_ratio {
            self.results.clear();
            return;
        }
        self.results.push_back((now, failed));
        let failures = self.results.iter().filter(|(_, failed)| *failed).count();
        let share = match self.fashion.trips {
            Trips::Ratio { percent, .. } => percent,
            Trips::InARow | Trips::Within(_) | Trips::Tumbling(_) => 100,
        };
        if failed
            && self.results.len() >= self.fashion.threshold
            && failures * 100 >= self.results.len() * share
        {
            self.open(now);
        }
    }

    fn forget(&mut self, now: u64, window: u64) {
        while self.results.front().is_some_and(|(at, _)| at + window < now) {
            self.results.pop_front();
        }
    }

    fn open(&mut self, now: u64) {
        let Fashion { open_ms, growth, cap_ms, .. } = self.fashion;
        let lasts = self.opened.map_or(open_ms, |(_, last)| (last * growth / 100).min(cap_ms));
        self.opened = Some((now, lasts));
        self.results.clear();
        (self.let_through, self.succeeded, self.failed) = (0, 0, 0);
    }

    fn close(&mut self) {
        self.opened = None;
        self.results.clear();
        (self.let_through, self.succeeded, self.failed) = (0, 0, 0);
    }
}

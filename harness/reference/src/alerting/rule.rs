//! The rules: when each alert's condition holds, and whether it has held for long enough.

use super::{AlertPolicy, sight::Sight};
use crate::{clock, config::AlertSettings};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Outcomes that are Linktree's fault.
const FAILURES: [&str; 3] = ["http_5xx", "timeout", "connect"];

/// Whether a condition holds.
type Holds = fn(&Sight, &AlertSettings, &AlertPolicy) -> bool;

/// A rule, and what has become of its condition.
pub struct Rule {
    /// The name of its alert.
    pub name: &'static str,
    /// What on-call reads.
    pub summary: &'static str,
    lasts: Duration,
    holds: Holds,
    state: State,
    sent: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Calm,
    /// Its condition holds, but not for long enough.
    Pending(Instant),
    Firing(SystemTime),
    /// It is over since then, which the receiver must be told.
    Over(SystemTime, SystemTime),
}

/// Every rule, with thresholds from the production checklist.
pub fn all(settings: &AlertSettings, policy: &AlertPolicy) -> Vec<Rule> {
    let rule = |name, summary, lasts, holds| Rule {
        name,
        summary,
        lasts,
        holds,
        state: State::Calm,
        sent: None,
    };
    let all: [(_, _, _, Holds); 7] = [
        (
            "LinktreeErrorRate",
            "More than one in a hundred calls to Linktree fails.",
            settings.lasts,
            |sight, settings, policy| {
                let calls = (policy.calls)(sight);
                let too_many = sight.ended(&FAILURES) * 1_000 > calls * policy.errors_per_mille;
                calls >= (policy.min_calls)(settings.min_calls) && too_many
            },
        ),
        (
            "LinktreeHeadroom",
            "The rate limit of Linktree is nearly used up.",
            (policy.headroom_for)(settings.headroom_for),
            |sight, settings, policy| sight.used > (policy.headroom)(settings.headroom),
        ),
        (
            "LinktreeLatency",
            "One in twenty calls to Linktree takes more than half a second.",
            settings.lasts,
            |sight, settings, policy| {
                let all = (policy.durations)(sight);
                all.len() >= settings.min_calls && (policy.latency)(&all) > settings.latency
            },
        ),
        (
            "LinktreeClickLag",
            "Clicks wait for more than a minute.",
            settings.lasts,
            |sight, settings, policy| sight.waiting > (policy.click_lag)(settings.click_lag),
        ),
        (
            "LinktreeTimeouts",
            "Calls to Linktree time out.",
            settings.lasts,
            |sight, settings, policy| sight.ended(policy.timeouts) >= settings.alike,
        ),
        (
            "LinktreeKeyRefused",
            "Linktree refuses the key: look at its age and its scopes.",
            settings.lasts,
            |sight, settings, policy| sight.ended(policy.refusals) >= settings.alike,
        ),
        (
            "LinktreeKeyAge",
            "The key for Linktree is old: rotate it.",
            settings.lasts,
            |sight, settings, policy| {
                sight.key_age.is_some_and(|age| age > (policy.key_age)(settings.key_age))
            },
        ),
    ];
    let sent = all.into_iter().filter(|(name, ..)| (policy.sends)(name));
    sent.map(|(name, summary, lasts, holds)| rule(name, summary, lasts, holds)).collect()
}

impl Rule {
    /// Looks whether the condition holds now.
    pub fn look(
        &mut self,
        sight: &Sight,
        settings: &AlertSettings,
        policy: &AlertPolicy,
        now: Instant,
    ) {
        self.observe((self.holds)(sight, settings, policy), now);
    }

    fn observe(&mut self, holds: bool, now: Instant) {
        let before = self.state;
        self.state = match (before, holds) {
            (State::Firing(since), false) => State::Over(since, clock::wall()),
            (State::Firing(_), true) => before,
            (State::Over(..), false) if self.sent.is_none() => before,
            (_, false) => State::Calm,
            (State::Pending(since), true) if now.duration_since(since) < self.lasts => before,
            (State::Calm | State::Over(..), true) if !self.lasts.is_zero() => State::Pending(now),
            (_, true) => State::Firing(clock::wall()),
        };
        if std::mem::discriminant(&before) != std::mem::discriminant(&self.state) {
            self.sent = None;
            match self.state {
                State::Firing(_) => tracing::warn!(alert = self.name, "{}", self.summary),
                State::Over(..) => tracing::info!(alert = self.name, "it is over"),
                State::Calm | State::Pending(_) => {}
            }
        }
    }

    /// Whether the receiver must be told now.
    pub fn is_due(&self, now: Instant, resend: Duration) -> bool {
        match self.state {
            State::Calm | State::Pending(_) => false,
            State::Firing(_) => self.sent.is_none_or(|sent| sent + resend <= now),
            State::Over(..) => self.sent.is_none(),
        }
    }

    /// The receiver knows.
    pub fn sent(&mut self, now: Instant) {
        self.sent = Some(now);
    }

    /// Since when it fires or fired, and since when it does no more.
    pub fn span(&self) -> Option<(SystemTime, Option<SystemTime>)> {
        match self.state {
            State::Calm | State::Pending(_) => None,
            State::Firing(since) => Some((since, None)),
            State::Over(since, ended) => Some((since, Some(ended))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{linktree::Route, recent::Attempt};

    fn settings() -> AlertSettings {
        AlertSettings::default()
    }

    /// Whether the rule of this name holds of what is seen.
    fn holds(name: &str, sight: &Sight) -> bool {
        let (settings, policy) = (settings(), AlertPolicy::default());
        let rules = all(&settings, &policy);
        let rule = rules.iter().find(|rule| rule.name == name).unwrap();
        (rule.holds)(sight, &settings, &policy)
    }

    fn attempts(outcomes: &[(&'static str, usize)], ms: u64) -> Vec<Attempt> {
        let (at, took) = (clock::now(), Duration::from_millis(ms));
        let one = |outcome| Attempt { at, route: Route::Profile, outcome, took };
        outcomes.iter().flat_map(|(outcome, times)| vec![one(*outcome); *times]).collect()
    }

    #[test]
    fn more_than_one_in_a_hundred_calls_of_enough_is_too_many() {
        let check = |outcomes: &[(&'static str, usize)], expected| {
            let sight = Sight { calls: attempts(outcomes, 1), views: 900, ..Sight::default() };
            assert_eq!(holds("LinktreeErrorRate", &sight), expected, "{outcomes:?}");
        };
        check(&[("ok", 297), ("http_5xx", 3)], false);
        check(&[("ok", 296), ("http_5xx", 2), ("timeout", 1), ("connect", 1)], true);
        check(&[("ok", 200), ("http_429", 50), ("auth", 20), ("http_4xx", 30)], false);
        check(&[("ok", 89), ("http_5xx", 10)], false);
    }

    #[test]
    fn the_bounds_of_headroom_latency_and_waiting_clicks_are_exceeded_and_not_reached() {
        let check = |name, sight: [Sight; 2]| {
            assert_eq!(sight.map(|sight| holds(name, &sight)), [false, true], "{name}");
        };
        check("LinktreeHeadroom", [80, 81].map(|used| Sight { used, ..Sight::default() }));
        let waiting = |ms| Sight { waiting: Duration::from_millis(ms), ..Sight::default() };
        check("LinktreeClickLag", [60_000, 60_001].map(waiting));
        let old =
            |seconds| Sight { key_age: Some(Duration::from_secs(seconds)), ..Sight::default() };
        check("LinktreeKeyAge", [7_776_000, 7_776_001].map(old));
        let slow = |slow| {
            let timed = attempts(&[("ok", 100 - slow)], 20);
            let timed = timed.into_iter().chain(attempts(&[("ok", slow)], 501)).collect();
            Sight { timed, ..Sight::default() }
        };
        check("LinktreeLatency", [5, 6].map(slow));
    }

    #[test]
    fn timeouts_and_refusals_of_the_key_are_told_apart() {
        let sight = |outcome| Sight { calls: attempts(&[(outcome, 3)], 1), ..Sight::default() };
        let held = |outcome| {
            ["LinktreeTimeouts", "LinktreeKeyRefused"].map(|name| holds(name, &sight(outcome)))
        };
        assert_eq!(held("timeout"), [true, false]);
        assert_eq!(held("auth"), [false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_alert_waits_for_its_time_is_sent_again_and_tells_its_end_once() {
        let settings = AlertSettings { headroom_for: Duration::from_secs(66), ..settings() };
        let mut rules = all(&settings, &AlertPolicy::default());
        let rule = rules.iter_mut().find(|rule| rule.name == "LinktreeHeadroom").unwrap();
        let (start, resend) = (clock::now(), Duration::from_secs(60));
        let mut step = |s: u64, holds: bool| {
            let now = start + Duration::from_secs(s);
            rule.observe(holds, now);
            let due = rule.is_due(now, resend);
            if due {
                rule.sent(now);
            }
            (due, rule.span().map(|(_, ended)| ended.is_some()))
        };
        assert_eq!(step(0, true), (false, None));
        assert_eq!(step(60, true), (false, None));
        assert_eq!(step(62, false), (false, None));
        assert_eq!(step(64, true), (false, None));
        assert_eq!(step(129, true), (false, None));
        assert_eq!(step(130, true), (true, Some(false)));
        assert_eq!(step(189, true), (false, Some(false)));
        assert_eq!(step(190, true), (true, Some(false)));
        assert_eq!(step(191, false), (true, Some(true)));
        assert_eq!(step(192, false), (false, None));
    }
}

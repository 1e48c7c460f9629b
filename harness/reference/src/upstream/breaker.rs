//! Stops calling a broken Linktree: opens after consecutive failures, then probes.
//!
//! Counted per attempt. A success starts the count again; what is neither success nor failure
//! (429 and other 4xx) leaves it alone. A result belongs to the generation in which its attempt
//! began: results from before the last change of state are ignored, as in gobreaker.

use crate::{clock, config::BreakerSettings};
use std::{sync::Mutex, time::Duration};
use tokio::time::Instant;

/// When to ask again while a probe is out, whose end nobody can know.
const PROBE_POLL: Duration = Duration::from_millis(20);

/// How the breaker opens and closes.
#[derive(Clone, Copy, Debug)]
pub struct BreakerPolicy {
    /// Failures that open it; `None`: as configured.
    pub threshold: Option<u32>,
    /// Probes at once; `None`: as configured.
    pub probes: Option<u32>,
    /// Failed probes that open it again; `None`: never.
    pub failed_probes_to_open: Option<u32>,
    /// Whether a probe's success closes it.
    pub success_closes: bool,
    /// What passes between a probe's check for a free place and its taking the place, whether or not
    /// that is still free; `None`: both are one step.
    pub probe_taken_after: Option<Duration>,
    /// How long it stays open, given what is configured, and how often it has closed again before.
    pub open_for: fn(Duration, u64) -> Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            threshold: None,
            probes: None,
            failed_probes_to_open: Some(1),
            success_closes: true,
            probe_taken_after: None,
            open_for: |configured, _| configured,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen { out: u32, failures: u32 },
}

#[derive(Debug)]
struct Current {
    state: State,
    generation: u64,
    /// How often it has closed again.
    recoveries: u64,
}

/// The breaker of one host.
#[derive(Debug)]
pub struct Breaker {
    threshold: u32,
    probes: u32,
    open_for: Duration,
    policy: BreakerPolicy,
    current: Mutex<Current>,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: &BreakerSettings, policy: BreakerPolicy) -> Self {
        Self {
            threshold: policy.threshold.unwrap_or(settings.threshold),
            probes: policy.probes.unwrap_or(settings.probes),
            open_for: settings.open_for,
            policy,
            current: Mutex::new(Current {
                state: State::Closed { failures: 0 },
                generation: 0,
                recoveries: 0,
            }),
        }
    }

    /// Lets an attempt begin.
    ///
    /// # Errors
    /// With the time to ask again.
    pub fn try_permit(&self, now: Instant) -> Result<Permit<'_>, Instant> {
        let is_checked = self.policy.probe_taken_after.is_some();
        let mut current = self.current.lock().unwrap();
        if let State::Open { until } = current.state {
            if now >= until {
                current.change(State::HalfOpen { out: 0, failures: 0 });
            } else if !is_checked {
                return Err(until);
            }
        }
        let mut is_probe = false;
        if let State::HalfOpen { out, .. } = &mut current.state {
            if *out >= self.probes && !is_checked {
                return Err(now + PROBE_POLL);
            }
            *out += 1;
            is_probe = true;
        }
        Ok(Permit { breaker: self, generation: current.generation, is_probe, settled: false })
    }

    /// Where a probe's place is checked before it is taken: checks it, and lets time pass.
    ///
    /// # Errors
    /// With the time to ask again.
    pub async fn check_ahead(&self) -> Result<(), Instant> {
        let Some(pause) = self.policy.probe_taken_after else { return Ok(()) };
        if let Some(until) = self.closed_until(clock::now()) {
            return Err(until);
        }
        if self.gauge() != 0 {
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// When to ask again, if no attempt may begin now. Takes nothing.
    pub fn closed_until(&self, now: Instant) -> Option<Instant> {
        match self.current.lock().unwrap().state {
            State::Open { until } => (now < until).then_some(until),
            State::HalfOpen { out, .. } => (out >= self.probes).then(|| now + PROBE_POLL),
            State::Closed { .. } => None,
        }
    }

    /// When to ask again, if it is open, or has probes to wait for. Takes nothing.
    pub fn busy_until(&self, now: Instant) -> Option<Instant> {
        match self.current.lock().unwrap().state {
            State::Open { until } => (now < until).then_some(until),
            State::HalfOpen { .. } => Some(now + PROBE_POLL),
            State::Closed { .. } => None,
        }
    }

    /// 0 closed, 1 half-open, 2 open.
    pub fn gauge(&self) -> u8 {
        match self.current.lock().unwrap().state {
            State::Closed { .. } => 0,
            State::HalfOpen { .. } => 1,
            State::Open { .. } => 2,
        }
    }

    /// How often it has closed again.
    pub fn recoveries(&self) -> u64 {
        self.current.lock().unwrap().recoveries
    }

    /// Until when it is open, if it opens now.
    fn open_from(&self, now: Instant) -> State {
        State::Open { until: now + (self.policy.open_for)(self.open_for, self.recoveries()) }
    }

    /// Applies a result, unless the state changed since its attempt began.
    fn settle(&self, generation: u64, next: impl FnOnce(State) -> State) {
        let mut current = self.current.lock().unwrap();
        if current.generation != generation {
            return;
        }
        let before = std::mem::discriminant(&current.state);
        let after = next(current.state);
        if before == std::mem::discriminant(&after) {
            current.state = after;
        } else {
            current.change(after);
        }
    }
}

impl Current {
    fn change(&mut self, state: State) {
        tracing::info!(?state, "breaker changes state");
        self.recoveries += u64::from(matches!(state, State::Closed { .. }));
        self.state = state;
        self.generation += 1;
    }
}

/// The right to send one attempt. Dropped without a result, it only gives its place back.
#[derive(Debug)]
#[must_use]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    generation: u64,
    /// Whether the breaker is half-open.
    pub is_probe: bool,
    settled: bool,
}

impl Permit<'_> {
    /// The attempt succeeded.
    pub fn success(mut self, now: Instant) {
        self.settled = true;
        let breaker = self.breaker;
        let open = breaker.open_from(now);
        breaker.settle(self.generation, |state| match state {
            State::HalfOpen { .. } if !breaker.policy.success_closes => open,
            _ => State::Closed { failures: 0 },
        });
    }

    /// The attempt failed in a way that counts.
    pub fn failure(mut self, now: Instant) {
        self.settled = true;
        let breaker = self.breaker;
        let open = breaker.open_from(now);
        breaker.settle(self.generation, |state| match state {
            State::Closed { failures } if failures.saturating_add(1) >= breaker.threshold => open,
            State::Closed { failures } => State::Closed { failures: failures + 1 },
            State::HalfOpen { out, failures } => {
                let failures = failures + 1;
                match breaker.policy.failed_probes_to_open {
                    Some(limit) if failures >= limit => open,
                    _ => State::HalfOpen { out: out.saturating_sub(1), failures },
                }
            }
            open @ State::Open { .. } => open,
        });
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.breaker.settle(self.generation, |state| match state {
                State::HalfOpen { out, failures } => {
                    State::HalfOpen { out: out.saturating_sub(1), failures }
                }
                other => other,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN_FOR: Duration = Duration::from_secs(30);

    fn breaker() -> Breaker {
        let settings = BreakerSettings { threshold: 5, open_for: OPEN_FOR, probes: 1 };
        Breaker::new(&settings, BreakerPolicy::default())
    }

    fn fail(breaker: &Breaker, times: usize) {
        for _ in 0..times {
            let now = clock::now();
            breaker.try_permit(now).unwrap().failure(now);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_fifth_failure_in_a_row_opens() {
        let breaker = breaker();
        fail(&breaker, 4);
        breaker.try_permit(clock::now()).unwrap().success(clock::now());
        fail(&breaker, 4);
        drop(breaker.try_permit(clock::now()).unwrap());
        assert_eq!(breaker.gauge(), 0, "a neutral result neither counts nor resets");
        fail(&breaker, 1);
        assert_eq!(breaker.try_permit(clock::now()).unwrap_err(), clock::now() + OPEN_FOR);
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_decides() {
        let breaker = breaker();
        fail(&breaker, 5);
        tokio::time::advance(OPEN_FOR).await;
        let probe = breaker.try_permit(clock::now()).unwrap();
        assert!(probe.is_probe);
        assert!(breaker.try_permit(clock::now()).is_err(), "a second probe at once");
        assert!(breaker.closed_until(clock::now()).is_some());
        probe.failure(clock::now());
        assert_eq!(breaker.gauge(), 2);
        tokio::time::advance(OPEN_FOR).await;
        drop(breaker.try_permit(clock::now()).unwrap());
        breaker.try_permit(clock::now()).expect("the place was given back").success(clock::now());
        assert_eq!(breaker.gauge(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn results_of_an_earlier_generation_are_ignored() {
        let breaker = breaker();
        let (late_success, late_failure) =
            (breaker.try_permit(clock::now()).unwrap(), breaker.try_permit(clock::now()).unwrap());
        fail(&breaker, 5);
        late_success.success(clock::now());
        assert_eq!(breaker.gauge(), 2);
        tokio::time::advance(OPEN_FOR).await;
        let probe = breaker.try_permit(clock::now()).unwrap();
        late_failure.failure(clock::now());
        assert_eq!(breaker.gauge(), 1);
        probe.success(clock::now());
        assert_eq!(breaker.gauge(), 0);
    }
}

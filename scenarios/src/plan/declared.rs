//! What an integration says of its own policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The integration's own policy; contract time. Absent keys have the contract's defaults. Judges
/// read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Declared {
    /// Processes, each with a breaker and a limiter of its own; those that share them are one.
    #[schemars(range(min = 1, max = 64))]
    pub instances: u32,
    /// Consecutive failures that open the breaker.
    #[schemars(range(min = 1, max = 1_000))]
    pub breaker_failures: u32,
    /// What is a failure to it: an attempt, or a call with all its attempts.
    pub breaker_counting: BreakerCounting,
    /// What one breaker guards.
    pub breaker_scope: BreakerScope,
    /// The sampling window, contract milliseconds: failures further apart do not add up, and a success
    /// within it may keep the breaker closed. Absent, nothing is forgotten but by a success.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub breaker_window_ms: Option<u64>,
    /// How the breaker's sampling window moves.
    pub breaker_window_kind: WindowKind,
    /// How long the breaker stays open, contract milliseconds.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub breaker_open_ms: u64,
    /// How the breaker's open time grows with each failed probe in thousandths: 1000 does not grow,
    /// 2000 doubles.
    #[schemars(range(min = 1_000, max = 100_000))]
    pub breaker_open_factor_milli: u32,
    /// The longest open time that grows, contract milliseconds.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub breaker_open_cap_ms: u64,
    /// Calls that the breaker lets through while half-open.
    #[schemars(range(min = 1, max = 1_000))]
    pub half_open_probes: u32,
    /// Upstream attempts of one page read, the first included.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_attempts: u32,
    /// Base of the exponential backoff, contract milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub backoff_base_ms: u64,
    /// Growth of the backoff from retry to retry in thousandths: 2000 doubles.
    #[schemars(range(min = 0, max = 100_000))]
    pub backoff_factor_milli: u32,
    /// Longest wait of the backoff, contract milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub backoff_cap_ms: u64,
    /// Base of the backoff between deliveries of a click, contract milliseconds; that of page reads
    /// where it is absent, like the two that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3_600_000))]
    pub click_backoff_base_ms: Option<u64>,
    /// Growth of the backoff between deliveries of a click, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000))]
    pub click_backoff_factor_milli: Option<u32>,
    /// Longest wait of the backoff between deliveries of a click, contract milliseconds. A queue
    /// that always waits as long has this for its base too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3_600_000))]
    pub click_backoff_cap_ms: Option<u64>,
    /// Attempts of one delivery of clicks, where the queue makes another after them whose backoff
    /// begins anew; 0 where it grows from attempt to attempt for as long as it takes.
    #[schemars(range(min = 0, max = 1_000))]
    pub click_attempts: u32,
    /// What a `Retry-After` holds back.
    pub retry_after_scope: RetryAfterScope,
    /// Front-door answers from stale pages, or fast failures, take at most this; contract
    /// milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub fast_ms: u64,
    /// Requests of the limit's window that are kept for clicks.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub click_slots: u32,
    /// Requests that its own limiter lets through in any window of the limit, where these are fewer
    /// than the contract's client cap; absent where they are as many.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub rate_cap: Option<u32>,
    /// How long an attempt may wait for its own limiter after the breaker has let it through and no
    /// `Retry-After` held it back, contract milliseconds; 0 where these are asked after the limiter.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub limiter_wait_ms: u64,
    /// The scopes of its key: the key that it is given is good for these and no others. Absent, it is
    /// given the contract's, and whether it needs them all is not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), inner(length(max = 64)))]
    pub scopes: Option<Vec<String>>,
    /// The longest that it takes until it uses a new key, after the vault has one; contract milliseconds.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub key_pickup_ms: u64,
    /// How long after it is ready its webhook is registered, while Linktree is well; contract
    /// milliseconds.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub register_within_ms: u64,
    /// How long after it was acknowledged every link of a campaign is changed, while Linktree is well;
    /// contract milliseconds.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub campaign_within_ms: u64,
    /// Links that a page shows at the most, the first of the list; absent where it shows all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub links_shown_max: Option<u32>,
    /// How long after its condition began to hold an alert arrives at the latest, beside the time for
    /// which it must hold and two scrapes, contract milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub alert_delay_ms: u64,
    /// For how long use must stay above the bound before the headroom alert fires, contract milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub headroom_for_ms: u64,
    /// For how long its condition must hold before any other alert fires, contract milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub alert_for_ms: u64,
    /// The window of the latency alert's percentile, contract milliseconds.
    #[schemars(range(min = 1_000, max = 3_600_000))]
    pub latency_window_ms: u64,
    /// The window of the error rate, contract milliseconds.
    #[schemars(range(min = 1_000, max = 3_600_000))]
    pub error_window_ms: u64,
    /// Of fewer calls in a window the alerts on latency and errors may say what they like.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub alert_min_calls: u32,
    /// So many timeouts, or refusals of the key, in the window of the error rate call for the alert
    /// on them.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub alert_alike: u32,
}

/// Retries of one call whose spacing is looked at; later ones fail decorrelated jitter too often
/// (simulated).
const MOST_RETRIES: u32 = 4;

impl Declared {
    /// How often a call can fail before it succeeds, so that each retry of it is seen and neither its
    /// attempts are used up nor the breaker opens; four at the most.
    #[must_use]
    pub fn spared_failures(&self) -> u32 {
        self.ending_failures().saturating_sub(1).min(MOST_RETRIES)
    }

    /// Failures of one call that use up its attempts or open the breaker.
    #[must_use]
    pub fn ending_failures(&self) -> u32 {
        match self.breaker_counting {
            BreakerCounting::Attempt => self.breaker_failures.min(self.max_attempts),
            BreakerCounting::Call => self.max_attempts,
        }
    }

    /// The longest that the breaker stays open, contract milliseconds.
    #[must_use]
    pub fn longest_open_ms(&self) -> u64 {
        let cap = if self.breaker_open_factor_milli > 1_000 { self.breaker_open_cap_ms } else { 0 };
        self.breaker_open_ms.max(cap)
    }

    /// So many attempts may be one failure to the breaker, or one of its probes.
    #[must_use]
    pub fn attempts_counted_once(&self) -> u32 {
        match self.breaker_counting {
            BreakerCounting::Attempt => 1,
            BreakerCounting::Call => self.max_attempts.max(1),
        }
    }

    /// Calls, one after the other, that open the breakers of every instance.
    #[must_use]
    pub fn calls_of_a_row(&self) -> u64 {
        let failures = u64::from(self.certain_failures()).saturating_mul(self.instances.into());
        let each = match self.breaker_counting {
            BreakerCounting::Attempt => u64::from(self.max_attempts.max(1)),
            BreakerCounting::Call => 1,
        };
        failures.div_ceil(each)
    }

    /// The shorter base of the backoff, of reads and of clicks, contract milliseconds.
    #[must_use]
    pub fn shortest_backoff_ms(&self) -> u64 {
        let clicks = self.click_backoff_base_ms.unwrap_or(self.backoff_base_ms);
        self.backoff_base_ms.min(clicks)
    }

    /// How long a read waits before so many retries, one after the other and without luck, contract
    /// milliseconds.
    #[must_use]
    pub fn waits_ms(&self, retries: u32) -> u64 {
        let mut wait = self.backoff_base_ms;
        // Longer calls than that fit into no storm.
        let waits = (0..retries.min(100)).map(|_| {
            let this = wait.min(self.backoff_cap_ms);
            wait = this.saturating_mul(self.backoff_factor_milli.into()) / 1_000;
            this
        });
        waits.fold(0, u64::saturating_add)
    }

    /// The waits between their attempts, contract milliseconds.
    #[must_use]
    pub fn waits_of_a_row_ms(&self) -> u64 {
        let needed = match self.breaker_counting {
            BreakerCounting::Attempt => self.certain_failures().saturating_mul(self.instances),
            BreakerCounting::Call => u32::MAX,
        };
        let waits = self.waits_ms(self.max_attempts.min(needed).saturating_sub(1));
        waits.saturating_mul(self.calls_of_a_row())
    }

    /// So many failures as the breaker counts them open it for certain. A window that begins anew may
    /// do so between two of them.
    #[must_use]
    pub fn certain_failures(&self) -> u32 {
        let failures = self.breaker_failures.max(1);
        match (self.breaker_window_ms, self.breaker_window_kind) {
            (Some(_), WindowKind::Tumbling) => failures.saturating_mul(2).saturating_sub(1),
            (Some(_), WindowKind::Sliding) | (None, _) => failures,
        }
    }

    /// How many calls show the spacing of so many retries.
    #[must_use]
    pub fn retried_calls(&self) -> u32 {
        RETRIED_CALLS + (MOST_RETRIES - self.spared_failures()) * CALLS_FOR_A_RETRY
    }
}

/// Sixteen calls tell constant from exponential delays with one error in ten thousand runs
/// (predicates, B3); four more, since a call during a hiccup of the harness is not judged.
const RETRIED_CALLS: u32 = 20;
/// More calls for each retry that there is less of: what one call shows is less, and it takes less.
const CALLS_FOR_A_RETRY: u32 = 6;

/// What is a failure to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerCounting {
    /// Every failed attempt: it stands within the retries.
    Attempt,
    /// A call whose attempts have all failed: it stands around the retries.
    Call,
}

/// How a breaker's sampling window moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WindowKind {
    /// It ends now, always.
    Sliding,
    /// It begins anew whenever it is over, and forgets everything.
    Tumbling,
}

/// What one breaker guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerScope {
    /// Every call to Linktree.
    Host,
    /// The calls of one route: there is one for each.
    Route,
}

/// What a `Retry-After` holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfterScope {
    /// Every call with the same key.
    Token,
    /// The same logical request only.
    Request,
}

impl Default for Declared {
    /// The defaults of contract.md section 4, and the reference's retry policy.
    fn default() -> Self {
        Self {
            instances: 1,
            breaker_failures: 5,
            breaker_counting: BreakerCounting::Attempt,
            breaker_scope: BreakerScope::Host,
            breaker_window_ms: None,
            breaker_window_kind: WindowKind::Sliding,
            breaker_open_ms: 30_000,
            breaker_open_factor_milli: 1_000,
            breaker_open_cap_ms: 300_000,
            half_open_probes: 1,
            max_attempts: 5,
            backoff_base_ms: 1_000,
            backoff_factor_milli: 2_000,
            backoff_cap_ms: 30_000,
            click_backoff_base_ms: None,
            click_backoff_factor_milli: None,
            click_backoff_cap_ms: None,
            click_attempts: 0,
            retry_after_scope: RetryAfterScope::Token,
            fast_ms: 1_000,
            click_slots: 24,
            rate_cap: None,
            limiter_wait_ms: 0,
            scopes: None,
            key_pickup_ms: 60_000,
            register_within_ms: 30_000,
            campaign_within_ms: 60_000,
            links_shown_max: None,
            alert_delay_ms: 30_000,
            headroom_for_ms: 66_000,
            alert_for_ms: 0,
            latency_window_ms: 300_000,
            error_window_ms: 300_000,
            alert_min_calls: 100,
            alert_alike: 3,
        }
    }
}

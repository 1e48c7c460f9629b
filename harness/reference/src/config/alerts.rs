//! Where alerts go, and the bounds of the production checklist that they watch.

use super::{ConfigError, Env};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// The alerts.
#[derive(Clone, Debug)]
pub struct AlertSettings {
    /// Base address of the Alertmanager; nobody is told without it.
    pub url: Option<String>,
    /// How often is looked.
    pub every: Duration,
    /// How often what goes on is sent again.
    pub resend: Duration,
    /// For how long a condition must hold, unless it is that of headroom.
    pub lasts: Duration,
    /// Fewer calls in a window say nothing of errors and latency.
    pub min_calls: usize,
    /// The window of the error rate, and of timeouts and refusals.
    pub error_window: Duration,
    /// The window of the latencies.
    pub latency_window: Duration,
    /// The 95th percentile that is too slow; real time, as what people feel.
    pub latency: Duration,
    /// The limit's window.
    pub limit_window: Duration,
    /// Requests in it above which there is little headroom.
    pub headroom: usize,
    /// For how long.
    pub headroom_for: Duration,
    /// How long a click may wait.
    pub click_lag: Duration,
    /// The age at which a key is old; real time, as of everything on a calendar.
    pub key_age: Duration,
    /// So many timeouts, or refusals of the key, are no accident.
    pub alike: usize,
}

impl AlertSettings {
    pub(super) fn read<F: Fn(&str) -> Option<String>>(
        env: &Env<'_, F>,
        contract: impl Fn(&'static str, u64) -> Result<Duration, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let url = (env.0)("ALERTS_URL").filter(|url| !url.is_empty());
        Ok(Self {
            url: url.map(|_| env.address("ALERTS_URL")).transpose()?,
            // A storm in quick time is looked at as often as a real one, but no machine is kept busy.
            every: contract("ALERT_EVERY_MS", 5_000)?.max(Duration::from_millis(100)),
            resend: contract("ALERT_RESEND_MS", 60_000)?,
            lasts: contract("ALERT_FOR_MS", 0)?,
            min_calls: env.number("ALERT_MIN_CALLS", 100)?,
            error_window: contract("ERROR_WINDOW_MS", 300_000)?,
            latency_window: contract("LATENCY_WINDOW_MS", 300_000)?,
            latency: Duration::from_millis(env.number("LATENCY_ALERT_REAL_MS", 500)?),
            limit_window: contract("RATE_WINDOW_MS", 60_000)?,
            headroom: env.number("HEADROOM_ALERT", 80)?,
            headroom_for: contract("HEADROOM_FOR_MS", 66_000)?,
            click_lag: contract("CLICK_LAG_ALERT_MS", 60_000)?,
            key_age: DAY * env.number("KEY_AGE_ALERT_DAYS", 90)?,
            alike: env.number("ALIKE_ALERT", 3)?,
        })
    }
}

#[cfg(test)]
impl Default for AlertSettings {
    fn default() -> Self {
        let contract = |_, ms| Ok(Duration::from_millis(ms));
        Self::read(&Env(&|_: &str| None), contract).expect("every default is valid")
    }
}

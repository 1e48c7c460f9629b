//! Reads the configuration from the environment; every number of a policy can be set there.
//!
//! Required: `LINKTREE_URL` (calls go under `{LINKTREE_URL}/v1`), `VAULT_URL`, `VAULT_TOKEN`,
//! `DATA_DIR`. Optional: `ALLOWED_ORIGIN` (origins with commas between them), `HOST` (127.0.0.1), `PORT` (8080),
//! `TIME_SCALE` (1), `SEED` (0), `PUBLIC_URL` (where Linktree reaches this service; without it no webhook is
//! registered), `VAULT_ROLE_ID` with `VAULT_SECRET_ID` (as whom it logs in where the vault refuses the token),
//! `SSL_CERT_FILE` (certificates in PEM of whom alone Linktree and the vault may have theirs),
//! `SESSION_SECRET` (what signs creators' sessions), `ALERTS_URL` (an Alertmanager's base address), and
//! the names in [`Config::from_lookup`]. Contract durations, in milliseconds, are divided by
//! `TIME_SCALE`; names ending in `_REAL_MS` or `_S` are real time and are not. The API key is not
//! read here: it comes from the vault.

mod alerts;

pub use alerts::AlertSettings;

use crate::vault_login::{Role, VaultLogin};
use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

/// The client-side rate limit.
#[derive(Clone, Debug)]
pub struct RateSettings {
    /// Requests in any window, all lanes together.
    pub cap: usize,
    /// Of these, requests that only click deliveries may use.
    pub reserved_for_clicks: usize,
    /// The window.
    pub window: Duration,
    /// Added to the window, for requests that take unequally long to arrive.
    pub guard: Duration,
    /// How long a page fill waits for a slot.
    pub patience: Duration,
}

/// The circuit breaker.
#[derive(Clone, Debug)]
pub struct BreakerSettings {
    /// Consecutive failures that open it.
    pub threshold: u32,
    /// How long it stays open.
    pub open_for: Duration,
    /// Calls let through at once afterwards.
    pub probes: u32,
}

/// Retries and their spacing.
#[derive(Clone, Debug)]
pub struct RetrySettings {
    /// Attempts of one read, the first included.
    pub read_attempts: u32,
    /// Upper bound of the first delay.
    pub base: Duration,
    /// Growth of that bound from retry to retry.
    pub factor: u32,
    /// Where the bound stops to grow.
    pub cap: Duration,
    /// Time limit of one attempt, from connecting to the last byte of the body.
    pub attempt_timeout: Duration,
    /// Added to every `Retry-After`.
    pub retry_after_margin: Duration,
    /// The longest `Retry-After` that is believed.
    pub retry_after_max: Duration,
}

/// Profile pages and their cache.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// How long a visitor waits for a page that was never filled.
    pub cold_wait: Duration,
    /// How long a visitor waits for a newer page while an expired one is at hand.
    pub revalidation_wait: Duration,
    /// How long an unknown handle is remembered as unknown.
    pub negative_ttl: Duration,
    /// How long an expired page may be shown on errors, where the answer does not say.
    pub stale_if_error: Duration,
    /// Pages kept.
    pub capacity: usize,
}

/// The delivery of clicks.
#[derive(Clone, Debug)]
pub struct ClickSettings {
    /// How long a first click waits for company.
    pub coalesce: Duration,
    /// Events in one request.
    pub batch: usize,
}

/// Creators' figures.
#[derive(Clone, Debug)]
pub struct AnalyticsSettings {
    /// Time limit of all attempts together, from when the creator asks.
    pub limit: Duration,
    /// How long figures are shown again without asking.
    pub fresh_for: Duration,
    /// Days that are shown, today included.
    pub days: u32,
}

/// How a new key is noticed.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// The vault is asked so often for a newer one.
    pub poll: Duration,
    /// After a refused key the vault is asked again no sooner than this.
    pub refusal_rest: Duration,
}

/// Linktree's webhooks.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// How far the time of a delivery may be off, either way.
    pub tolerance: Duration,
    /// How long a delivery is known again.
    pub remembered: Duration,
}

/// All settings, in real time.
#[derive(Clone)]
pub struct Config {
    /// Where Linktree reaches this service, without a slash at the end, if it shall send webhooks.
    pub public_url: Option<String>,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 lets the system choose.
    pub port: u16,
    /// Base address of Linktree, without `/v1` and without a slash at the end.
    pub linktree_url: String,
    /// The way into the vault.
    pub vault: Arc<VaultLogin>,
    /// Path of this environment's secret in the vault, below `/v1/`.
    pub vault_secret: String,
    /// The only authorities whose certificates are accepted; those of the system without it.
    pub ca_file: Option<PathBuf>,
    /// How long the start waits for the vault.
    pub vault_patience: Duration,
    /// Where the click queue is kept.
    pub data_dir: PathBuf,
    /// The origins of the front ends whose pages may use the API.
    pub allowed_origins: Vec<String>,
    /// Seed of the jitter.
    pub seed: u64,
    /// The rate limit.
    pub rate: RateSettings,
    /// The breaker.
    pub breaker: BreakerSettings,
    /// Retries.
    pub retry: RetrySettings,
    /// Pages.
    pub pages: PageSettings,
    /// Clicks.
    pub clicks: ClickSettings,
    /// Creators' figures.
    pub analytics: AnalyticsSettings,
    /// What creators' sessions are signed with; without it nobody has one.
    pub session_secret: Option<String>,
    /// Keys.
    pub keys: KeySettings,
    /// Webhooks.
    pub webhooks: WebhookSettings,
    /// Alerts.
    pub alerts: AlertSettings,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A required variable is absent.
    #[error("failed to read {0}: it is not set")]
    Missing(&'static str),
    /// A variable is no address; it is not repeated, since an address may hold a password.
    #[error("failed to read {0}: it is not a valid address")]
    Address(&'static str),
    /// A variable does not parse, or is outside its range.
    #[error("failed to read {0}: {1:?} is not a valid value")]
    Invalid(&'static str, String),
}

impl Config {
    /// Reads the process environment.
    ///
    /// # Errors
    /// When a required variable is absent or one does not parse.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads variables through `lookup`.
    ///
    /// # Errors
    /// When a required variable is absent or one does not parse.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let env = Env(&lookup);
        let scale = env.number("TIME_SCALE", 1)?;
        if scale == 0 {
            return Err(ConfigError::Invalid("TIME_SCALE", "0".into()));
        }
        let contract = |name, default_ms: u64| {
            env.number(name, default_ms).map(|ms| Duration::from_millis(ms) / scale)
        };
        let real = |name, default_ms: u64| env.number(name, default_ms).map(Duration::from_millis);
        let whole_seconds = |name, default: u64| env.number(name, default).map(Duration::from_secs);
        let rate = RateSettings {
            cap: env.number("RATE_CAP", 90)?,
            reserved_for_clicks: env.number("RATE_RESERVED_FOR_CLICKS", 24)?,
            window: contract("RATE_WINDOW_MS", 60_000)?,
            guard: real("RATE_GUARD_REAL_MS", 30)?,
            patience: contract("RATE_PATIENCE_MS", 500)?,
        };
        if rate.cap == 0 || rate.reserved_for_clicks >= rate.cap {
            let shown = rate.reserved_for_clicks.to_string();
            return Err(ConfigError::Invalid("RATE_RESERVED_FOR_CLICKS", shown));
        }
        let public_url = lookup("PUBLIC_URL").filter(|text| !text.is_empty());
        Ok(Self {
            public_url: public_url.map(|_| env.address("PUBLIC_URL")).transpose()?,
            host: lookup("HOST").unwrap_or_else(|| "127.0.0.1".into()),
            port: env.number("PORT", 8080)?,
            linktree_url: env.address("LINKTREE_URL")?,
            vault: Arc::new(VaultLogin::new(
                env.address("VAULT_URL")?,
                env.required("VAULT_TOKEN")?,
                env.role(),
            )),
            vault_secret: lookup("VAULT_SECRET").unwrap_or_else(|| "secret/data/linktree".into()),
            ca_file: lookup("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from),
            vault_patience: real("VAULT_PATIENCE_REAL_MS", 10_000)?,
            data_dir: env.required("DATA_DIR")?.into(),
            allowed_origins: env.origins("ALLOWED_ORIGIN")?,
            seed: env.number("SEED", 0)?,
            rate,
            breaker: BreakerSettings {
                threshold: env.number("BREAKER_THRESHOLD", 5)?,
                open_for: contract("BREAKER_OPEN_MS", 30_000)?,
                probes: env.number("BREAKER_PROBES", 1)?,
            },
            retry: RetrySettings {
                read_attempts: env.number("READ_ATTEMPTS", 5)?,
                base: contract("BACKOFF_BASE_MS", 1_000)?,
                factor: env.number("BACKOFF_FACTOR", 2)?,
                cap: contract("BACKOFF_CAP_MS", 30_000)?,
                attempt_timeout: contract("ATTEMPT_TIMEOUT_MS", 10_000)?,
                retry_after_margin: real("RETRY_AFTER_MARGIN_REAL_MS", 20)?,
                retry_after_max: whole_seconds("RETRY_AFTER_MAX_S", 3_600)?,
            },
            pages: PageSettings {
                cold_wait: contract("PAGE_WAIT_MS", 20_000)?,
                // A visitor notices 0.8 s, and an answer within 50 ms is worth waiting for.
                revalidation_wait: contract("REVALIDATION_WAIT_MS", 800)?
                    .clamp(Duration::from_millis(50), Duration::from_millis(800)),
                negative_ttl: contract("NEGATIVE_TTL_MS", 2_000)?,
                stale_if_error: whole_seconds("STALE_IF_ERROR_S", 86_400)?,
                capacity: env.number("PAGE_CAPACITY", 10_000)?,
            },
            clicks: ClickSettings {
                coalesce: contract("CLICK_COALESCE_MS", 500)?,
                batch: env.number("CLICK_BATCH", 100usize)?.clamp(1, 100),
            },
            analytics: AnalyticsSettings {
                limit: contract("ANALYTICS_TIMEOUT_MS", 30_000)?,
                fresh_for: contract("ANALYTICS_FRESH_MS", 30_000)?,
                days: env.number("ANALYTICS_DAYS", 28u32)?.clamp(1, 366),
            },
            session_secret: lookup("SESSION_SECRET").filter(|secret| !secret.is_empty()),
            keys: KeySettings {
                poll: contract("KEY_POLL_MS", 15_000)?,
                refusal_rest: contract("KEY_REFUSAL_REST_MS", 5_000)?,
            },
            webhooks: WebhookSettings {
                tolerance: whole_seconds("WEBHOOK_TOLERANCE_S", 300)?,
                // What is older than the tolerance is refused for its age; retries come later.
                remembered: whole_seconds("WEBHOOK_REMEMBERED_S", 3_600)?,
            },
            alerts: AlertSettings::read(&env, contract)?,
        })
    }
}

impl fmt::Debug for Config {
    /// Everything but secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("linktree_url", &self.linktree_url)
            .field("rate", &self.rate)
            .field("breaker", &self.breaker)
            .field("retry", &self.retry)
            .field("pages", &self.pages)
            .field("clicks", &self.clicks)
            .finish_non_exhaustive()
    }
}

struct Env<'a, F: Fn(&str) -> Option<String>>(&'a F);

impl<F: Fn(&str) -> Option<String>> Env<'_, F> {
    fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        (self.0)(name).filter(|text| !text.is_empty()).ok_or(ConfigError::Missing(name))
    }

    fn role(&self) -> Option<Role> {
        let role_id = self.required("VAULT_ROLE_ID").ok()?;
        Some(Role { role_id, secret_id: self.required("VAULT_SECRET_ID").ok()? })
    }

    fn address(&self, name: &'static str) -> Result<String, ConfigError> {
        let text = self.required(name)?;
        match reqwest::Url::parse(&text) {
            Ok(url) if url.has_host() => Ok(text.trim_end_matches('/').to_owned()),
            _ => Err(ConfigError::Address(name)),
        }
    }

    /// Origins with commas between them; one that no browser sends would let in nobody, or everybody.
    fn origins(&self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        let text = (self.0)(name).unwrap_or_default();
        let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let checked = |origin: &str| match reqwest::Url::parse(origin) {
            Ok(url) if url.origin().ascii_serialization() == origin => Ok(origin.to_owned()),
            _ => Err(ConfigError::Invalid(name, origin.to_owned())),
        };
        origins.map(checked).collect()
    }

    fn number<T: FromStr>(&self, name: &'static str, default: T) -> Result<T, ConfigError> {
        match (self.0)(name) {
            None => Ok(default),
            Some(text) => text.trim().parse().map_err(|_| ConfigError::Invalid(name, text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(extra: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let required = [
            ("LINKTREE_URL", "http://127.0.0.1:1/"),
            ("VAULT_URL", "http://127.0.0.1:2"),
            ("VAULT_TOKEN", "t"),
            ("DATA_DIR", "d"),
        ];
        let all: Vec<_> = extra.iter().chain(&required).copied().collect();
        Config::from_lookup(|name| {
            all.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn contract_time_scales_and_real_time_does_not() {
        let config = config(&[("TIME_SCALE", "10")]).unwrap();
        assert_eq!(config.rate.window, Duration::from_secs(6));
        assert_eq!(config.rate.guard, Duration::from_millis(30));
        assert_eq!(config.pages.revalidation_wait, Duration::from_millis(80));
        assert_eq!(config.linktree_url, "http://127.0.0.1:1");
    }

    #[test]
    fn origins_are_whole_ones() {
        let allowed = |value| config(&[("ALLOWED_ORIGIN", value)]).map(|it| it.allowed_origins);
        let two = allowed("https://app.example.org, http://localhost:3000").unwrap();
        assert_eq!(two, ["https://app.example.org", "http://localhost:3000"]);
        assert_eq!(allowed("").unwrap(), [""; 0]);
        for wrong in ["*", "null", "https://app.example.org/", "https://App.example.org", "app"] {
            assert!(allowed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_value_is_named() {
        let names = ["TIME_SCALE", "RATE_CAP", "PORT", "LINKTREE_URL"];
        for (name, value) in names.into_iter().zip(["0", "many", "70000", "nowhere"]) {
            let error = config(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}

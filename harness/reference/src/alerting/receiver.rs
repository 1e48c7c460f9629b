//! Sends alerts as Prometheus does: a list in one POST to the Alertmanager's API v2.

use super::rule::Rule;
use crate::clock;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// It is near, and the next look is not far.
const PATIENCE: Duration = Duration::from_secs(2);
/// An alert of which so many words are missing is over.
const MISSED: u32 = 4;

/// Where alerts go.
pub struct Receiver {
    http: reqwest::Client,
    url: String,
    resend: Duration,
}

impl Receiver {
    /// The Alertmanager at this base address, which is told every so often.
    pub fn new(http: reqwest::Client, base: &str, resend: Duration) -> Self {
        Self { http, url: format!("{base}/api/v2/alerts"), resend }
    }

    /// Sends the present state of these rules.
    ///
    /// # Errors
    /// When the receiver did not take it.
    pub async fn send(&self, rules: &[&Rule]) -> Result<(), reqwest::Error> {
        let alerts: Vec<Value> = rules.iter().filter_map(|rule| self.alert(rule)).collect();
        let request = self.http.post(&self.url).timeout(PATIENCE).json(&alerts);
        request.send().await?.error_for_status().map(drop)
    }

    fn alert(&self, rule: &Rule) -> Option<Value> {
        let (since, ended) = rule.span()?;
        // While it fires, its end lies ahead: should this process die, it is over by itself.
        let ends = ended.unwrap_or_else(|| clock::wall() + self.resend * MISSED);
        Some(json!({
            "labels": { "alertname": rule.name, "service": "linktree-integration" },
            "annotations": { "summary": rule.summary },
            "startsAt": rfc3339(since),
            "endsAt": rfc3339(ends),
        }))
    }
}

fn rfc3339(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).unwrap_or_default().to_string()
}

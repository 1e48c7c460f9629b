//! A front door as visitors and the scraper of `/metrics` use it.

use crate::eventually;
use reqwest::{Client, Response};
use serde_json::{Value, json};

/// What a visitor's browser says of itself.
pub const BROWSER_ADDRESS: &str = "192.0.2.9";

/// A front door, by its address.
pub struct Front {
    url: String,
    http: Client,
}

impl Front {
    pub fn at(url: String) -> Self {
        Self { url, http: Client::builder().no_proxy().build().unwrap() }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    /// A look at figures with this token, or with none.
    pub async fn figures(&self, path: &str, token: Option<&str>) -> Response {
        let mut request = self.http.get(format!("{}/api/analytics/{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    pub async fn post(&self, path: &str, headers: &[(&str, String)], body: &str) -> u16 {
        let mut request = self.http.post(format!("{}{path}", self.url)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.send().await.unwrap().status().as_u16()
    }

    pub async fn metrics(&self) -> String {
        self.get("/metrics").await.text().await.unwrap()
    }

    /// The value on the first line that begins so.
    pub async fn metric(&self, line_start: &str) -> Option<f64> {
        let text = self.metrics().await;
        let line = text.lines().find(|line| line.starts_with(line_start))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// A click of a visitor without a proxy.
    pub async fn click(&self, event_id: &str) -> u16 {
        self.click_through(None, event_id).await
    }

    /// A click that a proxy forwards for an address.
    pub async fn click_through(&self, forwarded_for: Option<&str>, event_id: &str) -> u16 {
        let mut body = click_sent_on(event_id);
        body["visitor"] = json!({"ip": BROWSER_ADDRESS, "user_agent": "ua"});
        let mut request = self.http.post(format!("{}/api/clicks", self.url)).body(body.to_string());
        if let Some(address) = forwarded_for {
            request = request.header("x-forwarded-for", address);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// Waits until no click is waiting.
    pub async fn drained(&self) {
        let empty = async || self.metric("linktree_click_queue_depth").await == Some(0.0);
        eventually("the queue to drain", empty).await;
    }
}

/// What Linktree gets of a click: all but its visitor.
pub fn click_sent_on(event_id: &str) -> Value {
    json!({"event_id": event_id, "handle": "ann", "link_id": "ann-1",
           "occurred_at": "2026-01-01T00:00:00Z"})
}

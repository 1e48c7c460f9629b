//! How the integration's own HTTP surface is spelled: paths, field names, and where things are read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The integration's routes as the harness calls them. The defaults are those of the contract
/// (contract.md section 2), which the reference integration implements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FrontDoor {
    /// The link-in-bio page, with `{handle}` where the creator's handle stands.
    pub page: String,
    /// Where a visitor's click is sent.
    pub clicks: String,
    /// How it is sent.
    pub click_method: ClickMethod,
    /// Where a creator looks at own figures, with `{handle}` where the creator's handle stands, and
    /// `{from}` and `{to}` where the first and last of 28 days do, such as 2026-01-31.
    pub analytics: String,
    /// The header in which a creator's session is shown.
    pub session_header: String,
    /// What stands in it, with `{token}` for `<handle>.<lower hex of hmac-sha256({secret.session}, handle)>`.
    pub session: String,
    /// Names of the fields of a click; a dot goes one level down.
    pub click_fields: ClickFields,
    /// Where a creator changes hundreds of links at once; the session is shown as for analytics.
    pub campaigns: String,
    /// Names of the fields of a campaign; a dot goes one level down.
    pub campaign_fields: CampaignFields,
    /// The header that names the upstream version which a page shows.
    pub version_header: String,
    /// The `<meta name=…>` that names it where there is no such header.
    pub version_meta: String,
    /// The attribute of a link on the page that holds the link's id.
    pub link_id_attribute: String,
    /// Where the metrics are scraped, in the text format of Prometheus. Where they are not at its own
    /// port, metrics_url of `observe` says where.
    pub metrics: String,
    /// Where Linktree's webhooks come in.
    pub webhooks: String,
    /// Routes that pages of the allowed origin may call: of `clicks` and `analytics`.
    pub cross_origin: Vec<FrontRoute>,
    /// Routes that the integration does not have: their guarantees are not applicable.
    pub without: Vec<FrontRoute>,
}

/// The front end that an integration shall let in; reserved by RFC 2606.
pub const ALLOWED_ORIGIN: &str = "https://app.example.org";

/// What an integration may not offer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FrontRoute {
    /// Visitors' clicks.
    Clicks,
    /// Metrics.
    Metrics,
    /// Creators' own figures.
    Analytics,
    /// Creators' campaigns.
    Campaigns,
    /// Linktree's webhooks.
    Webhooks,
    /// Requests of pages of another origin, which it allows by headers.
    CrossOrigin,
}

impl fmt::Display for FrontRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clicks => "clicks",
            Self::Metrics => "metrics",
            Self::Analytics => "analytics",
            Self::Campaigns => "campaigns",
            Self::Webhooks => "webhooks",
            Self::CrossOrigin => "cross-origin",
        })
    }
}

/// The methods by which a click may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ClickMethod {
    /// `POST`
    #[default]
    Post,
    /// `PUT`
    Put,
}

impl ClickMethod {
    /// As HTTP names it.
    #[must_use]
    pub const fn method(self) -> reqwest::Method {
        match self {
            Self::Post => reqwest::Method::POST,
            Self::Put => reqwest::Method::PUT,
        }
    }
}

/// What the fields of a click are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClickFields {
    /// The click's id.
    pub event_id: String,
    /// The creator's handle.
    pub handle: String,
    /// The link's id.
    pub link_id: String,
    /// When it was clicked, RFC 3339.
    pub occurred_at: String,
    /// The visitor's address.
    pub ip: String,
    /// The visitor's browser.
    pub user_agent: String,
}

impl Default for FrontDoor {
    fn default() -> Self {
        Self {
            page: "/{handle}".into(),
            clicks: "/api/clicks".into(),
            click_method: ClickMethod::default(),
            analytics: "/api/analytics/{handle}".into(),
            session_header: "authorization".into(),
            session: "Bearer {token}".into(),
            click_fields: ClickFields::default(),
            campaigns: "/api/campaigns".into(),
            campaign_fields: CampaignFields::default(),
            version_header: "x-profile-version".into(),
            version_meta: "profile-version".into(),
            link_id_attribute: "data-link-id".into(),
            metrics: "/metrics".into(),
            webhooks: "/webhooks/linktree".into(),
            cross_origin: vec![FrontRoute::Clicks],
            without: Vec::new(),
        }
    }
}

impl Default for ClickFields {
    fn default() -> Self {
        Self {
            event_id: "event_id".into(),
            handle: "handle".into(),
            link_id: "link_id".into(),
            occurred_at: "occurred_at".into(),
            ip: "visitor.ip".into(),
            user_agent: "visitor.user_agent".into(),
        }
    }
}

impl FrontDoor {
    /// Whether the integration has a route.
    #[must_use]
    pub fn offers(&self, route: FrontRoute) -> bool {
        let listed = !self.without.contains(&route);
        listed && (route != FrontRoute::CrossOrigin || !self.cross_origin_routes().is_empty())
    }

    /// The routes that pages of the allowed origin may call, of those that the integration has.
    #[must_use]
    pub fn cross_origin_routes(&self) -> Vec<FrontRoute> {
        let all = self.cross_origin.iter().copied();
        let asked =
            |route: &FrontRoute| matches!(route, FrontRoute::Clicks | FrontRoute::Analytics);
        all.filter(|route| asked(route) && !self.without.contains(route)).collect()
    }

    /// The path of a creator's page; handles need no escaping (`[a-z0-9._-]`).
    #[must_use]
    pub fn page_of(&self, handle: &str) -> String {
        self.page.replace("{handle}", handle)
    }

    /// The path of a creator's figures of these days, the last of them included.
    #[must_use]
    pub fn analytics_of(&self, handle: &str, from: &str, to: &str) -> String {
        let of = self.analytics.replace("{handle}", handle);
        of.replace("{from}", from).replace("{to}", to)
    }
}

impl ClickFields {
    /// The names with the values that a click has, in the order of the contract.
    #[must_use]
    pub fn body(&self, values: &ClickValues<'_>) -> serde_json::Value {
        let mut body = serde_json::Value::Object(serde_json::Map::new());
        for (name, value) in [
            (&self.event_id, values.event_id),
            (&self.handle, values.handle),
            (&self.link_id, values.link_id),
            (&self.occurred_at, values.occurred_at),
            (&self.ip, values.ip),
            (&self.user_agent, values.user_agent),
        ] {
            put(&mut body, name, value.into());
        }
        body
    }
}

/// What the fields of a campaign are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CampaignFields {
    /// The creator's handle.
    pub handle: String,
    /// The list of links.
    pub links: String,
    /// In it a link's id.
    pub id: String,
    /// Its new title.
    pub title: String,
    /// Its new address.
    pub url: String,
}

impl Default for CampaignFields {
    fn default() -> Self {
        let [handle, links, id, title, url] =
            ["handle", "links", "id", "title", "url"].map(str::to_owned);
        Self { handle, links, id, title, url }
    }
}

impl CampaignFields {
    /// The names with what a campaign says.
    #[must_use]
    pub fn body<'a>(
        &self,
        handle: &str,
        links: impl IntoIterator<Item = LinkValues<'a>>,
    ) -> serde_json::Value {
        let link = |values: LinkValues<'a>| {
            let mut link = serde_json::Value::Object(serde_json::Map::new());
            put(&mut link, &self.id, values.id.into());
            put(&mut link, &self.title, values.title.into());
            put(&mut link, &self.url, values.url.into());
            link
        };
        let mut body = serde_json::Value::Object(serde_json::Map::new());
        put(&mut body, &self.handle, handle.into());
        put(&mut body, &self.links, links.into_iter().map(link).collect());
        body
    }
}

/// What a campaign says of one link.
#[derive(Clone, Copy, Debug)]
pub struct LinkValues<'a> {
    /// The link's id.
    pub id: &'a str,
    /// Its new title.
    pub title: &'a str,
    /// Its new address.
    pub url: &'a str,
}

/// What a click says.
#[derive(Clone, Copy, Debug)]
pub struct ClickValues<'a> {
    /// The click's id.
    pub event_id: &'a str,
    /// The creator's handle.
    pub handle: &'a str,
    /// The link's id.
    pub link_id: &'a str,
    /// When, RFC 3339.
    pub occurred_at: &'a str,
    /// The visitor's address.
    pub ip: &'a str,
    /// The visitor's browser.
    pub user_agent: &'a str,
}

/// Puts a value under a dotted name; an empty name leaves it out.
fn put(body: &mut serde_json::Value, name: &str, value: serde_json::Value) {
    if name.is_empty() {
        return;
    }
    let mut at = body;
    for part in name.split('.') {
        if !at.is_object() {
            *at = serde_json::Value::Object(serde_json::Map::new());
        }
        at = &mut at[part];
    }
    *at = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const VALUES: ClickValues<'_> = ClickValues {
        event_id: "e",
        handle: "h",
        link_id: "l",
        occurred_at: "t",
        ip: "i",
        user_agent: "u",
    };

    #[test]
    fn the_default_click_is_the_contracts() {
        let expected = json!({
            "event_id": "e", "handle": "h", "link_id": "l", "occurred_at": "t",
            "visitor": { "ip": "i", "user_agent": "u" },
        });
        assert_eq!(ClickFields::default().body(&VALUES), expected);
    }

    #[test]
    fn fields_are_renamed_moved_and_left_out() {
        let fields = ClickFields {
            event_id: "meta.id".into(),
            handle: "meta.creator.slug".into(),
            ip: String::new(),
            ..ClickFields::default()
        };
        let body = fields.body(&VALUES);
        assert_eq!(body["meta"], json!({ "id": "e", "creator": { "slug": "h" } }));
        assert_eq!(body["visitor"], json!({ "user_agent": "u" }));
    }
}

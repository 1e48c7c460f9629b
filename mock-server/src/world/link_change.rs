//! What a request asks to change in a link, and whether it may stand there.

use crate::profile::LinkLimits;
use crate::seed;
use crate::world::link::Link;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// New values for some of a link's fields; an absent or null field is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkChange {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the page shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// Where the page shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}

impl LinkChange {
    /// Writes the fields; true when the link is not as it was.
    pub(crate) fn apply(&self, link: &mut Link) -> bool {
        let mut changed = write(&mut link.title, self.title.as_ref());
        changed |= write(&mut link.url, self.url.as_ref());
        changed |= write(&mut link.is_active, self.is_active.as_ref());
        changed | write(&mut link.position, self.position.as_ref())
    }

    /// Takes over the fields that a later change names.
    pub(crate) fn follow_with(&mut self, later: &Self) {
        let Self { title, url, is_active, position } = later.clone();
        self.title = title.or(self.title.take());
        self.url = url.or(self.url.take());
        self.is_active = is_active.or(self.is_active);
        self.position = position.or(self.position);
    }

    /// Why these values cannot stand in a link, if they cannot.
    pub(crate) fn refusal(&self, limits: &LinkLimits) -> Option<&'static str> {
        if let Some(title) = &self.title {
            if title.trim().is_empty() {
                return Some("the title is empty");
            }
            if title.chars().count() > limits.title_chars as usize {
                return Some("the title is too long");
            }
        }
        if let Some(url) = &self.url {
            if url.len() > limits.url_bytes as usize {
                return Some("the url is too long");
            }
            let parsed = reqwest::Url::parse(url).ok();
            if !parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
                return Some("the url is no http or https address");
            }
        }
        let last = self.position.is_some_and(|position| position >= limits.positions);
        last.then_some("the position is out of range")
    }

    /// The hash that [`crate::history::exchange::LinkReceipt::payload`] carries: the first 16 hex digits of
    /// a SHA-256 over the names and values, length-prefixed, of the fields that are named.
    #[must_use]
    pub fn payload(&self) -> String {
        let is_active = self.is_active.map(|is_active| is_active.to_string());
        let position = self.position.map(|position| position.to_string());
        let fields = [
            ("title", &self.title),
            ("url", &self.url),
            ("is_active", &is_active),
            ("position", &position),
        ];
        let named = fields.iter().filter_map(|(name, value)| Some([*name, value.as_deref()?]));
        let labels: Vec<_> = std::iter::once("link").chain(named.flatten()).collect();
        hex::encode(&seed::derive(0, &labels)[..8])
    }
}

fn write<T: Clone + PartialEq>(field: &mut T, value: Option<&T>) -> bool {
    match value {
        Some(value) if value != field => {
            field.clone_from(value);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ContractProfile;

    fn link() -> Link {
        Link::inserted(7, "a-0001", "lnk_000000000000".into(), 3, 0)
    }

    #[test]
    fn only_named_fields_are_written_and_only_a_difference_is_an_effect() {
        let mut link = link();
        let before = link.clone();
        let change = LinkChange { title: Some("New".into()), ..LinkChange::default() };
        assert!(change.apply(&mut link));
        assert_eq!(link, Link { title: "New".into(), ..before });
        assert!(!change.apply(&mut link), "a repetition");
        assert!(!LinkChange::default().apply(&mut link));
    }

    #[test]
    fn a_later_change_overrides_the_fields_that_it_names() {
        let change = |title: &str, position| LinkChange {
            title: (!title.is_empty()).then(|| title.to_owned()),
            position,
            ..LinkChange::default()
        };
        let mut all = change("one", Some(4));
        all.follow_with(&change("two", None));
        all.follow_with(&change("", Some(0)));
        assert_eq!(all, change("two", Some(0)));
    }

    #[test]
    fn values_that_cannot_stand_in_a_link_are_refused() {
        let limits = ContractProfile::linktree_v1().links;
        let title = |title: String| LinkChange { title: Some(title), ..LinkChange::default() };
        let url = |url: &str| LinkChange { url: Some(url.to_owned()), ..LinkChange::default() };
        let position = |n| LinkChange { position: Some(n), ..LinkChange::default() };
        let check = |change: LinkChange, lawful: bool| {
            assert_eq!(change.refusal(&limits).is_none(), lawful, "{change:?}");
        };
        check(LinkChange::default(), true);
        check(title("é".repeat(limits.title_chars as usize)), true);
        check(title("e".repeat(limits.title_chars as usize + 1)), false);
        check(title(" ".into()), false);
        check(title("<script>".into()), true);
        for good in ["https://example.org/a?b#c", "http://[::1]:80/"] {
            check(url(good), true);
        }
        for bad in ["", "example.org", "javascript:alert(1)", "https://", "ftp://example.org/"] {
            check(url(bad), false);
        }
        check(
            url(&format!("https://example.org/{}", "a".repeat(limits.url_bytes as usize))),
            false,
        );
        check(position(limits.positions - 1), true);
        check(position(limits.positions), false);
    }

    #[test]
    fn the_payload_tells_fields_and_values_apart() {
        let of = |text: &str| serde_json::from_str::<LinkChange>(text).unwrap().payload();
        let all = [
            "{}",
            r#"{"title":"a"}"#,
            r#"{"title":"url"}"#,
            r#"{"title":"a","url":"b"}"#,
            r#"{"url":"a"}"#,
            r#"{"is_active":true}"#,
            r#"{"is_active":false}"#,
            r#"{"position":1}"#,
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().map(|text| of(text)).collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(of(r#"{"url":"b","title":"a"}"#), of(all[3]));
    }
}

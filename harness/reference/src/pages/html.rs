//! Writes a page as HTML; whatever a creator wrote is text, and only http(s) addresses are links.

use super::fill::{Link, Page};
use std::fmt::Write;

/// How a creator's words become markup.
#[derive(Clone, Copy)]
pub struct HtmlPolicy {
    /// A name in the head, as the document's title.
    pub head: fn(&str) -> String,
    /// A name between elements.
    pub name: fn(&str) -> String,
    /// A biography between elements.
    pub bio: fn(&str) -> String,
    /// A link's title between elements.
    pub title: fn(&str) -> String,
    /// A link's address between double quotes.
    pub address: fn(&str) -> String,
    /// Whether an address may be followed; others are shown as text.
    pub is_link: fn(&str) -> bool,
}

impl Default for HtmlPolicy {
    fn default() -> Self {
        Self {
            head: escape,
            name: escape,
            bio: escape,
            title: escape,
            address: escape,
            is_link: is_web_address,
        }
    }
}

/// The whole document.
pub fn render(page: &Page, policy: &HtmlPolicy) -> String {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"profile-version\" content=\"{}\"><title>{}</title></head>\n\
         <body><h1>{}</h1>\n<p class=\"bio\">{}</p>\n<ul class=\"links\">\n",
        escape(&page.version),
        (policy.head)(&page.display_name),
        (policy.name)(&page.display_name),
        (policy.bio)(&page.bio),
    );
    for link in &page.links {
        let _ = writeln!(html, "<li>{}</li>", item(link, policy));
    }
    html.push_str("</ul></body></html>\n");
    html
}

fn item(link: &Link, policy: &HtmlPolicy) -> String {
    let (id, title) = (escape(&link.id), (policy.title)(&link.title));
    if (policy.is_link)(&link.url) {
        let url = (policy.address)(&link.url);
        format!("<a href=\"{url}\" data-link-id=\"{id}\" rel=\"noopener nofollow\">{title}</a>")
    } else {
        let url = escape(&link.url);
        format!("<span data-link-id=\"{id}\">{title} ({url})</span>")
    }
}

/// Only what cannot run: parsed as a browser parses it, so that tabs and line feeds inside a scheme hide nothing.
fn is_web_address(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// Text that is safe between elements and between quotes of either kind.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(title: &str, url: &str, expected: &str) {
        let link = Link {
            id: "l1".into(),
            title: title.into(),
            url: url.into(),
            position: 1,
            is_active: true,
        };
        assert_eq!(item(&link, &HtmlPolicy::default()), expected);
    }

    #[test]
    fn markup_is_text() {
        check(
            "<b onclick='x'>&",
            "https://a.example/?q=\"><script>",
            "<a href=\"https://a.example/?q=&quot;&gt;&lt;script&gt;\" data-link-id=\"l1\" \
             rel=\"noopener nofollow\">&lt;b onclick=&#39;x&#39;&gt;&amp;</a>",
        );
    }

    #[test]
    fn other_schemes_are_no_links() {
        for url in ["javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "/p"] {
            check("t", url, &format!("<span data-link-id=\"l1\">t ({url})</span>"));
        }
    }
}

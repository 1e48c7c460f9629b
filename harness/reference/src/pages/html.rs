//! Writes a page as HTML; whatever a creator wrote is text, and only http(s) addresses are links.

use super::fill::{Link, Page};
use std::fmt::Write;

/// The whole document.
pub fn render(page: &Page) -> String {
    let name = escape(&page.display_name);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"profile-version\" content=\"{}\"><title>{name}</title></head>\n\
         <body><h1>{name}</h1>\n<p class=\"bio\">{}</p>\n<ul class=\"links\">\n",
        escape(&page.version),
        escape(&page.bio),
    );
    for link in &page.links {
        let _ = writeln!(html, "<li>{}</li>", item(link));
    }
    html.push_str("</ul></body></html>\n");
    html
}

fn item(link: &Link) -> String {
    let (id, title, url) = (escape(&link.id), escape(&link.title), escape(&link.url));
    if is_web_address(&link.url) {
        format!("<a href=\"{url}\" data-link-id=\"{id}\" rel=\"noopener nofollow\">{title}</a>")
    } else {
        format!("<span data-link-id=\"{id}\">{title} ({url})</span>")
    }
}

/// Parsed as a browser parses it, so that tabs and line feeds inside a scheme hide nothing.
fn is_web_address(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

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
        assert_eq!(item(&link), expected);
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

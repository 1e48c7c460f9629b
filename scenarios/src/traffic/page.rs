//! What a visitor reads in a page: the upstream version that it shows, and its links.

use crate::front_door::FrontDoor;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What `<meta name="{version_meta}" content="…">` says, if the page has it.
    pub version: Option<String>,
    /// What the links carry as `{link_id_attribute}="…"`, in the order of the page.
    pub links: Vec<String>,
}

impl Page {
    /// Reads a page.
    #[must_use]
    pub fn read(body: &[u8], front: &FrontDoor) -> Self {
        let html = String::from_utf8_lossy(body);
        let version = meta_version(&html, &front.version_meta).map(str::to_owned);
        let mark = format!("{}=\"", front.link_id_attribute);
        let after = |(at, found): (usize, &str)| html[at + found.len()..].split('"').next();
        let links = html.match_indices(mark.as_str()).filter_map(after);
        let links = links.filter(|id| !id.is_empty()).map(str::to_owned).collect();
        Self { version, links }
    }
}

fn meta_version<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let name = html.find(&format!("\"{name}\""))?;
    let tag_start = html[..name].rfind('<')?;
    let tag = &html[tag_start..];
    attribute(&tag[..tag.find('>')?], "content")
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    tag[start..].split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &str) -> Page {
        Page::read(html.as_bytes(), &FrontDoor::default())
    }

    #[test]
    fn the_version_is_read_in_either_order_of_attributes() {
        let check = |html: &str, expected: Option<&str>| {
            assert_eq!(read(html).version.as_deref(), expected)
        };
        check(r#"<head><meta name="profile-version" content="v3-ab"></head>"#, Some("v3-ab"));
        check(r#"<meta content="v4" name="profile-version"/>"#, Some("v4"));
        check(r#"<meta name="profile-version"><p content="no">"#, None);
        check("<p>no version</p>", None);
        check("\"profile-version\"", None);
    }

    #[test]
    fn links_are_read_in_the_order_of_the_page() {
        let check = |html: &str, expected: &[&str]| assert_eq!(read(html).links, expected);
        let two = r#"<a data-link-id="lnk_1" href="x">a</a><a data-link-id="lnk_2">b</a>"#;
        check(two, &["lnk_1", "lnk_2"]);
        check("<a>none</a>", &[]);
        check(r#"<a data-link-id="">"#, &[]);
    }
}

//! What a visitor reads in a page: the upstream version that it shows, and its links.

/// The version in `<meta name="{name}" content="…">`, if the page has it.
#[must_use]
pub fn meta_version<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let name = html.find(&format!("\"{name}\""))?;
    let tag_start = html[..name].rfind('<')?;
    let tag = &html[tag_start..];
    attribute(&tag[..tag.find('>')?], "content")
}

/// The id of one of the links that carry `{attribute}="…"`, chosen by `roll`; none without any.
#[must_use]
pub fn link_id<'a>(html: &'a str, attribute: &str, roll: u64) -> Option<&'a str> {
    let mark = format!("{attribute}=\"");
    let ids = || {
        let after = |(at, found): (usize, &str)| html[at + found.len()..].split('"').next();
        html.match_indices(mark.as_str()).filter_map(after)
    };
    let count = ids().count() as u64;
    let chosen = usize::try_from(roll.checked_rem(count)?).ok()?;
    ids().nth(chosen).filter(|id| !id.is_empty())
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    tag[start..].split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_in_either_order_of_attributes() {
        let check = |html: &str, expected: Option<&str>| {
            assert_eq!(meta_version(html, "profile-version"), expected)
        };
        check(r#"<head><meta name="profile-version" content="v3-ab"></head>"#, Some("v3-ab"));
        check(r#"<meta content="v4" name="profile-version"/>"#, Some("v4"));
        check(r#"<meta name="profile-version"><p content="no">"#, None);
        check("<p>no version</p>", None);
        check("\"profile-version\"", None);
    }

    #[test]
    fn a_link_is_chosen_among_those_on_the_page() {
        let html = r#"<a data-link-id="lnk_1" href="x">a</a><a data-link-id="lnk_2">b</a>"#;
        assert_eq!(link_id(html, "data-link-id", 0), Some("lnk_1"));
        assert_eq!(link_id(html, "data-link-id", 5), Some("lnk_2"));
        assert_eq!(link_id("<a>none</a>", "data-link-id", 3), None);
        assert_eq!(link_id(r#"<a data-link-id="">"#, "data-link-id", 3), None);
    }
}

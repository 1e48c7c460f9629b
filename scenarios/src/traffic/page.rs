//! What a visitor reads in a page: the upstream version that it shows, and its links.

/// The version in `<meta name="profile-version" content="…">`, if the page has it.
#[must_use]
pub fn meta_version(html: &str) -> Option<&str> {
    let name = html.find("\"profile-version\"")?;
    let tag_start = html[..name].rfind('<')?;
    let tag = &html[tag_start..];
    attribute(&tag[..tag.find('>')?], "content")
}

/// The id of one of the links that carry `data-link-id="…"`, chosen by `roll`; none without any.
#[must_use]
pub fn link_id(html: &str, roll: u64) -> Option<&str> {
    const MARK: &str = "data-link-id=\"";
    let ids =
        || html.match_indices(MARK).filter_map(|(at, _)| html[at + MARK.len()..].split('"').next());
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
        let check = |html: &str, expected: Option<&str>| assert_eq!(meta_version(html), expected);
        check(r#"<head><meta name="profile-version" content="v3-ab"></head>"#, Some("v3-ab"));
        check(r#"<meta content="v4" name="profile-version"/>"#, Some("v4"));
        check(r#"<meta name="profile-version"><p content="no">"#, None);
        check("<p>no version</p>", None);
        check("\"profile-version\"", None);
    }

    #[test]
    fn a_link_is_chosen_among_those_on_the_page() {
        let html = r#"<a data-link-id="lnk_1" href="x">a</a><a data-link-id="lnk_2">b</a>"#;
        assert_eq!(link_id(html, 0), Some("lnk_1"));
        assert_eq!(link_id(html, 5), Some("lnk_2"));
        assert_eq!(link_id("<a>none</a>", 3), None);
        assert_eq!(link_id(r#"<a data-link-id="">"#, 3), None);
    }
}

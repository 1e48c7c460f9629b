//! Creators as hostile as real ones: look-alike handles, no links, a hundred and twenty, and texts
//! that no font has whole.
//!
//! They come in families of five, of whom each is easily taken for another: by a cache whose keys
//! fold `-`, `_` and `.`, by one that cuts its keys off, and by whoever reads handles as numbers.

use crate::world::population::Creator;

/// Creators of a family.
const FAMILY: u32 = 5;
/// More than the longest part of the links route holds.
pub(crate) const MANY_LINKS: u32 = 120;

const NAMES: [&str; 3] = [
    "Zoë 👩🏽\u{200d}🎤 & \"The Kings\" <live>",
    "\u{202b}נועה כהן\u{202c} — official",
    "ﬁlip 'O\u{2019}Brien' ①\u{0301}",
];
const TITLES: [&str; 6] = [
    "🎟️🔥👨\u{200d}👩\u{200d}👧\u{200d}👦",
    "\u{202b}شراء التذاكر\u{202c}",
    "R&B; \"live\" <3 &amp; more",
    "הופעות 2026",
    "ﬆraße\u{00ad}n\u{200b}fest",
    "--- {{title}} ${title} %s",
];

/// The handle of the creator with this number, from 1.
pub(super) fn handle(prefix: &str, number: u32) -> String {
    let (family, member) = family(number);
    match member {
        0 => format!("{prefix}-{family:04}"),
        1 => format!("{prefix}_{family:04}"),
        2 => format!("{prefix}.{family:04}"),
        3 => format!("{prefix}-{family:04}-1"),
        _ => format!("{prefix}-{family:04}0"),
    }
}

/// The number of the creator with this handle, if it has such a form.
pub(super) fn number(prefix: &str, candidate: &str) -> Option<u32> {
    let digits: String = candidate
        .strip_prefix(prefix)?
        .get(1..)?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let family: u32 = digits.get(..digits.len().min(4))?.parse().ok()?;
    let long: u32 = digits.parse().ok()?;
    let members = [family, long].into_iter().filter(|family| *family > 0);
    let mut numbers =
        members.flat_map(|family| (1..=FAMILY).map(move |member| (family - 1) * FAMILY + member));
    numbers.find(|number| handle(prefix, *number) == candidate)
}

/// How many links this creator has, where that is what is odd.
pub(super) fn links(number: u32) -> Option<u32> {
    match family(number).1 {
        1 => Some(0),
        2 => Some(MANY_LINKS),
        _ => None,
    }
}

/// Gives a creator texts of all scripts, and the same address for all links, where these are odd.
pub(super) fn dress(creator: &mut Creator, number: u32) {
    if family(number).1 < 3 {
        return;
    }
    let pick = |texts: &[&'static str], nth: usize| texts[nth % texts.len()];
    creator.display_name = pick(&NAMES, number as usize).to_owned();
    let address = format!("https://example.org/{}?a=1&b=%F0%9F%8E%9F#all", creator.handle);
    for (nth, link) in creator.links.iter_mut().enumerate() {
        link.title = format!("{} {}", pick(&TITLES, nth + number as usize), link.title);
        link.url.clone_from(&address);
    }
}

/// The family, from 1, and the place in it, from 0.
const fn family(number: u32) -> (u32, u32) {
    let index = number.saturating_sub(1);
    (index / FAMILY + 1, index % FAMILY)
}

#[cfg(test)]
mod tests {
    use crate::world::population::{Group, Population, Variety};
    use std::collections::HashSet;

    fn odd(count: u32) -> Population {
        let variety = Variety::Odd;
        let group = Group { prefix: "odd".into(), count, min_links: 3, max_links: 9, variety };
        Population { groups: vec![group] }
    }

    #[test]
    fn a_family_looks_alike_and_each_of_it_is_somebody() {
        let population = odd(5);
        let handles = population.handles();
        assert_eq!(handles, ["odd-0001", "odd_0001", "odd.0001", "odd-0001-1", "odd-00010"]);
        assert_eq!(population.check(), Ok(()));
        let many = odd(123);
        let handles = many.handles();
        assert_eq!(handles.iter().collect::<HashSet<_>>().len(), 123);
        assert!(handles.iter().all(|handle| many.contains(handle)));
        for stranger in ["odd-0002", "odd", "odd-", "odd-1", "odd-00001", "odd-0001-2", "odd+0001"]
        {
            assert!(!population.contains(stranger), "{stranger}");
        }
        assert!(population.has_anybody("odd.*") && !population.has_anybody("odd-0002*"));
    }

    #[test]
    fn some_have_no_links_or_very_many_and_others_share_one_address() {
        let population = odd(5);
        let links = |handle: &str| population.creator(7, handle).unwrap().links;
        assert_eq!((links("odd_0001").len(), links("odd.0001").len()), (0, 120));
        assert_eq!(population.most_links("odd.0001"), Some(120));
        assert_eq!(population.most_links("odd-0001"), Some(9));
        let urls = |handle| links(handle).into_iter().map(|link| link.url).collect::<HashSet<_>>();
        assert_eq!(urls("odd-0001-1").len(), 1);
        assert!(urls("odd-0001").len() > 1);
        let titles: String = links("odd-00010").into_iter().map(|link| link.title).collect();
        assert!(titles.chars().any(|letter| u32::from(letter) > 0xffff), "{titles}");
        let name = population.creator(7, "odd-0001-1").unwrap().display_name;
        assert!(!name.is_ascii(), "{name}");
    }

    #[test]
    fn an_edit_is_seen_in_odd_texts_as_well() {
        let population = odd(5);
        let title =
            |edit| population.creator_after(7, "odd-00010", edit).unwrap().links[0].title.clone();
        assert_ne!(title(0), title(1));
    }
}

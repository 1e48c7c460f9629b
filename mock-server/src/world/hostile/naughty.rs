//! The big list of naughty strings (Max Woolf's, under MIT; its licence stands beside it): what programs trip
//! over that were never attacked. Each hostile creator has a few of them: each as the title of a link and in the
//! address of another one, and all of them in the name and in the biography, behind the attack.
//!
//! A text begins and ends with a mark, as attacks do. Where a string calls a browser's `alert`, it calls `ran`
//! with a mark of its own instead; where it loads a script from elsewhere, the mark is part of the address.

use super::{Field, Mark, Place, attacks};
use crate::world::link::Link;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

/// Strings are numbered from here on; attacks have smaller numbers.
pub const FIRST: u16 = 501;

/// Where the list's strings load scripts from.
const ELSEWHERE: &str = "//ha.ckers.org/";

static ALL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let list: Vec<String> =
        serde_json::from_str(include_str!("naughty/blns.json")).expect("the list is well-formed");
    let mut known = BTreeSet::new();
    list.into_iter().filter(|one| known.insert(one.clone())).collect()
});

/// Every string, each once, in the order of the list and as it stands there.
///
/// # Panics
///
/// Never: the list is part of the program, and a test reads it.
#[must_use]
pub fn strings() -> &'static [String] {
    &ALL
}

/// The numbers of the strings that a creator has, by the number of its attack: together those of all attacks
/// have each string once.
#[must_use]
pub fn numbers(creator: u16) -> Range<u16> {
    let each = ALL.len().div_ceil(attacks() as usize);
    let place = |creator: usize| (creator * each).min(ALL.len());
    let creator = usize::from(creator);
    let number = |place: usize| FIRST.saturating_add(u16::try_from(place).unwrap_or(u16::MAX));
    number(place(creator.saturating_sub(1)))..number(place(creator))
}

/// The string with this number, as a creator writes it into a field, between its marks. Nothing but these where
/// there is none.
#[must_use]
pub fn text(field: Field, number: u16) -> String {
    let [begin, within, end] = [Place::Begin, Place::Within, Place::End]
        .map(|place| Mark { place, field, number }.to_string());
    let place = usize::from(number.saturating_sub(FIRST));
    let plain = ALL.get(place).map_or("", String::as_str);
    let marked = plain
        .replace("alert(", &format!("ran(/{within}/,"))
        .replace(ELSEWHERE, &format!("{ELSEWHERE}{within}/"));
    format!("{begin}{marked}{end}")
}

/// An address with the string with this number in its query.
#[must_use]
pub fn address(number: u16) -> String {
    format!("https://example.org/?q={}", text(Field::LinkUrl, number))
}

/// What a creator writes into a name or a biography behind the attack: each of its strings, and last those of
/// which a sanitiser may take all that follows for a part of their markup.
pub(super) fn texts(field: Field, creator: u16) -> String {
    let (open, closed): (Vec<_>, Vec<_>) =
        numbers(creator).map(|number| text(field, number)).partition(|text| text.contains('<'));
    closed.into_iter().chain(open).map(|text| format!(" {text}")).collect()
}

/// Gives links the strings of their creator: first each as a title, over an address that anybody takes, then
/// each in an address, under a title that anybody takes.
pub(super) fn dress<'l>(mut links: impl Iterator<Item = &'l mut Link>, creator: u16) {
    for number in numbers(creator) {
        let Some(link) = links.next() else { return };
        link.title = text(Field::LinkTitle, number);
        link.url = format!("https://example.org/{number}");
        link.is_active = true;
    }
    for number in numbers(creator) {
        let Some(link) = links.next() else { return };
        link.title = format!("Number {number}");
        link.url = address(number);
        link.is_active = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole_and_every_string_is_one_creators() {
        assert!((470..500).contains(&strings().len()), "{}", strings().len());
        let given: Vec<u16> = (1..=u16::try_from(attacks()).unwrap()).flat_map(numbers).collect();
        let all: Vec<u16> = (FIRST..).take(strings().len()).collect();
        assert_eq!(given, all);
        assert!(all.last().is_some_and(|last| *last < 1_000), "a mark has three digits");
        assert!(u32::from(FIRST) > attacks(), "no attack has a string's number");
        assert!(numbers(499).is_empty() && numbers(u16::MAX).is_empty());
    }

    #[test]
    fn a_creator_writes_each_of_its_strings_once_and_those_with_markup_last() {
        for creator in 1..=u16::try_from(attacks()).unwrap() {
            let all = texts(Field::Bio, creator);
            let begun = Mark::all_in(&all).filter(|mark| mark.place == Place::Begin);
            let mut begun: Vec<u16> = begun.map(|mark| mark.number).collect();
            let is_open = |number: &u16| text(Field::Bio, *number).contains('<');
            assert!(begun.is_sorted_by_key(is_open), "{all}");
            begun.sort_unstable();
            assert_eq!(begun, numbers(creator).collect::<Vec<_>>());
        }
        assert_eq!(texts(Field::Bio, 499), "");
    }

    #[test]
    fn a_string_stays_as_it_is_but_for_what_would_be_called() {
        let numbers = (FIRST..).take(strings().len());
        let mut called = 0;
        for (number, plain) in numbers.zip(strings()) {
            let text = text(Field::LinkTitle, number);
            let places: Vec<_> = Mark::all_in(&text).map(|mark| mark.place).collect();
            assert_eq!((places[0], places[places.len() - 1]), (Place::Begin, Place::End));
            assert!(Mark::all_in(&text).all(|mark| mark.number == number), "{text}");
            called += usize::from(places.contains(&Place::Within));
            let within = format!("/zit{number}/");
            let back = text[6..text.len() - 6]
                .replace(&format!("ran({within},"), "alert(")
                .replace(&format!("{ELSEWHERE}{}", &within[1..]), ELSEWHERE);
            assert_eq!(&back, plain);
        }
        assert!(called > 200, "{called}");
        assert_eq!(text(Field::LinkUrl, 999), "zqu999qzu999");
    }
}

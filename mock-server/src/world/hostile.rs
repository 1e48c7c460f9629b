//! Creators who attack the visitors of their own pages: each has one attack in its name, its biography and
//! the titles of two links, the same in the query of its first address, and a whole address of another kind.
//! Names, biographies and further links hold the strings of the [`naughty`] list.
//!
//! What is hostile stands here and nowhere else: attacks with marks in them, the naughty list, and the
//! strings of the fault that puts some into answers.
//!
//! Every text begins and ends with a mark, and another stands within the attack, so that whoever reads a
//! page can tell whose words became what: an element or an attribute that holds the mark within and not
//! the one before is of the attack's own making. Marks are letters and digits only, which survive whatever
//! escapes, encodes or strips.

pub(crate) mod literals;
pub mod naughty;

use crate::world::population::Creator;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::LazyLock;

/// The corpus; its head says what it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attacks {
    texts: Vec<String>,
    addresses: Vec<String>,
}

static ATTACKS: LazyLock<Attacks> = LazyLock::new(|| {
    toml::from_str(include_str!("hostile/attacks.toml")).expect("the corpus is well-formed")
});

/// What a creator may write into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The name on the page.
    DisplayName,
    /// The text under it.
    Bio,
    /// What a link says.
    LinkTitle,
    /// Where a link leads.
    LinkUrl,
}

impl Field {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::DisplayName, Self::Bio, Self::LinkTitle, Self::LinkUrl];

    const fn letter(self) -> char {
        match self {
            Self::DisplayName => 'n',
            Self::Bio => 'b',
            Self::LinkTitle => 't',
            Self::LinkUrl => 'u',
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DisplayName => "display name",
            Self::Bio => "biography",
            Self::LinkTitle => "link's title",
            Self::LinkUrl => "link's address",
        })
    }
}

/// Where in a field a mark stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Before the attack, where it is a text; behind it, where it is a whole address.
    Begin,
    /// Within the attack.
    Within,
    /// Behind it.
    End,
}

/// A mark: of which attack in which field, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Where in the field.
    pub place: Place,
    /// Of which field.
    pub field: Field,
    /// The number of the creator whose it is, from 1.
    pub number: u16,
}

/// Characters of a mark.
const LENGTH: usize = 6;

impl Mark {
    /// The marks in a text, in order; their case does not matter.
    pub fn all_in(text: &str) -> impl Iterator<Item = Self> + '_ {
        let bytes = text.as_bytes();
        (0..bytes.len()).filter_map(|at| Self::read(bytes.get(at..at + LENGTH)?))
    }

    fn read(word: &[u8]) -> Option<Self> {
        let [first, second, letter, digits @ ..] = word else { return None };
        let place = match [first.to_ascii_lowercase(), second.to_ascii_lowercase()] {
            [b'z', b'q'] => Place::Begin,
            [b'z', b'i'] => Place::Within,
            [b'q', b'z'] => Place::End,
            _ => return None,
        };
        let letter = char::from(letter.to_ascii_lowercase());
        let field = Field::ALL.into_iter().find(|field| field.letter() == letter)?;
        let decimal = digits.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(digits).ok().filter(|_| decimal)?.parse().ok()?;
        Some(Self { place, field, number })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            Place::Begin => "zq",
            Place::Within => "zi",
            Place::End => "qz",
        };
        write!(f, "{place}{}{:03}", self.field.letter(), self.number)
    }
}

/// How many creators it takes until each attack was one's.
///
/// # Panics
///
/// Never: the corpus is part of the program, and a test reads it.
#[must_use]
pub fn attacks() -> u32 {
    u32::try_from(ATTACKS.texts.len()).unwrap_or(u32::MAX)
}

/// Links that hold a creator's attack.
const ATTACKING: usize = 2;

/// The number of the attack of the creator with this number in its group, both from 1. Attacks come again
/// after the last; no number is that of a naughty string.
#[must_use]
pub fn number(creator: u32) -> u16 {
    let last = u32::from(naughty::FIRST) - 1;
    u16::try_from(creator.saturating_sub(1) % last + 1).unwrap_or(1)
}

/// Links that the creator with this number has.
pub(super) fn links(creator: u32) -> u32 {
    let naughty = naughty::numbers(number(creator)).len();
    u32::try_from(ATTACKING + 2 * naughty).unwrap_or(u32::MAX)
}

/// The attack that the creator with this number, from 1, writes into a name, a biography or a title, between its
/// marks.
#[must_use]
pub fn text(field: Field, number: u16) -> String {
    let [begin, end] = [Place::Begin, Place::End].map(|place| Mark { place, field, number });
    format!("{begin}{}{end}", attack(&ATTACKS.texts, field, number))
}

/// The whole name or biography of the creator with this number: the attack, and naughty strings behind it.
#[must_use]
pub fn words(field: Field, number: u16) -> String {
    text(field, number) + &naughty::texts(field, number)
}

/// The addresses of its links: one with a lawful scheme, and one that is an attack as a whole.
#[must_use]
pub fn addresses(number: u16) -> [String; 2] {
    let field = Field::LinkUrl;
    let begin = Mark { place: Place::Begin, field, number };
    let whole = attack(&ATTACKS.addresses, field, number);
    [format!("https://example.org/?q={}", text(field, number)), format!("{whole}//{begin}")]
}

fn attack(of: &[String], field: Field, number: u16) -> String {
    let nth = usize::from(number.saturating_sub(1)) % of.len();
    of[nth].replace("{m}", &Mark { place: Place::Within, field, number }.to_string())
}

/// Gives a creator its attack.
pub(super) fn dress(creator: &mut Creator, number: u32) {
    let number = self::number(number);
    creator.display_name = words(Field::DisplayName, number);
    creator.bio = words(Field::Bio, number);
    for (link, address) in creator.links.iter_mut().zip(addresses(number)) {
        link.title = text(Field::LinkTitle, number);
        link.url = address;
        link.is_active = true;
    }
    naughty::dress(creator.links.iter_mut().skip(ATTACKING), number);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::population::{Group, Population, Variety};
    use std::collections::BTreeSet;

    #[test]
    fn a_mark_is_found_wherever_it_stands_and_nothing_else_is_one() {
        let mark = |place, field, number| Mark { place, field, number };
        let found = |text: &str| Mark::all_in(text).collect::<Vec<_>>();
        let expected = [
            mark(Place::Begin, Field::DisplayName, 7),
            mark(Place::Within, Field::DisplayName, 7),
            mark(Place::End, Field::DisplayName, 7),
        ];
        assert_eq!(found("zqn007<b>ran(/ZIN007/)é qzn007"), expected);
        assert_eq!(found("zqzqu123"), [mark(Place::Begin, Field::LinkUrl, 123)]);
        for plain in ["", "zq", "zqn07", "zqn+07", "zqx007", "pizza", "qzn07é"] {
            assert_eq!(found(plain), [], "{plain}");
        }
    }

    #[test]
    fn every_attack_has_its_mark_and_there_are_sixty_and_more_of_them() {
        assert!((60..1_000).contains(&attacks()), "{}", attacks());
        let all: BTreeSet<_> = ATTACKS.texts.iter().chain(&ATTACKS.addresses).collect();
        assert_eq!(all.len(), ATTACKS.texts.len() + ATTACKS.addresses.len(), "one stands twice");
        assert!(all.iter().all(|attack| attack.contains("{m}")), "one has no mark");
    }

    #[test]
    fn each_creator_has_its_own_attack_in_every_field() {
        let group = Group {
            prefix: "evil".into(),
            count: attacks(),
            min_links: 1,
            max_links: 9,
            variety: Variety::Hostile,
        };
        let population = Population { groups: vec![group] };
        assert_eq!(population.check(), Ok(()));
        let mut names = BTreeSet::new();
        for handle in population.handles() {
            let creator = population.creator(7, &handle).unwrap();
            let most = population.most_links(&handle).unwrap();
            assert_eq!(creator.links.len(), most as usize, "{handle}");
            assert!((2..=20).contains(&most), "{handle} has {most}: more than come in one answer");
            assert!(creator.links.iter().all(|link| link.is_active));
            assert!(creator.links[0].url.starts_with("https://example.org/?"));
            for text in [&creator.display_name, &creator.bio, &creator.links[1].title] {
                let places: Vec<_> = Mark::all_in(text).map(|mark| mark.place).collect();
                assert_eq!((places[0], places[places.len() - 1]), (Place::Begin, Place::End));
                assert!(places.contains(&Place::Within), "{text}");
            }
            names.insert(creator.display_name.replace(char::is_numeric, ""));
        }
        assert_eq!(names.len(), attacks() as usize);
    }
}

//! Who has an account at the assumed Linktree: creators and their links as a pure function of seed and handle.

use crate::ranges::{self, OutOfRange};
use crate::seed;
use crate::world::link::Link;
use crate::world::{hostile, oddities};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest handle that the contract allows.
pub const MAX_HANDLE: usize = 30;
/// The most creators of one group.
pub const MAX_CREATORS: u32 = 100_000;
/// The most links of a creator before any edit: each page that is read is made anew.
pub const MAX_LINKS: u32 = 10_000;

const FIRST: [&str; 12] = [
    "Ada", "Bruno", "Chidi", "Dalia", "Emre", "Freya", "Goran", "Hana", "Inés", "Jun", "Kofi",
    "Lena",
];
const LAST: [&str; 12] = [
    "Abara", "Brandt", "Castro", "Dvorak", "Eriksen", "Fischer", "Gupta", "Haddad", "Ito",
    "Jansen", "Kaya", "Lopes",
];
const CRAFT: [&str; 8] = [
    "Ceramics",
    "Street photography",
    "Field recordings",
    "Bread",
    "Letterpress",
    "Trail running",
    "Synthesizers",
    "Woodcuts",
];
/// The creators of a run, in groups whose handles share a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// The groups; their prefixes differ.
    #[schemars(length(max = 100))]
    pub groups: Vec<Group>,
}

/// Creators with the handles `{prefix}-0001`, `{prefix}-0002`, and so on, unless they are odd.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What their handles begin with.
    #[schemars(length(max = 30))]
    pub prefix: String,
    /// How many there are.
    #[schemars(range(min = 0, max = MAX_CREATORS))]
    pub count: u32,
    /// Fewest links of a creator.
    #[schemars(range(min = 0, max = MAX_LINKS))]
    pub min_links: u32,
    /// Most links of a creator.
    #[schemars(range(min = 0, max = MAX_LINKS))]
    pub max_links: u32,
    /// What sort of creators they are.
    #[serde(default, skip_serializing_if = "Variety::is_plain")]
    pub variety: Variety,
}

/// What sort of creators a group has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Variety {
    /// As one wishes them to be.
    #[default]
    Plain,
    /// As hostile as real ones: in families of five with look-alike handles, of whom the second has
    /// no links, the third a hundred and twenty, and the last two texts of all scripts and one
    /// address for all links.
    Odd,
    /// Each attacks the visitors of the own page with one of the mock's own strings, in every field: see
    /// [`hostile`].
    Hostile,
}

impl Variety {
    const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

/// One creator after a number of edits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creator {
    /// The account's id.
    pub id: String,
    /// The handle.
    pub handle: String,
    /// The name on the page.
    pub display_name: String,
    /// The text under the name; it changes with every edit.
    pub bio: String,
    /// The avatar's address.
    pub avatar_url: String,
    /// The private address; only the creator may see it.
    pub email: String,
    /// The links, by rank.
    pub links: Vec<Link>,
    /// Identifies this state of the page, unique in the run.
    pub version: String,
    /// How many edits there have been.
    pub edit: u32,
    /// When the page was last changed, as seconds of a calendar of its own: a minute for each
    /// edit and a second for each write, so that the same plan gives the same bytes.
    pub updated_s: u64,
}

/// Why a population cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PopulationError {
    /// A handle would break the contract's rule.
    #[error("failed to use the group prefix {prefix:?}: handles are 1 to 30 of [a-z0-9._-]")]
    Handle {
        /// The group.
        prefix: String,
    },
    /// Two groups would share handles.
    #[error("failed to use the group prefix {prefix:?} twice")]
    Twice {
        /// The group.
        prefix: String,
    },
    /// There are more creators or links than can be served.
    #[error("failed to use the population: {0}")]
    Range(#[from] OutOfRange),
    /// The bounds are the wrong way round.
    #[error("failed to use the group {prefix:?}: min_links is more than max_links")]
    Links {
        /// The group.
        prefix: String,
    },
}

impl Population {
    /// Checks what the types cannot: lawful handles, distinct prefixes, ordered bounds.
    ///
    /// # Errors
    ///
    /// [`PopulationError`] names the first group that is wrong.
    pub fn check(&self) -> Result<(), PopulationError> {
        // First, since handles are made one by one below.
        if let Some(wrong) = ranges::outside(self).into_iter().next() {
            return Err(wrong.into());
        }
        for (index, group) in self.groups.iter().enumerate() {
            let prefix = group.prefix.clone();
            let lawful =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
            let longest = group.handles().map(|handle| handle.len()).max().unwrap_or(0);
            if prefix.is_empty() || !prefix.chars().all(lawful) || longest > MAX_HANDLE {
                return Err(PopulationError::Handle { prefix });
            }
            if self.groups[..index].iter().any(|earlier| earlier.prefix == prefix) {
                return Err(PopulationError::Twice { prefix });
            }
            if group.min_links > group.max_links {
                return Err(PopulationError::Links { prefix });
            }
        }
        Ok(())
    }

    /// Every handle, in order of groups and numbers.
    #[must_use]
    pub fn handles(&self) -> Vec<String> {
        self.groups.iter().flat_map(Group::handles).collect()
    }

    /// Whether somebody has this handle.
    #[must_use]
    pub fn contains(&self, handle: &str) -> bool {
        self.place_of(handle).is_some()
    }

    /// Whether somebody has a handle that a pattern names: a handle, or a prefix ending in `*`.
    #[must_use]
    pub fn has_anybody(&self, pattern: &str) -> bool {
        let Some(start) = pattern.strip_suffix('*') else { return self.contains(pattern) };
        let reaches = |group: &Group| {
            // Whoever has a longer prefix is not walked through.
            let own = &group.prefix;
            own.starts_with(start) || start.starts_with(own.as_str())
        };
        let mut groups = self.groups.iter().filter(|group| reaches(group));
        groups.any(|group| group.handles().any(|handle| handle.starts_with(start)))
    }

    /// The most links that the creator with this handle may have before any edit, or none when
    /// nobody has it.
    #[must_use]
    pub fn most_links(&self, handle: &str) -> Option<u32> {
        let (group, number) = self.place_of(handle)?;
        Some(group.links(number).unwrap_or(group.max_links))
    }

    /// The creator before any edit, or none when nobody has this handle.
    #[must_use]
    pub fn creator(&self, seed: u64, handle: &str) -> Option<Creator> {
        self.creator_after(seed, handle, 0)
    }

    /// The handle of the first creator: the account that the integration's own key belongs to.
    #[must_use]
    pub fn first_handle(&self) -> Option<String> {
        self.groups.iter().find(|group| group.count > 0).map(|group| group.handle(1))
    }

    /// The creator after `edit` edits of the texts, or none when nobody has this handle.
    #[must_use]
    pub fn creator_after(&self, seed: u64, handle: &str, edit: u32) -> Option<Creator> {
        let (group, number) = self.place_of(handle)?;
        let mut dice = seed::stream(seed, &["creator", handle]);
        let (first, last) = (pick(&mut dice, &FIRST), pick(&mut dice, &LAST));
        let craft = pick(&mut dice, &CRAFT);
        let count = dice.random_range(group.min_links..=group.max_links);
        let count = group.links(number).unwrap_or(count);
        let links =
            (0..count).map(|at| Link::original(&mut dice, seed, handle, at, edit)).collect();
        let again = if edit == 0 { String::new() } else { format!(", edit {edit}") };
        let mut creator = Creator {
            id: format!("acc_{}", short(seed, &["account", handle])),
            handle: handle.to_owned(),
            display_name: format!("{first} {last}"),
            bio: format!("{craft} by {first}{again}"),
            avatar_url: format!("https://cdn.example.org/avatars/{handle}.png"),
            email: email(seed, handle),
            links,
            version: version(seed, handle, edit, 0),
            edit,
            updated_s: Creator::stamp(edit, 0),
        };
        match group.variety {
            Variety::Plain => {}
            Variety::Odd => oddities::dress(&mut creator, number),
            Variety::Hostile => hostile::dress(&mut creator, number),
        }
        Some(creator)
    }

    /// The group of whoever has this handle, and the number in it.
    fn place_of(&self, handle: &str) -> Option<(&Group, u32)> {
        self.groups.iter().find_map(|group| Some((group, group.number(handle)?)))
    }
}

impl Group {
    /// The handle of the creator with this number, from 1.
    #[must_use]
    pub fn handle(&self, number: u32) -> String {
        match self.variety {
            Variety::Plain | Variety::Hostile => format!("{}-{number:04}", self.prefix),
            Variety::Odd => oddities::handle(&self.prefix, number),
        }
    }

    fn handles(&self) -> impl Iterator<Item = String> {
        (1..=self.count).map(|number| self.handle(number))
    }

    /// The number of the creator with this handle.
    fn number(&self, handle: &str) -> Option<u32> {
        let rest = handle.strip_prefix(self.prefix.as_str())?;
        let (number, is_its_handle) = match self.variety {
            Variety::Plain | Variety::Hostile => {
                // As it is written in `handle`, which judges ask for each visit.
                let digits = rest.strip_prefix('-')?;
                let is_padded = digits.len() == 4 || (digits.len() > 4 && !digits.starts_with('0'));
                let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
                (digits.parse().ok()?, is_padded && is_plain)
            }
            Variety::Odd => {
                let number = oddities::number(&self.prefix, handle)?;
                (number, self.handle(number) == handle)
            }
        };
        ((1..=self.count).contains(&number) && is_its_handle).then_some(number)
    }

    /// How many links a creator has, where that is not for the dice to say.
    fn links(&self, number: u32) -> Option<u32> {
        match self.variety {
            Variety::Plain => None,
            Variety::Odd => oddities::links(number),
            Variety::Hostile => Some(hostile::links(number)),
        }
    }
}

impl Creator {
    /// The calendar of changes, for [`Creator::updated_s`].
    pub(crate) fn stamp(edit: u32, writes: u32) -> u64 {
        u64::from(edit) * 60 + u64::from(writes)
    }
}

/// A creator's private address.
#[must_use]
pub fn email(seed: u64, handle: &str) -> String {
    let tag = hex::encode(&seed::derive(seed, &["email", handle])[..5]);
    format!("{handle}.{tag}@mail.example.org")
}

/// The version of a creator's page after so many edits, and so many writes that had an effect,
/// unique in a run.
#[must_use]
pub fn version(seed: u64, handle: &str, edit: u32, writes: u32) -> String {
    let (edits, written) = (edit.to_string(), writes.to_string());
    if writes == 0 {
        return format!("v{edit}-{}", short(seed, &["version", handle, &edits]));
    }
    format!("v{edit}.{writes}-{}", short(seed, &["version", handle, &edits, &written]))
}

fn short(seed: u64, labels: &[&str]) -> String {
    hex::encode(&seed::derive(seed, labels)[..4])
}

pub(crate) fn pick<'a>(dice: &mut ChaCha8Rng, words: &[&'a str]) -> &'a str {
    words[dice.random_range(0..words.len())]
}

#[cfg(test)]
mod tests;

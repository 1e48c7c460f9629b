//! What became of a hostile creator's words on a page, found when the page was read.

use mock_server::world::hostile::Field;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What stands on a page of a hostile creator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hostile {
    /// The fields of whose attack a visitor sees something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Field>,
    /// The naughty strings of which a visitor sees something, by field and number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub naughty: Vec<(Field, u16)>,
    /// The fields of which something stands in a script of the page's own, where it is not judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_script: Vec<Field>,
    /// What became more than text, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Hostile {
    /// Whether nothing of a hostile creator stands there.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.shown.is_empty()
            && self.naughty.is_empty()
            && self.in_script.is_empty()
            && self.findings.is_empty()
    }
}

/// Something of a creator that is more than text on a page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// Which of the creator's words it was.
    pub field: Field,
    /// The number of the attack, or of the naughty string.
    pub number: u16,
    /// What it became.
    pub became: Became,
    /// Element and attribute, by their names.
    pub place: String,
    /// Whether it does so only once the page was serialised and parsed again, as scripts do that move
    /// markup about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mutated: bool,
}

/// What a creator's words must not become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    /// An attribute that runs script.
    Handler,
    /// A style of their own.
    Style,
    /// A document of their own.
    Document,
    /// An address that runs script, or shows a document of their own.
    Address,
    /// An element that takes over the page, or a part of it.
    Element,
    /// A script.
    Script,
    /// The end of the page's own data.
    BrokenJson,
}

impl fmt::Display for Became {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handler => "an attribute that runs script",
            Self::Style => "a style",
            Self::Document => "a document within the page",
            Self::Address => "an address with a scheme that runs script or opens a document",
            Self::Element => "an element that takes over a part of the page",
            Self::Script => "a script",
            Self::BrokenJson => "the end of the page's own JSON",
        })
    }
}

//! What can be changed about an answer before it is sent; several changes follow each other.

use super::{DateFlaw, JsonFlaw, RateLie, Ratio};
use serde::{Deserialize, Serialize};

/// One change, with everything that hash and settings decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "rewrite")]
pub enum Rewrite {
    /// The headers of the rate limit lie.
    RateHeaders {
        /// How.
        lie: RateLie,
    },
    /// A page for people stands in place of the answer.
    Html {
        /// The status; the answer's own when absent.
        status: Option<u16>,
    },
    /// The body is no proper JSON.
    BadJson {
        /// In what way.
        flaw: JsonFlaw,
        /// Per cent of the body before a cut.
        percent: u8,
    },
    /// The content type is another, or none.
    ContentType {
        /// The value; none for no header.
        value: Option<String>,
    },
    /// What users wrote is hostile.
    HostileStrings {
        /// Decides which string stands in which field.
        seed: u64,
    },
    /// The `Date` is wrong.
    Date {
        /// In what way.
        flaw: DateFlaw,
    },
    /// A page that is reached by a cursor is gone.
    ExpiredCursor,
    /// Pages are shorter than asked for.
    ShortPages {
        /// Most items on a page.
        limit: u32,
    },
    /// Some items of a batch fail, and nothing is done for them.
    PartialFailure {
        /// Decides which.
        seed: u64,
        /// How many.
        ratio: Ratio,
        /// The status of each, one of these.
        codes: Vec<u16>,
    },
}

impl Rewrite {
    /// Whether the body is such that one client may rightly use it and another refuse it.
    #[must_use]
    pub const fn makes_doubtful(&self) -> bool {
        match self {
            Self::Html { .. }
            | Self::BadJson { .. }
            | Self::ContentType { .. }
            | Self::HostileStrings { .. } => true,
            Self::RateHeaders { .. }
            | Self::Date { .. }
            | Self::ExpiredCursor
            | Self::ShortPages { .. }
            | Self::PartialFailure { .. } => false,
        }
    }
}

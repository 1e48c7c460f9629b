//! What one push says: a point, whichever channel it came by.

/// A figure of one series as it was pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The metric's name, as it was sent.
    pub name: String,
    /// Tags, attributes or dimensions; sorted.
    pub labels: Vec<(String, String)>,
    /// The unit that was sent along.
    pub unit: Unit,
    /// What is said.
    pub what: What,
}

/// What a point says of its series.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A counter has grown by so much; of all that happened this is the share that was looked at.
    Grown {
        /// As it was sent.
        by: f64,
        /// The share, 1 where everything is counted.
        rate: f64,
    },
    /// A counter stands at so much since a moment, and when that was true; nanoseconds of the sender's.
    Stands {
        /// Where it began at zero.
        since: u64,
        /// When it was read.
        at: u64,
        /// Its value.
        value: f64,
    },
    /// A gauge.
    Now(f64),
    /// Single observations, each with how often it was made, and the share that was looked at.
    Observed {
        /// Value and times.
        values: Vec<(f64, f64)>,
        /// The share, 1 where everything is observed.
        rate: f64,
        /// Whether a sum of them may be meant, and the last of them, as in CloudWatch, which has no types.
        untyped: bool,
    },
    /// Observations of which only number, sum, least and greatest are known.
    Summed {
        /// How many.
        count: f64,
        /// Their sum.
        sum: f64,
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// A histogram's growth between two moments, or where it stands since one.
    Histogram {
        /// From when on, nanoseconds of the sender's.
        since: u64,
        /// Until when.
        at: u64,
        /// Whether it holds everything since then, and not only what is new.
        cumulative: bool,
        /// What it holds.
        buckets: super::buckets::Buckets,
    },
    /// A summary, whose window nobody knows.
    Quantiles,
}

/// A unit of time, if one was sent along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// None, or none of time.
    #[default]
    Unsaid,
    /// Nanoseconds.
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
}

impl Unit {
    /// The unit that a text names: in UCUM, as OpenTelemetry writes it, or in CloudWatch's words.
    #[must_use]
    pub fn named(text: &str) -> Self {
        match text {
            "ns" => Self::Nanoseconds,
            "us" | "Microseconds" => Self::Microseconds,
            "ms" | "Milliseconds" => Self::Milliseconds,
            "s" | "Seconds" => Self::Seconds,
            "min" => Self::Minutes,
            "h" => Self::Hours,
            "d" => Self::Days,
            _ => Self::Unsaid,
        }
    }

    /// So many of it in seconds; what has no unit stays. Divided where that is exact: 250 ms are 0.25 s.
    #[must_use]
    pub fn seconds(self, value: f64) -> f64 {
        match self {
            Self::Nanoseconds => value / 1e9,
            Self::Microseconds => value / 1e6,
            Self::Milliseconds => value / 1e3,
            Self::Unsaid | Self::Seconds => value,
            Self::Minutes => value * 60.0,
            Self::Hours => value * 3_600.0,
            Self::Days => value * 86_400.0,
        }
    }

    /// This one, or another where none was said.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match self {
            Self::Unsaid => other,
            said => said,
        }
    }
}

impl Point {
    /// A point whose labels come in any order.
    #[must_use]
    pub fn new(name: String, mut labels: Vec<(String, String)>, unit: Unit, what: What) -> Self {
        labels.sort_unstable();
        labels.dedup();
        Self { name, labels, unit, what }
    }
}

//! The `Date` header is fast, slow, malformed or missing.

use super::registry::header_text;
use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Rewrite, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A century: further off than any clock that was ever set by a person.
const MOST_S: i64 = 3_155_760_000;

/// The flaw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkewedDate {
    /// What is wrong.
    pub date: DateFlaw,
}

/// What is wrong with a `Date`. Every other header and all state keep the true time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DateFlaw {
    /// It is off.
    Off {
        /// Seconds; negative for a slow clock.
        #[schemars(range(min = -3_153_600_000_i64, max = 3_153_600_000_i64))]
        by_s: i64,
    },
    /// It is not there.
    Missing,
    /// It is no date.
    Malformed {
        /// What it is instead.
        #[schemars(length(max = 256))]
        value: String,
    },
}

impl Decide for SkewedDate {
    const INFO: FaultInfo = FaultInfo {
        kind: "skewed-date",
        place: Place::Respond,
        cautions: &[Caution::HindersClicks],
        summary: "The Date header is fast, slow, malformed or missing.",
        example_toml: r#"
kind = "skewed-date"
date = { off = { by_s = -3600 } }
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Rewrite { how: Rewrite::Date { flaw: self.date.clone() } }
    }

    /// The answer is good, but whoever reckons with its date may hold back.
    fn harm(&self) -> Harm {
        Harm::MayFail
    }

    fn mistakes(&self) -> Vec<Mistake> {
        match &self.date {
            DateFlaw::Off { by_s } if !(-MOST_S..=MOST_S).contains(by_s) => {
                let what = format!("{by_s} s is more than a century");
                vec![Mistake::new("date", what, "stay within a century")]
            }
            DateFlaw::Malformed { value } => header_text("date", value).into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_is_wrong_as_it_says_within_a_century() {
        let flaws = [
            DateFlaw::Off { by_s: -5 },
            DateFlaw::Missing,
            DateFlaw::Malformed { value: "x".into() },
        ];
        for flaw in flaws {
            let fault = SkewedDate { date: flaw.clone() };
            check(&fault, &Effect::Rewrite { how: Rewrite::Date { flaw } });
            assert_eq!(fault.mistakes(), []);
        }
        for date in [DateFlaw::Off { by_s: i64::MIN }, DateFlaw::Malformed { value: "\n".into() }] {
            assert_eq!(SkewedDate { date }.mistakes().len(), 1);
        }
    }
}

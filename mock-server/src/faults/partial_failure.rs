//! Some items of a batch fail for now, and nothing is done for them; the others succeed.

use super::choice::at_least_one;
use super::{
    Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, Ratio, RequestView, Rewrite, Roll,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which items, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartialFailure {
    /// The share of the items that fail, by hash of their ids.
    pub ratio: Ratio,
    /// One of these for each of them, by hash; only such as invite to try again.
    #[schemars(length(max = 100), inner(range(min = 400, max = 599)))]
    pub codes: Vec<u16>,
}

impl Decide for PartialFailure {
    const INFO: FaultInfo = FaultInfo {
        kind: "partial-failure",
        place: Place::Respond,
        cautions: &[Caution::SomeItemsFail, Caution::HindersClicks],
        summary: "Some items of a batch fail for now, without an effect; the others succeed.",
        example_toml: r#"
kind = "partial-failure"
ratio = { hits = 1, of = 3 }
codes = [503, 429]
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        let (seed, ratio, codes) = (roll.seed(), self.ratio, self.codes.clone());
        Effect::Rewrite { how: Rewrite::PartialFailure { seed, ratio, codes } }
    }

    fn harm(&self) -> Harm {
        Harm::MayFail
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        let Ratio { hits, of } = self.ratio;
        if of == 0 || hits > of {
            let what = format!("{hits} of {of} is no share");
            let fix = "let of be greater than 0, and hits at most of";
            found.push(Mistake::new("ratio", what, fix));
        }
        found.extend(at_least_one(&self.codes, "codes", "status codes"));
        let for_good = |code: &&u16| !matches!(code, 408 | 425 | 429 | 500..=599);
        for code in self.codes.iter().filter(for_good) {
            let what = format!("{code} does not invite to try again");
            found.push(Mistake::new("codes", what, "choose 408, 425, 429 or 500 to 599"));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::decided;
    use super::*;

    fn fault(hits: u32, of: u32, codes: &[u16]) -> PartialFailure {
        PartialFailure { ratio: Ratio { hits, of }, codes: codes.to_vec() }
    }

    #[test]
    fn every_request_has_dice_of_its_own() {
        let one = fault(1, 3, &[503]);
        assert_eq!(decided(&one, 0), decided(&one, 0));
        assert_ne!(decided(&one, 0), decided(&one, 1));
    }

    #[test]
    fn only_failures_for_now_are_failures_to_inject() {
        let mistakes = |hits, of, codes: &[u16]| fault(hits, of, codes).mistakes().len();
        assert_eq!(mistakes(1, 1, &[408, 425, 429, 500, 599]), 0);
        assert_eq!(mistakes(2, 1, &[]), 2);
        assert_eq!(mistakes(0, 0, &[404, 202]), 3);
    }
}

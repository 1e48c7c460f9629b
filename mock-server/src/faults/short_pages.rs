//! Pages of a list are shorter than asked for, and say that there is more.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Rewrite, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The pages; their cursors are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShortPages {
    /// Fewest items on a page that has more after it.
    #[schemars(range(min = 0, max = 10_000))]
    pub min: u32,
    /// Most items on it.
    #[schemars(range(min = 0, max = 10_000))]
    pub max: u32,
}

impl Decide for ShortPages {
    const INFO: FaultInfo = FaultInfo {
        kind: "short-pages",
        place: Place::Respond,
        cautions: &[Caution::BendsPages],
        summary: "Pages of a list are shorter than asked for, and say that there is more.",
        example_toml: r#"
kind = "short-pages"
min = 1
max = 5
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        let limit = roll.between(self.min.max(1).into(), self.max.into());
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        Effect::Rewrite { how: Rewrite::ShortPages { limit } }
    }

    fn harm(&self) -> Harm {
        Harm::None
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if (1..=self.max).contains(&self.min) {
            return Vec::new();
        }
        let what = format!("from {} to {} items", self.min, self.max);
        vec![Mistake::new("min", what, "let min be at least 1 and at most max")]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, decided};
    use super::*;

    fn effect(limit: u32) -> Effect {
        Effect::Rewrite { how: Rewrite::ShortPages { limit } }
    }

    #[test]
    fn lengths_stay_within_their_bounds_and_reach_both() {
        check(&ShortPages { min: 3, max: 3 }, &effect(3));
        let met: Vec<_> = (0..50).map(|nth| decided(&ShortPages { min: 2, max: 4 }, nth)).collect();
        assert!(met.contains(&effect(2)) && met.contains(&effect(4)));
        assert!(met.iter().all(|one| [2, 3, 4].map(effect).contains(one)));
    }

    #[test]
    fn an_empty_page_would_never_end() {
        assert_eq!(ShortPages { min: 0, max: 3 }.mistakes().len(), 1);
        assert_eq!(ShortPages { min: 4, max: 3 }.mistakes().len(), 1);
        check(&ShortPages { min: 0, max: 0 }, &effect(1));
    }
}

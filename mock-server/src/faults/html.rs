//! A page for people stands where JSON was promised: a maintenance page, or that of a CDN.

use super::registry::status_within;
use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Rewrite, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The page; the request has its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Html {
    /// The status of the answer; its own when absent, which is mostly 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 200, max = 599))]
    pub status: Option<u16>,
}

impl Decide for Html {
    const INFO: FaultInfo = FaultInfo {
        kind: "html",
        place: Place::Respond,
        cautions: &[Caution::HindersClicks],
        summary: "An HTML page stands where JSON was promised, with the status of the answer or another.",
        example_toml: r#"
kind = "html"
status = 200
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Rewrite { how: Rewrite::Html { status: self.status } }
    }

    fn harm(&self) -> Harm {
        Harm::MayFail
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let Some(status) = self.status else { return Vec::new() };
        let bodiless = [204, 205, 304].contains(&status).then(|| {
            Mistake::new("status", format!("{status} has no body"), "choose one that has")
        });
        status_within("status", status, 200, 599).into_iter().chain(bodiless).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_keeps_the_status_unless_another_is_set() {
        for status in [None, Some(503)] {
            check(&Html { status }, &Effect::Rewrite { how: Rewrite::Html { status } });
            assert_eq!(Html { status }.mistakes(), []);
        }
        assert_eq!([Some(100), Some(304)].map(|status| Html { status }.mistakes().len()), [1, 1]);
    }
}

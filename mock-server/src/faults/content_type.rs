//! The body is right, but its content type is another, or missing.

use super::registry::header_text;
use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Rewrite, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Content types to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentType {
    /// One of these, by hash; an empty text, or none at all, leaves the header out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 256)))]
    pub values: Vec<String>,
}

impl Decide for ContentType {
    const INFO: FaultInfo = FaultInfo {
        kind: "content-type",
        place: Place::Respond,
        cautions: &[Caution::HindersClicks],
        summary: "The body is right, but its content type is another, or missing.",
        example_toml: r#"
kind = "content-type"
values = ["text/plain", "application/octet-stream", ""]
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        let value = roll.choose(&self.values).filter(|value| !value.is_empty()).cloned();
        Effect::Rewrite { how: Rewrite::ContentType { value } }
    }

    fn harm(&self) -> Harm {
        Harm::MayFail
    }

    fn mistakes(&self) -> Vec<Mistake> {
        self.values.iter().filter_map(|value| header_text("values", value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_names_another_type_or_none() {
        let effect = |value| Effect::Rewrite { how: Rewrite::ContentType { value } };
        let of = |values: &[&str]| ContentType {
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        check(&of(&["text/plain"]), &effect(Some("text/plain".into())));
        check(&of(&[""]), &effect(None));
        check(&of(&[]), &effect(None));
        assert_eq!(of(&["text/html\r\nX: y"]).mistakes().len(), 1);
    }
}

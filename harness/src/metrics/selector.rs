//! Names series as Prometheus does: `name{label="value",…}`, each label equal to its value.

use super::exposition::{Series, series};
use std::str::FromStr;

/// A metric's name, and labels that a series must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The metric's name.
    pub name: String,
    labels: Vec<(String, String)>,
}

/// Why a text is no selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a selector: it is not name or name{{label=\"value\"}}")]
pub struct SelectorError;

impl Selector {
    /// The labels.
    #[must_use]
    pub fn labels(&self) -> std::collections::BTreeMap<String, String> {
        self.labels.iter().cloned().collect()
    }

    /// Whether a series has all the labels; its name is the caller's matter.
    #[must_use]
    pub fn picks(&self, series: &Series<'_>) -> bool {
        self.labels.iter().all(|(name, value)| series.label(name) == Some(value))
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let (series, rest) = series(text.trim()).ok_or(SelectorError)?;
        if !rest.is_empty() {
            return Err(SelectorError);
        }
        let own = |(name, value): (&str, std::borrow::Cow<'_, str>)| {
            (name.to_owned(), value.into_owned())
        };
        let labels = series.labels.into_iter().map(own).collect();
        Ok(Self { name: series.name.to_owned(), labels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_a_name_with_equal_labels_and_nothing_else() {
        let selector: Selector = "m{a=\"x\", b=\"y\"}".parse().unwrap();
        assert_eq!(selector.name, "m");
        let picks = |line: &str| selector.picks(&series(line).unwrap().0);
        assert!(picks("m{b=\"y\",c=\"z\",a=\"x\"}"));
        assert!(!picks("m{a=\"x\"}"));
        for wrong in ["", "1m", "m{a=x}", "m{a=\"x\"", "m{a=\"x\"} 1", "rate(m)", "m{a!=\"x\"}"] {
            assert_eq!(wrong.parse::<Selector>(), Err(SelectorError), "{wrong}");
        }
    }
}

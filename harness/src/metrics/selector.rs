//! Names series as Prometheus does: `name{label="value",…}`, each label equal to its value.

use super::prometheus::{Series, quoted, series};
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

    /// The selector of what is pushed, where names of metrics and labels may hold dots, slashes, dashes and
    /// spaces, too: `upstream.errors{http.status="429"}`.
    ///
    /// # Errors
    ///
    /// When it is no selector.
    pub fn of_pushed(text: &str) -> Result<Self, SelectorError> {
        let (name, labels) = match text.trim().split_once('{') {
            Some((name, labels)) => (name.trim_end(), Some(labels)),
            None => (text.trim(), None),
        };
        if name.is_empty() || name.contains(|c| "{}()[]\"',=|".contains(c)) {
            return Err(SelectorError);
        }
        let mut selector = Self { name: name.to_owned(), labels: Vec::new() };
        let Some(mut rest) = labels.map(str::trim_start) else { return Ok(selector) };
        loop {
            if let Some(after) = rest.strip_prefix('}') {
                return if after.is_empty() { Ok(selector) } else { Err(SelectorError) };
            }
            let (label, after) = rest.split_once('=').ok_or(SelectorError)?;
            let label = label.trim();
            if label.is_empty() || label.contains(|c| "{}()[]\"',!~|".contains(c)) {
                return Err(SelectorError);
            }
            let (value, after) = quoted(after.trim_start()).ok_or(SelectorError)?;
            selector.labels.push((label.to_owned(), value.into_owned()));
            rest = after.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
    }

    /// Whether a series has all the labels; its name is the caller's matter.
    #[must_use]
    pub fn picks(&self, series: &Series<'_>) -> bool {
        self.picks_where(|name, value| series.label(name) == Some(value))
    }

    /// Whether a series has all the labels, of which it is asked one by one.
    #[must_use]
    pub fn picks_where(&self, has: impl Fn(&str, &str) -> bool) -> bool {
        self.labels.iter().all(|(name, value)| has(name, value))
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

    #[test]
    fn what_is_pushed_may_have_any_name_but_no_function() {
        let selector =
            Selector::of_pushed("Linktree/up-stream.errors{ http.status = \"429\", b=\"\" , }")
                .unwrap();
        assert_eq!(selector.name, "Linktree/up-stream.errors");
        let labels = selector.labels().into_iter().collect::<Vec<_>>();
        assert_eq!(labels, [("b".into(), String::new()), ("http.status".into(), "429".into())]);
        assert_eq!(Selector::of_pushed(" Upstream Errors ").unwrap().name, "Upstream Errors");
        for wrong in
            ["", "{a=\"b\"}", "m{a=x}", "m{a=\"x\"", "m{a=\"x\"} 1", "rate(m)", "m{a!=\"x\"}"]
        {
            assert_eq!(Selector::of_pushed(wrong), Err(SelectorError), "{wrong}");
        }
    }
}

//! What an integration's alerts are called: `name` or `name{label="value"}` in `[observe.alerts]`.

use crate::metrics::{Selector, SelectorError};
use scenarios::plan::{AlertKind, AlertName, AlertNames};
use std::collections::BTreeMap;

/// The alerts that are named, as they stand in the file.
pub type AlertTexts = BTreeMap<AlertKind, String>;

/// The alerts of the reference integration.
const REFERENCE: [(AlertKind, &str); 7] = [
    (AlertKind::Latency, "LinktreeLatency"),
    (AlertKind::ErrorRate, "LinktreeErrorRate"),
    (AlertKind::Headroom, "LinktreeHeadroom"),
    (AlertKind::ClickLag, "LinktreeClickLag"),
    (AlertKind::Timeouts, "LinktreeTimeouts"),
    (AlertKind::AuthErrors, "LinktreeKeyRefused"),
    (AlertKind::KeyAge, "LinktreeKeyAge"),
];

/// Which alert stands for what: as the file says, or as the reference calls them. An empty text names none.
#[must_use]
pub fn names(texts: &AlertTexts, is_reference: bool) -> AlertNames {
    let own = REFERENCE.iter().filter(|_| is_reference);
    let mut names: AlertNames = own.map(|(kind, name)| (*kind, AlertName::plain(name))).collect();
    for (kind, text) in texts {
        names.remove(kind);
        if let Ok(Some(name)) = name(text) {
            names.insert(*kind, name);
        }
    }
    names
}

/// The alert that a text names; none where it is empty. An alert's name may be any text without braces.
///
/// # Errors
///
/// When what stands in braces is not `label="value"`, or no name stands before it.
pub fn name(text: &str) -> Result<Option<AlertName>, SelectorError> {
    let text = text.trim();
    let (alertname, labels) = match text.split_once('{') {
        Some((name, labels)) => (name.trim(), Some(labels)),
        None => (text, None),
    };
    match labels {
        None if alertname.is_empty() => Ok(None),
        None => Ok(Some(AlertName::plain(alertname))),
        Some(_) if alertname.is_empty() => Err(SelectorError),
        Some(labels) => {
            let selector: Selector = format!("x{{{labels}").parse()?;
            Ok(Some(AlertName { labels: selector.labels(), ..AlertName::plain(alertname) }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_named_by_any_text_and_labels_in_braces() {
        let check = |text: &str, expected: Option<(&str, &[(&str, &str)])>| {
            let found = name(text).unwrap();
            let labels = |named: &[(&str, &str)]| {
                named.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
            };
            let expected = expected.map(|(alertname, named)| AlertName {
                labels: labels(named),
                ..AlertName::plain(alertname)
            });
            assert_eq!(found, expected, "{text}");
        };
        check("", None);
        check("HighErrorRate", Some(("HighErrorRate", &[])));
        check("High error rate", Some(("High error rate", &[])));
        let labels: &[(&str, &str)] = &[("slo", "errors"), ("team", "x y")];
        check("Slo{slo=\"errors\", team=\"x y\"}", Some(("Slo", labels)));
        for wrong in
            ["{slo=\"errors\"}", "Slo{errors}", "Slo{slo=\"errors\"", "Slo{slo=\"errors\"} > 1"]
        {
            assert_eq!(name(wrong), Err(SelectorError), "{wrong}");
        }
    }

    #[test]
    fn the_reference_has_names_of_its_own_and_nobody_else_has() {
        let of = |texts: &[(AlertKind, &str)], is_reference| {
            let texts = texts.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect();
            let names = names(&texts, is_reference);
            names.into_values().map(|name| name.alertname).collect::<Vec<_>>()
        };
        assert_eq!(of(&[], true).len(), REFERENCE.len());
        let own = of(&[(AlertKind::ErrorRate, "Own"), (AlertKind::Latency, "")], true);
        assert!(own.contains(&"Own".to_owned()) && own.len() == REFERENCE.len() - 1, "{own:?}");
        assert_eq!(of(&[], false), [""; 0]);
        assert_eq!(of(&[(AlertKind::ErrorRate, "Own")], false), ["Own"]);
    }
}

//! Reads the contract profile that a command names, with the place of what is wrong underlined.

use crate::config::guarantees;
use crate::config::shape::place;
use crate::failure::{Failure, Mistake, MistakesInFile};
use crate::reading;
use mock_server::profile::ContractProfile;
use mock_server::ranges::OutOfRange;
use scenarios::bounds;
use std::path::Path;
use toml::de::DeTable;

const HELP: &str = "start from mock-server/profiles/linktree-v1.toml";

/// The profile in this file; the built-in one without any.
///
/// # Errors
///
/// [`Failure::Usage`] when the file cannot be read, [`Failure::Syntax`] when it is no profile,
/// [`Failure::Mistakes`] with every value that no mock can serve and everything that it promises and
/// no guarantee knows.
pub fn load(path: Option<&Path>) -> Result<ContractProfile, Failure> {
    let Some(path) = path else { return Ok(ContractProfile::linktree_v1()) };
    let text = reading::text(path)?;
    let profile: ContractProfile = toml::from_str(&text).map_err(|error| {
        let at = error.span().unwrap_or_default();
        Failure::syntax(path, &text, at.into(), error.message(), HELP)
    })?;
    let (table, _) = DeTable::parse_recoverable(&text);
    let table = table.get_ref();
    let value = |OutOfRange { path, what, fix }: OutOfRange| {
        // An entry of a list is shown as the list.
        let list = path.split('[').next().unwrap_or_default();
        Mistake::new(place(table, list), format!("{path}: {what}"), fix)
    };
    let promise = |wrong| guarantees::mistake(table, wrong, |path| format!("promises.{path}"));
    let values = profile.wrong().into_iter().map(value);
    let promises = bounds::wrong(&profile.promises).into_iter().map(promise);
    let mistakes: Vec<Mistake> = values.chain(promises).collect();
    if mistakes.is_empty() {
        return Ok(profile);
    }
    let mistakes = MistakesInFile::new(&path.display().to_string(), &text, mistakes);
    Err(Failure::Mistakes(Box::new(mistakes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::profile::LINKTREE_V1;

    fn loaded(promises: &str) -> Result<ContractProfile, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, format!("{LINKTREE_V1}\n{promises}")).unwrap();
        load(Some(&path))
    }

    #[test]
    fn what_a_profile_promises_is_read_by_guarantee_and_name() {
        let profile = loaded("[promises.click-lag]\nwithin_ms = 30000\n").unwrap();
        assert_eq!(profile.promises["click-lag"]["within_ms"], 30_000);
    }

    #[test]
    fn every_unknown_name_and_senseless_value_is_shown_with_its_place() {
        let text = "[promises.click-lug]\nwithin_ms = 1\n[promises.click-lag]\nwithin = 2\n\
                    [promises.cache-hit-ratio]\npercent = 101\n";
        let Err(Failure::Mistakes(error)) = loaded(text) else { panic!("it was taken") };
        let whole = format!("{LINKTREE_V1}\n{text}");
        let in_words = |m: &Mistake| (m.what.clone(), m.shown(&whole).to_owned(), m.help.clone());
        let expected = [
            ("there is no guarantee click-lug", "click-lug", "did you mean click-lag?"),
            ("click-lag has no bound within", "within", "did you mean within_ms?"),
            ("percent is 101", "101", "choose 1 to 100 (per cent)"),
        ];
        let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(error.mistakes.iter().map(in_words).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_value_that_no_mock_can_serve_is_shown_with_its_place_and_bounds() {
        let check = |from: &str, to: &str, shown: &str, what: &str, help: &str| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("mine.toml");
            let text = LINKTREE_V1.replace(from, to);
            assert_ne!(text, LINKTREE_V1);
            std::fs::write(&path, &text).unwrap();
            let Err(Failure::Mistakes(error)) = load(Some(&path)) else { panic!("it was taken") };
            let found: Vec<_> =
                error.mistakes.iter().map(|m| (&*m.what, m.shown(&text), &*m.help)).collect();
            assert_eq!(found, [(what, shown, help)]);
        };
        let window = "limit.window_ms: 0 is out of range";
        check("window_ms = 60000", "window_ms = 0", "0", window, "choose 1 to 86400000");
        let pause = "webhooks.retry_ms[0]: 9000000000000 is out of range";
        let (from, to) =
            ("[5000, 300000, 1800000, 7200000, 18000000, 36000000, 36000000]", "[9000000000000]");
        check(from, to, to, pause, "choose 0 to 604800000");
        let (header, fix) = ("\"x left\"", "name a header: letters, digits, _ and -");
        let what = "limit.remaining_header: \"x left\" cannot be used";
        check("\"x-ratelimit-remaining\"", header, header, what, fix);
    }
}

//! Reads the contract profile that a command names, with the place of what is wrong underlined.

use crate::config::guarantees;
use crate::failure::{Failure, Mistake, MistakesInFile};
use mock_server::profile::{ContractProfile, ProfileError};
use scenarios::bounds;
use std::path::Path;
use toml::de::DeTable;

const HELP: &str = "start from mock-server/profiles/linktree-v1.toml";

/// The profile in this file; the built-in one without any.
///
/// # Errors
///
/// [`Failure::Usage`] when the file cannot be read, [`Failure::Syntax`] when it is no profile,
/// [`Failure::Mistakes`] with everything that it promises and no guarantee knows.
pub fn load(path: Option<&Path>) -> Result<ContractProfile, Failure> {
    let Some(path) = path else { return Ok(ContractProfile::linktree_v1()) };
    let profile = ContractProfile::load(path).map_err(|error| match &error {
        ProfileError::Parse { source, .. } => match std::fs::read_to_string(path) {
            Ok(text) => {
                let at = source.span().unwrap_or_default();
                Failure::syntax(path, &text, at.into(), source.message(), HELP)
            }
            Err(error) => Failure::unreadable(path, &error),
        },
        ProfileError::Read { .. } => Failure::usage(error.to_string(), HELP),
    })?;
    let wrong = bounds::wrong(&profile.promises);
    if wrong.is_empty() {
        return Ok(profile);
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let (table, _) = DeTable::parse_recoverable(&text);
    let mistake = |wrong: bounds::Wrong| -> Mistake {
        guarantees::mistake(table.get_ref(), wrong, |path| format!("promises.{path}"))
    };
    let mistakes = wrong.into_iter().map(mistake).collect();
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
}

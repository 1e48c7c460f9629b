//! What holds of whatever stands in a configuration: it is used, and means the same when it is written anew;
//! or every mistake is told in words, with its place. Called by the crate's tests and by a target of
//! `cargo fuzz`.

use super::conceal::concealed;
use super::parse;
use crate::failure::fuzz::told;
use crate::failure::{Failure, MistakesInFile};
use std::path::Path;

/// Reads a configuration.
///
/// # Panics
///
/// When something of the above does not hold.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let folder = Path::new(".");
    match parse(&text, folder) {
        Ok(file) => {
            let again = toml::to_string(&file).unwrap();
            assert_eq!(parse(&again, folder).as_ref(), Ok(&file), "{again}");
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in &mistakes {
                assert!(!mistake.what.is_empty() && !mistake.help.is_empty());
                let _ = mistake.shown(&text);
            }
            let mistakes = MistakesInFile::new("windthrow.toml", &concealed(&text), mistakes);
            let told = told(Failure::Mistakes(Box::new(mistakes)));
            assert!(told.contains("windthrow.toml"), "{told}");
        }
    }
}

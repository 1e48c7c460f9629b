//! Reads a secret from where a reference points: never from the configuration itself.

use crate::failure::Failure;
use crate::files;
use std::path::Path;

/// The secret behind `env:NAME` or `file:PATH`; a path is relative to `folder`, and a file's
/// last line break is not part of the secret.
///
/// # Errors
///
/// [`Failure::Usage`] that names the reference, never the secret.
pub fn resolve(reference: &str, folder: &Path) -> Result<String, Failure> {
    let missing = |why: String| {
        let help = "set the variable, or write the file, before the run";
        Failure::usage(format!("failed to read the secret {reference}: {why}"), help)
    };
    let secret = if let Some(name) = reference.strip_prefix("env:") {
        std::env::var(name).map_err(|error| missing(error.to_string()))?
    } else if let Some(path) = reference.strip_prefix("file:") {
        files::read_to_string(&folder.join(path)).map_err(|error| missing(error.to_string()))?
    } else {
        return Err(Failure::usage(
            "what is given is no reference to a secret, but a text that may be one",
            "write env:NAME or file:PATH, and let the variable or the file hold it",
        ));
    };
    let secret = secret.trim_end_matches(['\r', '\n']);
    if secret.is_empty() { Err(missing("it is empty".to_owned())) } else { Ok(secret.to_owned()) }
}

/// `env:NAME` or `file:PATH`.
#[must_use]
pub fn is_reference(text: &str) -> bool {
    let named = |prefix| text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    named("env:") || named("file:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_without_its_line_break_and_an_empty_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s"), "hunter2\n").unwrap();
        std::fs::write(folder.path().join("none"), "\n").unwrap();
        assert_eq!(resolve("file:s", folder.path()).unwrap(), "hunter2");
        for wrong in ["file:none", "file:absent", "env:WINDTHROW_NO_SUCH_VARIABLE", "hunter2"] {
            let shown = resolve(wrong, folder.path()).unwrap_err().to_string();
            assert!(wrong == "hunter2" || shown.contains(wrong), "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}

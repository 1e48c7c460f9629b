//! Refuses a JSON file of another format before it is read as a whole: it would fail at some key, and
//! nobody would learn why.

use crate::failure::Failure;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// Whether a file is of the format that this version reads; a file that names none is left to its
/// reader.
///
/// # Errors
///
/// [`Failure::Usage`] that names both formats, and `help`.
pub fn check(path: &Path, text: &str, wanted: u32, help: &str) -> Result<(), Failure> {
    match serde_json::from_str::<Head>(text) {
        Ok(Head { format }) if format != wanted => Err(Failure::usage(
            format!("{} has format {format}, this version reads format {wanted}", path.display()),
            help,
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_named_and_anything_else_is_its_readers() {
        let checked =
            |text| check(Path::new("plan.json"), text, 2, "").map_err(|no| no.to_string());
        let no = "plan.json has format 1, this version reads format 2";
        assert_eq!(checked("{\"format\": 1, \"seed\": 7}"), Err(no.to_owned()));
        for text in ["{\"format\": 2}", "{\"format\": \"one\"}", "{}", "no JSON"] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
    }
}

//! Reads the text files that a person names, up to a size that no honest one reaches.

use crate::failure::Failure;
use crate::files;
use std::io::Read;
use std::path::Path;

/// A plan of two hundred scenarios takes less than one.
const MOST_MIB: u64 = 32;
/// Some editors begin a file with it (U+FEFF); it says nothing, and JSON does not know it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of a file, without a byte order mark.
///
/// # Errors
///
/// [`Failure::Usage`] when it cannot be read, is no text, or is larger than 32 MiB.
pub fn text(path: &Path) -> Result<String, Failure> {
    let unreadable = |error| Failure::unreadable(path, &error);
    let mut text = String::new();
    let file = files::open(path).map_err(unreadable)?;
    let read = file.take((MOST_MIB << 20) + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read <= MOST_MIB << 20) {
        return Ok(text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text));
    }
    let what = format!("failed to read {}: it is larger than {MOST_MIB} MiB", path.display());
    Err(Failure::usage(what, "name a configuration, contract or plan"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_end_is_refused_and_a_byte_order_mark_is_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        std::fs::write(&path, "{}").unwrap();
        assert_eq!(text(&path).unwrap(), "{}");
        std::fs::write(&path, "\u{feff}{}\u{feff}").unwrap();
        assert_eq!(text(&path).unwrap(), "{}\u{feff}", "only the first one is a mark");
        let endless = std::fs::File::create(&path).unwrap();
        endless.set_len((MOST_MIB << 20) + 1).unwrap();
        let refused = text(&path).unwrap_err().to_string();
        assert!(refused.contains("larger than 32 MiB"), "{refused}");
    }
}

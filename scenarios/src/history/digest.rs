//! The running digest of a history's lines: whoever reads it notices each line that was altered, added or
//! left out.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// SHA-256 over every line so far, each with its line feed; 64 lower hex digits in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinesDigest(String);

/// A [`LinesDigest`] in the making.
#[derive(Clone, Debug, Default)]
pub struct RunningDigest(Sha256);

impl RunningDigest {
    /// Takes in a line without its line feed.
    pub fn line(&mut self, line: &[u8]) {
        self.0.update(line);
        self.0.update(b"\n");
    }

    /// Of every line so far.
    #[must_use]
    pub fn so_far(&self) -> LinesDigest {
        let mut digits = String::with_capacity(64);
        for byte in self.0.clone().finalize() {
            // Writing into a string never fails.
            let _ = write!(digits, "{byte:02x}");
        }
        LinesDigest(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> LinesDigest {
        let mut running = RunningDigest::default();
        lines.iter().for_each(|line| running.line(line.as_bytes()));
        running.so_far()
    }

    #[test]
    fn another_order_number_or_cut_of_the_same_lines_is_another_digest() {
        let all = of(&["a", "b"]);
        assert_eq!(all, of(&["a", "b"]));
        for other in [&["b", "a"][..], &["a"], &["ab"], &["a", "b", ""], &[]] {
            assert_ne!(of(other), all, "{other:?}");
        }
    }

    #[test]
    fn it_is_the_sha_256_of_the_text() {
        let abc = "edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb";
        assert_eq!(serde_json::to_value(of(&["abc"])).unwrap(), abc);
    }
}

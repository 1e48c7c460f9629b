//! What a run's files are known by: the SHA-256 of their bytes.

use sha2::{Digest, Sha256};

/// Of these bytes, in lower hex.
#[must_use]
pub fn of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// As much of a hash as a person compares.
#[must_use]
pub fn beginning(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_shown_by_its_beginning() {
        // FIPS 180-4, of nothing.
        assert_eq!(beginning(&of(b"")), "e3b0c44298fc");
        assert_eq!(beginning("00"), "00");
        assert_eq!(beginning("ééééééééé"), "éééééé");
    }
}

//! Files and folders that only their owner may read: what is recorded of a service is not public, and
//! neither is what it prints.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Nobody but the owner reads, writes or enters.
const FOLDER: u32 = 0o700;
/// Nobody but the owner reads or writes.
const FILE: u32 = 0o600;

/// Makes a folder that is not there yet.
///
/// # Errors
///
/// When it is there already, since then it is somebody else's, or cannot be made.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER).create(path)
}

/// Makes a file to be written from its beginning.
///
/// # Errors
///
/// The operating system's word.
pub fn file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(FILE).open(path)
}

/// Makes a file that is not there yet.
///
/// # Errors
///
/// When it is there already, or cannot be made.
pub fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(FILE).open(path)
}

/// Makes a file, or opens it to be written on from its end.
///
/// # Errors
///
/// The operating system's word.
pub fn log(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(FILE).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_the_owner_may_read_and_what_is_there_is_not_taken() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("run");
        folder(&inner).unwrap();
        assert_eq!(folder(&inner).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        io::Write::write_all(&mut file(&inner.join("a")).unwrap(), b"whole").unwrap();
        io::Write::write_all(&mut log(&inner.join("b")).unwrap(), b"line").unwrap();
        assert!(new_file(&inner.join("a")).is_err());
        new_file(&inner.join("c")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&inner), 0o700);
        assert_eq!(["a", "b", "c"].map(|name| mode(&inner.join(name))), [0o600; 3]);
        assert_eq!(std::fs::read(inner.join("a")).unwrap(), b"whole");
    }
}

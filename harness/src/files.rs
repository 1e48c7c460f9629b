//! Files as everything here reads and writes them: only what is a file is read, and what is written is
//! there whole or not at all.
//!
//! A pipe, a device or a folder in the place of a file is an error at once: to open a pipe waits for
//! somebody who writes to it, and a device may have no end.

use crate::private;
use nix::fcntl::OFlag;
use nix::sys::statvfs::fstatvfs;
use std::fs::{self, File, FileType};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Opens a file to read it.
///
/// # Errors
///
/// The operating system's word, or in words what stands there instead of a file.
pub fn open(path: &Path) -> io::Result<File> {
    must_be_a_file(fs::metadata(path)?.file_type())?;
    // It may have become a pipe since: then it is opened all the same, and refused.
    let file = File::options().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    must_be_a_file(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads a file whole.
///
/// # Errors
///
/// As [`open`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file of text whole.
///
/// # Errors
///
/// As [`open`], and when it is not UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Writes a file beside its place, on the disk, and puts it there under its name: whoever reads it
/// finds what was there before or all of this, also after a crash of the machine. Only its owner may.
///
/// # Errors
///
/// The operating system's word; what was there before is untouched, and nothing is left beside it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
    };
    let beside = path.with_file_name(format!(".{}.{}", name.display(), std::process::id()));
    let written = write_synced(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What was written of it is of no use to anybody.
        let _ = fs::remove_file(&beside);
    }
    written?;
    sync_folder_of(path);
    Ok(())
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private::file(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Sees to it that the file's name is on the disk. A filesystem that does not sync folders keeps its
/// names in another way.
pub fn sync_folder_of(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
}

/// Bytes that are free on the disk of this file, for whoever is not its administrator.
///
/// # Errors
///
/// The operating system's word.
#[allow(clippy::useless_conversion)] // elsewhere they are narrower
pub fn free_beside(file: &File) -> io::Result<u64> {
    let disk = fstatvfs(file)?;
    Ok(u64::from(disk.blocks_available()).saturating_mul(u64::from(disk.fragment_size())))
}

fn must_be_a_file(kind: FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::os::unix::net::UnixListener;

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        fs::read_dir(folder).unwrap().map(|entry| name(entry).into_string().unwrap()).collect()
    }

    #[test]
    fn what_is_no_file_is_named_and_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let [pipe, socket] = ["pipe", "socket"].map(|name| folder.path().join(name));
        nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        let _listener = UnixListener::bind(&socket).unwrap();
        let check = |path: &Path, expected: &str| {
            for found in [open(path).err(), read(path).err(), read_to_string(path).err()] {
                assert_eq!(found.unwrap().to_string(), expected, "{}", path.display());
            }
        };
        check(&pipe, "it is a pipe, not a file");
        check(&socket, "it is a socket, not a file");
        check(folder.path(), "it is a folder, not a file");
        check(Path::new("/dev/zero"), "it is a device, not a file");
        check(&folder.path().join("absent"), "No such file or directory (os error 2)");
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        for text in ["one", "another"] {
            write_whole(&path, text.as_bytes()).unwrap();
            assert_eq!(read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(folder.path()), ["run.json"]);
    }

    #[test]
    fn what_cannot_be_put_in_its_place_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        fs::create_dir_all(path.join("in the way")).unwrap();
        assert!(write_whole(&path, b"text").is_err());
        assert_eq!(names(folder.path()), ["run.json"]);
        assert!(path.join("in the way").is_dir());
        let gone = folder.path().join("gone/run.json");
        assert_eq!(write_whole(&gone, b"text").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

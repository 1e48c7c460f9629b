//! A history on a disk: its room is reserved before others fill the disk, and it is looked after.
//!
//! There is always so much reserved beyond what was written that a storm can be ended in order when no
//! more can be had. Where the filesystem reserves nothing, the free room is watched instead.

use crate::files;
use crate::private;
use nix::errno::Errno;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How much is reserved at once: more than a scenario of the quick profile records in all.
const STEP: u64 = 4 << 20;
/// So much beyond what was written a storm needs to end in order: the queue, packed, and what comes at
/// the end.
const LEAST: u64 = 2 << 20;

/// What a history is written to.
pub trait Medium: Write + Send + 'static {
    /// Looks, after each flush, whether the recording can go on.
    ///
    /// # Errors
    ///
    /// Why it cannot; what was written until then can still be completed.
    fn look(&mut self) -> io::Result<()>;

    /// Nothing more is written: all of it must be on the disk.
    ///
    /// # Errors
    ///
    /// The operating system's word.
    fn complete(&mut self) -> io::Result<()>;
}

/// A file, with room for what is still to come.
pub struct Disk {
    file: File,
    path: PathBuf,
    /// Bytes of the file, written or not, that have their place on the disk.
    reserved: u64,
}

impl Disk {
    /// Creates the file and reserves the first room.
    ///
    /// # Errors
    ///
    /// When it cannot be created, or the disk has no room for it.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = private::new_file(path)?;
        let mut disk = Self { file, path: path.to_owned(), reserved: 0 };
        disk.look()?;
        Ok(disk)
    }
}

impl Medium for Disk {
    fn look(&mut self) -> io::Result<()> {
        let data = self.file.metadata()?;
        if data.nlink() == 0 {
            return Err(io::Error::new(ErrorKind::NotFound, "the file has been removed"));
        }
        if self.reserved >= data.len() + LEAST {
            return Ok(());
        }
        let from = self.reserved.max(data.len());
        match reserve(&self.file, from) {
            Ok(()) => self.reserved = from + STEP,
            Err(error) if is_full(&error) => return Err(no_room(&error)),
            // This filesystem reserves nothing: what is free must do.
            Err(_) if files::free_beside(&self.file)? < LEAST => {
                return Err(no_room(&Errno::ENOSPC.into()));
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn complete(&mut self) -> io::Result<()> {
        // What was reserved and not needed is given back.
        self.file.set_len(self.file.metadata()?.len())?;
        self.file.sync_all()?;
        files::sync_folder_of(&self.path);
        Ok(())
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reserves [`STEP`] bytes from here on; the file is no longer for it.
#[cfg(target_os = "linux")]
fn reserve(file: &File, from: u64) -> io::Result<()> {
    use nix::fcntl::{FallocateFlags, fallocate};
    let offset = |bytes| i64::try_from(bytes).map_err(io::Error::other);
    Ok(fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, offset(from)?, offset(STEP)?)?)
}

#[cfg(not(target_os = "linux"))]
fn reserve(_: &File, _: u64) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

fn no_room(error: &io::Error) -> io::Error {
    let what = format!("the disk has no room for {} MiB of the history: {error}", STEP >> 20);
    io::Error::new(error.kind(), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(folder: &Path) -> Disk {
        Disk::create(&folder.join("history")).unwrap()
    }

    #[test]
    fn room_is_reserved_ahead_of_what_is_written_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = disk(folder.path());
        // 8 MiB in pieces of 64 KiB.
        for piece in 1..=128 {
            disk.write_all(&[7; 64 << 10]).unwrap();
            disk.look().unwrap();
            assert!(disk.reserved >= (piece * (64 << 10)) + LEAST, "{} bytes", disk.reserved);
            assert_eq!(disk.file.metadata().unwrap().len(), piece * (64 << 10));
        }
        disk.complete().unwrap();
        let data = disk.file.metadata().unwrap();
        // Blocks are 512 bytes here, whatever the filesystem's own are (stat(2)).
        assert!(data.len() == 8 << 20 && data.blocks() * 512 < (8 << 20) + LEAST, "{data:?}");
    }

    #[test]
    fn a_history_that_was_removed_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = disk(folder.path());
        disk.look().unwrap();
        std::fs::remove_file(&disk.path).unwrap();
        assert_eq!(disk.look().unwrap_err().to_string(), "the file has been removed");
        disk.complete().unwrap();
    }
}

//! One file of a log: what it is whatever it is called, and how far it has been read.

use crate::files;
use crate::storm::observe::pieces::Pieces;
use crate::storm::observe::search::Search;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// As much of a file as is read at once.
const READ: usize = 64 * 1024;

/// What packers add to a name.
const PACKED: [&str; 5] = ["gz", "zst", "bz2", "xz", "lz4"];

/// Device and inode.
pub type Id = (u64, u64);

/// A file that is read to its end again and again.
pub struct Followed {
    id: Id,
    file: File,
    read_to: u64,
    /// Whether anything was read of it.
    begun: bool,
    pieces: Pieces,
}

/// What a file is, whatever it is called.
pub fn identity(data: &Metadata) -> Id {
    (data.dev(), data.ino())
}

/// Whether a packer has made this file, by its name.
pub fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|kind| PACKED.iter().any(|packed| kind == *packed))
}

impl Followed {
    /// The file of this name, nothing of which was read yet.
    pub fn at(path: &Path) -> io::Result<Self> {
        let file = files::open(path)?;
        let id = identity(&file.metadata()?);
        Ok(Self { id, file, read_to: 0, begun: false, pieces: Pieces::default() })
    }

    /// Passes over what it holds.
    pub fn past_its_end(self) -> io::Result<Self> {
        let read_to = self.file.metadata()?.len();
        Ok(Self { read_to, ..self })
    }

    /// Passes over what was read elsewhere; a shorter file holds nothing of that.
    pub fn from(self, at: u64) -> io::Result<Self> {
        let read_to = if at <= self.file.metadata()?.len() { at } else { 0 };
        Ok(Self { read_to, ..self })
    }

    pub fn id(&self) -> Id {
        self.id
    }

    /// Whether anything was read of it.
    pub fn is_begun(&self) -> bool {
        self.begun
    }

    /// Whether it has no name any more.
    pub fn is_removed(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.nlink() == 0)
    }

    /// Reads what was added. When it was cut off since, and something was read of it before: how far.
    pub fn read(
        &mut self,
        search: &Search,
        mut line: impl FnMut(&[u8]),
    ) -> io::Result<Option<u64>> {
        let mut cut = None;
        if self.file.metadata()?.len() < self.read_to {
            self.finish(search, &mut line);
            cut = self.begun.then_some(self.read_to);
            self.read_to = 0;
        }
        self.file.seek(SeekFrom::Start(self.read_to))?;
        let mut bytes = vec![0; READ];
        loop {
            let count = self.file.read(&mut bytes)?;
            if count == 0 {
                return Ok(cut);
            }
            self.begun = true;
            self.read_to += count as u64;
            self.pieces.push(&bytes[..count], search, &mut line);
        }
    }

    /// Searches a line that has no end, since nothing follows it.
    pub fn finish(&mut self, search: &Search, line: impl FnMut(&[u8])) {
        self.pieces.finish(search, line);
    }
}

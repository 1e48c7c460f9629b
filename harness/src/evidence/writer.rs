//! Writes a history's lines so that its reader notices what was altered, left out or cut off: a running
//! digest in a line of its own wherever the file is flushed and in the closing line, and zstd's checksum
//! over the whole.

use scenarios::history::{Event, LinesDigest, RunningDigest};
use std::io::{self, Write};

/// The file of a history in the making.
pub struct HistoryWriter<W: Write> {
    out: zstd::Encoder<'static, W>,
    digest: RunningDigest,
    /// Whether there are lines that no digest vouches for.
    unsealed: bool,
}

impl<W: Write> HistoryWriter<W> {
    /// Nothing is written yet.
    ///
    /// # Errors
    ///
    /// When there is no memory for the compression.
    pub fn new(out: W) -> io::Result<Self> {
        let mut out = zstd::Encoder::new(out, 1)?;
        out.include_checksum(true)?;
        Ok(Self { out, digest: RunningDigest::default(), unsealed: false })
    }

    /// Writes one line, without its line feed.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.digest.line(line);
        self.unsealed = true;
        self.out.write_all(line)?;
        self.out.write_all(b"\n")
    }

    /// Hands everything to the operating system, with the digest that vouches for it; nothing where
    /// nothing is new.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn checkpoint(&mut self) -> io::Result<()> {
        if !self.unsealed {
            return Ok(());
        }
        let event = Event::Checkpoint { digest: self.digest.so_far() };
        self.line(&serde_json::to_vec(&event)?)?;
        self.unsealed = false;
        self.out.flush()
    }

    /// What it is written to.
    pub fn medium(&mut self) -> &mut W {
        self.out.get_mut()
    }

    /// Of every line so far: what the closing line says.
    #[must_use]
    pub fn digest(&self) -> LinesDigest {
        self.digest.so_far()
    }

    /// Ends the file, and gives back what it was written to.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<W> {
        let mut out = self.out.finish()?;
        out.flush()?;
        Ok(out)
    }
}

//! Takes a request's body out of the bytes as they come, by length or chunk by chunk.
//!
//! What was taken is gone from the buffer, so that nothing is read twice however small the pieces
//! are, and the result does not depend on how the bytes were cut.

use super::head::{MAX_HEAD, Parsed};

/// The largest request body, bytes.
pub(super) const MAX_BODY: usize = 1024 * 1024;

/// Chunk sizes, extensions and trailers may add this much to a chunked body.
const MAX_FRAMING: usize = 256 * 1024;

/// The longest line that announces a chunk, with its extensions.
const MAX_CHUNK_LINE: usize = 4 * 1024;

/// How the body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// So many bytes, and the body ends.
    Rest(usize),
    ChunkLine,
    /// So many bytes, and an end of line.
    Chunk(usize),
    ChunkEnd,
    Trailers,
}

/// A body on its way.
#[derive(Debug)]
pub(super) struct BodyReader {
    next: Next,
    content: Vec<u8>,
    framing: usize,
}

impl BodyReader {
    pub fn new(framing: Framing) -> Self {
        let next = match framing {
            Framing::Length(length) => Next::Rest(length),
            Framing::Chunked => Next::ChunkLine,
        };
        Self { next, content: Vec::new(), framing: 0 }
    }

    /// Whether any of it was taken.
    pub fn has_begun(&self) -> bool {
        self.framing > 0 || !self.content.is_empty()
    }

    /// What has come so far.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Takes what belongs to the body from the front of `bytes`; the whole content once it is
    /// there. After [`Parsed::Whole`] or [`Parsed::Bad`] the reader is of no more use.
    pub fn take(&mut self, bytes: &mut Vec<u8>) -> Parsed<Vec<u8>> {
        let mut at = 0;
        let found = loop {
            match self.step(&bytes[at..]) {
                Ok(Step::Took(count)) => at += count,
                Ok(Step::More) => break Parsed::Partial,
                Ok(Step::End(count)) => {
                    at += count;
                    break Parsed::Whole(std::mem::take(&mut self.content));
                }
                Err(status) => break Parsed::Bad(status),
            }
        };
        bytes.drain(..at);
        found
    }

    fn step(&mut self, bytes: &[u8]) -> Result<Step, u16> {
        match self.next {
            Next::Rest(left) => {
                let count = left.min(bytes.len());
                self.content.extend_from_slice(&bytes[..count]);
                self.next = Next::Rest(left - count);
                Ok(match (left - count, count) {
                    (0, _) => Step::End(count),
                    (_, 0) => Step::More,
                    _ => Step::Took(count),
                })
            }
            Next::ChunkLine => self.chunk_line(bytes),
            Next::Chunk(left) => {
                let count = left.min(bytes.len());
                self.content.extend_from_slice(&bytes[..count]);
                self.next = if left == count { Next::ChunkEnd } else { Next::Chunk(left - count) };
                Ok(if count == 0 { Step::More } else { Step::Took(count) })
            }
            Next::ChunkEnd => match bytes {
                [] | [b'\r'] => Ok(Step::More),
                [b'\r', b'\n', ..] => {
                    self.next = Next::ChunkLine;
                    self.framed(2).map(Step::Took)
                }
                _ => Err(400),
            },
            Next::Trailers => self.trailers(bytes),
        }
    }

    fn chunk_line(&mut self, bytes: &[u8]) -> Result<Step, u16> {
        // httparse takes a line without any digit for a size of zero.
        if bytes.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
            return Err(400);
        }
        let line = &bytes[..bytes.len().min(MAX_CHUNK_LINE)];
        let (count, size) = match httparse::parse_chunk_size(line) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) if line.len() < MAX_CHUNK_LINE => return Ok(Step::More),
            Ok(httparse::Status::Partial) => return Err(413),
            Err(_) => return Err(400),
        };
        let room = MAX_BODY - self.content.len();
        let size = usize::try_from(size).ok().filter(|size| *size <= room).ok_or(413_u16)?;
        self.next = if size == 0 { Next::Trailers } else { Next::Chunk(size) };
        self.framed(count).map(Step::Took)
    }

    /// Trailers are read and forgotten, as RFC 9110 section 6.5.1 allows.
    fn trailers(&mut self, bytes: &[u8]) -> Result<Step, u16> {
        let section = &bytes[..bytes.len().min(MAX_HEAD)];
        let mut slots = [httparse::EMPTY_HEADER; 100];
        match httparse::parse_headers(section, &mut slots) {
            Ok(httparse::Status::Complete((count, _))) => self.framed(count).map(Step::End),
            Ok(httparse::Status::Partial) if section.len() < MAX_HEAD => Ok(Step::More),
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => Err(431),
            Err(_) => Err(400),
        }
    }

    fn framed(&mut self, count: usize) -> Result<usize, u16> {
        self.framing += count;
        if self.framing > MAX_FRAMING { Err(413) } else { Ok(count) }
    }
}

enum Step {
    /// So many bytes were taken, and there may be more to take.
    Took(usize),
    /// More bytes are needed.
    More,
    /// So many bytes were taken, and the body is whole.
    End(usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(framing: Framing, bytes: &[u8]) -> (Parsed<Vec<u8>>, Vec<u8>) {
        let mut bytes = bytes.to_vec();
        let found = BodyReader::new(framing).take(&mut bytes);
        (found, bytes)
    }

    /// Like [`read`], but the bytes come in pieces that end at these places.
    fn read_cut(framing: Framing, bytes: &[u8], cuts: &[usize]) -> (Parsed<Vec<u8>>, Vec<u8>) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let (mut reader, mut buffer, mut from) = (BodyReader::new(framing), Vec::new(), 0);
        for cut in cuts {
            buffer.extend_from_slice(&bytes[from..cut]);
            from = cut;
            let found = reader.take(&mut buffer);
            if found != Parsed::Partial {
                buffer.extend_from_slice(&bytes[from..]);
                return (found, buffer);
            }
        }
        (Parsed::Partial, buffer)
    }

    #[test]
    fn chunks_are_joined_and_every_prefix_is_partial() {
        let bytes = b"4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\nT: 1\r\n\r\nGET";
        for end in 0..bytes.len() - 3 {
            assert_eq!(read(Framing::Chunked, &bytes[..end]).0, Parsed::Partial, "{end}");
        }
        let whole = (Parsed::Whole(b"Wikipedia".to_vec()), b"GET".to_vec());
        assert_eq!(read(Framing::Chunked, bytes), whole, "what follows is left alone");
    }

    #[test]
    fn chunks_that_are_wrong_or_too_large_are_distinguished() {
        let check = |bytes: &[u8], status| {
            assert_eq!(read(Framing::Chunked, bytes).0, Parsed::Bad(status), "{bytes:?}");
        };
        check(b"2\r\nabcd", 400);
        check(b"zz\r\n", 400);
        check(b"\r\n\r\n", 400);
        check(b";x\r\n\r\n", 400);
        check(b"1\nx", 400);
        check(b"0\r\nbad trailer\r\n\r\n", 400);
        check(b"FFFFFFFF\r\n", 413);
        check(b"FFFFFFFFFFFFFFFF\r\n", 413);
        check(format!("1;{}", "x".repeat(MAX_CHUNK_LINE)).as_bytes(), 413);
        check("1;xxxxxxxxx\r\na\r\n".repeat(MAX_FRAMING / 15 + 1).as_bytes(), 413);
        check(format!("0\r\nA: {}", "x".repeat(MAX_HEAD)).as_bytes(), 431);
        check(format!("0\r\n{}", "A: x\r\n".repeat(101)).as_bytes(), 431);
        let halves = format!("80000\r\n{}\r\n80000\r\n", "x".repeat(0x80000));
        assert_eq!(read(Framing::Chunked, halves.as_bytes()).0, Parsed::Partial, "just fits");
        check(format!("{halves}{}\r\n1\r\n", "x".repeat(0x80000)).as_bytes(), 413);
    }

    fn chunked(chunks: &[(Vec<u8>, bool)], trailer: bool) -> (Vec<u8>, Vec<u8>) {
        let (mut wire, mut content) = (Vec::new(), Vec::new());
        for (chunk, extended) in chunks.iter().filter(|(chunk, _)| !chunk.is_empty()) {
            let extension = if *extended { ";a=\"b\"" } else { "" };
            wire.extend_from_slice(format!("{:X}{extension}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
            content.extend_from_slice(chunk);
        }
        wire.extend_from_slice(if trailer { b"00\r\nX: y\r\n\r\n" } else { b"0\r\n\r\n" });
        (wire, content)
    }

    proptest! {
        /// A chunked body comes out as it went in, and takes not one byte more than its own.
        #[test]
        fn what_was_chunked_is_read_back(
            chunks in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), any::<bool>()), 0..8),
            trailer in any::<bool>(),
            after in prop::collection::vec(any::<u8>(), 0..10),
            cuts in prop::collection::vec(any::<usize>(), 0..12),
        ) {
            let (mut wire, content) = chunked(&chunks, trailer);
            wire.extend_from_slice(&after);
            prop_assert_eq!(
                read_cut(Framing::Chunked, &wire, &cuts),
                (Parsed::Whole(content), after)
            );
        }

        /// A body by length is exactly so many bytes.
        #[test]
        fn a_length_is_a_length(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            length in 0_usize..80,
            cuts in prop::collection::vec(any::<usize>(), 0..6),
        ) {
            let (found, left) = read_cut(Framing::Length(length), &bytes, &cuts);
            match bytes.get(..length) {
                Some(body) => {
                    prop_assert_eq!(found, Parsed::Whole(body.to_vec()));
                    prop_assert_eq!(&left, &bytes[length..]);
                }
                None => prop_assert_eq!(found, Parsed::Partial),
            }
        }

        /// Whatever comes, and however it is cut, the verdict is the same.
        #[test]
        fn the_cuts_change_nothing(
            mut wire in prop::collection::vec(any::<u8>(), 0..80),
            chunks in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..20), any::<bool>()), 0..5),
            place in any::<prop::sample::Index>(),
            cuts in prop::collection::vec(any::<usize>(), 0..12),
        ) {
            let (valid, _) = chunked(&chunks, true);
            let at = place.index(valid.len());
            wire.splice(0..0, valid[..at].iter().copied());
            wire.extend_from_slice(&valid[at..]);
            let (once, left) = read(Framing::Chunked, &wire);
            let (cut, cut_left) = read_cut(Framing::Chunked, &wire, &cuts);
            prop_assert_eq!(&once, &cut);
            if matches!(once, Parsed::Whole(_)) {
                prop_assert_eq!(left, cut_left);
            }
        }
    }
}

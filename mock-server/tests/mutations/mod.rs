//! Inputs for whatever reads foreign bytes: arbitrary ones, and right ones of a corpus with changes. The
//! other crates' tests include this file.
//!
//! `PROPTEST_CASES` says how many are drawn. What once made a reader fail is kept in its corpus.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::path::Path;

/// The most changes to one input.
const CHANGES: usize = 6;
/// The most bytes that one change takes out or repeats.
const PIECE: usize = 64;

/// What a target of `cargo fuzz` begins with and has kept, in the order of the files' names.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut folders = above.map(|root| root.join("harness/fuzz/corpus").join(target));
    let folder = folders.find(|folder| folder.is_dir()).expect("each target has a corpus");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|no| panic!("{folder:?}: {no}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// One input in five is arbitrary, the others are of the corpus with changes, which may put these words
/// in.
pub fn inputs(
    corpus: Vec<Vec<u8>>,
    words: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), any::<Index>(), any::<u8>(), 0..8_u8);
    let changes = prop::collection::vec(change, 0..=CHANGES);
    let changed = (select(corpus.clone()), select(corpus), changes).prop_map(
        move |(mut bytes, other, changes)| {
            for (place, more, byte, kind) in changes {
                let at = place.index(bytes.len() + 1);
                let piece = at..bytes.len().min(at + 1 + more.index(PIECE));
                match kind {
                    0 => bytes.insert(at, byte),
                    1 if at < bytes.len() => bytes[at] = byte,
                    2 if at < bytes.len() => bytes[at] ^= 1 << (byte % 8),
                    3 => drop(bytes.drain(piece)),
                    4 => drop(bytes.splice(at..at, bytes[piece].to_vec())),
                    5 => bytes
                        .splice(at.., other[more.index(other.len() + 1)..].to_vec())
                        .for_each(drop),
                    _ if words.is_empty() => {}
                    6 => drop(bytes.splice(at..at, more.get(words).bytes())),
                    _ => drop(bytes.splice(piece, more.get(words).bytes())),
                }
            }
            bytes
        },
    );
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..300), 4 => changed]
}

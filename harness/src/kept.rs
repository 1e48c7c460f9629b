//! Logs as they are kept, of the target and of the harness: the beginning, and what was said last before
//! each end of whoever speaks; the lines between are counted.
//!
//! Whoever logs without end must not take the room that the evidence needs.

use crate::files;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;

/// As much of it as is kept from its beginning, bytes.
const BEGINNING: u64 = 16 << 20;
/// As much of what follows, before each end, bytes; a line and its time always fit.
const END: usize = 128 << 10;
/// All ends together, bytes.
const ENDS: usize = 2 << 20;
/// As much is left free on the disk, bytes: for the reports, and for what the target itself must write.
const SPARE: u64 = 3 << 20;
/// How many bytes are written between two looks at what is free.
const LOOK_EVERY: u64 = 128 << 10;

/// What a log is kept in.
pub trait Shelf: Write + Send {
    /// Bytes that are free beside it; none when nobody knows.
    fn free(&self) -> Option<u64>;
}

impl Shelf for File {
    fn free(&self) -> Option<u64> {
        files::free_beside(self).ok()
    }
}

/// A log of bounded size.
pub struct Kept<S> {
    shelf: S,
    /// Bytes that the beginning may still grow; once it has no room, it is over.
    beginning: u64,
    /// Bytes until the next look at what is free.
    unlooked: u64,
    /// Bytes that ends may still take.
    ends: usize,
    /// What was said last, and is not written yet.
    last: VecDeque<String>,
    last_bytes: usize,
    /// Lines that were left out since the last end.
    left_out: u64,
}

impl<S: Shelf> Kept<S> {
    /// Nothing was said yet.
    pub fn new(shelf: S) -> Self {
        Self {
            shelf,
            beginning: BEGINNING,
            unlooked: 0,
            ends: ENDS,
            last: VecDeque::new(),
            last_bytes: 0,
            left_out: 0,
        }
    }

    /// Takes in a line, with its end.
    pub fn line(&mut self, line: String) {
        if self.has_room(line.len() as u64) && self.shelf.write_all(line.as_bytes()).is_ok() {
            return;
        }
        self.beginning = 0;
        self.last_bytes += line.len();
        self.last.push_back(line);
        self.leave_out(END);
    }

    /// Whether the beginning goes on.
    fn has_room(&mut self, bytes: u64) -> bool {
        if self.unlooked < bytes && self.beginning > 0 {
            if self.shelf.free().is_some_and(|free| free < SPARE + LOOK_EVERY) {
                self.beginning = 0;
            }
            self.unlooked = LOOK_EVERY;
        }
        let Some(beginning) = self.beginning.checked_sub(bytes) else { return false };
        self.beginning = beginning;
        self.unlooked = self.unlooked.saturating_sub(bytes);
        true
    }

    /// Leaves the first of the last lines out until they fit into so many bytes.
    fn leave_out(&mut self, fit: usize) {
        while self.last_bytes > fit
            && let Some(first) = self.last.pop_front()
        {
            self.last_bytes -= first.len();
            self.left_out += 1;
        }
    }

    /// Whoever speaks has ended: writes how many lines were left out, and what it said last.
    pub fn end(&mut self) {
        self.leave_out(self.ends);
        self.ends -= self.last_bytes;
        if self.left_out > 0 {
            let bound = BEGINNING >> 20;
            let told = format!(
                "[{} lines left out here: this file ends at {bound} MiB, or where the disk does]\n",
                self.left_out
            );
            // A disk that is full takes neither this nor what follows.
            let _ = self.shelf.write_all(told.as_bytes());
        }
        for line in self.last.drain(..) {
            let _ = self.shelf.write_all(line.as_bytes());
        }
        (self.last_bytes, self.left_out) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// A shelf on a disk of so many bytes.
    struct Small {
        text: Vec<u8>,
        size: u64,
    }

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if (self.text.len() + bytes.len()) as u64 > self.size {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shelf for Small {
        fn free(&self) -> Option<u64> {
            Some(self.size - self.text.len() as u64)
        }
    }

    fn on_a_disk_of(size: u64) -> Kept<Small> {
        Kept::new(Small { text: Vec::new(), size })
    }

    /// Says these lines, each a kilobyte long.
    fn say(kept: &mut Kept<Small>, numbers: std::ops::Range<u64>) {
        numbers.for_each(|number| kept.line(format!("{number:>1023}\n")));
    }

    /// The numbers that stand in it, and how many lines it says that it has left out in each place.
    fn shown(kept: &Kept<Small>) -> (Vec<u64>, Vec<u64>) {
        let text = std::str::from_utf8(&kept.shelf.text).unwrap();
        let left_out = |line: &str| line.strip_prefix('[')?.split(' ').next()?.parse().ok();
        let numbers = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
        (numbers, text.lines().filter_map(left_out).collect())
    }

    #[test]
    fn a_log_that_fits_is_kept_whole() {
        let mut kept = on_a_disk_of(1 << 40);
        say(&mut kept, 0..16_000);
        kept.end();
        assert_eq!(shown(&kept), ((0..16_000).collect(), vec![]));
    }

    #[test]
    fn of_a_log_without_end_the_beginning_and_the_last_lines_are_kept_and_the_rest_is_counted() {
        let mut kept = on_a_disk_of(1 << 40);
        say(&mut kept, 0..50_000);
        kept.end();
        let (numbers, left_out) = shown(&kept);
        // 16 MiB of a kilobyte each, and the last 128.
        let expected: Vec<u64> = (0..16_384).chain(50_000 - 128..50_000).collect();
        assert_eq!((numbers, left_out), (expected, vec![50_000 - 16_384 - 128]));
    }

    #[test]
    fn each_end_of_a_target_is_told_until_all_ends_together_are_long_enough() {
        let mut kept = on_a_disk_of(1 << 40);
        say(&mut kept, 0..16_384);
        for _ in 0..100 {
            say(&mut kept, 0..1_000);
            kept.end();
        }
        let (numbers, left_out) = shown(&kept);
        assert_eq!(numbers.len() as u64 + left_out.iter().sum::<u64>(), 16_384 + 100_000);
        assert_eq!((left_out.len(), left_out[0], left_out[99]), (100, 872, 1_000));
        assert!(kept.shelf.text.len() < (16 << 20) + ENDS + 100 * 100);
    }

    #[test]
    fn a_small_disk_keeps_room_for_the_evidence() {
        let mut kept = on_a_disk_of(8 << 20);
        say(&mut kept, 0..50_000);
        kept.end();
        let (numbers, left_out) = shown(&kept);
        assert_eq!(numbers.len() as u64 + left_out[0], 50_000);
        assert!(numbers.len() > 4_000, "{} lines", numbers.len());
        // But for the end, and the line that tells what was left out.
        assert!(kept.shelf.free().unwrap() + END as u64 + 1_024 >= SPARE);
    }

    #[test]
    fn a_full_disk_leaves_lines_out_and_nothing_else() {
        let mut kept = on_a_disk_of(0);
        say(&mut kept, 0..300);
        kept.end();
        assert_eq!(shown(&kept), (vec![], vec![]));
    }
}

//! Cuts what is logged into lines, and lines that are too long into pieces, but nothing that was planted.

use super::search::Search;

/// A longer line comes in pieces.
pub const LINE: usize = 64 * 1024;

/// So much behind the end of a piece is looked at before it is cut off: no secret or e-mail takes up
/// more, with each of its bytes escaped twice over.
const BEHIND: usize = 4 * 1024;

/// A log, of which the beginnings of lines wait for their ends.
#[derive(Default)]
pub struct Pieces {
    waiting: Vec<u8>,
    /// So many of these bytes hold no end of a line.
    endless: usize,
}

impl Pieces {
    /// Takes in what was logged next; gives every line that is whole, with its end, and the pieces of
    /// longer ones.
    pub fn push(&mut self, bytes: &[u8], search: &Search, mut line: impl FnMut(&[u8])) {
        self.waiting.extend_from_slice(bytes);
        let mut done = 0;
        loop {
            let rest = &self.waiting[done..];
            let end = rest[self.endless..].iter().position(|byte| *byte == b'\n');
            let end = end.map(|at| self.endless + at + 1);
            let known = end.unwrap_or(rest.len());
            let length = match end {
                Some(end) if end <= LINE => end,
                None if known < LINE + BEHIND => break,
                _ => cut(&rest[..known], search),
            };
            line(&rest[..length]);
            done += length;
            self.endless = end.map_or(known, |end| end - 1).saturating_sub(length);
        }
        self.waiting.drain(..done);
        self.endless = self.waiting.len();
    }

    /// Gives what has no end, since nothing comes any more.
    pub fn finish(&mut self, search: &Search, mut line: impl FnMut(&[u8])) {
        let waiting = std::mem::take(self).waiting;
        let mut rest = &waiting[..];
        while rest.len() > LINE {
            let (piece, after) = rest.split_at(cut(rest, search));
            line(piece);
            rest = after;
        }
        if !rest.is_empty() {
            line(rest);
        }
    }
}

/// Where a line that is longer than [`LINE`] is cut.
fn cut(line: &[u8], search: &Search) -> usize {
    let at = search.cut(&line[..line.len().min(LINE + BEHIND)], LINE);
    // Nothing planted is so long; but a piece must not be empty.
    if at == 0 { LINE } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::observe::canaries::{Canaries, Credentials};
    use crate::storm::recorder::Recorder;
    use mock_server::clock::Clock;
    use mock_server::world::population::Population;
    use std::sync::Arc;

    const TOKEN: &str = "hunter2-hunter2";

    /// The lengths of the lines and pieces of `log`, which comes so many bytes at a time; none of them
    /// may hold a part of the token.
    fn lengths(log: &str, at_a_time: usize) -> Vec<usize> {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, _) = Recorder::create(&folder.path().join("history")).unwrap();
        let credentials = Credentials { linktree: vec![], vault_token: TOKEN, session: "" };
        let canaries = Canaries::of(&credentials, &Population::default(), 7);
        let search = Search::new(Arc::new(canaries), &recorder, Clock::start());
        let (mut lengths, mut pieces, mut all) = (Vec::new(), Pieces::default(), String::new());
        let mut line = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).unwrap();
            assert!(!search.redacted(text).contains("hunter"), "{} bytes", text.len());
            lengths.push(text.len());
            all.push_str(text);
        };
        for some in log.as_bytes().chunks(at_a_time) {
            pieces.push(some, &search, &mut line);
        }
        pieces.finish(&search, &mut line);
        assert_eq!(all, log);
        lengths
    }

    #[track_caller]
    fn check(log: &str, expected: &[usize]) {
        for at_a_time in [1, 1_000, LINE - 1, LINE, LINE + BEHIND, usize::MAX >> 1] {
            assert_eq!(lengths(log, at_a_time), expected, "{at_a_time} bytes at a time");
        }
    }

    #[test]
    fn lines_end_where_they_end_and_the_last_one_may_have_no_end() {
        check("", &[]);
        check("one\n\nthree\nfo", &[4, 1, 6, 2]);
        let long = "x".repeat(LINE - 1);
        check(&format!("{long}\n{long}"), &[LINE, LINE - 1]);
    }

    #[test]
    fn a_long_line_comes_in_pieces() {
        let long = "x".repeat(LINE);
        check(&long, &[LINE]);
        check(&format!("{long}\nnext\n"), &[LINE, 1, 5]);
        check(&format!("{long}{long}yz\nnext"), &[LINE, LINE, 3, 4]);
    }

    #[test]
    fn nothing_planted_is_cut_in_two() {
        let percent: String = TOKEN.bytes().map(|byte| format!("%25{byte:02x}")).collect();
        for form in [TOKEN.to_owned(), percent] {
            for before in [1, 7, form.len() - 1] {
                let head = "x".repeat(LINE - before);
                for end in ["", "\n", "\nnext\n"] {
                    let first = format!("{head}{form}{end}");
                    let tail = form.len() + usize::from(!end.is_empty());
                    let mut expected = vec![LINE - before, tail];
                    expected.extend((end.len() > 1).then_some(5));
                    check(&first, &expected);
                }
            }
        }
        let whole = "x".repeat(LINE - TOKEN.len());
        check(&format!("{whole}{TOKEN}{TOKEN}"), &[LINE, TOKEN.len()]);
    }
}

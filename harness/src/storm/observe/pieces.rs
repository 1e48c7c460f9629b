//! Cuts what is logged into lines, and lines that are too long into pieces, but nothing that was planted.
//! Lines of a mail that go on (quoted-printable, RFC 2045 section 6.7) stay together with the next ones.

use super::search::Search;

/// A longer line comes in pieces.
pub const LINE: usize = 64 * 1024;

/// So much behind the end of a piece is looked at before it is cut off: no secret or e-mail takes up
/// more, with each of its bytes escaped six times over.
const BEHIND: usize = 8 * 1024;

/// A log, of which the beginnings of lines wait for their ends.
#[derive(Default)]
pub struct Pieces {
    waiting: Vec<u8>,
    /// So many of these bytes hold no end of a line.
    endless: usize,
}

impl Pieces {
    /// Takes in what was logged next; gives every line that is whole, with its end, and the pieces of
    /// longer ones. What goes on in the next line comes with it.
    pub fn push(&mut self, bytes: &[u8], search: &Search, mut line: impl FnMut(&[u8])) {
        self.waiting.extend_from_slice(bytes);
        let mut done = 0;
        loop {
            let rest = &self.waiting[done..];
            let end = end_of_line(rest, self.endless);
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

/// How many lines a piece counts for: each of those that stay together, and one that has no end.
#[must_use]
pub fn lines(piece: &[u8]) -> u64 {
    let whole = piece.strip_suffix(b"\n").unwrap_or(piece);
    1 + whole.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Behind the first end of a line from `from` on at which nothing goes on.
fn end_of_line(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += bytes[at..].iter().position(|byte| *byte == b'\n')? + 1;
        let mut before = bytes[..at - 1].iter().rev();
        if before.find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) != Some(&b'=') {
            return Some(at);
        }
    }
}

/// Where a line that is longer than [`LINE`] is cut: what is planted there stays beside what stands
/// before it.
fn cut(line: &[u8], search: &Search) -> usize {
    search.cut(&line[..line.len().min(LINE + BEHIND)], LINE)
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
    fn a_line_of_a_mail_stays_with_the_next_one() {
        check("to ann=\nb=\r\nc\nnext\n", &[14, 5]);
        check("a=\n", &[3]);
        check("a=b\n= \n\nnext\n", &[4, 4, 5]);
        let (front, back) = TOKEN.split_at(4);
        check(&format!("to {front}=\n{back}\nnext"), &[6 + TOKEN.len(), 4]);
        let endless = "=\n".repeat(LINE / 2 + 1);
        check(&endless, &[LINE, 2]);
    }

    #[test]
    fn nothing_planted_is_cut_in_two() {
        let percent: String = TOKEN.bytes().map(|byte| format!("%2525{byte:02x}")).collect();
        for form in [TOKEN.to_owned(), percent] {
            for before in [1, 7, form.len() - 1] {
                let head = "x".repeat(LINE - before);
                for end in ["", "\n", "\nnext\n"] {
                    let first = format!("{head}{form}{end}");
                    let mut expected = vec![head.len() + form.len()];
                    expected.extend((!end.is_empty()).then_some(1));
                    expected.extend((end.len() > 1).then_some(5));
                    check(&first, &expected);
                }
            }
        }
        let whole = "x".repeat(LINE - TOKEN.len());
        check(&format!("{whole}{TOKEN}{TOKEN}"), &[LINE, TOKEN.len()]);
    }
}

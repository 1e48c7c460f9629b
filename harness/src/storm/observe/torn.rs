//! Secrets that came in two pieces, since two writers share a log: `key=lt_live_01` of the first, a line of
//! the second, and `23456789` at the beginning of the next one.

use super::canaries::Label;
use mock_server::redact::{Begun, Piece};

/// The last piece is waited for while no more than this is logged in between, bytes: whatever is written at
/// once between two writes.
const BETWEEN: usize = 64 * 1024;

/// So many first pieces wait at the most; the oldest are forgotten.
const WAITING: usize = 16;

/// One log, of which first pieces wait for last ones.
#[derive(Default)]
pub struct Torn {
    waiting: Vec<Waiting>,
}

struct Waiting {
    begun: Begun<Label>,
    /// What stood around it, once that is known.
    excerpt: Option<String>,
    /// Bytes that were logged since.
    passed: usize,
}

/// A last piece.
pub struct Ended {
    /// Where it stands.
    pub piece: Piece<Label>,
    /// What stood around the first one, unless that is in the same line.
    pub excerpt: Option<String>,
}

impl Torn {
    /// Takes in a line, or several that stay together, and what begins in them; gives the last pieces that
    /// they begin with.
    pub fn line(&mut self, line: &[u8], begun: Vec<Begun<Label>>) -> Vec<Ended> {
        if self.waiting.is_empty() && begun.is_empty() {
            return Vec::new();
        }
        let (mut ended, mut begun, mut start) = (Vec::new(), begun.into_iter().peekable(), 0);
        for part in line.split(|byte| *byte == b'\n') {
            self.end(part, start, &mut ended);
            let end = start + part.len() + 1;
            self.waiting.retain_mut(|one| {
                one.passed += part.len() + 1;
                one.passed <= BETWEEN
            });
            while let Some(one) = begun.next_if(|one| one.range.start < end) {
                let passed = end.saturating_sub(one.range.end);
                self.begin(one, passed);
            }
            start = end;
        }
        ended
    }

    /// What stands around the first pieces of the line that was taken in last.
    pub fn describe(&mut self, around: impl Fn(Label) -> String) {
        for one in self.waiting.iter_mut().filter(|one| one.excerpt.is_none()) {
            one.excerpt = Some(around(one.begun.label));
        }
    }

    /// What the beginning of a line ends.
    fn end(&mut self, line: &[u8], start: usize, ended: &mut Vec<Ended>) {
        self.waiting.retain_mut(|one| {
            let Some(length) = one.begun.rest(line) else { return true };
            let (label, range) = (one.begun.label, start..start + length);
            // A secret may be known with and without its prefix.
            if !ended.iter().any(|known| known.piece.range == range) {
                let piece = Piece { label, range, is_first: false };
                ended.push(Ended { piece, excerpt: one.excerpt.take() });
            }
            false
        });
    }

    /// Waits for the rest of a secret; of what has begun twice the longer beginning holds the shorter one.
    fn begin(&mut self, begun: Begun<Label>, passed: usize) {
        let mut longest = begun;
        if let Some(place) = self.waiting.iter().position(|one| one.begun.is_of(&longest)) {
            let known = self.waiting.remove(place).begun;
            if known.range.len() > longest.range.len() {
                longest = known;
            }
        } else if self.waiting.len() == WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push(Waiting { begun: longest, excerpt: None, passed });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::observe::canaries::{Canaries, Credentials};
    use crate::storm::observe::pieces::Pieces;
    use crate::storm::observe::search::{Search, Spot};
    use crate::storm::recorder::Recorder;
    use mock_server::clock::Clock;
    use mock_server::redact::{FIRST, Kind, LAST};
    use mock_server::world::population::Population;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::sync::Arc;

    const KEY: &str = "lt_live_0123456789abcdefghijklmnopqrstuv";
    const TOKEN: &str = "hvs.CAESIJ0123456789abcdefghijkl";

    /// How many finds are made of these secrets in a log that comes so many bytes at a time, and what is
    /// kept of it.
    fn logged(secrets: &[&str], log: &str, at_a_time: &[usize]) -> (u64, String) {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, _) = Recorder::create(&folder.path().join("history")).unwrap();
        let linktree = secrets.iter().map(|one| ((*one).to_owned(), Kind::ApiKey)).collect();
        let credentials = Credentials { linktree, vault_token: TOKEN, session: "" };
        let canaries = Canaries::of(&credentials, &Population::default(), 7);
        let search = Search::new(Arc::new(canaries), &recorder, Clock::start());
        let (mut pieces, mut torn, mut kept) = (Pieces::default(), Torn::default(), String::new());
        let mut line = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
            let spot = || Spot("log".into(), String::new());
            kept.push_str(&search.log_line(text, &mut torn, spot));
            kept.push_str(end);
        };
        let mut rest = log.as_bytes();
        for count in at_a_time.iter().cycle() {
            let (some, after) = rest.split_at((*count).min(rest.len()));
            pieces.push(some, &search, &mut line);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        pieces.finish(&search, &mut line);
        (search.leaks(), kept)
    }

    #[track_caller]
    fn check(log: &str, finds: u64, kept: &str) {
        for at_a_time in [1, 7, log.len().max(1)] {
            let expected = (finds, kept.to_owned());
            assert_eq!(logged(&[KEY], log, &[at_a_time]), expected, "{at_a_time} at a time");
        }
    }

    #[test]
    fn two_pieces_with_another_writers_lines_between_are_found_and_taken_out() {
        let (first, last) = KEY.split_at(20);
        check(
            &format!("a {first}{{\"level\":30}}\n{last} b\nc\n"),
            1,
            "a [key]…{\"level\":30}\n…[key] b\nc\n",
        );
        check(&format!("{first}\n{last}"), 1, "[key]…\n…[key]");
        check(&format!("{first}x=\n{last}.\n"), 1, "[key]…x=\n…[key].\n");
        let (vault, token) = TOKEN.split_at(15);
        check(
            &format!("{first}1\n{vault}2\n{token}3\n{last}4"),
            2,
            "[key]…1\n[secret]…2\n…[secret]3\n…[key]4",
        );
        check(&format!("{first}\n{last}\n{last}\n"), 1, &format!("[key]…\n…[key]\n{last}\n"));
        check(&format!("{}\n{last}", first.to_uppercase()), 1, "[key]…\n…[key]");
    }

    #[test]
    fn what_is_not_the_rest_or_comes_elsewhere_or_too_late_is_no_find() {
        let (first, last) = KEY.split_at(20);
        check(&format!("{first}\n x{last}\n"), 0, &format!("[key]…\n x{last}\n"));
        check(&format!("{first}\n{}\n", &last[1..]), 0, &format!("[key]…\n{}\n", &last[1..]));
        check(&format!("{last}\n{first}\n"), 0, &format!("{last}\n[key]…\n"));
        // Masks, and what all keys begin with.
        let mask = format!("{}****\n{}\n", &KEY[..12], &KEY[12..]);
        check(&mask, 0, &mask);
        check("key=lt_live_…\n", 0, "key=lt_live_…\n");
        let line = "x".repeat(1_023) + "\n";
        // The line end counts as well.
        let between = |lines: usize, more: usize| {
            let between = line.repeat(lines) + &"y".repeat(more);
            logged(&[KEY], &format!("{first}\n{between}\n{last}\n"), &[1_000]).0
        };
        assert_eq!([between(63, 1_022), between(63, 1_023)], [1, 0]);
    }

    #[test]
    fn a_first_piece_across_the_cut_of_a_long_line_is_taken_out_whole() {
        let (first, last) = KEY.split_at(30);
        let head = "x".repeat(crate::storm::observe::pieces::LINE - 10);
        let log = format!("{head}{first}yz\n{last}\n");
        assert_eq!(logged(&[KEY], &log, &[999]), (1, format!("{head}[key]…yz\n…[key]\n")));
    }

    #[test]
    fn of_secrets_that_begin_alike_each_is_found() {
        let others: Vec<String> =
            (0..9).map(|n| format!("{}{n}{}", &KEY[..14], &KEY[15..])).collect();
        let all: Vec<&str> = others.iter().map(String::as_str).collect();
        for one in &all {
            let log = format!("{}\n{}\n", &one[..14], &one[14..]);
            assert_eq!(logged(&all, &log, &[5]), (1, "[key]…\n…[key]\n".to_owned()));
        }
    }

    fn secret() -> impl Strategy<Value = String> {
        prop_oneof![
            "lt_(live|test)_[0-9a-f]{32}",
            "whsec_[A-Za-z0-9+/]{43}=",
            "hvs[.][A-Za-z0-9]{17,60}"
        ]
    }

    proptest! {
        // Each builds a search of its own.
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever is logged between, and however it comes, the two pieces of a secret are a find, and no
        /// piece that is long enough to be a first one is kept.
        #[test]
        fn any_two_pieces_are_found(
            secret in secret(),
            place in any::<prop::sample::Index>(),
            before in "[^\n]{0,30}",
            foreign in vec("[^\n]{0,60}", 1..9),
            after in "[^\n]{0,30}",
            chunks in vec(1..90_usize, 1..9),
        ) {
            let at = FIRST + place.index(secret.len() - FIRST - LAST + 1);
            let (first, last) = secret.split_at(at);
            let log = format!("{before}{first}{}\n{last}{after}\n", foreign.join("\n"));
            let (finds, kept) = logged(&[&secret], &log, &chunks);
            prop_assert_eq!(finds, 1, "{}", log);
            prop_assert!(!kept.contains(first) && !kept.contains(last), "{}", kept);
        }

        /// One piece alone, or with the other one before it, or with too short a one, is none.
        #[test]
        fn no_piece_alone_is_found(
            secret in secret(),
            place in any::<prop::sample::Index>(),
            foreign in vec("[^\n]{0,60}", 1..9),
        ) {
            let at = 1 + place.index(secret.len() - 1);
            let (first, last) = secret.split_at(at);
            let foreign = foreign.join("\n");
            let alone = |log: String| logged(&[&secret], &log, &[50]);
            prop_assert_eq!(alone(format!("{first}|{foreign}\n")).0, 0);
            let (finds, kept) = alone(format!("{last}{foreign}\n{first} \n"));
            prop_assert!(finds == 0 && kept.starts_with(last));
            if at < FIRST || last.len() < LAST {
                let (finds, kept) = alone(format!("{first}|{foreign}\n{last}\n"));
                prop_assert_eq!(finds, 0);
                prop_assert_eq!(kept.starts_with(first), at < FIRST);
            }
        }
    }
}

//! The texts that bytes may stand for: themselves, and what they become when escapes within escapes are
//! undone.

use super::escapes::{Mail, Text, Way, undone};

/// Escapes within escapes are undone so often: an address in a query, in a link, in a redirect, in a line
/// of JSON, in another one that quotes it, is five deep.
const DEPTH: usize = 6;

/// Is shown a text, and where each of its bytes began.
type Seen<'s> = dyn FnMut(&[u8], Option<&[usize]>) + 's;

/// Calls back with the bytes as they stand, and with each text that they may stand for. Where `traced`,
/// each of those comes with where in `bytes` each of its own bytes begins, and at last with their length.
/// Mail is undone once, at any depth, and what it holds is undone like the rest.
pub(super) fn each(bytes: &[u8], traced: bool, seen: &mut Seen<'_>) {
    seen(bytes, None);
    Walk { traced, seen }.below(bytes, None, DEPTH, true);
}

struct Walk<'w> {
    traced: bool,
    seen: &'w mut Seen<'w>,
}

impl Walk<'_> {
    /// Everything that this text may stand for, so many levels down.
    fn below(&mut self, text: &[u8], origin: Option<&[usize]>, levels: usize, mails: bool) {
        if levels == 0 {
            return;
        }
        self.undo::<Text>(text, origin, levels - 1, mails);
        if mails {
            self.undo::<Mail>(text, origin, levels - 1, false);
        }
    }

    fn undo<W: Way>(&mut self, text: &[u8], origin: Option<&[usize]>, levels: usize, mails: bool) {
        let mut within = Vec::new();
        let Some(plain) = undone::<W>(text, self.traced.then_some(&mut within)) else { return };
        if let Some(origin) = origin {
            for at in &mut within {
                *at = origin[*at];
            }
        }
        let origin = self.traced.then_some(&within[..]);
        (self.seen)(&plain, origin);
        self.below(&plain, origin, levels, mails);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut seen = Vec::new();
        each(text.as_bytes(), true, &mut |plain, origin| {
            let plain = String::from_utf8(plain.to_vec()).unwrap();
            if let Some(origin) = origin {
                let first = plain.find('@').map(|at| text[origin[at]..].chars().next().unwrap());
                assert!(first.is_none_or(|first| "%\\&=@".contains(first)), "{plain} of {text}");
            }
            seen.push(plain);
        });
        assert_eq!(seen, expected);
    }

    #[test]
    fn escapes_within_escapes_are_undone_and_traced() {
        check("plain = text", &["plain = text"]);
        check("%2540", &["%2540", "%40", "@"]);
        check(
            "\\u0026commat;=40",
            &[
                "\\u0026commat;=40",
                "&commat;=40",
                "@=40",
                "@@",
                "&commat;@",
                "@@",
                "\\u0026commat;@",
                "&commat;@",
                "@@",
            ],
        );
        check("=3D40", &["=3D40", "=40"]);
        check(
            "m=3D%2540",
            &["m=3D%2540", "m=3D%40", "m=3D@", "m=@", "m=%40", "m=@", "m=%2540", "m=%40", "m=@"],
        );
    }

    #[test]
    fn nothing_is_undone_without_end() {
        let deep = format!("%{}40", "25".repeat(40));
        let mut texts = 0;
        each(deep.as_bytes(), false, &mut |_, _| texts += 1);
        assert_eq!(texts, 1 + DEPTH);
    }
}

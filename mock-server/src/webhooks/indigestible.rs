//! Bodies that are rightly signed and are hard on whoever reads them: such as nobody can process, and such
//! as no library writes.
//!
//! What cannot be processed is plain letters, digits and spaces beside what JSON needs, so that it looks
//! the same wherever it is kept, whatever is escaped there.

use super::signing::Letter;
use crate::seed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why nobody can process it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Indigestible {
    /// The body is no JSON.
    NotJson,
    /// The body is JSON without `data`, which every event of the contract has.
    NoData,
}

/// Digits in a word of the filling.
const WORD: usize = 16;

/// Puts something in place of the body that nobody can process, of so many bytes at least. It follows
/// from the message, so that each attempt says the same.
pub(super) fn poison(letter: &mut Letter, how: Indigestible, bytes: u32) {
    let bytes = bytes as usize;
    let id = letter.stamp.id.clone();
    letter.body = match how {
        Indigestible::NotJson => {
            let mut text = format!("{} of {id} was not written as it should be", letter.event);
            let missing = bytes.saturating_sub(text.len());
            text.push_str(&filling(&id, missing));
            text.into_bytes()
        }
        Indigestible::NoData => {
            let parsed = serde_json::from_slice(&letter.body).unwrap_or_default();
            let mut fields: Map<String, Value> = parsed;
            fields.remove("data");
            // A field that no receiver knows: who keeps what it has parsed loses it.
            let missing = bytes.saturating_sub(written(&fields).len());
            fields.insert("note".to_owned(), filling(&id, missing.max(WORD)).into());
            written(&fields)
        }
    };
}

fn written(fields: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(fields).expect("JSON values are always writable")
}

/// So many bytes of words that stand nowhere else, each with a space before it.
fn filling(id: &str, bytes: usize) -> String {
    let words = (0..bytes.div_ceil(WORD + 1)).map(|n| {
        let word = seed::derive(0, &["webhook", "filling", id, &n.to_string()]);
        format!(" {}", hex::encode(&word[..WORD / 2]))
    });
    words.collect()
}

/// Lays JSON out with tabs, line ends of two bytes and spaces before commas and colons, and escapes each
/// solidus, which RFC 8259 section 7 allows. What is no JSON stays as it is.
pub(super) fn reformat(body: &mut Vec<u8>) {
    let Ok(text) = std::str::from_utf8(body) else { return };
    if serde_json::from_str::<Value>(text).is_err() {
        return;
    }
    let mut laid_out = String::with_capacity(text.len() * 2);
    let (mut in_string, mut escaped) = (false, false);
    for letter in text.chars() {
        if in_string {
            if letter == '/' && !escaped {
                laid_out.push('\\');
            }
            laid_out.push(letter);
            (escaped, in_string) = (letter == '\\' && !escaped, letter != '"' || escaped);
            continue;
        }
        match letter {
            ',' | ':' => {
                laid_out.push(' ');
                laid_out.push(letter);
                laid_out.push_str(if letter == ',' { "\r\n\t" } else { "\t" });
            }
            letter if letter.is_ascii_whitespace() => {}
            letter => {
                in_string = letter == '"';
                laid_out.push(letter);
            }
        }
    }
    laid_out.push_str("\r\n");
    *body = laid_out.into_bytes();
}

#[cfg(test)]
mod tests {
    use super::super::schemes::testing::letter;
    use super::*;

    fn poisoned(how: Indigestible, bytes: u32) -> String {
        let mut letter = letter();
        poison(&mut letter, how, bytes);
        String::from_utf8(letter.body).unwrap()
    }

    #[test]
    fn what_cannot_be_processed_is_as_long_as_asked_and_plain() {
        for bytes in [0, 100, 9_000, 32_768] {
            let text = poisoned(Indigestible::NotJson, bytes);
            assert!((bytes as usize..bytes as usize + 100).contains(&text.len()), "{bytes}");
            assert!(serde_json::from_str::<Value>(&text).is_err());
            let plain = |one: char| one.is_ascii_alphanumeric() || " ._".contains(one);
            assert!(text.chars().all(plain) && text.contains(&letter().stamp.id), "{text}");
            let text = poisoned(Indigestible::NoData, bytes);
            assert!(text.len() >= bytes as usize, "{} of {bytes}", text.len());
            let body: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(body["id"], letter().stamp.id.as_str());
            assert!(body["data"].is_null() && body["note"].is_string(), "{text}");
        }
        assert_eq!(poisoned(Indigestible::NotJson, 9), poisoned(Indigestible::NotJson, 9));
    }

    #[test]
    fn what_is_laid_out_otherwise_says_the_same() {
        let check = |json: &str| {
            let mut body = json.as_bytes().to_vec();
            reformat(&mut body);
            assert_ne!(body, json.as_bytes());
            let [before, after] =
                [json.as_bytes(), &body].map(|one| serde_json::from_slice::<Value>(one).unwrap());
            assert_eq!(before, after);
        };
        check(r#"{"a":"x/y\\/z","b":[1,2,{"c":"\"/,:\""}]}"#);
        check(&String::from_utf8(letter().body).unwrap());
        let mut body = b"{".to_vec();
        reformat(&mut body);
        assert_eq!(body, b"{");
    }
}

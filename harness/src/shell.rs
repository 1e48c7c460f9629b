//! Words as a POSIX shell reads them, so that what is printed may be copied.

/// The word, in quotes where it needs them.
#[must_use]
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

/// The word in quotes, whatever it holds.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whether this may be the name of a variable.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let lawful = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(lawful) && text.starts_with(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_the_word_that_was_meant() {
        for text in ["plain-1.0/x=y", "", "two words", "it's", "$HOME `id` \"q\" \\", "a\nb", "*?~"]
        {
            let script = format!("printf %s {}", word(text));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
        assert_eq!((word("a/b"), quoted("a/b")), ("a/b".to_owned(), "'a/b'".to_owned()));
    }

    #[test]
    fn names_of_variables_are_told_from_other_words() {
        assert_eq!(["A_1", "_", "1A", "", "A-B"].map(is_name), [true, true, false, false, false]);
    }
}

//! Makes what is nobody's business unreadable in a configuration before it is shown with a mistake:
//! secrets, values of the environment, and what stands before the host of an address.
//!
//! Every byte keeps its place, so that what is underlined stays where it is.

use super::secret::is_reference;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The text as it may be shown.
#[must_use]
pub fn concealed(text: &str) -> String {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut hidden = text.as_bytes().to_vec();
    if errors.is_empty() {
        let table = table.get_ref();
        let at = |path: &str| members(table, path).into_iter().flatten();
        for (_, value) in at("secrets").filter(|(key, _)| key.get_ref() != "backend") {
            let refers = value.get_ref().as_str().is_some_and(is_reference);
            hide(&mut hidden, if refers { 0..0 } else { value.span() });
        }
        for (_, value) in at("target.spawn.env") {
            around_templates(text, value.span()).into_iter().for_each(|one| hide(&mut hidden, one));
        }
        for (key, value) in at("target.url") {
            match key.get_ref().as_ref() {
                "vault_token" => hide(&mut hidden, value.span()),
                "base" => hide(&mut hidden, user_of(text, value.span())),
                _ => {}
            }
        }
        for (table, address) in [("observe", "metrics_url"), ("front_door", "metrics")] {
            for (_, value) in at(table).filter(|(key, _)| key.get_ref() == address) {
                hide(&mut hidden, user_of(text, value.span()));
            }
        }
    } else {
        by_lines(text).into_iter().for_each(|one| hide(&mut hidden, one));
    }
    String::from_utf8_lossy(&hidden).into_owned()
}

fn hide(bytes: &mut [u8], place: Range<usize>) {
    bytes[place].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'*');
}

/// The members of a table at a dotted path.
fn members<'t, 'd>(table: &'t DeTable<'d>, path: &str) -> Option<&'t DeTable<'d>> {
    path.split('.').try_fold(table, |at, part| {
        let (_, value) = at.iter().find(|(key, _)| key.get_ref() == part)?;
        match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            _ => None,
        }
    })
}

/// What of a value is no template: a name in braces says what is handed over, and is no secret.
fn around_templates(text: &str, span: Range<usize>) -> Vec<Range<usize>> {
    let named = |inner: &str| {
        let lawful = |c: char| c.is_ascii_lowercase() || "._".contains(c);
        (1..=32).contains(&inner.len()) && inner.chars().all(lawful)
    };
    let value = &text[span.clone()];
    let quoted = value.len() > 1 && value.starts_with(['"', '\'']);
    let (mut from, end) = if quoted { (1, value.len() - 1) } else { (0, value.len()) };
    let mut hidden = Vec::new();
    while let Some(open) = value[from..end].find('{').map(|at| from + at) {
        let inner = value[open + 1..end].split_once('}').map(|(inner, _)| inner);
        let (until, next) = match inner {
            // Two of them are a brace, and no name follows.
            _ if value[open + 1..end].starts_with('{') => (open + 2, open + 2),
            Some(inner) if named(inner) => (open, open + inner.len() + 2),
            _ => (open + 1, open + 1),
        };
        hidden.push(span.start + from..span.start + until);
        from = next;
    }
    hidden.push(span.start + from..span.start + end);
    hidden
}

/// What stands before the host of an address.
fn user_of(text: &str, span: Range<usize>) -> Range<usize> {
    let value = &text[span.clone()];
    let from = value.find("//").map_or(1.min(value.len()), |at| at + 2);
    match value.rfind('@') {
        Some(at) if at > from => span.start + from..span.start + at,
        _ => 0..0,
    }
}

/// What is hidden where the text is no TOML: of each line that may hold such a value, all that may be
/// the value.
fn by_lines(text: &str) -> Vec<Range<usize>> {
    let (mut hidden, mut begin) = (Vec::new(), 0);
    let (mut secret, mut open) = (false, 0_usize);
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let key = trimmed.split('=').next().unwrap_or_default();
        let holds = ["env", "session", "vault_token", "base", "metrics"]
            .iter()
            .any(|name| key.contains(name));
        let from = match line.find('=') {
            Some(at) if secret || holds => Some(at + 1),
            _ if open > 0 => Some(0),
            None if secret && !trimmed.starts_with('[') => Some(0),
            _ => None,
        };
        if trimmed.starts_with('[') && open == 0 {
            secret = trimmed.contains("env") || trimmed.contains("secrets");
        } else if let Some(from) = from {
            hidden.push(begin + from..begin + line.trim_end().len().max(from));
            // A table of values may go on over several lines.
            let count = |bracket| line.matches(bracket).count();
            open = (open + count('{')).saturating_sub(count('}'));
        }
        begin += line.len();
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(concealed(text), expected);
        assert_eq!(expected.len(), text.len());
    }

    #[test]
    fn values_are_hidden_and_names_templates_and_references_are_not() {
        check(
            "[target.spawn]\ncommand = [\"x\"]\nenv = { A = \"pw\", B = \"{port}\", C = '{mock.uri}/pw' }\n",
            "[target.spawn]\ncommand = [\"x\"]\nenv = { A = \"**\", B = \"{port}\", C = '{mock.uri}***' }\n",
        );
        check(
            "[target.spawn.env]\nA = 12\nB = \"{{pw}}\"\n",
            "[target.spawn.env]\nA = **\nB = \"******\"\n",
        );
        check("[secrets]\nsession = \"pw\"\n", "[secrets]\nsession = ****\n");
        check("[secrets]\nsession = \"env:PW\"\n", "[secrets]\nsession = \"env:PW\"\n");
        check(
            "[secrets]\nbackend = \"aws\"\nsesion = \"pw\"\n",
            "[secrets]\nbackend = \"aws\"\nsesion = ****\n",
        );
        check(
            "[target.url]\nbase = \"http://me:p@w@host\"\nvault_token = \"pw\"\n",
            "[target.url]\nbase = \"http://******@host\"\nvault_token = ****\n",
        );
    }

    #[test]
    fn what_is_no_toml_shows_no_value_either() {
        check(
            "[target.spawn.env]\nA = pw\nB\npw\"\n[x\ny = 1\n",
            "[target.spawn.env]\nA =***\n*\n***\n[x\ny = 1\n",
        );
        check("env = {\n A = \"pw\" }\ny = pw", "env =**\n***********\ny = pw");
        check("[secrets\nsession = pw\n", "[secrets\nsession =***\n");
        check("base = http://u:p@h\nport = 8x\n", "base =*************\nport = 8x\n");
    }
}

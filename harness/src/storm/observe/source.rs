//! Searches the declared source tree for the run's secrets, and for keys that were written down.
//!
//! The tree is what version control would keep: what `.gitignore` names is passed over, hidden files
//! are not. A real key is none of the run's, but it looks like one.

use super::search::{Search, Spot};
use ignore::WalkBuilder;
use ignore::overrides::OverrideBuilder;
use scenarios::observed::{Canary, Place};
use std::path::Path;

/// No source file is larger.
const LARGEST: u64 = 4 << 20;
/// Characters after its prefix that make a word a key, and not a name or an example.
const KEY_LENGTH: usize = 16;
/// Characters after its prefix that make a word a webhook secret: 24 bytes in base64 (Standard
/// Webhooks, "Signature scheme").
const SECRET_LENGTH: usize = 32;

/// What is searched.
pub struct Tree<'a> {
    /// What the paths are relative to.
    pub folder: &'a Path,
    /// Files and folders.
    pub roots: &'a [String],
    /// Globs of what is passed over.
    pub except: &'a [String],
    /// What live keys begin with.
    pub live_prefix: &'a str,
}

/// Searches every file of the tree.
pub fn look(tree: &Tree<'_>, search: &Search) {
    let mut except = OverrideBuilder::new(tree.folder);
    for glob in tree.except {
        if let Err(error) = except.add(&format!("!{glob}")) {
            search.unseen(Place::Source, format!("observe.source_except: {error}"));
        }
    }
    let Ok(except) = except.build() else { return };
    for root in tree.roots {
        let mut walk = WalkBuilder::new(tree.folder.join(root));
        walk.hidden(false).require_git(false).overrides(except.clone());
        walk.filter_entry(|entry| entry.file_name() != ".git");
        for entry in walk.build() {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    file(tree, entry.path(), search);
                }
                Ok(_) => {}
                Err(error) => search.unseen(Place::Source, format!("the source tree: {error}")),
            }
        }
    }
}

fn file(tree: &Tree<'_>, path: &Path, search: &Search) {
    if path.metadata().is_ok_and(|data| data.len() > LARGEST) {
        return;
    }
    let shown = path.strip_prefix(tree.folder).unwrap_or(path).display().to_string();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return search.unseen(Place::Source, format!("{shown}: {error}")),
    };
    search.source_file(&bytes, &shown);
    let text = String::from_utf8_lossy(&bytes);
    for (prefix, canary, length) in [
        (tree.live_prefix, Canary::ApiKey, KEY_LENGTH),
        ("whsec_", Canary::WebhookSecret, SECRET_LENGTH),
    ] {
        for (line, excerpt) in lookalikes(&text, prefix, length) {
            let spot = Spot(shown.clone(), format!("line {line}"));
            search.found(Place::Source, canary, None, &spot, || excerpt);
        }
    }
}

/// Words that begin with `prefix` and go on like a key: their line, and as much as may be shown.
fn lookalikes(text: &str, prefix: &str, length: usize) -> Vec<(usize, String)> {
    if prefix.is_empty() {
        return Vec::new();
    }
    let after = |(line, text): (usize, &str)| -> Vec<(usize, String)> {
        let found = text.match_indices(prefix).filter_map(|(at, _)| {
            let rest = &text[at + prefix.len()..];
            let body = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+/=_-".contains(c)));
            let body = &rest[..body.unwrap_or(rest.len())];
            // Digits and letters mixed: `lt_live_your_key_goes_here` is no key.
            let mixed = body.contains(|c: char| c.is_ascii_digit())
                && body.contains(|c: char| c.is_ascii_alphabetic());
            let shown = format!("{prefix}… and {} more characters", body.len());
            (body.len() >= length && mixed).then_some((line + 1, shown))
        });
        found.collect()
    };
    text.lines().enumerate().flat_map(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::observe::canaries::{Canaries, Credentials};
    use crate::storm::recorder::Recorder;
    use mock_server::clock::Clock;
    use mock_server::world::population::Population;
    use scenarios::observed::Leak;
    use std::sync::Arc;

    #[test]
    fn a_word_like_a_key_is_one_and_a_placeholder_is_not() {
        let check = |text: &str, expected: usize| {
            assert_eq!(lookalikes(text, "lt_live_", KEY_LENGTH).len(), expected, "{text}");
        };
        check("KEY = \"lt_live_0123456789abcdef\"", 1);
        check("a lt_live_0123456789abcdef and lt_live_fedcba9876543210", 2);
        check("lt_live_your_key_goes_here_please", 0);
        check("lt_live_0123", 0);
        check("lt_test_0123456789abcdef", 0);
        check("", 0);
    }

    #[test]
    fn ignored_and_excepted_files_are_passed_over_and_hidden_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "key: lt_live_0123456789abcdef\n").unwrap();
        };
        ["src/a.js", "src/.env", "src/local.js", "src/test/fixture.js", ".git/config"]
            .into_iter()
            .for_each(write);
        std::fs::write(folder.path().join(".gitignore"), "local.js\n").unwrap();
        let path = folder.path().join("history");
        let (recorder, writer) = Recorder::create(&path).unwrap();
        let credentials = Credentials { linktree: vec![], vault_token: "", session: "" };
        let canaries = Canaries::of(&credentials, &Population::default(), 7);
        let search = Search::new(Arc::new(canaries), &recorder, Clock::start());
        let (roots, except) = ([".".to_owned()], ["history".to_owned(), "**/test/**".to_owned()]);
        let tree =
            Tree { folder: folder.path(), roots: &roots, except: &except, live_prefix: "lt_live_" };
        look(&tree, &search);
        writer.finish().unwrap();
        let text = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("0123456789"), "{text}");
        let leak = |line: &str| {
            let Leak { source, spot, .. } = serde_json::from_str(line).unwrap();
            format!("{source}, {spot}")
        };
        let leaks = text.lines().filter(|line| line.contains(r#""event":"leak""#));
        let mut found: Vec<String> = leaks.map(leak).collect();
        found.sort();
        assert_eq!(found, ["src/.env, line 1", "src/a.js, line 1"]);
    }
}

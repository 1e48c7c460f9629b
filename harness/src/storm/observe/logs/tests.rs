use super::*;
use crate::storm::observe::canaries::{Canaries, Credentials};
use crate::storm::observe::pieces::LINE;
use crate::storm::recorder::{Recorder, Writer};
use mock_server::clock::Clock;
use mock_server::redact::Kind;
use mock_server::world::population::Population;
use serde_json::Value;
use std::fs::File;
use std::io::Write;

const KEY: &str = "lt_live_0123456789abcdef";

/// A log called `app.log` in a folder of its own.
struct Rig {
    folder: tempfile::TempDir,
    search: Arc<Search>,
    logs: Logs,
    writer: Writer,
}

/// What came of following it.
#[derive(Debug, Default)]
struct Seen {
    /// Spots of finds.
    found: Vec<String>,
    lines: u64,
    /// What was not seen.
    unseen: Vec<String>,
}

impl Rig {
    /// A log that holds this already; none without it.
    fn new(earlier: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, writer) = Recorder::create(&folder.path().join("history")).unwrap();
        let linktree = vec![(KEY.to_owned(), Kind::ApiKey)];
        let credentials = Credentials { linktree, vault_token: "", session: "" };
        let canaries = Canaries::of(&credentials, &Population::default(), 7);
        let search = Arc::new(Search::new(Arc::new(canaries), &recorder, Clock::start()));
        let log = folder.path().join("app.log");
        if let Some(earlier) = earlier {
            fs::write(&log, earlier).unwrap();
        }
        let logs = Logs::of(vec![(log, "app.log".into())], Arc::clone(&search));
        Self { folder, search, logs, writer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn add(&self, name: &str, text: &str) {
        let mut file = File::options().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn look(&mut self) {
        self.logs.read(false);
    }

    fn end(mut self) -> Seen {
        self.logs.read(true);
        self.search.finish(true);
        let history = self.path("history");
        self.writer.finish().unwrap();
        let text = zstd::decode_all(File::open(history).unwrap()).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("0123456789"));
        let mut seen = Seen::default();
        for line in String::from_utf8(text).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            if event["event"] == "checkpoint" {
                continue;
            }
            if event["event"] == "leak" {
                seen.found.push(event["spot"].as_str().unwrap().to_owned());
                continue;
            }
            seen.lines = event["log_lines"].as_u64().unwrap();
            let unseen = event["unseen"].as_array().into_iter().flatten();
            seen.unseen.extend(unseen.map(|one| one[1].as_str().unwrap().to_owned()));
        }
        seen
    }
}

#[track_caller]
fn check(seen: &Seen, found: &[&str], lines: u64, unseen: &[&str]) {
    let told = seen.unseen.iter().zip(unseen).all(|(what, words)| what.contains(words));
    assert!(told && seen.unseen.len() == unseen.len(), "{seen:?}");
    let spots: Vec<&str> = seen.found.iter().map(String::as_str).collect();
    assert_eq!((&spots[..], seen.lines), (found, lines));
}

#[test]
fn what_is_added_is_searched_once_and_what_was_there_is_not() {
    let mut rig = Rig::new(Some(&format!("an earlier run: {KEY}\n")));
    rig.add("app.log", "one\ntw");
    rig.look();
    rig.add("app.log", &format!("o {KEY}\nthree"));
    rig.look();
    rig.look();
    check(&rig.end(), &["line 2"], 3, &[]);
}

#[test]
fn a_log_that_never_comes_was_not_seen() {
    let mut rig = Rig::new(None);
    rig.look();
    check(&rig.end(), &[], 0, &["the log app.log could not be read"]);
    let mut late = Rig::new(None);
    late.look();
    late.add("app.log", KEY);
    check(&late.end(), &["line 1"], 1, &[]);
}

#[test]
fn a_renamed_file_is_followed_to_its_end() {
    let mut rig = Rig::new(Some("earlier\n"));
    rig.add("app.log", "one\n");
    rig.look();
    rig.add("app.log", "two\n");
    rig.rename("app.log", "app.log.1");
    rig.look();
    // The integration opens the new file later.
    rig.add("app.log.1", &format!("{KEY}\nfour"));
    rig.add("app.log", "five\n");
    rig.look();
    rig.add("app.log.1", &format!(" {KEY}"));
    check(&rig.end(), &["line 3", "line 5"], 5, &[]);
}

#[test]
fn a_file_that_bore_the_name_between_two_looks_is_read() {
    let mut rig = Rig::new(None);
    rig.add("app.log", "one\n");
    rig.look();
    rig.rename("app.log", "app.log.2");
    rig.add("app.log.1", &format!("{KEY}\n"));
    rig.add("app.log", "three\n");
    check(&rig.end(), &["line 3"], 3, &[]);
}

#[test]
fn pieces_of_an_earlier_run_and_other_logs_are_let_alone() {
    let mut rig = Rig::new(Some("earlier\n"));
    for other in ["app.log.1", "error.log", "app.lo"] {
        rig.add(other, KEY);
    }
    rig.logs = Logs::of(vec![(rig.path("app.log"), "app.log".into())], Arc::clone(&rig.search));
    rig.rename("app.log.1", "app.log.2");
    rig.rename("app.log", "app.log.1");
    rig.add("app.log", "one\n");
    check(&rig.end(), &[], 1, &[]);
}

#[test]
fn a_file_that_is_removed_has_been_read() {
    let mut rig = Rig::new(None);
    rig.add("app.log", "one\n");
    rig.look();
    fs::remove_file(rig.path("app.log")).unwrap();
    rig.look();
    rig.add("app.log", &format!("{KEY}\n"));
    check(&rig.end(), &["line 2"], 2, &[]);
}

#[test]
fn a_copy_of_what_was_cut_off_is_read_from_where_the_original_was() {
    let mut rig = Rig::new(None);
    rig.add("app.log", &format!("{KEY}\n"));
    rig.look();
    rig.add("app.log", &format!("two {KEY}\n"));
    fs::copy(rig.path("app.log"), rig.path("app.log.1")).unwrap();
    fs::write(rig.path("app.log"), "3\n").unwrap();
    check(&rig.end(), &["line 1", "line 3"], 3, &[]);
}

#[test]
fn a_copy_that_is_seen_before_the_original_is_cut_off_explains_the_cut() {
    let mut rig = Rig::new(None);
    rig.add("app.log", "one\n");
    rig.look();
    fs::copy(rig.path("app.log"), rig.path("app.log.1")).unwrap();
    rig.look();
    fs::write(rig.path("app.log"), "").unwrap();
    check(&rig.end(), &[], 2, &[]);
}

#[test]
fn what_was_cut_off_without_a_copy_was_not_seen() {
    let mut rig = Rig::new(None);
    rig.add("app.log", &format!("one\nwithout an end {KEY}"));
    rig.look();
    fs::write(rig.path("app.log"), "3\n").unwrap();
    check(&rig.end(), &["line 2"], 3, &["app.log was cut off"]);
    // Whoever begins its log anew cuts off what an earlier run has left.
    let mut anew = Rig::new(Some("earlier\n"));
    fs::write(anew.path("app.log"), "1\n").unwrap();
    anew.look();
    check(&anew.end(), &[], 1, &[]);
}

#[test]
fn what_was_packed_before_it_was_read_was_not_seen() {
    let pack = |rig: &Rig, from: &str, to: &str| {
        fs::remove_file(rig.path(from)).unwrap();
        rig.add(to, "\u{1f}packed");
    };
    let mut rig = Rig::new(None);
    rig.add("app.log", "one\n");
    rig.look();
    pack(&rig, "app.log", "app.log.1.gz");
    rig.add("app.log", "two\n");
    rig.look();
    rig.rename("app.log.1.gz", "app.log.2.gz");
    pack(&rig, "app.log", "app.log.1.gz");
    rig.add("app.log", "three\n");
    check(&rig.end(), &[], 3, &[]);
    let mut fast = Rig::new(None);
    fast.add("app.log", "one\n");
    fast.look();
    pack(&fast, "app.log", "app.log.2.gz");
    fast.add("app.log.1.gz", "\u{1f}packed");
    fast.add("app.log", "three\n");
    check(&fast.end(), &[], 2, &["packed pieces that were not read before: 1"]);
}

#[test]
fn a_rotation_faster_than_the_looks_is_said() {
    let mut rig = Rig::new(None);
    rig.add("app.log", "one\n");
    rig.look();
    // One old file is kept: the first is gone, and perhaps others after it.
    fs::remove_file(rig.path("app.log")).unwrap();
    rig.add("app.log.1", "later\n");
    rig.add("app.log", "last\n");
    check(&rig.end(), &[], 3, &["app.log was rotated faster"]);
}

#[test]
fn a_secret_across_the_cut_of_a_line_is_found() {
    let mut rig = Rig::new(None);
    let (front, back) = KEY.split_at(9);
    rig.add("app.log", &format!("{}{front}", "x".repeat(LINE - front.len())));
    rig.look();
    rig.add("app.log", &format!("{back} and on\n"));
    check(&rig.end(), &["line 1"], 2, &[]);
}

#[test]
fn a_secret_between_whose_two_writes_other_lines_came_is_found() {
    let mut rig = Rig::new(None);
    let (front, back) = KEY.split_at(13);
    rig.add("app.log", &format!("key {front}"));
    rig.look();
    rig.add("app.log", "another's line\n");
    rig.look();
    rig.add("app.log", &format!("and one more\n{back}\n{back}\n"));
    check(&rig.end(), &["line 3"], 4, &[]);
}

#[test]
fn a_secret_in_two_lines_of_a_mail_is_found_and_both_lines_are_counted() {
    let mut rig = Rig::new(None);
    let (front, back) = KEY.split_at(9);
    rig.add("app.log", &format!("Subject: x\nyour key is {front}=\n"));
    rig.look();
    rig.add("app.log", &format!("{back}=\nand on\n{KEY}\n"));
    check(&rig.end(), &["line 2", "line 5"], 5, &[]);
}

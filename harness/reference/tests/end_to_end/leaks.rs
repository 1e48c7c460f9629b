//! What nobody shall read stands nowhere: not in the log, on an error page, on `/metrics`, in the
//! environment or on a command line. Each mutant that leaks, leaks in one place.

use crate::{
    eventually,
    front::BROWSER_ADDRESS,
    process::{Program, start},
    stub::{Mood, Stub},
};
use std::{fs, sync::atomic::Ordering};

const KEY: &str = "lt_live_key";
const EMAIL: &str = "secret@example.org";
/// As the proxy in front names it, and as the browser does where there is none.
const ADDRESSES: [&str; 2] = ["192.0.2.7", BROWSER_ADDRESS];

/// All that can be read of a service from outside, by place.
type Places = Vec<(&'static str, String)>;

/// A page is filled and two visitors click; then Linktree fails, and a page is not there.
async fn day(mutant: &str) -> Places {
    let (stub, folder) = (Stub::start().await, tempfile::tempdir().unwrap());
    let program = start(&stub, folder.path(), mutant);
    let front = &program.front;
    let get = async |path: &str| {
        let response = front.get(path).await;
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (status, page) = get("/ann").await;
    assert_eq!(status, 200);
    assert_eq!(front.click_through(Some(ADDRESSES[0]), "e1").await, 202);
    assert_eq!(front.click("e2").await, 202);
    front.drained().await;
    stub.set(Mood::Status(500, None));
    // The second finds the breaker open: every such page counts.
    let errors = [get("/bob").await, get("/cyd").await];
    assert!(errors.iter().all(|(status, _)| *status == 503));
    let [errors, later] = errors.map(|(_, text)| text);
    assert_eq!(errors.contains(KEY), later.contains(KEY), "{mutant}");
    let metrics = front.metrics().await;
    let (environment, commands) = process_table(&program);
    assert!(stub.vault_reads.load(Ordering::Relaxed) >= 1, "{mutant}");
    let log = program.terminate().join("\n");
    vec![
        ("page", page),
        ("log", log),
        ("error page", errors),
        ("metrics", metrics),
        ("environment", environment),
        ("command line", commands),
    ]
}

/// The environments and the command lines of the program and its children.
fn process_table(program: &Program) -> (String, String) {
    let own = program.child.id();
    let family = [own].into_iter().chain(children(own));
    let read = |pid: u32, what: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{what}")).unwrap();
        String::from_utf8_lossy(&bytes).replace('\0', "\n")
    };
    family.map(|pid| (read(pid, "environ"), read(pid, "cmdline"))).unzip()
}

/// The children of a process, each of which is in its process group.
fn children(parent: u32) -> Vec<u32> {
    // After the name, which may hold anything: state, parent, group.
    let relations = |pid: u32| -> Option<(u32, u32)> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let pids = fs::read_dir("/proc").unwrap();
    let pids = pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let children = pids.filter(|pid| relations(*pid).is_some_and(|(of, _)| of == parent));
    let group = relations(parent).map(|(_, group)| group);
    children.inspect(|child| assert_eq!(relations(*child).map(|(_, group)| group), group)).collect()
}

/// What of this stands where.
fn leaks(places: &Places) -> Vec<(&'static str, &'static str)> {
    let mut found = Vec::new();
    for (place, text) in places {
        let words = [KEY, EMAIL, ADDRESSES[0], ADDRESSES[1]].into_iter();
        found.extend(words.filter(|word| text.contains(word)).map(|word| (*place, word)));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaks_but_by_a_mutant() {
    let sound = day("").await;
    assert_eq!(leaks(&sound), []);
    let log = &sound.iter().find(|(place, _)| *place == "log").unwrap().1;
    let filled = log.lines().filter(|line| line.contains("page filled")).collect::<Vec<_>>();
    let [line] = filled[..] else { panic!("one page was filled:\n{log}") };
    assert!(line.contains("INFO") && line.ends_with("page filled handle=ann version=\"v-ann\""));
    for (mutant, expected) in [
        ("email-in-log", vec![("log", EMAIL)]),
        ("visitor-address-in-log", vec![("log", ADDRESSES[0]), ("log", ADDRESSES[1])]),
        ("authorization-in-log", vec![("log", KEY)]),
        ("key-on-error-page", vec![("error page", KEY)]),
        ("key-in-metric-label", vec![("metrics", KEY)]),
        ("key-exported-to-environment", vec![("environment", KEY)]),
        ("key-on-helper-command-line", vec![("command line", KEY)]),
    ] {
        assert_eq!(leaks(&day(mutant).await), expected, "{mutant}");
    }
}

/// Nobody stays behind a service that is killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_helper_ends_with_its_service() {
    let (stub, folder) = (Stub::start().await, tempfile::tempdir().unwrap());
    let program = start(&stub, folder.path(), "key-on-helper-command-line");
    let helpers = children(program.child.id());
    assert_eq!(helpers.len(), 1);
    program.kill();
    // What has ended has no command line, whether or not somebody has asked for its status.
    let command = format!("/proc/{}/cmdline", helpers[0]);
    let gone = async || fs::read(&command).unwrap_or_default().is_empty();
    eventually("the helper to end", gone).await;
}

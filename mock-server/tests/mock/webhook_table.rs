//! The table of webhook faults and what a receiver sees of them, made from what it saw.
//!
//! `WINDTHROW_WRITE_TABLES=1` writes the table anew; without it, the one in the repository must be
//! the one that comes out.

use crate::receiver::{Post, Received};
use crate::rig::always;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mock_server::faults::{FAULTS, Fault, Forge, Place, Poison, Rotate};
use mock_server::webhooks::{Forgery, Indigestible, SchemeName, SignatureList};
use std::collections::BTreeSet;
use std::fmt::Write;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhook_table.md");

const INTRODUCTION: &str = "\
# What a receiver sees of each webhook fault

Made by `cargo test -p mock-server webhook_table` from raw sockets, under Standard Webhooks. Two
messages are sent, one after the other; the fault shapes the first. The verdict is that of a careful
receiver with the right secret and a tolerance of 300 s. What was forged is known by what makes the
delivery authentic again.

| fault | deliveries | order | body | timestamp | signatures | verdict | authentic again with |
|---|---|---|---|---|---|---|---|
";

/// What is to be shown: the examples of all webhook faults, and every forgery and list.
fn faults() -> Vec<(String, Option<Fault>)> {
    let mut all = vec![("none".to_owned(), None)];
    for info in FAULTS.iter().filter(|info| info.place == Place::Webhook) {
        match info.kind {
            "forge" => all.extend(Forgery::ALL.map(|how| {
                let fault = Fault::Forge(Forge { how, every_attempt: false });
                (format!("forge {}", word(how)), Some(fault))
            })),
            "rotate" => {
                use SignatureList::{StrangerFirst, StrangerLast, UnknownVersions};
                all.extend([StrangerFirst, StrangerLast, UnknownVersions].map(|list| {
                    (format!("rotate {}", word(list)), Some(Fault::Rotate(Rotate { list })))
                }));
            }
            "poison" => all.extend([Indigestible::NotJson, Indigestible::NoData].map(|how| {
                (format!("poison {}", word(how)), Some(Fault::Poison(Poison { how, bytes: 0 })))
            })),
            kind => all.push((kind.to_owned(), toml::from_str(info.example_toml).ok())),
        }
    }
    all
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn row(name: &str, fault: Option<Fault>) -> String {
    let reorders = matches!(fault, Some(Fault::Reorder(_)));
    let copies = if let Some(Fault::Duplicate(duplicate)) = &fault { duplicate.copies } else { 1 };
    let post = Post::new(&[], |config| {
        config.profile.webhooks.retry_ms = vec![];
        let on_first = |fault| {
            let mut rule = always("it", fault);
            rule.matcher.handle = Some("tail-0001".into());
            rule
        };
        config.rules = fault.into_iter().map(on_first).collect();
    });
    let first = post.send("tail-0001");
    if !reorders {
        post.log.deliveries(copies as usize);
    }
    let second = post.send("tail-0002");
    let received = post.receiver.posts(copies as usize + 1);
    // What is forged may have another id, and what nobody can process names no handle.
    let is_first = |one: &&Received| one.header("webhook-id").unwrap() != second;
    let firsts: Vec<_> = received.iter().filter(is_first).collect();
    let order = if is_first(&&received[0]) { "first, second" } else { "second, first" };
    let distinct: BTreeSet<_> = firsts.iter().map(|one| (&one.head, &one.body)).collect();
    let deliveries = match (firsts.len(), distinct.len()) {
        (1, _) => "1".to_owned(),
        (count, 1) => format!("{count}, the same bytes"),
        (count, kinds) => format!("{count}, of {kinds} kinds"),
    };
    let shown = firsts[0];
    let verdict = match shown.verdict(SchemeName::StandardWebhooks, &post.secret()) {
        Ok(()) => "authentic".to_owned(),
        Err(refusal) => refusal.to_string(),
    };
    let repair = repaired(shown, &post.secret());
    let (body, timestamp, signatures) = (body(shown), timestamp(shown), signatures(shown));
    let records = post.log.deliveries(copies as usize + 1);
    let record = records.iter().find(|record| record.handle == "tail-0001").unwrap();
    assert_eq!(record.authentic, verdict == "authentic", "{name}");
    let id = shown.header("webhook-id").unwrap();
    let other_id = if id == first { "" } else { ", another id" };
    format!(
        "| {name} | {deliveries}{other_id} | {order} | {body} | {timestamp} | {signatures} | {verdict} | {repair} |\n"
    )
}

fn body(one: &Received) -> &'static str {
    match serde_json::from_slice::<serde_json::Value>(&one.body) {
        Err(_) => "no JSON",
        Ok(body) if body["data"].is_null() => "JSON without data",
        Ok(_) if one.body.contains(&b'\n') => "JSON laid out oddly",
        Ok(_) => "JSON",
    }
}

fn timestamp(one: &Received) -> &'static str {
    let seconds: i64 = one.header("webhook-timestamp").unwrap().parse().unwrap();
    match one.at_s - seconds {
        age if age > 300 => "more than 300 s old",
        age if age < -300 => "more than 300 s ahead",
        -1..=60 => "now",
        _ => "another",
    }
}

/// The form of the header: versions and lengths, but no signatures, which change with time.
fn signatures(one: &Received) -> String {
    let Some(header) = one.header("webhook-signature") else { return "no header".to_owned() };
    let form = |entry: &str| match entry.split_once(',') {
        Some((version, tag)) => format!("`{version},` and {} characters", tag.len()),
        None => "an empty header".to_owned(),
    };
    header.split(' ').map(form).collect::<Vec<_>>().join("; ")
}

type Repair = fn(&mut Received);

/// Ways to undo one forgery each, on the bytes that came in.
const REPAIRS: &[(&str, Repair)] = &[
    ("nothing", |_| {}),
    ("the sender's clock", |one| {
        one.at_s = one.header("webhook-timestamp").unwrap().parse().unwrap();
    }),
    ("one bit of created_at", |one| {
        let text = String::from_utf8(one.body.clone()).unwrap();
        let at = text.find("created_at").unwrap() + "created_at\":\"2026-01-01T00:00:0".len();
        one.body[at] ^= 1;
    }),
    ("one space less", |one| {
        one.body.remove(1);
    }),
    ("the id of the body", |one| {
        let id = one.json()["id"].as_str().unwrap().to_owned();
        change(one, "webhook-id", |_| id.clone());
    }),
    ("a second later", |one| {
        let later = |text: &str| (text.parse::<i64>().unwrap() + 1).to_string();
        change(one, "webhook-timestamp", later);
    }),
    ("one bit of the signature", |one| {
        change(one, "webhook-signature", |text| {
            let mut tag = STANDARD.decode(text.get(3..).unwrap_or_default()).unwrap_or_default();
            tag.iter_mut().take(1).for_each(|byte| *byte ^= 1);
            format!("v1,{}", STANDARD.encode(tag))
        });
    }),
    ("the version v1", |one| change(one, "webhook-signature", |text| text.replace("v1a,", "v1,"))),
    ("base64", |one| {
        change(one, "webhook-signature", |text| {
            let tag = hex::decode(text.get(3..).unwrap_or_default()).unwrap_or_default();
            format!("v1,{}", STANDARD.encode(tag))
        });
    }),
];

fn repaired(one: &Received, secret: &str) -> &'static str {
    let is_right = |repair: &Repair| {
        let mut copy = one.clone();
        repair(&mut copy);
        copy.verdict(SchemeName::StandardWebhooks, secret).is_ok()
    };
    REPAIRS.iter().find(|(_, repair)| is_right(repair)).map_or("none of these", |(label, _)| *label)
}

/// Replaces the value of one header.
fn change(one: &mut Received, name: &str, new: impl Fn(&str) -> String) {
    let line = |line: &str| match line.split_once(": ") {
        Some((known, value)) if known == name => format!("{known}: {}", new(value)),
        _ => line.to_owned(),
    };
    one.head = one.head.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n");
}

#[test]
fn the_table_is_what_a_receiver_sees() {
    let mut table = INTRODUCTION.to_owned();
    for (name, fault) in faults() {
        write!(table, "{}", row(&name, fault)).unwrap();
    }
    check_verdicts(&table);
    if std::env::var_os("WINDTHROW_WRITE_TABLES").is_some() {
        std::fs::write(PATH, &table).unwrap();
    }
    let kept = std::fs::read_to_string(PATH).unwrap_or_default();
    assert_eq!(kept, table, "write it anew with WINDTHROW_WRITE_TABLES=1");
}

/// Every webhook fault has a row, and only what is in order or rightly signed is authentic.
fn check_verdicts(table: &str) {
    for line in table.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let harmless = ["none", "duplicate", "reorder", "delay", "reformat"].contains(&cells[1])
            || cells[1].starts_with("rotate")
            || cells[1].starts_with("poison");
        assert_eq!(cells[7] == "authentic", harmless, "{line}");
    }
    for info in FAULTS.iter().filter(|info| info.place == Place::Webhook) {
        assert!(table.contains(&format!("| {}", info.kind)), "{}", info.kind);
    }
}

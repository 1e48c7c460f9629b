//! Links in pages: cursors, short pages, and links that come and go between two pages.

use crate::links::{error_code, ids, links, rig};
use crate::rig::{Rig, edit_at};
use mock_server::clock::Moment;
use mock_server::world::PageChange;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn the_own_account_lists_the_links_of_the_first_creator() {
    let rig = rig(|_| {});
    let own = rig.get("/v1/links?limit=100").json();
    assert_eq!(own["data"], json!(links(&rig, "viral-0001")));
    let first = rig.get("/v1/links").json();
    assert_eq!(first["data"].as_array().unwrap().len(), 20);
    let target = format!("/v1/links?cursor={}", first["cursor"].as_str().unwrap());
    assert_eq!(rig.get(&target).json()["data"], json!(own["data"].as_array().unwrap()[20..40]));
    assert_eq!(rig.get("/v1/links?offset=20").status, 400);
    assert_eq!(rig.get("/v1/me").json()["handle"], "viral-0001");
}

#[test]
fn a_traversal_survives_links_that_come_and_go() {
    let rig = rig(|_| {});
    let before = ids(&links(&rig, "viral-0001"));
    let (mut listed, mut cursor, mut edits) = (Vec::new(), String::new(), 0);
    loop {
        let page = rig.get(&format!("/v1/profiles/viral-0001/links?limit=10{cursor}")).json();
        listed.extend(ids(page["data"].as_array().unwrap()));
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        rig.mock.edit("viral-*", PageChange::Remove { count: 3 }).unwrap();
        rig.mock.edit("viral-0001", PageChange::Insert { count: 3 }).unwrap();
        edits += 2;
    }
    let after: BTreeSet<_> = ids(&links(&rig, "viral-0001")).into_iter().collect();
    let unique: BTreeSet<_> = listed.iter().collect();
    assert_eq!(unique.len(), listed.len(), "nothing is listed twice");
    for stayed in before.iter().filter(|id| after.contains(*id)) {
        assert!(unique.contains(stayed), "{stayed} was there all the time");
    }
    assert_eq!(after.len(), 45);
    let version = rig.get("/v1/profiles/viral-0001").json()["version"].clone();
    assert!(version.as_str().unwrap().starts_with(&format!("v{edits}-")), "{version}");
}

#[test]
fn planned_edits_insert_and_remove_links() {
    let edit = |change| edit_at(0, "tail-0001", change);
    let rig = rig(|config| {
        config.world =
            vec![edit(PageChange::Insert { count: 4 }), edit(PageChange::Remove { count: 2 })];
    });
    assert_eq!(links(&rig, "tail-0001").len(), 5);
    assert_eq!(links(&rig, "tail-0002").len(), 3);
    rig.mock.arm(Moment(u64::MAX - 1));
    assert_eq!(links(&rig, "tail-0001").len(), 3, "the traffic has not begun");
}

#[test]
fn cursors_expire_and_belong_to_one_creator() {
    let expiring = rig(|config| config.profile.pages.cursor_ttl_ms = 1);
    let lasting = rig(|_| {});
    let cursor = |rig: &Rig| {
        let page = rig.get("/v1/profiles/viral-0001/links").json();
        page["cursor"].as_str().unwrap().to_owned()
    };
    let ask = |rig: &Rig, handle: &str, cursor: &str| {
        rig.get(&format!("/v1/profiles/{handle}/links?cursor={cursor}"))
    };
    let old = cursor(&expiring);
    let given = expiring.tape.wait(1)[0].t_req;
    while expiring.clock.now().since(given) < Duration::from_millis(2) {
        std::thread::yield_now();
    }
    let answer = ask(&expiring, "viral-0001", &old);
    assert_eq!((answer.status, error_code(&answer)), (410, json!("cursor_expired")));

    let good = cursor(&lasting);
    assert_eq!(ask(&lasting, "viral-0001", &good).status, 200);
    assert_eq!(ask(&lasting, "tail-0001", &good).status, 400);
    assert_eq!(ask(&lasting, "viral-0001", &good[1..]).status, 400);
    assert_eq!(ask(&lasting, "viral-0001", "MjA6dmlyYWwtMDAwMQ").status, 400);
}

#[test]
fn short_pages_are_never_empty_and_still_lead_to_the_end() {
    let rig = rig(|config| config.profile.pages.short_per_mille = 600);
    let (mut listed, mut cursor, mut lengths) = (Vec::new(), String::new(), Vec::new());
    loop {
        let page = rig.get(&format!("/v1/profiles/viral-0001/links?limit=10{cursor}")).json();
        let data = ids(page["data"].as_array().unwrap());
        lengths.push(data.len());
        listed.extend(data);
        let Some(next) = page["cursor"].as_str() else { break };
        assert_eq!(page["has_more"], true);
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed.len(), 45);
    let (_, all_but_last) = lengths.split_last().unwrap();
    assert!(all_but_last.iter().all(|length| (1..=10).contains(length)), "{lengths:?}");
    assert!(all_but_last.iter().any(|length| *length < 10), "{lengths:?}");
}

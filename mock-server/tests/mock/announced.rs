//! What happens at the mock becomes a webhook for whoever wants to hear of it.

use crate::receiver::Post;
use crate::rig::{Rig, click, edit_at};
use mock_server::world::PageChange;
use mock_server::world::population::{Group, Population};
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn each_click_that_counts_is_sent_once() {
    let post = Post::new(&[], |_| {});
    let body = click("e1", "l1");
    for _ in 0..2 {
        let key = "Idempotency-Key: k\r\n";
        assert_eq!(post.rig.send("POST", "/v1/clicks", key, &body).status, 202);
    }
    let batch = format!(r#"{{"events":[{},{}]}}"#, click("e1", "l1"), click("e2", "l2"));
    assert_eq!(post.rig.send("POST", "/v1/clicks/batch", "", &batch).status, 200);
    let last = post.send("tail-0002");
    let received = post.receiver.posts(3);
    let mut sent: Vec<_> = received
        .iter()
        .map(|one| one.json())
        .filter(|body| body["id"] != last)
        .map(|body| (body["type"].clone(), body["data"]["event_id"].clone()))
        .collect();
    sent.sort_by_key(|(_, event)| event.to_string());
    assert_eq!(sent, [(json!("link.clicked"), json!("e1")), (json!("link.clicked"), json!("e2"))]);
    assert_eq!(post.receiver.posts_so_far(), 3);
}

#[test]
fn a_planned_edit_is_sent_when_it_is_due() {
    let post = Post::new(&[], |config| {
        config.world = vec![edit_at(1, "tail-0001", PageChange::Text)];
    });
    let version = |rig: &Rig| rig.get("/v1/profiles/tail-0001").json()["version"].clone();
    let received = post.receiver.posts(2);
    let bodies: Vec<_> = received.iter().map(|one| one.json()).collect();
    let of = |kind: &str| bodies.iter().find(|body| body["type"] == kind).unwrap()["data"].clone();
    assert_eq!(of("profile.updated")["version"], version(&post.rig));
    let links = post.rig.get("/v1/profiles/tail-0001/links").json();
    assert_eq!(of("link.updated")["title"], links["data"][0]["title"]);
    post.rig.mock.edit("tail-0002", PageChange::Insert { count: 1 }).unwrap();
    let last = post.receiver.posts(3).remove(2).json();
    assert_eq!(
        (&last["type"], &last["data"]["handle"]),
        (&json!("profile.updated"), &json!("tail-0002"))
    );
}

#[test]
fn each_link_that_changes_is_sent_once() {
    let post = Post::new(&[], |config| {
        config.population = Population {
            groups: vec![Group {
                prefix: "own".into(),
                count: 1,
                min_links: 3,
                max_links: 3,
                ..Group::default()
            }],
        };
    });
    let links = post.rig.get("/v1/links").json();
    let id = |at: usize| links["data"][at]["id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let answer =
            post.rig.send("PATCH", &format!("/v1/links/{}", id(0)), "", r#"{"title":"New"}"#);
        assert_eq!(answer.status, 200);
    }
    let item = |id: String| json!({ "id": id, "title": "New", "url": "https://example.org/new" });
    let batch = json!({ "items": [item(id(1)), item("lnk_unknown".into())] }).to_string();
    assert_eq!(post.rig.send("POST", "/v1/links/batch", "", &batch).status, 200);
    let sent: BTreeSet<_> = post
        .receiver
        .posts(2)
        .iter()
        .map(|one| one.json()["data"]["link_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sent, BTreeSet::from([id(0), id(1)]));
    post.send("own-0001");
    post.receiver.posts(3);
    assert_eq!(post.receiver.posts_so_far(), 3);
}

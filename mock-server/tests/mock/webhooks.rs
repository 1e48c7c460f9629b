//! Webhooks over real sockets: what a receiver gets, and what the history says of it.

use crate::receiver::{Post, nobody};
use crate::rig::{PATIENCE, Rig, always};
use mock_server::faults::{
    Delay, Duplicate, Fault, Forge, Matcher, Pick, Reorder, Rotate, Rule, Stale,
};
use mock_server::history::record::{Record, Recorder};
use mock_server::webhooks::{Forgery, Refusal, SchemeName, SignatureList, WebhookEvent};
use serde_json::{Map, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

#[test]
fn a_delivery_is_rightly_signed_under_every_scheme() {
    for scheme in SchemeName::ALL {
        let post = Post::new(&[], |config| config.profile.webhooks.scheme = scheme);
        let id = post.send("tail-0001");
        let received = post.receiver.posts(1).remove(0);
        assert!(received.head.starts_with("POST /webhooks/linktree HTTP/1.1\r\n"));
        assert_eq!(received.header("content-type").as_deref(), Some("application/json"));
        assert_eq!(received.verdict(scheme, &post.secret()), Ok(()), "{scheme:?}");
        assert_eq!(received.verdict(scheme, "whsec_AAAA").unwrap_err(), Refusal::Signature);
        let body = received.json();
        assert_eq!(body["id"], id);
        assert_eq!(body["type"], "link.updated");
        assert_eq!(body["data"]["handle"], "tail-0001");
        assert_eq!(body["data"]["link_id"], "l1");
        assert!(body["data"]["nonce"].is_string() && body["created_at"].is_string());
        let record = post.log.deliveries(1).remove(0);
        assert_eq!((record.id.as_str(), record.webhook.as_str()), (id.as_str(), &*post.webhook));
        let about = (record.webhook_event, record.handle.as_str());
        assert_eq!(about, (WebhookEvent::LinkUpdated, "tail-0001"));
        assert_eq!((record.attempt, record.status, record.failure), (1, Some(200), None));
        assert!(record.authentic && record.faults.is_empty() && record.t_sent <= record.t_end);
        assert_eq!(record.body_sha256, sha256(&received.body));
    }
}

/// The commonest mistake of receivers: the signature is checked over what was parsed and written again.
#[test]
fn a_receiver_that_verifies_what_it_has_written_again_refuses_genuine_messages() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct InOrder {
        id: String,
        r#type: String,
        created_at: String,
        data: Map<String, serde_json::Value>,
    }
    for scheme in SchemeName::ALL {
        let post = Post::new(&[], |config| config.profile.webhooks.scheme = scheme);
        post.send("tail-0001");
        let mut received = post.receiver.posts(1).remove(0);
        assert_eq!(received.verdict(scheme, &post.secret()), Ok(()), "{scheme:?}");
        let parsed: InOrder = serde_json::from_slice(&received.body).unwrap();
        received.body = serde_json::to_vec(&parsed).unwrap();
        assert_eq!(received.verdict(scheme, &post.secret()), Err(Refusal::Signature), "{scheme:?}");
    }
}

#[test]
fn messages_have_the_contracts_content_types_in_turn_and_all_attempts_the_same() {
    let post = Post::new(&[500], |_| {});
    post.send("tail-0001");
    post.receiver.posts(2);
    post.send("tail-0002");
    post.receiver.posts(3);
    post.send("tail-0003");
    let kinds = post.receiver.posts(4);
    let (plain, with_charset) = ("application/json", "application/json; charset=utf-8");
    let kinds: Vec<_> = kinds.iter().map(|one| one.header("content-type").unwrap()).collect();
    assert_eq!(kinds, [plain, plain, with_charset, plain]);
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn what_is_not_2xx_is_sent_again_on_the_schedule_until_it_ends() {
    let check = |script: &[u16], expected: &[Option<u16>]| {
        let post = Post::new(script, |config| {
            config.profile.webhooks.retry_ms = vec![3_000, 6_000];
            config.time_scale = 100; // pauses of 30 and 60 ms
        });
        let id = post.send("tail-0001");
        let records = post.log.deliveries(expected.len());
        let statuses: Vec<_> = records.iter().map(|record| record.status).collect();
        assert_eq!(statuses, expected, "{script:?}");
        for (index, record) in records.iter().enumerate() {
            assert_eq!((record.id.as_str(), record.attempt), (&*id, index as u32 + 1));
            assert_eq!(record.failure.is_some(), record.status.is_none());
        }
        for (two, pause) in records.windows(2).zip([30, 60]) {
            let waited = two[1].t_sent.since(two[0].t_end);
            assert!(waited >= Duration::from_millis(pause), "{waited:?} of {pause} ms");
        }
        // Other messages go on until another retry would have been due, and there is none.
        let due = records[expected.len() - 1].t_end.plus(Duration::from_millis(90));
        let mut others = 0;
        while post.rig.clock.now() < due {
            post.send("tail-0002");
            others += 1;
            post.log.deliveries(expected.len() + others);
        }
        let records = post.log.deliveries_so_far();
        assert_eq!(records.iter().filter(|record| record.id == id).count(), expected.len());
    };
    check(&[200], &[Some(200)]);
    check(&[500, 204], &[Some(500), Some(204)]);
    check(&[302, 400, 200], &[Some(302), Some(400), Some(200)]);
    check(&[0, 200], &[None, Some(200)]);
    check(&[503, 503, 503], &[Some(503), Some(503), Some(503)]);
}

#[test]
fn a_receiver_that_is_not_there_or_never_answers_is_a_failure_with_a_reason() {
    let gone = nobody();
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let post = Post::new(&[], |config| {
        config.profile.webhooks.retry_ms = vec![];
        config.profile.webhooks.timeout_ms = 50;
    });
    let url = |address: std::net::SocketAddr| format!("http://{address}");
    let (gone_url, silent_url) =
        (url(gone.local_addr().unwrap()), url(silent.local_addr().unwrap()));
    for (url, word) in [(gone_url, "failed to connect"), (silent_url, "no answer within 50 ms")] {
        post.rig.mock.remove_webhook(&post.rig.mock.webhooks()[0].id);
        post.rig.mock.register_webhook(&url, &WebhookEvent::ALL).unwrap();
        let before = post.log.deliveries_so_far().len();
        post.send("tail-0001");
        let record = post.log.deliveries(before + 1).remove(before);
        assert_eq!(record.status, None);
        assert!(record.failure.as_ref().unwrap().contains(word), "{record:?}");
    }
}

#[test]
fn an_answer_of_410_ends_the_registration_until_it_is_registered_again() {
    let post = Post::new(&[410], |_| {});
    post.send("tail-0001");
    post.log.deliveries(1);
    while post.rig.mock.webhooks()[0].active {
        std::thread::yield_now();
    }
    let send =
        || post.rig.mock.send_webhook(WebhookEvent::LinkUpdated, "tail-0001", Map::new()).unwrap();
    assert_eq!(send(), None, "nobody wants it");
    let again = post.rig.mock.register_webhook(&post.receiver.url, &WebhookEvent::ALL).unwrap();
    assert!(again.active && again.id == post.webhook);
    let id = send().unwrap();
    assert_eq!(post.log.deliveries(2)[1].id, id);
}

#[test]
fn duplicates_are_the_same_bytes_and_attempts_of_their_own() {
    let fault = Fault::Duplicate(Duplicate { copies: 3, gap_ms: 0 });
    let post = Post::new(&[], |config| config.rules = vec![always("it", fault)]);
    let id = post.send("tail-0001");
    let received = post.receiver.posts(3);
    let distinct: BTreeSet<_> = received.iter().map(|one| (&one.head, &one.body)).collect();
    assert_eq!(distinct.len(), 1, "head and body are the same, byte for byte");
    let records = post.log.deliveries(3);
    let attempts: BTreeSet<_> = records.iter().map(|record| record.attempt).collect();
    assert_eq!(attempts, BTreeSet::from([1, 2, 3]));
    for record in records {
        assert!(record.authentic && record.id == id);
        assert_eq!(record.faults[0].kind.name(), "duplicate");
        assert_eq!(record.faults[0].key, "link.updated tail-0001");
    }
}

fn on(handle: &str, fault: Fault) -> Rule {
    let matcher = Matcher { handle: Some(handle.into()), ..Matcher::default() };
    Rule { matcher, ..always("it", fault) }
}

#[test]
fn a_held_message_comes_after_as_many_later_ones_as_it_says() {
    let fault = Fault::Reorder(Reorder { behind: 2, at_most_ms: 3_600_000 });
    let post = Post::new(&[], |config| config.rules = vec![on("tail-0001", fault)]);
    post.send("tail-0001");
    for count in 1..=2 {
        post.send("tail-0002");
        post.receiver.posts(count);
    }
    let handles: Vec<_> =
        post.receiver.posts(3).iter().map(|one| one.json()["data"]["handle"].clone()).collect();
    assert_eq!(handles, ["tail-0002", "tail-0002", "tail-0001"]);
    assert!(post.log.deliveries(3)[2].authentic);
}

#[test]
fn a_held_message_goes_by_itself_when_nothing_follows() {
    let fault = Fault::Reorder(Reorder { behind: 1, at_most_ms: 30 });
    let post = Post::new(&[], |config| config.rules = vec![on("tail-0001", fault)]);
    let before = post.rig.clock.now();
    post.send("tail-0001");
    let record = post.log.deliveries(1).remove(0);
    assert!(record.t_sent.since(before) >= Duration::from_millis(30));
    assert_eq!(record.faults[0].kind.name(), "reorder");
}

#[test]
fn a_delayed_message_is_sent_later_with_the_time_of_its_sending() {
    let post = Post::new(&[], |config| {
        config.rules = vec![always("it", Fault::Delay(Delay { ms: 60 }))];
    });
    let before = post.rig.clock.now();
    post.send("tail-0001");
    let received = post.receiver.posts(1).remove(0);
    assert_eq!(received.verdict(SchemeName::StandardWebhooks, &post.secret()), Ok(()));
    let record = post.log.deliveries(1).remove(0);
    assert!(record.t_sent.since(before) >= Duration::from_millis(60));
    assert_eq!(record.faults[0].kind.name(), "delay");
}

#[test]
fn a_refused_forgery_is_followed_by_the_genuine_message_unless_all_are_forged() {
    for every_attempt in [false, true] {
        let forge = Forge { how: Forgery::BodyBit, every_attempt };
        let post = Post::new(&[401, 401], |config| {
            config.profile.webhooks.retry_ms = vec![1];
            config.rules = vec![always("it", Fault::Forge(forge))];
        });
        post.send("tail-0001");
        let received = post.receiver.posts(2);
        let records = post.log.deliveries(2);
        for (index, (received, record)) in received.iter().zip(&records).enumerate() {
            let forged = index == 0 || every_attempt;
            let verdict = received.verdict(SchemeName::StandardWebhooks, &post.secret());
            assert_eq!(verdict.is_err(), forged);
            assert_eq!((record.authentic, record.faults.len()), (!forged, usize::from(forged)));
        }
    }
}

#[test]
fn a_scheme_without_room_for_a_fault_sends_an_ordinary_unmarked_delivery() {
    for fault in [
        Fault::Stale(Stale { age_s: 301, every_attempt: true }),
        Fault::Rotate(Rotate { list: SignatureList::StrangerFirst }),
    ] {
        let post = Post::new(&[], |config| {
            config.profile.webhooks.scheme = SchemeName::Github;
            config.rules = vec![always("it", fault)];
        });
        post.send("tail-0001");
        let record = post.log.deliveries(1).remove(0);
        assert!(record.authentic && record.faults.is_empty());
    }
}

#[test]
fn a_rule_picks_events_and_faults_of_requests_leave_deliveries_alone() {
    let matcher = Matcher { events: vec![WebhookEvent::ProfileUpdated], ..Matcher::default() };
    let forge = Fault::Forge(Forge { how: Forgery::Missing, every_attempt: false });
    let post = Post::new(&[], |config| {
        config.profile.webhooks.retry_ms = vec![];
        let status = serde_json::from_value(json!({ "kind": "status", "codes": [500] })).unwrap();
        let once = Pick::Nth { from: 0, until: 1 };
        config.rules =
            vec![Rule { matcher, pick: once, ..always("it", forge) }, always("no", status)];
    });
    let marks = |event| {
        let before = post.log.deliveries_so_far().len();
        post.rig.mock.send_webhook(event, "tail-0001", Map::new()).unwrap().unwrap();
        post.log.deliveries(before + 1).remove(before).faults.len()
    };
    assert_eq!(marks(WebhookEvent::LinkUpdated), 0);
    assert_eq!(marks(WebhookEvent::ProfileUpdated), 1);
    assert_eq!(marks(WebhookEvent::ProfileUpdated), 0, "only the first");
}

#[test]
fn ids_follow_the_seed() {
    let ids = |seed| {
        let post = Post::new(&[], |config| config.seed = seed);
        [post.webhook.clone(), post.send("tail-0001"), post.send("tail-0001")]
    };
    assert_eq!(ids(7), ids(7));
    assert_ne!(ids(7), ids(8));
}

#[test]
fn stopping_drops_what_waits_and_records_what_is_on_the_wire() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let post = Post::new(&[500], |config| {
        config.profile.webhooks.retry_ms = vec![604_800_000];
        config.profile.webhooks.timeout_ms = 3_600_000;
    });
    post.send("tail-0001");
    post.log.deliveries(1); // its retry waits for ages
    let url = format!("http://{}", silent.local_addr().unwrap());
    post.rig.mock.register_webhook(&url, &[WebhookEvent::LinkClicked]).unwrap();
    post.rig
        .mock
        .send_webhook(WebhookEvent::LinkClicked, "tail-0001", Map::new())
        .unwrap()
        .unwrap();
    // The look at the silent address and the delivery are both on the wire.
    let _one = (silent.accept().unwrap(), silent.accept().unwrap());
    let log = Arc::clone(&post.log);
    post.rig.mock.stop();
    let cut: Vec<_> =
        log.deliveries_so_far().into_iter().filter(|record| record.url == url).collect();
    assert_eq!(cut.len(), 1);
    assert!(cut[0].failure.as_ref().unwrap().contains("stopped"), "{:?}", cut[0]);
}

#[test]
fn a_flood_to_a_receiver_that_never_answers_is_bounded_and_said() {
    #[derive(Default)]
    struct Overloads(Mutex<Vec<String>>, Condvar);
    impl Recorder for Overloads {
        fn record(&self, record: Record) {
            if let Record::Overload(overload) = record {
                self.0.lock().unwrap().push(overload.what);
                self.1.notify_all();
            }
        }
    }
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let overloads = Arc::new(Overloads::default());
    let rig = Rig::new(|config| config.recorder = Arc::clone(&overloads) as Arc<dyn Recorder>);
    let url = format!("http://{}", silent.local_addr().unwrap());
    rig.mock.register_webhook(&url, &[WebhookEvent::LinkClicked]).unwrap();
    for _ in 0..10_500 {
        rig.mock.send_webhook(WebhookEvent::LinkClicked, "tail-0001", Map::new()).unwrap();
    }
    let none = |said: &mut Vec<String>| said.is_empty();
    let said = overloads.0.lock().unwrap();
    let (said, timeout) = overloads.1.wait_timeout_while(said, PATIENCE, none).unwrap();
    assert!(!timeout.timed_out() && said[0].contains("dropped"), "{said:?}");
    drop(said);
    let before = rig.clock.now();
    let clock = rig.clock;
    rig.mock.stop();
    assert!(clock.now().since(before) < PATIENCE, "stopping does not wait for the deliveries");
}

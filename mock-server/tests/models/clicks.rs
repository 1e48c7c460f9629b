//! Clicks have one effect for each event, and one answer for each key, however they are sent.

use crate::Upstream;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A click of one of few events, as it really was (0) or altered on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Click {
    event: u8,
    payload: u8,
    known: bool,
}

#[derive(Clone, Debug)]
enum Delivery {
    Single { key: Option<u8>, click: Click },
    Batch(Vec<Click>),
}

/// What the contract makes of all deliveries so far.
#[derive(Clone, Debug, Default)]
struct Ledger {
    effects: BTreeMap<u8, u8>,
    keys: BTreeMap<u8, (u8, u8)>,
    /// Status and effect of each click in the last delivery.
    last: Vec<(u16, bool)>,
}

impl Ledger {
    fn count(&mut self, click: Click) -> (u16, bool) {
        if !click.known {
            return (404, false);
        }
        match self.effects.get(&click.event) {
            Some(payload) if *payload == click.payload => (202, false),
            Some(_) => (422, false),
            None => {
                self.effects.insert(click.event, click.payload);
                (202, true)
            }
        }
    }

    fn single(&mut self, key: Option<u8>, click: Click) -> (u16, bool) {
        let Some(key) = key else { return (400, false) };
        let meant = (click.event, click.payload);
        match self.keys.get(&key) {
            Some(earlier) if *earlier == meant && click.known => (202, false),
            Some(_) => (422, false),
            None => {
                let fate = self.count(click);
                if fate.0 == 202 {
                    self.keys.insert(key, meant);
                }
                fate
            }
        }
    }
}

impl ReferenceStateMachine for Ledger {
    type State = Self;
    type Transition = Delivery;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(_ledger: &Self) -> BoxedStrategy<Delivery> {
        let known = prop_oneof![9 => Just(true), 1 => Just(false)];
        let payload = prop_oneof![3 => Just(0_u8), 1 => 1..3_u8];
        let click = (0..6_u8, payload, known).prop_map(|(event, payload, known)| Click {
            event,
            payload,
            known,
        });
        let key = prop_oneof![1 => Just(None), 9 => (0..4_u8).prop_map(Some)];
        prop_oneof![
            2 => (key, click.clone()).prop_map(|(key, click)| Delivery::Single { key, click }),
            1 => prop::collection::vec(click, 0..5).prop_map(Delivery::Batch),
        ]
        .boxed()
    }

    fn apply(mut ledger: Self, delivery: &Delivery) -> Self {
        ledger.last = match delivery {
            Delivery::Single { key, click } => vec![ledger.single(*key, *click)],
            Delivery::Batch(clicks) => clicks.iter().map(|click| ledger.count(*click)).collect(),
        };
        ledger
    }
}

struct Mock {
    upstream: Upstream,
    deliveries: usize,
    /// What each key was answered.
    answers: BTreeMap<u8, String>,
    links: Vec<String>,
}

impl Mock {
    fn written(&self, click: Click) -> Value {
        let Click { event, payload, known } = click;
        json!({
            "event_id": format!("e{event}"),
            "handle": if known { "tail-0001" } else { "nobody" },
            "link_id": self.links[usize::from(payload)],
            "occurred_at": format!("2026-01-0{}T00:00:00Z", event % 2 + 1),
        })
    }
}

struct Deliveries;

impl StateMachineTest for Deliveries {
    type SystemUnderTest = Mock;
    type Reference = Ledger;

    fn init_test(_ledger: &Ledger) -> Mock {
        let mut upstream = Upstream::new(|_| {});
        let page = upstream.get("/v1/profiles/tail-0001/links").json();
        let id = |link: &Value| link["id"].as_str().unwrap().to_owned();
        let links = page["data"].as_array().unwrap().iter().map(id).collect();
        Mock { upstream, deliveries: 0, answers: BTreeMap::new(), links }
    }

    fn apply(mut mock: Mock, ledger: &Ledger, delivery: Delivery) -> Mock {
        mock.deliveries += 1;
        let expected: Vec<u16> = ledger.last.iter().map(|(status, _)| *status).collect();
        match delivery {
            Delivery::Single { key, click } => {
                let header = key.map(|key| format!("Idempotency-Key: k{key}\r\n"));
                let (header, body) = (header.unwrap_or_default(), mock.written(click).to_string());
                let answer = mock.upstream.send("POST", "/v1/clicks", &header, &body);
                assert_eq!([answer.status], *expected);
                if let (Some(key), 202) = (key, answer.status) {
                    let first = mock.answers.entry(key).or_insert_with(|| answer.body.clone());
                    assert_eq!(*first, answer.body, "the same key has the same answer");
                }
            }
            Delivery::Batch(clicks) => {
                let events: Vec<_> = clicks.iter().map(|click| mock.written(*click)).collect();
                let body = json!({ "events": events }).to_string();
                let answer = mock.upstream.send("POST", "/v1/clicks/batch", "", &body);
                assert_eq!(answer.status, 200);
                let results = answer.json()["results"].clone();
                let statuses = results.as_array().unwrap().iter().map(|one| one["status"].clone());
                assert_eq!(statuses.collect::<Vec<_>>(), expected);
            }
        }
        // The first exchange of a case asked for the links.
        let record = mock.upstream.rig.tape.wait(mock.deliveries + 1).pop().unwrap();
        let receipts = record.clicks.iter().map(|receipt| (receipt.status, receipt.effect));
        assert_eq!(receipts.collect::<Vec<_>>(), ledger.last);
        mock
    }

    fn check_invariants(mock: &Mock, ledger: &Ledger) {
        assert_eq!(mock.upstream.rig.mock.clicks_counted(), ledger.effects.len());
    }

    /// Analytics count every effect, on its link and day, and of nothing else.
    fn teardown(mut mock: Mock, ledger: Ledger) {
        let mut expected: BTreeMap<(String, String), u64> = BTreeMap::new();
        for (event, payload) in &ledger.effects {
            let click = mock.written(Click { event: *event, payload: *payload, known: true });
            let of = |field: &str| click[field].as_str().unwrap().to_owned();
            *expected.entry((of("link_id"), of("occurred_at")[..10].to_owned())).or_default() += 1;
        }
        let target = "/v1/analytics/tail-0001?from=2026-01-01&to=2026-01-31";
        let answer = mock.upstream.get(target).json();
        assert_eq!(answer["total"], ledger.effects.len());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = answer["data"].as_array().unwrap().iter().map(|row| {
            ((text(&row["link_id"]), text(&row["date"])), row["clicks"].as_u64().unwrap())
        });
        assert_eq!(rows.collect::<BTreeMap<_, _>>(), expected);
    }
}

prop_state_machine! {
    #![proptest_config(crate::cases(32))]

    /// Repeated and altered clicks under repeated and altered keys, singly and in batches.
    #[test]
    fn an_event_has_one_effect_and_a_key_one_answer(sequential 1..40 => Deliveries);
}

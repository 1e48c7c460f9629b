//! Whatever is planned and whatever is asked: nothing private reaches a client or is taken from one.

use super::sight::look;
use crate::rig::{Client, Rig, click};
use mock_server::faults::{FAULTS, Fault, Latency, Pick, Place, Ratio, Rule, Stage};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::time::Duration;

/// Every fault of answers and connections, quick enough to be met often.
fn faults() -> Vec<Fault> {
    let mine = FAULTS.iter().filter(|info| matches!(info.place, Place::Respond | Place::Edge));
    let quick = |fault| match fault {
        Fault::Latency(_) => Fault::Latency(Latency::Uniform { min_ms: 0, max_ms: 5 }),
        other => other,
    };
    // A port that is shut shows nothing to anybody.
    mine.map(|info| toml::from_str(info.example_toml).unwrap())
        .filter(|fault| !matches!(fault, Fault::Refuse(_) | Fault::NoConnect(_)))
        .map(quick)
        .collect()
}

fn plan() -> impl Strategy<Value = Vec<Rule>> {
    let pick = prop_oneof![
        Just(Pick::All),
        (0..3_u64).prop_map(|from| Pick::Nth { from, until: from + 1 }),
        (1..4_u32).prop_map(|hits| Pick::Share { ratio: Ratio { hits, of: 4 } }),
    ];
    let rule = (prop::sample::select(faults()), pick).prop_map(|(fault, pick)| {
        // At the connection, only a few may be hit, or nobody would see anything.
        let pick = match fault.stage() {
            Stage::Connection => Pick::Nth { from: 1, until: 2 },
            _ => pick,
        };
        Rule { pick, ..crate::rig::always("it", fault) }
    });
    prop::collection::vec(rule, 0..5).prop_map(|mut rules| {
        for (index, rule) in rules.iter_mut().enumerate() {
            rule.id = format!("rule-{index}");
        }
        rules
    })
}

#[derive(Clone, Debug)]
struct Asked {
    method: &'static str,
    target: String,
    headers: String,
    body: String,
}

fn asked() -> impl Strategy<Value = Asked> {
    let batch = format!("{{\"events\":[{},{}]}}", click("e1", "l1"), click("e2", "l1"));
    let targets = prop_oneof![
        Just(("GET", "/v1/me".to_owned(), String::new())),
        Just(("GET", "/v1/health".to_owned(), String::new())),
        Just(("GET", "/v1/profiles/tail-0001".to_owned(), String::new())),
        Just(("HEAD", "/v1/profiles/tail-0001".to_owned(), String::new())),
        Just(("GET", "/v1/profiles/viral-0001/links?limit=9".to_owned(), String::new())),
        Just(("POST", "/v1/clicks".to_owned(), click("e1", "l1"))),
        Just(("POST", "/v1/clicks/batch".to_owned(), batch)),
        "/[a-z0-9/?=%]{0,20}".prop_map(|target| ("PUT", target, "{}".to_owned())),
    ];
    let private = prop_oneof![
        Just(String::new()),
        (0..9_u32).prop_map(|id| format!("X-Windthrow-Exchange: {id}\r\n")),
        "[A-Za-z-]{1,12}".prop_map(|name| format!("x-windthrow-{name}: reset\r\n")),
        Just("If-None-Match: *\r\nX-WINDTHROW-DIRECTIVE: stall\r\n".to_owned()),
    ];
    (targets, private).prop_map(|((method, target, body), headers)| Asked {
        method,
        target,
        headers: format!("{headers}Idempotency-Key: k\r\n"),
        body,
    })
}

fn check(rules: Vec<Rule>, all: &[Asked]) -> Result<(), TestCaseError> {
    let rig = Rig::new(|config| config.rules = rules);
    let (mut begun, mut seen) = (0, 0);
    for one in all {
        let request = rig.request(one.method, &one.target, &one.headers, &one.body);
        let sight = look_briefly(&rig, &request);
        let text = String::from_utf8_lossy(&sight).to_lowercase();
        prop_assert!(!text.contains("windthrow"), "{one:?}: {text}");
        // 421 is what the routes answer to a ticket that is not its own.
        prop_assert!(!text.starts_with("http/1.1 421"), "{one:?}: {text}");
        begun = rig.mock.probes();
        seen += usize::from(!sight.is_empty());
    }
    let (mock, tape) = (rig.mock, rig.tape);
    mock.stop();
    let records = tape.wait(usize::try_from(begun).unwrap());
    let mut ids: Vec<_> = records.iter().map(|record| record.id).collect();
    ids.sort_unstable();
    prop_assert_eq!(ids, (0..records.len() as u64).collect::<Vec<_>>(), "one record each");
    prop_assert!(seen <= all.len());
    prop_assert_eq!(tape.overloads(), 0);
    Ok(())
}

/// Every byte that comes within a moment: some faults never end.
fn look_briefly(rig: &Rig, request: &str) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", rig.mock.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(25))).unwrap();
    let _ = stream.write_all(request.as_bytes());
    let mut bytes = Vec::new();
    // It ends with a close, a reset, or when nothing more comes.
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_private_crosses_the_edge_under_any_plan(
        rules in plan(),
        all in prop::collection::vec(asked(), 1..7),
    ) {
        check(rules, &all)?;
    }
}

#[test]
fn every_fault_alone_keeps_what_is_private() {
    let body = click("e1", "l1");
    let asked = |method, target: &str, body: &str| Asked {
        method,
        target: target.into(),
        headers: "X-Windthrow-Exchange: 1\r\nIdempotency-Key: k\r\n".into(),
        body: body.into(),
    };
    let all = [asked("GET", super::PROFILE, ""), asked("POST", "/v1/clicks", &body)];
    for fault in faults() {
        let kind = fault.kind().name();
        check(vec![crate::rig::always("it", fault)], &all)
            .unwrap_or_else(|e| panic!("{kind}: {e}"));
    }
}

#[test]
fn a_forged_exchange_id_steals_nobodys_ticket() {
    let rig = Rig::with_fault(toml::from_str("kind = 'hold'").unwrap());
    let mut victim = rig.client();
    victim.write(&rig.request("GET", super::PROFILE, "", ""));
    while rig.mock.held().is_empty() {
        std::thread::yield_now();
    }
    let forged = format!("X-Windthrow-Exchange: {}\r\n", rig.mock.held()[0].exchange);
    let mut thief = Client::to(rig.mock.port());
    thief.write(&rig.request("GET", "/v1/me", &forged, ""));
    while rig.mock.held().len() < 2 {
        std::thread::yield_now();
    }
    assert_eq!(rig.mock.release("it"), 2);
    assert_eq!(victim.answer().json()["handle"], "tail-0001");
    assert!(thief.answer().json()["scopes"].is_array());
    let private = look(&rig, "GET / HTTP/1.1\r\nX-Windthrow-Exchange: x\r\nbad\r\n\r\n", false);
    assert_eq!(private.status(), Some(400));
}

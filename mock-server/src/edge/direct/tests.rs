//! What the edge decides is what wiremock would have decided: two worlds of the same seed see the same
//! requests, one each way, with faults of every kind that bends an answer.

use super::super::Tuning;
use super::super::head::{Head, Parsed};
use super::super::upstream::Upstream;
use super::*;
use crate::clock::Moment;
use crate::faults::engine::Engine;
use crate::faults::{FAULTS, Matcher, Pick, Ratio, Rule, Stage, Window};
use crate::profile::ContractProfile;
use crate::routes::{classify, resolved};
use crate::world::World;
use crate::world::population::{Group, Population, Variety};
use proptest::prelude::*;
use tokio::task::LocalSet;

/// The example of every fault of a request, each on a part of them.
fn rules() -> Vec<Rule> {
    let examples = FAULTS.iter().map(|info| toml::from_str(info.example_toml).unwrap());
    let rule = |fault: crate::faults::Fault| Rule {
        id: fault.kind().to_string(),
        window: Window { from_ms: 0, until_ms: u64::MAX },
        matcher: Matcher::default(),
        pick: Pick::Share { ratio: Ratio { hits: 1, of: 25 } },
        fault,
    };
    examples.map(rule).filter(|rule| rule.fault.stage() == Stage::Request).collect()
}

fn shared(with_faults: bool) -> Arc<Shared> {
    let group = |prefix: &str, variety| Group {
        prefix: prefix.into(),
        count: 2,
        min_links: 2,
        max_links: 4,
        variety,
    };
    let groups = vec![
        group("plain", Variety::Plain),
        group("odd", Variety::Odd),
        group("hostile", Variety::Hostile),
    ];
    let mut profile = ContractProfile::linktree_v1();
    profile.limit.requests = 12;
    let world = World::new(profile, 1, 7, Population { groups }, Vec::new());
    world.arm(Moment::ZERO);
    let rules = if with_faults { rules() } else { Vec::new() };
    Arc::new(Shared {
        own: Vec::new(),
        engine: Engine::new(7, rules).unwrap(),
        world,
        rendezvous: Default::default(),
        holds: Default::default(),
    })
}

/// When the account's key was made, to the second: it stands in an answer.
fn made_at(shared: &Shared) -> String {
    let keys = &shared.world.keys;
    keys.ring().token(&keys.api_key(), Moment::ZERO).key.unwrap().created_at.clone()
}

fn handle() -> impl Strategy<Value = String> {
    let known = Population { groups: shared(false).world.population.groups.clone() }.handles();
    prop_oneof![6 => prop::sample::select(known), 1 => Just("nobody".to_owned())]
}

/// A request as text, with `KEY` where a key stands.
fn request() -> impl Strategy<Value = String> {
    let bearer = prop_oneof![
        8 => Just("Authorization: Bearer KEY\r\n"),
        1 => Just("Authorization: Bearer OTHER\r\n"),
        1 => Just(""),
    ];
    let extra = prop::sample::select(vec![
        "",
        "",
        "Accept: a/b\r\naccept: c\r\n",
        "If-None-Match: *\r\n",
        "If-None-Match: \"x\"\r\nX-Odd: caf\u{e9}\r\n",
        "Content-Encoding: gzip\r\n",
        "Connection: close\r\nX-Windthrow-Exchange: 9\r\n",
    ]);
    let read = (prop::sample::select(vec!["GET", "HEAD"]), handle(), 0_u8..5).prop_map(
        |(method, handle, what)| match what {
            0 => (format!("{method} /v1/me?a=b"), String::new()),
            1 => (format!("{method} /v1/health"), String::new()),
            _ => (format!("{method} /v1/profiles/{handle}"), String::new()),
        },
    );
    let click = (handle(), 0_u8..4, 0_u8..4).prop_map(|(handle, event, key)| {
        let body = format!(
            "{{\"event_id\":\"e{event}\",\"handle\":\"{handle}\",\"link_id\":\"l\",\
             \"occurred_at\":\"2026-01-01T00:00:00Z\"}}"
        );
        let key = if key == 0 { String::new() } else { format!("idempotency-key: {key}\r\n") };
        (format!("POST /v1/clicks HTTP/1.1\r\n{key}"), body)
    });
    let broken = Just(("POST /v1/clicks HTTP/1.1\r\n".to_owned(), "no click".to_owned()));
    let line = prop_oneof![
        3 => read.prop_map(|(line, body)| (format!("{line} HTTP/1.1\r\n"), body)),
        2 => click,
        1 => broken,
    ];
    (line, bearer, extra)
        .prop_map(|((line, body), bearer, extra)| format!("{line}{bearer}{extra}\r\n{body}"))
}

async fn compare(requests: Vec<String>, with_faults: bool) -> Result<(), TestCaseError> {
    let (near, far) = loop {
        let (near, far) = (shared(with_faults), shared(with_faults));
        if made_at(&near) == made_at(&far) {
            break (near, far);
        }
    };
    let direct = Direct::new(&near);
    let upstream = Upstream::start(Arc::clone(&far), &Tuning::default()).await.unwrap();
    for (id, text) in (0..).zip(requests) {
        let keys = &near.world.keys;
        let text = text.replace("KEY", &keys.api_key()).replace("OTHER", &keys.other_key());
        let Parsed::Whole(head) = Head::parse(text.as_bytes()) else { panic!("{text}") };
        let body = &text.as_bytes()[head.len..];
        let path = resolved(&head.target);
        let (route, handle) = classify(&head.method, &path);
        let t_req = Moment::from_ms(id * 40);
        let key = head.header("authorization");
        let token = match key.as_deref().and_then(|value| value.strip_prefix("Bearer ")) {
            Some(key) => keys.ring().token(key, t_req),
            None => crate::keyring::Token::absent(),
        };
        let ticket = Ticket {
            id,
            t_req,
            route,
            handle,
            token,
            method: head.method.clone(),
            path,
            idempotency_key: head.header("idempotency-key"),
        };
        let question = Question { id, head: &head, body };
        let (here, decided) = direct.decide(&ticket, &question).expect("it is plain");
        far.rendezvous.ask(ticket);
        let there = upstream.forward(&question).await;
        let told = far.rendezvous.collect(id);
        prop_assert_eq!(here.unwrap(), there.unwrap(), "{}", text);
        prop_assert_eq!(format!("{:?}", Some(decided)), format!("{told:?}"), "{}", text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_is_what_wiremock_would_have_said(
        requests in prop::collection::vec(request(), 1..40),
        with_faults in prop::bool::weighted(0.8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, compare(requests, with_faults))?;
    }
}

#[test]
fn what_is_long_odd_or_slow_is_for_wiremock() {
    let direct = Direct::new(&shared(false));
    let is_direct = |line: &str, body: &[u8]| {
        let text = format!("{line} HTTP/1.1\r\n\r\n");
        let Parsed::Whole(head) = Head::parse(text.as_bytes()) else { panic!("{text}") };
        let path = resolved(&head.target);
        let (route, handle) = classify(&head.method, &path);
        let (method, token) = (head.method.clone(), crate::keyring::Token::absent());
        let (t_req, idempotency_key) = (Moment::ZERO, None);
        let ticket = Ticket { id: 1, t_req, route, handle, token, method, path, idempotency_key };
        direct.decide(&ticket, &Question { id: 1, head: &head, body }).is_some()
    };
    assert!(is_direct("GET /v1/profiles/plain-0001", b""));
    assert!(is_direct("POST /v1/clicks", b"{}"));
    for other in [
        "GET /v1/profiles/plain-0001/links",
        "GET /v1/profiles/./plain-0001",
        "GET /v1/profiles/plain%2d0001",
        "GET /v1/me?q=[x]",
        "GET /v1/links",
        "POST /v1/links/batch",
        "GET /elsewhere",
        "OPTIONS *",
    ] {
        assert!(!is_direct(other, b""), "{other}");
    }
    assert!(!is_direct("POST /v1/clicks", &[b' '; SHORT + 1]));
}

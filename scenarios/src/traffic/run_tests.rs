//! A storm against a tiny front door: everything scheduled is recorded once, failures are events.

use super::*;
use crate::front_door::FrontDoor;
use crate::history::{Did, Lateness, OpFailure};
use crate::plan::{Creators, Generator, Pace, Phase, PhaseKind, Shape, Step, Traffic};
use crate::traffic::Arrival;
use crate::traffic::actions::{ACTIONS, Action};
use mock_server::history::exchange::click_payload;
use mock_server::world::population::{Group, Population};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One storm at a time, in tests too.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[derive(Default)]
struct Seen {
    operations: Mutex<Vec<Operation<'static>>>,
}

impl OperationSink for Seen {
    fn operation(&self, operation: Operation<'static>) {
        self.all().push(operation);
    }
}

impl Seen {
    fn all(&self) -> MutexGuard<'_, Vec<Operation<'static>>> {
        self.operations.lock().unwrap()
    }
}

/// How the tiny front door treats a request.
#[derive(Clone, Copy)]
enum Manner {
    Answers,
    /// Answers everybody, and has no further word for a connection on which somebody came wrongly.
    HoldsGrudges,
    Hangs,
    Breaks,
}

/// A front door on a free port that keeps connections alive; the bodies it was sent.
async fn front_door(manner: Manner) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&bodies);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, manner, Arc::clone(&shared)));
        }
    });
    (url, bodies)
}

async fn serve(mut stream: TcpStream, manner: Manner, bodies: Arc<Mutex<Vec<String>>>) {
    let mut buffer = Vec::new();
    loop {
        let Some((head, body)) = read_request(&mut stream, &mut buffer).await else { return };
        let answer = match manner {
            Manner::Hangs => {
                bodies.lock().unwrap().push(body);
                std::future::pending::<()>().await;
                return;
            }
            Manner::Breaks => return,
            Manner::HoldsGrudges if !is_sane(&head, &body) => {
                let refused = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
                if stream.write_all(refused).await.is_ok() {
                    let _ = stream.read(&mut [0; 1]).await;
                }
                return;
            }
            Manner::Answers | Manner::HoldsGrudges if head.starts_with("POST") => {
                bodies.lock().unwrap().push(body);
                "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
            Manner::Answers | Manner::HoldsGrudges => {
                let html = r#"<meta name="profile-version" content="v7"><a data-link-id="lnk_9">"#;
                format!(
                    "HTTP/1.1 200 OK\r\ncache-status: own; hit\r\ncontent-length: {}\r\n\r\n{html}",
                    html.len()
                )
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Whether a browser that shows the page would send it.
fn is_sane(head: &str, body: &str) -> bool {
    let clicks = |body: &str| {
        let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
        let id = json.as_ref().and_then(|json| json["event_id"].as_str());
        id.is_some_and(|id| id.starts_with("ev-") && !id.ends_with("-odd"))
    };
    let page = ["GET /page-", "GET /calm-"].iter().any(|start| head.starts_with(start));
    let own_figures = head.starts_with("GET /api/analytics/");
    let campaign = head.starts_with("POST /api/campaigns ");
    page || own_figures || campaign || (head.starts_with("POST /api/clicks ") && clicks(body))
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        let text = String::from_utf8_lossy(buffer).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if rest.len() >= length {
                let body = rest[..length].to_owned();
                buffer.drain(..head.len() + 4 + length);
                return Some((head.to_owned(), body));
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn plan(rate: u32, timeout_ms: u64) -> Plan {
    let group = |prefix: &str, count| Group {
        prefix: prefix.into(),
        count,
        min_links: 1,
        max_links: 2,
        ..Group::default()
    };
    let phase = Phase { name: "all".into(), kind: PhaseKind::Storm, from_ms: 0, until_ms: 800 };
    Plan {
        id: "tiny".into(),
        summary: "a tiny storm".into(),
        seed: 0x0123_4567_89ab_cdef,
        time_scale: 1,
        population: Population { groups: vec![group("page", 9), group("calm", 3)] },
        phases: vec![phase],
        traffic: vec![
            Traffic {
                id: "visitors".into(),
                from_ms: 0,
                until_ms: 600,
                pace: Pace::Open { shape: Shape::Steady { rate } },
                creators: Creators::Zipf { group: "page".into(), exponent_milli: 1_100 },
                does: vec![
                    Step::always(Action::Page),
                    Step { action: Action::Click, share_per_mille: 300 },
                ],
            },
            Traffic {
                id: "calm".into(),
                from_ms: 100,
                // As long as a loaded machine may need for them.
                until_ms: 30_000,
                pace: Pace::Sequential { calls: 5, gap_ms: 20 },
                creators: Creators::InTurn { group: "calm".into() },
                does: vec![Step::always(Action::Page)],
            },
        ],
        faults: vec![],
        world: vec![],
        key: crate::plan::KeyPlan::default(),
        generator: Generator { users: 20, timeout_ms, p99_lateness_ms: 20 },
        guarantees: vec![],
        watches: Vec::new(),
        tls: false,
        exclusive: false,
    }
}

/// Throws a storm; gives the generator's report and what was recorded.
async fn throw(
    plan: &Plan,
    front_url: String,
    stop: Arc<AtomicBool>,
) -> (GeneratorReport, Vec<Operation<'static>>) {
    let seen = Arc::new(Seen::default());
    let clock = Clock::start();
    let storm = Storm {
        plan: plan.clone(),
        front_url,
        front: FrontDoor::default(),
        session_secret: "session".into(),
        armed: clock.now().plus(Duration::from_millis(300)),
        clock,
        sink: Arc::clone(&seen) as Arc<dyn OperationSink>,
        stop,
    };
    let report = run(storm).await.unwrap();
    let operations = std::mem::take(&mut *seen.all());
    (report, operations)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_arrival_is_recorded_once_with_what_it_met() {
    let _turn = TURN.lock().await;
    let (url, bodies) = front_door(Manner::Answers).await;
    let plan = plan(300, 2_000);
    let schedule = Schedule::of(&plan).unwrap();
    let (report, operations) = throw(&plan, url, Arc::default()).await;

    let of = |action| operations.iter().filter(move |one| one.did.action() == action);
    let pages: HashMap<u64, _> = of(Action::Page).map(|page| (page.arrival, page)).collect();
    assert_eq!(pages.len(), of(Action::Page).count(), "an arrival was recorded twice");
    assert_eq!(pages.len(), schedule.arrivals.len() + 5, "an arrival was not recorded");
    for arrival in &schedule.arrivals {
        let page = pages[&arrival.index];
        assert_eq!(page.handle, schedule.handle(arrival.planned.creator));
        assert!(page.is_ok() && page.intended <= page.sent, "{page:?}");
        assert!(page.first.is_some_and(|first| page.sent <= first && first <= page.last));
        let view = page.page().unwrap();
        assert_eq!(view.version.as_deref(), Some("v7"));
        assert_eq!(view.cache_status.as_deref(), Some("own; hit"));
    }
    let clicked: HashSet<u64> = of(Action::Click).map(|click| click.arrival).collect();
    let clicks = |a: &&Arrival| schedule.actions(a.planned.does).contains(&Action::Click);
    let meant: HashSet<u64> = schedule.arrivals.iter().filter(clicks).map(|a| a.index).collect();
    assert_eq!(clicked, meant);
    let payloads: HashSet<String> =
        bodies.lock().unwrap().iter().map(|body| payload(body)).collect();
    for operation in of(Action::Click) {
        let click = operation.click().unwrap();
        assert!(payloads.contains(&*click.payload), "{click:?}");
        assert_eq!(operation.intended, pages[&operation.arrival].last);
        assert!(click.event_id.starts_with("ev-01234567-"));
    }
    assert_eq!((report.scheduled, report.sent), (pages.len() as u64, pages.len() as u64));
    assert_eq!(report.users, 21);
    let cost = report.dispatch.unwrap();
    assert!(cost.releases <= schedule.arrivals.len() as u64, "{cost:?}");
    assert!(report.dispatcher.starts_with("thread"), "{}", report.dispatcher);
    agrees(&report, &operations, schedule.arrivals.len());
}

/// What the generator says of its lateness is what its operations show: the clock is read for both
/// within one step, during which the thread may lose the processor for a moment.
fn agrees(report: &GeneratorReport, operations: &[Operation<'_>], arrivals: usize) {
    let mut shown = Lateness::default();
    let first = operations.iter().filter(|one| one.page().is_some());
    for one in first.filter(|one| one.arrival < arrivals as u64) {
        shown.record(one.sent.since(one.intended));
    }
    assert_eq!(report.lateness.count(), shown.count());
    for share in [0.5, 0.99, 1.0] {
        let [told, shown] = [&report.lateness, &shown].map(|of| of.quantile_us(share));
        assert!(told.abs_diff(shown) < 50_000, "{share}: told {told} µs, shown {shown} µs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_no_free_user_is_as_late_as_is_told() {
    let _turn = TURN.lock().await;
    let (url, _) = front_door(Manner::Hangs).await;
    let mut plan = plan(40, 100);
    plan.generator.users = 1;
    let arrivals = Schedule::of(&plan).unwrap().arrivals.len();
    let (report, operations) = throw(&plan, url, Arc::default()).await;
    agrees(&report, &operations, arrivals);
    assert!(report.sent < report.scheduled, "one after the other, each for 100 ms: {report:?}");
    assert!(report.lateness.max_us() >= 100_000, "{report:?}");
}

/// The hash of a click as the mock computes it from what it is sent.
fn payload(body: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    assert_eq!(text("link_id"), "lnk_9", "a link of the page is clicked");
    assert!(text("occurred_at").ends_with('Z'));
    assert!(json["visitor"]["ip"].is_string() && json["visitor"]["user_agent"].is_string());
    click_payload(&text("handle"), &text("link_id"), &text("occurred_at"))
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_events_and_never_errors() {
    let _turn = TURN.lock().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (url, expected) in [
        (front_door(Manner::Breaks).await.0, OpFailure::Broken),
        (front_door(Manner::Hangs).await.0, OpFailure::Timeout),
        (format!("http://{closed}"), OpFailure::Connect),
    ] {
        let plan = plan(40, 150);
        let scheduled = Schedule::of(&plan).unwrap().arrivals.len();
        let (report, operations) = throw(&plan, url, Arc::default()).await;
        let pages: Vec<_> = operations.iter().filter(|one| one.page().is_some()).collect();
        assert!(pages.len() > scheduled, "{expected:?}: arrivals and some calls of the sequence");
        assert_eq!(report.sent, pages.len() as u64);
        for operation in &operations {
            assert_eq!((operation.failure, operation.status), (Some(expected), None));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_shares_a_connection_with_those_who_come_wrongly() {
    let _turn = TURN.lock().await;
    let (url, _) = front_door(Manner::HoldsGrudges).await;
    let mut plan = plan(300, 2_000);
    let does = ACTIONS.iter().map(|&action| Step { action, share_per_mille: 500 });
    plan.traffic[0].does = does.collect();
    let (_, operations) = throw(&plan, url, Arc::default()).await;
    let mut met: BTreeMap<&str, [u32; 2]> = BTreeMap::new();
    for one in &operations {
        // Of a body that is cut off nobody expects an answer.
        let cut = matches!(&one.did, Did::GarbledClick(_));
        let broke = one.failure == Some(OpFailure::Broken) && !cut;
        met.entry(one.did.action().info().id).or_default()[usize::from(broke)] += 1;
    }
    assert_eq!(met.len(), ACTIONS.len(), "everything was done: {met:?}");
    assert!(met.values().all(|[_, broke]| *broke == 0), "whole and broken: {met:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_a_storm_within_a_second_and_says_what_was_not_sent() {
    let _turn = TURN.lock().await;
    let (url, hung) = front_door(Manner::Hangs).await;
    let mut plan = plan(100, 30_000);
    plan.phases[0].until_ms = 60_000;
    let stop = Arc::new(AtomicBool::new(false));
    let later = Arc::clone(&stop);
    let clock = Clock::start();
    let stopping = tokio::spawn(async move {
        while hung.lock().unwrap().len() < 20 {
            tokio::task::yield_now().await;
        }
        later.store(true, Ordering::Release);
        clock.now()
    });
    let (report, operations) = throw(&plan, url, stop).await;
    let took = clock.now().since(stopping.await.unwrap());
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(report.sent < report.scheduled, "20 users hang, the others were not sent: {report:?}");
    let pages = operations.iter().filter(|operation| operation.page().is_some()).count();
    assert_eq!(report.sent, pages as u64, "whoever was sent home has given up, on record");
}

#[tokio::test]
async fn an_address_without_a_host_is_refused() {
    let _turn = TURN.lock().await;
    let clock = Clock::start();
    let storm = Storm {
        plan: plan(1, 100),
        front_url: "127.0.0.1:80".into(),
        front: FrontDoor::default(),
        session_secret: "session".into(),
        armed: Moment::ZERO,
        clock,
        sink: Arc::new(Seen::default()),
        stop: Arc::default(),
    };
    assert!(matches!(run(storm).await, Err(TrafficError::FrontUrl { .. })));
}

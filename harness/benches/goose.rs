//! What the history costs the generator: goose beyond saturation, with the history on and without.
//!
//! The schedule offers more than two cores can send, so the time to work it off is throughput.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mock_server::clock::Clock;
use mock_server::world::population::{Group, Population};
use scenarios::front_door::FrontDoor;
use scenarios::history::Operation;
use scenarios::plan::{
    Creators, Generator, KeyPlan, Pace, Phase, PhaseKind, Plan, Shape, Step, Traffic,
};
use scenarios::traffic::actions::Action;
use scenarios::traffic::{LEAD, OperationSink, Storm};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use windthrow::storm::recorder::Recorder;

/// Arrivals in one round, all offered within half a second.
const ARRIVALS: u32 = 20_000;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\
x-profile-version: v0-12345678\r\n\r\nhello";

struct Nowhere;

impl OperationSink for Nowhere {
    fn operation(&self, _operation: Operation<'static>) {}
}

fn plan() -> Plan {
    Plan {
        id: "saturation".into(),
        summary: "more than can be sent".into(),
        seed: 7,
        time_scale: 1,
        population: Population {
            groups: vec![Group {
                prefix: "page".into(),
                count: 400,
                min_links: 1,
                max_links: 1,
                ..Group::default()
            }],
        },
        phases: vec![Phase {
            name: "storm".into(),
            kind: PhaseKind::Storm,
            from_ms: 0,
            until_ms: 30_000,
        }],
        traffic: vec![Traffic {
            id: "crowd".into(),
            from_ms: 0,
            until_ms: 500,
            pace: Pace::Open { shape: Shape::Steady { rate: ARRIVALS * 2 } },
            creators: Creators::Zipf { group: "page".into(), exponent_milli: 1_000 },
            does: vec![Step::always(Action::Page)],
        }],
        faults: vec![],
        world: vec![],
        key: KeyPlan::default(),
        generator: Generator { users: 100, timeout_ms: 30_000, p99_lateness_ms: 20 },
        guarantees: vec![],
        watches: Vec::new(),
        tls: false,
        exclusive: true,
    }
}

async fn serve(listener: TcpListener) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(answer(socket));
    }
}

async fn answer(mut socket: TcpStream) {
    let _ = socket.set_nodelay(true);
    let mut head = [0; 2_048];
    // goose sends one small request at a time on a connection, which arrives in one piece.
    while matches!(socket.read(&mut head).await, Ok(1..)) {
        if socket.write_all(ANSWER).await.is_err() {
            return;
        }
    }
}

fn storm(
    runtime: &tokio::runtime::Runtime,
    front_url: &str,
    sink: Arc<dyn OperationSink>,
) -> Duration {
    let clock = Clock::start();
    let armed = clock.now().plus(LEAD);
    let storm = Storm {
        plan: plan(),
        front_url: front_url.to_owned(),
        front: FrontDoor::default(),
        session_secret: String::new(),
        armed,
        clock,
        sink,
        stop: Arc::new(AtomicBool::new(false)),
    };
    let report = runtime.block_on(scenarios::traffic::run(storm)).expect("the storm ends");
    assert_eq!(report.sent, report.scheduled);
    clock.now().since(armed)
}

fn goose(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime for the benchmark");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("the port's address"));
    runtime.spawn(serve(listener));
    let folder = tempfile::tempdir().expect("a folder for the benchmark");
    let mut group = c.benchmark_group("goose");
    group.throughput(Throughput::Elements(u64::from(ARRIVALS))).sample_size(10);
    group.bench_function("without history", |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds).map(|_| storm(&runtime, &url, Arc::new(Nowhere))).sum()
        });
    });
    let mut file = 0;
    group.bench_function("with history", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut round = || {
                file += 1;
                let path = folder.path().join(format!("{file}.zst"));
                let (recorder, writer) = Recorder::create(&path).expect("a history");
                let took = storm(&runtime, &url, Arc::new(recorder));
                writer.finish().expect("the history is written");
                took
            };
            (0..rounds).map(|_| round()).sum()
        });
    });
    group.finish();
}

criterion_group!(benches, goose);
criterion_main!(benches);

//! How fast a history of a million operations is judged, drawn, written and read.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::history::exchange::{ClickReceipt, End, Exchange, KeyPlace};
use mock_server::profile::ContractProfile;
use mock_server::world::population::Population;
use scenarios::case::Case;
use scenarios::guarantees::GUARANTEES;
use scenarios::history::{Click, Did, Operation, Outcome, PageView};
use scenarios::judging::Judging;
use scenarios::plan::{Declared, Generator, KeyPlan, PLAN_FORMAT, Phase, PhaseKind, Plan, RunPlan};
use scenarios::timeline::Timeline;
use std::borrow::Cow;
use std::hint::black_box;

const OPERATIONS: u64 = 1_000_000;
/// Milliseconds of traffic: at a thousand operations a second.
const TRAFFIC_MS: u64 = 1_000_000;
const CREATORS: u64 = 500;
/// Every so manieth operation is a click.
const CLICK_EVERY: u64 = 10;
/// Clicks in a batch.
const BATCH: u64 = 100;

fn phase(kind: PhaseKind, from_ms: u64, until_ms: u64) -> Phase {
    Phase { name: format!("{kind:?}"), kind, from_ms, until_ms }
}

fn plan() -> RunPlan {
    let plan = Plan {
        id: "bench".into(),
        summary: "a million operations".into(),
        seed: 1,
        time_scale: 1,
        population: Population { groups: Vec::new() },
        phases: vec![
            phase(PhaseKind::Warmup, 0, 10_000),
            phase(PhaseKind::Control, 10_000, 600_000),
            phase(PhaseKind::Outage, 600_000, 700_000),
            phase(PhaseKind::Heal, 700_000, TRAFFIC_MS),
            phase(PhaseKind::Settle, TRAFFIC_MS, TRAFFIC_MS + 200_000),
        ],
        traffic: Vec::new(),
        faults: Vec::new(),
        world: Vec::new(),
        key: KeyPlan::default(),
        generator: Generator { users: 100, timeout_ms: 30_000, p99_lateness_ms: 20 },
        guarantees: Vec::new(),
        watches: Vec::new(),
        tls: false,
        exclusive: false,
    };
    RunPlan {
        format: PLAN_FORMAT,
        seed: 1,
        profile: "bench".into(),
        soak_ms: None,
        time_scale: 1,
        contract: ContractProfile::linktree_v1(),
        declared: Declared::default(),
        alerts: scenarios::plan::AlertNames::new(),
        bounds: scenarios::bounds::defaults(),
        scenarios: vec![plan],
    }
}

fn exchange(id: u64, at_ms: u64, route: Route) -> Exchange {
    let at = Moment::from_ms(at_ms);
    let done = Moment::from_ms(at_ms + 5);
    let handle = format!("ann-{:04}", id % CREATORS);
    let is_page = route.is_page_read();
    Exchange {
        id,
        conn: id % 4,
        conn_seq: 0,
        method: if is_page { "GET" } else { "POST" }.into(),
        target: if is_page { format!("/v1/profiles/{handle}") } else { "/v1/clicks/batch".into() },
        route,
        version: is_page.then(|| format!("v0-{handle}")),
        handle: is_page.then_some(handle),
        host: Some("127.0.0.1:1".into()),
        token: "live".into(),
        key_id: None,
        key_places: vec![KeyPlace::BearerHeader],
        secret_places: vec![],
        accept: Some("application/json".into()),
        content_type: (!is_page).then(|| "application/json".into()),
        idempotency_key: None,
        body_bytes: u64::from(!is_page) * 9_000,
        clicks: Vec::new(),
        listed: None,
        links: Vec::new(),
        registration: None,
        t_conn: at,
        t_head: at,
        t_req: at,
        t_first: Some(done),
        t_w: Some(done),
        t_end: done,
        end: End::Complete,
        status: Some(200),
        retry_after: None,
        nonce: None,
        faults: Vec::new(),
        doubtful: false,
        over_limit: false,
        denied: None,
    }
}

fn click_id(arrival: u64) -> String {
    format!("click-{arrival:08}")
}

/// Every creator filled at first, refreshed now and then, and all clicks in batches.
fn case(run: &RunPlan) -> Case {
    let mut case = Case::new(run, &run.scenarios[0]);
    for id in 0..CREATORS {
        case.linktree.exchange(exchange(id, id * 4, Route::Profile));
        case.linktree.exchange(exchange(id, id * 4 + 2, Route::ProfileLinks));
    }
    let clicks = OPERATIONS / CLICK_EVERY;
    for batch in 0..clicks / BATCH {
        let at_ms = (batch + 1) * BATCH * CLICK_EVERY * TRAFFIC_MS / OPERATIONS + 50;
        let receipt = |n: u64| ClickReceipt {
            event_id: click_id((batch * BATCH + n) * CLICK_EVERY),
            payload: "p".into(),
            status: 202,
            effect: true,
        };
        let clicks = (0..BATCH).map(receipt).collect();
        case.linktree.exchange(Exchange { clicks, ..exchange(batch, at_ms, Route::ClicksBatch) });
    }
    case.harness.outcome = Some(Outcome::Completed);
    case.harness.closed = Moment::from_ms(run.scenarios[0].duration_ms());
    case.ready();
    case
}

fn operation(arrival: u64) -> Operation<'static> {
    let at_ms = arrival * TRAFFIC_MS / OPERATIONS + 5_000;
    let is_click = arrival.is_multiple_of(CLICK_EVERY);
    let handle = format!("ann-{:04}", arrival * arrival % CREATORS);
    let did = if is_click {
        Did::Click(Click { event_id: Cow::Owned(click_id(arrival)), payload: Cow::Borrowed("p") })
    } else {
        let version = Some(Cow::Owned(format!("v0-{handle}")));
        Did::Page(PageView { version, ..PageView::default() })
    };
    Operation {
        arrival,
        handle: Cow::Owned(handle),
        intended: Moment::from_ms(at_ms),
        sent: Moment::from_ms(at_ms),
        first: Some(Moment::from_ms(at_ms + 1)),
        last: Moment::from_ms(at_ms + 1),
        status: Some(if is_click { 202 } else { 200 }),
        failure: None,
        did,
    }
}

fn judge(criterion: &mut Criterion) {
    let run = plan();
    let case = case(&run);
    let operations: Vec<_> = (0..OPERATIONS).map(operation).collect();
    let mut group = criterion.benchmark_group("history");
    group.sample_size(10);
    group.throughput(Throughput::Elements(OPERATIONS));
    group.bench_function("judge by every guarantee", |bencher| {
        bencher.iter(|| {
            let mut judging = Judging::begin(&case, GUARANTEES);
            operations.iter().for_each(|operation| judging.operation(operation));
            black_box(judging.verdicts())
        });
    });
    for guarantee in GUARANTEES {
        group.bench_function(guarantee.promise().id, |bencher| {
            bencher.iter(|| {
                let mut judging = Judging::begin(&case, &[*guarantee]);
                operations.iter().for_each(|operation| judging.operation(operation));
                black_box(judging.verdicts())
            });
        });
    }
    group.bench_function("timeline", |bencher| {
        bencher.iter(|| {
            let mut timeline = Timeline::of(&case);
            operations.iter().for_each(|operation| timeline.operation(operation));
            black_box(timeline.series())
        });
    });
    group.finish();
}

fn lines(criterion: &mut Criterion) {
    const LINES: u64 = 10_000;
    let operations: Vec<_> = (0..LINES).map(operation).collect();
    let write = |operation: &Operation<'_>| serde_json::to_string(operation).unwrap();
    let text: Vec<String> = operations.iter().map(write).collect();
    let mut group = criterion.benchmark_group("operation lines");
    group.throughput(Throughput::Elements(LINES));
    group.bench_function("write", |bencher| {
        bencher.iter_batched_ref(
            || Vec::with_capacity(4 << 20),
            |out| {
                for operation in &operations {
                    serde_json::to_writer(&mut *out, operation).unwrap();
                    out.push(b'\n');
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("read", |bencher| {
        bencher.iter(|| {
            for line in &text {
                black_box(serde_json::from_str::<Operation<'_>>(line).unwrap());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, judge, lines);
criterion_main!(benches);

//! What recording costs: events handed over and written, from one producer to the file's end.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mock_server::clock::Moment;
use scenarios::history::{Event, Op, Operation};
use std::borrow::Cow;
use std::hint::black_box;
use windthrow::storm::recorder::Recorder;

const EVENTS: u64 = 100_000;

fn operation(index: u64) -> Operation<'static> {
    let at = |us: u64| Moment(index * 1_000_000 + us * 1_000);
    Operation {
        arrival: index,
        op: Op::Page,
        handle: Cow::Owned(format!("creator-{:04}", index % 400)),
        event_id: None,
        payload: None,
        intended: at(0),
        sent: at(40),
        first: Some(at(900)),
        last: at(950),
        status: Some(200),
        failure: None,
        version: Some(Cow::Owned(format!("v0-{:08x}", index % 400))),
        cache_status: Some(Cow::Borrowed("reference; hit; ttl=3")),
    }
}

fn record(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the benchmark");
    let mut group = c.benchmark_group("record");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    let mut round = 0;
    group.bench_function("operation, handed over and on disk", |bencher| {
        bencher.iter(|| {
            round += 1;
            let path = folder.path().join(format!("{round}.zst"));
            let (recorder, writer) = Recorder::create(&path).expect("a file for the benchmark");
            for index in 0..EVENTS {
                recorder.record(Event::Operation(operation(black_box(index))));
            }
            let written = writer.finish().expect("the file is written");
            std::fs::remove_file(&path).expect("the file is removed");
            written
        });
    });
    group.finish();
}

criterion_group!(benches, record);
criterion_main!(benches);

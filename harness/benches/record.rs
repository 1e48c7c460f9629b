//! What recording costs: events handed over and written, from one producer to the file's end, with
//! and without a search for what must not be written; and what the search of one page costs.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mock_server::clock::Moment;
use mock_server::redact::Kind;
use mock_server::world::population::{Group, Population};
use scenarios::history::{Did, Event, Operation, PageView};
use std::borrow::Cow;
use std::hint::black_box;
use std::sync::Arc;
use windthrow::storm::observe::canaries::{Canaries, Credentials};
use windthrow::storm::recorder::Recorder;

const EVENTS: u64 = 100_000;

fn operation(index: u64) -> Operation<'static> {
    let at = |us: u64| Moment(index * 1_000_000 + us * 1_000);
    Operation {
        arrival: index,
        handle: Cow::Owned(format!("creator-{:04}", index % 400)),
        intended: at(0),
        sent: at(40),
        first: Some(at(900)),
        last: at(950),
        status: Some(200),
        failure: None,
        did: Did::Page(PageView {
            version: Some(Cow::Owned(format!("v0-{:08x}", index % 400))),
            cache_status: Some(Cow::Borrowed("reference; hit; ttl=3")),
            body: None,
            ..PageView::default()
        }),
    }
}

fn record(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the benchmark");
    let mut group = c.benchmark_group("record");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    let (mut round, canaries) = (0, Arc::new(canaries()));
    for concealed in [false, true] {
        let name = if concealed { "operation, searched and on disk" } else { "operation, on disk" };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                round += 1;
                let path = folder.path().join(format!("{round}.zst"));
                let (recorder, writer) = Recorder::create(&path).expect("a file for the benchmark");
                if concealed {
                    recorder.conceal(&canaries);
                }
                for index in 0..EVENTS {
                    recorder.record(Event::Operation(operation(black_box(index))));
                }
                let written = writer.finish().expect("the file is written");
                std::fs::remove_file(&path).expect("the file is removed");
                written
            });
        });
    }
    group.finish();
}

/// As many creators as in the largest scenario.
fn canaries() -> Canaries {
    let group = Group {
        prefix: "creator".into(),
        count: 412,
        min_links: 3,
        max_links: 12,
        ..Group::default()
    };
    let population = Population { groups: vec![group] };
    let key = ("lt_live_0123456789abcdef".to_owned(), Kind::ApiKey);
    let credentials =
        Credentials { linktree: vec![key], vault_token: "vault-0123456789", session: "" };
    Canaries::of(&credentials, &population, 7)
}

fn search(c: &mut Criterion) {
    let canaries = canaries();
    let link = "<li><a href=\"https://shop.example.org/creator-0007?a=1&amp;b=2\" \
                data-link-id=\"lnk_00c0ffee\" rel=\"noopener nofollow\">It&#39;s new</a></li>\n";
    let page = format!("<!doctype html><h1>Ada Abara</h1>{}", link.repeat(12));
    let mut group = c.benchmark_group("search");
    group.throughput(Throughput::Bytes(page.len() as u64));
    group.bench_function("page with 12 links", |bencher| {
        bencher.iter(|| canaries.find(black_box(page.as_bytes())));
    });
    group.finish();
}

criterion_group!(benches, record, search);
criterion_main!(benches);

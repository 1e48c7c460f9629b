//! How long it takes to draw the arrivals of a viral spike and of a long soak.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mock_server::world::population::{Group, Population};
use scenarios::plan::{Creators, Generator, KeyPlan, Pace, Plan, Shape, Step, Traffic};
use scenarios::traffic::Schedule;
use scenarios::traffic::actions::Action;
use std::hint::black_box;

fn plan(shape: Shape, until_ms: u64) -> Plan {
    let group =
        Group { prefix: "page".into(), count: 400, min_links: 1, max_links: 9, ..Group::default() };
    let visitors = Traffic {
        id: "visitors".into(),
        from_ms: 0,
        until_ms,
        pace: Pace::Open { shape },
        creators: Creators::Zipf { group: "page".into(), exponent_milli: 1_500 },
        does: vec![Step::always(Action::Page), Step { action: Action::Click, share_per_mille: 50 }],
    };
    Plan {
        id: "bench".into(),
        summary: String::new(),
        seed: 7,
        time_scale: 1,
        population: Population { groups: vec![group] },
        phases: vec![],
        traffic: vec![visitors],
        faults: vec![],
        world: vec![],
        key: KeyPlan::default(),
        generator: Generator { users: 1, timeout_ms: 1_000, p99_lateness_ms: 20 },
        guarantees: vec![],
        watches: Vec::new(),
        tls: false,
        exclusive: false,
    }
}

fn schedules(criterion: &mut Criterion) {
    let spike = Shape::Spike {
        baseline: 24,
        factor: 50,
        at_ms: 5_000,
        rise_ms: 1_000,
        hold_ms: 4_000,
        decay_ms: 800,
    };
    let mut group = criterion.benchmark_group("schedule");
    for (name, plan) in
        [("spike", plan(spike, 20_000)), ("soak", plan(Shape::Steady { rate: 1_000 }, 600_000))]
    {
        let arrivals = Schedule::of(&plan).expect("the group exists").arrivals.len();
        group.throughput(Throughput::Elements(arrivals as u64));
        group.bench_function(name, |bencher| bencher.iter(|| Schedule::of(black_box(&plan))));
    }
    group.finish();
}

criterion_group!(benches, schedules);
criterion_main!(benches);

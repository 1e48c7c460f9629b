//! The schedule is seeded, and has the rates and the popularity that its plan names.

use super::*;
use crate::plan::{Generator, Shape};
use mock_server::world::population::{Group, Population};
use proptest::prelude::*;
use std::collections::HashMap;

fn plan(seed: u64, shape: Shape, creators: Creators, until_ms: u64) -> Plan {
    let group = |prefix: &str, count| Group {
        prefix: prefix.into(),
        count,
        min_links: 1,
        max_links: 3,
        ..Group::default()
    };
    Plan {
        id: "test".into(),
        summary: "a test".into(),
        seed,
        time_scale: 1,
        population: Population { groups: vec![group("first", 5), group("page", 40)] },
        phases: vec![],
        traffic: vec![
            Traffic {
                id: "visitors".into(),
                from_ms: 1_000,
                until_ms,
                pace: Pace::Open { shape },
                creators,
                does: vec![Step::always(Action::Page), click(100)],
            },
            Traffic {
                id: "calm".into(),
                from_ms: 0,
                until_ms: 500,
                pace: Pace::Sequential { calls: 7, gap_ms: 10 },
                creators: Creators::InTurn { group: "first".into() },
                does: vec![Step::always(Action::Page)],
            },
        ],
        faults: vec![],
        world: vec![],
        key: crate::plan::KeyPlan::default(),
        generator: Generator { users: 10, timeout_ms: 1_000, p99_lateness_ms: 20 },
        guarantees: vec![],
        watches: Vec::new(),
        tls: false,
        exclusive: false,
    }
}

const fn click(share_per_mille: u32) -> Step {
    Step { action: Action::Click, share_per_mille }
}

/// The arrivals whose visitors click.
fn clickers(schedule: &Schedule) -> Vec<u64> {
    let clicks = |arrival: &&Arrival| {
        schedule.actions(arrival.planned.does) == [Action::Page, Action::Click]
    };
    schedule.arrivals.iter().filter(clicks).map(|arrival| arrival.index).collect()
}

fn zipf() -> Creators {
    Creators::Zipf { group: "page".into(), exponent_milli: 1_200 }
}

fn steady(seed: u64) -> Schedule {
    Schedule::of(&plan(seed, Shape::Steady { rate: 200 }, zipf(), 21_000)).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_schedule_and_another_seed_another() {
    assert_eq!(steady(1), steady(1));
    assert_ne!(steady(1).arrivals, steady(2).arrivals);
}

#[test]
fn the_schedule_of_a_seed_is_still_what_it_was() {
    let schedule = steady(1);
    let arrival = |index: usize| {
        let arrival = schedule.arrivals[index];
        (arrival.at_us, arrival.planned.creator)
    };
    assert_eq!([0, 1, 9].map(arrival), [(1_008_370, 33), (1_009_980, 32), (1_050_158, 33)]);
    assert_eq!([1_000, 3_000].map(arrival), [(5_893_439, 34), (15_678_096, 25)]);
    let clickers = clickers(&schedule);
    assert_eq!((schedule.arrivals.len(), clickers.len()), (4_067, 398));
    assert_eq!(clickers[..6], [30, 38, 69, 70, 79, 80]);
}

#[test]
fn a_step_alone_comes_from_the_same_dice() {
    let mut alone = plan(1, Shape::Steady { rate: 200 }, zipf(), 21_000);
    alone.traffic[0].does = vec![click(100)];
    let alone = Schedule::of(&alone).unwrap();
    let clicks = |arrival: &&Arrival| alone.actions(arrival.planned.does) == [Action::Click];
    let clicks = alone.arrivals.iter().filter(clicks).map(|arrival| arrival.index);
    assert_eq!(clicks.collect::<Vec<_>>(), clickers(&steady(1)));
}

#[test]
fn a_changed_click_share_moves_nobodys_arrival() {
    let mut more = plan(1, Shape::Steady { rate: 200 }, zipf(), 21_000);
    more.traffic[0].does[1] = click(500);
    let more = Schedule::of(&more).unwrap();
    let times = |schedule: &Schedule| -> Vec<_> {
        schedule.arrivals.iter().map(|a| (a.index, a.at_us, a.planned.creator)).collect()
    };
    assert_eq!(times(&steady(1)), times(&more));
}

#[test]
fn arrivals_lie_in_their_stream_and_have_its_rate() {
    let schedule = steady(3);
    assert!(schedule.arrivals.iter().all(|a| (1_000_000..21_000_000).contains(&a.at_us)));
    let (count, clicks) = (schedule.arrivals.len(), clickers(&schedule).len());
    // 4,000 expected, of which a tenth click: six standard deviations.
    assert!((3_620..4_380).contains(&count), "{count}");
    assert!((280..520).contains(&clicks), "{clicks}");
    assert!((200..290).contains(&schedule.peak_per_s()), "{}", schedule.peak_per_s());
}

#[test]
fn a_spike_is_a_spike() {
    let shape = Shape::Spike {
        baseline: 20,
        factor: 50,
        at_ms: 5_000,
        rise_ms: 1_000,
        hold_ms: 2_000,
        decay_ms: 300,
    };
    let schedule = Schedule::of(&plan(4, shape, zipf(), 15_000)).unwrap();
    let within = |from: u64, until: u64| {
        schedule
            .arrivals
            .iter()
            .filter(|a| (from * 1_000..until * 1_000).contains(&a.at_us))
            .count()
    };
    assert!(within(1_000, 6_000) < 200);
    assert!((1_750..2_250).contains(&within(7_000, 9_000)), "{}", within(7_000, 9_000));
    assert!(within(12_000, 15_000) < 150);
}

#[test]
fn zipf_makes_one_creator_viral_and_another_seed_another_creator() {
    let viral = |seed| {
        let mut visits = HashMap::new();
        for arrival in &steady(seed).arrivals {
            *visits.entry(arrival.planned.creator).or_insert(0_u32) += 1;
        }
        visits.into_iter().max_by_key(|&(creator, count)| (count, creator)).unwrap()
    };
    let (_, visits) = viral(1);
    // Rank 1 of 40 with exponent 1.2 has a share of 0.30 of 4,000.
    assert!((950..1_450).contains(&visits), "{visits}");
    let different: std::collections::HashSet<u32> = (0..8).map(|seed| viral(seed).0).collect();
    assert!(different.len() > 3);
    assert!(different.iter().all(|creator| (5..45).contains(creator)), "only the named group");
}

#[test]
fn sequences_take_creators_in_turn_and_indices_behind_the_arrivals() {
    let schedule = steady(1);
    let calm = &schedule.sequences[0];
    let creators: Vec<_> = calm.calls.iter().map(|call| call.creator).collect();
    assert_eq!(creators, [0, 1, 2, 3, 4, 0, 1]);
    assert!(calm.calls.iter().all(|call| schedule.actions(call.does) == [Action::Page]));
    assert_eq!(calm.first_index, schedule.arrivals.len() as u64);
    assert_eq!(schedule.handle(calm.calls[4].creator), "first-0005");
}

#[test]
fn a_stream_that_visits_nobody_is_refused() {
    let nobody = Creators::InTurn { group: "none".into() };
    let error = Schedule::of(&plan(1, Shape::Steady { rate: 1 }, nobody, 2_000)).unwrap_err();
    assert!(error.to_string().contains("\"none\""), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn arrivals_are_ordered_and_numbered(seed in any::<u64>(), rate in 0_u32..300) {
        let shape = Shape::Steady { rate };
        let schedule = Schedule::of(&plan(seed, shape, zipf(), 3_000)).unwrap();
        prop_assert!(schedule.arrivals.is_sorted_by_key(|arrival| arrival.at_us));
        prop_assert!(schedule.arrivals.iter().zip(0..).all(|(arrival, n)| arrival.index == n));
    }
}
